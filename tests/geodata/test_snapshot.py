"""Promise: the snapshot's file is the snapshot or is not used; its order is the map's."""

from __future__ import annotations

from dataclasses import fields, replace
from pathlib import Path

import numpy as np
import pytest
import shapely
from hypothesis import given
from hypothesis import strategies as st

from geodata.city import City
from geodata.events.clock import RED, clock_state
from geodata.snapshots.facts import Facts, FactsKeeper, load_facts
from geodata.snapshots.snapshot import (
    Filter,
    Snapshot,
    interleave,
    open_snapshot,
    save_snapshot,
    snapshot_file,
    tile_position,
)
from geodata.store.incident_rows import read_incident_columns
from tests.city import (
    INCIDENT_COLUMNS,
    NOW,
    incident_rows,
    load_one,
    make_empty_city,
    make_gridded_city,
    make_tiny_city,
    write_table,
)


@pytest.fixture(scope="module")
def city(tmp_path_factory) -> City:
    """The tiny city, with two incidents that have an address alone."""
    made = make_tiny_city(tmp_path_factory.mktemp("snapshot") / "city")
    rows = [[*row[:3], "", "", *row[5:], "龙川路 8 号"] for row in incident_rows(2, seed=3)]
    rows = [[f"B{number}", *row[1:]] for number, row in enumerate(rows)]
    file = write_table(made.folder / "addressed.csv", (*INCIDENT_COLUMNS, "address"), rows)
    load_one(made, "incidents", file)
    return made


@pytest.fixture(scope="module")
def facts(city) -> Facts:
    found = load_facts(city, now=NOW)
    assert found is not None
    return found


def same(one: Snapshot, other: Snapshot) -> bool:
    return all(
        np.array_equal(getattr(one, item.name), getattr(other, item.name))
        for item in fields(Snapshot)
    )


def fresh(city: City) -> Snapshot:
    for file in city.folder.glob("snapshot-*"):
        file.unlink()
    found = load_facts(city, now=NOW)
    assert found is not None
    return found.snapshot


def test_the_file_says_what_a_fresh_build_says(city):
    built = fresh(city)
    read = open_snapshot(city.folder, built.revision)
    assert read is not None
    assert same(read, built)
    for item in fields(Snapshot):
        one, other = getattr(read, item.name), getattr(built, item.name)
        assert getattr(one, "dtype", None) == getattr(other, "dtype", None), item.name


def test_no_screen_can_change_a_fact(city):
    built = fresh(city)
    for snapshot in (built, open_snapshot(city.folder, built.revision)):
        with pytest.raises(ValueError, match="read-only"):
            snapshot.owner[0] = 5


def damage_missing(file: Path) -> None:
    file.unlink()


def damage_empty(file: Path) -> None:
    file.write_bytes(b"")


