"""A draft: one drawing of all grids in memory, its locks, and every change made to it."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from typing import Any

import geopandas as gpd
import numpy as np
import shapely
from pyproj import CRS

from geodata.coverage.edges import MM_PER_M, Floats, Geometries, Ints, to_m, to_mm
from geodata.errors import BadGrid, Fault
from geodata.grids.tree import GRID_COLUMNS
from geodata.levels import LEVELS, NO_PARENT, find_parent_rows, leaf_mask
from geodata.redraw.blocks import Blocks
from geodata.redraw.changes import Change, Edit, Grid, Locks

_SPARE = 64  # slots that the arrays grow by
_REACH_MM = 2.0  # shapes whose boxes come nearer than this may touch


class Draft:
    """
    A drawing that is being redrawn: its finest grids as polygons, its outer grids as their unions.

    `base` is the frame it was opened from (metres, never changed); `blocks` and `roads` (mm) are
    what a brush picks and a line snaps to. Not safe between threads: whoever shares a draft locks
    it. Everything that changes goes through `commit`, so that undo knows it.
    """

    def __init__(
        self,
        base: gpd.GeoDataFrame,
        *,
        next_uid: int,
        blocks: Blocks | None = None,
        roads: Geometries | None = None,
    ) -> None:
        self.base = base
        self.crs = CRS(base.crs)
        self.blocks = blocks
        self.roads = np.empty(0, object) if roads is None else roads
        self.locks = Locks()
        self.first_uid = self.next_uid = next_uid
        self.done: list[Change] = []
        self.undone: list[Change] = []
        self._grids: dict[int, Grid] = {}
        self._outer: dict[int, Grid] = {}
        self._slot: dict[int, int] = {}
        self._free: list[int] = []
        self._uids = np.empty(0, np.int64)
        self._boxes = np.empty((0, 4))
        self._shapes: Geometries = np.empty(0, object)
        for grid in _read_base(base):
            self._put(grid)

    # --- what is there ---------------------------------------------------------------------------

    @property
    def grids(self) -> Mapping[int, Grid]:
        """Return the finest grids by uid."""
        return self._grids

    @property
    def outer(self) -> Mapping[int, Grid]:
        """Return the grids with children by uid."""
        return self._outer

    def grid(self, uid: int) -> Grid:
        """Return a finest grid. Raises BadGrid for an unknown uid and for an outer grid."""
        found = self._grids.get(uid)
        if found is None:
            key = "redraw_outer_grid" if uid in self._outer else "redraw_grid_unknown"
            raise BadGrid(Fault(key=key, values={"grid": uid}))
        return found

    def shapes(self, uids: Iterable[int]) -> Geometries:
        """Return the polygons (mm) of finest grids."""
        return self._shapes[[self._slot[uid] for uid in uids]]

    def near(self, box: Iterable[float]) -> Ints:
        """Return the uids of finest grids whose box (mm) comes near another box."""
        x0, y0, x1, y1 = box
        at = self._boxes
        return self._uids[
            (at[:, 0] <= x1 + _REACH_MM) & (at[:, 2] >= x0 - _REACH_MM)
            & (at[:, 1] <= y1 + _REACH_MM) & (at[:, 3] >= y0 - _REACH_MM)
        ]  # fmt: skip

    def touching(self, shape: shapely.Geometry) -> list[int]:
        """Return the uids of finest grids that share a point with a shape (mm), ascending."""
        near = self.near(shapely.bounds(shape)).tolist()
        hit = shapely.intersects(self.shapes(near), shape)
        return sorted(uid for uid, found in zip(near, hit, strict=True) if found)

    def ring(self, uids: Collection[int]) -> list[int]:
        """Return finest grids and all that touch them, ascending."""
        mine = np.array([self._slot[uid] for uid in uids], np.int64)
        if not len(mine):
            return []
        at = self._boxes[mine]
        around = self.near([*at[:, :2].min(axis=0), *at[:, 2:].max(axis=0)])
        others = np.array([self._slot[uid] for uid in around.tolist() if uid not in uids], np.int64)
        at, near = at[:, None, :], self._boxes[others]
        beside = (near[:, 0] <= at[..., 2] + _REACH_MM) & (near[:, 2] >= at[..., 0] - _REACH_MM)
        beside &= (near[:, 1] <= at[..., 3] + _REACH_MM) & (near[:, 3] >= at[..., 1] - _REACH_MM)
        one, other = np.nonzero(beside)
        touch = shapely.intersects(self._shapes[mine[one]], self._shapes[others[other]])
        return sorted({*uids, *self._uids[others[other[touch]]].tolist()})

    def is_locked(self, uid: int) -> bool:
        """Tell whether a finest grid, or an outer grid above it, is locked."""
        if self.locks.everything or uid in self.locks.grids:
            return True
        above = self._grids[uid].parent if uid in self._grids else NO_PARENT
        while above in self._outer:
            if above in self.locks.outer:
                return True
            above = self._outer[above].parent
        return False

    def code_of(self, uid: int) -> str:
        """Return a grid's code, "" for an unknown uid."""
        found = self._grids.get(uid) or self._outer.get(uid)
        return found.code if found else ""

    def to_frame(self) -> gpd.GeoDataFrame:
        """
        Return the whole drawing in uid order: uid, code, name, level, parent, kind, body, geometry.

        Metres on whole millimetres; outer grids are the unions of their children, and those that
        have lost all of them are left out.
        """
        grids = [*self._grids.values(), *self._outer.values()]
        shapes = {uid: grid.shape for uid, grid in self._grids.items()}
        shapes |= self._unite_outer()
        kept = sorted((grid for grid in grids if grid.uid in shapes), key=lambda grid: grid.uid)
        names = [name for name in GRID_COLUMNS if name not in ("households", "population")]
        table = {name: [getattr(grid, name) for grid in kept] for name in names}
        return gpd.GeoDataFrame(
            table, geometry=to_m([shapes[grid.uid] for grid in kept]), crs=self.base.crs
        )

    def _unite_outer(self) -> dict[int, Any]:
        children: dict[int, list[Any]] = {}
        united: dict[int, Any] = {}
        for grid in self._grids.values():
            children.setdefault(grid.parent, []).append(grid.shape)
        inward = sorted(self._outer.values(), key=lambda grid: -LEVELS.index(grid.level))
        for grid in inward:
            parts = children.get(grid.uid)
            if parts:
                united[grid.uid] = shapely.orient_polygons(shapely.coverage_union_all(parts))
                children.setdefault(grid.parent, []).append(united[grid.uid])
        return united

    # --- what changes ----------------------------------------------------------------------------

    def commit(
        self,
        edit: Edit,
        after: Mapping[int, Grid | None],
        *,
        locks: Locks | None = None,
        notes: tuple[str, ...] = (),
    ) -> Change:
        """
        Write the grids that an edit makes (None for one that is gone); return the change.

        What was undone before can no longer be redone. The caller has proved that it tiles.
        """
        known = {uid: self._grids.get(uid) or self._outer.get(uid) for uid in after}
        made = [uid for uid, grid in known.items() if grid is None]
        change = Change(
            edit=edit,
            before={uid: grid for uid, grid in known.items() if grid is not None},
            after={uid: grid for uid, grid in after.items() if grid is not None},
            locks_before=self.locks,
            locks_after=self.locks if locks is None else locks,
            next_uid_before=self.next_uid,
            next_uid_after=max([self.next_uid, *(uid + 1 for uid in made)]),
            notes=notes,
        )
        self._write(change)
        self.done.append(change)
        self.undone.clear()
        return change

    def undo(self) -> Change:
        """Take the last change back; return the change that does. Raises BadGrid for none."""
        if not self.done:
            raise BadGrid(Fault(key="redraw_nothing_to_undo"))
        change = self.done.pop()
        self.undone.append(change)
        back = change.reverse()
        self._write(back)
        return back

    def redo(self) -> Change:
        """Do again what was undone last. Raises BadGrid for none."""
        if not self.undone:
            raise BadGrid(Fault(key="redraw_nothing_to_redo"))
        change = self.undone.pop()
        self.done.append(change)
        self._write(change)
        return change

    def _write(self, change: Change) -> None:
        for uid in change.gone:
            self._drop(uid)
        for grid in change.after.values():
            self._put(grid)
        self.locks = change.locks_after
        self.next_uid = change.next_uid_after

    def _put(self, grid: Grid) -> None:
        if grid.shape is None:
            self._outer[grid.uid] = grid
            return
        if grid.uid not in self._slot:
            if not self._free:
                self._grow()
            self._slot[grid.uid] = self._free.pop()
        slot = self._slot[grid.uid]
        self._grids[grid.uid] = grid
        self._uids[slot] = grid.uid
        self._shapes[slot] = grid.shape
        self._boxes[slot] = shapely.bounds(grid.shape)

    def _drop(self, uid: int) -> None:
        if self._outer.pop(uid, None) is not None:
            return
        slot = self._slot.pop(uid)
        del self._grids[uid]
        self._boxes[slot] = np.nan
        self._shapes[slot] = None
        self._free.append(slot)

    def _grow(self) -> None:
        size = len(self._uids)
        more = max(_SPARE, size // 2)
        self._uids = np.append(self._uids, np.zeros(more, np.int64))
        self._boxes = np.vstack([self._boxes, np.full((more, 4), np.nan)])
        self._shapes = np.append(self._shapes, np.full(more, None))
        self._free = list(range(size + more - 1, size - 1, -1))


def open_draft(
    grids: gpd.GeoDataFrame,
    *,
    next_uid: int | None = None,
    blocks: Blocks | None = None,
    roads: Any = None,
) -> Draft:
    """
    Open a draft from a drawing: a frame with the contract's columns in uid order, in metres.

    `next_uid` is the first uid no grid of the city ever had (default: after the largest here).
    `roads` are lines in metres that a split may snap to. Coordinates are rounded to whole
    millimetres, which changes nothing in a drawing that is in force.
    """
    if next_uid is None:
        next_uid = int(grids["uid"].max()) + 1
    return Draft(
        grids,
        next_uid=next_uid,
        blocks=blocks,
        roads=None if roads is None else to_mm(roads),
    )


def round_mm(points_m: Any) -> Floats:
    """Return points (n, 2) in metres as whole millimetres."""
    return np.rint(np.asarray(points_m, dtype=np.float64).reshape(-1, 2) * MM_PER_M)


def _read_base(base: gpd.GeoDataFrame) -> list[Grid]:
    leaf = leaf_mask(find_parent_rows(base))
    shapes = to_mm(base.geometry.to_numpy())
    texts = {
        name: base[name].astype(str).tolist() for name in ("code", "name", "level", "kind", "body")
    }
    rows = zip(base["uid"].tolist(), base["parent"].tolist(), leaf.tolist(), shapes, strict=True)
    return [
        Grid(
            uid=int(uid),
            parent=int(parent),
            shape=shape if is_leaf else None,
            **{name: column[row] for name, column in texts.items()},
        )
        for row, (uid, parent, is_leaf, shape) in enumerate(rows)
    ]
