"""Promise: a GeoPackage is read whole, or refused by name."""

import sqlite3
import struct
import zipfile

import numpy as np
import pytest
import shapely

from geodata.errors import BadFile, BadSetting
from geodata.reading import read_geometries
from tests.geodata.office_files import (
    BOTH,
    NAMES,
    TABLES,
    edit,
    grids,
    refuse,
)


@BOTH
def test_a_geopackage_loads(tmp_path, isolated):
    path = tmp_path / "grid.gpkg"
    frame = grids(n=[1, 2, 3])
    frame["at"] = np.array(["2024-01-01", "2024-01-02", "NaT"], dtype="datetime64[s]")
    frame.to_file(path, layer="网格", engine="pyogrio")
    edit(path, "ALTER TABLE 网格 ADD COLUMN blob BLOB", "UPDATE 网格 SET blob = x'00ff'")
    reading = read_geometries(path, isolated=isolated)
    assert reading.frame["网格名"].tolist() == NAMES
    assert reading.frame["n"].tolist() == ["1", "2", "3"]
    assert reading.frame["at"].iloc[0].startswith("2024-01-01")
    assert reading.frame["at"].iloc[2] == ""
    assert reading.crs.label == "EPSG:4490"
    assert [(note.key, note.field) for note in reading.notes] == [("reading.column_binary", "blob")]


@BOTH
def test_one_of_several_layers_must_be_named(tmp_path, isolated):
    path = tmp_path / "city.gpkg"
    for layer in ("街道", "网格"):
        grids().to_file(path, layer=layer, engine="pyogrio")
    fault = refuse(path, isolated=isolated)
    assert (fault.key, fault.values) == ("layer_unclear", {"layers": "网格, 街道"})
    assert refuse(path, layer="社区", isolated=isolated).key == "layer_none"
    assert read_geometries(path, layer="网格", isolated=isolated).rows == 3
    packed = tmp_path / "city.zip"
    with zipfile.ZipFile(packed, "w") as archive:
        archive.write(path, "数据/city.gpkg")
    assert read_geometries(packed, layer="街道", isolated=isolated).rows == 3


@BOTH
def test_open_rings_of_a_geopackage_are_closed_and_said(tmp_path, isolated):
    path = tmp_path / "grid.gpkg"
    frame = grids()
    frame.geometry = [*frame.geometry[:2], shapely.union_all(frame.geometry[[0, 2]])]
    frame.to_file(path, layer="g", engine="pyogrio")
    with sqlite3.connect(path) as base:
        (blob,) = base.execute("SELECT geom FROM g WHERE fid = 3").fetchone()
        # The last position of the last ring moves away, so that the ring stays open.
        x, y = struct.unpack("<2d", blob[-16:])
        blob = blob[:-16] + struct.pack("<2d", x - 0.001, y - 0.001)
    edit(path, "UPDATE g SET geom = ? WHERE fid = 3", values=(blob,))
    reading = read_geometries(path, isolated=isolated)
    assert [(note.key, note.row) for note in reading.notes] == [("reading.ring_closed", 3)]
    assert reading.notes[0].values["gap_m"] == pytest.approx(145, abs=3)
    assert reading.repaired == 1


def test_a_geopackage_without_known_system_is_judged_by_its_numbers(tmp_path):
    path = tmp_path / "grid.gpkg"
    grids().to_file(path, engine="pyogrio")
    edit(path, *(f"UPDATE {table} SET srs_id = 0" for table in TABLES))
    assert read_geometries(path).crs.label == "EPSG:4326"


@pytest.mark.parametrize("damage", [b"\xff\xfe", b""])
def test_damaged_geopackages_never_crash_a_reader(tmp_path, damage):
    path = tmp_path / "grid.gpkg"
    grids().to_file(path, engine="pyogrio")
    good = path.read_bytes()
    rng = np.random.default_rng(12)
    for at in rng.integers(100, len(good), 25):
        path.write_bytes(good[:at] + damage + good[at + 2 :])
        try:
            said = len(read_geometries(path).frame)
        except (BadFile, BadSetting) as error:
            said = error.sentence("zh")
        assert said
