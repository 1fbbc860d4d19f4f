"""Parts: Parquet files larger than memory, read batch by batch, each row with its place."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import shapely
from numpy.typing import NDArray

from geodata.coordinates import SourceCrs, lonlat_crs, parse_crs
from geodata.errors import BadFile, Fault
from geodata.reading.personal import find_personal
from geodata.reading.places import NOWHERE, datum_by_name, find_place_columns

Floats = NDArray[np.float64]
SUFFIX = ".parquet"
BATCH = 1_000_000  # rows held at a time
_LARGEST_GROUP = 4_000_000  # a larger row group is read in batches
_SAMPLED_GROUPS = 3  # row groups that are looked through for personal columns
_SAMPLE_ROWS = 65_536
_WKB_POINT = np.array([1, 1, 0, 0, 0], np.uint8)  # little-endian, two-dimensional
_WKB_BYTES = 21


@dataclass(frozen=True, slots=True, kw_only=True)
class PartPlaces:
    """Where a part keeps its places: one column of WKB or of points, or a column for x and y."""

    columns: tuple[str, ...]
    source: SourceCrs


class Part:
    """
    One Parquet file, opened to be read batch by batch. Any number of threads may read groups.

    `dropped` are its personal columns, by header and by a sample of their cells. Raises BadFile for
    a file that is no Parquet file, or that has no places or no coordinate system.
    """

    def __init__(
        self, path: Path, *, crs: str | None = None, mapping: dict[str, str] | None = None
    ) -> None:
        self.path = path
        try:
            with pq.ParquetFile(path) as opened:
                self.schema: pa.Schema = opened.schema_arrow
                meta = opened.metadata
                self.sizes = [meta.row_group(i).num_rows for i in range(meta.num_row_groups)]
        except (pa.ArrowException, OSError) as error:
            raise BadFile(Fault(key="file_unreadable"), file=path.name) from error
        self.rows = sum(self.sizes)
        self.places = _find_places(self.schema, crs, mapping or {}, path.name)
        self.dropped = self._find_personal()
        self.kept = [name for name in self.schema.names if name not in self.dropped]

    @property
    def is_coarse(self) -> bool:
        """Tell whether a row group is too large to be held whole."""
        return max(self.sizes, default=0) > _LARGEST_GROUP

    def read_group(self, group: int, *, columns: list[str] | None = None) -> pa.Table:
        """Return a row group: the columns that are kept, or these."""
        with pq.ParquetFile(self.path) as opened:
            return opened.read_row_group(group, columns=columns or self.kept, use_threads=False)

    def read_batches(self, *, columns: list[str] | None = None) -> Iterator[pa.Table]:
        """Yield all rows, a batch at a time."""
        with pq.ParquetFile(self.path) as opened:
            for batch in opened.iter_batches(BATCH, columns=columns or self.kept):
                yield pa.Table.from_batches([batch])

    def locate(self, table: pa.Table) -> tuple[Floats, Floats]:
        """Return x and y of rows as the file has them, NaN for none."""
        names = self.places.columns
        if len(names) == 2:
            x, y = (_to_floats(table[name]) for name in names)
        else:
            x, y = _read_points(table[names[0]])
        nowhere = (np.abs(x) < NOWHERE) & (np.abs(y) < NOWHERE)
        if nowhere.any():
            x, y = np.where(nowhere, np.nan, x), np.where(nowhere, np.nan, y)
        return x, y

    def _find_personal(self) -> tuple[str, ...]:
        texts = [
            field.name
            for field in self.schema
            if field.name not in self.places.columns and not pa.types.is_nested(field.type)
        ]
        found: set[str] = set()
        groups = np.unique(np.linspace(0, len(self.sizes) - 1, _SAMPLED_GROUPS).astype(int))
        for group in groups if texts and self.sizes else ():
            with pq.ParquetFile(self.path) as opened:
                batches = opened.iter_batches(_SAMPLE_ROWS, row_groups=[int(group)], columns=texts)
                sample = next(batches, None)
            if sample is not None:
                frame = sample.to_pandas().astype("str").where(lambda cells: cells != "None", "")
                found |= {one.column for one in find_personal(frame)[0]}
        return tuple(name for name in self.schema.names if name in found)


def list_parts(folder: Path) -> list[Path]:
    """Return the Parquet files of a folder by name; raises BadFile where there are none."""
    parts = sorted(
        path for path in folder.glob(f"*{SUFFIX}") if not path.name.startswith((".", "_"))
    )
    if not parts:
        raise BadFile(Fault(key="parts_none"), file=str(folder))
    return parts


def _find_places(
    schema: pa.Schema, crs: str | None, mapping: dict[str, str], file: str
) -> PartPlaces:
    given = parse_crs(crs) if crs else None
    shapes = _geometry_of(schema, file)
    if shapes is not None and not mapping:
        name, stored = shapes
        return PartPlaces(columns=(name,), source=given or stored)
    names = find_place_columns(
        schema.names,
        mapping=mapping or None,
        metres_first=given is not None and not given.is_lonlat,
        file=file,
    )
    if names is None:
        raise BadFile(Fault(key="place_columns_missing"), file=file)
    source = given or datum_by_name(names) or (None if names.metres else lonlat_crs())
    if source is None:
        raise BadFile(Fault(key="crs_missing", values={"hint": "EPSG:4549"}), file=file)
    return PartPlaces(columns=(names.x, names.y), source=source)


def _geometry_of(schema: pa.Schema, file: str) -> tuple[str, SourceCrs] | None:
    """Return the column of points that GeoParquet's metadata names, and its system."""
    raw = (schema.metadata or {}).get(b"geo")
    if raw is None:
        return None
    try:
        geo = json.loads(raw)
        name = str(geo["primary_column"])
        column = geo["columns"][name]
        found = column.get("crs", "OGC:CRS84")
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        raise BadFile(Fault(key="parquet_not_geo"), file=file) from error
    if name not in schema.names or column.get("encoding") not in {"WKB", "point"}:
        raise BadFile(Fault(key="parquet_not_wkb"), file=file)
    if found is None:
        raise BadFile(Fault(key="crs_missing", values={"hint": "EPSG:4549"}), file=file)
    text = json.dumps(found) if isinstance(found, dict) else str(found)
    if isinstance(found, dict) and {"authority", "code"} <= set(found.get("id") or {}):
        text = f"{found['id']['authority']}:{found['id']['code']}"
    return name, parse_crs(text)


