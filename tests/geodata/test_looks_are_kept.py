"""Promise: a file, a base map and an address library are read once for as long as they stand."""

from __future__ import annotations

import io
import os
from dataclasses import replace
from pathlib import Path

import geopandas as gpd
import pytest
import shapely

from geodata.city import City
from geodata.errors import BadFile
from geodata.intake import looking, systems
from geodata.intake.limits import limits_of
from geodata.intake.looking import Looks
from geodata.intake.shelf import Shelf, Upload
from geodata.loading import addressed, trusted_layer
from geodata.loading.fixtures import save_base
from geodata.loading.readers import read_file
from tests.city import (
    CRS,
    INCIDENT_COLUMNS,
    NOW,
    incident_rows,
    load_one,
    make_gridded_city,
    middle,
    square,
    write_table,
)


@pytest.fixture
def city(tmp_path: Path) -> City:
    return make_gridded_city(tmp_path / "city")


@pytest.fixture
def times(monkeypatch):
    """Count how often a function of a module is called."""

    def count(module, name: str) -> list[int]:
        calls, real = [], getattr(module, name)

        def counted(*args, **named):
            calls.append(1)
            return real(*args, **named)

        monkeypatch.setattr(module, name, counted)
        return calls

    return count


def bring(shelf: Shelf, folder: Path, n: int = 60, *, seed: int = 1) -> Upload:
    table = write_table(folder / "cases.csv", INCIDENT_COLUMNS, incident_rows(n, seed=seed))
    stream = io.BytesIO(table.read_bytes())
    return shelf.keep(
        [("cases.csv", stream)], kind="incidents", source="", account="clerk", now=NOW
    )


def test_a_file_is_read_once_until_something_about_it_changes(city, tmp_path, times):
    shelf, looks = Shelf(city), Looks(city)
    reads = times(looking, "read_file")
    upload = bring(shelf, tmp_path)

    def look(one: Upload) -> looking.Preview:
        return looks.look_at(shelf.paths(one), one, now=NOW)

    first = look(upload)
    assert look(upload) is first
    assert (first.rows, first.refused, first.placed, len(reads)) == (60, 0, 60, 1)
    corrected = replace(upload, options={"crs": "GCJ-02"})
    assert look(corrected).crs == "GCJ-02"
    assert len(reads) == 2
    (path,) = shelf.paths(upload)
    write_table(path, INCIDENT_COLUMNS, incident_rows(20, seed=3))
    os.utime(path, (NOW, NOW))
    assert look(upload).rows == 20
    assert len(reads) == 3


def test_looks_are_bounded_and_hold_nothing_that_grows_with_the_file(city, tmp_path, monkeypatch):
    monkeypatch.setattr(looking, "LOOKS_KEPT", 2)
    shelf, looks = Shelf(city), Looks(city)
    for seed in range(4):
        upload = bring(shelf, tmp_path, 3_000, seed=seed)
        found = looks.look_at(shelf.paths(upload), upload, now=NOW)
        assert len(found.points) <= 2 * looking.POINTS_DRAWN
        assert len(found.first_rows) == looking.ROWS_SHOWN
    assert len(looks._kept) == 2


def test_the_trusted_layers_are_read_once_while_the_base_map_stands(city, tmp_path, times):
    houses = gpd.GeoDataFrame(geometry=[square(0, 0, wide=0.1, high=0.1)], crs=CRS)
    save_base(city.base_folder, {"buildings": houses})
    reads = times(trusted_layer, "load_base")
    layers = trusted_layer.TrustedLayers(city)
    lon, lat = zip(*[middle(0, 0)] * 60, strict=True)
    assert layers.measure(lon, lat, declared="WGS 84").layers == ("buildings",)
    assert layers.measure(lon, lat, declared="GCJ-02").points == 60
    assert len(reads) == 1
    roads = gpd.GeoDataFrame(
        geometry=[shapely.LineString([(500_000, 3_600_000), (500_600, 3_600_600)])], crs=CRS
    )
    save_base(city.base_folder, {"roads": roads})
    assert set(layers.measure(lon, lat, declared="WGS 84").layers) == {"buildings", "roads"}
    assert len(reads) == 2


def test_the_address_library_is_built_once_until_a_table_changes(city, tmp_path, times):
    builds = times(addressed, "build_library")
    rows = [[f"江都区仙女镇龙川路{n}号", *middle(0, 0)] for n in range(1, 6)]
    path = write_table(tmp_path / "addresses.csv", ("address", "lon", "lat"), rows)
    load_one(city, "addresses", path)
    assert len(addressed.load_library(city, now=NOW)) == 5
    assert addressed.load_library(city, now=NOW) is addressed.load_library(city, now=NOW)
    assert len(builds) == 1
    rows = [[f"江都区仙女镇文昌路{n}号", *middle(1, 1)] for n in range(1, 4)]
    load_one(city, "addresses", write_table(path, ("address", "lon", "lat"), rows))
    assert len(addressed.load_library(city, now=NOW)) == 8
    assert len(builds) == 2


def test_a_look_and_a_load_hold_to_the_same_limits(city, tmp_path):
    object.__setattr__(city.settings, "upload_mb", 1)
    object.__setattr__(city.settings, "upload_objects_mb", 1)
    shelf = Shelf(city)
    upload = bring(shelf, tmp_path)
    how = upload.request(limits_of(city.settings), now=NOW)
    large = tmp_path / "large.geojson"
    large.write_bytes(b'{"type": "FeatureCollection", "features": [' + b" " * (1 << 20) + b"]}")
    for name, key in (("large.geojson", "file_too_large"), ("large.csv", "file_too_large")):
        path = large.rename(tmp_path / name) if name != large.name else large
        with pytest.raises(BadFile) as caught:
            read_file("incidents", path, how)
        assert [fault.key for fault in caught.value.faults] == [key]
        large = path
    object.__setattr__(city.settings, "upload_mb", 2)
    path = large.rename(tmp_path / "large.geojson")
    with pytest.raises(BadFile) as caught:
        read_file("incidents", path, upload.request(limits_of(city.settings), now=NOW))
    assert [fault.key for fault in caught.value.faults] == ["file_of_objects"]


def test_ways_to_read_a_refused_file_are_tried_once(city, times):
    """Each way reads the whole file: opening the page of a refusal again tries none of them."""
    tried = times(systems, "read_file")
    shelf, looks = Shelf(city), Looks(city)
    stream = io.BytesIO(b"camera_id,x,y\nA,500100,3600100\nB,500200,3600100\n")
    upload = shelf.keep([("x.csv", stream)], kind="cameras", source="", account="a", now=NOW)
    paths = shelf.paths(upload)
    with pytest.raises(BadFile) as refused:
        looks.look_at(paths, upload, now=NOW)
    first = looks.list_offers(paths, upload, refused.value, now=NOW)
    n = len(tried)
    assert first
    assert n
    assert looks.list_offers(paths, upload, refused.value, now=NOW) == first
    assert len(tried) == n
    other = replace(upload, options={"swapped": True})
    looks.list_offers(paths, other, refused.value, now=NOW)
    assert len(tried) > n
