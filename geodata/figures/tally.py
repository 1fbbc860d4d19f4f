"""The tally: every figure of every finest grid at once, from which any area is a sum."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from geodata.events.clock import AMBER, DONE_LATE, DONE_ON_TIME, SUSPENDED
from geodata.events.incidents import SIX_STEPS
from geodata.figures.counts import Rate
from geodata.figures.period import Period, find_period_before, find_period_last_year
from geodata.levels import NO_PARENT, find_parent_rows
from geodata.snapshots.count_filter import translate_filter
from geodata.snapshots.courses import AGEING_DAYS, Codes, CourseParts, encode_now
from geodata.snapshots.facts import Facts
from geodata.snapshots.snapshot import Filter

Counts = NDArray[np.int64]

_BANDS = range(len(AGEING_DAYS) + 1)
_PLAIN = (
    "whole", "total", "open", "overdue", "due_soon", "suspended", "near_line", "before",
    "last_year", "handled_of_dispatched", "closed_of_registered", "done_on_time", "done_late",
    "returned_of_dispatched", "reopened", "once_closed",
)  # fmt: skip
COLUMNS = (
    *_PLAIN,
    *SIX_STEPS,
    *(f"ageing_{band}" for band in _BANDS),
)
_PLACE = {name: place for place, name in enumerate(COLUMNS)}
_STEPS_AT, _AGEING_AT = _PLACE[SIX_STEPS[0]], _PLACE["ageing_0"]
_WHOLE, _TOTAL, _OPEN, _OVERDUE, _DUE_SOON, _SUSPENDED, _NEAR_LINE, _BEFORE, _LAST_YEAR = range(9)
_COMPLETED, _CLOSED, _ON_TIME, _LATE, _RETURNED, _REOPENED, _ONCE_CLOSED = range(9, 16)


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
        return _name_row(row, **self._compared)


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
        # Of each grid in the drawing's order: its first place in `order`, and its end.
        self.reaches = np.array([self._reach[uid] for uid in uids], np.int64).reshape(-1, 2).T

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

    The counter is asked once a filter and minute: every further area is a subtraction.
    """
    chosen = replace(filter, since=period.since, until=period.until)
    tallies: Tallies = facts.keep(
        ("tallies", chosen, now - now % 60), lambda: _tally(facts, chosen, period, now)
    )
    return tallies


def _tally(facts: Facts, chosen: Filter, period: Period, now: int) -> Tallies:
    counter, tree = facts.counter, order_leaves(facts)
    asked = translate_filter(chosen, counter.scale)
    by_course = counter.count(["course", "grid"], asked, now=now)
    found = np.flatnonzero(by_course.any(axis=1))
    weights = weigh_courses(counter.list_courses(now)[found])
    # Whole numbers far below 2**53: exact, and several times as fast as of integers.
    counts = (by_course[found].T.astype(np.float64) @ weights).astype(np.int64)
    counts[:, _WHOLE] = counter.count(["grid"])
    compared = {}
    for name, other in (
        ("before", find_period_before(facts, period, now=now)),
        ("last_year", find_period_last_year(facts, period, now=now)),
    ):
        compared[name] = other is not None and _reaches_back(facts, other)
        if other is not None and compared[name]:
            then = replace(asked, since=other.since, until=other.until)
            counts[:, _PLACE[name]] = counter.count(["grid"], then, now=now)
    grids = len(tree.order)
    sums = np.zeros((grids + 2, len(COLUMNS)), np.int64)
    np.cumsum(counts[np.append(tree.order, grids)], axis=0, out=sums[1:])
    sums.flags.writeable = False
    return Tallies(sums, tree, **compared)


def tally_rows(facts: Facts, rows: Counts, *, now: int) -> Tally:
    """Return the tally of any rows of the snapshot, compared with nothing."""
    courses = encode_now(facts.snapshot, rows, states=facts.states(now), now=now - now % 60)
    found, counts = np.unique(courses, return_counts=True)
    row = (counts @ weigh_courses(found)).astype(np.int64)
    row[_WHOLE] = facts.snapshot.n
    return _name_row(row, before=False, last_year=False)


def _name_row(row: Counts, *, before: bool, last_year: bool) -> Tally:
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
        before=n[_BEFORE] if before else None,
        last_year=n[_LAST_YEAR] if last_year else None,
        steps=steps,
        ageing=tuple(n[_AGEING_AT:]),
        completion=Rate(part=n[_COMPLETED], of=steps["dispatched"]),
        closing=Rate(part=n[_CLOSED], of=steps["registered"]),
        on_time=Rate(part=n[_ON_TIME], of=n[_ON_TIME] + n[_LATE]),
        returned=Rate(part=n[_RETURNED], of=steps["dispatched"]),
        reopened=Rate(part=n[_REOPENED], of=n[_ONCE_CLOSED]),
    )


def weigh_courses(courses: Codes) -> NDArray[np.float64]:
    """Return in which of COLUMNS an incident of each course counts: 1 or 0, (courses, columns)."""
    parts = CourseParts(courses)
    _, registered, dispatched, handled, closed, _ = parts.steps
    over = closed & ~parts.open  # a void or duplicate case is done too, but was never closed
    found = {
        "total": np.ones(len(courses), np.bool_),
        "near_line": parts.near_line,
        **dict(zip(SIX_STEPS, parts.steps, strict=True)),
        "handled_of_dispatched": handled & dispatched,
        "closed_of_registered": closed & registered,
        "returned_of_dispatched": parts.returned & dispatched,
        "reopened": parts.reopened,
        "once_closed": closed | parts.reopened,
        "open": parts.open,
        "overdue": parts.overdue,
        "due_soon": parts.open & (parts.state == AMBER),
        "suspended": parts.open & (parts.state == SUSPENDED),
        "done_on_time": over & (parts.state == DONE_ON_TIME),
        "done_late": over & (parts.state == DONE_LATE),
    }
    found |= {f"ageing_{band}": parts.overdue & (parts.band == band) for band in _BANDS}
    weights = np.zeros((len(courses), len(COLUMNS)))
    for name, counts in found.items():
        weights[:, _PLACE[name]] = counts
    return weights


def _reaches_back(facts: Facts, period: Period) -> bool:
    """Tell whether the data begin before a period does, so that its count is no count of a gap."""
    return period.since is not None and 0 < find_first_report(facts) <= period.since


def find_first_report(facts: Facts) -> int:
    """Return when the first incident was reported (UTC s), 0 where none has a time."""
    return facts.counter.find_first()
