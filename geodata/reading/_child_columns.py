"""
Files read by columns with Arrow: GeoParquet, and large GeoPackages of points.

Stands alone beside `_child.py`, which loads it by its file: the child knows no packages. What it
returns fills a RawLayer.
"""

from __future__ import annotations

import json
from typing import Any, BinaryIO

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pyogrio

RAW_TEXT = "ISO-8859-1"  # every byte is a character: text comes through untouched
_POINT_BYTES = 21  # of well-known binary: the order of bytes, the kind, x and y
_POINT_START = b"\x01\x01\x00\x00\x00"
_PLACE_BYTES = 16
_PLAIN = {pa.string(), pa.int64(), pa.int32(), pa.int16(), pa.float64(), pa.bool_()}


class Refused(Exception):
    """It would not be read; the argument names the fault."""


def read_parquet(path: str) -> dict[str, Any]:
    """
    Read a GeoParquet file with shapes as WKB; raises Refused for any other Parquet file.

    Lists, structures and bytes are no text, and are dropped by name.
    """
    try:
        table = pq.ParquetFile(path).read()
        geo = json.loads((table.schema.metadata or {}).get(b"geo", b"{}"))
        shapes = geo["columns"][geo["primary_column"]]
        wkb = table.column(geo["primary_column"])
        if shapes.get("encoding") != "WKB" or not pa.types.is_binary(wkb.type):
            raise Refused("parquet_not_wkb")
    except (pa.ArrowException, ValueError, OSError) as error:
        raise Refused("file_unreadable") from error
    except (KeyError, TypeError, AttributeError) as error:
        raise Refused("parquet_not_geo") from error
    columns: dict[str, list[Any]] = {}
    dropped: list[str] = []
    for name in table.column_names:
        if name == geo["primary_column"]:
            continue
        kind = table.schema.field(name).type
        if pa.types.is_nested(kind) or pa.types.is_binary(kind) or pa.types.is_large_binary(kind):
            dropped.append(_to_raw(name))
        else:
            columns[_to_raw(name)] = [_to_plain(value) for value in table[name].to_pylist()]
    return {
        "driver": "GeoParquet",
        "crs_text": _name_crs(shapes.get("crs", "OGC:CRS84")),
        "names": list(columns),
        "columns": list(columns.values()),
        "dropped": dropped,
        "wkb": wkb.to_pylist(),
    }


def read_points(path: str, *, layer: str) -> dict[str, Any] | None:
    """
    Read a layer of points by columns; None where a row or a column is not plain enough for that.

    Plain are points with x and y and columns of sound UTF-8, numbers and booleans.
    """
    meta, table = pyogrio.raw.read_arrow(path, layer=layer)
    columns = {name: _to_one(table.column(name)) for name in table.column_names}
    shapes = columns.pop(meta["geometry_name"] or "wkb_geometry", None)
    points = None if shapes is None else _take_places(shapes)
    if points is None or not all(values.type in _PLAIN for values in columns.values()):
        return None
    try:
        for values in columns.values():
            values.validate(full=True)
    except pa.ArrowInvalid:  # text that is no UTF-8: there may be evidence for another encoding
        return None
    return {
        "crs_text": meta["crs"],
        "names": [_to_raw(name) for name in columns],
        "columns": list(columns.values()),
        "dropped": [],
        "wkb": (),
        "points": points,
    }


def write_points(layer: Any, out: BinaryIO) -> None:
    """Write a layer of points: its JSON header, then its columns as Arrow's plain buffers."""
    packed = [
        {"kind": str(one.type), "bytes": [None if b is None else len(b) for b in one.buffers()]}
        for one in layer.columns
    ]
    header = {
        "driver": layer.driver,
        "crs_text": layer.crs_text,
        "names": layer.names,
        "packed": packed,
        "rows": len(layer.points) // _PLACE_BYTES,
    }
    text = json.dumps(header).encode()
    out.write(len(text).to_bytes(8, "little"))
    out.write(text)
    for column in layer.columns:
        for buffer in column.buffers():
            out.write(b"" if buffer is None else buffer)
    out.write(layer.points)


def unpack_points(raw: bytes, header: dict[str, Any], at: int) -> dict[str, Any]:
    """Return what `write_points` wrote after its header; raises ValueError when it is unsound."""
    whole, rows = pa.py_buffer(raw), int(header["rows"])
    columns = []
    for packed in header["packed"]:
        buffers = []
        for length in packed["bytes"]:
            if length is not None and not 0 <= length <= len(raw) - at:
                raise ValueError("the child's answer is cut short")
            buffers.append(None if length is None else whole.slice(at, length))
            at += length or 0
        column = pa.Array.from_buffers(pa.type_for_alias(packed["kind"]), rows, buffers)
        column.validate(full=True)
        columns.append(column)
    if rows < 1 or at + _PLACE_BYTES * rows != len(raw):
        raise ValueError("the child's answer is cut short")
    return {
        "driver": header["driver"],
        "crs_text": header["crs_text"],
        "names": header["names"],
        "columns": columns,
        "dropped": [],
        "wkb": (),
        "points": raw[at:],
    }


def _to_one(column: pa.ChunkedArray) -> pa.Array:
    """Return a column as one array that begins where its buffers begin."""
    one = column.combine_chunks()
    return pa.concat_arrays([one]) if one.offset else one


def _take_places(shapes: pa.Array) -> bytes | None:
    """Return x and y of every point, or None where one is missing, empty or no plain point."""
    if shapes.type != pa.binary() or shapes.null_count or not len(shapes):
        return None
    starts = np.frombuffer(shapes.buffers()[1], np.int32)[: len(shapes) + 1]
    if (np.diff(starts) != _POINT_BYTES).any():
        return None
    each = np.frombuffer(shapes.buffers()[2], np.uint8)[starts[0] : starts[-1]]
    each = each.reshape(-1, _POINT_BYTES)
    head = len(_POINT_START)
    if (each[:, :head] != np.frombuffer(_POINT_START, np.uint8)).any():
        return None
    places = each[:, head:].tobytes()
    return None if np.isnan(np.frombuffer(places, "<f8")).any() else places


def _name_crs(crs: Any) -> str | None:
    # PROJJSON: its id is enough; a system without one is named, and refused by that name.
    if not isinstance(crs, dict):
        return None if crs is None else str(crs)
    found = crs.get("id") or {}
    return f"{found['authority']}:{found['code']}" if "code" in found else str(crs.get("name"))


def _to_raw(text: str) -> str:
    return text.encode().decode(RAW_TEXT)


def _to_plain(value: Any) -> Any:
    if isinstance(value, str):
        return _to_raw(value)
    return value if value is None or isinstance(value, bool | int | float) else str(value)
