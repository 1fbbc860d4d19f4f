"""Shapefile and GeoPackage: looked at before GDAL may open them, decoded with care after."""

from __future__ import annotations

import codecs
import json
import signal
import struct
import subprocess
import sys
from collections.abc import Sequence
from itertools import takewhile
from pathlib import Path
from tempfile import TemporaryFile
from typing import IO, Any, cast

import numpy as np
import pyarrow as pa
import shapely
from numpy.typing import NDArray

from geodata.errors import BadFile, BadSetting, Fault
from geodata.notes import Note
from geodata.reading import _child as child
from geodata.reading.archives import Dataset, Limits, link_parts
from geodata.reading.encodings import Cell, decode_cell, find_cell_encoding
from geodata.reading.features import Features
from geodata.reading.shapes import Floats

SHAPEFILE_MAGIC = b"\x00\x00\x27\x0a"
SQLITE_MAGIC = b"SQLite format 3\x00"
_GEOPACKAGE_IDS = (b"GPKG", b"GP10", b"GP11")
_SQLITE_HEADER_BYTES, _SHP_HEADER_BYTES, _DBF_HEADER_BYTES = 100, 100, 32
_END_OF_FIELDS = 0x0D
_SHAPE_TYPES = {0, 1, 3, 5, 8, 11, 13, 15, 18, 21, 23, 25, 28, 31}
_WKB_POLYGON, _WKB_MULTI_POLYGON = 3, 6
_NAME_WIDTH = 10
_LONGEST_SIDE = 20_000
_WIDEST_CELL = 254
_FEW_CELLS = 200_000
_LINE, _FEWEST_CORNERS = 1, 3
# Kinds that are one plain file, read where GDAL and Arrow can do no harm.
CHILD_KINDS = ("fgb", "parquet", "dxf")
_SETTING_FAULTS = {"layer_none", "layer_unclear"}


def read_shapefile(
    dataset: Dataset,
    *,
    encoding: str | None,
    isolated: bool,
    limits: Limits,
    file: str,
) -> Features:
    """
    Read a Shapefile whose parts were gathered.

    Text is decoded by the declared encoding, else as strict UTF-8, GB18030 or what the .cpg claims;
    field names cut inside a character lose that character. Raises BadFile for damaged or truncated
    parts and unreadable text.
    """
    widths = check_shapefile(dataset.parts, file)
    raw = _read(dataset, layer=None, isolated=isolated, limits=limits, file=file)
    claimed = _read_side(dataset.parts, ".cpg")
    names = [(name.encode(child.RAW_TEXT), _NAME_WIDTH) for name in raw.names]
    sizes = [widths.get(name[0], _WIDEST_CELL) for name in names]
    sample = [*names, *_text_cells(raw.columns, sizes)]
    found = find_cell_encoding(sample, declared=encoding, claimed=claimed, file=file)
    features = _to_features(raw, names, sizes, found)
    features.crs_text = _read_side(dataset.parts, ".prj")
    if claimed and encoding is None and not _agrees(claimed, found, sample):
        values = {"claimed": claimed[:20], "found": found}
        features.notes.append(Note(key="reading.cpg_wrong", values=values))
    return features


def read_geopackage(
    dataset: Dataset, *, layer: str | None, isolated: bool, limits: Limits, file: str
) -> Features:
    """Read one layer of a GeoPackage; raises BadFile when it is another SQLite file, or damaged."""
    with dataset.parts[".gpkg"].open("rb") as opened:
        head = opened.read(_SQLITE_HEADER_BYTES)
    if not head.startswith(SQLITE_MAGIC) or head[68:72] not in _GEOPACKAGE_IDS:
        raise BadFile(Fault(key="format_not_geopackage"), file=file)
    raw = _read(dataset, layer=layer, isolated=isolated, limits=limits, file=file)
    names = [(name.encode(child.RAW_TEXT), _WIDEST_CELL) for name in raw.names]
    # GeoPackage text is UTF-8 by its standard; a width never cuts it.
    sizes = [sys.maxsize] * len(names)
    sample = [*names, *_text_cells(raw.columns, sizes)]
    found = find_cell_encoding(sample, declared=None, claimed=None, file=file)
    return _to_features(raw, names, sizes, found)


