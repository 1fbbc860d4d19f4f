"""Promise: a time is read as people write it, or refused; never guessed."""

from __future__ import annotations

from datetime import UTC, datetime
from zoneinfo import ZoneInfo

import orjson
import pandas as pd
import pytest
import xlsxwriter

from geodata.events.feed import Feed
from geodata.events.moments import parse_moments
from geodata.loading.posted_events import read_posted
from tests.city import NOW, load_one, make_gridded_city, middle, write_table

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
        ("2024年3月5日 下午15:00", "2024-03-05T15:00:00", "second"),
        ("2024年3月5日 晚上20:00", "2024-03-05T20:00:00", "second"),
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


@pytest.mark.parametrize(
    "text",
    [
        "yesterday",
        "2026-13-01",
        "2026-02-30",
        "12/25/2026",
        "NaT",
        "2024年3月5日上午12时",
        "2024-03-05 上午12:30",
        "2024-03-05 上午15:00",
    ],
)
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


@pytest.mark.parametrize(
    ("texts", "later_h"),
    [
        (["2026-07-04", "2026年7月4日", "20260704", "2026-07"], [24, 24, 24, 31 * 24]),
        (["2026-07-04 00:00", "2026/7/4 0:00", "2026-07-05", ""], [24, 24, 24, 0]),
        (["2026-07-04 00:00", "2026-07-04", "2026-07-04 08:30", "2026-02"], [0, 0, 0, 28 * 24]),
        (["2026-07-04", "2026-07-04T00:00:00Z"], [0, 0]),
    ],
    ids=["days and months", "midnights that are days", "midnights among times", "zoned"],
)
def test_what_is_due_on_a_day_is_due_at_its_end_as_the_column_says(texts, later_h):
    moments = parse_moments(pd.Series(texts), SHANGHAI, day_ends=True)
    begins = parse_moments(pd.Series(texts), SHANGHAI).seconds
    assert ((moments.seconds - begins) / 3_600).tolist() == later_h


@pytest.mark.parametrize("days", [True, False], ids=["days", "times"])
def test_sheet_csv_and_feed_know_one_deadline_of_one_event(tmp_path, days):
    """The same rows as Excel, as CSV and from a feed are the same events, due alike."""
    city = make_gridded_city(tmp_path / "city")
    other = datetime(2026, 7, 5) if days else datetime(2026, 7, 4, 8, 30)
    due = [datetime(2026, 7, 4), other]
    lon, lat = middle(0, 0)
    head = ("案件编号", "环节", "时间", "截止时间", "经度", "纬度")
    rows = [[f"A{n}", "上报", "2026-05-01 08:00", one, lon, lat] for n, one in enumerate(due)]
    with xlsxwriter.Workbook(tmp_path / "a.xlsx") as book:
        sheet = book.add_worksheet()
        shown = book.add_format({"num_format": "yyyy-mm-dd" if days else "yyyy-mm-dd hh:mm"})
        sheet.write_row(0, 0, head)
        for number, row in enumerate(rows, start=1):
            sheet.write_row(number, 0, row[:3])
            sheet.write_datetime(number, 3, row[3], shown)
            sheet.write_row(number, 4, row[4:])
    load_one(city, "events", tmp_path / "a.xlsx", source="热线")
    stored = read_due(city)
    assert [due - begin for due, begin in zip(stored, map(begin_of, due), strict=True)] == (
        [86_400, 86_400] if days else [0, 0]
    )
    written = [[*row[:3], row[3].strftime("%Y/%-m/%-d %-H:%M"), *row[4:]] for row in rows]
    again = load_one(city, "events", write_table(tmp_path / "a.csv", head, written), source="热线")
    assert read_due(city) == stored
    assert [note.values["n"] for note in again.notes if note.key == "report.copies"] == ["2"]
    said = [f"{one:%Y-%m-%d}" if days else f"{one:%Y-%m-%dT%H:%M}" for one in due]
    posted = [
        {"incident_id": row[0], "stage": "reported", "at": "2026-05-01T08:00", "due_at": text,
         "lon": lon, "lat": lat}
        for row, text in zip(rows, said, strict=True)
    ]  # fmt: skip
    feed = Feed(city, now=lambda: NOW)
    sent = read_posted(orjson.dumps(posted), lines=False, city=city, source="热线", now=NOW, most=9)
    feed.post(sent, token=0)
    feed.close()
    assert read_due(city) == stored


def test_a_day_and_its_midnight_are_two_contents_whichever_comes_first(tmp_path):
    event = {"incident_id": "A", "stage": "reported", "at": "2026-05-01T08:00", "lon": 120.0,
             "lat": 32.5}  # fmt: skip
    said = [event | {"due_at": text} for text in ("2026-07-04", "2026-07-04T00:00:00")]
    stored = []
    for order in (said, said[::-1]):
        city = make_gridded_city(tmp_path / str(len(stored)))
        feed = Feed(city, now=lambda: NOW)
        for one in order:
            rows = read_posted(
                orjson.dumps(one), lines=False, city=city, source="s", now=NOW, most=1
            )
            feed.post(rows, token=0)
        feed.close()
        with city.database.read() as connection:
            stored.append(connection.execute("SELECT due_at FROM incident").fetchall())
    assert stored[0] == stored[1]


def begin_of(day):
    return int(day.replace(tzinfo=SHANGHAI).timestamp())


def read_due(city):
    with city.database.read() as connection:
        found = connection.execute("SELECT due FROM event ORDER BY inc, due").fetchall()
    return [due for (due,) in found]
