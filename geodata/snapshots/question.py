"""Question: by what incidents are counted and which of them count, answered in one pass (numba)."""

from __future__ import annotations

from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from geodata.compiled import compile_kernel
from geodata.snapshots.count_filter import Allowed, CountFilter
from geodata.snapshots.courses import STANDINGS, Codes, list_standings
from geodata.snapshots.timeline import COLUMN_OF, HOURS, Ints, Scale, Timeline, freeze

Axis = Literal[
    "grid", "category", "kind", "stage", "body", "source", "rule", "day", "weekday", "hour",
    "course", "standing",
]  # fmt: skip

MOST_GROUPS = 1 << 26
_LEAST_SHARE = 500_000  # rows for which a second thread pays
_CHUNK = 500_000  # rows that a thread takes at a time: one that is kept waiting takes fewer
_BLOCK = 2_048
_LEAST_COLUMNS = 2  # are looked up for each row: missing ones move nothing
_SPILL = 16  # counts of what does not count: one alone would make each addition wait for the last


class Question:
    """
    For each value of a column how far it moves the count; too far where it does not count.

    `courses` are the values of the axis `course` at `minute` (UTC s), where it is asked for. Raises
    ValueError for axes that repeat or do not go together, and for more than MOST_GROUPS groups.
    """

    def __init__(
        self,
        scale: Scale,
        by: Sequence[Axis],
        chosen: CountFilter,
        *,
        minute: int,
        courses: Codes,
    ) -> None:
        self.chosen, self._minute = chosen, minute
        self._scale = scale
        own = {"course": len(courses), "standing": STANDINGS}
        self._shape = [own[axis] if axis in own else self._scale.size(axis) for axis in by]
        self._check(by)
        self._groups = int(np.prod(self._shape, dtype=np.int64))
        step = {axis: int(np.prod(self._shape[i + 1 :])) for i, axis in enumerate(by)}
        self._tables = self._list_tables(step)
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
        if not self._tables.keys() <= timeline.known:
            unknown = sorted(self._tables.keys() - timeline.known)
            msg = f"these rows do not tell {', '.join(unknown)}."
            raise ValueError(msg)
        rows = timeline.slice_of(self.chosen.since, self.chosen.until)
        courses = _NO_COURSES
        if len(self._of_course):
            courses = timeline.courses_at(self._minute)
        tables = dict(self._tables)
        edges, moved = self._cut_runs(timeline, tables, rows)
        while len(tables) < _LEAST_COLUMNS:
            tables[f"no column {len(tables)}"] = np.zeros(HOURS + 1, np.uint32)
        columns = np.array([COLUMN_OF.get(name, COLUMN_OF["hour"]) for name in tables], np.int64)
        begins = np.cumsum([0, *(len(table) for table in tables.values())]).astype(np.int64)
        table = freeze(np.concatenate(list(tables.values())), np.uint32)
        size = rows.stop - rows.start
        workers = max(1, min(threads, size // _LEAST_SHARE))
        counts = np.zeros((workers, self._groups + _SPILL), np.uint32)
        step = min(_CHUNK, -(-size // workers)) or 1
        chunks = iter(range(rows.start, rows.stop, step))

        def work(worker: int) -> None:
            for low in chunks:
                high = min(low + step, rows.stop)
                first = int(np.searchsorted(edges, low, "right")) - 1
                last = int(np.searchsorted(edges, high))
                _count_rows(
                    timeline.codes, columns, begins, table, courses, self._of_course,
                    np.clip(edges[first : last + 1], low, high), moved[first:last], counts[worker],
                )  # fmt: skip

        if workers == 1:
            work(0)
        else:
            with ThreadPoolExecutor(workers - 1) as pool:
                others = pool.map(work, range(1, workers))
                work(0)
                list(others)
        added: Ints = counts[:, : self._groups].sum(axis=0, dtype=np.int64)
        return added.reshape(self._shape)

    def _cut_runs(
        self, timeline: Timeline, tables: dict[str, NDArray[np.uint32]], rows: slice
    ) -> tuple[Ints, NDArray[np.uint32]]:
        """
        Return the edges of runs of rows at one time, and how far each moves the count.

        The table of that time is taken out of `tables`: nobody looks it up for each row any more.
        One run that moves nothing where times are not asked for, or change too often.
        """
        for name, (edges, codes) in timeline.runs.items():
            if name in tables:
                return edges, tables.pop(name)[codes]
        return np.array([rows.start, rows.stop], np.int64), np.zeros(1, np.uint32)


_NO_COURSES = freeze(np.empty(0), np.uint16)


@compile_kernel
def _count_rows(
    codes: Any, columns: Any, begins: Any, table: Any, courses: Any, of_course: Any,
    edges: Any, moved: Any, counts: Any,
) -> None:  # fmt: skip
    """Count each row where its run and tables move it; the last counts take what does not count."""
    groups = np.uint32(len(counts) - _SPILL)
    last = len(columns) - 2
    plain = last == 0 and not len(of_course)
    to_one, to_two = table[begins[last] :], table[begins[last + 1] :]
    place = np.empty(_BLOCK, np.uint32)
    for run in range(len(moved)):
        start, end = moved[run], edges[run + 1]
        if start >= groups:
            continue
        for begin in range(edges[run], end, _BLOCK):
            n = min(_BLOCK, end - begin)
            one = codes[columns[last], begin : begin + n]
            two = codes[columns[last + 1], begin : begin + n]
            if plain:
                for j in range(n):
                    found = np.uint32(start + to_one[one[j]] + to_two[two[j]])
                    spilt = np.uint32(groups + np.uint32(j & (_SPILL - 1)))
                    counts[min(found, spilt)] += np.uint32(1)
                continue
            place[:n] = start
            if len(of_course):
                some = courses[begin : begin + n]
                for j in range(n):
                    place[j] = np.uint32(place[j] + of_course[some[j]])
            for k in range(last):
                column, by = codes[columns[k], begin : begin + n], table[begins[k] :]
                for j in range(n):
                    place[j] = np.uint32(place[j] + by[column[j]])
            for j in range(n):
                found = np.uint32(place[j] + to_one[one[j]] + to_two[two[j]])
                spilt = np.uint32(groups + np.uint32(j & (_SPILL - 1)))
                counts[min(found, spilt)] += np.uint32(1)