def read_by_child(
    dataset: Dataset, *, layer: str | None, isolated: bool, limits: Limits, file: str
) -> Features:
    """
    Read FlatGeobuf, GeoParquet or DXF, whose text is UTF-8 and whose layer is the only one.

    Closed lines of a DXF drawing are areas: draughtsmen draw boundaries so. Raises BadFile when
    the file is damaged or is none of these after all.
    """
    raw = _read(dataset, layer=layer, isolated=isolated, limits=limits, file=file)
    names = [(name.encode(child.RAW_TEXT), _WIDEST_CELL) for name in raw.names]
    sizes = [sys.maxsize] * len(names)
    sample = [*names, *_text_cells(raw.columns, sizes)]
    found = find_cell_encoding(sample, declared=None, claimed=None, file=file)
    features = _to_features(raw, names, sizes, found)
    if dataset.kind == "dxf":
        features.shapes = _close_lines(features.shapes)
    return features


def _close_lines(shapes: NDArray[np.object_]) -> NDArray[np.object_]:
    closed = (shapely.get_type_id(shapes) == _LINE) & shapely.is_closed(shapes)
    closed &= shapely.get_num_points(shapes) > _FEWEST_CORNERS
    made = shapes.copy()
    if closed.any():
        corners, line = shapely.get_coordinates(shapes[closed], return_index=True)
        made[closed] = shapely.polygons(shapely.linearrings(corners, indices=line))
    return made


def check_shapefile(parts: dict[str, Path], file: str) -> dict[bytes, int]:
    """
    Check what the headers of .shp, .shx and .dbf say against their lengths and one another.

    Returns the width of each field by its raw name. Raises BadFile.
    """
    _check_shape_part(parts[".shp"], file)
    index_bytes = _check_shape_part(parts[".shx"], file)
    records, widths = _check_table(parts[".dbf"], file)
    shapes = (index_bytes - _SHP_HEADER_BYTES) // 8
    if shapes != records:
        values = {"shapes": shapes, "records": records}
        raise BadFile(Fault(key="shapefile_parts_differ", values=values), file=file)
    if shapes == 0:
        raise BadFile(Fault(key="file_no_rows"), file=file)
    return widths


def _check_shape_part(path: Path, file: str) -> int:
    # Returns the length that the part's header claims: GDAL believes it.
    with path.open("rb") as opened:
        head = opened.read(_SHP_HEADER_BYTES)
    if len(head) < _SHP_HEADER_BYTES or not head.startswith(SHAPEFILE_MAGIC):
        raise BadFile(_damaged(path), file=file)
    (words,) = struct.unpack_from(">i", head, 24)
    (kind,) = struct.unpack_from("<i", head, 32)
    if kind not in _SHAPE_TYPES or words * 2 < _SHP_HEADER_BYTES:
        raise BadFile(_damaged(path), file=file)
    if path.stat().st_size < words * 2:
        values = {"part": path.suffix.lower()}
        raise BadFile(Fault(key="shapefile_part_short", values=values), file=file)
    return int(words) * 2


def _check_table(path: Path, file: str) -> tuple[int, dict[bytes, int]]:
    with path.open("rb") as opened:
        head = opened.read(_DBF_HEADER_BYTES)
        if len(head) < _DBF_HEADER_BYTES:
            raise BadFile(_damaged(path), file=file)
        records, header_bytes, record_bytes = struct.unpack_from("<IHH", head, 4)
        fields = opened.read(max(header_bytes - _DBF_HEADER_BYTES, 0))
    if header_bytes <= _DBF_HEADER_BYTES or record_bytes == 0:
        raise BadFile(_damaged(path), file=file)
    # Many writers leave out the last byte, the mark of the end.
    if path.stat().st_size < header_bytes + records * record_bytes:
        values = {"part": ".dbf"}
        raise BadFile(Fault(key="shapefile_part_short", values=values), file=file)
    starts = range(0, len(fields) - 31, 32)
    known = list(takewhile(lambda at: fields[at] != _END_OF_FIELDS, starts))
    # A mark of deletion and the fields end to end: else every cell would be read beside its place.
    if record_bytes != 1 + sum(fields[at + 16] for at in known):
        raise BadFile(_damaged(path), file=file)
    return int(records), {fields[at : at + 11].split(b"\0")[0]: fields[at + 16] for at in known}


