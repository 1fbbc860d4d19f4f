"""Columns that come as Arrow arrays: the same text as cell by cell, without an object a cell."""

from __future__ import annotations

from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from itertools import accumulate
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from geodata.compiled import compile_kernel
from geodata.reading.cells import MOST_DIGITS, TextColumn, value_to_text

# Between these Arrow writes a fraction as Python's repr does; beyond them it means another style.
_PLAIN_FROM, _PLAIN_BELOW = 1e-4, 1e10
_TOO_LONG = 10**MOST_DIGITS
_THREADS = 2
_OFTEN = 4  # times that a number occurs in the mean, to be worth looking for
_PROBED = 4096  # numbers at the beginning of a chunk that tell whether the rest repeats too
# The greatest last byte of white space that is one byte, and first bytes of longer white space.
_SPACE, _WIDE_SPACES = 0x20, (0xC2, 0xE1, 0xE2, 0xE3)
_CONTINUED, _ENDED = 0x80, 0xC0  # between these a byte goes on with the sign before it


def columns_to_text(columns: Sequence[pa.ChunkedArray]) -> list[TextColumn]:
    """Return columns of equal length as `array_to_text` does, by two threads, chunk by chunk."""
    with ThreadPoolExecutor(_THREADS) as pool:
        done = [[pool.submit(array_to_text, chunk) for chunk in one.chunks] for one in columns]
        return [_join([part.result() for part in parts]) for parts in done]


def _join(parts: Sequence[TextColumn]) -> TextColumn:
    starts = accumulate((len(part.cells) for part in parts), initial=0)
    return TextColumn(
        cells=pa.chunked_array([part.cells for part in parts], pa.large_string()),
        long_numbers=[
            start + place
            for start, part in zip(starts, parts, strict=False)
            for place in part.long_numbers
        ],
        nested=[],
    )


def array_to_text(values: pa.Array) -> TextColumn:
    """
    Return a column as an array of text without nulls, and the places of numbers that are too long.

    `values` are text, whole numbers, fractions or booleans; each cell is what
    `geodata.reading.cells.value_to_text` makes of it, the long numbers "".
    """
    if pa.types.is_string(values.type):
        given = pc.fill_null(values, "")
        return _text_column(pc.utf8_trim_whitespace(given) if _may_need_trim(given) else given)
    if pa.types.is_floating(values.type) or pa.types.is_integer(values.type):
        return _measures_to_text(values)
    return _text_column(pc.fill_null(values.cast(pa.string()), ""))


def warm() -> None:
    """Compile the kernel."""
    columns_to_text([pa.chunked_array([["a"]])])


def _may_need_trim(texts: pa.Array) -> bool:
    _, starts, data = texts.buffers()
    if data is None:
        return False
    bounds = np.frombuffer(starts, np.int32)[texts.offset : texts.offset + len(texts) + 1]
    return bool(_has_space_at_ends(np.frombuffer(data, np.uint8), bounds))


@compile_kernel
def _has_space_at_ends(data: NDArray[np.uint8], bounds: NDArray[np.int32]) -> bool:
    # May say yes of signs that share the first byte of white space, never no of white space.
    for i in range(len(bounds) - 1):
        low, high = bounds[i], bounds[i + 1]
        if low == high:
            continue
        last = high - 1
        while last > low and _CONTINUED <= data[last] < _ENDED:
            last -= 1
        for sign in (data[low], data[last]):
            if sign <= _SPACE or sign in _WIDE_SPACES:
                return True
    return False


def _measures_to_text(values: pa.Array) -> TextColumn:
    # Most numbers are measures of few digits, each many times: then each is written once.
    write = _fractions_to_text if pa.types.is_floating(values.type) else _wholes_to_text
    if 2 * pc.count_distinct(values[:_PROBED]).as_py() > min(len(values), _PROBED):
        return write(values)
    known = values.dictionary_encode()
    if _OFTEN * len(known.dictionary) > len(values):
        return write(values)
    each = write(known.dictionary)
    cells: Any = each.cells
    places = known.indices.to_numpy(zero_copy_only=False)  # NaN where there is none
    long = np.isin(places, each.long_numbers) if each.long_numbers else None
    return _text_column(pc.fill_null(cells.take(known.indices), ""), long)


def _wholes_to_text(values: pa.Array) -> TextColumn:
    given = pc.fill_null(values.cast(pa.int64()), 0)
    long = _beyond(given.to_numpy(zero_copy_only=False))
    return _text_column(_blank(given.cast(pa.string()), values, long), long)


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
    return _text_column(pc.if_else(pa.array(~finite | long), "", texts), long)


def _beyond(numbers: NDArray[np.int64]) -> NDArray[np.bool_]:
    # Not by abs(): the smallest 64-bit number has none.
    beyond: NDArray[np.bool_] = (numbers >= _TOO_LONG) | (numbers <= -_TOO_LONG)
    return beyond


def _text_column(texts: pa.Array, long: NDArray[np.bool_] | None = None) -> TextColumn:
    places = [] if long is None else np.flatnonzero(long).tolist()
    return TextColumn(cells=texts.cast(pa.large_string()), long_numbers=places, nested=[])


def _blank(texts: pa.Array, values: pa.Array, long: NDArray[np.bool_]) -> pa.Array:
    if values.null_count == 0 and not long.any():
        return texts
    return pc.if_else(pc.or_(values.is_null(), pa.array(long)), "", texts)
