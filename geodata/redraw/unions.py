"""One grid becomes several by a line; several become one."""

from __future__ import annotations

from typing import Any

import numpy as np
import shapely

from geodata.coverage.edges import Floats, Geometries, Ints
from geodata.errors import BadGrid, Fault
from geodata.redraw.changes import Change, Edit
from geodata.redraw.draft import Draft
from geodata.redraw.lines import reach_rim, read_line, snap_line
from geodata.redraw.patch import (
    Faces,
    check_shapes,
    commit_shapes,
    keeps_rim,
    new_grid,
    redraw_patch,
    refuse_grid,
)


def split_grid(draft: Draft, edit: Edit) -> Change:
    """
    Cut a grid by a line; the part with the largest load keeps the uid, each other is a new grid.

    With `snap_m` the line follows roads that lie so near. Raises BadGrid, also where the line does
    not cut through.
    """
    grid = draft.grid(edit["grid"])
    cut = lead_cut(draft, edit)
    first = draft.next_uid

    def decide(faces: Faces) -> Ints:
        rows = np.flatnonzero(faces.old == grid.uid)
        if len(rows) < 2:
            raise refuse_grid("redraw_line_ends", draft, grid.uid)
        keep = weigh_shapes(draft, faces.polygons[rows]).argmax()
        owner = faces.old.copy()
        owner[np.delete(rows, keep)] = first + np.arange(len(rows) - 1)
        return owner

    after = redraw_patch(draft, [grid.uid], cut, decide)
    check_shapes(draft, after)
    made = sorted(uid for uid in after if uid >= first)
    named = edit if len(made) == 1 else {}
    news = {uid: new_grid(grid, uid, named) for uid in made}
    return commit_shapes(draft, edit, after, made=news)


def lead_cut(draft: Draft, edit: Edit) -> Any:
    """Return where a split will cut its grid (mm). Raises BadGrid where the line misses it."""
    grid = draft.grid(edit["grid"])
    line = snap_line(read_line(edit["line"]), draft.roads, within_m=edit.get("snap_m", 0.0))
    parts = shapely.get_parts(shapely.intersection(reach_rim(line, grid.shape), grid.shape))
    parts = parts[shapely.length(parts) > 0]  # a rim that it only touches is not cut
    if not len(parts):
        raise refuse_grid("redraw_line_misses", draft, grid.uid)
    return shapely.multilinestrings(parts) if len(parts) > 1 else parts[0]


def merge_grids(draft: Draft, edit: Edit) -> Change:
    """
    Make one grid of neighbours in one outer grid; the one with the largest load keeps its uid.

    Raises BadGrid.
    """
    uids = edit["grids"]
    grids = [draft.grid(uid) for uid in uids]
    if len(grids) < 2:
        raise BadGrid(Fault(key="redraw_merge_few", field="grids"))
    if len({grid.parent for grid in grids}) > 1:
        raise BadGrid(Fault(key="redraw_other_community"))
    keep = edit.get("keep", uids[int(weigh_shapes(draft, draft.shapes(uids)).argmax())])
    if keep not in uids:
        raise BadGrid(Fault(key="redraw_keep_unknown", field="keep"))
    for uid in uids:
        if draft.is_locked(uid):
            raise refuse_grid("redraw_locked", draft, uid)
    whole = shapely.orient_polygons(shapely.coverage_union_all(draft.shapes(uids)))
    if shapely.get_num_geometries(whole) > max(
        int(shapely.get_num_geometries(grid.shape)) for grid in grids
    ):
        raise BadGrid(Fault(key="redraw_not_neighbours"))
    after: dict[int, Any] = dict.fromkeys(uids) | {keep: whole}
    check_shapes(draft, after, may_end=True)
    if not keeps_rim(draft, uids, [whole]):
        raise BadGrid(Fault(key="redraw_not_exact"))
    return commit_shapes(draft, edit, after)


def weigh_shapes(draft: Draft, shapes: Geometries) -> Floats:
    """Return the load in each polygon (mm) by the blocks inside; by area where blocks say none."""
    area = np.asarray(shapely.area(shapes), np.float64)
    if draft.blocks is None:
        return area
    loads = draft.blocks.sum_in(shapes)
    return loads + area / max(float(area.sum()), 1.0) * 1e-9  # the area settles ties
