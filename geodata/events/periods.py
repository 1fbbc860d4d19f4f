"""Periods: the lengths a screen offers, each whole local days that end with the newest."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

PERIODS_DAYS = (28, 90, 365, 0)  # 0: everything there is


def local_midnight(at: int, zone: str, *, days_before: int = 0) -> int:
    """Return the beginning of the local day of a moment, or of a day before it (UTC s)."""
    local = ZoneInfo(zone)
    day = datetime.fromtimestamp(at, UTC).astimezone(local).date() - timedelta(days=days_before)
    return int(datetime.combine(day, datetime.min.time(), local).timestamp())


def begin_period(days: int, *, end: int, zone: str) -> int:
    """Return the local midnight that begins the last `days` days, the day of `end` being one."""
    return local_midnight(end, zone, days_before=days - 1)


def local_hour(at: int, zone: str) -> int:
    """Return the hour of the local day, 0 to 23, of a moment (UTC s)."""
    return datetime.fromtimestamp(at, UTC).astimezone(ZoneInfo(zone)).hour
