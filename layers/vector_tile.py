"""Mapbox Vector Tiles 2.1: an encoder for points, lines and polygons, a column at a time."""

from __future__ import annotations

import struct
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
from numba import njit
from numpy.typing import NDArray

EXTENT = 4096  # units a side; eight a pixel of a 512 px tile
POINT, LINE, POLYGON = 1, 2, 3
_MOVE_TO, _LINE_TO, _CLOSE = 1, 2, 7
_VARINT = 10  # bytes a 64-bit number can take


@dataclass(frozen=True, slots=True, kw_only=True)
class Column:
    """One property of every feature: a place in `values`, -1 for none."""

    codes: NDArray[np.int32]
    values: Sequence[str | int | float | bool]


@dataclass(frozen=True, slots=True, kw_only=True)
class Shapes:
    """
    Geometries in tile units: feature f owns parts[f]..parts[f+1], part p the points starts[p]...

    Points: one part a feature. Lines: a part a line. Polygons: a part a ring, outer first and
    clockwise on screen, holes the other way round, none repeating its first point.
    """

    kind: int
    xy: NDArray[np.int32]
    starts: NDArray[np.int64]
    parts: NDArray[np.int64]

    def __len__(self) -> int:
        return len(self.parts) - 1


def make_points(x: NDArray[np.int32], y: NDArray[np.int32]) -> Shapes:
    """Return one point a feature, in tile units."""
    one_each = np.arange(len(x) + 1, dtype=np.int64)
    xy = np.stack([x, y], axis=1).astype(np.int32)
    return Shapes(kind=POINT, xy=xy, starts=one_each, parts=one_each)


def make_column(values: Any) -> Column:
    """Return a property column; None and NaN mean that the feature lacks it."""
    codes, distinct = pd.factorize(np.asarray(values))
    return Column(codes=codes.astype(np.int32), values=list(distinct.tolist()))


def encode_layer(
    name: str,
    shapes: Shapes,
    *,
    columns: Mapping[str, Column] | None = None,
    ids: NDArray[np.int64] | None = None,
    extent: int = EXTENT,
) -> bytes:
    """
    Return one layer of a tile; tiles are layers put one after the other. Empty for no feature.

    Features keep their order. `ids` are above 0 (0 reads as none). Equal values are sent once.
    """
    if not len(shapes):
        return b""
    columns = columns or {}
    tags, values = _make_tags(columns, len(shapes))
    features = _encode(
        shapes.kind,
        np.ascontiguousarray(shapes.xy),
        shapes.starts,
        shapes.parts,
        np.zeros(0, np.uint64) if ids is None else ids.astype(np.uint64),
        tags,
    )
    body = b"".join(
        [
            _pack(1, name.encode()),
            features.tobytes(),
            *(_pack(3, key.encode()) for key in columns),
            *(_pack(4, _pack_value(value)) for value in values),
            b"\x28" + _varint(extent),
            b"\x78\x02",
        ]
    )
    return _pack(3, body)


def _make_tags(
    columns: Mapping[str, Column], n: int
) -> tuple[NDArray[np.int32], list[str | int | float | bool]]:
    """Return (n, columns) places in the layer's one list of values, and that list."""
    tags = np.full((n, len(columns)), -1, np.int32)
    values: list[str | int | float | bool] = []
    place: dict[tuple[type, Any], int] = {}  # 1, 1.0 and True are equal but not the same value
    for k, column in enumerate(columns.values()):
        used = np.zeros(len(column.values) + 1, np.bool_)
        used[column.codes] = True
        lookup = np.full(len(column.values) + 1, -1, np.int32)
        for code in np.flatnonzero(used[:-1]):
            value = column.values[int(code)]
            key = (type(value), value)
            if key not in place:
                place[key] = len(values)
                values.append(value)
            lookup[code] = place[key]
        tags[:, k] = lookup[column.codes]
    return tags, values


def _pack_value(value: str | int | float | bool) -> bytes:
    if isinstance(value, bool):
        return b"\x38" + _varint(int(value))
    if isinstance(value, str):
        return _pack(1, value.encode())
    if isinstance(value, float):
        return b"\x19" + struct.pack("<d", value)
    if value >= 0:
        return b"\x28" + _varint(int(value))
    return b"\x30" + _varint(-2 * int(value) - 1)


