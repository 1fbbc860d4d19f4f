"""Assignment: each point of a file to the grid that owns it, without any city."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import geopandas
import numpy as np
import pandas as pd
import pyproj
from numpy.typing import NDArray

from geodata.coordinates import to_lonlat, to_metric
from geodata.errors import BadFile, BadSetting, Fault
from geodata.loading.placing import raw_places
from geodata.loading.report import group_faults, group_notes
from geodata.loading.request import Progress
from geodata.notes import Note
from geodata.ownership import RULES, OwnerIndex, Ownership
from geodata.ownership.grid_files import GridFiles, read_grids
from geodata.ownership.recorded import Recorded, compare_recorded
from geodata.ownership.result_files import free_names, open_writer
from geodata.reading import TABLE_SUFFIXES, Reading, read_geometries, read_table
from geodata.words import Lang, join, say

Floats = NDArray[np.float64]


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
    files: int  # of points
    points: int
    grids: int
    by_rule: dict[str, int]
    near_line: int
    near_line_m: float
    recorded: Recorded | None
    dropped_columns: tuple[str, ...]
    faults: tuple[tuple[str, Fault], ...]  # of which file
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
            "faults": [{"file": file, **fault.as_json(lang)} for file, fault in self.faults],
            "dropped_columns": list(self.dropped_columns),
            "notes": list(dict.fromkeys(note.sentence(lang) for note in self.notes)),
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
        by_file: dict[str, list[Fault]] = {}
        for file, fault in self.faults:
            by_file.setdefault(file, []).append(fault)
        for file, faults in by_file.items():
            lead = "  - " + (say("report.at", lang, place=file) if self.files > 1 else "")
            lines += [lead + text for text in group_faults(faults, lang)]
        return lines


def own_files(request: OwnRequest, *, progress: Progress) -> OwnReport:
    """
    Give every point of the files to the grid that owns it and write them with their owner.

    The output has the input's rows and columns in the input's order, and grid_code, rule,
    distance_m, near_line. Points without a place stay in it, with the rule no_place. Raises BadFile
    or BadSetting when nothing is written.
    """
    check_metres(request)
    write = open_writer(request.out, inputs=(*request.grids, *request.points))
    # STEP 1: grids in code order, as text: ties on a shared edge go to the smaller code
    progress("progress.read", 0.0)
    grids, metric, found = read_grids(
        GridFiles(
            files=tuple(str(path) for path in request.grids),
            crs=request.grids_crs,
            encoding=request.encoding,
            layer=request.layer,
            grid_code=request.grid_code,
        )
    )
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
    frame, renamed = _output_frame(readings, owned, grids["code"].to_numpy(str), request.out)
    write(frame, *to_lonlat(x_m, y_m, metric))
    progress("progress.write", 1.0)
    faults, notes = found
    said = [Note(key="own.renamed", values={"old": old, "new": renamed[old]}) for old in renamed]
    return _report(request, grids, readings, owned, metric, (faults, [*notes, *said]))


def _read_points(path: Path, request: OwnRequest) -> Reading:
    if path.suffix.lower() in TABLE_SUFFIXES:
        return read_table(path, crs=request.crs, encoding=request.encoding, mapping=request.mapping)
    return read_geometries(path, crs=request.crs, encoding=request.encoding)


def check_metres(request: OwnRequest) -> None:
    """Raise BadSetting for lengths that are none."""
    faults = [
        Fault(key="metres_negative", values={"option": option})
        for option, metres in (("--near", request.near_m), ("--near-line", request.near_line_m))
        if not 0 <= metres < np.inf
    ]
    if faults:
        raise BadSetting(faults)


def _check_recorded(readings: list[Reading], column: str | None) -> None:
    for reading in readings:
        if column is not None and column not in reading.frame.columns:
            have = ", ".join(str(name) for name in reading.frame.columns if name != "geometry")
            raise BadFile(
                Fault(key="recorded_column", values={"column": column, "have": have}),
                file=reading.file,
            )


def _place(reading: Reading, metric: pyproj.CRS) -> tuple[Floats, Floats]:
    x, y, source = raw_places(reading)
    x_m, y_m = to_metric(x, y, source, metric)
    return x_m, y_m


def _output_frame(
    readings: list[Reading], owned: Ownership, codes: NDArray[np.object_], out: Path
) -> tuple[pd.DataFrame, dict[str, str]]:
    """Return the input's columns, as text, with the owner's beside them, and which were renamed."""
    parts = [
        pd.DataFrame(
            reading.frame.drop(columns=reading.frame.geometry.name)
            if isinstance(reading.frame, geopandas.GeoDataFrame)
            else reading.frame
        )
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
    renamed = free_names([str(name) for name in frame.columns], out)
    return frame.rename(columns=renamed).assign(**added), renamed


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
        files=len(request.points),
        points=len(owned.owner),
        grids=len(grids),
        by_rule={name: int(counts[code]) for code, name in enumerate(RULES) if counts[code]},
        near_line=int(owned.near_line.sum()),
        near_line_m=request.near_line_m,
        recorded=compared,
        dropped_columns=tuple(dict.fromkeys(c for r in readings for c in r.dropped_columns)),
        faults=(
            *((", ".join(path.name for path in request.grids), fault) for fault in found[0]),
            *((reading.file, fault) for reading in readings for fault in reading.faults),
        ),
        notes=(*found[1], *(note for reading in readings for note in reading.notes)),
    )
