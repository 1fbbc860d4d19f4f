"""A picture map is served from our own origin, tried on a page, and replaces the base map."""

from __future__ import annotations

import sqlite3
from contextlib import closing

import pytest

from dashboard.guard import APPS
from dashboard.server import INTAKE
from geodata.snapshots.facts import load_facts
from layers.registry import find_layer
from tests.city import NOW
from tests.dashboard.door_city import Door
from tests.geodata.test_picture_maps import png


@pytest.fixture(scope="module")
def door(tiny, tmp_path_factory) -> Door:
    door = Door(tiny, tmp_path_factory.mktemp("picture") / "city", picture_map='"a.mbtiles"')
    door.add_every_role()
    base = door.city.folder / "base"
    base.mkdir(exist_ok=True)
    with closing(sqlite3.connect(base / "a.mbtiles")) as line, line:
        line.execute("CREATE TABLE tiles (zoom_level, tile_column, tile_row, tile_data)")
        rows = [(14, x, (1 << 14) - 1 - y, png("blue")) for x in range(13640, 13670)
                for y in range(6600, 6680)]  # fmt: skip
        line.executemany("INSERT INTO tiles VALUES (?, ?, ?, ?)", rows)
    yield door
    assert door.app.server.extensions[APPS]
    door.app.server.extensions[INTAKE].close()


def test_tiles_come_from_our_own_origin_for_who_is_signed_in(door):
    answer = door.client("viewer").get("/picture/14/13648/6662")
    assert (answer.status_code, answer.mimetype, answer.data) == (200, "image/png", png("blue"))
    assert door.client("viewer").get("/picture/14/1/1").status_code == 204
    assert door.client("viewer").get("/picture/30/1/1").status_code == 404
    assert door.client().get("/picture/14/13648/6662").status_code in (302, 401)


def test_the_base_map_of_every_page_is_the_picture(door):
    facts = load_facts(door.city, now=NOW)
    source = find_layer("base-map").descriptor("zh", facts, version="1")["source"]
    assert (source["type"], source["url"]) == ("raster", "picture/{z}/{x}/{y}")


def test_an_administrator_tries_it_and_sees_the_tile(door):
    client = door.client("administrator")
    assert "a.mbtiles" in client.get("/basemap?lang=zh").get_data(as_text=True)
    text = client.post("/basemap?lang=zh").get_data(as_text=True)
    assert "取到了" in text
    assert "data:image/png;base64," in text
    assert door.client("duty").get("/basemap").status_code == 403


def test_without_a_picture_map_nothing_is_there(tiny_app):
    assert tiny_app.server.test_client().get("/picture/14/13648/6662").status_code == 404
