"""Parts: Parquet files larger than memory, read batch by batch, each row with its place."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import shapely
from numpy.typing import NDArray

from geodata.coordinates import SourceCrs, lonlat_crs, parse_crs
from geodata.errors import BadFile, Fault
from geodata.reading._child_columns import take_points
from geodata.reading.personal import find_personal
from geodata.reading.places import datum_by_name, find_place_columns

Floats = NDArray[np.float64]
SUFFIX = ".parquet"
BATCH = 1 << 18  # rows that a thread holds at a time: few, so that all threads end together
_LARGEST_GROUP = 4_000_000  # a larger row group is read in batches
_SAMPLED_GROUPS = 3  # row groups that are looked through for personal columns
_SAMPLE_ROWS = 65_536
_BUFFER_BYTES = 4 * 1024 * 1024  # of a column read at a time where its row group is too large


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
                self._meta = opened.metadata
        except (pa.ArrowException, OSError) as error:
            raise BadFile(Fault(key="file_unreadable"), file=path.name) from error
        groups = range(self._meta.num_row_groups)
        self.sizes = [self._meta.row_group(group).num_rows for group in groups]
        self.rows = sum(self.sizes)
        self.places = _find_places(self.schema, crs, mapping or {}, path.name)
        self.dropped = self._find_personal()
        self.kept = [name for name in self.schema.names if name not in self.dropped]

    @property
    def is_coarse(self) -> bool:
        """Tell whether a row group is too large to be held whole."""
        return max(self.sizes, default=0) > _LARGEST_GROUP

    def each_span(self, columns: list[str]) -> Iterator[Callable[[], pa.Table]]:
        """Yield how to read row groups that follow one another, a batch of rows together."""
        first = held = 0
        for group, rows in enumerate(self.sizes):
            if held and held + rows > BATCH:
                yield partial(self._read_groups, range(first, group), columns)
                first, held = group, 0
            held += rows
        yield partial(self._read_groups, range(first, len(self.sizes)), columns)

    def each_batch(self, columns: list[str]) -> Iterator[Callable[[], pa.Table]]:
        """Yield all rows a batch at a time, each read before the next is asked for."""
        with self._open(buffer_size=_BUFFER_BYTES) as opened:
            for batch in opened.iter_batches(BATCH, columns=columns):
                yield partial(pa.Table.from_batches, [batch])

    def locate(self, table: pa.Table) -> Iterator[tuple[Floats, Floats]]:
        """Yield x and y of rows as the file has them, NaN for none, without a copy if it can be."""
        names = self.places.columns
        for batch in table.select(list(names)).to_batches():
            if len(names) == 2:
                yield _to_floats(batch.column(0)), _to_floats(batch.column(1))
            else:
                yield _read_points(batch.column(0))

    def _open(self, **options: int) -> pq.ParquetFile:
        return pq.ParquetFile(self.path, metadata=self._meta, **options)

    def _read_groups(self, groups: range, columns: list[str]) -> pa.Table:
        with self._open() as opened:
            return opened.read_row_groups(list(groups), columns=columns, use_threads=False)

    def _find_personal(self) -> tuple[str, ...]:
        texts = [
            field.name
            for field in self.schema
            if field.name not in self.places.columns and not pa.types.is_nested(field.type)
        ]
        found: set[str] = set()
        groups = np.unique(np.linspace(0, len(self.sizes) - 1, _SAMPLED_GROUPS).astype(int))
        for group in groups if texts and self.sizes else ():
            with self._open() as opened:
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


def _to_floats(column: pa.Array) -> Floats:
    """Return a column of numbers, NaN for none; the file's own memory where they are doubles."""
    try:
        numbers = column.cast(pa.float64())
    except pa.ArrowException as error:
        raise BadFile(Fault(key="place_columns_missing")) from error
    if numbers.null_count:
        numbers = numbers.fill_null(np.nan)
    return np.asarray(numbers.to_numpy(zero_copy_only=False), np.float64)


def _read_points(column: pa.Array) -> tuple[Floats, Floats]:
    """Return x and y of points: WKB read as numbers where all are plain, or a struct's fields."""
    if pa.types.is_struct(column.type):
        x, y = column.flatten()
        return _to_floats(x), _to_floats(y)
    if not pa.types.is_large_binary(column.type):
        column = column.cast(pa.binary())
    points = take_points(column)
    if points is not None:
        return points
    with np.errstate(invalid="ignore"):  # a place that is no number is owned by nobody
        shapes = shapely.from_wkb(column.to_numpy(zero_copy_only=False), on_invalid="ignore")
    return shapely.get_x(shapes), shapely.get_y(shapes)
