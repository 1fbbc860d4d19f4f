"""Promise: a time is read as people write it, or refused; never guessed."""

from __future__ import annotations

from datetime import UTC, datetime
from zoneinfo import ZoneInfo

import pandas as pd
import pytest

from geodata.events.moments import parse_moments

SHANGHAI = ZoneInfo("Asia/Shanghai")


def read(text: str, zone: ZoneInfo = SHANGHAI):
    return parse_moments(pd.Series([text]), zone)


@pytest.mark.parametrize(
    ("text", "expected", "precision"),
    [
        ("2026-03-05 14:30:05", "2026-03-05T14:30:05", "second"),
        ("2026-03-05T14:30:05", "2026-03-05T14:30:05", "second"),
        ("2026/3/5 14:30", "2026-03-05T14:30:00", "second"),
        ("2026.3.5", "2026-03-05T00:00:00", "day"),
        ("2024年1月1日", "2024-01-01T00:00:00", "day"),
        ("2024年1月1日 8时5分", "2024-01-01T08:05:00", "second"),
        ("2026年3月5日 下午3时20分", "2026-03-05T15:20:00", "second"),
        ("2026-03-05 上午 9:05", "2026-03-05T09:05:00", "second"),
        ("2026.3.5 下午12:30", "2026-03-05T12:30:00", "second"),
        ("２０２４年１月１日", "2024-01-01T00:00:00", "day"),
        ("20240101", "2024-01-01T00:00:00", "day"),
        ("2018-07", "2018-07-01T00:00:00", "month"),
        ("2026-03-05 14:30:05.123", "2026-03-05T14:30:05", "second"),
    ],
)
def test_written_forms_are_read_in_the_citys_zone(text, expected, precision):
    moments = read(text)
    assert not moments.bad[0]
    assert moments.precision == precision
    local = datetime.fromtimestamp(int(moments.seconds[0]), UTC).astimezone(SHANGHAI)
    assert local.replace(tzinfo=None) == datetime.fromisoformat(expected)


def test_a_zone_in_the_text_wins_over_the_citys():
    assert read("2026-03-05T14:30:05Z").seconds[0] == read("2026-03-05T22:30:05+08:00").seconds[0]
    assert read("2026-03-05T14:30:05Z").seconds[0] == read("2026-03-05 22:30:05").seconds[0]


@pytest.mark.parametrize("text", ["yesterday", "2026-13-01", "2026-02-30", "12/25/2026", "NaT"])
def test_what_is_no_time_is_refused(text):
    assert read(text).bad[0]


def test_an_empty_cell_is_missing_not_bad():
    moments = read("")
    assert not moments.bad[0]
    assert moments.seconds[0] == 0


def test_the_hour_that_summer_time_skips_moves_on_and_the_double_one_is_the_first():
    london = ZoneInfo("Europe/London")
    assert not read("2026-03-29 01:30", london).bad[0]
    first = read("2026-10-25 01:30", london).seconds[0]
    assert datetime.fromtimestamp(int(first), UTC).hour == 0


def test_what_is_due_on_a_day_is_due_at_its_end():
    texts = pd.Series(["2026-07-04", "2026年7月4日", "20260704", "2026-07-04 00:00", "2026-07"])
    begin = parse_moments(texts, ZoneInfo("Asia/Shanghai")).seconds
    end = parse_moments(texts, ZoneInfo("Asia/Shanghai"), day_ends=True).seconds
    assert (end - begin).tolist() == [86_400, 86_400, 86_400, 0, 0]
