"""Timeline: incidents in the order of their reports, each with its day and hour in the city."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, fields
from datetime import UTC, datetime, time, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import numpy as np
from numpy.typing import NDArray

from geodata.events.clock import clock_state
from geodata.snapshots.courses import Codes, add_states, encode_courses, is_open
from geodata.snapshots.snapshot import Snapshot

Ints = NDArray[np.int64]

DAY_S = 86_400
HOURS = 24 * 7  # of a week, Monday first
_SPARE_DAYS = 40  # after the last report, for what is still to come
_SHORT = 1 << 16  # codes that two bytes hold
_TOLD = ("body", "source", "rule")  # codes that rows need not have
_LEAST_RUN = 64  # rows of one hour, on average, from which a run is faster than look-ups
_CLOCK = ("due_at", "clock_from", "suspended_since")
COLUMNS = ("grid", "kind", "stage", "day", "hour", *_TOLD)
COLUMN_OF = {name: place for place, name in enumerate(COLUMNS)}


@dataclass(frozen=True, slots=True, kw_only=True)
class Rows:
    """
    Incidents to count, in any order: when reported (UTC seconds, 0 never), where, what, how far.

    `grid` is the row of the owning grid, -1 for nobody; `kind` with its `category`, `stage`,
    `body`, `source` and `rule` are codes; `course` is that of `encode_courses`, with the three
    times of its clock. What is None cannot be asked for.
    """

    at: Ints
    grid: NDArray[np.int32]
    kind: NDArray[Any]
    stage: NDArray[np.uint8]
    category: NDArray[Any] | None = None
    body: NDArray[Any] | None = None
    source: NDArray[Any] | None = None
    rule: NDArray[Any] | None = None
    course: Codes | None = None
    due_at: Ints | None = None
    clock_from: Ints | None = None
    suspended_since: Ints | None = None

    @classmethod
    def of_snapshot(cls, snapshot: Snapshot, rows: Any = slice(None)) -> Rows:
        """Return these rows of a snapshot, or all."""
        names = ("kind", "stage", "category", *_TOLD, *_CLOCK)
        return cls(
            at=snapshot.reported_at[rows],
            grid=snapshot.owner[rows],
            course=encode_courses(snapshot, rows),
            **{name: getattr(snapshot, name)[rows] for name in names},
        )

    def join(self, other: Rows) -> Rows:
        """Return these rows and others, of the same columns."""
        joined: dict[str, Any] = {}
        for name in (item.name for item in fields(Rows)):
            one, two = getattr(self, name), getattr(other, name)
            joined[name] = None if one is None else np.concatenate([one, two])
        return Rows(**joined)


@dataclass(frozen=True, slots=True, kw_only=True)
class Scale:
    """How many values each axis has, and what day and hour of the week a moment is."""

    grids: int
    kinds: int
    stages: int
    bodies: int
    sources: int
    rules: int
    category_of: Ints  # of each kind
    categories: int
    midnights: Ints  # UTC seconds, one more than days
    hour_of: Mapping[int, Ints]  # of a day whose clock is changed: hour by hours since midnight
    first_weekday: int

    @property
    def days(self) -> int:
        """Return how many days there are."""
        return len(self.midnights) - 1

    def size(self, axis: str) -> int:
        """Return how many values an axis has in an answer; those of `grid` end with nobody."""
        sizes = {
            "grid": self.grids + 1, "category": self.categories, "kind": self.kinds,
            "stage": self.stages, "day": self.days, "weekday": 7, "hour": 24,
            "body": self.bodies, "source": self.sources, "rule": self.rules,
        }  # fmt: skip
        return sizes[axis]

    def find_unknown(self, rows: Rows) -> str:
        """Return the first column with codes beyond the scale, and up to which; else nothing."""
        known = {
            "grid": self.grids,
            **{name: self.size(name) for name in ("kind", "stage", *_TOLD)},
        }
        for name, most in known.items():
            values = getattr(rows, name)
            if values is not None and len(values) and int(values.max()) >= most:
                return f"{name} has codes up to {values.max()}, of {most} known."
        moved = rows.category is not None and (self.category_of[rows.kind] != rows.category).any()
        return "a kind is of another category." if moved else ""

    @property
    def code_type(self) -> Any:
        """Return the smaller type of whole numbers that holds every code."""
        most = max(self.grids, self.kinds, self.stages, self.bodies, self.sources, self.rules)
        return np.uint16 if max(most, self.days, HOURS) < _SHORT else np.uint32


class Timeline:
    """
    Rows in the order of their reports, each value ready to be looked up.

    Nobody's are of the last grid, what has no time is on the last day and hour. `runs` has where
    rows of one day and of one hour begin, an end, and which they are, where there are many of
    each. Read only but for the courses of the last minute that was asked for, which are kept.
    """

    def __init__(self, rows: Rows, scale: Scale) -> None:
        order = _order_by_time(rows.at)
        self.at = freeze(rows.at[order], np.int64)
        self.bounds = np.searchsorted(self.at, scale.midnights)  # first row of each day, and an end
        day = np.full(len(self.at), scale.days, np.int64)
        day[self.bounds[0] : self.bounds[-1]] = np.repeat(
            np.arange(scale.days), np.diff(self.bounds)
        )
        known = [name for name in COLUMNS if name in {"day", "hour"} or _has(rows, name)]
        codes = np.empty((1 + max(COLUMN_OF[name] for name in known), len(order)), scale.code_type)
        codes[COLUMN_OF["day"]] = day
        codes[COLUMN_OF["hour"]] = _hours_of_week(self.at, day, scale)
        for name in known:
            if name not in {"day", "hour", "grid"}:
                codes[COLUMN_OF[name]] = getattr(rows, name)[order]
        grid = rows.grid[order]
        codes[COLUMN_OF["grid"]] = np.where(grid < 0, scale.grids, grid)
        codes.flags.writeable = False
        found = {name: _find_runs(codes[COLUMN_OF[name]]) for name in ("day", "hour")}
        self.runs = {name: runs for name, runs in found.items() if runs is not None}
        self.known = frozenset(known)
        self.codes = codes
        self._take_courses(rows, order)

    def _take_courses(self, rows: Rows, order: Ints) -> None:
        self._minute: tuple[int, Codes, Codes] | None = None
        self._course: Codes | None = None
        if rows.course is None:
            return
        self._course = freeze(rows.course[order], np.uint16)
        self._open = np.flatnonzero(is_open(self._course))
        self._over = np.unique(np.delete(self._course, self._open))
        self._clock = {name: getattr(rows, name)[order[self._open]] for name in _CLOCK}

    def slice_of(self, since: int | None, until: int | None) -> slice:
        """Return the rows reported in [since, until); None means no limit."""
        low = 0 if since is None else int(np.searchsorted(self.at, since))
        high = len(self.at) if until is None else int(np.searchsorted(self.at, until))
        return slice(low, max(low, high))

    def courses_at(self, minute: int) -> Codes:
        """Return each row's course with its state at a minute; ValueError for rows without."""
        return self._move_to(minute)[1]

    def list_courses(self, minute: int) -> Codes:
        """Return which courses there are at a minute, in their order."""
        return self._move_to(minute)[2]

    def _move_to(self, minute: int) -> tuple[int, Codes, Codes]:
        course, kept = self._course, self._minute
        if course is None:
            msg = "these rows have no course."
            raise ValueError(msg)
        if kept is None or kept[0] != minute:
            found = course.copy()
            found[self._open] = moved = self._open_at(minute)
            found.flags.writeable = False
            self._minute = kept = minute, found, np.union1d(self._over, moved)
        return kept

    def _open_at(self, minute: int) -> Codes:
        assert self._course is not None
        course, clock = self._course[self._open], self._clock
        states = clock_state(
            open=np.ones(len(course), np.bool_),
            closed_at=np.zeros((len(course), 2), np.int64)[:, 0],
            now=minute,
            **clock,
        )
        return add_states(course, states, due_at=clock["due_at"], now=minute)


