"""Promise: events posted live, split, repeated and in any order, derive what one load derives."""

from __future__ import annotations

import gc
import threading
from collections.abc import Iterator

import orjson
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from geodata.city import City
from geodata.errors import Busy
from geodata.events import derive
from geodata.events import feed as feed_module
from geodata.events.derive import derive_incidents
from geodata.events.feed import Feed
from geodata.events.incidents import STAGES
from geodata.loading.posted_events import read_posted
from geodata.store.dump import canonical_dump, canonical_rows
from geodata.store.event_log import append_events, drop_batch, open_batch
from tests.city import NOW, load_one, lonlat, make_tiny_city, write_table

HOUR = 3_600
PLACES = [lonlat(east, north) for east, north in ((50, 50), (200, 100), (400, 399), (5_000, 50))]
TRUTH = ("event", "event_copy", "payload", "incident_key", "incident")


@pytest.fixture(scope="module")
def city(tmp_path_factory: pytest.TempPathFactory) -> City:
    return make_tiny_city(tmp_path_factory.mktemp("feed") / "city")


@pytest.fixture
def feed(city: City, monkeypatch: pytest.MonkeyPatch) -> Iterator[Feed]:
    monkeypatch.setattr(feed_module, "GATHER_S", 0.0)
    made = Feed(city, now=lambda: NOW)
    yield made
    made.close()


def rows_of(city: City, events: list[dict], *, source: str = "hotline"):
    body = orjson.dumps(events)
    return read_posted(body, lines=False, city=city, source=source, now=NOW, most=10_000)


def dump(city: City) -> str:
    with city.database.read() as connection:
        return canonical_dump(connection)


def derived(city: City) -> list:
    with city.database.read() as connection:
        return list(canonical_rows(connection))


def empty(city: City) -> None:
    with city.database.transaction() as connection:
        for table in TRUTH:
            connection.execute(f"DELETE FROM {table}")


def story(number: int, **more: object) -> dict:
    return {"incident_id": f"S{number}", "stage": "reported", "at": NOW - HOUR, **more}


events = st.fixed_dictionaries(
    {
        "incident_id": st.sampled_from(["A", "B", "C"]),
        "stage": st.sampled_from(STAGES),
        "at": st.integers(-900, 20).map(lambda hours: NOW + hours * HOUR),
    },
    optional={
        "seq": st.integers(0, 3),
        "version": st.integers(0, 2),
        "due_at": st.integers(1, 99).map(lambda hours: NOW + hours * HOUR),
        "kind": st.sampled_from(["占道经营", "路面破损", "积水"]),
        "body": st.sampled_from(["城管", "市政"]),
        "lamp": st.sampled_from(["L1", "L2"]),
        "place": st.sampled_from(PLACES),
    },
)


def with_place(event: dict) -> dict:
    plain = dict(event)
    if "place" in plain:
        plain["lon"], plain["lat"] = plain.pop("place")
    return plain


@settings(max_examples=40)
@given(st.lists(events, min_size=1, max_size=30), st.randoms(use_true_random=False), st.data())
def test_any_split_order_and_repetition_gives_the_same_dump(city, history, random, data):
    history = [with_place(event) for event in history]
    shuffled = history * data.draw(st.integers(1, 3))
    random.shuffle(shuffled)
    size = data.draw(st.integers(1, len(shuffled)))
    # STEP 1: post in pieces
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(feed_module, "GATHER_S", 0.0)
        feed = Feed(city, now=lambda: NOW)
        empty(city)
        for start in range(0, len(shuffled), size):
            feed.post(rows_of(city, shuffled[start : start + size]), token=0)
        feed.close()
    live = derived(city)
    # STEP 2: the same truth derived as a whole
    derive_incidents(city, now=NOW)
    assert derived(city) == live
    # STEP 3: the history as one load, in its own order
    empty(city)
    batch = open_batch(city.database, "events", file="history", at=NOW)
    list(append_events(city.database, rows_of(city, history), batch=batch, received=NOW))
    derive_incidents(city, now=NOW, batch=batch, rows=len(history))
    assert derived(city) == live


