"""Promise: today is compared with the same weekday and hours before, in the city's own hours."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import numpy as np
import pytest

from geodata.wall.usual import WEEKS, GroupToday, compare_groups, compare_today

ZONE = "Asia/Shanghai"


def at(day: int, hour: float, *, zone: str = ZONE) -> int:
    """The moment (UTC s) `day` days after Monday 2 March 2026, at a local hour."""
    local = datetime(2026, 3, 2, tzinfo=ZoneInfo(zone)) + timedelta(days=day)
    return int((local + timedelta(hours=hour)).timestamp())


def test_what_is_usual_is_the_band_of_the_same_weekday_up_to_the_same_hour():
    # On Mondays 1..8 week after week n reports at 8 o'clock and one at 20; today is the ninth.
    rows = [at(7 * week, 8.1) for week in range(WEEKS) for _ in range(week + 1)]
    rows += [at(7 * week, 20) for week in range(WEEKS)]
    rows += [at(7 * week + 1, 8.1) for week in range(WEEKS) for _ in range(50)]  # Tuesdays
    rows.append(at(-1, 5))  # the day of the first report of all may be half a day
    now = at(7 * WEEKS, 10.5)
    found = compare_today(np.array([*rows, *[now - 60] * 12]), now=now, zone=ZONE)
    assert (found.weeks, found.so_far, found.hours) == (8, 12, (0,) * 10 + (12,))
    assert found.usual_so_far == pytest.approx(np.quantile(range(1, 9), (0.1, 0.5, 0.9)))
    assert found.usual[8] == found.usual_so_far
    assert found.usual[20] == (1, 1, 1)
    assert found.unusual == "more"


def test_today_begins_anew_at_the_local_midnight():
    rows = np.array([at(0, 1), at(6, 23.9), at(7, 0.01)])
    before = compare_today(rows, now=at(6, 23.99), zone=ZONE)
    after = compare_today(rows, now=at(7, 0.02), zone=ZONE)
    assert (before.so_far, after.so_far) == (1, 1)
    assert after.begins_at - before.begins_at == 86_400
    assert len(after.hours) == 1


def test_little_history_says_that_there_is_nothing_to_compare_with():
    found = compare_today(np.array([at(7, 3), at(14, 3)]), now=at(14, 12), zone=ZONE)
    assert (found.usual, found.usual_so_far, found.unusual) == ((), None, "")
    nothing = compare_today(np.empty(0, np.int64), now=at(0, 5), zone=ZONE)
    assert (nothing.so_far, nothing.weeks) == (0, 0)


def test_reports_that_tell_only_their_day_get_no_hours():
    days = np.array([at(day, 0) for day in range(60) for _ in range(3)])
    assert not compare_today(days, now=at(59, 12), zone=ZONE).hourly
    assert compare_today(days + 3_700, now=at(59, 12), zone=ZONE).hourly


def test_a_day_on_which_the_clocks_change_keeps_its_hours():
    zone = "Europe/Berlin"  # 29 March 2026 has 23 hours
    now = int(datetime(2026, 3, 29, 12, 30, tzinfo=ZoneInfo(zone)).timestamp())
    noon = int(datetime(2026, 3, 29, 12, 5, tzinfo=ZoneInfo(zone)).timestamp())
    found = compare_today(np.array([noon]), now=now, zone=zone)
    assert found.hours[12] == 1
    assert datetime.fromtimestamp(found.begins_at, UTC).hour == 23


def test_groups_above_what_is_usual_come_first_and_hours_to_come_do_not_count():
    rows = [(1, at(7 * week, 8)) for week in range(WEEKS)] * 10  # ten each Monday morning
    rows += [(2, at(7 * week, 8)) for week in range(WEEKS)]
    rows += [(2, at(7 * week, 20)) for week in range(WEEKS)] * 30  # in the evening
    rows += [(1, at(-1, 1))]
    now = at(7 * WEEKS, 10)
    rows += [(1, now - 60)] * 10 + [(2, now - 60)] * 5 + [(3, now - 60)]
    group, times = (np.array(column) for column in zip(*rows, strict=True))
    found = compare_groups(group, times, now=now, zone=ZONE)
    assert [(one.group, one.n, one.usual) for one in found] == [
        (2, 5, (1, 1)), (3, 1, (0, 0)), (1, 10, (10, 10)),
    ]  # fmt: skip
    assert [one.excess for one in found] == [4, 1, 0]
    few = compare_groups(np.array([7]), np.array([now]), now=now, zone=ZONE)
    assert few == (GroupToday(group=7, n=1, usual=None),)
