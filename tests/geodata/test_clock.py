"""Promise: a deadline is where the calendar puts it, and its state is what the clock says."""

from __future__ import annotations

from datetime import date, datetime
from zoneinfo import ZoneInfo

import numpy as np
import pytest

from geodata.events.clock import (
    AMBER,
    DONE_LATE,
    DONE_ON_TIME,
    NO_DEADLINE,
    RED,
    SAFE,
    SUSPENDED,
    UNITS,
    add_limit,
    clock_state,
    make_calendar,
)

ZONE = ZoneInfo("Asia/Shanghai")
CALENDAR = make_calendar(
    {"2026-10-01": False, "2026-10-02": False, "2026-10-10": True},
    zone=ZONE,
    working_hours="09:00-17:00",
    first=date(2026, 9, 1),
    last=date(2026, 12, 31),
)


def at(text: str) -> int:
    return int(datetime.fromisoformat(text).replace(tzinfo=ZONE).timestamp())


@pytest.mark.parametrize(
    ("start", "limit", "unit", "due"),
    [
        ("2026-09-03 10:00", 90, "minutes", "2026-09-03 11:30"),
        ("2026-09-03 10:00", 2, "days", "2026-09-05 10:00"),
        ("2026-09-03 16:00", 2, "working_hours", "2026-09-04 10:00"),  # Thursday into Friday
        ("2026-09-04 16:00", 2, "working_hours", "2026-09-07 10:00"),  # over a weekend
        ("2026-09-05 12:00", 1, "working_hours", "2026-09-07 10:00"),  # begins on a Saturday
        ("2026-09-04 14:30", 1, "working_days", "2026-09-07 14:30"),
        ("2026-09-30 14:30", 1, "working_days", "2026-10-05 14:30"),  # two holidays, a weekend
        ("2026-10-09 08:00", 1, "working_days", "2026-10-10 08:00"),  # a make-up Saturday
    ],
)
def test_a_limit_ends_where_the_calendar_says(start, limit, unit, due):
    found = add_limit(
        np.array([at(start)]),
        limit=np.array([float(limit)]),
        unit=np.array([UNITS.index(unit)], np.int8),
        calendar=CALENDAR,
    )
    assert found[0] == at(due)


def test_without_a_limit_there_is_no_deadline():
    found = add_limit(
        np.array([at("2026-09-03 10:00")]),
        limit=np.array([0.0]),
        unit=np.array([0], np.int8),
        calendar=CALENDAR,
    )
    assert found[0] == 0


def test_each_state_has_its_moment():
    begin, due = at("2026-09-03 10:00"), at("2026-09-04 10:00")

    def state(
        now: str, *, is_open: bool = True, closed: int = 0, since: int = 0, deadline: int = due
    ):
        return clock_state(
            open=np.array([is_open]),
            due_at=np.array([deadline]),
            clock_from=np.array([begin]),
            closed_at=np.array([closed]),
            suspended_since=np.array([since]),
            now=at(now),
        )[0]

    assert state("2026-09-03 12:00") == SAFE
    assert state("2026-09-04 06:00") == AMBER  # less than a fifth of the day left
    assert state("2026-09-04 10:01") == RED
    assert state("2026-09-04 12:00", since=begin) == SUSPENDED
    assert state("2026-09-05 10:00", is_open=False, closed=due) == DONE_ON_TIME
    assert state("2026-09-05 10:00", is_open=False, closed=due + 1) == DONE_LATE
    assert state("2026-09-05 10:00", deadline=0) == NO_DEADLINE


def test_years_without_a_calendar_are_known_to_be_guessed():
    assert CALENDAR.known_years == {2026}
