"""Cells of any file as text, exactly: what cannot be exact is named, not guessed."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

# A number of more digits has passed through programs (Excel, JavaScript) that keep fifteen.
MOST_DIGITS = 15
_TOO_LONG = 10**MOST_DIGITS


@dataclass(frozen=True, slots=True, kw_only=True)
class TextColumn:
    """A column as text, with the places (0-based) of cells that text cannot stand for."""

    cells: Sequence[str]  # or an Arrow array of text
    long_numbers: list[int]
    nested: list[int]


def column_to_text(values: Sequence[Any]) -> TextColumn:
    """
    Return every value as text: None and NaN as "", 320102.0 as "320102", True as "true".

    Numbers of more than fifteen digits, and lists or objects, become "" and are named by place.
    """
    kinds = set(map(type, values))
    if kinds <= {str}:
        return TextColumn(cells=[value.strip() for value in values], long_numbers=[], nested=[])
    cells: list[str] = []
    long_numbers: list[int] = []
    nested: list[int] = []
    for place, value in enumerate(values):
        text = value_to_text(value)
        if text is None:
            (nested if isinstance(value, list | dict) else long_numbers).append(place)
        cells.append(text or "")
    return TextColumn(cells=cells, long_numbers=long_numbers, nested=nested)


def value_to_text(value: Any) -> str | None:
    """Return one value as exact text, or None for a long number, a list or an object."""
    if isinstance(value, str):
        return value.strip()
    if value is None:
        return ""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, int):
        return str(value) if abs(value) < _TOO_LONG else None
    if isinstance(value, float):
        return _float_to_text(value)
    return None


def _float_to_text(value: float) -> str | None:
    if not math.isfinite(value):
        return ""
    if value.is_integer():
        return str(int(value)) if abs(value) < _TOO_LONG else None
    return repr(value)
