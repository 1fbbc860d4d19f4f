"""A file looked at before it is loaded: what it is taken for, and on what evidence."""

from __future__ import annotations

import threading
from collections import OrderedDict
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import orjson
import pandas as pd
import shapely
from numpy.typing import NDArray

from geodata.city import City
from geodata.coordinates import shapes_to_metric, to_lonlat, to_metric
from geodata.errors import BadFile, BadGrid, BadSetting, Fault
from geodata.grids.columns import find_columns
from geodata.intake.limits import limits_of
from geodata.intake.shelf import Upload
from geodata.intake.systems import Offer, find_offers
from geodata.intake.watched import find_stamp
from geodata.loading.case_columns import find_case_columns
from geodata.loading.contracts import RECORD_KINDS
from geodata.loading.datums import OutlineEvidence
from geodata.loading.event_files import find_event_columns
from geodata.loading.incidents import STANDS_IN
from geodata.loading.outside import describe_outside, find_outside
from geodata.loading.placing import metric_for, raw_places
from geodata.loading.readers import read_file
from geodata.loading.report import group_faults, group_notes
from geodata.loading.request import Progress, find_column
from geodata.loading.sampling import DATUM_NAMES
from geodata.loading.trusted_layer import LayerEvidence, TrustedLayers
from geodata.reading import Reading
from geodata.snapshots.facts import base_version
from geodata.store.drawings import load_drawings
from geodata.words import LANGS, Lang

ROWS_SHOWN = 20
POINTS_DRAWN, SHAPES_DRAWN = 2_000, 400
LOOKS_KEPT = 32  # each some 100 kB, however large its file
_DRAWN = ("code", "name", "kind", "body", "households", "population")


@dataclass(frozen=True, slots=True, kw_only=True)
class Preview:
    """
    What a file is taken for, and on what evidence; nothing in it grows with the file.

    `first_rows` are the first as text; `columns` its headers; `fields` the column each field of the
    kind was found in. `points` (m, 2) and `shapes` are metres of the city for a small map, thinned.
    `faults`, `notes` and `warnings` are sentences, `refused` how many rows have a fault; `left` are
    the columns that no field takes; `outline` counts the places beside the city.
    """

    driver: str
    encoding: str | None
    crs: str | None
    rows: int
    refused: int
    dropped_columns: tuple[str, ...]
    faults: dict[Lang, list[str]]
    notes: dict[Lang, list[str]]
    warnings: dict[Lang, list[str]]
    columns: tuple[str, ...]
    left: tuple[str, ...]
    first_rows: tuple[tuple[str, ...], ...]
    fields: dict[str, str | None]
    evidence: LayerEvidence | None
    outline: OutlineEvidence | None
    points: NDArray[np.float64]
    shapes: NDArray[np.object_]
    placed: int


