"""
Files read by columns with Arrow: GeoParquet, and large GeoPackages of points.

Stands alone beside `_child.py`, which loads it by its file: the child knows no packages. What it
returns fills a RawLayer.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any, BinaryIO

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pyogrio

RAW_TEXT = "ISO-8859-1"  # every byte is a character: text comes through untouched
# A plain point in well-known binary: little-endian (1), kind (1), x and y; where and as what.
_POINT_BYTES, _POINT = 21, ((0, "u1"), (1, "<u4"), (5, "<f8"), (13, "<f8"))
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


def read_points(path: str, *, layer: str, meanwhile: Callable[[], None]) -> dict[str, Any] | None:
    """
    Read a layer of points by columns; None where a row or a column is not plain enough for that.

    Plain are points with x and y and columns of sound UTF-8, numbers and booleans. `meanwhile` is
    done here while a thread reads. Raises ValueError where the layer cannot be read.
    """
    with pyogrio.raw.open_arrow(path, layer=layer, use_pyarrow=True) as (meta, reader):
        geometry = meta["geometry_name"] or "wkb_geometry"
        others = [field.type for field in reader.schema if field.name != geometry]
        if len(others) == len(reader.schema) or not _PLAIN.issuperset(others):
            meanwhile()
            return None
        with ThreadPoolExecutor(1) as pool:
            read = pool.submit(reader.read_all)
            meanwhile()
            try:
                table = read.result()
            except pa.ArrowException as error:
                raise ValueError(str(error)) from error
    points = [take_points(shapes) for shapes in table.column(geometry).chunks]
    if not points or any(one is None for one in points):
        return None
    places = np.concatenate([axis for axes in zip(*points, strict=True) for axis in axes])
    if np.isnan(places).any():
        return None
    table = table.drop_columns(geometry)
    try:
        table.validate(full=True)
    except pa.ArrowInvalid:  # text that is no UTF-8: there may be evidence for another encoding
        return None
    return {
        "crs_text": meta["crs"],
        "names": [_to_raw(name) for name in table.column_names],
        "columns": table.columns,
        "dropped": [],
        "wkb": (),
        "points": places.data.cast("B"),
    }


def write_points(layer: Any, out: BinaryIO) -> None:
    """Write a layer of points: its JSON header, then its columns as Arrow's plain buffers."""
    chunks = [[_from_start(chunk) for chunk in column.chunks] for column in layer.columns]
    packed = [
        {
            "kind": str(column.type),
            "chunks": [
                {"rows": len(one), "bytes": [None if b is None else len(b) for b in one.buffers()]}
                for one in parts
            ],
        }
        for column, parts in zip(layer.columns, chunks, strict=True)
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
    for buffer in (b for parts in chunks for one in parts for b in one.buffers()):
        out.write(b"" if buffer is None else buffer)
    out.write(layer.points)


def unpack_points(raw: bytes, header: dict[str, Any], at: int) -> dict[str, Any]:
    """Return what `write_points` wrote after its header; raises ValueError when it is unsound."""
    whole, rows = pa.py_buffer(raw), int(header["rows"])
    columns = []
    for packed in header["packed"]:
        kind, chunks = pa.type_for_alias(packed["kind"]), []
        for part in packed["chunks"]:
            buffers = []
            for length in part["bytes"]:
                if length is not None and not 0 <= length <= len(raw) - at:
                    raise ValueError("the child's answer is cut short")
                buffers.append(None if length is None else whole.slice(at, length))
                at += length or 0
            chunks.append(pa.Array.from_buffers(kind, int(part["rows"]), buffers))
        column = pa.chunked_array(chunks, kind)
        column.validate(full=True)
        if len(column) != rows:
            raise ValueError("the child's answer is cut short")
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
        "points": memoryview(raw)[at:],
    }


def take_points(shapes: pa.Array) -> tuple[Any, Any] | None:
    """Return x and y of points in well-known binary, None where one is missing or not plain."""
    if shapes.type not in {pa.binary(), pa.large_binary()} or shapes.null_count or not len(shapes):
        return None
    _, starts, data = shapes.buffers()
    wide = np.int64 if shapes.type == pa.large_binary() else np.int32
    bounds = np.frombuffer(starts, wide)[shapes.offset : shapes.offset + len(shapes) + 1]
    if (np.diff(bounds) != _POINT_BYTES).any():
        return None
    raw = np.frombuffer(data, np.uint8)[bounds[0] : bounds[-1]]
    order, kind, x, y = (
        np.ndarray((len(shapes),), form, raw, at, (_POINT_BYTES,)).copy() for at, form in _POINT
    )
    return (x, y) if (order == 1).all() and (kind == 1).all() else None


def _from_start(chunk: pa.Array) -> pa.Array:
    """Return a chunk that begins where its buffers begin."""
    return pa.concat_arrays([chunk]) if chunk.offset else chunk


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
