"""Promise: hexagons lose no incident, agree across tiles, and show nobody what is not theirs."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from geodata.errors import NotAllowed
from layers.incident_hexes import BUDGET_BYTES, HEXES, LAYER, RADIUS_PX, find_cells
from layers.layer import Tile
from layers.registry import LAYERS, WALL_LAYERS, find_source
from tests.layers.test_layers_keep_their_promises import pictures_of

ZOOM = 13


def draw_all(picture, zoom: int = ZOOM) -> dict[tuple[int, int], bytes]:
    tiles = [one for one in pictures_of(HEXES, picture) if one.tile.z == zoom]
    drawn = {(one.tile.x, one.tile.y): HEXES.draw(one) for one in tiles}
    return {place: body for place, body in drawn.items() if body}


def test_each_place_is_in_the_hexagon_whose_middle_is_nearest():
    dice = np.random.default_rng(4)
    x, y = dice.uniform(-500, 500, 2000), dice.uniform(-500, 500, 2000)
    (q, r), edge = find_cells(x, y)
    mid_x, mid_y = RADIUS_PX * np.sqrt(3) * (q + r / 2), RADIUS_PX * 1.5 * r
    assert np.hypot(x - mid_x, y - mid_y).max() <= RADIUS_PX + 1e-9
    for a, b in ((1, 0), (0, 1), (1, -1), (-1, 0), (0, -1), (-1, 1)):
        away_x, away_y = mid_x + RADIUS_PX * np.sqrt(3) * (a + b / 2), mid_y + RADIUS_PX * 1.5 * b
        assert (np.hypot(x - away_x, y - away_y) >= np.hypot(x - mid_x, y - mid_y) - 1e-9).all()
    assert 0 <= edge.min() <= edge.max() <= 1 + 1e-9


def test_tiles_are_drawn_within_their_budget_and_the_same_each_time(picture):
    drawn = draw_all(picture)
    assert drawn
    assert all(body.startswith(b"\x89PNG") and len(body) <= BUDGET_BYTES for body in drawn.values())
    again = replace(picture, facts=replace(picture.facts, kept={}))
    assert draw_all(again) == drawn


def test_an_empty_city_has_no_hexagons(empty_facts, bare_facts, picture):
    for facts in (empty_facts, bare_facts):
        assert draw_all(replace(picture, facts=facts)) == {}


def test_a_scope_sees_only_its_own(picture, one_street):
    own = draw_all(replace(picture, scope=one_street))
    assert own != draw_all(picture)
    nobody = replace(picture, scope=replace(one_street, grids=frozenset()))
    assert draw_all(nobody) == {}
    unseeing = replace(picture, scope=replace(one_street, permissions=frozenset({"read"})))
    with pytest.raises(NotAllowed):
        HEXES.draw(replace(unseeing, tile=Tile(z=ZOOM, x=0, y=0)))


def test_only_walls_have_them(picture):
    assert LAYER not in LAYERS
    assert LAYER in WALL_LAYERS
    assert find_source("hexes") is HEXES
    legend = LAYER.describe_legend(picture)
    assert legend["shown"] <= legend["of"]
