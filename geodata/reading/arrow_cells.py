"""Columns that come as Arrow arrays: the same text as cell by cell, without an object a cell."""

from __future__ import annotations

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from geodata.reading.cells import MOST_DIGITS, TextColumn, value_to_text

# Between these Arrow writes a fraction as Python's repr does; beyond them it means another style.
_PLAIN_FROM, _PLAIN_BELOW = 1e-4, 1e10
_TOO_LONG = 10**MOST_DIGITS


def array_to_text(values: pa.Array) -> TextColumn:
    """
    Return a column as an array of text without nulls, and the places of numbers that are too long.

    `values` are text, whole numbers, fractions or booleans; each cell is what
    `geodata.reading.cells.value_to_text` makes of it, the long numbers "".
    """
    if pa.types.is_string(values.type):
        return _text_column(pc.utf8_trim_whitespace(pc.fill_null(values, "")))
    if pa.types.is_floating(values.type):
        return _fractions_to_text(values)
    if pa.types.is_integer(values.type):
        given = pc.fill_null(values.cast(pa.int64()), 0)
        long = _beyond(given.to_numpy(zero_copy_only=False))
        empty = pc.or_(values.is_null(), pa.array(long))
        return _text_column(_blank(given.cast(pa.string()), empty), long)
    return _text_column(pc.fill_null(values.cast(pa.string()), ""))


def _fractions_to_text(values: pa.Array) -> TextColumn:
    given = pc.fill_null(values.cast(pa.float64()), np.nan).to_numpy(zero_copy_only=False)
    finite = np.isfinite(given)
    size = np.abs(given)
    whole = finite & (given == np.floor(given))
    long = whole & (size >= _TOO_LONG)
    short = whole & ~long
    texts = pa.array(np.where(finite, given, 0.0)).cast(pa.string())
    if short.any():
        numbers = pa.array(np.where(short, given, 0.0).astype(np.int64)).cast(pa.string())
        texts = pc.if_else(pa.array(short), numbers, texts)
    styled = finite & ~whole & ((size < _PLAIN_FROM) | (size >= _PLAIN_BELOW))
    if styled.any():
        own = [value_to_text(float(value)) for value in given[styled]]
        texts = pc.replace_with_mask(texts, pa.array(styled), pa.array(own, pa.string()))
    return _text_column(_blank(texts, pa.array(~finite | long)), long)


def _beyond(numbers: NDArray[np.int64]) -> NDArray[np.bool_]:
    # Not by abs(): the smallest 64-bit number has none.
    beyond: NDArray[np.bool_] = (numbers >= _TOO_LONG) | (numbers <= -_TOO_LONG)
    return beyond


def _text_column(texts: pa.Array, long: NDArray[np.bool_] | None = None) -> TextColumn:
    places = [] if long is None else np.flatnonzero(long).tolist()
    return TextColumn(cells=texts, long_numbers=places, nested=[])


def _blank(texts: pa.Array, where: pa.Array) -> pa.Array:
    return pc.if_else(where, "", texts)
