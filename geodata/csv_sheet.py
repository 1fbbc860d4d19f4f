"""CSV as spreadsheets open it: no cell is taken for a formula, Chinese is read right."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable, Sequence

from geodata.safe_text import escape_formula

_BYTE_ORDER_MARK = "\ufeff"  # without it Excel reads the machine's own encoding


def write_csv(rows: Iterable[Sequence[object]]) -> bytes:
    """Return rows as CSV in UTF-8; a text that looks like a formula begins with an apostrophe."""
    out = io.StringIO()
    out.write(_BYTE_ORDER_MARK)
    writer = csv.writer(out)
    for row in rows:
        writer.writerow([close_cell(cell) for cell in row])
    return out.getvalue().encode("utf-8", "replace")


def close_cell(cell: object) -> object:
    """Return a cell that no spreadsheet calculates; numbers stay numbers."""
    return escape_formula(cell) if isinstance(cell, str) else cell
