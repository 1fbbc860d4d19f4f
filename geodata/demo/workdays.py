"""The working calendar, and deadlines counted over it."""

from __future__ import annotations

import datetime as dt

import numpy as np
import pandas as pd
from numpy.typing import NDArray

ZONE_S = 8 * 3600  # China Standard Time, no summer time
DAY_S = 86_400
_OPEN_S = 9 * 3600
_WORK_S = 8 * 3600  # a working day of eight hours, 9 to 17

Ints = NDArray[np.int64]

# Public holidays of mainland China as announced for the year; outside these years, fixed dates.
_HOLIDAYS = {
    2025: (
        ("元旦", "2025-01-01", 1), ("春节", "2025-01-28", 8), ("清明节", "2025-04-04", 3),
        ("劳动节", "2025-05-01", 5), ("端午节", "2025-05-31", 3),
        ("国庆节、中秋节", "2025-10-01", 8),
    ),
    2026: (
        ("元旦", "2026-01-01", 3), ("春节", "2026-02-15", 9), ("清明节", "2026-04-04", 3),
        ("劳动节", "2026-05-01", 5), ("端午节", "2026-06-19", 3), ("中秋节", "2026-09-25", 3),
        ("国庆节", "2026-10-01", 7),
    ),
}  # fmt: skip
_MAKE_UP = {
    2025: ("2025-01-26", "2025-02-08", "2025-04-27", "2025-09-28", "2025-10-11"),
    2026: (
        "2026-01-04", "2026-02-14", "2026-02-28", "2026-05-09", "2026-09-20", "2026-10-10",
    ),
}  # fmt: skip
_FIXED = (("元旦", "01-01", 1), ("劳动节", "05-01", 1), ("国庆节", "10-01", 3))


def make_calendar(first: dt.date, last: dt.date) -> pd.DataFrame:
    """Return the calendar table: date (ISO text), working (bool), name."""
    off: dict[dt.date, str] = {}
    make_up: set[dt.date] = set()
    for year in range(first.year, last.year + 1):
        listed = _HOLIDAYS.get(year) or tuple(
            (name, f"{year}-{day}", length) for name, day, length in _FIXED
        )
        for name, start, length in listed:
            for step in range(length):
                off[dt.date.fromisoformat(start) + dt.timedelta(days=step)] = name
        make_up |= {dt.date.fromisoformat(day) for day in _MAKE_UP.get(year, ())}
    rows = []
    for number in range((last - first).days + 1):
        day = first + dt.timedelta(days=number)
        working = day in make_up or (day.weekday() < 5 and day not in off)
        name = "调休上班" if day in make_up else off.get(day, "")
        rows.append((day.isoformat(), working, name))
    return pd.DataFrame(rows, columns=["date", "working", "name"])


def add_limit(
    start_s: Ints, limit: Ints, unit: NDArray[np.object_], calendar: pd.DataFrame
) -> Ints:
    """
    Return deadlines (epoch s) of limits counted from `start_s` over the calendar.

    Units: minutes, days (both by the clock), working_hours (9 to 17 on working days),
    working_days (the same time of day, so many working days later).
    """
    due = start_s + limit * np.where(unit == "minutes", 60, DAY_S)
    first = np.datetime64(calendar["date"].iloc[0]).astype("datetime64[D]").astype(np.int64)
    working = calendar["working"].to_numpy()
    days = np.flatnonzero(working) + first  # numbers of the working days
    local = start_s + ZONE_S
    day = local // DAY_S
    position = np.searchsorted(days, day)  # this working day, or the next one
    on_day = days[position] == day
    clock = np.where(on_day, local % DAY_S, _OPEN_S)

    by_days = unit == "working_days"
    end = days[position[by_days] + limit[by_days]] * DAY_S + clock[by_days]
    due[by_days] = end - ZONE_S

    by_hours = unit == "working_hours"
    worked = np.clip(clock - _OPEN_S, 0, _WORK_S) + limit * 3600
    whole, rest = (worked - 1) // _WORK_S, (worked - 1) % _WORK_S + 1
    end = days[position[by_hours] + whole[by_hours]] * DAY_S + _OPEN_S + rest[by_hours]
    due[by_hours] = end - ZONE_S
    return due
