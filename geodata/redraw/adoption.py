"""Adoption: grids take the shapes that they have in a drawing made elsewhere."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

import numpy as np
import shapely

from geodata.coverage.edges import MM2_PER_M2, MM_PER_M, Floats, Ints
from geodata.coverage.polygons import wide_area
from geodata.coverage.report import HAIRLINE_M
from geodata.errors import BadGrid, Fault
from geodata.redraw.changes import Change, Edit
from geodata.redraw.draft import Draft, round_mm
from geodata.redraw.patch import Faces, check_shapes, commit_shapes, new_grid, redraw_patch
from geodata.redraw.strokes import grid_like, parents_of

LEAST_M2 = 1.0  # less land than this may lie otherwise than in the drawing that is adopted
_NAMED = 5


def adopt_shapes(draft: Draft, edit: Edit) -> Change:
    """
    Give each grid the shape that `shapes` has for it; a uid not used so far makes a grid.

    The grids in `gone` end. Only land of these grids changes hands; what no shape takes stays where
    it is. Raises BadGrid: where a grid would not get its shape but for 1 m2 or hairlines, or land
    would change its outer grid without `across`.
    """
    shapes = {int(name): _read_shape(parts) for name, parts in edit["shapes"].items()}
    uids, land = np.array([*shapes], np.int64), np.array([*shapes.values()], object)
    likes = {uid: grid_like(draft, uid, shape) for uid, shape in shapes.items()}
    parents = np.array([draft.grid(like).parent for like in likes.values()])
    gone = [draft.grid(uid).uid for uid in edit.get("gone", ())]
    core = [*gone, *(uid for uid in shapes if uid in draft.grids)]
    tree = shapely.STRtree(land)
    crossing: set[int] = set()

    def decide(faces: Faces) -> Ints:
        owner = faces.old.copy()
        face, row = tree.query(faces.inner, predicate="within")
        takes = np.isin(faces.old[face], core)
        if not edit.get("across"):
            stays = parents_of(draft, faces.old[face]) == parents[row]
            over = np.flatnonzero(takes & ~stays)
            over = over[_measure_wide(faces.polygons[face[over]]) > LEAST_M2]
            crossing.update(uids[row[over]].tolist())
            takes &= stays
        owner[face[takes]] = uids[row[takes]]
        return owner

    after = redraw_patch(draft, core, shapely.boundary(land), decide) if core else {}
    if crossing:
        raise _refuse(draft, "redraw_adopt_crosses", crossing)
    _check_taken(draft, after, {**shapes, **dict.fromkeys(gone)})
    check_shapes(draft, after, may_enclose=True, may_end=True)
    made = {
        uid: new_grid(draft.grid(like), uid, {})
        for uid, like in likes.items()
        if uid not in draft.grids
    }
    return commit_shapes(draft, edit, after, made=made)


def _read_shape(parts: list[list[list[list[float]]]]) -> Any:
    """Return the rings of a polygon's parts (m) as that polygon (mm). Raises BadGrid."""
    rings = [[round_mm(ring) for ring in part] for part in parts]
    if any(len(np.unique(ring, axis=0)) < 3 for part in rings for ring in part):
        raise BadGrid(Fault(key="redraw_area_empty", field="shapes"))
    found = [shapely.Polygon(part[0], part[1:]) for part in rings]
    shape = found[0] if len(found) == 1 else shapely.MultiPolygon(found)
    if not shape.is_valid:
        raise BadGrid(Fault(key="redraw_area_crosses", field="shapes"))
    return shape


def _check_taken(draft: Draft, after: Mapping[int, Any], wanted: Mapping[int, Any]) -> None:
    """Raise BadGrid where a grid has not the land that it should have; None is no land."""
    nothing = shapely.Polygon()
    got = [
        after.get(uid, draft.grids[uid].shape if uid in draft.grids else None) or nothing
        for uid in wanted
    ]
    off = shapely.symmetric_difference(got, [shape or nothing for shape in wanted.values()])
    wrong = [uid for uid, area in zip(wanted, _measure_wide(off), strict=True) if area > LEAST_M2]
    if wrong:
        raise _refuse(draft, "redraw_adopt_misfits", wrong)


def _measure_wide(polygons: Any) -> Floats:
    """Return the area (m2) of what is wider than a hairline in each polygon (mm)."""
    wide = wide_area(polygons, width=HAIRLINE_M * MM_PER_M, above=LEAST_M2 * MM2_PER_M2)
    return wide / MM2_PER_M2


def _refuse(draft: Draft, key: str, uids: Iterable[int]) -> BadGrid:
    named = sorted(uids)
    codes = tuple(draft.code_of(uid) or f"+{uid}" for uid in named[:_NAMED])
    return BadGrid(Fault(key=key, values={"n": len(named), "codes": codes}))