def test_the_same_post_twice_adds_nothing_and_moves_nothing(city, feed):
    rows = rows_of(city, [story(1), story(2)])
    first = feed.post(rows, token=0)
    before = dump(city)
    again = feed.post(rows, token=0)
    assert (first.new, first.copies) == (2, 0)
    assert (again.new, again.copies, again.revision) == (0, 2, first.revision)
    assert dump(city) == before


def test_an_event_twice_in_one_post_counts_once(city, feed):
    receipt = feed.post(rows_of(city, [story(3), story(3)]), token=0)
    assert (receipt.accepted, receipt.new, receipt.copies) == (2, 1, 1)


def test_posts_that_arrive_together_share_a_commit(city, monkeypatch):
    monkeypatch.setattr(feed_module, "GATHER_S", 0.3)
    feed = Feed(city, now=lambda: NOW)
    feed.post(rows_of(city, [story(10)]), token=0)
    before = city.database.revision()
    receipts = []
    threads = [
        threading.Thread(
            target=lambda n=n: receipts.append(feed.post(rows_of(city, [story(n)]), token=0))
        )
        for n in range(20, 28)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    feed.close()
    assert {receipt.revision for receipt in receipts} == {before + 1}
    assert sum(receipt.new for receipt in receipts) == 8


def test_a_load_beside_the_feed_loses_nothing_of_it(city, feed, monkeypatch):
    """A load derives from what it read; what the feed writes meanwhile must not be undone."""
    read = derive.read_sources
    posted = []

    def read_then_post(connection, **named):
        found = read(connection, **named)
        if not posted:
            posted.append(True)
            feed.post(rows_of(city, [story(50, kind="积水")]), token=0)
        return found

    monkeypatch.setattr(derive, "read_sources", read_then_post)
    derive_incidents(city, now=NOW)
    monkeypatch.undo()
    live = derived(city)
    assert posted
    assert any(row[0] == "incident" and "S50" in row for row in live)
    derive_incidents(city, now=NOW)
    assert derived(city) == live


def test_an_event_of_a_load_that_fails_stays_when_the_feed_brought_it_too(city, feed):
    rows = rows_of(city, [story(60)])
    batch = open_batch(city.database, "events", file="broken", at=NOW)
    list(append_events(city.database, rows, batch=batch, received=NOW))
    assert not any("S60" in row for row in derived(city))
    receipt = feed.post(rows, token=0)
    assert receipt.accepted == 1
    seen = derived(city)
    assert sum("S60" in row for row in seen) == 2  # the event and its incident
    drop_batch(city.database, batch)
    assert derived(city) == seen


def test_a_closed_feed_takes_nothing(city, feed):
    feed.close()
    with pytest.raises(Busy):
        feed.post(rows_of(city, [story(70)]), token=0)


def test_new_kinds_count_from_the_next_post_on(tmp_path, monkeypatch):
    city = make_tiny_city(tmp_path / "city")
    feed = Feed(city, now=lambda: NOW)
    feed.post(rows_of(city, [story(80, kind="积水")]), token=0)
    file = write_table(
        tmp_path / "kinds.csv",
        ("code", "name_zh", "category", "limit", "limit_unit"),
        [["积水", "积水", "市政设施", 30, "minutes"]],
    )
    load_one(city, "kinds", file)
    feed.post(rows_of(city, [story(81, kind="积水")]), token=0)
    feed.close()
    live = derived(city)
    due = {row[2]: row for row in live if row[0] == "incident"}
    assert NOW - HOUR + 1_800 in due["S81"]


def test_a_feed_that_is_dropped_lets_the_store_go(city: City):
    post = {"source": "hotline"}
    made = Feed(city, now=lambda: NOW)
    made.post(rows_of(city, [story(77)], **post), token=0)
    log = city.database.path.with_name(city.database.path.name + "-wal")
    assert log.exists()
    del made
    gc.collect()
    assert not log.exists()  # SQLite removes it when the last connection is closed