def damage_cut(file: Path) -> None:
    file.write_bytes(file.read_bytes()[: file.stat().st_size * 2 // 3])


def damage_foot(file: Path) -> None:
    file.write_bytes(file.read_bytes()[:-64] + b"\0" * 64)


def damage_text(file: Path) -> None:
    file.write_text("no arrow at all", "utf-8")


def damage_folder(file: Path) -> None:
    file.unlink()
    file.mkdir()


DAMAGES = [damage_missing, damage_empty, damage_cut, damage_foot, damage_text, damage_folder]


@pytest.mark.parametrize("damage", DAMAGES, ids=lambda one: one.__name__)
def test_a_damaged_file_is_not_used_and_the_city_opens_all_the_same(city, damage):
    built = fresh(city)
    file = snapshot_file(city.folder, built.revision)
    damage(file)
    assert open_snapshot(city.folder, built.revision) is None
    found = load_facts(city, now=NOW)
    assert same(found.snapshot, built)
    if file.is_dir():
        file.rmdir()


def test_one_changed_byte_anywhere_is_noticed_or_harmless(city):
    built = fresh(city)
    file = snapshot_file(city.folder, built.revision)
    whole = file.read_bytes()
    noticed = 0
    for place in range(0, len(whole), len(whole) // 150):
        changed = bytearray(whole)
        changed[place] ^= 0x55
        file.write_bytes(changed)
        read = open_snapshot(city.folder, built.revision)
        noticed += read is None
        assert read is None or same(read, built)  # a byte of padding, or of a name nobody reads
    file.write_bytes(whole)
    assert noticed > 50


def test_a_file_of_another_revision_is_not_used_and_goes(city):
    built = fresh(city)
    right = snapshot_file(city.folder, built.revision)
    wrong = snapshot_file(city.folder, built.revision + 1)
    right.rename(wrong)
    assert open_snapshot(city.folder, built.revision + 1) is None
    save_snapshot(built, city.folder)
    assert list(city.folder.glob("snapshot-*")) == [right]


def test_the_parts_of_a_killed_process_go_with_the_next_file(city):
    built = fresh(city)
    part = city.folder / "snapshot-1.4711.part"
    part.write_bytes(b"half")
    save_snapshot(built, city.folder)
    assert not part.exists()


def test_a_snapshot_that_cannot_be_kept_stops_no_screen(city, monkeypatch):
    def full(*_: object) -> None:
        raise OSError(28, "No space left on device")

    for file in city.folder.glob("snapshot-*"):
        file.unlink()
    monkeypatch.setattr("geodata.snapshots.newest.save_snapshot", full)
    assert load_facts(city, now=NOW) is not None


# --- order ---------------------------------------------------------------------------------------


def test_rows_stand_in_the_order_of_tiles_and_those_without_a_place_last(facts):
    snapshot = facts.snapshot
    assert snapshot.placed == 40
    assert snapshot.n == 42
    placed = slice(None, snapshot.placed)
    assert (np.diff(snapshot.morton[placed].astype(object)) >= 0).all()
    assert (snapshot.tile_x[placed] > 0).all()
    assert (snapshot.owner[snapshot.placed :] == -1).all()
    assert np.array_equal(interleave(snapshot.tile_x, snapshot.tile_y), snapshot.morton)


@given(st.lists(st.tuples(st.integers(0, 2**32 - 1), st.integers(0, 2**32 - 1)), min_size=1))
def test_a_morton_code_is_the_bits_of_both_positions_in_turn(pairs):
    x, y = (np.array(values, np.uint32) for values in zip(*pairs, strict=True))
    for code, (east, south) in zip(interleave(x, y).tolist(), pairs, strict=True):
        bits = f"{code:064b}"
        assert int(bits[1::2], 2) == east
        assert int(bits[0::2], 2) == south


@given(st.integers(0, 22), st.randoms(use_true_random=False))
def test_every_tile_is_one_slice(zoom, chance):
    lon = np.array([119.9 + chance.random() / 5 for _ in range(60)])
    lat = np.array([32.4 + chance.random() / 5 for _ in range(60)])
    x, y = tile_position(lon, lat)
    order = np.argsort(interleave(x, y))
    tiles = [(int(x[i]) >> (32 - zoom), int(y[i]) >> (32 - zoom)) for i in order]
    runs = [tile for place, tile in enumerate(tiles) if place == 0 or tile != tiles[place - 1]]
    assert len(runs) == len(set(runs))


def test_positions_are_the_web_mercators():
    x, y = tile_position(np.array([-180.0, 0.0, 0.0]), np.array([0.0, 0.0, 85.05112877980659]))
    assert x.tolist() == [0, 2**31, 2**31]
    assert y.tolist()[:2] == [2**31, 2**31]
    assert y[2] <= 1
    south = tile_position(np.array([0.0]), np.array([-90.0]))[1]
    assert south[0] == 2**32 - 1  # beyond the map's edge stays on it


# --- facts behind the rows -----------------------------------------------------------------------


def test_each_row_stands_for_its_incident_with_its_owner(city, facts):
    with city.database.read() as connection:
        columns = read_incident_columns(connection)
    row_of = {inc: row for row, inc in enumerate(columns["inc"].tolist())}
    uids = facts.grids.finest()["uid"].to_numpy()
    snapshot = facts.snapshot
    for row in range(snapshot.n):
        there = row_of[int(snapshot.incident[row])]
        owner = int(snapshot.owner[row])
        assert columns["owner"][there] == (uids[owner] if owner >= 0 else -1)
        assert columns["rule"][there] == snapshot.rule[row]
        assert columns["reported_at"][there] == snapshot.reported_at[row]
        assert columns["due_at"][there] == snapshot.due_at[row]
        assert bool(columns["open"][there]) == bool(snapshot.open[row])
        assert np.isfinite(columns["x"][there]) == (row < snapshot.placed)


def test_the_owner_is_the_grid_the_place_lies_in(city, facts):
    with city.database.read() as connection:
        columns = read_incident_columns(connection)
    names = ("inc", "x", "y")
    place = {inc: (x, y) for inc, x, y in zip(*(columns[n] for n in names), strict=True)}
    finest = facts.grids.finest()
    for row in range(facts.snapshot.placed):
        x, y = place[int(facts.snapshot.incident[row])]
        inside = finest.geometry.covers(shapely.Point(x / 1000, y / 1000))
        owner = int(facts.snapshot.owner[row])
        assert inside.iloc[owner] if owner >= 0 else not inside.any()


def test_the_numbers_of_kinds_sources_and_categories_are_named(facts):
    snapshot = facts.snapshot
    assert {facts.kind_terms[n] for n in set(snapshot.kind.tolist()) if n} == {
        *("占道经营", "路面破损", "积水"),
    }
    named = {
        (facts.kind_terms.get(kind, ""), facts.categories[category])
        for kind, category in zip(snapshot.kind.tolist(), snapshot.category.tolist(), strict=True)
    }
    assert ("占道经营", "市容环境") in named
    assert ("积水", "") in named  # unknown to the table: unmatched
    assert {facts.source_terms[n] for n in set(snapshot.source.tolist())} == {
        *("incidents", "events", "addressed"),
    }


def test_the_keeper_hands_out_one_revision_until_the_next(tmp_path):
    city = make_gridded_city(tmp_path / "city")
    keeper = FactsKeeper(city)
    first = keeper.current(NOW)
    assert keeper.current(NOW) is first
    assert first.snapshot.n == 0
    file = write_table(tmp_path / "cases.csv", INCIDENT_COLUMNS, incident_rows(4))
    load_one(city, "incidents", file)
    second = keeper.current(NOW)
    assert second.snapshot.n == 4
    assert second.revision > first.revision
    assert second.grids is first.grids  # what hangs on the drawing alone is kept


def test_a_city_without_grids_has_no_facts_yet(tmp_path):
    city = make_empty_city(tmp_path / "city")
    assert FactsKeeper(city).current(NOW) is None


# --- filters -------------------------------------------------------------------------------------


def test_a_period_holds_its_first_second_and_not_its_last(facts):
    times = np.sort(facts.snapshot.reported_at)
    since, until = int(times[3]), int(times[8])
    chosen = facts.select(Filter(since=since, until=until), NOW)
    expected = (facts.snapshot.reported_at >= since) & (facts.snapshot.reported_at < until)
    assert np.array_equal(chosen, expected)
    assert chosen.sum() >= 5


def test_states_part_all_incidents(facts):
    n = {state: int(facts.select(Filter(state=state), NOW).sum())
         for state in ("all", "open", "overdue", "closed")}  # fmt: skip
    assert n["all"] == facts.snapshot.n
    assert n["open"] + n["closed"] == n["all"]
    assert 0 < n["overdue"] < n["open"]


def test_overdue_is_open_past_the_deadline_to_the_minute(facts):
    chosen = facts.select(Filter(state="overdue"), NOW)
    snapshot = facts.snapshot
    past = snapshot.open & (snapshot.due_at > 0) & (snapshot.due_at < NOW - NOW % 60)
    past &= snapshot.suspended_since == 0
    assert np.array_equal(chosen, past)
    later = int(snapshot.due_at.max()) + 61
    assert facts.select(Filter(state="overdue"), later).sum() >= chosen.sum()


def test_a_filter_of_no_category_lets_nothing_through(facts):
    assert not facts.select(Filter(categories=()), NOW).any()
    every = tuple(range(len(facts.categories)))
    assert facts.select(Filter(categories=every), NOW).all()


def test_the_state_of_each_incident_is_the_clocks(facts):
    snapshot = facts.snapshot
    states = clock_state(
        open=snapshot.open,
        due_at=snapshot.due_at,
        clock_from=snapshot.clock_from,
        closed_at=snapshot.closed_at,
        suspended_since=snapshot.suspended_since,
        now=NOW - NOW % 60,
    )
    assert np.array_equal(facts.states(NOW), states)
    assert (states == RED).any()


def test_a_snapshot_of_another_drawing_is_built_anew(city):
    built = fresh(city)
    save_snapshot(replace(built, drawing=built.drawing + 1), city.folder)
    assert load_facts(city, now=NOW).snapshot.drawing == built.drawing
