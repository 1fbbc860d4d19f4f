"""The rows that a load refused, as a workbook with a column that says why."""

from __future__ import annotations

import io
from collections.abc import Mapping, Sequence

import pandas as pd
import xlsxwriter

from geodata.words import Lang, join, say

_WIDE, _NARROW = 60, 16
_MOST_ROWS = 1_000_000


def write_refused_rows(
    frame: pd.DataFrame, reasons: Mapping[int, Sequence[str]], lang: Lang
) -> bytes:
    """
    Return an .xlsx of refused rows: number, reasons with remedies, then their cells.

    `frame` is indexed by row number as `reasons` counts them. Every cell is text: nothing in it is
    calculated, and ids keep their digits. A sheet ends at a million rows, and says so.
    """
    plain = pd.DataFrame(frame.drop(columns="geometry", errors="ignore"))
    out = io.BytesIO()
    options = {"constant_memory": True, "strings_to_formulas": False, "strings_to_urls": False}
    with xlsxwriter.Workbook(out, options) as book:
        sheet = book.add_worksheet(say("intake.refused_sheet", lang))
        sheet.set_column(1, 1, _WIDE)
        sheet.set_column(2, len(frame.columns) + 1, _NARROW)
        sheet.freeze_panes(1, 2)
        bold = book.add_format({"bold": True, "text_wrap": True})
        head = [say("intake.refused_row", lang), say("intake.refused_reason", lang), *plain.columns]
        for place, name in enumerate(head):
            sheet.write_string(0, place, str(name), bold)
        listed = sorted(reasons.items())
        for line, (row, why) in enumerate(listed[:_MOST_ROWS], start=1):
            sheet.write_number(line, 0, row)
            sheet.write_string(line, 1, join(why, lang))
            cells = plain.loc[row].tolist() if row in plain.index else []
            for place, cell in enumerate(cells, start=2):
                sheet.write_string(line, place, "" if pd.isna(cell) else str(cell))
        if len(listed) > _MOST_ROWS:
            left = f"{len(listed) - _MOST_ROWS:,}"
            sheet.write_string(_MOST_ROWS + 1, 1, say("intake.refused_more", lang, n=left))
    return out.getvalue()
