"""The tally: every figure of every finest grid in one pass, from which any area is a sum."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from geodata.compiled import compile_kernel
from geodata.events.clock import AMBER, DONE_LATE, DONE_ON_TIME, RED, SUSPENDED
from geodata.events.incidents import SIX_STEPS
from geodata.figures.counts import Rate
from geodata.figures.period import Period, find_period_before, find_period_last_year
from geodata.levels import NO_PARENT, find_parent_rows
from geodata.snapshots.facts import Facts
from geodata.snapshots.snapshot import Filter

Counts = NDArray[np.int64]

AGEING_DAYS = (1, 3, 7, 30)  # overdue for less than a day, up to 3, up to 7, up to 30, longer
_PLAIN = (
    "whole", "total", "open", "overdue", "due_soon", "suspended", "near_line", "before",
    "last_year", "handled_of_dispatched", "closed_of_registered", "done_on_time", "done_late",
    "returned_of_dispatched", "reopened", "once_closed",
)  # fmt: skip
COLUMNS = (
    *_PLAIN,
    *SIX_STEPS,
    *(f"ageing_{place}" for place in range(len(AGEING_DAYS) + 1)),
)
_PLACE = {name: place for place, name in enumerate(COLUMNS)}
_STEPS_AT, _AGEING_AT = _PLACE[SIX_STEPS[0]], _PLACE["ageing_0"]
_WHOLE, _TOTAL, _OPEN, _OVERDUE, _DUE_SOON, _SUSPENDED, _NEAR_LINE, _BEFORE, _LAST_YEAR = range(9)
_COMPLETED, _CLOSED, _ON_TIME, _LATE, _RETURNED, _REOPENED, _ONCE_CLOSED = range(9, 16)
_BEFORE_BIT, _LAST_YEAR_BIT = 2, 4


@dataclass(frozen=True, slots=True, kw_only=True)
class Tally:
    """
    What the incidents of an area come to; every field has its entry in the dictionary of figures.

    `total` of `whole` incidents are in the filter and period. `before` and `last_year` count the
    same filter in the period before and a year before, None where the data do not reach back so
    far. `ageing` parts the overdue by days past the deadline (AGEING_DAYS).
    """

    whole: int
    total: int
    open: int
    overdue: int
    due_soon: int
    suspended: int
    near_line: int
    before: int | None
    last_year: int | None
    steps: dict[str, int]
    ageing: tuple[int, ...]
    completion: Rate
    closing: Rate
    on_time: Rate
    returned: Rate  # sent back at least once, of dispatched
    reopened: Rate  # reopened at least once, of those that were ever closed


class Tallies:
    """The tallies of all areas of one drawing under one filter; read only."""

    def __init__(self, sums: Counts, tree: LeafOrder, *, before: bool, last_year: bool) -> None:
        self._sums, self._tree = sums, tree  # running totals over the leaves in the tree's order
        self._compared = {"before": before, "last_year": last_year}

    def of(self, uid: int) -> Tally:
        """Return the tally of a grid of any level. Raises KeyError for one not in the drawing."""
        first, end = self._tree.reach(uid)
        return self._name(self._sums[end] - self._sums[first])

    def of_unowned(self) -> Tally:
        """Return the tally of what no grid owns."""
        return self._name(self._sums[-1] - self._sums[-2])

    def of_all(self) -> Tally:
        """Return the tally of all incidents."""
        return self._name(self._sums[-1])

    def of_finest(self, column: str) -> Counts:
        """Return one column of COLUMNS for every finest grid in uid order, last the unowned."""
        each = np.diff(self._sums[:, _PLACE[column]])
        found = np.empty_like(each)
        found[np.append(self._tree.order, len(each) - 1)] = each
        return found

    def _name(self, row: Counts) -> Tally:
        n = [int(value) for value in row]
        steps = dict(zip(SIX_STEPS, n[_STEPS_AT : _STEPS_AT + len(SIX_STEPS)], strict=True))
        return Tally(
            whole=n[_WHOLE],
            total=n[_TOTAL],
            open=n[_OPEN],
            overdue=n[_OVERDUE],
            due_soon=n[_DUE_SOON],
            suspended=n[_SUSPENDED],
            near_line=n[_NEAR_LINE],
            before=n[_BEFORE] if self._compared["before"] else None,
            last_year=n[_LAST_YEAR] if self._compared["last_year"] else None,
            steps=steps,
            ageing=tuple(n[_AGEING_AT:]),
            completion=Rate(part=n[_COMPLETED], of=steps["dispatched"]),
            closing=Rate(part=n[_CLOSED], of=steps["registered"]),
            on_time=Rate(part=n[_ON_TIME], of=n[_ON_TIME] + n[_LATE]),
            returned=Rate(part=n[_RETURNED], of=steps["dispatched"]),
            reopened=Rate(part=n[_REOPENED], of=n[_ONCE_CLOSED]),
        )


class LeafOrder:
    """The finest grids in the order of the tree, so that those of any area stand together."""

    def __init__(self, facts: Facts) -> None:
        grids = facts.grids.grids
        above = find_parent_rows(grids)
        below: dict[int, list[int]] = {}
        for row, up in enumerate(above.tolist()):
            below.setdefault(up, []).append(row)
        rank = {int(uid): place for place, uid in enumerate(facts.grids.finest()["uid"])}
        uids = [int(uid) for uid in grids["uid"]]
        found: list[int] = []
        self._reach: dict[int, tuple[int, int]] = {}
        stack = [(row, False) for row in reversed(below.get(NO_PARENT, []))]
        begun: dict[int, int] = {}
        while stack:
            row, left = stack.pop()
            if left:
                self._reach[uids[row]] = (begun[row], len(found))
                continue
            begun[row] = len(found)
            stack.append((row, True))
            if row in below:
                stack += [(child, False) for child in reversed(below[row])]
            else:
                found.append(rank[uids[row]])
        self.order = np.array(found, np.int64)

    def reach(self, uid: int) -> tuple[int, int]:
        """Return the first place and the end of an area's grids in `order`."""
        return self._reach[uid]

    def leaves(self, uid: int) -> Counts:
        """Return the rows in `finest()` of an area's grids."""
        first, end = self.reach(uid)
        leaves: Counts = self.order[first:end]
        return leaves


