"""The base map shows what a zoom has room for, joined where it belongs together."""

from __future__ import annotations

import os

import geopandas as gpd
import numpy as np
import pytest
import shapely

from geodata.access.scope import Scope
from geodata.snapshots.facts import Facts, FactsKeeper
from layers.base_map import BASE_TILES
from layers.base_tile import BUILDINGS_FROM, ROADS, build_tile, prepare_base
from layers.layer import Picture, Tile
from tests.city import (
    EPSG,
    INCIDENT_COLUMNS,
    NOW,
    SOUTH_M,
    WEST_M,
    incident_rows,
    load_one,
    make_tiny_city,
    write_table,
)
from tests.layers.mvt_reader import read_tile

FIRST = {"motorway": 8, "primary": 8, "tertiary": 11, "residential": 13, "path": 15}


@pytest.fixture(scope="session")
def sheets(facts):
    return prepare_base(facts.base)


@pytest.fixture(scope="session")
def tile_over(facts):
    west, south, east, north = facts.bounds
    lon, lat = (west + east) / 2, (south + north) / 2
    x, y = lon / 360 + 0.5, 0.5 - np.arctanh(np.sin(np.radians(lat))) / (2 * np.pi)
    return lambda z: Tile(z=z, x=int(x * 2**z), y=int(y * 2**z))


@pytest.mark.parametrize("z", range(8, 16))
def test_roads_appear_by_class(sheets, tile_over, z):
    roads = read_tile(build_tile(sheets, tile_over(z)))["roads"]["features"]
    shown = {feature["properties"]["class"] for feature in roads}
    assert shown == {
        name for name in ("primary", "tertiary", "residential", "path") if FIRST[name] <= z
    }


def test_buildings_and_names_of_small_roads_come_late(sheets, tile_over):
    assert "buildings" not in read_tile(build_tile(sheets, tile_over(14)))
    near = read_tile(build_tile(sheets, tile_over(15)))
    assert all(f["properties"]["floors"] > 0 for f in near["buildings"]["features"])
    named = [f for f in near["roads"]["features"] if "name" in f["properties"]]
    assert named


def test_a_lake_keeps_its_island(sheets, tile_over):
    water = read_tile(build_tile(sheets, tile_over(13)))["water"]["features"]
    assert any(len(feature["parts"]) == 2 for feature in water)
    assert water[0]["properties"] == {"name": "月湖"}


def test_pieces_of_one_road_are_joined():
    pieces = [shapely.LineString([(x, 0), (x + 100, 0)]) for x in range(0, 1000, 100)]
    roads = gpd.GeoDataFrame(
        {"class": "arterial", "name": "龙川路"}, index=range(10), geometry=pieces, crs=4549
    )
    (part,) = prepare_base({"roads": roads.set_geometry(roads.translate(458_000, 3_589_000))})
    sheet = part.later.get()
    assert len(sheet.shapes) == 1
    assert sheet.columns["class"].values == ["primary"]


def test_small_ponds_vanish_when_zoomed_out_and_come_back(tile_over, facts):
    pond = facts.base["water"].geometry.iloc[0].centroid.buffer(30)
    sheets = prepare_base({"water": gpd.GeoDataFrame(geometry=[pond], crs=4549)})
    assert build_tile(sheets, tile_over(9)) is None
    assert "water" in read_tile(build_tile(sheets, tile_over(14)))


def test_rivers_drawn_as_lines_are_lines(facts, tile_over):
    river = gpd.GeoDataFrame(geometry=facts.base["roads"].geometry.iloc[:3], crs=4549)
    parts = prepare_base({"water": river})
    water = read_tile(build_tile(parts, tile_over(12)))["water"]["features"]
    assert {feature["kind"] for feature in water} == {2}


def test_an_unknown_class_is_a_common_road_and_a_missing_one_too(facts):
    odd = facts.base["roads"].assign(**{"class": "田埂"})
    for roads in (odd, odd[["geometry"]]):
        (part,) = prepare_base({"roads": roads})
        assert part.later.get().columns["class"].values == ["residential"]
    assert {drawn for drawn, _ in ROADS.values()} >= set(FIRST)


def test_a_city_without_a_base_map_has_empty_tiles(draw, bare_facts, tile_over):
    assert BASE_TILES.draw(draw(facts=bare_facts, tile=tile_over(12))) is None


def test_buildings_are_read_when_somebody_looks_that_close(facts, tile_over):
    parts = prepare_base(facts.base)
    build_tile(parts, tile_over(14))
    assert sorted(part.minzoom for part in parts if not part.later.is_made) == [BUILDINGS_FROM]
    assert "buildings" in read_tile(build_tile(parts, tile_over(BUILDINGS_FROM)))
    assert all(part.later.is_made for part in parts)


def test_a_new_base_map_is_drawn_though_somebody_asked_while_it_was_new(tmp_path):
    city = make_tiny_city(tmp_path / "city")
    city.base_folder.mkdir(exist_ok=True)

    def write_roads(n: int) -> None:
        lines = [shapely.LineString([(WEST_M, SOUTH_M + i), (WEST_M + 900, SOUTH_M + i)])
                 for i in range(n)]  # fmt: skip
        roads = gpd.GeoDataFrame({"class": ["primary"] * n, "name": "路"}, geometry=lines, crs=EPSG)
        roads.to_parquet(city.base_folder / "roads.parquet")
        os.utime(city.base_folder / "roads.parquet", (n, n))  # each of another moment

    def draw(facts: Facts) -> None:
        scope = Scope.whole_city("viewer", ("read",))
        BASE_TILES.draw(Picture(facts=facts, scope=scope, now=NOW, tile=Tile(z=14, x=0, y=0)))

    keeper = FactsKeeper(city)
    write_roads(1)
    draw(first := keeper.current(NOW))
    write_roads(5)
    draw(first)
    rows = [["N1", *incident_rows(1)[0][1:]]]
    load_one(city, "incidents", write_table(tmp_path / "n.csv", INCIDENT_COLUMNS, rows))
    second = keeper.current(NOW)
    assert second is not first
    assert len(second.base["roads"]) == 5
    assert {key[2] for key in second.kept if key[0] == "base"} == {"5000"}  # no old one is held
