"""A sample of a file's places, and how far each lies from the city as one datum or another."""

from __future__ import annotations

import numpy as np
import shapely
from numpy.typing import NDArray

Floats = NDArray[np.float64]

MOST_POINTS = 2_000
# The systems in degrees that a file may be in: by name, as `parse_crs` takes them.
DATUMS = {"WGS 84": "EPSG:4326", "GCJ-02": "GCJ-02", "BD-09": "BD-09"}
# A datum's name by the kind of a coordinate system in degrees.
DATUM_NAMES = {"crs": "WGS 84", "fit": "WGS 84", "gcj02": "GCJ-02", "bd09": "BD-09"}


def thin_places(x: Floats, y: Floats) -> tuple[Floats, Floats]:
    """Return at most MOST_POINTS of the places that are known, evenly over the file."""
    known = np.isfinite(x) & np.isfinite(y)
    step = max(-(-int(known.sum()) // MOST_POINTS), 1)
    return x[known][::step], y[known][::step]


def measure_nearest(
    east: Floats, north: Floats, tree: shapely.STRtree, shapes: NDArray[np.object_]
) -> Floats:
    """Return the metres from each place to the nearest shape: infinite for no place."""
    placed = np.isfinite(east) & np.isfinite(north)
    away = np.full(len(east), np.inf)
    points = shapely.points(east[placed], north[placed])
    away[placed] = shapely.distance(points, shapes[tree.nearest(points)])
    return away
