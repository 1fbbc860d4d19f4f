"""Names that can be found: by a part of them, by their code, by the initials of their pinyin."""

from __future__ import annotations

import unicodedata
from collections.abc import Iterable
from dataclasses import dataclass

from pypinyin import Style, lazy_pinyin

_SHORTEST_INITIALS = 2


@dataclass(frozen=True, slots=True, kw_only=True)
class Named:
    """One thing that can be found; `key` is whatever its kind knows it by."""

    kind: str  # "area", "place", "camera"
    key: int
    code: str
    name: str
    rank: int = 0  # of equally good hits the lower comes first


class NameIndex:
    """Names ready to be searched; read only."""

    def __init__(self, items: Iterable[Named]) -> None:
        self._items = [
            (one, fold_text(one.name), fold_text(one.code), initials_of(one.name)) for one in items
        ]

    def find(self, text: str, *, most: int) -> list[Named]:
        """Return the best hits: whole code or name, then beginnings, initials, and parts of one."""
        wanted = fold_text(text)
        if not wanted:
            return []
        hits = []
        for place, (one, name, code, initials) in enumerate(self._items):
            grade = _grade(wanted, name, code, initials)
            if grade is not None:
                hits.append((grade, one.rank, len(name), place))
        return [self._items[place][0] for *_, place in sorted(hits)[:most]]


def fold_text(text: str) -> str:
    """Return text as it is compared: one width, small letters, no spaces."""
    return "".join(unicodedata.normalize("NFKC", text).casefold().split())


def initials_of(name: str) -> str:
    """Return the first letters of a name's pinyin; what is no Chinese character stays itself."""
    return fold_text("".join(lazy_pinyin(name, style=Style.FIRST_LETTER)))


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
