"""Days: how many incidents were reported on each local day of a period."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import numpy as np
from numpy.typing import NDArray

from geodata.figures.period import Period, end_of
from geodata.figures.tally import find_first_report
from geodata.snapshots.facts import Facts

MOST_DAYS = 11_000  # thirty years: earlier reports count on no day


@dataclass(frozen=True, slots=True, kw_only=True)
class Days:
    """Local midnights (UTC s) at which the days begin, and the reports of each."""

    midnights: NDArray[np.int64]
    counts: NDArray[np.int64] = field(default_factory=lambda: np.empty(0, np.int64))


def list_days(facts: Facts, period: Period, *, now: int) -> Days:
    """Return the days of a period without counts; an open one reaches from the first report on."""
    since = find_first_report(facts) if period.since is None else period.since
    key = ("days", since, end_of(facts, period, now=now) if period.until is None else period.until)
    days: Days = facts.keep(key, lambda: Days(midnights=_list_midnights(*key[1:], facts.zone)))
    return days


def _list_midnights(since: int, until: int, zone: str) -> NDArray[np.int64]:
    if not 0 < since < until:
        return np.empty(0, np.int64)
    local = ZoneInfo(zone)
    first = datetime.fromtimestamp(since, UTC).astimezone(local)
    last = datetime.fromtimestamp(until - 1, UTC).astimezone(local).date()
    n = min((last - first.date()).days + 1, MOST_DAYS)
    days = [last - timedelta(days=n - 1 - place) for place in range(n)]
    found = [int(datetime(day.year, day.month, day.day, tzinfo=local).timestamp()) for day in days]
    return np.array(found, np.int64)
