"""Dots show every incident once; where they stand for others, they say for how many."""

from __future__ import annotations

import numpy as np
import pytest

from geodata.snapshots.snapshot import Filter
from layers import incident_dots
from layers.incident_dots import DOTS, STATES, find_states
from layers.layer import Tile
from layers.point_tile import find_dots
from tests.layers.mvt_reader import read_tile


@pytest.fixture(scope="session")
def tiles(facts):
    def find(z):
        snapshot, placed = facts.snapshot, slice(facts.snapshot.placed)
        cells = np.stack([snapshot.tile_x[placed], snapshot.tile_y[placed]], 1) >> np.uint32(32 - z)
        return [Tile(z=z, x=int(x), y=int(y)) for x, y in np.unique(cells, axis=0)]

    return find


def features(body):
    return read_tile(body)["dots"]["features"] if body else []


def about(body):
    return read_tile(body)["about"]["features"][0]["properties"]


@pytest.mark.parametrize("z", [14, 15, 16])
def test_every_placed_incident_is_a_dot_in_exactly_one_tile(facts, draw, tiles, z):
    drawn = [f["id"] for tile in tiles(z) for f in features(DOTS.draw(draw(tile=tile)))]
    assert sorted(drawn) == sorted(facts.snapshot.incident[: facts.snapshot.placed].tolist())


def test_dots_stand_where_their_incident_lies(facts, draw, tiles):
    snapshot = facts.snapshot
    row_of = {int(incident): row for row, incident in enumerate(snapshot.incident)}
    for tile in tiles(15)[:6]:
        for feature in features(DOTS.draw(draw(tile=tile))):
            row = row_of[feature["id"]]
            ((place,),) = feature["parts"]
            for unit, column, first in zip(
                place, (snapshot.tile_x, snapshot.tile_y), (tile.x, tile.y), strict=True
            ):
                assert first * 4096 + unit == int(column[row]) >> (32 - 15 - 12)


def test_dots_carry_what_the_snapshot_says(facts, draw, tiles):
    snapshot = facts.snapshot
    row_of = {int(incident): row for row, incident in enumerate(snapshot.incident)}
    picture = draw(tile=tiles(14)[0])
    state = find_states(picture, slice(None))
    for feature in features(DOTS.draw(picture)):
        row = row_of[feature["id"]]
        assert feature["properties"] == {
            "state": STATES[state[row]],
            "stage": snapshot.stage[row],
            "kind": snapshot.kind[row],
            "category": snapshot.category[row],
            "at": snapshot.reported_at[row],
        }


def test_the_filter_decides_which_dots_there_are(facts, draw, tiles):
    wanted = Filter(state="overdue", categories=(1,))
    drawn = [
        f["properties"]
        for tile in tiles(14)
        for f in features(DOTS.draw(draw(tile=tile, filter=wanted)))
    ]
    assert {p["category"] for p in drawn} == {1}
    chosen = facts.select(wanted, draw().now)[: facts.snapshot.placed]
    assert len(drawn) == chosen.sum()
    assert {p["state"] for p in drawn} <= {"red", "suspended"}


def test_crowded_dots_stand_for_others_and_say_so(draw, tiles, monkeypatch):
    monkeypatch.setattr(incident_dots, "MOST_DOTS", 10)
    for tile in tiles(14):
        picture = draw(tile=tile)
        whole = len(find_dots(picture, tile).rows)
        body = DOTS.draw(picture)
        found = features(body)
        assert sum(f["properties"].get("n", 1) for f in found) == whole
        assert about(body) == {"shown": len(found), "of": whole}
        cells = {tuple(axis // 32 for axis in f["parts"][0][0]) for f in found}
        assert len(cells) == len(found)


def test_the_most_pressing_of_crowded_dots_is_the_one_that_stays(draw, tiles):
    tile = tiles(14)[0]
    dots = find_dots(draw(tile=tile), tile)
    rank = np.arange(len(dots.rows), dtype=np.int32) % 6
    thinned = dots.thin(rank, most=0)
    cell = (dots.y // 32) * 128 + dots.x // 32
    for kept in thinned.kept:
        assert rank[kept] == rank[cell == cell[kept]].max()


def test_dots_are_thinned_no_more_than_the_limit_asks(draw, tiles):
    tile = tiles(14)[0]
    dots = find_dots(draw(tile=tile), tile)
    rank = np.zeros(len(dots.rows), np.int32)
    halves = len(np.unique((dots.y // 4) * 1024 + dots.x // 4))
    assert len(dots.thin(rank, most=halves).rows) == halves
    assert len(dots.thin(rank, most=halves - 1).rows) < halves


def test_nothing_is_thinned_while_there_is_room(draw, tiles):
    for tile in tiles(14):
        body = DOTS.draw(draw(tile=tile))
        said = about(body)
        assert said["shown"] == said["of"] == len(features(body))
        assert not any("n" in f["properties"] for f in features(body))
