"""Where a file's places lie against the city: within it, or beside it until read otherwise."""

from __future__ import annotations

import numpy as np
import shapely
from numpy.typing import NDArray

from geodata.city import City
from geodata.coordinates import SourceCrs, parse_crs, to_metric
from geodata.loading.placing import raw_places
from geodata.notes import Note
from geodata.reading import Reading

Floats = NDArray[np.float64]

_MOST_POINTS = 2_000
_READINGS = ("EPSG:4326", "GCJ-02", "BD-09")
# Fewer places outside say nothing: cases on a border road, a camera across the river.
_FEWEST, _LEAST_SHARE = 3, 0.01
_CLEARLY = 0.5  # of the places outside as declared


def tell_outside(city: City, reading: Reading, *, now: int) -> list[Note]:
    """
    Return what is to be said of places that lie in no area of the city, of at most 2,000 of them.

    Where degrees read as another of WGS 84, GCJ-02 and BD-09 leave at most half as many outside,
    that system is named. Nothing is switched; a city without grids says nothing.
    """
    system = city.grids_in_force(now) if city.crs_text else None
    if system is None or reading.crs is None:
        return []
    x, y, source = raw_places(reading)
    known = np.isfinite(x) & np.isfinite(y)
    step = max(int(known.sum()) // _MOST_POINTS, 1)
    x, y = x[known][::step], y[known][::step]
    tree = shapely.STRtree(system.level(system.levels[0]).geometry.to_numpy())
    out = _count_outside(tree, x, y, source, city)
    if out < max(_FEWEST, _LEAST_SHARE * len(x)):
        return []
    values = {"n": f"{len(x):,}", "out": f"{out:,}"}
    if source.is_lonlat and source.kind != "fit":
        others = {
            name: _count_outside(tree, x, y, parse_crs(name), city)
            for name in _READINGS
            if parse_crs(name).kind != source.kind
        }
        better = min(others, key=others.__getitem__)
        if others[better] <= _CLEARLY * out:
            values |= {"crs": better, "fewer": f"{others[better]:,}"}
            return [Note(key="report.outside_better", values=values)]
    return [Note(key="report.outside", values=values)]


def _count_outside(
    tree: shapely.STRtree, x: Floats, y: Floats, source: SourceCrs, city: City
) -> int:
    east, north = to_metric(x, y, source, city.crs)
    inside = tree.query(shapely.points(east, north), predicate="intersects")[0]
    return len(x) - len(np.unique(inside))
