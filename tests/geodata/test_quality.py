"""Promise: what came in, what became of it, who fell silent and whose books differ is told."""

from __future__ import annotations

from pathlib import Path

import pytest

from geodata.access.scope import Scope
from geodata.access.sight import narrow_facts
from geodata.city import City
from geodata.desk.acts import Wish, decide
from geodata.quality.booked import find_differing
from geodata.quality.silence import find_silent_grids
from geodata.quality.sources import judge_sources
from geodata.snapshots.facts import load_facts
from geodata.store.arrivals import list_by_table
from tests.city import (
    NOW,
    community_code,
    grid_code,
    load_one,
    local_text,
    make_gridded_city,
    middle,
    write_table,
)

DAY = 86_400
ALL = Scope.whole_city("post", ("read", "read.rows", "act"), role="duty")
COLUMNS = ("incident_id", "reported_at", "kind", "lon", "lat", "recorded_grid")


@pytest.fixture
def city(tmp_path: Path) -> City:
    return make_gridded_city(tmp_path / "city")


def bring(city: City, name: str, rows: list, **options):
    return load_one(city, "incidents", write_table(city.folder / name, COLUMNS, rows), **options)


def sight_of(city: City, scope: Scope = ALL):
    facts = load_facts(city, now=NOW)
    return narrow_facts(facts, scope, cells=None)


def row(id: str, days: float, column: int, line: int, recorded: str = "") -> list:
    return [id, local_text(NOW - int(days * DAY)), "积水", *middle(column, line), recorded]


def test_rows_accepted_refused_and_brought_twice_are_counted_by_source_and_table(city):
    good = [row(f"A{n}", n + 1, 0, 0) for n in range(5)]
    bad = [["B1", "昨天", "积水", *middle(0, 0), ""], row("B2", 2, 9, 9)]
    bring(city, "a.csv", [*good, *bad], source="热线")
    bring(city, "b.csv", [*good[:3], row("A9", 1, 1, 1)], source="热线")
    with city.database.read() as connection:
        (source,) = judge_sources(connection, sight_of(city), now=NOW, settings=city.settings)
        table = list_by_table(connection)["incidents"]
    for found in (source.arrivals, table):
        assert (found.loads, found.accepted, found.refused, found.copies) == (2, 10, 1, 3)
        assert found.last_at == NOW
    assert (source.lying.incidents, source.lying.unowned, source.lying.unplaced) == (7, 1, 0)


def test_a_grid_that_fell_silent_is_named_and_a_quiet_one_is_not(city):
    busy = [row(f"A{n}", n * 2, 0, 0) for n in range(60)]
    silent = [row(f"B{n}", 60 + n * 2, 1, 1) for n in range(30)]
    quiet = [row(f"C{n}", 40 + n * 30, 2, 2) for n in range(3)]
    bring(city, "a.csv", [*busy, *silent, *quiet])
    found = {one.code: one for one in find_silent_grids(sight_of(city), now=NOW)}
    assert grid_code(1, 1) in found
    assert grid_code(0, 0) not in found
    assert grid_code(2, 2) not in found
    assert found[grid_code(1, 1)].days == pytest.approx(60, abs=1)
    never = found[grid_code(2, 0)]
    assert never.last_at == 0


def test_a_young_city_calls_nothing_silent(city):
    bring(city, "a.csv", [row(f"A{n}", n / 10, 0, 0) for n in range(50)])
    assert find_silent_grids(sight_of(city), now=NOW) == []


def test_open_cases_booked_elsewhere_wait_until_a_post_has_decided(city):
    rows = [
        row("SAME", 4, 0, 0, grid_code(0, 0)),
        row("ABOVE", 3, 1, 0, community_code(0)),
        row("OTHER", 2, 1, 1, grid_code(2, 2)),
        row("NONE", 1, 9, 9, grid_code(0, 0)),
        row("WORD", 1, 0, 1, "没有的编码"),
        row("BARE", 1, 0, 1),
    ]
    bring(city, "a.csv", rows, source="热线")
    system = city.grids_in_force(NOW)
    with city.database.read() as connection:
        found = find_differing(connection, ALL, system)
    assert (found.told, found.agree) == (5, 2)
    told = {one.booked.incident_id: (one.known, one.ours) for one in found.differing}
    assert told == {
        "OTHER": (True, grid_code(1, 1)), "NONE": (True, ""), "WORD": (False, grid_code(0, 1)),
    }  # fmt: skip
    uid = int(system.finest().set_index("code")["uid"][grid_code(2, 2)])
    wish = Wish(
        source="热线", incident_id="OTHER", what="owner", reason="来源说得对", grid=uid,
        seen=city.database.revision(),
    )  # fmt: skip
    decide(city, ALL, wish, now=NOW)
    some = Scope(account="x", grids=frozenset({uid}), permissions=ALL.permissions)
    with city.database.read() as connection:
        left = find_differing(connection, ALL, system).differing
        assert "OTHER" not in {one.booked.incident_id for one in left}
        assert find_differing(connection, some, system).told == 0  # decided, and nothing else there
