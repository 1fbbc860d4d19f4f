"""The levels of a grid tree, the words files use for them, and who is whose parent."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Hashable, Sequence
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

Ints = NDArray[np.int64]

LEVELS: tuple[str, ...] = ("city", "district", "street", "community", "grid")  # outermost first
FINEST = LEVELS[-1]
NO_PARENT = -1

# Words as they stand in the level column of files.
_LEVEL_WORDS: dict[str, tuple[str, ...]] = {
    "city": ("city", "市", "市级", "市域", "地市"),
    "district": ("district", "county", "区", "县", "区县", "区级", "县级", "区县级"),
    "street": ("street", "town", "township", "街道", "镇", "乡", "镇街", "街镇", "乡镇"),
    "community": ("community", "village", "社区", "村", "村社区", "社区村", "行政村"),
    "grid": ("grid", "cell", "网格", "单元网格", "基础网格", "专属网格"),
}
_WORD_LEVEL = {word: level for level, words in _LEVEL_WORDS.items() for word in words}
_NUMBERED = re.compile(r"(?:level\s*)?([1-5一二三四五])级?(?:网格)?")
_NUMERALS = {numeral: place for place, numeral in enumerate("一二三四五", start=1)}


def parse_levels(texts: Sequence[object]) -> list[str | None]:
    """
    Return the level that each word of a level column means, None for a word that means none.

    Numbered levels (1, 一级网格, level 2) count inward: the greatest number is the finest level.
    """
    words = [unicodedata.normalize("NFKC", str(text)).strip().lower() for text in texts]
    numbers = [_NUMBERED.fullmatch(word) for word in words]
    places = [int(_NUMERALS.get(found[1], found[1])) if found else 0 for found in numbers]
    deepest = max(places, default=0)
    return [
        LEVELS[len(LEVELS) - 1 - (deepest - place)]
        if place
        else _WORD_LEVEL.get(word) or _WORD_LEVEL.get(word.removesuffix("级"))
        for word, place in zip(words, places, strict=True)
    ]


def level_rank(level: str) -> int:
    """Return 0 for the outermost level, upward inward; raises ValueError for an unknown one."""
    return LEVELS.index(level)


def outer_levels(level: str) -> tuple[str, ...]:
    """Return the levels outside `level`, the nearest first."""
    return tuple(reversed(LEVELS[: level_rank(level)]))


def find_parent_rows(grids: pd.DataFrame) -> Ints:
    """
    Return the row number of each grid's parent, -1 where there is none or it is not among them.

    Reads `parent` as uids where `uid` stands beside it and both are whole numbers, else as codes
    of an outer level, the nearest first (the same code may occur on two levels).
    """
    if "parent" not in grids.columns:
        return np.full(len(grids), NO_PARENT, dtype=np.int64)
    whole = pd.api.types.is_integer_dtype
    if "uid" in grids.columns and whole(grids["uid"]) and whole(grids["parent"]):
        row_of_uid = {uid: row for row, uid in enumerate(grids["uid"].tolist())}
        return _look_up(row_of_uid, grids["parent"].tolist())
    levels = levels_of(grids)
    codes = grids["code"].astype(str).tolist()
    row_of = {key: row for row, key in enumerate(zip(levels, codes, strict=True))}
    wanted = [_text(parent) for parent in grids["parent"].tolist()]
    rows = np.full(len(grids), NO_PARENT, dtype=np.int64)
    for row, (level, parent) in enumerate(zip(levels, wanted, strict=True)):
        found = (row_of.get((outer, parent)) for outer in outer_levels(level))
        rows[row] = next((there for there in found if there is not None), NO_PARENT)
    return rows


def levels_of(grids: pd.DataFrame) -> list[str]:
    """Return the level of each row; a frame without the column is all finest grids."""
    if "level" not in grids.columns:
        return [FINEST] * len(grids)
    return [str(level) for level in grids["level"].tolist()]


def leaf_mask(parent_rows: Ints) -> NDArray[np.bool_]:
    """Tell which rows no other row has as its parent."""
    leaf = np.ones(len(parent_rows), dtype=bool)
    leaf[parent_rows[parent_rows >= 0]] = False
    return leaf


def special_mask(grids: pd.DataFrame) -> NDArray[np.bool_]:
    """Tell which rows are special grids; a frame without `kind` has none."""
    if "kind" not in grids.columns:
        return np.zeros(len(grids), dtype=bool)
    return np.array(grids["kind"].astype(str) == "special", dtype=bool)


def code_ranks(grids: pd.DataFrame) -> Ints:
    """Return the place of each row in the order of codes as text, outer level first on a tie."""
    levels = levels_of(grids)
    keys = [
        (code, LEVELS.index(level) if level in LEVELS else len(LEVELS), row)
        for row, (code, level) in enumerate(zip(grids["code"].astype(str), levels, strict=True))
    ]
    ranks = np.empty(len(keys), dtype=np.int64)
    ranks[[row for _, _, row in sorted(keys)]] = np.arange(len(keys))
    return ranks


def _look_up(rows: dict[Hashable, int], wanted: Sequence[Hashable]) -> Ints:
    return np.array([rows.get(key, NO_PARENT) for key in wanted], dtype=np.int64)


def _text(value: Any) -> str:
    return "" if pd.isna(value) else str(value)