def _find_runs(codes: NDArray[Any]) -> tuple[Ints, NDArray[Any]] | None:
    """Return where equal codes begin, and the end, and these codes; None where runs are short."""
    begins = np.flatnonzero(codes[1:] != codes[:-1]) + 1
    if (len(begins) + 1) * _LEAST_RUN > len(codes):
        return None
    edges = np.concatenate([[0], begins, [len(codes)]]).astype(np.int64)
    return edges, codes[edges[:-1]]


def _order_by_time(at: Ints) -> Ints:
    """Return the rows in the order of their times, equal ones as they stand."""
    low = int(at.min(initial=0))
    if int(at.max(initial=0)) - low >= 1 << 32:
        return np.argsort(at, kind="stable")
    # Plain numbers are sorted several times as fast as their places are.
    keys = ((at - low).astype(np.uint64) << np.uint64(32)) | np.arange(len(at), dtype=np.uint64)
    keys.sort()
    return (keys & np.uint64(0xFFFFFFFF)).astype(np.int64)


def _has(rows: Rows, name: str) -> bool:
    return getattr(rows, name) is not None


def make_scale(
    rows: Rows, *, grids: int, category_of: Ints, stages: int, rules: int, zone: ZoneInfo
) -> Scale:
    """
    Return the scale of all rows; `category_of` has the category of each kind's code.

    Raises ValueError for codes beyond the tables.
    """
    midnights, changes = _list_days(rows.at, zone)
    bodies, sources = (
        0 if codes is None else int(codes.max(initial=0)) + 1 for codes in (rows.body, rows.source)
    )
    scale = Scale(
        grids=grids,
        kinds=len(category_of),
        stages=stages,
        bodies=bodies,
        sources=sources,
        rules=rules,
        category_of=np.asarray(category_of, np.int64),
        categories=int(category_of.max(initial=0)) + 1,
        midnights=midnights,
        hour_of=changes,
        first_weekday=datetime.fromtimestamp(int(midnights[0]), zone).weekday(),
    )
    unknown = scale.find_unknown(rows)
    if unknown:
        raise ValueError(unknown)
    return scale


