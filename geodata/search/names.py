"""Names that can be found: by a part of them, by their code, by the initials of their pinyin."""

from __future__ import annotations

import functools
import re
import unicodedata
from collections.abc import Iterable
from dataclasses import dataclass

from geodata.pinyin import spell_name

_SHORTEST_INITIALS = 2
_PIECE = re.compile(r"\d+|[^\W\d_]+")  # what one types in one go: a name, a number
_RUN = re.compile(r"[\x00-\x7f]+|[^\x00-\x7f]+")
_ALONG, _LETTERS_ALONG = 5, 6  # grades of what only the names above make whole


@dataclass(frozen=True, slots=True, kw_only=True)
class Named:
    """
    One thing that can be found; `key` is whatever its kind knows it by.

    `within` are the names of what it lies in, outermost first: every community has a grid 001.
    """

    kind: str  # "area", "place", "camera"
    key: int
    code: str
    name: str
    rank: int = 0  # of equally good hits the lower comes first
    within: tuple[str, ...] = ()


class NameIndex:
    """Names ready to be searched; read only."""

    def __init__(self, items: Iterable[Named]) -> None:
        self._items = [
            (one, fold_text(one.name), fold_text(one.code), initials_of(one.name)) for one in items
        ]
        self._along = [_join_along(one) if one.within else ("", "") for one, *_ in self._items]

    def find(self, text: str, *, most: int) -> list[Named]:
        """
        Return the best hits: whole code or name, then beginnings, initials, and parts of one.

        After those, what is found along the names it lies in: "引江社区 第005网格", "yj 005".
        """
        wanted = fold_text(text)
        if not wanted:
            return []
        hits = []
        pieces = [fold_text(piece) for piece in _PIECE.findall(text)]
        for place, (one, name, code, initials) in enumerate(self._items):
            grade = _grade(wanted, name, code, initials)
            if grade is None and one.within:
                grade = _grade_along(pieces, *self._along[place])
            if grade is not None:
                hits.append((grade, one.rank, len(name), place))
        return [self._items[place][0] for *_, place in sorted(hits)[:most]]


def fold_text(text: str) -> str:
    """Return text as it is compared: one width, small letters, no spaces."""
    return "".join(unicodedata.normalize("NFKC", text).casefold().split())


def initials_of(name: str) -> str:
    """Return the first letters of a name's pinyin; what is no Chinese character stays itself."""
    return fold_text("".join(map(_spell_run, _RUN.findall(name))))


@functools.lru_cache(maxsize=4096)  # a hundred thousand cameras differ by their numbers alone
def _spell_run(run: str) -> str:
    """Return the first letters of characters without a Latin letter or a number between them."""
    return run if run.isascii() else "".join(spell_name(run, "FIRST_LETTER"))


def _grade(wanted: str, name: str, code: str, initials: str) -> int | None:
    if wanted in (code, name):
        return 0
    if name.startswith(wanted) or (code and code.startswith(wanted)):
        return 1
    latin = wanted.isascii() and len(wanted) >= _SHORTEST_INITIALS
    if latin and initials.startswith(wanted):
        return 2
    if wanted in name or (wanted.isdigit() and code.endswith(wanted)):
        return 3
    if latin and not wanted.isdigit() and wanted in initials:
        return 4
    return None


def _join_along(one: Named) -> tuple[str, str]:
    """Return the names that a thing lies in, its own at the end, and the letters of them all."""
    names = (*one.within, one.name)
    return "".join(map(fold_text, names)), "".join(map(initials_of, names))


def _grade_along(pieces: list[str], names: str, initials: str) -> int | None:
    """Return the grade of pieces that follow each other along the names, or along their letters."""
    if len(pieces) < 2:
        return None
    if _follow(pieces, names):
        return _ALONG
    latin = all(piece.isascii() for piece in pieces)
    return _LETTERS_ALONG if latin and _follow(pieces, initials) else None


def _follow(pieces: list[str], text: str) -> bool:
    place = 0
    for piece in pieces:
        found = text.find(piece, place)
        if found < 0:
            return False
        place = found + len(piece)
    return True
