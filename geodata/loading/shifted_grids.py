"""Boundaries that do not fit their parents because they are drawn in a shifted system."""

from __future__ import annotations

from collections.abc import Sequence

import geopandas
import numpy as np
import shapely
from numpy.typing import NDArray

from geodata.coordinates import parse_crs, shapes_to_metric, to_lonlat
from geodata.errors import Fault
from geodata.levels import LEVELS
from geodata.reading import Reading

_SHIFTED = ("GCJ-02", "BD-09")
_FEWEST_GRIDS, _MOST_GRIDS = 5, 200  # looked at: fewer say nothing, more say no more
_WITHIN = 0.99  # of a grid's area in one parent, as for parents found by overlap
_FITS, _MISFITS = 0.95, 0.9  # shares of the grids


def find_shift(
    grids: geopandas.GeoDataFrame,
    readings: Sequence[Reading],
    *,
    drawn: geopandas.GeoDataFrame,
    level: str | None,
) -> Fault | None:
    """
    Return a fault that names the shifted system in which grids would fit their parents, or None.

    `grids` are metres of `drawn`, the drawing in force, and came in degrees of no shifted system.
    Nothing is switched: a person reads the two shares and names the system.
    """
    plain = all(one.crs is not None and one.crs.kind == "crs" and one.crs.is_lonlat
                for one in readings)  # fmt: skip
    parents = _parents_of(drawn, level)
    if not plain or not len(parents) or len(grids) < _FEWEST_GRIDS:
        return None
    shapes = grids.geometry.to_numpy()[:: -(-len(grids) // _MOST_GRIDS)]
    degrees = shapely.transform(
        shapes, lambda xy: np.column_stack(to_lonlat(xy[:, 0], xy[:, 1], grids.crs))
    )
    fit = {"WGS 84": _share_within(shapes, parents)}
    for name in _SHIFTED:
        moved = shapes_to_metric(degrees, parse_crs(name), grids.crs)
        fit[name] = _share_within(moved, parents)
    best = max(_SHIFTED, key=fit.__getitem__)
    if fit[best] < _FITS or fit["WGS 84"] > _MISFITS:
        return None
    values = {"crs": best, "fits": f"{fit[best]:.0%}", "plain": f"{fit['WGS 84']:.0%}"}
    return Fault(key="grids_shifted", values=values)


def _parents_of(drawn: geopandas.GeoDataFrame, level: str | None) -> NDArray[np.object_]:
    """Return the shapes of the finest level above one."""
    below = LEVELS.index(level) if level in LEVELS else len(LEVELS)
    above = [one for one in LEVELS[:below] if (drawn["level"] == one).any()]
    if not above:
        return np.empty(0, object)
    shapes: NDArray[np.object_] = drawn[drawn["level"] == above[-1]].geometry.to_numpy(object)
    return shapes


def _share_within(shapes: NDArray[np.object_], parents: NDArray[np.object_]) -> float:
    """Return the share of shapes that lie within one parent but for a hundredth."""
    sound = shapely.make_valid(shapes)
    child, parent = shapely.STRtree(parents).query(sound, predicate="intersects")
    inside = np.zeros(len(sound))
    common = shapely.area(shapely.intersection(sound[child], parents[parent]))
    np.maximum.at(inside, child, common)
    return float((inside >= _WITHIN * shapely.area(sound)).mean())
