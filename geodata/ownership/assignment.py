"""Assignment: each point of a file to the grid that owns it, without any city."""

from __future__ import annotations

import os
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import geopandas
import numpy as np
import pandas as pd
import pyproj
import shapely
from numpy.typing import NDArray

from geodata.codes import find_duplicates
from geodata.coordinates import to_lonlat, to_metric
from geodata.coverage.report import duplicate_fault
from geodata.errors import BadFile, BadGrid, BadSetting, Fault, NotAllowed
from geodata.grids.columns import read_columns
from geodata.levels import LEVELS
from geodata.loading.boundaries import FILE_COLUMN, read_boundaries
from geodata.loading.placing import raw_places
from geodata.loading.report import group_faults, group_notes
from geodata.loading.request import Progress
from geodata.notes import Note
from geodata.ownership import RULES, OwnerIndex, Ownership
from geodata.ownership.recorded import Recorded, compare_recorded
from geodata.reading import Reading, read_geometries, read_table
from geodata.words import Lang, join, say

Floats = NDArray[np.float64]
_TABLE_SUFFIXES = (".csv", ".tsv", ".txt", ".gz")


@dataclass(frozen=True, slots=True, kw_only=True)
class OwnRequest:
    """The arguments of `app.py own`; lengths in metres."""

    grids: tuple[Path, ...]
    points: tuple[Path, ...]
    out: Path
    crs: str | None = None
    grids_crs: str | None = None
    encoding: str | None = None
    layer: str | None = None
    grid_code: str | None = None
    recorded: str | None = None
    near_m: float = 0.0
    near_line_m: float = 15.0
    threads: int = 2
    mapping: dict[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class OwnReport:
    """What `app.py own` says; every count is n of `points`."""

    out: str
    points: int
    grids: int
    by_rule: dict[str, int]
    near_line: int
    near_line_m: float
    recorded: Recorded | None
    dropped_columns: tuple[str, ...]
    faults: tuple[Fault, ...]
    notes: tuple[Note, ...]

    def as_json(self, lang: Lang = "zh") -> dict[str, Any]:
        """Return the object of contracts.md 2, `own`."""
        recorded = self.recorded
        return {
            "out": self.out,
            "points": self.points,
            "grids": self.grids,
            "by_rule": self.by_rule,
            "near_line": self.near_line,
            "unowned": self.unowned,
            "codes_only_in_grids": list(recorded.only_in_grids) if recorded else [],
            "codes_only_in_points": list(recorded.only_in_points) if recorded else [],
            "recorded": recorded.as_json() if recorded else None,
            "faults": [fault.as_json(lang) for fault in self.faults],
            "dropped_columns": list(self.dropped_columns),
            "notes": [note.sentence(lang) for note in self.notes],
        }

    @property
    def unowned(self) -> int:
        """Return how many points are in no grid or have no place."""
        return self.by_rule.get("none", 0) + self.by_rule.get("no_place", 0)

    def lines(self, lang: Lang) -> list[str]:
        """Return the report as sentences for a terminal."""
        of = f"{self.points:,}"
        lines = [say("own.written", lang, file=self.out, points=of, grids=f"{self.grids:,}")]
        lines += [
            say("own.rule", lang, rule=say(f"rule.{name}", lang), n=f"{n:,}", of=of)
            for name, n in self.by_rule.items()
        ]
        lines += [
            say(
                "own.near_line",
                lang,
                metres=f"{self.near_line_m:g}",
                n=f"{self.near_line:,}",
                of=of,
            ),
            say("own.unowned", lang, n=f"{self.unowned:,}", of=of),
        ]
        if self.recorded:
            lines += self.recorded.lines(lang)
        if self.dropped_columns:
            names = join(self.dropped_columns, lang)
            lines.append("  " + say("own.dropped", lang, columns=names))
        lines += ["  " + text for text in group_notes(self.notes, lang)]
        lines += ["  - " + text for text in group_faults(self.faults, lang)]
        return lines


def own_files(request: OwnRequest, *, progress: Progress) -> OwnReport:
    """
    Give every point of the files to the grid that owns it and write them with their owner.

    The output has the input's rows and columns in the input's order, and grid_code, rule,
    distance_m, near_line. Points without a place stay in it, with the rule no_place. Raises BadFile
    or BadSetting when nothing is written.
    """
    write = _writer(request.out)
    # STEP 1: grids in code order, as text: ties on a shared edge go to the smaller code
    progress("progress.read", 0.0)
    grids, metric, found = _read_grids(request)
    # STEP 2: points, every row of every file
    readings = [_read_points(path, request) for path in request.points]
    _check_recorded(readings, request.recorded)
    progress("progress.read", 1.0)
    # STEP 3: owners, on whole millimetres
    progress("progress.own", 0.0)
    index = OwnerIndex.of_metres(
        grids.geometry.to_numpy(), special=(grids["kind"] == "special").to_numpy()
    )
    places = [_place(reading, metric) for reading in readings]
    x_m, y_m = (np.concatenate(values) for values in zip(*places, strict=True))
    owned = index.own(
        np.rint(x_m * 1000),
        np.rint(y_m * 1000),
        near_m=request.near_m,
        near_line_m=request.near_line_m,
        threads=request.threads,
    )
    progress("progress.own", 1.0)
    # STEP 4: write, then say
    progress("progress.write", 0.0)
    frame = _output_frame(readings, owned, grids["code"].to_numpy(str))
    write(frame, *to_lonlat(x_m, y_m, metric))
    progress("progress.write", 1.0)
    return _report(request, grids, readings, owned, metric, found)


def _read_grids(
    request: OwnRequest,
) -> tuple[geopandas.GeoDataFrame, pyproj.CRS, tuple[list[Fault], list[Note]]]:
    """Return the finest grids in code order, their metric system, and what was found."""
    name = ", ".join(path.name for path in request.grids)
    found = read_boundaries(
        request.grids, crs=request.grids_crs, encoding=request.encoding, layer=request.layer
    )
    mapping = {"code": request.grid_code} if request.grid_code else None
    try:
        table, _ = read_columns(found.frame.drop(columns=FILE_COLUMN), mapping=mapping)
    except BadGrid as error:
        raise BadFile(error.faults, file=name) from error
    doubles = find_duplicates(table["code"].tolist(), table["level"].tolist())
    if doubles:
        raise BadFile([duplicate_fault(double) for double in doubles], file=name)
    finest = next(level for level in reversed(LEVELS) if (table["level"] == level).any())
    ordered = table[table["level"] == finest].sort_values("code", kind="stable", ignore_index=True)
    notes = [note for reading in found.readings for note in reading.notes]
    return ordered, pyproj.CRS(found.frame.crs), (found.faults, notes)


def _read_points(path: Path, request: OwnRequest) -> Reading:
    if path.suffix.lower() in _TABLE_SUFFIXES:
        return read_table(path, crs=request.crs, encoding=request.encoding, mapping=request.mapping)
    return read_geometries(path, crs=request.crs, encoding=request.encoding)


def _check_recorded(readings: list[Reading], column: str | None) -> None:
    for reading in readings:
        if column is not None and column not in reading.frame.columns:
            have = ", ".join(str(name) for name in reading.frame.columns if name != "geometry")
            raise BadFile(
                Fault(key="map_column", values={"column": column, "have": have}), file=reading.file
            )


def _place(reading: Reading, metric: pyproj.CRS) -> tuple[Floats, Floats]:
    x, y, source = raw_places(reading)
    x_m, y_m = to_metric(x, y, source, metric)
    return x_m, y_m


def _output_frame(
    readings: list[Reading], owned: Ownership, codes: NDArray[np.object_]
) -> pd.DataFrame:
    """Return the input's columns, as text, with the owner's beside them."""
    parts = [
        pd.DataFrame(reading.frame.drop(columns="geometry", errors="ignore"))
        for reading in readings
    ]
    frame = pd.concat(parts, ignore_index=True)
    named = np.where(owned.owner >= 0, codes[np.maximum(owned.owner, 0)], "")
    added = {
        "grid_code": named.astype(str),
        "rule": np.array(RULES)[owned.rule],
        "distance_m": np.round(owned.distance_m.astype(np.float64), 3),
        "near_line": owned.near_line,
    }
    clash = [name for name in added if name in frame.columns]
    frame = frame.rename(columns={name: f"input_{name}" for name in clash})
    return frame.assign(**added)


def _writer(out: Path) -> Callable[[pd.DataFrame, Floats, Floats], None]:
    """Return how to write the kind of file that `out` names, before any work is done for it."""
    suffix = out.suffix.lower()
    if suffix not in _WRITERS:
        known = ", ".join(_WRITERS)
        key = "out_format" if suffix else "out_suffix"
        raise BadSetting(Fault(key=key, values={"suffix": suffix, "known": known}), file=str(out))
    if out.is_dir():
        raise BadSetting(Fault(key="out_folder"), file=str(out))
    if not out.parent.is_dir():
        raise BadFile(Fault(key="out_no_folder"), file=str(out.parent))
    if not os.access(out.parent, os.W_OK):
        raise NotAllowed(Fault(key="system_denied"), file=str(out.parent))
    write = _WRITERS[suffix]

    def write_whole(frame: pd.DataFrame, lon: Floats, lat: Floats) -> None:
        # Written beside and renamed: a killed run leaves no half file under the name asked for.
        part = out.with_name(f".{out.stem}.{os.getpid()}{suffix}")
        try:
            write(frame, lon, lat, part)
            part.replace(out)
        finally:
            part.unlink(missing_ok=True)

    return write_whole


def _write_csv(frame: pd.DataFrame, _lon: Floats, _lat: Floats, path: Path) -> None:
    frame.to_csv(path, index=False, encoding="utf-8-sig")  # the mark that Excel needs


def _write_parquet(frame: pd.DataFrame, lon: Floats, lat: Floats, path: Path) -> None:
    _located(frame, lon, lat).to_parquet(path, index=False)


def _write_gpkg(frame: pd.DataFrame, lon: Floats, lat: Floats, path: Path) -> None:
    _located(frame, lon, lat).to_file(path, driver="GPKG", layer="points")


def _write_geojson(frame: pd.DataFrame, lon: Floats, lat: Floats, path: Path) -> None:
    _located(frame, lon, lat).to_file(path, driver="GeoJSON")


def _located(frame: pd.DataFrame, lon: Floats, lat: Floats) -> geopandas.GeoDataFrame:
    points = np.full(len(frame), None, dtype=object)
    known = np.isfinite(lon) & np.isfinite(lat)
    points[known] = shapely.points(lon[known], lat[known])
    return geopandas.GeoDataFrame(frame, geometry=points, crs=4326)


_WRITERS = {
    ".csv": _write_csv,
    ".parquet": _write_parquet,
    ".gpkg": _write_gpkg,
    ".geojson": _write_geojson,
}


# --- what the report says ------------------------------------------------------------------------


def _compare(
    request: OwnRequest,
    grids: geopandas.GeoDataFrame,
    readings: list[Reading],
    owned: Ownership,
    metric: pyproj.CRS,
) -> Recorded:
    column = str(request.recorded)
    texts = [reading.frame[column].fillna("").astype(str).str.strip() for reading in readings]
    raw = [raw_places(reading) for reading in readings]
    x, y = (np.concatenate([item[axis] for item in raw]) for axis in (0, 1))
    return compare_recorded(
        pd.concat(texts, ignore_index=True).to_numpy(str),
        column=column,
        codes=grids["code"].to_numpy(str),
        polygons=grids.geometry.to_numpy(),
        owner=owned.owner,
        raw=(x, y),
        source=raw[0][2],
        metric=metric,
    )


def _report(
    request: OwnRequest,
    grids: geopandas.GeoDataFrame,
    readings: list[Reading],
    owned: Ownership,
    metric: pyproj.CRS,
    found: tuple[list[Fault], list[Note]],
) -> OwnReport:
    counts = np.bincount(owned.rule, minlength=len(RULES))
    compared = _compare(request, grids, readings, owned, metric) if request.recorded else None
    return OwnReport(
        out=str(request.out),
        points=len(owned.owner),
        grids=len(grids),
        by_rule={name: int(counts[code]) for code, name in enumerate(RULES) if counts[code]},
        near_line=int(owned.near_line.sum()),
        near_line_m=request.near_line_m,
        recorded=compared,
        dropped_columns=tuple(dict.fromkeys(c for r in readings for c in r.dropped_columns)),
        faults=(*found[0], *(fault for reading in readings for fault in reading.faults)),
        notes=(*found[1], *(note for reading in readings for note in reading.notes)),
    )
