"""Promise: random histories permuted, tripled, late and by clocks that jump come to one dump."""

from __future__ import annotations

import random
from typing import Any

import orjson
import pytest

from geodata.city import City, writing
from geodata.events import feed as feed_module
from geodata.events.derive import derive_incidents
from geodata.events.feed import Feed
from geodata.events.incidents import STAGES
from geodata.events.rebuild import rebuild
from geodata.loading.posted_events import read_posted
from geodata.store.dump import canonical_dump, canonical_rows
from geodata.store.event_log import append_events, drop_batch, open_batch
from geodata.store.event_rows import EventRows
from tests.city import NOW, load_one, make_gridded_city, write_table
from tests.geodata.test_feed_folds_alike import HOUR, PLACES

DAY = 24 * HOUR
SOURCES = ("hotline", "patrol")
KINDS = ("占道经营", "路面破损", "积水")
LONGEST = 14
Event = dict[str, Any]


def make_history(chance: random.Random, number: int) -> list[Event]:
    """Return the events of one or two incidents: any stages, orders, versions and corrections."""
    events = []
    for _ in range(chance.randint(1, LONGEST)):
        event: Event = {
            "incident_id": f"H{number}-{chance.randint(1, 2)}",
            "stage": chance.choice(STAGES),
            # A clock off by a day, and what happened a month ago.
            "at": NOW - chance.randint(-20, 900) * HOUR,
        }
        if chance.random() < 0.3:
            event["seq"] = chance.randint(0, 3)
        if chance.random() < 0.2:
            event["version"] = chance.randint(0, 2)
        if chance.random() < 0.2:
            event["due_at"] = NOW + chance.randint(-99, 99) * HOUR
        if chance.random() < 0.4:
            event["kind"] = chance.choice(KINDS)
        if chance.random() < 0.2:
            event["body"] = chance.choice(["城管", "市政"])
        if chance.random() < 0.4:
            event["lon"], event["lat"] = chance.choice(PLACES)
        if chance.random() < 0.1:
            event["lamp"] = chance.choice(["L1", "L2"])
        events.append(event)
    return events


def make_city(folder) -> City:
    city = make_gridded_city(folder)
    columns = ("code", "name_zh", "category", "limit", "limit_unit")
    kinds = [
        ["占道经营", "占道经营", "市容", 2, "working_days"],
        ["积水", "积水", "水务", 30, "minutes"],
    ]
    load_one(city, "kinds", write_table(folder / "kinds.csv", columns, kinds))
    return city


def rows_of(city: City, events: list[Event], *, source: str = "hotline") -> EventRows:
    body = orjson.dumps(events)
    return read_posted(body, lines=False, city=city, source=source, now=NOW, most=10**7)


def load(city: City, events: list[Event], source: str, *, now: int, killed: bool = False) -> None:
    """Load events as a batch; `killed` leaves half of it, as a killed load does, to be cleared."""
    rows = rows_of(city, events, source=source)
    with writing(city):
        batch = open_batch(city.database, "incidents", file="part", at=now)
        for _ in append_events(city.database, rows, batch=batch, received=now):
            if killed:
                return
        derive_incidents(city, now=NOW, batch=batch, rows=len(rows))


def tell_by_every_way(city: City, histories: list[tuple[str, Event]], chance) -> None:
    """Post and load the events in parts, three times, in any order, by clocks that jump."""
    told = histories * 3
    chance.shuffle(told)
    feed = Feed(city, now=lambda: NOW + chance.randint(-DAY, DAY))
    try:
        while told:
            size = chance.choice((1, 7, 60, 400, 3_000))
            part, told = told[:size], told[size:]
            for source in SOURCES:
                events = [event for name, event in part if name == source]
                if not events:
                    continue
                if chance.random() < 0.7:
                    feed.post(rows_of(city, events, source=source), token=0)
                    continue
                now = NOW + chance.randint(-DAY, 30 * DAY)
                load(city, events, source, now=now, killed=chance.random() < 0.3)
                told += [(source, event) for event in events if chance.random() < 0.01]
        for source in SOURCES:  # what killed loads lost is told once more
            load(city, [event for name, event in histories if name == source], source, now=NOW)
    finally:
        feed.close()


def dump(city: City) -> str:
    with city.database.read() as connection:
        return canonical_dump(connection)


def first_difference(one: City, other: City) -> object:
    with one.database.read() as left, other.database.read() as right:
        rows = zip(canonical_rows(left), canonical_rows(right), strict=False)
        return next((pair for pair in rows if pair[0] != pair[1]), "one has more rows")


@pytest.mark.parametrize(
    "n", [200, pytest.param(10_000, marks=pytest.mark.long)], ids=lambda n: f"{n} histories"
)
def test_histories_told_by_every_way_come_to_the_dump_of_one_plain_load(tmp_path, monkeypatch, n):
    monkeypatch.setattr(feed_module, "GATHER_S", 0.0)
    chance = random.Random(20_261_122 + n)
    histories = [
        (SOURCES[number % 2], event)
        for number in range(n)
        for event in make_history(chance, number)
    ]
    plain, mixed = make_city(tmp_path / "plain"), make_city(tmp_path / "mixed")
    for source in SOURCES:
        load(plain, [event for name, event in histories if name == source], source, now=NOW)
    tell_by_every_way(mixed, histories, chance)
    assert dump(mixed) == dump(plain), first_difference(mixed, plain)
    found = [rebuild(city, now=NOW) for city in (plain, mixed)]
    assert all(one.equal for one in found)
    assert found[0].after == found[1].after
    assert found[0].incidents > n


def test_a_batch_dropped_half_way_leaves_the_dump_of_the_rest(tmp_path):
    chance = random.Random(5)
    city = make_city(tmp_path / "city")
    first = [event for number in range(40) for event in make_history(chance, number)]
    load(city, first, "hotline", now=NOW)
    before = dump(city)
    more = [event for number in range(30, 60) for event in make_history(chance, number)]
    batch = open_batch(city.database, "incidents", file="part", at=NOW)
    list(append_events(city.database, rows_of(city, more), batch=batch, received=NOW))
    assert dump(city) == before
    drop_batch(city.database, batch)
    assert dump(city) == before
    assert rebuild(city, now=NOW).equal
