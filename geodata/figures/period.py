"""Periods of a figure, and the ones it is compared with: the period before, and a year before."""

from __future__ import annotations

import calendar
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

from geodata.events.periods import begin_period
from geodata.snapshots.facts import Facts

_DAY_S = 86_400


@dataclass(frozen=True, slots=True, kw_only=True)
class Period:
    """Reports in [since, until), UTC seconds; None means no limit."""

    since: int | None = None
    until: int | None = None


def choose_period(facts: Facts, *, days: int, now: int) -> Period:
    """Return the last `days` whole local days of the data, the newest being one; 0: everything."""
    if not days:
        return Period()
    return Period(since=begin_period(days, end=min(facts.risk_from, now), zone=facts.zone))


def end_of(facts: Facts, period: Period, *, now: int) -> int:
    """Return the moment at which a period ends: its own end, else the newest data or now."""
    newest = min(facts.risk_from, now) + 1
    return newest if period.until is None else period.until


def find_period_before(facts: Facts, period: Period, *, now: int) -> Period | None:
    """
    Return the period before (环比): both ends moved back by its length in local days.

    Whole months are compared with as many whole months: October with September. A day that is not
    over yet is compared with the same hours of the day it falls on, and of a period that is not
    over only what has passed. None for a period without a beginning.
    """
    if period.since is None:
        return None
    until = min(end_of(facts, period, now=now), now + 1)
    months = _count_months(_local(period.since, facts.zone), _local(until, facts.zone))
    if months:
        return Period(since=_move_months(period.since, -months, facts.zone), until=period.since)
    days = max(-(-(until - period.since) // _DAY_S), 1)
    return Period(
        since=_move_days(period.since, -days, facts.zone),
        until=_move_days(until, -days, facts.zone),
    )


def find_period_last_year(facts: Facts, period: Period, *, now: int) -> Period | None:
    """Return the same period a year before (同比), 29 February becoming the 28th; None as above."""
    if period.since is None:
        return None
    until = end_of(facts, period, now=now)
    return Period(since=_move_year(period.since, facts.zone), until=_move_year(until, facts.zone))


def _move_days(at: int, days: int, zone: str) -> int:
    local = _local(at, zone) + timedelta(days=days)  # the same time of the local clock
    return int(local.timestamp())


def _count_months(since: datetime, until: datetime) -> int:
    """Return how many whole months lie between two moments, 0 where other time does too."""
    begins = (1, 0, 0, 0)
    if any((one.day, one.hour, one.minute, one.second) != begins for one in (since, until)):
        return 0
    return (until.year - since.year) * 12 + until.month - since.month


def _move_months(at: int, months: int, zone: str) -> int:
    local = _local(at, zone)
    number = local.year * 12 + local.month - 1 + months
    moved = local.replace(year=number // 12, month=number % 12 + 1, day=1)
    return int(moved.timestamp())


def _move_year(at: int, zone: str) -> int:
    local = _local(at, zone)
    last = calendar.monthrange(local.year - 1, local.month)[1]
    return int(local.replace(year=local.year - 1, day=min(local.day, last)).timestamp())


def _local(at: int, zone: str) -> datetime:
    return datetime.fromtimestamp(at, UTC).astimezone(ZoneInfo(zone))
