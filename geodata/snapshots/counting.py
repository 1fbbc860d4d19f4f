"""Counting: incidents by any of what is known of them under any filter, in milliseconds.

The one engine behind every figure. Rows stand in the order of their reports, so a period is a
slice. Each column is looked up in a small table that says how far its value moves the count in the
answer, or that it does not count: a pass without a branch answers any grouping under any filter.
Counts by grid and category alone of a long period come from running totals and cost nothing that
grows with the rows. What has changed since is kept as a short list of rows that count once more or
once less.
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
from geodata.snapshots.count_filter import Allowed, CountFilter
from geodata.snapshots.courses import STANDINGS, Codes, list_standings
from geodata.snapshots.timeline import (
    COLUMN_OF,
    DAY_S,
    HOURS,
    Ints,
    Rows,
    Scale,
    Timeline,
    freeze,
    make_scale,
)

Axis = Literal[
    "grid", "category", "kind", "stage", "body", "source", "rule", "day", "weekday", "hour",
    "course", "standing",
]  # fmt: skip

MOST_GROUPS = 1 << 26
MOST_TOTALS = 16_000_000  # numbers kept as running totals: of a large city not every day's
MOST_CHANGES = 50_000
_LEAST_SHARE = 100_000  # rows for which a second thread pays
FEW_ROWS = 200_000  # are counted as fast as two totals are subtracted
_BLOCK = 2_048


@dataclass(frozen=True, kw_only=True)
class Counter:
    """
    Incidents ready to be counted; any number of threads may ask.

    `more` counts once more, `less` once less: what has changed since the rows were sorted, in any
    order in `more_rows` and `less_rows`.
    """

    scale: Scale
    rows: Timeline
    more: Timeline | None = None
    less: Timeline | None = None
    more_rows: Rows | None = None
    less_rows: Rows | None = None

    @property
    def n(self) -> int:
        """Return how many incidents there are."""
        return sum(sign * len(part.at) for part, sign in self._parts())

    def _parts(self) -> list[tuple[Timeline, int]]:
        parts = ((self.rows, 1), (self.more, 1), (self.less, -1))
        return [(part, sign) for part, sign in parts if part is not None]

    def changed(self, *, gone: Rows, new: Rows) -> Counter | None:
        """
        Return the counter after an update: `gone` as they were before, `new` as they are now.

        None where it must be built anew over all rows: for codes and days that it does not know,
        and after so many changes that a new one answers faster.
        """
        if not len(gone.at) + len(new.at):
            return self
        if self.scale.find_unknown(new):
            return None
        more_rows, less_rows = _join(self.more_rows, new), _join(self.less_rows, gone)
        if len(more_rows.at) + len(less_rows.at) > MOST_CHANGES:
            return None
        more, less = Timeline(more_rows, self.scale), Timeline(less_rows, self.scale)
        if (more.codes[COLUMN_OF["day"]][more.at > 0] == self.scale.days).any():
            return None
        made = replace(self, more=more, less=less, more_rows=more_rows, less_rows=less_rows)
        if "_totals" in self.__dict__:
            made.__dict__["_totals"] = self._totals
        return made

    def list_courses(self, now: int) -> Codes:
        """Return the values of the axis `course` at a moment (UTC s), told to the minute."""
        minute = now - now % 60
        found = [part.list_courses(minute) for part, _ in self._parts()]
        return np.unique(np.concatenate(found))

    def find_first(self) -> int:
        """Return when the first of them was reported (UTC s), 0 where none has a time."""
        at = 0
        while True:
            later = [
                int(part.at[row])
                for part, _ in self._parts()
                if (row := int(np.searchsorted(part.at, at, "right"))) < len(part.at)
            ]
            if not later:
                return 0
            at = min(later)
            if sum(sign * _length(part.slice_of(at, at + 1)) for part, sign in self._parts()):
                return at

    def count(
        self,
        by: Sequence[Axis],
        chosen: CountFilter | None = None,
        *,
        now: int = 0,
        threads: int = 2,
    ) -> Ints:
        """
        Return how many incidents there are for each value of the axes in `by`.

        The axes of the answer are those of `by`, in that order; `grid` ends with nobody, `course`
        is that of `list_courses`, `standing` over, open, overdue. `now` (UTC s) says how late the
        open ones are. By `day`, `weekday` or `hour` only what has a time counts. Raises ValueError
        for axes that repeat, for day together with hour or weekday, for what the rows do not tell,
        and for more than MOST_GROUPS groups.
        """
        question = _Question(self, by, chosen or CountFilter(), now)
        wanted = question.chosen
        rows = self.rows.slice_of(wanted.since, wanted.until)
        if wanted.has_totals and set(by) <= {"grid", "category"} and _length(rows) > FEW_ROWS:
            found = self._from_totals(by, wanted)
        else:
            found = question.pass_over(self.rows, threads)
        for part, sign in self._parts()[1:]:
            found += sign * question.pass_over(part, 1)
        return found

    @cached_property
    def _totals(self) -> tuple[Ints, NDArray[np.int32]]:
        """
        Return the first rows of some days, and how many come before each of these.

        By category and grid, (days, categories, grids + 1). Of a large city not every day is kept.
        """
        scale = self.scale
        plane = scale.categories * (scale.grids + 1)
        step = -(-(scale.days + 1) * plane // MOST_TOTALS)
        cuts = self.rows.bounds[::step]
        totals = np.zeros((len(cuts), scale.categories, scale.grids + 1), np.int32)
        start = 0
        for place, end in enumerate(cuts.tolist()):
            if place:
                totals[place] = totals[place - 1]
            self._add(slice(start, end), totals[place])
            start = end
        totals.flags.writeable = False
        return cuts, totals

    def _add(self, part: slice, counts: NDArray[np.int32]) -> None:
        if part.stop > part.start:
            category = freeze(self.scale.category_of, np.int32)
            codes = self.rows.codes
            grid, kind = (codes[COLUMN_OF[name], part] for name in ("grid", "kind"))
            _add_rows(grid, kind, category, counts)

    def _from_totals(self, by: Sequence[Axis], chosen: CountFilter) -> Ints:
        """Return counts by grid and category: most by subtraction, the ends row by row."""
        cuts, totals = self._totals
        rows = self.rows.slice_of(chosen.since, chosen.until)
        found = np.zeros(totals.shape[1:], np.int32)
        first = int(np.searchsorted(cuts, rows.start, "left"))
        last = int(np.searchsorted(cuts, rows.stop, "right")) - 1
        ends = [rows]
        if rows.start == 0 and last >= 0:
            found += totals[last]
            ends = [slice(int(cuts[last]), rows.stop)]
        elif first < last:
            found += totals[last] - totals[first]
            ends = [slice(rows.start, int(cuts[first])), slice(int(cuts[last]), rows.stop)]
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


class _Question:
    """For each value of a column how far it moves the count; too far where it does not count."""

    def __init__(self, counter: Counter, by: Sequence[Axis], chosen: CountFilter, now: int) -> None:
        self.chosen, self._minute = chosen, now - now % 60
        self._scale = counter.scale
        courses = counter.list_courses(now) if "course" in by else np.empty(0, np.uint16)
        own = {"course": len(courses), "standing": STANDINGS}
        self._shape = [own[axis] if axis in own else self._scale.size(axis) for axis in by]
        self._check(by)
        self._groups = int(np.prod(self._shape, dtype=np.int64))
        step = {axis: int(np.prod(self._shape[i + 1 :])) for i, axis in enumerate(by)}
        tables = self._list_tables(step)
        self._columns = np.array([COLUMN_OF[name] for name in tables], np.int64)
        self._names = frozenset(tables)
        begins = np.cumsum([0, *(len(table) for table in tables.values())])
        self._begins = begins.astype(np.int64)
        self._table = freeze(np.concatenate([*tables.values(), np.zeros(0, np.uint32)]), np.uint32)
        self._of_course = self._find_course_table(step, courses)

    def _check(self, by: Sequence[Axis]) -> None:
        chosen = self.chosen
        groups = int(np.prod(self._shape, dtype=np.float64))
        hourly = {"hour", "weekday"} & set(by) or chosen.hours is not None
        mixed = "day" in by and (hourly or chosen.weekdays is not None)
        doubled = len(set(by)) < len(by) or {"kind", "category"} <= set(by)
        if doubled or mixed or groups > MOST_GROUPS:
            msg = f"cannot count by {', '.join(by)}: {groups:,} groups of at most {MOST_GROUPS:,}."
            raise ValueError(msg)

    def _list_tables(self, step: dict[Axis, int]) -> dict[str, NDArray[np.uint32]]:
        """Return the table of each column that is grouped or filtered by."""
        scale, chosen = self._scale, self.chosen
        found = {}
        if {"kind", "category"} & set(step) or chosen.kinds is not None or chosen.by_category:
            category = scale.category_of
            moved = np.arange(scale.kinds) * step.get("kind", 0)
            moved += category * step.get("category", 0)
            found["kind"] = self._offsets(moved, chosen.allow_kinds(category))
        plain: tuple[tuple[Axis, Allowed | None], ...] = (
            ("grid", chosen.grids), ("stage", chosen.stages), ("body", chosen.bodies),
            ("source", chosen.sources), ("rule", None),
        )  # fmt: skip
        for axis, allowed in plain:
            if axis in step or allowed is not None:
                moved = np.arange(scale.size(axis)) * step.get(axis, 0)
                found[axis] = self._offsets(moved, allowed)
        timed = {"hour", "weekday"} & set(step)
        if "day" in step:
            moved, counts = np.arange(scale.days + 1) * step["day"], np.ones(scale.days + 1, bool)
            counts[-1] = False
            found["day"] = self._offsets(moved, counts)
        elif timed or chosen.hours is not None or chosen.weekdays is not None:
            hours = np.arange(HOURS)
            moved = hours % 24 * step.get("hour", 0) + hours // 24 * step.get("weekday", 0)
            found["hour"] = self._offsets(np.append(moved, 0), chosen.allow_hours(hours))
        return found

    def _offsets(self, moved: Ints, allowed: Allowed | None) -> NDArray[np.uint32]:
        counts = moved if allowed is None else np.where(allowed, moved, self._groups)
        return counts.astype(np.uint32)

    def _find_course_table(self, step: dict[Axis, int], courses: Codes) -> NDArray[np.uint32]:
        """Return the table of courses, empty where they are neither grouped nor filtered by."""
        standings = self.chosen.standings
        if not {"course", "standing"} & set(step) and standings is None:
            return freeze(np.empty(0), np.uint32)
        every = list_standings()
        moved = every * step.get("standing", 0)
        moved[courses] += np.arange(len(courses)) * step.get("course", 0)
        return freeze(self._offsets(moved, None if standings is None else standings[every]),
                      np.uint32)  # fmt: skip

    def pass_over(self, timeline: Timeline, threads: int) -> Ints:
        """Return the counts of one set of rows by one pass over the filter's period."""
        if not self._names <= timeline.known:
            msg = f"these rows do not tell {', '.join(sorted(self._names - timeline.known))}."
            raise ValueError(msg)
        rows = timeline.slice_of(self.chosen.since, self.chosen.until)
        courses = _NO_COURSES
        if len(self._of_course):
            courses = timeline.courses_at(self._minute)
        workers = max(1, min(threads, _length(rows) // _LEAST_SHARE))
        cuts = np.linspace(rows.start, rows.stop, workers + 1).astype(np.int64)
        counts = np.zeros((workers, self._groups + 1), np.uint32)

        def work(worker: int) -> None:
            _count_rows(
                timeline.codes, self._columns, self._begins, self._table, courses, self._of_course,
                cuts[worker], cuts[worker + 1], counts[worker],
            )  # fmt: skip

        if workers == 1:
            work(0)
        else:
            with ThreadPoolExecutor(workers) as pool:
                list(pool.map(work, range(workers)))
        added: Ints = counts[:, : self._groups].sum(axis=0, dtype=np.int64)
        return added.reshape(self._shape)


_NO_COURSES = freeze(np.empty(0), np.uint16)


def build_counter(
    rows: Rows, *, grids: int, category_of: Ints, stages: int, zone: ZoneInfo, rules: int = 0
) -> Counter:
    """
    Return the counter over all rows; `category_of` has the category of each kind's code.

    Raises ValueError for codes beyond the tables.
    """
    scale = make_scale(
        rows, grids=grids, category_of=category_of, stages=stages, rules=rules, zone=zone
    )
    return Counter(scale=scale, rows=Timeline(rows, scale))


def _join(old: Rows | None, new: Rows) -> Rows:
    return new if old is None else old.join(new)


def _length(rows: slice) -> int:
    return int(rows.stop - rows.start)


@compile_kernel
def _count_rows(
    codes: Any, columns: Any, begins: Any, table: Any, courses: Any, of_course: Any,
    low: Any, high: Any, counts: Any,
) -> None:  # fmt: skip
    """Count each row where its tables move it; the last count takes what does not count."""
    last = np.uint32(len(counts) - 1)
    place = np.empty(_BLOCK, np.uint32)
    for begin in range(low, high, _BLOCK):
        n = min(_BLOCK, high - begin)
        if len(of_course):
            some = courses[begin : begin + n]
            for j in range(n):
                place[j] = of_course[some[j]]
        else:
            place[:n] = np.uint32(0)
        for k in range(len(columns)):
            column, moved = codes[columns[k], begin : begin + n], table[begins[k] :]
            for j in range(n):
                place[j] = np.uint32(place[j] + moved[column[j]])
        for j in range(n):
            counts[min(place[j], last)] += np.uint32(1)


@compile_kernel
def _add_rows(grid: Any, kind: Any, category: Any, counts: Any) -> None:
    """Count each row by category and grid."""
    for i in range(len(grid)):
        counts[category[kind[i]], grid[i]] += 1


def warm() -> None:
    """Compile the kernels and keep the machine code on disk, for set-up."""
    for kinds in (1, 1 << 16):  # codes of two bytes, and of four
        rows = Rows(
            at=np.array([DAY_S, 3 * DAY_S], np.int64),
            grid=np.array([0, -1], np.int32),
            kind=np.zeros(2, np.int32),
            stage=np.zeros(2, np.uint8),
        )
        counter = build_counter(
            rows,
            grids=1,
            category_of=np.zeros(kinds, np.int64),
            stages=1,
            zone=ZoneInfo("Asia/Shanghai"),
        )
        counter.count(["grid", "hour"])
        counter._add(slice(0, 2), np.zeros((1, 2), np.int32))
