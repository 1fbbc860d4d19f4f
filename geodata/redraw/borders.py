"""Borders: a shared vertex moved, a shared border drawn anew."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import shapely

from geodata.coverage.edges import MM_PER_M, Floats, Ints
from geodata.errors import BadGrid, Fault
from geodata.redraw.changes import Change, Edit
from geodata.redraw.draft import Draft, round_mm
from geodata.redraw.lines import lead_ends, read_line
from geodata.redraw.patch import (
    Faces,
    check_shapes,
    commit_shapes,
    keeps_rim,
    redraw_patch,
    refuse_grid,
)

WITHIN_M = 0.05


def move_vertex(draft: Draft, edit: Edit) -> Change:
    """
    Move one shared vertex in every grid that has it; on an edge without one, set one there first.

    Raises BadGrid: no line there, the city's outer line, a community's line without `across`, a
    grid that would cross itself or another.
    """
    at, to = round_mm(edit["at"])[0], round_mm(edit["to"])[0]
    reach = edit.get("within_m", WITHIN_M) * MM_PER_M
    near = draft.near([*(at - reach), *(at + reach)]).tolist()
    found = _find_vertex(draft, near, at, reach) or _find_edge(draft, near, at, reach)
    if found is None:
        raise BadGrid(Fault(key="redraw_no_vertex", field="at"))
    holders, old, beyond = found
    if not edit.get("across") and len({draft.grids[uid].parent for uid in holders}) > 1:
        raise BadGrid(Fault(key="redraw_other_community"))

    def carry(xy: Floats) -> Floats:
        return _set_point(xy, old, beyond, to)

    after = {
        uid: shapely.remove_repeated_points(_transform_rings(draft.grids[uid].shape, carry))
        for uid in holders
    }
    check_shapes(draft, after)
    if not keeps_rim(draft, holders, list(after.values())):
        raise BadGrid(Fault(key="redraw_outer_line"))
    return commit_shapes(draft, edit, after)


def drag_border(draft: Draft, edit: Edit) -> Change:
    """
    Draw the border of two neighbours anew: the land between the old one and the line changes hands.

    Ends of the line that stop short are led to the border. Raises BadGrid.
    """
    if len(edit["grids"]) != 2:
        raise BadGrid(Fault(key="redraw_two_grids", field="grids"))
    pair = [draft.grid(uid) for uid in edit["grids"]]
    for grid in pair:
        if draft.is_locked(grid.uid):
            raise refuse_grid("redraw_locked", draft, grid.uid)
    if not edit.get("across") and pair[0].parent != pair[1].parent:
        raise BadGrid(Fault(key="redraw_other_community"))
    one, two = pair
    border = shapely.intersection(shapely.boundary(one.shape), shapely.boundary(two.shape))
    if shapely.length(border) == 0:
        raise BadGrid(Fault(key="redraw_not_neighbours"))
    both = shapely.coverage_union_all([one.shape, two.shape])
    rim = shapely.boundary(both)
    line = lead_ends(read_line(edit["line"]), [border, rim], inside=both)
    cut = shapely.intersection(line, both)
    if shapely.length(cut) == 0:
        raise refuse_grid("redraw_line_misses", draft, one.uid)

    def decide(faces: Faces) -> Ints:
        owner = faces.old.copy()
        for giver, taker in ((one.uid, two.uid), (two.uid, one.uid)):
            rows = np.flatnonzero(faces.old == giver)
            rows = np.delete(rows, _rim_length(faces.polygons[rows], rim).argmax())
            owner[rows] = taker
        if (owner == faces.old).all():
            raise BadGrid(Fault(key="redraw_line_ends", values={"code": one.code}))
        return owner

    after = redraw_patch(draft, [one.uid, two.uid], cut, decide)
    check_shapes(draft, after)
    return commit_shapes(draft, edit, after)


def _rim_length(shapes: Any, rim: Any) -> Floats:
    """Return how much of each polygon's line runs along a rim, to within the rounding."""
    beside = shapely.buffer(rim, 2.0, quad_segs=1)
    return np.asarray(shapely.length(shapely.intersection(shapely.boundary(shapes), beside)))


Found = tuple[list[int], Floats, "Floats | None"]


def _find_vertex(draft: Draft, near: list[int], at: Floats, reach: float) -> Found | None:
    """Return who holds the vertex nearest to a point within reach, and the vertex."""
    xy, row = shapely.get_coordinates(draft.shapes(near), return_index=True)
    away = np.hypot(*(xy - at).T)
    if not len(xy) or away.min() > reach:
        return None
    vertex = xy[away.argmin()]
    holders = np.unique(row[(xy == vertex).all(axis=1)])
    return [near[item] for item in holders.tolist()], vertex, None


def _find_edge(draft: Draft, near: list[int], at: Floats, reach: float) -> Found | None:
    """Return who shares the edge nearest to a point within reach, and the edge's ends."""
    rings, owner = shapely.get_rings(shapely.get_parts(draft.shapes(near)), return_index=True)
    if not len(rings):
        return None
    xy, ring = shapely.get_coordinates(rings, return_index=True)
    same = ring[1:] == ring[:-1]
    start, end = xy[:-1][same], xy[1:][same]
    away = shapely.distance(shapely.linestrings(np.stack([start, end], axis=1)), shapely.Point(at))
    best = int(away.argmin())
    if away[best] > reach:
        return None
    one, two = start[best], end[best]
    same_edge = ((start == one) & (end == two)).all(axis=1) | ((start == two) & (end == one)).all(
        axis=1
    )
    parts = shapely.get_parts(draft.shapes(near), return_index=True)[1]
    holders = np.unique(parts[owner[ring[:-1][same][same_edge]]])
    return [near[item] for item in holders.tolist()], one, two


def _set_point(xy: Floats, old: Floats, beyond: Floats | None, to: Floats) -> Floats:
    """Return a ring with a vertex moved, or with a new one between `old` and `beyond`."""
    if beyond is None:
        moved = xy.copy()
        moved[(xy == old).all(axis=1)] = to
        return moved
    one, two = (xy == old).all(axis=1), (xy == beyond).all(axis=1)
    after = np.flatnonzero((one[:-1] & two[1:]) | (two[:-1] & one[1:])) + 1
    return np.insert(xy, after, to, axis=0)


def _transform_rings(shape: Any, carry: Callable[[Floats], Floats]) -> Any:
    parts = [
        shapely.Polygon(
            carry(shapely.get_coordinates(part.exterior)),
            [carry(shapely.get_coordinates(hole)) for hole in part.interiors],
        )
        for part in shapely.get_parts(shape)
    ]
    return parts[0] if len(parts) == 1 else shapely.MultiPolygon(parts)