def order_leaves(facts: Facts) -> LeafOrder:
    """Return the order of the drawing's leaves, made once while the drawing stays."""
    key = ("drawing", "leaf order")
    found = facts.kept.get(key)
    if found is None:
        found = facts.kept[key] = LeafOrder(facts)
    order: LeafOrder = found
    return order


def tally_areas(facts: Facts, *, period: Period, filter: Filter, now: int) -> Tallies:
    """
    Return the tallies under a filter; the filter's own times give way to `period`.

    One pass over the incidents, kept for the minute: every further area is a subtraction.
    """
    chosen = replace(filter, since=period.since, until=period.until)
    tallies: Tallies = facts.keep(
        ("tallies", chosen, now - now % 60), lambda: _tally(facts, chosen, period, now)
    )
    return tallies


def _tally(facts: Facts, chosen: Filter, period: Period, now: int) -> Tallies:
    snapshot, tree = facts.snapshot, order_leaves(facts)
    marks = facts.select(chosen, now).astype(np.uint8)
    compared = {}
    for name, other, bit in (
        ("before", find_period_before(facts, period, now=now), _BEFORE_BIT),
        ("last_year", find_period_last_year(facts, period, now=now), _LAST_YEAR_BIT),
    ):
        compared[name] = other is not None and _reaches_back(facts, other)
        if other is not None and compared[name]:
            then = replace(chosen, since=other.since, until=other.until)
            marks |= facts.select(then, now).astype(np.uint8) * np.uint8(bit)
    grids = len(tree.order)
    counts = np.zeros((grids + 1, len(COLUMNS)), np.int64)
    columns = (
        snapshot.owner, snapshot.open, facts.states(now), snapshot.near_line, snapshot.returned,
        snapshot.reopened, snapshot.due_at,
    )  # fmt: skip
    _count_rows(columns, snapshot.steps, marks, now - now % 60, counts)
    sums = np.zeros((grids + 2, len(COLUMNS)), np.int64)
    np.cumsum(counts[np.append(tree.order, grids)], axis=0, out=sums[1:])
    sums.flags.writeable = False
    return Tallies(sums, tree, **compared)


