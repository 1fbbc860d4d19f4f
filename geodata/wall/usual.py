"""Today against usual: reports by the hour, beside the same weekday of the weeks before."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

import numpy as np
from numpy.typing import NDArray

HOURS = 24
WEEKS = 8
BAND = (0.1, 0.5, 0.9)  # the shares of days below what is usual: low, median, high
_LEAST_WEEKS = 3  # of fewer days nothing is usual
_WHOLE_DAYS = 0.9  # share of reports at midnight above which a source tells days, no hours

Band = tuple[float, float, float]


@dataclass(frozen=True, slots=True, kw_only=True)
class Today:
    """
    The reports of today hour by hour, and what is usual on this weekday.

    `hours` holds the hours begun, the last not yet over; `usual` all 24 as (low, median, high), the
    10, 50 and 90 % quantiles over `weeks` days, empty where too few are known. `so_far` and
    `usual_so_far` compare the same part of the day. `hourly` False: the data tell no hours.
    """

    begins_at: int
    hours: tuple[int, ...]
    usual: tuple[Band, ...]
    so_far: int
    usual_so_far: Band | None
    weeks: int
    hourly: bool

    @property
    def unusual(self) -> str:
        """Return "more" or "less" where today lies outside the band so far, else nothing."""
        if self.usual_so_far is None:
            return ""
        low, _, high = self.usual_so_far
        return "more" if self.so_far > high else "less" if self.so_far < low else ""


def compare_today(reported_at: NDArray[np.int64], *, now: int, zone: str) -> Today:
    """
    Return today's reports beside those of the same weekday in the last WEEKS weeks.

    `reported_at` (n,) in UTC seconds, in any order; hours are local ones, so a day on which clocks
    change has 23 or 25 of them and the doubled hour counts once. Days before the first report are
    no days without reports and are left out.
    """
    today = datetime.fromtimestamp(now, UTC).astimezone(ZoneInfo(zone)).date()
    days = [today - timedelta(weeks=week) for week in range(WEEKS + 1)]
    edges = [_list_edges(day, zone) for day in days]
    kept = np.sort(reported_at[(reported_at >= edges[-1][0]) & (reported_at <= now)])
    known = reported_at[reported_at > 0]
    first = int(known.min()) if len(known) else now
    past = [row for row in edges[1:] if row[0] >= first]
    elapsed = now - edges[0][0]
    counts = [np.diff(np.searchsorted(kept, row)) for row in past]
    parts = [_count(kept, row[0], row[0] + elapsed) for row in past]
    enough = len(past) >= _LEAST_WEEKS
    hour = int(np.searchsorted(edges[0], now, side="right"))
    day = np.diff(np.searchsorted(kept, edges[0]))
    usual = _quantiles(np.array(counts)).T if enough else np.empty((0, len(BAND)))
    return Today(
        begins_at=int(edges[0][0]),
        hours=tuple(int(n) for n in day[: min(hour, HOURS)]),
        usual=tuple((float(low), float(mid), float(high)) for low, mid, high in usual),
        so_far=_count(kept, edges[0][0], now + 1),
        usual_so_far=_read_band(_quantiles(np.array(parts))) if enough else None,
        weeks=len(past),
        hourly=_tells_hours(kept, edges),
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class GroupToday:
    """How many cases of a group came in today so far, and what is usual by now: 10 and 90 %."""

    group: int
    n: int
    usual: tuple[float, float] | None

    @property
    def excess(self) -> float:
        """Return by how many cases today lies above what is usual; negative within it."""
        return self.n - self.usual[1] if self.usual else 0.0


def compare_groups(
    group: NDArray[np.int32], reported_at: NDArray[np.int64], *, now: int, zone: str
) -> tuple[GroupToday, ...]:
    """
    Return the groups of today, those furthest above the same part of the same weekdays first.

    Each of the last WEEKS weeks counts, as in `compare_today`; `usual` is None where too few of
    them are known. Of many small groups one in ten always stands out: pass few and large ones.
    """
    today = datetime.fromtimestamp(now, UTC).astimezone(ZoneInfo(zone)).date()
    begins = [int(_list_edges(today - timedelta(weeks=week), zone)[0]) for week in range(WEEKS + 1)]
    recent = np.flatnonzero((reported_at >= begins[-1]) & (reported_at <= now))
    times, groups = reported_at[recent], group[recent]
    first = int(reported_at[reported_at > 0].min(initial=now))
    elapsed, many = now - begins[0] + 1, int(groups.max(initial=0)) + 1
    table = np.array(
        [
            np.bincount(groups[(times >= begin) & (times < begin + elapsed)], minlength=many)
            for begin in begins
            if begin >= first or begin == begins[0]
        ]
    )
    past = table[1:]
    bands = _quantiles(past)[[0, -1]] if len(past) >= _LEAST_WEEKS else None
    rows = [
        GroupToday(
            group=code,
            n=int(table[0, code]),
            usual=None if bands is None else (float(bands[0, code]), float(bands[1, code])),
        )
        for code in np.flatnonzero(table[0]).tolist()
    ]
    return tuple(sorted(rows, key=lambda one: (-max(one.excess, 0.0), -one.n, one.group)))


def _list_edges(day: date, zone: str) -> NDArray[np.int64]:
    """Return the 25 moments (UTC s) between which a local day's hours lie."""
    local = ZoneInfo(zone)
    starts = [datetime.combine(day, time(hour), local) for hour in range(HOURS)]
    starts.append(datetime.combine(day + timedelta(days=1), time(0), local))
    return np.array([int(one.timestamp()) for one in starts], np.int64)


def _count(times: NDArray[np.int64], since: int, until: int) -> int:
    low, high = np.searchsorted(times, [since, until])
    return int(high - low)


def _quantiles(counts: NDArray[np.int64]) -> NDArray[np.float64]:
    return np.quantile(counts.astype(np.float64), BAND, axis=0)


def _read_band(values: NDArray[np.float64]) -> Band:
    low, mid, high = (float(value) for value in values)
    return low, mid, high


def _tells_hours(times: NDArray[np.int64], edges: list[NDArray[np.int64]]) -> bool:
    if not len(times):
        return True
    midnights = np.array([row[0] for row in edges])
    of_days = np.concatenate([times[(times >= row[0]) & (times < row[-1])] for row in edges])
    return not len(of_days) or float(np.isin(of_days, midnights).mean()) < _WHOLE_DAYS
