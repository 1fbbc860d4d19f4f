"""Promise: a new minute or event asks again only about what can have changed with it."""

from __future__ import annotations

import numpy as np
import pytest

from geodata.access.scope import ROWS, Scope
from geodata.access.sight import SightKeeper
from geodata.events.clock import RED, clock_state
from geodata.events.feed import Feed
from geodata.figures import hot_places
from geodata.figures.hot_places import find_hot_places
from geodata.snapshots import moving
from geodata.snapshots.facts import FactsKeeper
from tests.city import NOW, make_tiny_city
from tests.geodata.test_feed_folds_alike import rows_of, story

CLOCKS = ("open", "due_at", "clock_from", "closed_at", "suspended_since")
MINUTES = (NOW - 400 * 86_400, NOW, NOW + 61, NOW + 30 * 86_400)


@pytest.fixture
def city(tmp_path):
    return make_tiny_city(tmp_path / "city")


def test_a_minute_moves_only_what_is_open(city, monkeypatch):
    asked: list[int] = []

    def watch(**columns):
        asked.append(len(columns["open"]))
        return clock_state(**columns)

    monkeypatch.setattr(moving, "clock_state", watch)
    facts = FactsKeeper(city).current(NOW)
    snapshot, seen = facts.snapshot, set()
    for now in MINUTES:
        states = facts.states(now)
        clocks = {name: getattr(snapshot, name) for name in CLOCKS}
        expected = clock_state(**clocks, now=now - now % 60)
        np.testing.assert_array_equal(states, expected)
        late = facts.late_rows(now)
        assert set(late) == set(np.flatnonzero(snapshot.open & (expected == RED)))
        assert (np.diff(snapshot.due_at[late]) >= 0).all()
        seen.add(len(late))
    assert len(seen) > 1  # some became late
    open_ = int(snapshot.open.sum())
    assert 0 < open_ < snapshot.n
    assert asked == [snapshot.n] + [open_] * len(MINUTES)


def test_accounts_that_see_the_same_share_what_time_moves(city, monkeypatch):
    made = []
    make = moving.Moving.of
    monkeypatch.setattr(moving.Moving, "of", lambda snapshot: made.append(1) or make(snapshot))
    facts, sights = FactsKeeper(city).current(NOW), SightKeeper()
    for account in ("one", "two", "one"):
        sight = sights.narrow(facts, Scope.whole_city(account, ("read", ROWS)), now=NOW)
        for now in (NOW, NOW + 60):
            sight.late_rows(now)
    assert made == [1]


def test_events_leave_the_index_of_buildings_and_roads_as_it_is(city, monkeypatch):
    built = []
    build = hot_places.LineIndex

    def count(shapes):
        built.append(len(shapes))
        return build(shapes)

    monkeypatch.setattr(hot_places, "LineIndex", count)
    keeper, sights = FactsKeeper(city), SightKeeper()
    whole = Scope.whole_city("", ("read", ROWS))
    feed = Feed(city, now=lambda: NOW)
    for number in range(3):
        sight = sights.narrow(keeper.current(NOW), whole, now=NOW)
        assert sight.revision == city.database.revision()
        find_hot_places(sight, np.arange(sight.snapshot.n), now=NOW)
        feed.post(rows_of(city, [story(number)]), token=0)
    feed.close()
    assert len(built) == 2  # buildings and roads, once
