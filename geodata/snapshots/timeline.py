"""Timeline: incidents in the order of their reports, each with its day and hour in the city."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, time, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import numpy as np
from numpy.typing import NDArray

from geodata.snapshots.snapshot import Snapshot

Ints = NDArray[np.int64]

DAY_S = 86_400
HOURS = 24 * 7  # of a week, Monday first
_SPARE_DAYS = 40  # after the last report, for what is still to come


@dataclass(frozen=True, slots=True, kw_only=True)
class Rows:
    """
    Incidents to count, in any order: when reported (UTC seconds, 0 never), where, what, how far.

    `grid` is the row of the owning grid, -1 for nobody; `kind` and `stage` are codes.
    """

    at: Ints
    grid: NDArray[np.int32]
    kind: NDArray[Any]
    stage: NDArray[np.uint8]

    @classmethod
    def of_snapshot(cls, snapshot: Snapshot, rows: Any = slice(None)) -> Rows:
        """Return these rows of a snapshot, or all."""
        return cls(
            at=snapshot.reported_at[rows],
            grid=snapshot.owner[rows],
            kind=snapshot.kind[rows],
            stage=snapshot.stage[rows],
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Scale:
    """How many values each axis has, and what day and hour of the week a moment is."""

    grids: int
    kinds: int
    stages: int
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
        }  # fmt: skip
        return sizes[axis]


class Timeline:
    """Rows in the order of their reports, each value ready to be looked up; read only."""

    def __init__(self, rows: Rows, scale: Scale) -> None:
        order = np.argsort(rows.at, kind="stable")
        self.at = freeze(rows.at[order], np.int64)
        grid = rows.grid[order]
        self.grid = freeze(np.where(grid < 0, scale.grids, grid), np.int32)
        self.kind = freeze(rows.kind[order], np.uint16)
        self.stage = freeze(rows.stage[order], np.uint8)
        bounds = np.searchsorted(self.at, scale.midnights)
        day = np.full(len(self.at), scale.days, np.int64)
        day[bounds[0] : bounds[-1]] = np.repeat(np.arange(scale.days), np.diff(bounds))
        self.day = freeze(day, np.uint16)
        self.hour = freeze(_hours_of_week(self.at, day, scale), np.uint16)
        self.bounds = bounds  # first row of each day, and the end of the last

    def slice_of(self, since: int | None, until: int | None) -> slice:
        """Return the rows reported in [since, until); None means no limit."""
        low = 0 if since is None else int(np.searchsorted(self.at, since))
        high = len(self.at) if until is None else int(np.searchsorted(self.at, until))
        return slice(low, max(low, high))


def make_scale(rows: Rows, *, grids: int, category_of: Ints, stages: int, zone: ZoneInfo) -> Scale:
    """
    Return the scale of all rows; `category_of` has the category of each kind's code.

    Raises ValueError for codes beyond the tables.
    """
    kinds = len(category_of)
    for name, values, most in (
        ("grid", rows.grid, grids), ("kind", rows.kind, kinds), ("stage", rows.stage, stages),
    ):  # fmt: skip
        if len(values) and not int(values.max()) < most <= 1 << 16:
            msg = f"{name} has codes up to {values.max()}, of {most} known."
            raise ValueError(msg)
    midnights, changes = _list_days(rows.at, zone)
    return Scale(
        grids=grids,
        kinds=kinds,
        stages=stages,
        category_of=np.asarray(category_of, np.int64),
        categories=int(category_of.max(initial=0)) + 1,
        midnights=midnights,
        hour_of=changes,
        first_weekday=datetime.fromtimestamp(int(midnights[0]), zone).weekday(),
    )


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
