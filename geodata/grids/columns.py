"""Which column of a boundary file is the code, the name, the parent of a grid."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Mapping, Sequence

import geopandas as gpd
import numpy as np
import pandas as pd

from geodata.codes import CodeRule
from geodata.errors import BadGrid, Fault
from geodata.levels import FINEST, LEVELS, parse_levels
from geodata.reading.cells import column_to_text

FIELDS = ("code", "name", "level", "parent", "kind", "body", "households", "population")

# Patterns of column names, the surest first, compared without case, spaces, _ and -.
_PATTERNS: dict[str, tuple[str, ...]] = {
    "code": (
        r"code",
        r"(单元)?网格(编码|编号|代码)|(grid|cell)(code|id|no)",
        r"编码|编号|代码|bm|dm",
        r"(district|county|town|ward)?adcode|admincode",
        r"[a-z]+\d\dcd",  # ONS: LSOA11CD
        r".*(grid|ward|cell|district|street|community|town)code",
        r"ward(num|no|number)",
        r".*(编码|代码|code)",
        r"id|objectid|fid",
    ),
    "name": (
        r"name",
        r"(单元)?网格名称?|(grid|cell)name",
        r"名称|mc",
        r"[a-z]+\d\dnm",  # ONS: LSOA11NM
        r".*(grid|ward|cell|district|street|community|town)name",
        r".*(名称|name)\d?",
    ),
    "level": (r"level|gridlevel", r"级别|层级|等级|网格级别|网格层级"),
    "parent": (
        r"parent|parentcode",
        r"(上级|父级|所属)(网格)?(编码|代码|编号)?",
        r"所属(社区|村|村社区|街道|镇|镇街|区|区县)(编码|代码)?",
    ),
    "kind": (r"kind|gridkind|gridtype", r"网格(类型|类别)"),
    "body": (r"body", r"责任(主体|单位|部门|岗位?)|岗位"),
    "households": (r"households", r"(家庭|总)?户数"),
    "population": (r"population|pop", r"(常住|总)?人口数?"),
}
_KINDS = {
    "": "general",
    "综合网格": "general",
    "基础网格": "general",
    "普通网格": "general",
    "一般网格": "general",
    "专属网格": "special",
    "专属": "special",
    "城市网格": "urban",
    "农村网格": "rural",
    "全科网格": "all_round",
    "牧业片区": "pastoral_area",
}


def find_columns(frame: pd.DataFrame, mapping: Mapping[str, str] | None = None) -> dict[str, str]:
    """
    Return the column of each field that the file has.

    `mapping` names columns outright. The code is the first column of a likely name whose cells are
    all filled and all different; the name is the likely column most like the code's. Raises
    BadGrid naming the columns there are, when a named column or any code is missing.
    """
    columns = [str(name) for name in frame.columns if name != frame_geometry(frame)]
    listed = tuple(columns) or ("-",)
    given = dict(mapping or {})
    faults = [
        Fault(key="grid_column_missing", field=column, values={"columns": listed})
        for column in given.values()
        if column not in columns
    ]
    faults += [
        Fault(key="grid_field_unknown", field=field, values={"fields": FIELDS})
        for field in given
        if field not in FIELDS
    ]
    if faults:
        raise BadGrid(faults)
    free = [column for column in columns if column not in given.values()]
    found = dict(given)
    if "code" not in found:
        likely = _likely("code", free)
        code = next((column for column in likely if _is_key(frame[column])), None)
        if code is None and likely:
            code = likely[0]  # its duplicates or empty cells are then named as what is wrong
        if code is None:
            raise BadGrid(Fault(key="grid_no_code", values={"columns": listed}))
        found["code"] = code
    for field in FIELDS[1:]:
        rest = [column for column in free if column not in found.values()]
        likely = _likely(field, rest)
        if field == "name":
            likely.sort(key=lambda column: -_shared_start(column, found["code"]))
        if field not in found and likely:
            found[field] = likely[0]
    return found


def read_columns(
    frame: gpd.GeoDataFrame,
    *,
    level: str | None = None,
    mapping: Mapping[str, str] | None = None,
    code_rule: CodeRule | None = None,
) -> tuple[gpd.GeoDataFrame, dict[str, str]]:
    """
    Return a file's grids with the contract's fields as text, and the columns they were read from.

    The result has code, name, level, parent_code, kind, body (text), households, population
    (float, nan unknown), the file's other columns, geometry. `level` says what the whole file is;
    else its level column; else what the digits of the codes say by `code_rule`; else the finest.
    Raises BadGrid with every fault of every row.
    """
    columns = find_columns(frame, mapping)
    faults: list[Fault] = []
    codes = _read_codes(frame[columns["code"]], columns["code"], faults)
    levels = _read_levels(frame, columns, codes, (level, code_rule), faults)
    if faults:
        raise BadGrid(faults)
    table: dict[str, object] = {
        "code": codes,
        "name": _texts(frame, columns.get("name")),
        "level": levels,
        "parent_code": [_plain_code(text) for text in _texts(frame, columns.get("parent"))],
        "kind": [_read_kind(text) for text in _texts(frame, columns.get("kind"))],
        "body": _texts(frame, columns.get("body")),
        "households": _numbers(frame, columns.get("households")),
        "population": _numbers(frame, columns.get("population")),
    }
    used = {*columns.values(), frame_geometry(frame), *table}
    extra = {str(name): frame[name].to_numpy() for name in frame.columns if name not in used}
    geometry = frame.geometry.to_numpy()
    return gpd.GeoDataFrame({**table, **extra}, geometry=geometry, crs=frame.crs), columns


def frame_geometry(frame: pd.DataFrame) -> str:
    """Return the name of a frame's geometry column, "" for a plain table."""
    return str(frame.geometry.name) if isinstance(frame, gpd.GeoDataFrame) else ""


