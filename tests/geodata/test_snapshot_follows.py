"""Promise: a snapshot that follows the feed is, row for row, the one that is built anew."""

from __future__ import annotations

from dataclasses import fields

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from geodata.city import City
from geodata.events import feed as feed_module
from geodata.events.derive import derive_incidents
from geodata.events.feed import Feed
from geodata.snapshots import newest as newest_snapshot
from geodata.snapshots.counted import count_snapshot
from geodata.snapshots.facts import FactsKeeper, load_facts
from geodata.snapshots.snapshot import snapshot_file
from geodata.store.database import raise_revision
from geodata.store.incident_rows import changed_since, read_changed_columns
from tests.city import NOW, load_one, make_tiny_city, write_table
from tests.geodata.test_feed_folds_alike import events, rows_of, story, with_place
from tests.geodata.test_snapshot import same


@pytest.fixture
def city(tmp_path) -> City:
    return make_tiny_city(tmp_path / "city")


def fresh(city: City):
    for file in city.folder.glob("snapshot-*"):
        file.unlink()
    return load_facts(city, now=NOW)


def alike(one, other) -> bool:
    return same(one.snapshot, other.snapshot) and (
        one.categories, one.kind_terms, one.body_terms, one.source_terms
    ) == (other.categories, other.kind_terms, other.body_terms, other.source_terms)  # fmt: skip


def counts_alike(facts) -> bool:
    """Tell whether the counter that followed counts as one over the snapshot, however asked."""
    snapshot = facts.snapshot
    anew = count_snapshot(snapshot, grids=len(facts.grids.finest()), zone=facts.zone)
    axes = ("grid", "kind", "body", "source", "rule", "stage")
    found = []
    for axis in axes:
        counts = [one.count([axis, "standing"], now=NOW) for one in (facts.counter, anew)]
        most = min(len(one) for one in counts)
        found.append(all(one[most:].sum() == 0 for one in counts))
        found.append(np.array_equal(*(one[:most] for one in counts)))
    found.append(facts.counter.n == snapshot.n)
    found.append(facts.counter.find_first() == anew.find_first())
    return all(found)


@settings(max_examples=25)
@given(st.lists(st.lists(events, min_size=1, max_size=8), min_size=1, max_size=5))
def test_any_posts_one_after_another(tmp_path_factory, posts):
    city = make_tiny_city(tmp_path_factory.mktemp("follow") / "city")
    keeper = FactsKeeper(city)
    first = keeper.current(NOW)
    assert first.counter.n == first.snapshot.n
    before = {
        item.name: np.copy(getattr(first.snapshot, item.name)) for item in fields(first.snapshot)
    }
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(feed_module, "GATHER_S", 0.0)
        feed = Feed(city, now=lambda: NOW)
        for post in posts:
            feed.post(rows_of(city, [with_place(event) for event in post]), token=0)
            assert keeper.current(NOW).revision == city.database.revision()
            assert counts_alike(keeper.current(NOW))
        feed.close()
    assert alike(keeper.current(NOW), fresh(city))
    for name, values in before.items():  # whoever still draws from the first one is not disturbed
        assert np.array_equal(getattr(first.snapshot, name), values)


def test_nothing_but_what_changed_is_read(city, monkeypatch):
    keeper = FactsKeeper(city)
    first = keeper.current(NOW)
    feed = Feed(city, now=lambda: NOW)
    feed.post(rows_of(city, [story(1, kind="积水")]), token=0)

    def never(*_: object) -> None:
        raise AssertionError

    monkeypatch.setattr(newest_snapshot, "read_incident_columns", never)
    monkeypatch.setattr("geodata.snapshots.facts.read_tables", never)
    second = keeper.current(NOW)
    feed.close()
    assert second.snapshot.n == first.snapshot.n + 1
    assert second.cameras is first.cameras


def test_what_changed_is_found_by_its_revision_and_not_by_reading_every_incident(city):
    asked: list[str] = []
    with city.database.read() as connection:
        connection.set_trace_callback(asked.append)
        changed_since(connection, 2)
        read_changed_columns(connection, 2)
        connection.set_trace_callback(None)
        plans = [
            str(row[3])
            for query in asked
            for row in connection.execute(f"EXPLAIN QUERY PLAN {query}")
        ]
    found = [plan for plan in plans if "incident" in plan]
    assert len(found) == 2
    assert all(plan.startswith("SEARCH incident USING") and "rev>" in plan for plan in found)


