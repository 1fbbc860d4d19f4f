"""Sheets of reference tables: the columns that `load` takes back, every cell as text."""

from __future__ import annotations

import io
from collections.abc import Iterable, Iterator, Sequence
from zoneinfo import ZoneInfo

import xlsxwriter

from geodata.reference.tables import (
    VALID_FROM,
    TableRow,
    list_columns,
    list_extra_columns,
    print_day,
)

_WIDE = 18


def write_book(name: str, lines: Iterable[Sequence[str]], *, head: str) -> bytes:
    """Return lines as an .xlsx of texts, so that ids keep their digits; `head` is the log's."""
    out = io.BytesIO()
    options = {"in_memory": True, "strings_to_formulas": False, "strings_to_urls": False}
    with xlsxwriter.Workbook(out, options) as book:
        book.set_properties({"comments": head})
        sheet = book.add_worksheet(name)
        bold = book.add_format({"bold": True})
        width = 0
        for line, cells in enumerate(lines):
            width = len(cells)
            for place, cell in enumerate(cells):
                sheet.write_string(line, place, cell, None if line else bold)
        sheet.set_column(0, width, _WIDE)
        sheet.freeze_panes(1, 1)
    return out.getvalue()


def list_lines(table: str, rows: Sequence[TableRow], zone: ZoneInfo) -> Iterator[list[str]]:
    """Yield a table's header, with the names that `load` knows, and its rows."""
    columns = (*list_columns(table), *list_extra_columns(table, rows))
    yield [*columns, VALID_FROM]
    for row in rows:
        day = print_day(row.valid_from, zone)
        yield [*(row.cells.get(name, "") for name in columns), day]
