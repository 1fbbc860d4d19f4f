"""Promise: a source is live, late, out or mad, and never silently old; asking reads no event."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from geodata.city import City
from geodata.errors import BadSetting
from geodata.events.feed import Feed
from geodata.events.sources import (
    find_laggard,
    judge_source,
    parse_every,
    plan_source,
    report_sources,
    source_states,
    worst_state,
)
from geodata.events.withdrawal import withdraw_batch
from geodata.loading.posted_events import read_posted
from geodata.settings import Settings
from geodata.snapshots.inventory import describe_city
from geodata.store.sources import SourceRow, read_as_of
from tests.city import INCIDENT_COLUMNS, NOW, incident_rows, load_one, make_tiny_city, write_table

SETTINGS = Settings()


def row(**values: Any) -> SourceRow:
    plain = {"source": "s", "fed": 0, "loaded": 0, "mad_at": 0, "mad_by": "", "every_s": None,
             "kind": "", "planned_at": 0}  # fmt: skip
    return SourceRow(**{**plain, **values})


def state(now: int = NOW, **values: Any) -> str:
    return judge_source(row(**values), now=now, settings=SETTINGS).state


@pytest.fixture
def city(tmp_path: Path) -> City:
    return make_tiny_city(tmp_path / "city")


class Poster:
    """A source that posts at a moment of the test's choosing."""

    def __init__(self, city: City) -> None:
        self.now = NOW
        self.city = city
        self.feed = Feed(city, now=lambda: self.now)

    def post(self, *ats: int, lead: str = "p") -> None:
        events = b"[%s]" % b",".join(
            b'{"incident_id":"%s%d-%d","stage":"reported","at":%d}' % (lead.encode(), at, place, at)
            for place, at in enumerate(ats)
        )
        rows = read_posted(
            events, lines=False, city=self.city, source="iot", now=self.now, most=10_000
        )
        self.feed.post(rows, token=0)

    def state(self) -> Any:
        (one,) = (one for one in report_sources(self.city, now=self.now).sources
                  if one.source == "iot")  # fmt: skip
        return one


@pytest.fixture
def poster(city):
    made = Poster(city)
    yield made
    made.feed.close()


@pytest.mark.parametrize(
    ("age_s", "expected"),
    [(0, "live"), (900, "live"), (901, "late"), (2_700, "late"), (2_701, "out")],
)
def test_late_is_one_interval_and_out_is_three(age_s, expected):
    assert state(fed=NOW - age_s, every_s=900) == expected
    assert state(loaded=NOW - age_s, every_s=900) == expected


def test_a_feed_nobody_planned_is_judged_all_the_same_and_files_are_not():
    assert state(fed=NOW - 3 * SETTINGS.source_every_s - 1) == "out"
    assert state(loaded=NOW - 400 * 86_400) == "loaded"
    assert state(fed=NOW - 400 * 86_400, every_s=0) == "loaded"


def test_a_source_that_never_came_is_out_and_a_clock_set_back_makes_none_young():
    assert state(every_s=900, planned_at=NOW - 3_000) == "out"
    assert state(every_s=900, planned_at=NOW) == "late"
    assert state(every_s=900, fed=NOW + 500) == "live"
    assert judge_source(row(fed=NOW + 500), now=NOW, settings=SETTINGS).age_s == 0


def test_mad_passes_and_out_outweighs_it():
    assert state(fed=NOW, mad_at=NOW - 1, mad_by="burst") == "mad"
    assert state(fed=NOW, mad_at=NOW - SETTINGS.source_mad_s, mad_by="burst") == "live"
    assert state(fed=NOW - 3_000, mad_at=NOW - 1, mad_by="burst", every_s=900) == "out"


def test_an_interval_is_a_number_and_a_unit():
    texts = ("30s", "15m", "2h", "1D", "none")
    assert [parse_every(text) for text in texts] == [30, 900, 7_200, 86_400, 0]
    for text in ("", "15", "m", "-3m", "0h", "1.5h", "400d", "９m", "15 minutes"):
        with pytest.raises(BadSetting):
            parse_every(text)


def test_a_post_makes_its_source_live_and_an_empty_one_says_i_am_here(city, poster):
    poster.post(NOW - 60)
    assert (poster.state().state, poster.state().age_s) == ("live", 0)
    poster.now += 5_000
    assert poster.state().age_s == 5_000
    poster.post()
    assert poster.state().age_s == 0
    with city.database.read() as connection:
        assert read_as_of(connection) == poster.now


def test_times_that_are_yet_to_come_make_it_mad(poster):
    poster.post(NOW + SETTINGS.source_ahead_s)
    assert poster.state().state == "live"
    poster.post(NOW + SETTINGS.source_ahead_s + 1)
    assert (poster.state().state, poster.state().why) == ("mad", "ahead")
    poster.now += SETTINGS.source_mad_s
    assert poster.state().state == "live"


