"""Counting: incidents by grid, kind, stage and time under any filter, in milliseconds.

Rows stand in the order of their reports, so a period is a slice. Each column is looked up in a
small table that says how far its value moves the count in the answer, or that it does not count:
one pass without a branch answers any grouping under any filter. Counts by grid and category alone
come from running totals by day and cost nothing that grows with the rows. What has changed since
is kept as a short list of rows that count once more or once less.
"""

from __future__ import annotations

from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any, Literal
from zoneinfo import ZoneInfo

import numpy as np
from numpy.typing import NDArray

from geodata.compiled import compile_kernel
from geodata.snapshots.timeline import DAY_S, HOURS, Ints, Rows, Scale, Timeline, freeze, make_scale

Axis = Literal["grid", "category", "kind", "stage", "day", "weekday", "hour"]
Allowed = NDArray[np.bool_]

MOST_GROUPS = 1 << 26
MOST_TOTALS = 64_000_000  # numbers: a day with 7 categories of 6,125 grids takes 43,000
MOST_CHANGES = 50_000
_LEAST_SHARE = 100_000  # rows for which a second thread pays


@dataclass(frozen=True, slots=True, kw_only=True)
class CountFilter:
    """
    Which incidents count: reported in [since, until), and allowed by each table that is given.

    Tables of booleans: `grids` (grids + 1, the last for nobody), `categories`, `kinds`, `stages`
    by code, `hours` (24) and `weekdays` (7, Monday first) in the city's zone.
    """

    since: int | None = None
    until: int | None = None
    grids: Allowed | None = None
    categories: Allowed | None = None
    kinds: Allowed | None = None
    stages: Allowed | None = None
    hours: Allowed | None = None
    weekdays: Allowed | None = None

    @property
    def has_totals(self) -> bool:
        """Tell whether running totals by day, category and grid can answer."""
        others = (self.kinds, self.stages, self.hours, self.weekdays)
        return all(table is None for table in others)