def _reaches_back(facts: Facts, period: Period) -> bool:
    """Tell whether the data begin before a period does, so that its count is no count of a gap."""
    return period.since is not None and 0 < find_first_report(facts) <= period.since


def find_first_report(facts: Facts) -> int:
    """Return when the first incident was reported (UTC s), 0 where none has a time."""

    def find() -> int:
        at = facts.snapshot.reported_at
        return int(at.min(where=at > 0, initial=np.iinfo(np.int64).max)) if (at > 0).any() else 0

    first: int = facts.keep("first report", find)
    return first


@compile_kernel
def _count_rows(columns: Any, steps: Any, marks: Any, now: Any, counts: Any) -> None:
    """Add each incident to the columns it counts in, in the row of its grid; the last is nobody."""
    owner, open_, state, near_line, returned, reopened, due_at = columns
    nobody = len(counts) - 1
    for i in range(len(owner)):
        at = owner[i] if owner[i] >= 0 else nobody
        row = counts[at]
        row[_WHOLE] += 1
        mark = marks[i]
        if mark & 2:
            row[_BEFORE] += 1
        if mark & 4:
            row[_LAST_YEAR] += 1
        if mark & 1 == 0:
            continue
        row[_TOTAL] += 1
        row[_NEAR_LINE] += near_line[i]
        for place in range(6):
            row[_STEPS_AT + place] += steps[i, place] > 0
        dispatched, closed = steps[i, 2] > 0, steps[i, 4] > 0
        row[_COMPLETED] += dispatched and steps[i, 3] > 0
        row[_CLOSED] += closed and steps[i, 1] > 0
        row[_RETURNED] += dispatched and returned[i] > 0
        row[_REOPENED] += reopened[i] > 0
        row[_ONCE_CLOSED] += closed or reopened[i] > 0
        if open_[i]:
            row[_OPEN] += 1
            row[_DUE_SOON] += state[i] == AMBER
            row[_SUSPENDED] += state[i] == SUSPENDED
            if state[i] == RED:
                row[_OVERDUE] += 1
                late_days = (now - due_at[i]) // 86_400
                band = (late_days >= 1) + (late_days >= 3) + (late_days >= 7) + (late_days >= 30)
                row[_AGEING_AT + band] += 1
        elif closed:
            row[_ON_TIME] += state[i] == DONE_ON_TIME
            row[_LATE] += state[i] == DONE_LATE


def warm() -> None:
    """Compile the kernel and keep the machine code on disk, for set-up."""
    kinds = (np.int32, np.bool_, np.uint8, np.bool_, np.uint8, np.uint8, np.int64)
    for writeable, steps_writeable in ((True, True), (False, False), (False, True)):
        columns = tuple(np.zeros(1, kind) for kind in kinds)
        for place, column in enumerate(columns):
            column.flags.writeable = writeable or place == 2  # states are made anew each minute
        steps = np.zeros((1, 6), np.int64)
        steps.flags.writeable = steps_writeable  # a saved snapshot's are stacked anew
        counts = np.zeros((2, len(COLUMNS)), np.int64)
        _count_rows(columns, steps, np.ones(1, np.uint8), 0, counts)
