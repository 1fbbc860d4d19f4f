"""Text on its way into spreadsheets: what a cell program would run as a formula stays text."""

from __future__ import annotations

import pandas as pd

# OWASP ASVS 5.0, 1.2.10, and the full-width signs that Excel takes for them where Chinese is typed.
_TRIGGERS = ("=", "+", "-", "@", "\t", "\r", "\n", "＝", "＋", "－", "＠")
_QUOTE = "'"
# Cell programs leave these out before they look for a formula.
_BLANK = " \u00a0\u3000\ufeff\u200b"


def escape_formula(text: str) -> str:
    """
    Return a text that no cell program takes for a formula: a quote before it where one would.

    Numbers written as text (-1, +8.5e3) are numbers in a cell too and stay as they are. What was
    escaped once is not escaped again.
    """
    start = text.lstrip(_BLANK)
    if not start.startswith(_TRIGGERS) or _is_number(start):
        return text
    return _QUOTE + text


def escape_formulas(frame: pd.DataFrame) -> pd.DataFrame:
    """Return a table whose cells and column names no cell program takes for formulas."""
    columns = {
        escape_formula(str(name)): _escape_column(frame[name])
        if pd.api.types.is_string_dtype(frame[name].dtype)
        else frame[name]
        for name in frame.columns
    }
    return pd.DataFrame(columns, index=frame.index)


def _escape_column(column: pd.Series[str]) -> pd.Series[str]:
    return column.map(escape_formula, na_action="ignore")


def _is_number(text: str) -> bool:
    if not text.isascii() or "_" in text or text != text.strip():
        return False
    try:
        float(text)
    except ValueError:
        return False
    return text.lstrip("+-")[:1].isdigit() or text.lstrip("+-")[:1] == "."