def _pack(field: int, body: bytes) -> bytes:
    return _varint(field << 3 | 2) + _varint(len(body)) + body


def _varint(number: int) -> bytes:
    out = bytearray()
    while number > 127:
        out.append(number & 127 | 128)
        number >>= 7
    out.append(number)
    return bytes(out)


def _encode(
    kind: int,
    xy: NDArray[np.int32],
    starts: NDArray[np.int64],
    parts: NDArray[np.int64],
    ids: NDArray[np.uint64],
    tags: NDArray[np.int32],
) -> NDArray[np.uint8]:
    """Return the features' bytes; the buffer is as long as they can get."""
    n = len(parts) - 1
    n_parts, n_points = int(parts[-1] - parts[0]), int(starts[parts[-1]] - starts[parts[0]])
    shape = 2 * 5 * n_points + 3 * 5 * n_parts
    whole = shape + n * (4 * (1 + 5) + 1 + _VARINT + 2 * 5 * tags.shape[1])
    buffer = np.empty(whole, np.uint8)
    length = _write_features(kind, xy, starts, parts, ids, tags, buffer, np.empty(shape, np.uint8))
    return buffer[:length]


@njit(cache=True, nogil=True)
def _put(out, at, number):  # type: ignore[no-untyped-def]
    """Write a varint; return the place after it."""
    rest = np.uint64(number)
    while rest > np.uint64(127):
        out[at] = np.uint8(rest & np.uint64(127)) | np.uint8(128)
        rest >>= np.uint64(7)
        at += 1
    out[at] = np.uint8(rest)
    return at + 1


@njit(cache=True, nogil=True)
def _size(number):  # type: ignore[no-untyped-def]
    rest, size = np.uint64(number), 1
    while rest > np.uint64(127):
        rest >>= np.uint64(7)
        size += 1
    return size


@njit(cache=True, nogil=True)
def _zigzag(number):  # type: ignore[no-untyped-def]
    return (np.int64(number) << 1) ^ (np.int64(number) >> 63)


@njit(cache=True, nogil=True)
def _write_shape(kind, xy, starts, first, last, out):  # type: ignore[no-untyped-def]
    """Write one feature's drawing commands; the pen starts at 0, 0 and never lifts between."""
    at = 0
    pen_x, pen_y = np.int64(0), np.int64(0)
    for part in range(first, last):
        low, high = starts[part], starts[part + 1]
        for i in range(low, high):
            if i == low:
                at = _put(out, at, _MOVE_TO | 1 << 3)
            elif i == low + 1:
                at = _put(out, at, _LINE_TO | (high - low - 1) << 3)
            at = _put(out, at, _zigzag(xy[i, 0] - pen_x))
            at = _put(out, at, _zigzag(xy[i, 1] - pen_y))
            pen_x, pen_y = np.int64(xy[i, 0]), np.int64(xy[i, 1])
        if kind == POLYGON:
            at = _put(out, at, _CLOSE | 1 << 3)
    return at


@njit(cache=True, nogil=True)
def _write_features(kind, xy, starts, parts, ids, tags, out, shape):  # type: ignore[no-untyped-def]
    at = 0
    for f in range(len(parts) - 1):
        drawn = _write_shape(kind, xy, starts, parts[f], parts[f + 1], shape)
        tagged = 0
        for k in range(tags.shape[1]):
            if tags[f, k] >= 0:
                tagged += _size(k) + _size(tags[f, k])
        length = 2 + 1 + _size(drawn) + drawn
        if tagged:
            length += 1 + _size(tagged) + tagged
        if len(ids):
            length += 1 + _size(ids[f])
        out[at] = 0x12  # features = 2
        at = _put(out, at + 1, length)
        if len(ids):
            out[at] = 0x08  # id = 1
            at = _put(out, at + 1, ids[f])
        if tagged:
            out[at] = 0x12  # tags = 2
            at = _put(out, at + 1, tagged)
            for k in range(tags.shape[1]):
                if tags[f, k] >= 0:
                    at = _put(out, at, k)
                    at = _put(out, at, tags[f, k])
        out[at], out[at + 1] = 0x18, kind  # type = 3
        out[at + 2] = 0x22  # geometry = 4
        at = _put(out, at + 3, drawn)
        for i in range(drawn):
            out[at + i] = shape[i]
        at += drawn
    return at
