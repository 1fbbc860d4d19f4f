"""Grids and their system: one complete, dated drawing of all grids, never edited."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import geopandas as gpd
import numpy as np
from pyproj import CRS

from geodata.coverage.edges import Ints
from geodata.coverage.faces import rows_by
from geodata.errors import Fault, NotFound
from geodata.grids.tree import GRID_COLUMNS, Orphan, Tree, TreeReport, add_levels, build_tree
from geodata.levels import LEVELS, NO_PARENT, find_parent_rows, leaf_mask

__all__ = [
    "GRID_COLUMNS",
    "LEVELS",
    "NO_PARENT",
    "GridSystem",
    "Orphan",
    "Tree",
    "TreeReport",
    "add_levels",
    "build_tree",
]


# Not slotted: what is derived from the grids is computed once, at first use.
@dataclass(frozen=True, kw_only=True, eq=False)
class GridSystem:
    """
    One drawing of a grid system: all its grids, in force in [valid_from, valid_to).

    `grids` has the contract's columns, ordered by uid, coordinates in metres that are whole
    millimetres. Moments are UTC seconds; None reaches without end.
    """

    system: str
    drawing: int
    valid_from: int | None
    valid_to: int | None
    grids: gpd.GeoDataFrame

    @property
    def crs(self) -> CRS:
        """Return the metric coordinate system of the grids."""
        return CRS(self.grids.crs)

    def in_force(self, at: int) -> bool:
        """Tell whether this drawing is in force at a moment; its last moment is the next one's."""
        begun = self.valid_from is None or self.valid_from <= at
        return begun and (self.valid_to is None or at < self.valid_to)

    @cached_property
    def levels(self) -> tuple[str, ...]:
        """Return the levels this drawing has, outermost first."""
        present = set(self.grids["level"])
        return tuple(level for level in LEVELS if level in present)

    def finest(self) -> gpd.GeoDataFrame:
        """
        Return the grids that own incidents, in uid order: the row number is the owner's rank.

        These are the leaves of the tree: a community without grids answers for itself.
        """
        return self._finest

    def level(self, name: str) -> gpd.GeoDataFrame:
        """Return the grids of one level in uid order; empty where the drawing has none."""
        return self.grids[self.grids["level"] == name].reset_index(drop=True)

    def children(self, uid: int) -> Ints:
        """Return the uids of a grid's children, ascending. Raises NotFound."""
        return self._uids[self._children[self._row(uid)]]

    def parent(self, uid: int) -> int:
        """Return the uid of a grid's parent, -1 for none. Raises NotFound."""
        row = self._parent_rows[self._row(uid)]
        return int(self._uids[row]) if row >= 0 else NO_PARENT

    def ancestors(self, uid: int) -> tuple[int, ...]:
        """Return the uids above a grid, its parent first. Raises NotFound."""
        found: list[int] = []
        above = self.parent(uid)
        while above != NO_PARENT:
            found.append(above)
            above = self.parent(above)
        return tuple(found)

    def path(self, uid: int) -> tuple[int, ...]:
        """Return the uids from the outermost level down to the grid itself. Raises NotFound."""
        return (*reversed(self.ancestors(uid)), uid)

    def path_names(self, uid: int) -> tuple[str, ...]:
        """Return the names along `path`. Raises NotFound."""
        return tuple(self._names[self._row(step)] for step in self.path(uid))

    @cached_property
    def _names(self) -> list[str]:
        return [str(name) for name in self.grids["name"].to_numpy()]

    def subtree_uids(self, uid: int) -> Ints:
        """Return the uids of a grid and everything below it, ascending. Raises NotFound."""
        rows = [self._row(uid)]
        for row in rows:  # grows while it is walked: every row adds its children once
            rows += self._children[row].tolist()
        return np.sort(self._uids[rows])

    def leaf_ranks(self, uid: int) -> Ints:
        """Return the row numbers in `finest()` of the leaves in a grid's subtree, ascending."""
        inside = np.isin(self._finest["uid"].to_numpy(), self.subtree_uids(uid))
        return np.flatnonzero(inside)

    def find_uid(self, code: str, *, level: str | None = None) -> int:
        """
        Return the uid of a code, of the innermost level that has it. Raises NotFound.

        The same code may stand for a street and for a grid; `level` says which is meant.
        """
        rows = self._rows_of_code.get(code, [])
        wanted = [row for row in rows if level in (None, self.grids["level"].iat[row])]
        if not wanted:
            raise NotFound(Fault(key="grid_unknown", values={"grid": code}))
        inmost = max(wanted, key=lambda row: LEVELS.index(self.grids["level"].iat[row]))
        return int(self._uids[inmost])

    @cached_property
    def _uids(self) -> Ints:
        return np.asarray(self.grids["uid"], dtype=np.int64)

    @cached_property
    def _row_of(self) -> dict[int, int]:
        return {uid: row for row, uid in enumerate(self._uids.tolist())}

    @cached_property
    def _rows_of_code(self) -> dict[str, list[int]]:
        rows: dict[str, list[int]] = {}
        for row, code in enumerate(self.grids["code"].tolist()):
            rows.setdefault(code, []).append(row)
        return rows

    @cached_property
    def _parent_rows(self) -> Ints:
        return find_parent_rows(self.grids)

    @cached_property
    def _children(self) -> list[Ints]:
        rows = np.flatnonzero(self._parent_rows >= 0)
        return [rows[at] for at in rows_by(self._parent_rows[rows], len(self.grids))]

    @cached_property
    def _finest_rows(self) -> Ints:
        rows = np.flatnonzero(leaf_mask(self._parent_rows))
        return rows[np.argsort(self._uids[rows])]

    @cached_property
    def _finest(self) -> gpd.GeoDataFrame:
        return self.grids.iloc[self._finest_rows].reset_index(drop=True)

    def _row(self, uid: int) -> int:
        row = self._row_of.get(int(uid))
        if row is None:
            raise NotFound(Fault(key="grid_unknown", values={"grid": uid}))
        return row
