"""The clock: deadlines over the city's calendar, and how much time is left."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import numpy as np
from numpy.typing import NDArray

from geodata.compiled import compile_kernel

STATES = ("safe", "amber", "red", "suspended", "done_on_time", "done_late", "no_deadline")
SAFE, AMBER, RED, SUSPENDED, DONE_ON_TIME, DONE_LATE, NO_DEADLINE = range(len(STATES))
AMBER_SHARE = 0.2  # of the whole time, contracts.md 5
AMBER_S = 2 * 3600
UNITS = ("minutes", "days", "working_hours", "working_days")
_SATURDAY = 5


@dataclass(frozen=True, slots=True, kw_only=True)
class Calendar:
    """
    Working time of a city, day by day from `first`, in its own zone.

    Days without an entry are working when they are Monday to Friday; `known_years` says for which
    years the city gave a calendar, because a screen must say when it guesses.
    """

    zone: ZoneInfo
    first: date
    midnights: NDArray[np.int64]  # UTC second at which each day begins
    opens: NDArray[np.int64]  # UTC second at which each day's working hours begin
    works: NDArray[np.bool_]
    open_s: int
    known_years: frozenset[int]


def make_calendar(
    entries: dict[str, bool], *, zone: ZoneInfo, working_hours: str, first: date, last: date
) -> Calendar:
    """
    Return the calendar from `first` to `last`; `entries` maps ISO dates to working or not.

    Raises ValueError when `working_hours` is not like 09:00-17:00.
    """
    opens_at, closes_at = (time.fromisoformat(text.strip()) for text in working_hours.split("-"))
    days = [first + timedelta(n) for n in range((last - first).days + 1)]
    midnights = [int(datetime.combine(day, time(), zone).timestamp()) for day in days]
    opens = [int(datetime.combine(day, opens_at, zone).timestamp()) for day in days]
    works = [entries.get(day.isoformat(), day.weekday() < _SATURDAY) for day in days]
    span = timedelta(
        hours=closes_at.hour - opens_at.hour, minutes=closes_at.minute - opens_at.minute
    )
    return Calendar(
        zone=zone,
        first=first,
        midnights=np.array(midnights, np.int64),
        opens=np.array(opens, np.int64),
        works=np.array(works, np.bool_),
        open_s=max(int(span.total_seconds()), 1),
        known_years=frozenset(int(text[:4]) for text in entries),
    )


def add_limit(
    start: NDArray[np.int64],
    *,
    limit: NDArray[np.float64],
    unit: NDArray[np.int8],
    calendar: Calendar,
) -> NDArray[np.int64]:
    """
    Return the deadline of each start (UTC s) under its kind's limit; 0 where there is no limit.

    `unit` is a place in UNITS. Working hours run only while the city works; n working days end at
    the same moment of the day n working days later.
    """
    due = np.zeros(len(start), np.int64)
    has = (limit > 0) & (start > 0)
    for code, seconds in ((0, 60), (1, 86_400)):
        rows = has & (unit == code)
        due[rows] = start[rows] + np.rint(limit[rows] * seconds).astype(np.int64)
    rows = has & (unit == 2)
    due[rows] = _add_working_seconds(start[rows], np.rint(limit[rows] * 3600), calendar)
    rows = has & (unit == 3)
    due[rows] = _add_working_days(start[rows], np.rint(limit[rows]).astype(np.int64), calendar)
    return due


def clock_state(
    *,
    open: NDArray[np.bool_],
    due_at: NDArray[np.int64],
    clock_from: NDArray[np.int64],
    closed_at: NDArray[np.int64],
    suspended_since: NDArray[np.int64],
    now: int,
) -> NDArray[np.uint8]:
    """Return each incident's state at `now`, a place in STATES (contracts.md 5)."""
    state = np.empty(len(due_at), np.uint8)
    _write_states(open, due_at, clock_from, closed_at, suspended_since, now, state)
    return state


@compile_kernel
def _write_states(
    open: Any, due_at: Any, clock_from: Any, closed_at: Any, suspended_since: Any,
    now: int, state: Any,
) -> None:  # fmt: skip
    for i in range(len(state)):
        due = due_at[i]
        left = due - now
        if due == 0:
            state[i] = NO_DEADLINE
        elif not open[i]:
            state[i] = DONE_LATE if closed_at[i] > due else DONE_ON_TIME
        elif suspended_since[i] > 0:
            state[i] = SUSPENDED
        elif left < 0:
            state[i] = RED
        elif left < AMBER_S or left < max(due - clock_from[i], 0) * AMBER_SHARE:
            state[i] = AMBER
        else:
            state[i] = SAFE


def _day_of(start: NDArray[np.int64], calendar: Calendar) -> NDArray[np.int64]:
    """Return the place in the calendar of the day whose opening is the last one before `start`."""
    return np.clip(
        np.searchsorted(calendar.opens, start, side="right") - 1, 0, len(calendar.opens) - 1
    )


def _add_working_seconds(
    start: NDArray[np.int64], seconds: NDArray[np.float64], calendar: Calendar
) -> NDArray[np.int64]:
    # STEP 1: working seconds from the calendar's beginning to each start.
    per_day = np.where(calendar.works, calendar.open_s, 0)
    before = np.r_[0, np.cumsum(per_day)]
    day = _day_of(start, calendar)
    into = np.clip(start - calendar.opens[day], 0, per_day[day])
    # STEP 2: the day on which the sum is reached, and the moment of that day.
    target = before[day] + into + seconds.astype(np.int64)
    end = np.searchsorted(before, target, side="left") - 1
    end = np.clip(end, 0, len(calendar.opens) - 1)
    return np.asarray(calendar.opens[end] + target - before[end], np.int64)


def _add_working_days(
    start: NDArray[np.int64], days: NDArray[np.int64], calendar: Calendar
) -> NDArray[np.int64]:
    midnight = calendar.midnights
    working = np.flatnonzero(calendar.works)
    day = np.clip(np.searchsorted(midnight, start, side="right") - 1, 0, len(midnight) - 1)
    into = start - midnight[day]
    place = np.searchsorted(working, day, side="right") - 1 + days
    end = working[np.clip(place, 0, len(working) - 1)]
    return np.asarray(midnight[end] + into, np.int64)


def warm() -> None:
    """Compile the kernel and keep the machine code on disk, for set-up."""
    open_, steps, at = np.ones(2, np.bool_), np.ones((2, 6), np.int64), np.ones(2, np.int64)
    for frozen in (False, True):  # a snapshot's columns are read-only
        for column in (open_, steps, at):
            column.flags.writeable = not frozen
        clock_state(
            open=open_,
            due_at=at,
            clock_from=at,
            closed_at=steps[:, 4],
            suspended_since=at,
            now=1,
        )
