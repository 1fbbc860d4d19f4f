"""Changes: a grid as it was and as it is, and what one edit, undo or redo did."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import shapely

from geodata.coverage.edges import MM2_PER_M2, to_m

Edit = dict[str, Any]  # one edit as plain data: what a line of JSON says


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Grid:
    """
    One grid of a draft. `shape` is a polygon on whole millimetres (in mm), None for outer grids.

    An outer grid is the union of its children and is never drawn by itself. Never edited in place:
    a change makes another Grid.
    """

    uid: int
    code: str
    name: str
    level: str
    parent: int
    kind: str
    body: str
    shape: Any = None

    @property
    def area_m2(self) -> float:
        """Return the area; 0 for an outer grid, whose area is that of its children."""
        return 0.0 if self.shape is None else float(shapely.area(self.shape)) / MM2_PER_M2

    @property
    def shape_m(self) -> Any:
        """Return the polygon in metres."""
        return to_m([self.shape])[0]


@dataclass(frozen=True, slots=True, kw_only=True)
class Locks:
    """What may not be redrawn: single grids, whole outer grids, or everything."""

    grids: frozenset[int] = frozenset()
    outer: frozenset[int] = frozenset()
    everything: bool = False

    def as_json(self) -> dict[str, Any]:
        """Return plain values."""
        return {
            "grids": sorted(self.grids),
            "outer": sorted(self.outer),
            "all": self.everything,
        }


@dataclass(frozen=True, slots=True, kw_only=True)
class Sides:
    """One grid before and after a change; an area is None where the grid did not exist."""

    uid: int
    code: str
    before_m2: float | None
    after_m2: float | None

    def as_json(self) -> dict[str, Any]:
        """Return plain values."""
        return {name: getattr(self, name) for name in self.__slots__}


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Change:
    """
    What one edit, undo or redo did. Grids that stay byte for byte the same are not in it.

    `before` and `after` hold the grids (finest and outer) as they were and are: a uid in `after`
    alone was made, one in `before` alone is gone. `notes` are keys of sentences about what the
    edit left out, such as "redraw.note_stopped" for a stroke that ended at a community's line.
    """

    edit: Edit
    before: Mapping[int, Grid]
    after: Mapping[int, Grid]
    locks_before: Locks
    locks_after: Locks
    next_uid_before: int
    next_uid_after: int
    notes: tuple[str, ...] = ()

    @property
    def uids(self) -> tuple[int, ...]:
        """Return every uid whose grid differs, ascending."""
        return tuple(sorted({*self.before, *self.after}))

    @property
    def made(self) -> tuple[int, ...]:
        """Return the uids of new grids."""
        return tuple(sorted(set(self.after) - set(self.before)))

    @property
    def gone(self) -> tuple[int, ...]:
        """Return the uids of grids that are no more."""
        return tuple(sorted(set(self.before) - set(self.after)))

    @property
    def sides(self) -> tuple[Sides, ...]:
        """Return both sides of each grid, before and after, in uid order."""
        return tuple(
            _both_sides(uid, self.before.get(uid), self.after.get(uid)) for uid in self.uids
        )

    def reverse(self) -> Change:
        """Return the change that takes this one back."""
        return dataclasses.replace(
            self,
            before=self.after,
            after=self.before,
            locks_before=self.locks_after,
            locks_after=self.locks_before,
            next_uid_before=self.next_uid_after,
            next_uid_after=self.next_uid_before,
        )

    def as_json(self) -> dict[str, Any]:
        """Return plain values, without shapes: the edit, the uids, both sides."""
        return {
            "edit": self.edit,
            "uids": list(self.uids),
            "made": list(self.made),
            "gone": list(self.gone),
            "sides": [side.as_json() for side in self.sides],
            "notes": list(self.notes),
        }


def _both_sides(uid: int, before: Grid | None, after: Grid | None) -> Sides:
    known = after or before
    assert known is not None
    return Sides(
        uid=uid,
        code=known.code,
        before_m2=before.area_m2 if before else None,
        after_m2=after.area_m2 if after else None,
    )
