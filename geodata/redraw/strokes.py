"""Strokes: land inside an area, or under blocks, goes to a grid."""

from __future__ import annotations

from typing import Any

import numpy as np
import shapely
from numpy.typing import NDArray

from geodata.coverage.edges import Ints
from geodata.errors import BadGrid, Fault
from geodata.redraw.changes import Change, Edit
from geodata.redraw.draft import Draft, round_mm
from geodata.redraw.patch import (
    Faces,
    check_shapes,
    commit_shapes,
    new_grid,
    redraw_patch,
    refuse_grid,
)

NOTE_STOPPED = "redraw.note_stopped"
NOTE_FOLLOWED = "redraw.note_followed"
_LEAST_MM2 = 1000.0


def draw_over(draft: Draft, edit: Edit) -> Change:
    """Give everything inside a closed stroke to a grid. Raises BadGrid."""
    return _give(draft, edit, _read_area(edit["area"]))


def brush_blocks(draft: Draft, edit: Edit) -> Change:
    """Give blocks to a grid. Raises BadGrid."""
    return _give(draft, edit, _unite_blocks(draft, edit["blocks"]))


def make_special(draft: Draft, edit: Edit) -> Change:
    """
    Make a special grid of an area or of blocks, in the outer grid that has most of it.

    The grids around it keep the rest and may close around it. Raises BadGrid.
    """
    if ("area" in edit) == ("blocks" in edit):
        raise BadGrid(Fault(key="redraw_area_or_blocks"))
    area = _read_area(edit["area"]) if "area" in edit else _unite_blocks(draft, edit["blocks"])
    under = _touched(draft, area)
    like = draft.grid(_most_of(draft, under, area))
    uid = draft.next_uid
    stroke = _Stroke(draft, area, uid, parent=like.parent, follow=edit.get("rest") == "follow")
    after = redraw_patch(draft, under, shapely.boundary(area), stroke.decide)
    check_shapes(draft, after, may_enclose=True)
    made = {uid: new_grid(like, uid, edit, kind="special")}
    return commit_shapes(draft, edit, after, made=made, notes=stroke.notes())


def assign_blocks(draft: Draft, edit: Edit) -> Change:
    """
    Give many blocks to many grids at once: a proposal, or one piece of it.

    A uid not used so far makes a new grid; a grid that loses all its land is gone. Raises BadGrid.
    """
    across = edit.get("across", False)
    targets, sheets = [], []
    for name, numbers in edit["blocks"].items():
        targets.append(int(name))
        sheets.append(_unite_blocks(draft, numbers))
    areas = np.array(sheets, dtype=object)
    likes = [grid_like(draft, uid, area) for uid, area in zip(targets, areas, strict=True)]
    parents = np.array([draft.grid(like).parent for like in likes])
    core = {uid for area in areas for uid in draft.touching(area)}
    core.update(uid for uid in targets if uid in draft.grids)
    tree = shapely.STRtree(areas)

    def decide(faces: Faces) -> Ints:
        owner = faces.old.copy()
        face, sheet = tree.query(faces.inner, predicate="within")
        if not across:
            stays = parents_of(draft, faces.old[face]) == parents[sheet]
            face, sheet = face[stays], sheet[stays]
        owner[face] = np.array(targets, np.int64)[sheet]
        return owner

    after = redraw_patch(draft, core, shapely.boundary(areas), decide)
    check_shapes(draft, after, may_enclose=True, may_end=True)
    made = {
        uid: new_grid(draft.grid(like), uid, {})
        for uid, like in zip(targets, likes, strict=True)
        if uid not in draft.grids
    }
    return commit_shapes(draft, edit, after, made=made)