def _likely(field: str, columns: Sequence[str]) -> list[str]:
    """Return the columns whose names fit a field, the surest pattern first."""
    plain = {column: re.sub(r"[\s_\-]", "", _fold(column)) for column in columns}
    return [
        column
        for pattern in _PATTERNS[field]
        for column in columns
        if re.fullmatch(pattern, plain[column])
        and not any(re.fullmatch(p, plain[column]) for p in _surer(field, pattern))
    ]


def _shared_start(one: str, other: str) -> int:
    """Return how many characters two names begin with in common."""
    pairs = enumerate(zip(one, other, strict=False))
    return next((at for at, (a, b) in pairs if a != b), min(len(one), len(other)))


def _surer(field: str, pattern: str) -> tuple[str, ...]:
    return _PATTERNS[field][: _PATTERNS[field].index(pattern)]


def _is_key(column: pd.Series) -> bool:
    cells = column_to_text(column.tolist()).cells
    return all(cells) and len(set(cells)) == len(cells)


def _read_codes(column: pd.Series, name: str, faults: list[Fault]) -> list[str]:
    text = column_to_text(column.tolist())
    codes = [_plain_code(cell) for cell in text.cells]
    faults += [
        Fault(key="grid_code_long", row=at + 1, field=name, value_kind="number")
        for at in text.long_numbers
    ]
    skip = set(text.long_numbers)
    faults += [
        Fault(key="grid_code_empty", row=at + 1, field=name, value_kind="empty")
        for at, code in enumerate(codes)
        if not code and at not in skip
    ]
    return codes


def _read_levels(
    frame: pd.DataFrame,
    columns: Mapping[str, str],
    codes: Sequence[str],
    known: tuple[str | None, CodeRule | None],
    faults: list[Fault],
) -> list[str]:
    level, rule = known
    if level is not None:
        if level not in LEVELS:
            values = {"level": level, "known": LEVELS}
            raise BadGrid(Fault(key="grid_level_unknown", values=values))
        return [level] * len(codes)
    if "level" in columns:
        parsed = parse_levels(_texts(frame, columns["level"]))
    elif rule is not None:
        parsed = [rule.level(code) for code in codes]
    else:
        return [FINEST] * len(codes)
    faults += [
        Fault(
            key="grid_level_word",
            row=at + 1,
            field=columns.get("level", columns["code"]),
            values={"levels": LEVELS},
        )
        for at, found in enumerate(parsed)
        if found is None
    ]
    return [found or FINEST for found in parsed]


def _read_kind(text: str) -> str:
    plain = _fold(text)
    return _KINDS.get(plain, plain)


def _texts(frame: pd.DataFrame, column: str | None) -> list[str]:
    if column is None:
        return [""] * len(frame)
    return list(column_to_text(frame[column].tolist()).cells)


def _numbers(frame: pd.DataFrame, column: str | None) -> np.ndarray:
    plain = [text.replace(",", "") for text in _texts(frame, column)]
    return np.asarray(pd.to_numeric(pd.Series(plain, dtype=str), errors="coerce"), dtype=float)


def _plain_code(text: str) -> str:
    return unicodedata.normalize("NFKC", text).strip()


def _fold(text: str) -> str:
    return unicodedata.normalize("NFKC", text).strip().lower()