def _damaged(path: Path) -> Fault:
    return Fault(key="shapefile_part_damaged", values={"part": path.suffix.lower()})


def _read(
    dataset: Dataset, *, layer: str | None, isolated: bool, limits: Limits, file: str
) -> child.RawLayer:
    with link_parts(dataset) as path:
        try:
            if isolated:
                return _not_empty(_read_isolated(path, layer=layer, limits=limits, file=file))
            return _not_empty(child.read_layer(str(path), layer=layer))
        except child.LayerRefused as refused:
            raise _error(refused.key, refused.values, file) from None


def _not_empty(raw: child.RawLayer) -> child.RawLayer:
    # What the headers promised may all be marked as deleted, or listed under another name.
    if not len(raw.wkb) and raw.points is None:
        raise child.LayerRefused("file_no_rows")
    return raw


def _read_isolated(path: Path, *, layer: str | None, limits: Limits, file: str) -> child.RawLayer:
    job = {
        "path": str(path),
        "layer": layer,
        "memory_bytes": limits.memory_bytes,
        "cpu_s": limits.cpu_s,
        "result_bytes": limits.result_bytes,
        "open_files": limits.open_files,
    }
    command = [sys.executable, "-I", child.__file__, json.dumps(job)]
    # Threads of the linear algebra library reserve memory that nobody needs here.
    environment = {"LANG": "C.UTF-8", "OPENBLAS_NUM_THREADS": "1", "OMP_NUM_THREADS": "1"}
    with TemporaryFile() as out, TemporaryFile() as errors:
        try:
            done = subprocess.run(  # noqa: S603  (our own interpreter and file, no shell)
                command,
                stdin=subprocess.DEVNULL,
                stdout=out,
                stderr=errors,
                env=environment,
                cwd=path.parent,
                timeout=limits.wall_s,
                check=False,
            )
        except subprocess.TimeoutExpired:
            raise _error("child_slow", {"limit_s": limits.wall_s}, file) from None
        if done.returncode != 0:
            raise _explain(done.returncode, _read_all(errors), limits, file)
        try:
            return child.unpack_layer(_read_all(out))
        except (ValueError, KeyError, TypeError):
            raise _error("child_failed", {}, file) from None


def _read_all(opened: IO[bytes]) -> bytes:
    opened.seek(0)
    return opened.read()


def _explain(code: int, errors: bytes, limits: Limits, file: str) -> BadFile | BadSetting:
    if code == child.EXIT_REFUSED:
        answer = json.loads(errors.splitlines()[-1])
        return _error(answer["key"], answer["values"], file)
    if code == child.EXIT_MEMORY or b"MemoryError" in errors or b"bad_alloc" in errors:
        limit_mb = limits.memory_bytes // (1 << 20)
        return _error("child_memory", {"limit_mb": limit_mb}, file)
    if code == child.EXIT_TOO_LARGE:
        limit_mb = limits.result_bytes // (1 << 20)
        return _error("file_too_large", {"limit_mb": limit_mb}, file)
    if code in {-signal.SIGXCPU, -signal.SIGKILL}:
        return _error("child_slow", {"limit_s": limits.cpu_s}, file)
    return _error("child_failed", {}, file)


def _error(key: str, values: dict[str, Any], file: str) -> BadFile | BadSetting:
    kind = BadSetting if key in _SETTING_FAULTS else BadFile
    return kind(Fault(key=key, values=values), file=file)


def _read_side(parts: dict[str, Path], suffix: str) -> str | None:
    if suffix not in parts:
        return None
    with parts[suffix].open("rb") as opened:
        raw = opened.read(_LONGEST_SIDE)
    return raw.removeprefix(codecs.BOM_UTF8).decode("utf-8", "replace").strip(" \t\r\n\0") or None


def _text_cells(columns: Sequence[Sequence[Any]], sizes: list[int]) -> list[Cell]:
    cells: set[Cell] = set()
    for column, size in zip(columns, sizes, strict=True):
        if isinstance(column, pa.ChunkedArray):
            continue
        for value in column:
            if isinstance(value, str) and not value.isascii():
                cells.add((value.encode(child.RAW_TEXT), size))
        if len(cells) > _FEW_CELLS:
            break
    return list(cells)


