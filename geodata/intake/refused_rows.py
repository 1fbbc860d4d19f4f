"""The rows that a load refused, as a workbook with a column that says why."""

from __future__ import annotations

import io
from collections.abc import Sequence

import pandas as pd
import xlsxwriter

from geodata.errors import Fault
from geodata.words import Lang, join, say

_WIDE, _NARROW = 60, 16


def write_refused_rows(frame: pd.DataFrame, faults: Sequence[Fault], lang: Lang) -> bytes:
    """
    Return an .xlsx of the rows named by faults: number, reasons with remedies, then their cells.

    `frame` is indexed by row number as the faults count them. Every cell is text: nothing in it is
    calculated, and ids keep their digits.
    """
    reasons: dict[int, list[str]] = {}
    for fault in faults:
        if fault.row is not None:
            field = say("report.at_field", lang, at=fault.field) if fault.field else ""
            told = f"{field} {fault.cause(lang)} {fault.remedy(lang)}".strip()
            reasons.setdefault(fault.row, []).append(told)
    plain = pd.DataFrame(frame.drop(columns="geometry", errors="ignore"))
    out = io.BytesIO()
    options = {"in_memory": True, "strings_to_formulas": False, "strings_to_urls": False}
    with xlsxwriter.Workbook(out, options) as book:
        sheet = book.add_worksheet(say("intake.refused_sheet", lang))
        bold = book.add_format({"bold": True, "text_wrap": True})
        head = [say("intake.refused_row", lang), say("intake.refused_reason", lang), *plain.columns]
        for place, name in enumerate(head):
            sheet.write_string(0, place, str(name), bold)
        for line, (row, why) in enumerate(sorted(reasons.items()), start=1):
            sheet.write_number(line, 0, row)
            sheet.write_string(line, 1, join(why, lang))
            cells = plain.loc[row].tolist() if row in plain.index else []
            for place, cell in enumerate(cells, start=2):
                sheet.write_string(line, place, "" if pd.isna(cell) else str(cell))
        sheet.set_column(1, 1, _WIDE)
        sheet.set_column(2, len(head), _NARROW)
        sheet.freeze_panes(1, 2)
    return out.getvalue()