def _to_floats(column: pa.ChunkedArray) -> Floats:
    """Return a column of numbers, NaN for none."""
    try:
        numbers = column.cast(pa.float64())
    except pa.ArrowException as error:
        raise BadFile(Fault(key="place_columns_missing")) from error
    if numbers.null_count:
        numbers = numbers.fill_null(np.nan)
    return np.asarray(numbers.to_numpy(), np.float64)


def _read_points(column: pa.ChunkedArray) -> tuple[Floats, Floats]:
    """Return x and y of points: WKB read as numbers where all are plain, or a struct's fields."""
    if pa.types.is_struct(column.type):
        flat = column.combine_chunks()
        return tuple(_to_floats(pa.chunked_array([flat.field(axis)])) for axis in ("x", "y"))  # type: ignore[return-value]
    pairs = [_read_wkb(chunk) for chunk in column.chunks]
    empty = np.empty((0, 2))
    xy = np.concatenate([empty, *pairs])
    return np.ascontiguousarray(xy[:, 0]), np.ascontiguousarray(xy[:, 1])


def _read_wkb(chunk: Any) -> Floats:
    """Return the places of a column of WKB, (n, 2); NaN for what is no point."""
    wide = np.int64 if pa.types.is_large_binary(chunk.type) else np.int32
    buffers = chunk.buffers()
    if chunk.null_count == 0 and len(chunk) and buffers[2] is not None:
        offsets = np.frombuffer(buffers[1], wide)[chunk.offset : chunk.offset + len(chunk) + 1]
        if (np.diff(offsets) == _WKB_BYTES).all():
            raw = np.frombuffer(buffers[2], np.uint8)[offsets[0] : offsets[-1]]
            rows = raw.reshape(len(chunk), _WKB_BYTES)
            if (rows[:, :5] == _WKB_POINT).all():
                return np.ascontiguousarray(rows[:, 5:]).view("<f8").astype(np.float64)
    shapes = shapely.from_wkb(chunk.to_numpy(zero_copy_only=False), on_invalid="ignore")
    return np.column_stack([shapely.get_x(shapes), shapely.get_y(shapes)])
