"""What is said of a file's places that lie beside the city, and of the system they may be in."""

from __future__ import annotations

import math

import numpy as np
import pandas as pd

from geodata.city import City
from geodata.loading.datums import OutlineEvidence, ReadAs, weigh_readings
from geodata.loading.placing import raw_places
from geodata.loading.sampling import DATUM_NAMES
from geodata.loading.trusted_layer import TrustedLayers
from geodata.notes import Note
from geodata.reading import Reading
from geodata.words import Word

FAR_M = 5_000.0  # no datum shifts so much: such a place is another city's, or mistyped
_ROWS_NAMED = 5


def find_outside(city: City, reading: Reading, *, now: int) -> OutlineEvidence | None:
    """Return how many of a file's places lie in no area of the city; None without either."""
    system = city.grids_in_force(now) if city.crs_text else None
    if system is None or reading.crs is None or (reading.x is None and not _has_shapes(reading)):
        return None
    return weigh_readings(*raw_places(reading), city=city, system=system)


def tell_outside(city: City, reading: Reading, *, now: int, dry_run: bool) -> list[Note]:
    """
    Return what a load says of places that lie in no area of the city.

    A dry run holds them against the city's own roads and buildings too. Nothing is switched.
    """
    evidence = find_outside(city, reading, now=now)
    notes = describe_outside(evidence)
    if dry_run and evidence is not None and reading.crs is not None:
        notes += _tell_trusted(city, reading)
    return notes


def tell_far(city: City, table: pd.DataFrame, *, now: int) -> list[Note]:
    """
    Name the accepted rows that lie far beside the city: of a sound file such a place is a mistake.

    `table` is indexed by row number and holds places in `x_mm`, `y_mm`. Held against the box around
    the areas: what lies near it the owners count.
    """
    system = city.grids_in_force(now) if city.crs_text and "x_mm" in table else None
    if system is None:
        return []
    west, south, east, north = system.level(system.levels[0]).total_bounds
    x, y = (table[name].to_numpy(float) / 1000 for name in ("x_mm", "y_mm"))
    off_m = np.maximum.reduce([west - x, x - east, south - y, y - north])
    rows = table.index[off_m > FAR_M]
    if not len(rows):
        return []
    named = tuple(str(row) for row in rows[:_ROWS_NAMED])
    more = ("…",) if len(rows) > _ROWS_NAMED else ()
    values = {"n": f"{len(rows):,}", "km": f"{FAR_M / 1000:.0f}", "rows": (*named, *more)}
    return [Note(key="report.far", values=values)]


def describe_outside(evidence: OutlineEvidence | None) -> list[Note]:
    """Return one sentence on the places outside, none where all is well."""
    if evidence is None or not evidence.doubtful:
        return []
    declared, out = evidence.declared, evidence.outside[evidence.declared]
    off_m = evidence.off_m[declared]
    values: dict[str, object] = {
        "n": f"{evidence.points:,}",
        "out": f"{out:,}",
        "off": f"{off_m:,.0f}" if math.isfinite(off_m) else "–",
        "each": tuple(_count(one, evidence) for one in evidence.outside if one != declared),
    }
    best = evidence.better
    if best is not None:
        values |= {"fewer": f"{evidence.outside[best]:,}", "better": name_reading(best)}
        if best.swapped and best.crs == declared.crs:
            return [Note(key="report.outside_swapped", values=values)]
        values["crs"] = f"{best.crs} --swapped" if best.swapped else best.crs
        return [Note(key="report.outside_better", values=values)]
    if evidence.likely:
        likely = tuple(name_reading(one) for one in evidence.likely)
        return [Note(key="report.outside_either", values=values | {"likely": likely})]
    if values["each"]:
        return [Note(key="report.outside_untold", values=values)]
    return [Note(key="report.outside", values=values)]


def name_reading(one: ReadAs) -> Word | str:
    """Return what a way of reading is called."""
    return Word("report.read_swapped", {"crs": one.crs}) if one.swapped else one.crs


def _count(one: ReadAs, evidence: OutlineEvidence) -> Word:
    values: dict[str, object] = {"how": name_reading(one), "out": f"{evidence.outside[one]:,}"}
    return Word("report.outside_as", values)


def _tell_trusted(city: City, reading: Reading) -> list[Note]:
    x, y, source = raw_places(reading)
    if not source.is_lonlat or source.kind == "fit":
        return []
    measured = TrustedLayers(city).measure(x, y, declared=DATUM_NAMES[source.kind])
    if measured is None or measured.better is None:
        return []
    medians = tuple(
        Word("report.trusted_as", {"how": name, "metres": f"{metres:.1f}"})
        for name, metres in measured.median_m.items()
    )
    values = {"n": f"{measured.points:,}", "each": medians, "crs": measured.better}
    return [Note(key="report.trusted_better", values=values)]


def _has_shapes(reading: Reading) -> bool:
    return "geometry" in reading.frame