def _list_days(at: Ints, zone: ZoneInfo) -> tuple[Ints, dict[int, Ints]]:
    """Return the midnights around all reports, and the hours of days whose clock is changed."""
    timed = at[at > 0]
    low, high = (int(timed.min()), int(timed.max())) if len(timed) else (0, 0)
    day = datetime.fromtimestamp(low, zone).date()
    last = datetime.fromtimestamp(high, zone).date() + timedelta(_SPARE_DAYS)
    days = [day + timedelta(n) for n in range((last - day).days + 1)]
    found = [int(datetime.combine(one, time(), zone).timestamp()) for one in days]
    midnights = np.array(found, np.int64)
    changes = {}
    for i in np.flatnonzero(np.diff(midnights) != DAY_S):
        hours = range((int(midnights[i + 1] - midnights[i]) - 1) // 3600 + 1)
        moments = [datetime.fromtimestamp(found[i] + 3600 * n, UTC) for n in hours]
        changes[int(i)] = np.array([one.astimezone(zone).hour for one in moments], np.int64)
    return midnights, changes


def _hours_of_week(at: Ints, day: Ints, scale: Scale) -> Ints:
    """Return the hour of the week of each report, Monday 0:00 first; 168 without a time."""
    timed = day < scale.days
    since = np.where(timed, at - scale.midnights[np.minimum(day, scale.days - 1)], 0) // 3600
    for one, hours in scale.hour_of.items():
        rows = slice(*np.searchsorted(day, (one, one + 1))) if one < scale.days else slice(0)
        since[rows] = hours[since[rows]]
    return np.where(timed, (day + scale.first_weekday) % 7 * 24 + since, HOURS)


def freeze(values: NDArray[Any], kind: Any) -> NDArray[Any]:
    """Return the values read-only: a kernel is compiled for one kind of array, once."""
    kept = np.array(values, kind)
    kept.flags.writeable = False
    return kept