class _Stroke:
    """Who gets which face when everything inside an area goes to one grid."""

    def __init__(
        self, draft: Draft, area: Any, uid: int, *, parent: int | None, follow: bool
    ) -> None:
        self._draft, self._area, self._uid = draft, area, uid
        self._parent, self._follow = parent, follow
        self._stopped = self._followed = False

    def decide(self, faces: Faces) -> Ints:
        shapely.prepare(self._area)
        inside = shapely.contains(self._area, faces.inner)
        take = inside
        if self._parent is not None:
            take = inside & (parents_of(self._draft, faces.old) == self._parent)
            self._stopped = bool((inside & ~take).any())
        if not (take & (faces.old != self._uid)).any():
            key = "redraw_other_community" if self._stopped else "redraw_nothing_changes"
            raise BadGrid(Fault(key=key))
        owner = np.where(take, self._uid, faces.old)
        if self._follow:
            self._followed = _let_follow(faces, owner, self._uid)
        return owner

    def notes(self) -> tuple[str, ...]:
        said = ((NOTE_STOPPED, self._stopped), (NOTE_FOLLOWED, self._followed))
        return tuple(key for key, holds in said if holds)


def _give(draft: Draft, edit: Edit, area: Any) -> Change:
    grid = draft.grid(edit["grid"])
    if draft.is_locked(grid.uid):
        raise refuse_grid("redraw_locked", draft, grid.uid)
    stroke = _Stroke(
        draft,
        area,
        grid.uid,
        parent=None if edit.get("across") else grid.parent,
        follow=edit.get("rest") == "follow",
    )
    core = {grid.uid, *_touched(draft, area)}
    after = redraw_patch(draft, core, shapely.boundary(area), stroke.decide)
    check_shapes(draft, after)
    return commit_shapes(draft, edit, after, notes=stroke.notes())


def _let_follow(faces: Faces, owner: Ints, uid: int) -> bool:
    """Give the cut-off parts of each giving grid to the taker too; tell whether there were any."""
    followed = False
    for giver in np.unique(faces.old[faces.old != owner]).tolist():
        rows = np.flatnonzero(owner == giver)
        if len(rows) < 2:
            continue
        parts = shapely.get_parts(shapely.coverage_union_all(faces.polygons[rows]))
        if len(parts) > 1:
            largest = parts[shapely.area(parts).argmax()]
            owner[rows[~shapely.contains(largest, faces.inner[rows])]] = uid
            followed = True
    return followed


def _read_area(points_m: list[list[float]]) -> Any:
    """Return a stroke as a polygon (mm). Raises BadGrid for one that crosses itself."""
    xy = round_mm(points_m)
    if len(np.unique(xy, axis=0)) < 3:
        raise BadGrid(Fault(key="redraw_area_empty", field="area"))
    area = shapely.Polygon(xy)
    if not area.is_valid:
        raise BadGrid(Fault(key="redraw_area_crosses", field="area"))
    if area.area < _LEAST_MM2:
        raise BadGrid(Fault(key="redraw_area_empty", field="area"))
    return area


def _unite_blocks(draft: Draft, numbers: list[int]) -> Any:
    if draft.blocks is None:
        raise BadGrid(Fault(key="redraw_no_blocks", field="blocks"))
    shapes = draft.blocks.pick(numbers)
    return shapes[0] if len(shapes) == 1 else shapely.union_all(shapes, grid_size=1.0)


def _touched(draft: Draft, area: Any) -> list[int]:
    under = draft.touching(area)
    if not under:
        raise BadGrid(Fault(key="redraw_outside"))
    return under


def _most_of(draft: Draft, uids: list[int], area: Any) -> int:
    """Return a grid of the outer grid that holds most of an area, the one with most of it."""
    share = shapely.area(shapely.intersection(draft.shapes(uids), area))
    if not share.any():
        raise BadGrid(Fault(key="redraw_outside"))
    parents, group = np.unique([draft.grids[uid].parent for uid in uids], return_inverse=True)
    best = np.bincount(group, weights=share, minlength=len(parents)).argmax()
    return uids[int(np.where(group == best, share, -1.0).argmax())]


def grid_like(draft: Draft, uid: int, area: Any) -> int:
    """Return the grid itself, or for one to be made the grid that holds most of its land."""
    if uid in draft.grids:
        return uid
    if uid < draft.first_uid:
        draft.grid(uid)  # says why not: unknown, or an outer grid
    return _most_of(draft, _touched(draft, area), area)


def parents_of(draft: Draft, uids: Ints) -> NDArray[np.int64]:
    """Return the uid of the outer grid over each finest grid."""
    return np.array([draft.grids[uid].parent for uid in uids.tolist()], np.int64)