def _to_features(
    raw: child.RawLayer, names: list[Cell], sizes: list[int], encoding: str
) -> Features:
    columns: dict[str, Sequence[Any]] = {}
    for name, size, values in zip(names, sizes, raw.columns, strict=True):
        columns[_decode_name(name, encoding, columns)] = _decode_column(values, encoding, size)
    features = Features(
        columns=columns,
        shapes=np.empty(0, dtype=object),
        driver=raw.driver,
        encoding=encoding,
        crs_text=raw.crs_text,
    )
    for dropped in raw.dropped:
        shown = decode_cell((dropped.encode(child.RAW_TEXT), _NAME_WIDTH), encoding) or "?"
        features.notes.append(Note(key="reading.column_binary", field=shown))
    if raw.points is None:
        _build_shapes(features, raw.wkb)
    else:
        x, y = np.frombuffer(raw.points, "<f8").reshape(2, -1)
        features.points = (x, y)
    return features


def _decode_name(name: Cell, encoding: str, taken: dict[str, Sequence[Any]]) -> str:
    text = decode_cell(name, encoding) or name[0].decode(child.RAW_TEXT)
    plain, number = text, 1
    while text in taken:
        number += 1
        text = f"{plain}_{number}"
    return text


def _decode_column(values: Sequence[Any], encoding: str, size: int) -> Sequence[Any]:
    if isinstance(values, pa.ChunkedArray):  # its UTF-8 was checked where it was read
        return cast("Sequence[Any]", values)
    known: dict[str, str] = {}
    for value in {value for value in values if isinstance(value, str)}:
        if not value.isascii():
            raw = value.encode(child.RAW_TEXT)
            known[value] = decode_cell((raw, size), encoding) or raw.decode(encoding, "replace")
    if not known:
        return list(values)
    return [known.get(value, value) if isinstance(value, str) else value for value in values]


def _build_shapes(features: Features, wkb: Sequence[bytes | None]) -> None:
    given = np.array(list(wkb), dtype=object)
    # A corner that is no number is found again when shapes are checked.
    with np.errstate(invalid="ignore"):
        features.shapes = np.asarray(shapely.from_wkb(given, on_invalid="ignore"), dtype=object)
    for place in map(int, np.flatnonzero(shapely.is_missing(features.shapes))):
        if given[place] is None:
            fault = Fault(key="shape_missing", row=place + 1, value_kind="empty")
            features.faults.append(fault)
            continue
        with np.errstate(invalid="ignore"):
            closed = shapely.from_wkb(given[place], on_invalid="fix")
        features.shapes[place] = closed
        if closed is None:
            features.faults.append(Fault(key="shape_not_positions", row=place + 1))
        else:
            features.gaps[place] = _open_rings(given[place])


def _open_rings(wkb: bytes) -> list[tuple[Floats, Floats]]:
    # GEOS closes rings without telling how far it had to go: look at the little-endian bytes.
    gaps: list[tuple[Floats, Floats]] = []
    kind, count = struct.unpack_from("<II", wkb, 1)
    at = 9
    if kind == _WKB_POLYGON:
        for _ in range(count):
            (points,) = struct.unpack_from("<I", wkb, at)
            xy = np.frombuffer(wkb, "<f8", points * 2, at + 4).reshape(-1, 2)
            if points and (xy[0] != xy[-1]).any():
                gaps.append((xy[-1], xy[0]))
            at += 4 + points * 16
    elif kind == _WKB_MULTI_POLYGON:
        for _ in range(count):
            gaps += _open_rings(wkb[at:])
            at += _polygon_bytes(wkb, at)
    return gaps


def _polygon_bytes(wkb: bytes, start: int) -> int:
    (rings,) = struct.unpack_from("<I", wkb, start + 5)
    at = start + 9
    for _ in range(rings):
        (points,) = struct.unpack_from("<I", wkb, at)
        at += 4 + points * 16
    return at - start


def _agrees(claimed: str, found: str, sample: Sequence[Cell]) -> bool:
    # Pure ASCII is in every encoding: a claim about it cannot be wrong.
    if all(cell[0].isascii() for cell in sample):
        return True
    try:
        return find_cell_encoding([], declared=claimed, claimed=None) == found
    except BadSetting:
        return False
