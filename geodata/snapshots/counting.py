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
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any
from zoneinfo import ZoneInfo

import numpy as np
from numpy.typing import NDArray

from geodata.compiled import compile_kernel
from geodata.snapshots.count_filter import CountFilter
from geodata.snapshots.courses import Codes
from geodata.snapshots.question import Axis, Question
from geodata.snapshots.timeline import (
    COLUMN_OF,
    DAY_S,
    Ints,
    Rows,
    Scale,
    Timeline,
    freeze,
    make_scale,
)

MOST_TOTALS = 16_000_000  # numbers kept as running totals: of a large city not every day's
MOST_CHANGES = 50_000
FEW_ROWS = 200_000  # are counted as fast as two totals are subtracted


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
        question = Question(
            self.scale,
            by,
            chosen or CountFilter(),
            minute=now - now % 60,
            courses=self.list_courses(now) if "course" in by else np.empty(0, np.uint16),
        )
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
