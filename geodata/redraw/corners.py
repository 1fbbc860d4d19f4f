"""Corners: those that an edit leaves without need, dropped where a grid has many."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import shapely

from geodata.redraw.changes import Grid
from geodata.redraw.draft import Draft

MANY = 200  # corners of a grid: below them nothing is dropped
_TOLERANCE_MM = 200.0  # a corner whose triangle is below its square (0.04 m²) is none to an eye


def drop_corners(
    draft: Draft, after: Mapping[int, Any], known: Mapping[int, Grid]
) -> dict[int, Any]:
    """
    Return new shapes (mm, by uid) with fewer corners, those as they are where none has many.

    Only lines between two grids of one outer grid that both change lose corners (Visvalingam and
    Whyatt, as GEOS simplifies coverages): a community's line, a locked grid's, that of a grid
    around and the city's own keep every one of theirs.
    """
    found = dict(after)
    free = [
        uid for uid, shape in after.items()
        if shape is not None and not (uid in draft.grids and draft.is_locked(uid))
    ]  # fmt: skip
    for parent in sorted({known[uid].parent for uid in free}):
        uids = [uid for uid in free if known[uid].parent == parent]
        shapes = np.array([after[uid] for uid in uids], object)
        if len(uids) < 2 or shapely.get_num_coordinates(shapes).max() <= MANY:
            continue
        fewer = shapely.coverage_simplify(shapes, _TOLERANCE_MM, simplify_boundary=False)
        same = shapely.get_num_coordinates(fewer) == shapely.get_num_coordinates(shapes)
        found |= {
            uid: shape if kept else shapely.orient_polygons(simple, exterior_cw=False)
            for uid, shape, simple, kept in zip(uids, shapes, fewer, same, strict=True)
        }
    return found
