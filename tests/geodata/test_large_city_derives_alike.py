"""Promise: a change derived as a whole, aside, or alone gives the same incidents."""

from __future__ import annotations

import threading

import pytest

from geodata.city import City, writing
from geodata.events import derive
from geodata.events.derive import derive_incidents
from geodata.events.feed import Feed
from geodata.store import incident_rows
from geodata.store.dump import canonical_dump, canonical_rows
from geodata.store.incident_rows import ASIDE, clear_aside, read_incident_columns, write_aside
from tests.city import INCIDENT_COLUMNS, NOW, load_one, make_tiny_city, write_table
from tests.city import incident_rows as made_rows
from tests.geodata.test_feed_folds_alike import rows_of, story


@pytest.fixture
def city(tmp_path) -> City:
    return make_tiny_city(tmp_path / "city")


@pytest.fixture
def large(monkeypatch) -> None:
    """Every city counts as a large one: ten rows a transaction."""
    monkeypatch.setattr(derive, "INCIDENTS_A_TRANSACTION", 10)
    monkeypatch.setattr(incident_rows, "INCIDENTS_A_TRANSACTION", 10)


def dump(city: City) -> str:
    with city.database.read() as connection:
        return canonical_dump(connection)


def names(city: City) -> set[str]:
    with city.database.read() as connection:
        return {row[0] for row in connection.execute("SELECT name FROM sqlite_master")}


def load_more(city: City, n: int = 7, seed: int = 5) -> None:
    rows = [[f"N{row[0]}", *row[1:]] for row in made_rows(n, seed=seed)]
    file = write_table(city.folder / f"more{seed}.csv", INCIDENT_COLUMNS, rows)
    load_one(city, "incidents", file)


def test_a_table_written_aside_is_the_table_written_in_place(city, large):
    before, schema = dump(city), names(city)
    for _ in range(3):
        derive_incidents(city, now=NOW)
        assert dump(city) == before
    assert ASIDE not in names(city)
    derive_incidents(city, now=NOW)
    assert names(city) == schema
    with city.database.read() as connection:
        assert connection.execute("PRAGMA integrity_check").fetchall() == [("ok",)]


def test_what_the_feed_writes_meanwhile_is_in_the_new_table(city, large, monkeypatch):
    feed = Feed(city, now=lambda: NOW)
    write, posted = derive.write_aside, []

    def write_and_post(database, parts):
        yield from write(database, parts)
        for number in range(30):
            feed.post(rows_of(city, [story(100 + number), story(number % 5)]), token=0)
            posted.append(number)

    monkeypatch.setattr(derive, "write_aside", write_and_post)
    monkeypatch.setattr(derive, "FEW_INCIDENTS", 20)
    derive_incidents(city, now=NOW)
    monkeypatch.undo()
    feed.close()
    live = dump(city)
    assert len(posted) == 30
    derive_incidents(city, now=NOW)
    assert dump(city) == live


def test_a_table_left_aside_by_a_killed_process_goes_with_the_next_load(city, large):
    before = dump(city)
    with city.database.read() as connection:
        columns = read_incident_columns(connection)
    list(write_aside(city.database, [columns]))
    assert ASIDE in names(city)
    assert dump(city) == before
    with writing(city):
        assert ASIDE not in names(city)
    list(write_aside(city.database, [columns]))
    derive_incidents(city, now=NOW)  # a second one begins anew
    assert dump(city) == before
    clear_aside(city.database)
    assert ASIDE not in names(city)


def test_a_small_batch_derives_its_own_incidents_alone_and_the_same(city, monkeypatch):
    derive_incidents(city, now=NOW)
    whole = []
    read = derive.read_event_columns

    def count(connection, **named):
        whole.append(named.get("only") is None)
        return read(connection, **named)

    monkeypatch.setattr(derive, "read_event_columns", count)
    load_more(city)
    assert whole == [False]
    monkeypatch.undo()
    alone = dump(city)
    derive_incidents(city, now=NOW)
    assert dump(city) == alone


@pytest.mark.parametrize("change", ["kinds", "settings", "past", "many"])
def test_a_batch_on_other_ground_derives_every_incident(city, monkeypatch, change):
    derive_incidents(city, now=NOW)
    if change == "kinds":
        with city.database.transaction() as connection:
            derive.raise_revision(connection)
    elif change == "settings":
        city.settings = type(city.settings)(crs=city.settings.crs, near_m=3.0)
    elif change == "many":
        monkeypatch.setattr(derive, "FEW_INCIDENTS", 3)
    whole = []
    read = derive.read_event_columns

    def count(connection, **named):
        whole.append(named.get("only") is None)
        return read(connection, **named)

    monkeypatch.setattr(derive, "read_event_columns", count)
    if change == "past":
        derive_incidents(city, now=NOW + 100)
        whole.clear()
    load_more(city)
    assert whole == [True]


def test_a_derivation_beside_the_feed_keeps_every_post(city, large):
    """Many at once, by other threads: nothing is lost, nothing waits for ever."""
    feed = Feed(city, now=lambda: NOW)
    stop = threading.Event()
    posted: list[int] = []

    def post() -> None:
        while not stop.is_set():
            feed.post(rows_of(city, [story(1_000 + len(posted))]), token=0)
            posted.append(1)

    thread = threading.Thread(target=post)
    thread.start()
    for _ in range(4):
        derive_incidents(city, now=NOW)
    stop.set()
    thread.join()
    feed.close()
    with city.database.read() as connection:
        told = {row[2] for row in canonical_rows(connection) if row[0] == "incident"}
    assert {f"S{1_000 + n}" for n in range(len(posted))} <= told
    live = dump(city)
    derive_incidents(city, now=NOW)
    assert dump(city) == live


def test_a_city_derived_in_stretches_is_the_city_derived_at_once(city, large, monkeypatch):
    derive_incidents(city, now=NOW)
    before, shares = dump(city), []
    monkeypatch.setattr(derive, "INCIDENTS_AT_ONCE", 7)
    derive_incidents(city, now=NOW, progress=shares.append)
    assert dump(city) == before
    assert len(shares) > 3
    assert shares == sorted(shares)
    assert shares[-1] == 1