def test_a_change_of_state_shares_every_column_it_does_not_touch(city):
    feed = Feed(city, now=lambda: NOW)
    feed.post(rows_of(city, [story(1)]), token=0)
    keeper = FactsKeeper(city)
    first = keeper.current(NOW).snapshot
    feed.post(rows_of(city, [story(1) | {"stage": "closed", "at": NOW - 60}]), token=0)
    second = keeper.current(NOW).snapshot
    feed.close()
    assert second.morton is first.morton
    assert second.open is not first.open


def test_a_start_takes_the_file_of_an_earlier_revision_and_adds_what_came_since(city, monkeypatch):
    revision = load_facts(city, now=NOW).revision
    feed = Feed(city, now=lambda: NOW)
    for number in range(5):
        feed.post(rows_of(city, [story(number)]), token=0)
    feed.close()
    assert snapshot_file(city.folder, revision).exists()
    monkeypatch.setattr(newest_snapshot, "read_incident_columns", None)
    found = load_facts(city, now=NOW)
    monkeypatch.undo()
    assert found.revision == revision + 5
    assert alike(found, fresh(city))


def test_a_file_from_before_the_last_derivation_is_not_used(city):
    revision = load_facts(city, now=NOW).revision
    derive_incidents(city, now=NOW)
    read = []
    found = load_facts(city, now=NOW)
    assert found.revision == revision + 1
    assert alike(found, fresh(city))
    assert not read


def test_new_cameras_and_kinds_are_seen_and_the_incidents_stay(city, tmp_path):
    keeper = FactsKeeper(city)
    first = keeper.current(NOW)
    columns = ("camera_id", "name", "lon", "lat")
    load_one(
        city, "cameras", write_table(tmp_path / "c.csv", columns, [["K9", "新", 120.0, 32.53]])
    )
    second = keeper.current(NOW)
    assert len(second.cameras) == len(first.cameras) + 1  # first asked for after the load
    assert "K9" in set(second.cameras["id"]) - set(first.cameras["id"])
    assert second.version != first.version
    assert second.snapshot.morton is first.snapshot.morton
    file = write_table(
        tmp_path / "k.csv", ("code", "name_zh", "category"), [["积水", "积水", "水务"]]
    )
    load_one(city, "kinds", file)
    third = keeper.current(NOW)
    assert "水务" in third.categories
    assert alike(third, fresh(city))


def test_a_large_city_hands_out_the_last_facts_while_new_ones_are_made(city, monkeypatch):
    monkeypatch.setattr("geodata.snapshots.facts._MANY_INCIDENTS", 1)
    keeper = FactsKeeper(city)
    first = keeper.current(NOW)
    feed = Feed(city, now=lambda: NOW)
    feed.post(rows_of(city, [story(1)]), token=0)
    feed.close()
    assert keeper.current(NOW) is first  # made just now
    assert keeper.revision(NOW) == first.revision  # a poll hears of nothing it could not get
    keeper._rest_until_s = 0.0
    assert keeper.current(NOW).revision == first.revision + 1


def test_what_was_drawn_goes_when_the_drawing_changes_under_its_number(city):
    keeper = FactsKeeper(city)
    first = keeper.current(NOW)
    first.kept["drawing", "shapes"] = "of before"
    with city.database.transaction() as connection:
        raise_revision(connection)  # a reference table changed, the drawing did not
    second = keeper.current(NOW)
    assert second.grids is first.grids
    assert second.kept["drawing", "shapes"] == "of before"
    with city.database.transaction() as connection:  # as a level that is added to it does
        connection.execute("UPDATE grid SET name = name || '新' WHERE uid = 1")
        raise_revision(connection)
    third = keeper.current(NOW)
    assert third.grids.drawing == second.grids.drawing
    assert third.grids is not second.grids
    assert third.kept == {}
    assert "新" in "".join(third.grids.grids["name"])