class Looks:
    """Looks at the uploads of one city; the newest are kept, so that a file is read once."""

    def __init__(self, city: City) -> None:
        self._city = city
        self._trusted = TrustedLayers(city)
        self._kept: OrderedDict[bytes, Preview] = OrderedDict()
        self._offers: OrderedDict[bytes, list[Offer]] = OrderedDict()
        self._lock = threading.Lock()

    def list_offers(
        self, paths: list[Path], upload: Upload, wrong: BadFile | BadSetting, *, now: int
    ) -> list[Offer]:
        """Return ways to read a refused upload, kept as looks are: each way reads the file."""
        key = self.name_look(paths, upload)
        with self._lock:
            kept = self._offers.get(key)
        if kept is None:
            kept = find_offers(self._city, paths[0], upload, wrong, now=now)
            with self._lock:
                self._offers[key] = kept
                while len(self._offers) > LOOKS_KEPT:
                    self._offers.popitem(last=False)
        return kept

    def look_at(
        self,
        paths: list[Path],
        upload: Upload,
        *,
        now: int,
        progress: Progress | None = None,
    ) -> Preview:
        """
        Read an upload as its load will, and gather the evidence.

        A look is kept for as long as the files, what the clerk said of them and the ground they
        are held against stay as they are. Raises what the readers raise: BadFile and BadSetting,
        with every fault at once.
        """
        key = self.name_look(paths, upload)
        found = self.find_kept(key)
        if found is None:
            found = self._look(paths[0], upload, now=now, progress=progress)
            self.keep(key, found)
        return found

    def find_kept(self, key: bytes) -> Preview | None:
        """Return the look of a name, None where none is kept."""
        with self._lock:
            if key in self._kept:
                self._kept.move_to_end(key)
            return self._kept.get(key)

    def keep(self, key: bytes, found: Preview) -> None:
        """Keep a look under its name, in place of the one that nobody asked for the longest."""
        with self._lock:
            self._kept[key] = found
            while len(self._kept) > LOOKS_KEPT:
                self._kept.popitem(last=False)

    def name_look(self, paths: list[Path], upload: Upload) -> bytes:
        """Return what a look hangs on: the files as they are, the options, the city's ground."""
        files = [(name, find_stamp(paths[0].with_name(name))) for name in upload.files]
        city = self._city
        with city.database.read() as connection:
            drawings = [(one["drawing"], one["state"]) for one in load_drawings(connection)]
        ground = (base_version(city.base_folder), city.crs_text, drawings)
        told = [upload.id, upload.kind, upload.options, files, ground]
        return orjson.dumps(told, option=orjson.OPT_SORT_KEYS)

    def _look(self, path: Path, upload: Upload, *, now: int, progress: Progress | None) -> Preview:
        request = upload.request(limits_of(self._city.settings), now=now)
        reading = read_file(upload.kind, path, request, progress=progress)
        plain = pd.DataFrame(reading.frame.drop(columns="geometry", errors="ignore"))
        fields = _find_fields(upload.kind, plain, request.mapping)
        if reading.place_columns is not None:
            fields |= dict(zip(("lon", "lat"), reading.place_columns, strict=True))
        left = [name for name in map(str, plain.columns) if name not in fields.values()]
        faults = reading.faults
        if upload.kind == "incidents":
            faults = _left_to_addresses(reading, plain, fields)
        drawn = upload.kind in ("grids", "basemap")  # they may well reach beyond the city
        outline = None if drawn else find_outside(self._city, reading, now=now)
        warnings = describe_outside(outline)
        return Preview(
            driver=reading.driver,
            encoding=reading.encoding,
            crs=reading.crs.label if reading.crs else None,
            rows=reading.rows,
            refused=len({fault.row for fault in faults if fault.row is not None}),
            dropped_columns=tuple(reading.dropped_columns),
            faults={lang: group_faults(faults, lang) for lang in LANGS},
            notes={lang: group_notes(reading.notes, lang) for lang in LANGS},
            warnings={lang: group_notes(warnings, lang) for lang in LANGS},
            columns=tuple(map(str, plain.columns)),
            left=tuple(left) if upload.kind != "basemap" else (),
            first_rows=tuple(tuple(map(str, row)) for row in plain.head(ROWS_SHOWN).to_numpy()),
            fields=fields,
            outline=outline,
            **self._locate(reading),
        )

    def _locate(self, reading: Reading) -> dict[str, Any]:
        """Return thinned points and shapes, the evidence on the datum, how many have a place."""
        city, none = self._city, np.empty(0, object)
        nowhere = {"points": np.empty((0, 2)), "shapes": none, "evidence": None, "placed": 0}
        if reading.crs is None:
            return nowhere
        try:
            x, y, source = raw_places(reading)
            metric = metric_for(city, reading)  # of an empty city the one that it would get
        except (BadFile, BadSetting):
            return nowhere
        east, north = to_metric(x, y, source, metric)
        known = np.isfinite(east) & np.isfinite(north)
        step = max(int(known.sum()) // POINTS_DRAWN, 1)
        shapes = none
        if "geometry" in reading.frame:
            drawn = reading.frame.geometry.to_numpy()
            drawn = drawn[shapely.get_dimensions(drawn) == 2][:SHAPES_DRAWN]
            shapes = shapes_to_metric(drawn, source, metric) if len(drawn) else none
        evidence = None
        if not len(shapes):  # a boundary lies along no house
            lon, lat = (x, y) if source.is_lonlat else to_lonlat(east, north, metric)
            evidence = self._trusted.measure(lon, lat, declared=DATUM_NAMES[source.kind])
        return {
            "points": np.column_stack([east[known][::step], north[known][::step]]),
            "shapes": shapes,
            "evidence": evidence,
            "placed": int(known.sum()),
        }


def _find_fields(
    kind: str, frame: pd.DataFrame, mapping: Mapping[str, str]
) -> dict[str, str | None]:
    """Return the column that each field of a kind is taken from, None for none."""
    if kind == "grids":
        try:
            found = find_columns(frame, {f: c for f, c in mapping.items() if f in _DRAWN})
        except BadGrid:  # its load says why
            found = {}
        return {name: found.get(name) for name in _DRAWN}
    if kind == "incidents":
        return find_case_columns(frame, mapping)
    if kind == "events":
        return find_event_columns(frame, mapping)
    names = RECORD_KINDS[kind].names if kind in RECORD_KINDS else {}
    return {name: find_column(frame, names[name], mapping.get(name)) for name in names}


def _left_to_addresses(
    reading: Reading, frame: pd.DataFrame, fields: Mapping[str, str | None]
) -> list[Fault]:
    """Return the faults of cases but for those of a place that an address stands in for."""
    address = fields["address"]
    if address is None:
        return reading.faults
    addressed = set(frame.index[frame[address].fillna("").str.strip() != ""])
    return [
        fault
        for fault in reading.faults
        if fault.row not in addressed or fault.key not in STANDS_IN
    ]
