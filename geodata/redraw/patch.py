"""The one primitive: node a patch, polygonize it, give each face an owner, dissolve by owner."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import shapely

from geodata.coverage.edges import Geometries, Ints, open_chain
from geodata.coverage.report import SLIVER_M
from geodata.errors import BadGrid, Fault
from geodata.redraw.changes import Change, Edit, Grid
from geodata.redraw.corners import drop_corners
from geodata.redraw.draft import Draft

NOBODY = -1
_GRID_MM = 1.0
_WIDENINGS = 3
_BESIDE_MM = 1.5  # a node rounded to the millimetre lies so near its line at most
_MM_PER_M = 1000.0

Step = tuple[int, int, int, int]  # one directed edge, whole mm


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Faces:
    """The faces of a noded patch: polygons (mm), a point inside each, the uid that owned each."""

    polygons: Geometries
    inner: Geometries
    old: Ints


Decide = Callable[[Faces], Ints]


def redraw_patch(draft: Draft, core: Collection[int], line: Any, decide: Decide) -> dict[int, Any]:
    """
    Cut the grids around `core` by a line (mm) and own each face anew; return what changed.

    `decide` returns the new owner's uid of each face. The result has the new polygon by uid, None
    for a grid without land left; grids that stay the same are not in it. Where a node fell on the
    rim of the patch, the patch is widened and cut again. Raises BadGrid where that does not end.
    """
    patch = draft.ring(core)
    for attempt in range(_WIDENINGS):
        before = draft.shapes(patch)
        faces = _cut_faces(patch, before, line, again=attempt > 0)
        after = _dissolve(faces, decide(faces))
        if keeps_rim(draft, patch, list(after.values())):
            return _pick_changed(patch, before, after)
        patch = draft.ring(patch)
    raise BadGrid(Fault(key="redraw_not_exact"))


def keeps_rim(draft: Draft, patch: Collection[int], after: list[Any]) -> bool:
    """
    Prove that new polygons tile the land of a patch exactly.

    Their open chain equals that of the old ones, but for nodes set into the outer line of all
    grids, beside it by at most the rounding. Whole numbers; nothing depends on a tolerance.
    """
    was = open_chain(draft.shapes(patch))
    now = open_chain(np.array(after, dtype=object))
    if was.shape == now.shape and (was == now).all():
        return True
    lost, gained = _differ(was, now)
    around = [uid for uid in draft.ring(patch) if uid not in set(patch)]
    outside = set(map(tuple, open_chain(draft.shapes(around)).tolist())) if around else set()
    if any((c, d, a, b) in outside for a, b, c, d in lost):
        return False
    return _runs_beside(lost, gained)


def is_same_line(old: Any, new: Any) -> bool:
    """Tell whether a polygon differs from an older one only by nodes set into its line."""
    shapes = (np.array([shape], dtype=object) for shape in (old, new))
    return _runs_beside(*_differ(*map(open_chain, shapes)))


def check_shapes(
    draft: Draft, after: Mapping[int, Any], *, may_enclose: bool = False, may_end: bool = False
) -> None:
    """
    Refuse shapes that make no good drawing; `after` holds them by uid, None for no land left.

    Raises BadGrid: a grid that is locked, loses all its land, falls into parts, closes around
    others, crosses itself or becomes a sliver.
    """
    for uid, shape in after.items():
        old = draft.grids.get(uid)
        if shape is not None and _count_parts(shape) > (
            1 if old is None else _count_parts(old.shape)
        ):
            raise refuse_grid("redraw_falls_apart", draft, uid)
    for uid, shape in after.items():
        old = draft.grids.get(uid)
        was = None if old is None else old.shape
        if draft.is_locked(uid) and (shape is None or not is_same_line(was, shape)):
            raise refuse_grid("redraw_locked", draft, uid)
        if shape is not None:
            _check_shape(draft, uid, shape, was, may_enclose=may_enclose)
        elif not may_end:
            raise refuse_grid("redraw_swallowed", draft, uid)


def commit_shapes(
    draft: Draft,
    edit: Edit,
    after: Mapping[int, Any],
    *,
    made: Mapping[int, Grid] | None = None,
    notes: tuple[str, ...] = (),
) -> Change:
    """
    Write new shapes into a draft; `made` describes the grids that are new.

    Raises BadGrid where nothing would change, or a new code is taken.
    """
    if not after:
        raise BadGrid(Fault(key="redraw_nothing_changes"))
    known = {**draft.grids, **(made or {})}
    for grid in (made or {}).values():
        check_code(draft, grid)
    if edit.get("tidy"):
        after = _tidy(draft, after, known)
    grids = {
        uid: None if shape is None else replace(known[uid], shape=shape)
        for uid, shape in after.items()
    }
    return draft.commit(edit, grids, notes=notes)


def _tidy(draft: Draft, after: Mapping[int, Any], known: Mapping[int, Grid]) -> Mapping[int, Any]:
    """Return new shapes without needless corners where that is proved to tile, else as they are."""
    fewer = drop_corners(draft, after, known)
    patch = [uid for uid in after if uid in draft.grids]
    proved = keeps_rim(draft, patch, [shape for shape in fewer.values() if shape is not None])
    return fewer if proved else after


def check_code(draft: Draft, grid: Grid) -> None:
    """Raise BadGrid where another grid of the same level has the code of `grid`."""
    rows = (*draft.grids.values(), *draft.outer.values())
    taken = {(row.level, row.code) for row in rows if row.uid != grid.uid}
    if (grid.level, grid.code) in taken:
        raise BadGrid(Fault(key="redraw_code_taken", field="code", values={"code": grid.code}))


def new_grid(like: Grid, uid: int, edit: Edit, *, kind: str | None = None) -> Grid:
    """Return a new grid beside another; without a code of its own it is called by its uid."""
    code = edit.get("code") or f"+{uid}"
    return replace(
        like, uid=uid, code=code, name=edit.get("name") or code, kind=kind or like.kind, body=""
    )


def refuse_grid(key: str, draft: Draft, uid: int) -> BadGrid:
    """Return the refusal that names one grid by its code."""
    return BadGrid(Fault(key=key, values={"code": draft.code_of(uid) or f"+{uid}"}))


def keeps_outline(before: Geometries, after: Geometries, *, within_mm: float) -> bool:
    """Tell whether polygons (mm) have the outer lines of others, but for nodes set beside them."""
    return _runs_beside(*_differ(open_chain(before), open_chain(after)), within_mm)


def _cut_faces(patch: list[int], before: Geometries, line: Any, *, again: bool) -> Faces:
    lines = np.append(shapely.boundary(before), line)
    cut = shapely.union_all(lines, grid_size=_GRID_MM)
    if again:  # one pass of snap rounding can bend a line to within a step of another node
        cut = shapely.union_all(np.array([cut], dtype=object), grid_size=_GRID_MM)
    faces = shapely.get_parts(shapely.polygonize([cut]))
    inner = shapely.point_on_surface(faces)
    face, row = shapely.STRtree(before).query(inner, predicate="within")
    # Faces in no grid are gaps that the drawing has: they stay what they are.
    return Faces(polygons=faces[face], inner=inner[face], old=np.array(patch, np.int64)[row])


def _dissolve(faces: Faces, owner: Ints) -> dict[int, Any]:
    order = np.argsort(owner, kind="stable")
    uids, first = np.unique(owner[order], return_index=True)
    groups = np.split(faces.polygons[order], first[1:])
    return {
        int(uid): group[0] if len(group) == 1 else shapely.coverage_union_all(group)
        for uid, group in zip(uids, groups, strict=True)
    }


def _pick_changed(patch: list[int], before: Geometries, after: dict[int, Any]) -> dict[int, Any]:
    old = dict(zip(patch, before, strict=True))
    changed: dict[int, Any] = {uid: None for uid in patch if uid not in after}
    for uid, shape in after.items():
        if uid not in old or not _is_equal(old[uid], shape):
            changed[uid] = shapely.orient_polygons(shape, exterior_cw=False)
    return changed


def _is_equal(one: Any, two: Any) -> bool:
    if shapely.get_num_coordinates(one) != shapely.get_num_coordinates(two):
        return False
    return bool(shapely.equals_exact(shapely.normalize(one), shapely.normalize(two)))


def _differ(was: Ints, now: Ints) -> tuple[set[Step], set[Step]]:
    """Return the edges of one chain that another has not, both ways."""
    old, new = (set(map(tuple, chain.tolist())) for chain in (was, now))
    return old - new, new - old


def _runs_beside(lost: set[Step], gained: set[Step], within_mm: float = _BESIDE_MM) -> bool:
    """Tell whether each lost edge is replaced by a path of gained ones that keeps beside it."""
    onward: dict[tuple[int, int], list[tuple[int, int]]] = {}
    for a, b, c, d in gained:
        onward.setdefault((a, b), []).append((c, d))
    used = 0
    for ax, ay, bx, by in lost:
        at = (ax, ay)
        while at != (bx, by):
            steps = onward.get(at, [])
            good = [to for to in steps if _keeps_beside((ax, ay), (bx, by), at, to, within_mm)]
            if not good:
                return False
            steps.remove(good[0])  # where a line touches itself, several go on from one point
            at, used = good[0], used + 1
    return used == len(gained)


def _keeps_beside(
    start: tuple[int, int],
    end: tuple[int, int],
    at: tuple[int, int],
    to: tuple[int, int],
    within_mm: float,
) -> bool:
    """Tell whether the step from `at` to `to` runs along an edge, beside it and not back."""
    way = (end[0] - start[0], end[1] - start[1])
    aside = abs((to[0] - start[0]) * way[1] - (to[1] - start[1]) * way[0])
    onward = (to[0] - at[0]) * way[0] + (to[1] - at[1]) * way[1]
    return onward > 0 and aside <= within_mm * float(np.hypot(*way))


def _check_shape(draft: Draft, uid: int, shape: Any, old: Any, *, may_enclose: bool) -> None:
    if not shapely.is_valid(shape):
        raise refuse_grid("redraw_crosses", draft, uid)
    if not may_enclose and _count_holes(shape) > (0 if old is None else _count_holes(old)):
        raise refuse_grid("redraw_encloses", draft, uid)
    width = _mean_width_m(shape)
    if width < SLIVER_M and (old is None or width < _mean_width_m(old)):
        values = {"code": draft.code_of(uid) or f"+{uid}", "width_m": f"{width:.2f}"}
        raise BadGrid(Fault(key="redraw_sliver", values=values))


def _count_parts(shape: Any) -> int:
    return int(shapely.get_num_geometries(shape))


def _count_holes(shape: Any) -> int:
    return int(shapely.get_num_interior_rings(shapely.get_parts(shape)).sum())


def _mean_width_m(shape: Any) -> float:
    half_perimeter = float(shapely.length(shape)) / 2
    return float(shapely.area(shape)) / half_perimeter / _MM_PER_M if half_perimeter else 0.0
