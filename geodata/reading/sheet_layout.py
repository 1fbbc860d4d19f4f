"""The layout of a spreadsheet: where its header is, what is a total, what only decorates."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass

Row = Sequence[str]

HEAD_ROWS = 40  # a header further down than this is none
_HEADER_SHARE = 0.5
_FEW_CELLS = 2
_TOTALS = frozenset(
    {"合计", "总计", "小计", "共计", "累计", "合計", "總計", "小計", "total", "subtotal"}
)
_FOOT = re.compile(
    r"^(注|备注|说明|填表|制表|审核|审批|单位|日期|打印|数据来源|来源|note|source|printed)"
)
_DIGIT = re.compile(r"\d")
# Below such a group a label alone does not say what it is: 时间 over 受理, 截止.
_TIMES = frozenset({"时间", "日期"})
_TIME_SIGNS = re.compile("[时期日间]")
_NUMBER = re.compile(r"[+-]?\d+(\.\d+)?%?|\d{4}[-/.年]\d{1,2}.*")


@dataclass(frozen=True, slots=True, kw_only=True)
class Layout:
    """
    Where the table of a sheet is; rows count from 0.

    `titles` rows stand above the header, which takes `header_rows` rows. `names` are as written,
    a two-row header joined where its lower row alone would not be unique.
    """

    titles: int
    header_rows: int
    names: tuple[str, ...]

    @property
    def first(self) -> int:
        """Return the row after the header."""
        return self.titles + self.header_rows


def find_layout(head: Sequence[Row]) -> Layout | None:
    """
    Find the header among the first rows of a sheet; None for a sheet without one.

    It is the first row that fills at least half of the widest row's cells: titles, units and the
    name of the office fill one or two. A row of labels right below, where the first leaves cells
    empty, belongs to it: such headers are merged cells over two rows. Where it fills every cell,
    the row after it must hold the numbers and days that it lacks.
    """
    filled = [sum(bool(cell) for cell in row) for row in head]
    widest = max(filled, default=0)
    if not widest:
        return None
    least = max(widest * _HEADER_SHARE, 1 if widest == 1 else _FEW_CELLS)
    at = next(place for place, count in enumerate(filled) if count >= least)
    header, below, after = (*head[at : at + 3], (), ())[:3]
    if not (_is_lower_header(header, below) or _is_full_header(header, below, after)):
        return Layout(titles=at, header_rows=1, names=tuple(_plain(cell) for cell in header))
    return Layout(titles=at, header_rows=2, names=_join_headers(header, below))


def count_titles(head: Sequence[Row]) -> int:
    """
    Return how many rows of delimited text stand above its header: titles, an office's name, a day.

    Each of them fills one or two cells, and what follows is a row of words that fills at least half
    of the widest row's cells and is as long as most rows below it. Where that is not so nothing is
    taken for a title: a row torn apart is named rather than skipped.
    """
    filled = [sum(bool(cell) for cell in row) for row in head]
    least = max(filled, default=0) * _HEADER_SHARE
    at = next((place for place, count in enumerate(filled) if count >= least), 0)
    if least < _FEW_CELLS or any(count > _FEW_CELLS for count in filled[:at]):
        return 0
    below = [len(row) == len(head[at]) for row in head[at + 1 :]]
    words = not any(_NUMBER.fullmatch(cell) for cell in head[at])
    return at if words and sum(below) * 2 >= len(below) > 0 else 0


def is_total(row: Row) -> bool:
    """Tell whether a row is a sum over others: its first words say so."""
    first = next((cell for cell in row if cell), "")
    plain = re.sub(r"[\s:：()（）]", "", unicodedata.normalize("NFKC", first)).casefold()
    return plain in _TOTALS


def is_foot(row: Row) -> bool:
    """Tell whether a last row only signs or explains the table: one or two cells, in words."""
    cells = [cell for cell in row if cell]
    few = len(row) > _FEW_CELLS and len(cells) <= _FEW_CELLS
    return few and bool(_FOOT.match(unicodedata.normalize("NFKC", cells[0]).casefold().lstrip()))


def repeats_header(row: Row, names: Sequence[str]) -> bool:
    """Tell whether a row is the header again, as printed tables have it on each page."""
    return any(row) and [_plain(cell) for cell in row] == list(names)


def _is_lower_header(header: Row, below: Row) -> bool:
    under = [cell for top, cell in zip(header, below, strict=False) if not top and cell]
    beside = [cell for top, cell in zip(header, below, strict=False) if top and cell]
    labels = [*under, *beside]
    # Where the upper row has a cell and no group begins, the merged cell leaves the lower empty.
    merged = len(beside) < sum(bool(cell) for cell in header) or not beside
    return bool(under) and merged and not any(_NUMBER.fullmatch(cell) for cell in labels)


def _is_full_header(header: Row, below: Row, after: Row) -> bool:
    """Tell whether a lower header fills every cell: groups above, labels, then data below."""
    gaps = any(not top and under for top, under in zip(header, below, strict=False))
    labels = all(cell and not _DIGIT.search(cell) for cell in below)
    data = sum(bool(_DIGIT.search(cell)) for cell in after)
    return gaps and labels and len(set(below)) == len(below) and data >= _FEW_CELLS


def _join_headers(header: Row, below: Row) -> tuple[str, ...]:
    group = ""
    pairs: list[tuple[str, str]] = []
    for top, under in zip(header, below, strict=True):
        group = top or (group if under else "")
        pairs.append((_plain(group), _plain(under)))
    unders = [under for _, under in pairs if under]
    names = []
    for top, under in pairs:
        clear = bool(under) and unders.count(under) == 1
        whole = f"{under}{top}" if top in _TIMES and not _TIME_SIGNS.search(under) else under
        names.append(whole if clear or not top else f"{top}_{under}" if under else top)
    return tuple(names)


def _plain(cell: str) -> str:
    return " ".join(cell.split())
