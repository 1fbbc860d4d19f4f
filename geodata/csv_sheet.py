"""CSV as spreadsheets open it: no cell is taken for a formula, Chinese is read right."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable, Sequence

# What makes a spreadsheet calculate, in half and full width, and what it skips before looking.
_FORMULA = ("=", "+", "-", "@", "＝", "＋", "－", "＠", "\t", "\r", "\n")
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
    if isinstance(cell, str) and cell.lstrip(" \u3000\xa0").startswith(_FORMULA):
        return f"'{cell}"
    return cell
