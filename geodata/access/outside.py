"""Outside: what an account is told of the grids whose incidents it may not see."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from geodata.access.suppression import Bounds, Span, bound_parts, bound_tree
from geodata.events.clock import RED, clock_state
from geodata.events.incidents import SIX_STEPS
from geodata.events.periods import PERIODS_DAYS, begin_period, local_midnight
from geodata.grids import NO_PARENT, GridSystem
from geodata.levels import find_parent_rows
from geodata.snapshots.snapshot import Filter, Snapshot, State

Figure = Literal["total", "open", "overdue"]
WHOLE = -1  # stands for everything outside, the unowned among it
UNOWNED = -2  # stands for what no grid owns
_CLASSES = 3  # overdue, open otherwise, over: each incident is in one
_OVERDUE, _OPEN, _OVER = range(_CLASSES)
_OF_STATE: dict[State, frozenset[int]] = {
    "all": frozenset({_OVERDUE, _OPEN, _OVER}),
    "open": frozenset({_OVERDUE, _OPEN}),
    "overdue": frozenset({_OVERDUE}),
    "closed": frozenset({_OVER}),
}
_OF_FIGURE: dict[Figure, frozenset[int]] = {
    "total": _OF_STATE["all"],
    "open": _OF_STATE["open"],
    "overdue": _OF_STATE["overdue"],
}
# The step whose part follows from the others' (see `bound_parts`): where most of a class stand.
_REST_STEP = {_OVERDUE: 0, _OPEN: 0, _OVER: SIX_STEPS.index("closed")}
_LEFT_OUT = 255


@dataclass(frozen=True, slots=True, kw_only=True)
class Cells:
    """
    In which cell each incident of a snapshot counts, at one local midnight.

    A cell is a part of the time before `until` (the newest 28 days, those before them up to 90, …)
    and one of three classes. A longer period is a sum of cells, so no two filters differ by less
    than a cell. What came in since midnight counts tomorrow: a figure does not move with an event.
    """

    until: int
    since: tuple[int, ...]  # of each period but the last, which has no beginning
    cell: NDArray[np.uint8]
    step: NDArray[np.uint8]  # the furthest of the six steps it had reached

    @property
    def count(self) -> int:
        """Return how many cells there are."""
        return (len(self.since) + 1) * _CLASSES


@dataclass(frozen=True, slots=True, kw_only=True)
class Outside:
    """
    The bounds of every count outside a scope (docs/scope.md).

    Grids, areas and the whole by period and state; categories and steps for the whole alone.
    """

    until: int
    since: tuple[int, ...]
    rows: Mapping[int, int]  # of `grids` by uid
    grids: Bounds  # (nodes, cells)
    categories: Bounds
    steps: Bounds

    def count(self, uid: int, filter: Filter, figure: Figure = "total") -> Span | None:
        """
        Return the bounds of a figure of a grid, an area or the whole, under a filter.

        None where it is not told: of a category below the whole, of any other period.
        """
        columns = self._columns(filter, _OF_STATE[filter.state] & _OF_FIGURE[figure])
        if columns is None or uid not in self.rows:
            return None
        if filter.categories is None:
            return self.grids.span((self.rows[uid], columns))
        if uid != WHOLE or len(filter.categories) != 1:
            return None
        return _within(
            self.categories.span((filter.categories[0], columns)),
            self.grids.span((self.rows[WHOLE], columns)),
        )

    def count_grids(
        self, uids: NDArray[np.int64], filter: Filter, figure: Figure = "total"
    ) -> Bounds | None:
        """Return the bounds of a figure for many grids, 0 to 0 for one that is not outside."""
        columns = self._columns(filter, _OF_STATE[filter.state] & _OF_FIGURE[figure])
        if columns is None or filter.categories is not None:
            return None
        rows = np.array([self.rows.get(int(uid), -1) for uid in uids], np.int64)
        low, high = (
            np.where(rows >= 0, table[:, columns].sum(axis=1)[rows], 0)
            for table in (self.grids.low, self.grids.high)
        )
        return Bounds(low=low, high=high)

    def count_steps(self, filter: Filter) -> dict[str, Span] | None:
        """Return how many reached each step or a later one; None where that is not told."""
        columns = self._columns(filter, _OF_STATE[filter.state])
        if columns is None or filter.categories is not None:
            return None
        whole = self.grids.span((self.rows[WHOLE], columns))
        return {
            name: _within(self.steps.span((slice(place, None), columns)), whole)
            for place, name in enumerate(SIX_STEPS)
        }

    def _columns(self, filter: Filter, classes: frozenset[int]) -> list[int] | None:
        if filter.until is not None or not filter.is_plain:
            return None
        if filter.since is None:
            parts = len(self.since) + 1
        elif filter.since in self.since:
            parts = self.since.index(filter.since) + 1
        else:
            return None
        return [part * _CLASSES + place for part in range(parts) for place in sorted(classes)]


def _within(part: Span, whole: Span) -> Span:
    """Return the bounds of a part that cannot be more than the whole."""
    return Span(low=part.low, high=min(part.high, whole.high))


def sort_into_cells(snapshot: Snapshot, *, now: int, zone: str) -> Cells:
    """Sort the incidents into cells as they stood at the last local midnight before `now`."""
    until = local_midnight(now, zone)
    since = tuple(begin_period(days, end=now, zone=zone) for days in PERIODS_DAYS if days)
    reported = snapshot.reported_at
    was_open = snapshot.open | (snapshot.closed_at >= until)
    states = clock_state(
        open=was_open,
        due_at=snapshot.due_at,
        clock_from=snapshot.clock_from,
        closed_at=snapshot.closed_at,
        suspended_since=np.where(snapshot.suspended_since < until, snapshot.suspended_since, 0),
        now=until,
    )
    part = len(since) - np.searchsorted(np.array(since[::-1]), reported, side="right")
    sort = np.where(was_open, np.where(states == RED, _OVERDUE, _OPEN), _OVER)
    cell = np.where(reported < until, part * _CLASSES + sort, _LEFT_OUT)
    reached = (snapshot.steps > 0) & (snapshot.steps < until)
    places = np.arange(1, len(SIX_STEPS) + 1)
    step = np.maximum((reached * places).max(axis=1, initial=1) - 1, 0)
    return Cells(until=until, since=since, cell=cell.astype(np.uint8), step=step.astype(np.uint8))


def tell_outside(
    snapshot: Snapshot,
    cells: Cells,
    system: GridSystem,
    *,
    own: NDArray[np.bool_],
    categories: int,
    rest_category: int,
    below: int,
) -> Outside:
    """
    Return what is told of the incidents in grids that are not `own`, and of the unowned.

    `own` has a place for each finest grid. `rest_category` is the category that is told only as
    what the others leave of the whole: choose it by what everyone knows, never by its count.
    """
    grids = len(own)
    hidden = (cells.cell != _LEFT_OUT) & ~np.append(own, False)[snapshot.owner]
    cell = cells.cell[hidden].astype(np.int64)
    owner = snapshot.owner[hidden].astype(np.int64)

    def count(part: NDArray[np.int64], parts: int) -> NDArray[np.int64]:
        found = np.bincount(part * cells.count + cell, minlength=parts * cells.count)
        return found.reshape(parts, cells.count)

    leaves = count(np.where(owner < 0, grids, owner), grids + 1)
    uids, parents, leaf_rows = _find_nodes(system, own)
    counts = np.zeros((len(uids), cells.count), np.int64)
    counts[leaf_rows] = leaves[np.append(np.flatnonzero(~own), grids)]
    bounds = bound_tree(counts, parents, below=below)
    whole = Bounds(low=bounds.low[0], high=bounds.high[0])
    rest = {
        "categories": np.full(cells.count, rest_category),
        "steps": np.array([_REST_STEP[place % _CLASSES] for place in range(cells.count)]),
    }
    by_category = count(snapshot.category[hidden].astype(np.int64), categories)
    by_step = count(cells.step[hidden].astype(np.int64), len(SIX_STEPS))
    return Outside(
        until=cells.until,
        since=cells.since,
        rows={int(uid): row for row, uid in enumerate(uids)},
        grids=bounds,
        categories=bound_parts(by_category, whole, rest=rest["categories"], below=below),
        steps=bound_parts(by_step, whole, rest=rest["steps"], below=below),
    )


def _lonely(reached: set[int], above: NDArray[np.int64]) -> set[int]:
    """Return the areas from the top down that have no other beside them."""
    found: set[int] = set()
    level = [row for row in reached if int(above[row]) not in reached]
    while len(level) == 1:
        inner = [row for row in reached if int(above[row]) == level[0]]
        if not inner:
            break
        found.add(level[0])
        level = inner
    return found


def _find_nodes(
    system: GridSystem, own: NDArray[np.bool_]
) -> tuple[NDArray[np.int64], NDArray[np.int64], NDArray[np.int64]]:
    """
    Return uid and parent of the nodes of what is outside, and where its leaves are.

    The whole comes first; the unowned are its last leaf, the others in the order of `finest()`. An
    area above all others is left out: it and the unowned would be the whole's only parts, and a
    whole of two parts can print no plain band.
    """
    every = system.grids["uid"].to_numpy(np.int64)
    above = find_parent_rows(system.grids)
    leaves = system.finest()["uid"].to_numpy(np.int64)[~own]
    row_of = {int(uid): row for row, uid in enumerate(every)}
    rows = [row_of[int(uid)] for uid in leaves]
    reached = set(rows)
    for row in rows:
        up = int(above[row])
        while up != NO_PARENT and up not in reached:
            reached.add(up)
            up = int(above[up])
    inner = sorted(reached - set(rows) - _lonely(reached, above))
    order = [*inner, *rows]
    place = {row: number for number, row in enumerate(order, start=1)}
    parents = [NO_PARENT, *(place.get(int(above[row]), 0) for row in order), 0]
    first = 1 + len(inner)
    return (
        np.array([WHOLE, *every[order].tolist(), UNOWNED], np.int64),
        np.array(parents, np.int64),
        np.arange(first, first + len(rows) + 1),
    )