@dataclass(frozen=True, kw_only=True)
class Counter:
    """
    Incidents ready to be counted; never changed, so any number of threads may ask.

    `more` counts once more, `less` once less: what has changed since the rows were sorted.
    """

    scale: Scale
    rows: Timeline
    more: tuple[Timeline, ...] = ()
    less: tuple[Timeline, ...] = ()

    @property
    def n(self) -> int:
        """Return how many incidents there are."""
        more, less = (sum(len(part.at) for part in parts) for parts in (self.more, self.less))
        return len(self.rows.at) + more - less

    @property
    def is_worn(self) -> bool:
        """
        Tell whether it must be built anew over all rows.

        Reports of days that it does not know would have no hour and no day; and after many changes
        a new one answers faster.
        """
        changed = [*self.more, *self.less]
        late = any((part.day[part.at > 0] == self.scale.days).any() for part in self.more)
        return late or sum(len(part.at) for part in changed) > MOST_CHANGES or len(changed) > 64

    def changed(self, *, gone: Rows, new: Rows) -> Counter:
        """Return the counter after an update: `gone` as they were before, `new` as they are now."""
        more, less = self.more, self.less
        if len(new.at):
            more = (*more, Timeline(new, self.scale))
        if len(gone.at):
            less = (*less, Timeline(gone, self.scale))
        made = replace(self, more=more, less=less)
        if "_totals" in self.__dict__:
            made.__dict__["_totals"] = self._totals
        return made

    def count(
        self, by: Sequence[Axis], chosen: CountFilter | None = None, *, threads: int = 2
    ) -> Ints:
        """
        Return how many incidents there are for each value of the axes in `by`.

        The axes of the answer are those of `by`, in that order; `grid` ends with nobody. By `day`,
        `weekday` or `hour` only what has a time counts. Raises ValueError for axes that repeat,
        for day together with hour or weekday, and for more than MOST_GROUPS groups.
        """
        wanted = chosen or CountFilter()
        self._check(by, wanted)
        parts = [(self.more, 1), (self.less, -1)]
        if wanted.has_totals and set(by) <= {"grid", "category"} and self._totals is not None:
            found = self._from_totals(by, wanted)
        else:
            found = self._pass_over(self.rows, by, wanted, threads)
        for columns, sign in parts:
            for part in columns:
                found += sign * self._pass_over(part, by, wanted, 1)
        return found

    def _check(self, by: Sequence[Axis], chosen: CountFilter) -> None:
        groups = int(np.prod([self.scale.size(axis) for axis in by], dtype=np.float64))
        hourly = {"hour", "weekday"} & set(by) or chosen.hours is not None
        mixed = "day" in by and (hourly or chosen.weekdays is not None)
        doubled = len(set(by)) < len(by) or {"kind", "category"} <= set(by)
        if doubled or mixed or groups > MOST_GROUPS:
            msg = f"cannot count by {', '.join(by)}: {groups:,} groups of at most {MOST_GROUPS:,}."
            raise ValueError(msg)

    def _pass_over(
        self, columns: Timeline, by: Sequence[Axis], chosen: CountFilter, threads: int
    ) -> Ints:
        """Return the counts of one set of rows by one pass over the filter's period."""
        shape = [self.scale.size(axis) for axis in by]
        groups = int(np.prod(shape, dtype=np.int64))
        rows = columns.slice_of(chosen.since, chosen.until)
        tables = _Tables(self.scale, by, shape, groups, chosen)
        when = columns.day if "day" in by else columns.hour
        workers = max(1, min(threads, (rows.stop - rows.start) // _LEAST_SHARE))
        cuts = np.linspace(rows.start, rows.stop, workers + 1).astype(np.int64)
        counts = np.zeros((workers, groups + 1), np.uint32)

        def work(worker: int) -> None:
            part = slice(cuts[worker], cuts[worker + 1])
            _count_rows(
                columns.grid[part], columns.kind[part], columns.stage[part], when[part],
                tables.grid, tables.kind, tables.stage, tables.when, counts[worker],
            )  # fmt: skip

        if workers == 1:
            work(0)
        else:
            with ThreadPoolExecutor(workers) as pool:
                list(pool.map(work, range(workers)))
        added: Ints = counts[:, :groups].sum(axis=0, dtype=np.int64)
        return added.reshape(shape)

    @cached_property
    def _totals(self) -> NDArray[np.int32] | None:
        """
        Return how many were reported before each midnight, (days + 1, categories, grids + 1).

        None for too many of them.
        """
        scale, rows = self.scale, self.rows
        shape = (scale.days + 1, scale.categories, scale.grids + 1)
        if np.prod(shape, dtype=np.float64) > MOST_TOTALS:
            return None
        totals = np.zeros(shape, np.int32)
        start = 0
        for plane, end in enumerate(rows.bounds):
            if plane:
                totals[plane] = totals[plane - 1]
            self._add(slice(start, int(end)), totals[plane])
            start = int(end)
        totals.flags.writeable = False
        return totals

    def _add(self, part: slice, counts: NDArray[np.int32]) -> None:
        if part.stop > part.start:
            category = freeze(self.scale.category_of, np.int32)
            _add_rows(self.rows.grid[part], self.rows.kind[part], category, counts)

    def _from_totals(self, by: Sequence[Axis], chosen: CountFilter) -> Ints:
        """Return counts by grid and category: whole days by subtraction, the ends row by row."""
        totals, bounds = self._totals, self.rows.bounds
        assert totals is not None
        rows = self.rows.slice_of(chosen.since, chosen.until)
        found = np.zeros(totals.shape[1:], np.int32)
        first = int(np.searchsorted(bounds, rows.start, "left"))
        last = int(np.searchsorted(bounds, rows.stop, "right")) - 1
        ends = [rows]
        if rows.start == 0 and last >= 0:
            found += totals[last]
            ends = [slice(int(bounds[last]), rows.stop)]
        elif first < last:
            found += totals[last] - totals[first]
            ends = [slice(rows.start, int(bounds[first])), slice(int(bounds[last]), rows.stop)]
        for part in ends:
            self._add(part, found)
        counts = found.astype(np.int64)
        if chosen.categories is not None:
            counts[~chosen.categories] = 0
        if chosen.grids is not None:
            counts[:, ~chosen.grids] = 0
        left_out = tuple(i for i, name in enumerate(("category", "grid")) if name not in by)
        counts = np.asarray(counts.sum(axis=left_out))
        return counts.T.copy() if list(by) == ["grid", "category"] else counts


class _Tables:
    """For each value of a column how far it moves the count; too far where it does not count."""

    def __init__(
        self,
        scale: Scale,
        by: Sequence[Axis],
        shape: Sequence[int],
        groups: int,
        chosen: CountFilter,
    ) -> None:
        step = {axis: int(np.prod(shape[i + 1 :])) for i, axis in enumerate(by)}
        kinds = np.arange(scale.kinds)
        category = scale.category_of
        of_kind = kinds * step.get("kind", 0) + category * step.get("category", 0)
        allowed = np.ones(scale.kinds, np.bool_)
        if chosen.kinds is not None:
            allowed &= chosen.kinds
        if chosen.categories is not None:
            allowed &= chosen.categories[category]
        self.kind = _offsets(of_kind, allowed, groups)
        grids, stages = np.arange(scale.grids + 1), np.arange(scale.stages)
        self.grid = _offsets(grids * step.get("grid", 0), chosen.grids, groups)
        self.stage = _offsets(stages * step.get("stage", 0), chosen.stages, groups)
        self.when = self._offsets_of_time(scale, step, groups, chosen)

    def _offsets_of_time(
        self, scale: Scale, step: dict[Axis, int], groups: int, chosen: CountFilter
    ) -> NDArray[np.uint32]:
        """Return the table of days, or of hours of the week; its last value is no time at all."""
        if "day" in step:
            moved, allowed = np.arange(scale.days + 1) * step["day"], np.ones(scale.days + 1, bool)
            allowed[-1] = False
            return _offsets(moved, allowed, groups)
        hours = np.arange(HOURS)
        moved = hours % 24 * step.get("hour", 0) + hours // 24 * step.get("weekday", 0)
        allowed = np.ones(HOURS, np.bool_)
        if chosen.hours is not None:
            allowed &= chosen.hours[hours % 24]
        if chosen.weekdays is not None:
            allowed &= chosen.weekdays[hours // 24]
        timed = {"hour", "weekday"} & set(step) or chosen.hours is not None
        untimed_counts = not timed and chosen.weekdays is None
        return _offsets(np.append(moved, 0), np.append(allowed, untimed_counts), groups)


def build_counter(
    rows: Rows, *, grids: int, category_of: Ints, stages: int, zone: ZoneInfo
) -> Counter:
    """
    Return the counter over all rows; `category_of` has the category of each kind's code.

    Raises ValueError for codes beyond the tables.
    """
    scale = make_scale(rows, grids=grids, category_of=category_of, stages=stages, zone=zone)
    return Counter(scale=scale, rows=Timeline(rows, scale))


def _offsets(moved: Ints, allowed: Allowed | None, groups: int) -> NDArray[np.uint32]:
    counts = moved if allowed is None else np.where(allowed, moved, groups)
    return freeze(counts, np.uint32)


@compile_kernel
def _count_rows(
    grid: Any, kind: Any, stage: Any, when: Any,
    of_grid: Any, of_kind: Any, of_stage: Any, of_when: Any, counts: Any,
) -> None:  # fmt: skip
    """Count each row where its four tables move it; the last count takes what does not count."""
    last = np.uint32(len(counts) - 1)
    for i in range(len(grid)):
        at = of_grid[np.uint32(grid[i])] + of_kind[kind[i]] + of_stage[stage[i]] + of_when[when[i]]
        counts[min(np.uint32(at), last)] += np.uint32(1)


@compile_kernel
def _add_rows(grid: Any, kind: Any, category: Any, counts: Any) -> None:
    """Count each row by category and grid."""
    for i in range(len(grid)):
        counts[category[kind[i]], np.uint32(grid[i])] += 1


def warm() -> None:
    """Compile the kernels and keep the machine code on disk, for set-up."""
    rows = Rows(
        at=np.array([DAY_S, 3 * DAY_S], np.int64),
        grid=np.array([0, -1], np.int32),
        kind=np.zeros(2, np.uint16),
        stage=np.zeros(2, np.uint8),
    )
    zone = ZoneInfo("Asia/Shanghai")
    counter = build_counter(rows, grids=1, category_of=np.zeros(1, np.int64), stages=1, zone=zone)
    counter.count(["grid"])
    counter.count(["grid", "hour"])