def test_more_in_a_minute_than_it_can_have_seen_makes_it_mad_but_catching_up_does_not(
    tmp_path, poster
):
    object.__setattr__(poster.city.settings, "source_burst", 20)
    poster.post(*range(NOW - 90_000, NOW - 89_900))
    assert poster.state().state == "live"  # yesterday's, after an outage
    poster.post(*range(NOW - 20, NOW), lead="a")
    assert poster.state().state == "live"
    poster.post(*range(NOW - 20, NOW), lead="a")  # copies are no news
    assert poster.state().state == "live"
    poster.post(NOW - 1, lead="b")
    assert (poster.state().state, poster.state().why) == ("mad", "burst")


def test_files_are_heard_too_and_a_withdrawn_one_no_longer(city):
    file = write_table(city.folder / "new.csv", INCIDENT_COLUMNS, incident_rows(5, seed=9))
    load_one(city, "incidents", file, source="night", now=NOW + 100)
    states = {one.source: one for one in report_sources(city, now=NOW + 160).sources}
    assert (states["night"].state, states["night"].age_s) == ("loaded", 60)
    plan_source(city.folder, "night", every="30s", kind="system", now=NOW + 160)
    states = {one.source: one for one in report_sources(city, now=NOW + 160).sources}
    assert (states["night"].state, states["night"].kind) == ("late", "system")
    with city.database.read() as connection:
        (batch,) = connection.execute("SELECT max(batch) FROM batch").fetchone()
    withdraw_batch(city, batch, now=NOW + 200)
    states = {one.source: one for one in report_sources(city, now=NOW + 200).sources}
    assert states["night"].received_at == 0


def test_a_plan_is_dated_logged_and_keeps_its_kind(city):
    plan_source(city.folder, "iot", every="15m", kind="device", now=NOW)
    report = plan_source(city.folder, " iot ", every="1h", kind=None, now=NOW + 10)
    (one,) = report.sources
    assert (one.source, one.every_s, one.kind) == ("iot", 3_600, "device")
    with city.database.read() as connection:
        before = source_states(connection, now=NOW + 5, settings=city.settings)
        acts = connection.execute("SELECT act, target FROM audit WHERE act = 'source.set'")
        assert acts.fetchall() == [("source.set", "iot")] * 2
    assert {one.source: one.every_s for one in before}["iot"] == 900
    for name, every, kind in (("", "1h", None), ("iot", "soon", None), ("iot", "1h", "oracle")):
        with pytest.raises(BadSetting):
            plan_source(city.folder, name, every=every, kind=kind, now=NOW)


def test_the_worst_is_found_and_said(city, poster):
    poster.post(NOW)
    plan_source(city.folder, "gone", every="1m", kind=None, now=NOW - 1_000)
    states = report_sources(city, now=NOW).sources
    assert worst_state(states) == "out"
    assert worst_state([]) == "loaded"
    for lang in ("zh", "en"):
        lines = report_sources(city, now=NOW).lines(lang)
        assert len(lines) == len(states)
        assert any("gone" in line for line in lines)
        assert describe_city(city, now=NOW).lines(lang)
    plain = {one["source"]: one for one in describe_city(city, now=NOW).as_json()["sources"]}
    assert plain["iot"]["incidents"] == 1
    assert plain["gone"]["state"] == "out"


@pytest.mark.parametrize(
    ("rows", "named"),
    [
        (({"fed": NOW - 60}, {"loaded": NOW - 7_200}), 1),
        (({"fed": NOW - 60}, {"loaded": NOW - 1_800}), None),  # not far behind
        (({"fed": NOW - 60}, {"loaded": NOW - 40 * 86_400}), None),  # a file of long ago
        (({"fed": NOW - 60}, {"fed": NOW - 9_000, "every_s": 60}), None),  # out, and says so
        (({"fed": NOW - 9_000}, {"fed": NOW - 60}, {"fed": NOW - 8_000}), 0),
        ((), None),
    ],
)
def test_the_newest_hides_no_source_that_lags_behind_it(rows, named):
    states = [judge_source(row(**one), now=NOW, settings=SETTINGS) for one in rows]
    found = find_laggard(states, stale_after_s=SETTINGS.stale_after_s)
    assert found is (None if named is None else states[named])


def test_asking_reads_no_event(city, poster):
    poster.post(*range(NOW - 500, NOW))
    with city.database.read() as connection:
        connection.set_authorizer(
            lambda action, table, *_: 1 if action == 20 and table in ("event", "incident") else 0
        )
        assert source_states(connection, now=NOW, settings=city.settings)
        assert read_as_of(connection) == NOW
        connection.set_authorizer(None)
