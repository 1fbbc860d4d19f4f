"""Intake: files that a clerk brings, looked at with their evidence before anything is loaded."""

from __future__ import annotations

import secrets
import shutil
from collections.abc import Iterable
from contextlib import ExitStack
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from typing import IO, Any

import numpy as np
import orjson
import pandas as pd
import shapely
from numpy.typing import NDArray

from geodata.city import City
from geodata.coordinates import shapes_to_metric, to_lonlat, to_metric
from geodata.errors import BadFile, Fault, NotFound
from geodata.intake.trusted_layer import LayerEvidence, measure_datum
from geodata.intake.watched import clean_name
from geodata.loading import KINDS
from geodata.loading.contracts import RECORD_KINDS
from geodata.loading.event_files import NAMES as EVENT_NAMES
from geodata.loading.incidents import COLUMNS
from geodata.loading.placing import raw_places
from geodata.loading.request import LoadRequest, find_column
from geodata.reading import (
    TABLE_SUFFIXES,
    UPLOAD_LIMITS,
    Reading,
    read_geometries,
    read_rows,
    read_table,
)

FOLDER = "uploads"
KEPT_S = 86_400  # an upload that nobody loads is thrown away after this
ROWS_SHOWN = 20
POINTS_DRAWN, SHAPES_DRAWN = 2_000, 400
_FACTS = "upload.json"
_CHUNK_BYTES = 1 << 20
_ID_BYTES = 8
_SHAPEFILE = (".shp", ".shx", ".dbf", ".prj", ".cpg")
_DATUMS = {"crs": "WGS 84", "fit": "WGS 84", "gcj02": "GCJ-02", "bd09": "BD-09"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Upload:
    """Files that one post has brought, kept apart until they are loaded or thrown away."""

    id: str
    files: tuple[str, ...]
    kind: str
    source: str
    account: str
    at: int
    options: dict[str, Any] = field(default_factory=dict)  # of LoadRequest, as the clerk corrected

    def request(self, *, now: int, dry_run: bool = False) -> LoadRequest:
        """Return the load that these options ask for, in a child process where GDAL is needed."""
        given = {name: value for name, value in self.options.items() if value not in ("", None)}
        return LoadRequest(
            now=now,
            source=self.source or None,
            dry_run=dry_run,
            isolated=True,
            account=self.account,
            **given,
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Preview:
    """
    What a file is taken for, and on what evidence.

    `rows` are the first as text; `columns` its headers; `fields` the column each field of the kind
    was found in. `points` (n, 2) and `shapes` are metres of the city for a small map, thinned.
    """

    reading: Reading
    columns: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]
    fields: dict[str, str | None]
    evidence: LayerEvidence | None
    points: NDArray[np.float64]
    shapes: NDArray[np.object_]
    placed: int


class Shelf:
    """The uploads of one city: a folder each, beside the store."""

    def __init__(self, city: City) -> None:
        self._city = city
        self.folder = city.folder / FOLDER

    def keep(
        self,
        files: Iterable[tuple[str, IO[bytes]]],
        *,
        kind: str,
        source: str,
        account: str,
        now: int,
    ) -> Upload:
        """
        Keep files under names of our own; raises BadFile for an unknown kind, none, or too much.

        Nothing is left behind when one of them is refused.
        """
        if kind not in KINDS:
            raise BadFile(
                Fault(key="kind_unknown", values={"kind": kind, "known": ", ".join(KINDS)})
            )
        self.clear(now=now)
        place = self.folder / secrets.token_hex(_ID_BYTES)
        place.mkdir(parents=True)
        with ExitStack() as undo:
            undo.callback(shutil.rmtree, place, ignore_errors=True)
            names = tuple(self._write(place, name, stream) for name, stream in files if name)
            if not names:
                raise BadFile(Fault(key="upload_none"))
            upload = Upload(
                id=place.name, files=names, kind=kind, source=source, account=account, at=now
            )
            self.save(upload)
            undo.pop_all()
        return upload

    def find(self, id: str, *, account: str) -> Upload:
        """Return an upload of this account; raises NotFound for any other."""
        path = self.folder / clean_name(id) / _FACTS
        try:
            plain = orjson.loads(path.read_bytes())
        except (OSError, ValueError):
            raise NotFound(Fault(key="upload_gone")) from None
        upload = Upload(**{**plain, "files": tuple(plain["files"])})
        if upload.account != account or upload.id != id:
            raise NotFound(Fault(key="upload_gone"))
        return upload

    def all_of(self, account: str) -> list[Upload]:
        """Return the uploads of an account, newest first."""
        found = []
        for path in self.folder.glob(f"*/{_FACTS}"):
            try:
                found.append(self.find(path.parent.name, account=account))
            except NotFound:
                continue
        return sorted(found, key=lambda upload: -upload.at)

    def save(self, upload: Upload) -> None:
        """Write down what is known of an upload."""
        path = self.folder / upload.id / _FACTS
        part = path.with_suffix(".part")
        part.write_bytes(orjson.dumps(asdict(upload)))
        part.replace(path)

    def drop(self, upload: Upload) -> None:
        """Throw an upload away."""
        shutil.rmtree(self.folder / upload.id, ignore_errors=True)

    def clear(self, *, now: int) -> None:
        """Throw away what nobody came back for."""
        for place in self.folder.glob("*/"):
            if place.stat().st_mtime < now - KEPT_S:
                shutil.rmtree(place, ignore_errors=True)

    def paths(self, upload: Upload) -> list[Path]:
        """Return the files to load: a Shapefile is its .shp, whatever lies beside it."""
        paths = [self.folder / upload.id / name for name in upload.files]
        shapes = [path for path in paths if path.suffix.lower() == ".shp"]
        others = [path for path in paths if path.suffix.lower() not in _SHAPEFILE]
        return [*shapes, *others] or paths

    def _write(self, place: Path, name: str, stream: IO[bytes]) -> str:
        kept = clean_name(Path(name.replace("\\", "/")).name)
        limit_mb = self._city.settings.upload_mb
        size = 0
        with (place / kept).open("xb") as out:
            while chunk := stream.read(_CHUNK_BYTES):
                size += len(chunk)
                if size > limit_mb * _CHUNK_BYTES:
                    raise BadFile(
                        Fault(key="file_too_large", values={"limit_mb": limit_mb}), file=kept
                    )
                out.write(chunk)
        return kept


def correct(upload: Upload, kind: str, options: dict[str, Any]) -> Upload:
    """Return the upload with what the clerk put right."""
    return replace(upload, kind=kind if kind in KINDS else upload.kind, options=options)


def look_at(city: City, path: Path, upload: Upload, *, now: int) -> Preview:
    """
    Read an upload as its load will, and gather the evidence.

    Raises what the readers raise: BadFile and BadSetting, with every fault at once.
    """
    request = upload.request(now=now)
    reading = read_upload(path, upload.kind, request)
    plain = pd.DataFrame(reading.frame.drop(columns="geometry", errors="ignore"))
    names = _names_of(upload.kind)
    fields = {
        name: find_column(plain, headers, request.mapping.get(name))
        for name, headers in names.items()
    }
    if reading.place_columns is not None:
        fields |= dict(zip(("lon", "lat"), reading.place_columns, strict=True))
    points, shapes, evidence, placed = _locate(city, reading)
    return Preview(
        reading=reading,
        columns=tuple(map(str, plain.columns)),
        rows=tuple(tuple(map(str, row)) for row in plain.head(ROWS_SHOWN).to_numpy()),
        fields=fields,
        evidence=evidence,
        points=points,
        shapes=shapes,
        placed=placed,
    )


def read_upload(path: Path, kind: str, request: LoadRequest) -> Reading:
    """Read a file as the load of this kind reads it, under the limits of uploads."""
    if kind == "incidents":
        return read_rows(
            path,
            crs=request.crs,
            encoding=request.encoding,
            mapping=request.mapping,
            layer=request.layer,
            isolated=True,
            limits=UPLOAD_LIMITS,
        )
    tabular = kind == "events" or (kind in RECORD_KINDS and not RECORD_KINDS[kind].placed)
    if tabular or (kind in RECORD_KINDS and path.suffix.lower() in TABLE_SUFFIXES):
        return read_table(
            path,
            crs=request.crs,
            encoding=request.encoding,
            mapping=request.mapping,
            sheet=request.layer,
            limits=UPLOAD_LIMITS,
        )
    return read_geometries(
        path,
        crs=request.crs,
        encoding=request.encoding,
        layer=request.layer,
        isolated=True,
        limits=UPLOAD_LIMITS,
    )


def _names_of(kind: str) -> dict[str, tuple[str, ...]]:
    if kind == "incidents":
        return COLUMNS
    if kind == "events":
        return EVENT_NAMES
    return RECORD_KINDS[kind].names if kind in RECORD_KINDS else {}


def _locate(
    city: City, reading: Reading
) -> tuple[NDArray[np.float64], NDArray[np.object_], LayerEvidence | None, int]:
    """Return thinned points and shapes, the evidence on the datum, how many have a place."""
    nowhere = np.empty((0, 2))
    if reading.crs is None or not city.crs_text:
        return nowhere, np.empty(0, object), None, 0
    try:
        x, y, source = raw_places(reading)
    except BadFile:
        return nowhere, np.empty(0, object), None, 0
    east, north = to_metric(x, y, source, city.crs)
    known = np.isfinite(east) & np.isfinite(north)
    step = max(int(known.sum()) // POINTS_DRAWN, 1)
    points = np.column_stack([east[known], north[known]])[::step]
    areal = "geometry" in reading.frame and (
        shapely.get_dimensions(reading.frame.geometry.to_numpy()) == 2
    )
    shapes = np.empty(0, object)
    if np.any(areal):
        chosen = reading.frame.geometry.to_numpy()[areal][:SHAPES_DRAWN]
        shapes = shapes_to_metric(chosen, source, city.crs)
    evidence = None
    if not len(shapes):  # a boundary lies along no house
        lon, lat = (x, y) if source.is_lonlat else to_lonlat(east, north, city.crs)
        evidence = measure_datum(city, lon, lat, declared=_DATUMS[source.kind])
    return points, shapes, evidence, int(known.sum())
