"""Promise: a Shapefile is read whole, whatever its parts claim, or refused by name."""

import numpy as np
import pytest
import shapely

from geodata.errors import BadFile, BadSetting
from geodata.reading import read_geometries
from tests.geodata.office_files import (
    BOTH,
    NAMES,
    PARTS,
    grids,
    refuse,
    write_shapefile,
    zip_folder,
)


@BOTH
@pytest.mark.parametrize("form", ["shp", "folder", "zip"])
def test_a_shapefile_loads_in_every_form(tmp_path, isolated, form):
    source = tmp_path / "in"
    source.mkdir()
    path = write_shapefile(source, grids())
    if form == "folder":
        path = source
    elif form == "zip":
        path = zip_folder(source, tmp_path / "grid.zip")
    reading = read_geometries(path, isolated=isolated)
    assert reading.frame["网格名"].tolist() == NAMES
    assert reading.frame["code"].tolist() == ["001", "002", "003"]
    assert (reading.crs.label, reading.driver, reading.encoding) == (
        "EPSG:4490",
        "ESRI Shapefile",
        "utf-8",
    )
    assert (reading.faults, reading.notes) == ([], [])
    assert shapely.equals(
        reading.frame.geometry.array.to_numpy(), grids().geometry.array.to_numpy()
    ).all()


@pytest.mark.parametrize(
    ("written", "cpg", "found"),
    [
        ("GB18030", None, "gb18030"),
        ("GB18030", "GBK", "gb18030"),
        ("GB18030", "UTF-8", "gb18030"),
        ("GB18030", "ISO-8859-1", "gb18030"),
        ("UTF-8", None, "utf-8"),
        ("UTF-8", "UTF-8", "utf-8"),
        ("UTF-8", "936", "utf-8"),
    ],
)
def test_chinese_text_is_right_whatever_the_cpg_says(tmp_path, written, cpg, found):
    path = write_shapefile(tmp_path, grids(), encoding=written, without=(".cpg",))
    if cpg:
        path.with_suffix(".cpg").write_text(cpg)
    table = bytearray(path.with_suffix(".dbf").read_bytes())
    table[29] = 0
    path.with_suffix(".dbf").write_bytes(table)
    reading = read_geometries(path)
    assert reading.frame["网格名"].tolist() == NAMES
    assert reading.encoding == found
    wrong = cpg is not None and (cpg == "UTF-8") != (found == "utf-8")
    wrong |= cpg == "ISO-8859-1"
    assert [note.key for note in reading.notes] == ["reading.cpg_wrong"] * wrong


def test_western_text_is_read_as_its_cpg_claims(tmp_path):
    frame = grids(name=["Zürich", "Genève", "Österreich"]).drop(columns="网格名")
    path = write_shapefile(tmp_path, frame, encoding="ISO-8859-1")
    reading = read_geometries(path)
    assert reading.frame["name"].tolist() == ["Zürich", "Genève", "Österreich"]


def test_text_in_another_encoding_is_refused_unless_declared(tmp_path):
    names = ["臺北市大安區復興里", "臺北市信義區六藝里", "臺北市內湖區瑞光里"]
    frame = grids(name=names).drop(columns="网格名")
    path = write_shapefile(tmp_path, frame, encoding="BIG5", without=(".cpg",))
    table = bytearray(path.with_suffix(".dbf").read_bytes())
    table[29] = 0
    path.with_suffix(".dbf").write_bytes(table)
    assert refuse(path).key == "encoding_unclear_cells"
    assert refuse(path, encoding="utf-8").key == "encoding_wrong_cells"
    assert read_geometries(path, encoding="big5").frame["name"].tolist() == names


def test_field_names_cut_inside_a_character_are_rescued(tmp_path):
    # Ten bytes hold three characters of UTF-8 and the first byte of the fourth.
    path = write_shapefile(tmp_path, grids(网格所属名称=["甲", "乙", "丙"]))
    reading = read_geometries(path)
    assert list(reading.frame.columns) == ["code", "网格名", "网格所", "geometry"]
    assert reading.frame["网格所"].tolist() == ["甲", "乙", "丙"]


def test_values_cut_inside_a_character_lose_that_character(tmp_path):
    path = write_shapefile(tmp_path, grids(note=["一" * 100] * 3), encoding="UTF-8")
    notes = read_geometries(path).frame["note"]
    assert notes.tolist() == ["一" * 84] * 3


@pytest.mark.parametrize("missing", [".shx", ".dbf"])
@pytest.mark.parametrize("form", ["shp", "zip"])
def test_a_missing_part_is_named(tmp_path, missing, form):
    source = tmp_path / "in"
    source.mkdir()
    path = write_shapefile(source, grids(), without=(missing,))
    if form == "zip":
        path = zip_folder(source, tmp_path / "grid.zip")
    fault = refuse(path)
    assert (fault.key, fault.values) == ("shapefile_part_missing", {"parts": missing})


def test_without_prj_degrees_are_taken_with_a_note_and_metres_refused(tmp_path):
    path = write_shapefile(tmp_path, grids(), without=(".prj",))
    reading = read_geometries(path)
    assert [note.key for note in reading.notes] == ["reading.assumed_lonlat"]
    assert reading.crs.label == "EPSG:4326"
    path = write_shapefile(tmp_path, grids().to_crs(4528), name="metres", without=(".prj",))
    fault = refuse(path)
    assert (fault.key, fault.values) == ("crs_missing", {"hint": "EPSG:4528"})
    assert read_geometries(path, crs="EPSG:4528").crs.label == "EPSG:4528"
    assert refuse(path, crs="EPSG:4549").key == "crs_misfit"


def test_a_prj_without_published_parameters_is_refused(tmp_path):
    path = write_shapefile(tmp_path, grids(crs=4610))
    assert refuse(path).key == "crs_needs_parameters"
    reading = read_geometries(path, crs="EPSG:4490")
    assert [note.key for note in reading.notes] == ["reading.crs_overruled"]


def test_the_british_grid_says_how_good_its_way_is(tmp_path):
    frame = grids(crs=27700).set_geometry(
        [shapely.box(4e5, 4e5, 4e5 + i, 4e5 + i) for i in (1, 2, 3)]
    )
    reading = read_geometries(write_shapefile(tmp_path, frame))
    assert [note.key for note in reading.notes] == ["reading.crs_accuracy"]
    assert reading.crs.accuracy_m == 2.0


def test_numbers_stay_exact_and_long_ids_are_refused(tmp_path):
    frame = grids(
        whole=[321012001001, 0, -7], real=[0.1, 2.0, np.nan], big=[3210120010010010, 1, 2]
    )
    reading = read_geometries(write_shapefile(tmp_path, frame))
    assert reading.frame["whole"].tolist() == ["321012001001", "0", "-7"]
    assert reading.frame["real"].tolist() == ["0.1", "2", ""]
    assert [(f.key, f.row, f.field) for f in reading.faults] == [("number_too_long", 1, "big")]


def test_empty_and_invalid_shapes_of_a_shapefile_are_named(tmp_path):
    frame = grids()
    hourglass = shapely.Polygon([(119, 32), (119.01, 32.01), (119.01, 32), (119, 32.01)])
    frame.geometry = [None, hourglass, frame.geometry[2]]
    reading = read_geometries(write_shapefile(tmp_path, frame))
    assert [(f.key, f.row) for f in reading.faults] == [("shape_missing", 1)]
    assert [(n.key, n.row) for n in reading.notes] == [("reading.shape_repaired", 2)]
    assert len(reading.accepted) == 2


@pytest.mark.parametrize(
    ("suffix", "damage", "key"),
    [
        (".shp", lambda raw: raw[:50], "shapefile_part_damaged"),
        (".shp", lambda raw: raw[:-40], "shapefile_part_short"),
        (".shp", lambda raw: raw[:32] + b"\x63\0\0\0" + raw[36:], "shapefile_part_damaged"),
        (".shx", lambda raw: raw[:-8], "shapefile_part_short"),
        (".shx", lambda raw: b"", "shapefile_part_damaged"),  # noqa: ARG005
        (".dbf", lambda raw: raw[:20], "shapefile_part_damaged"),
        (".dbf", lambda raw: raw[:-60], "shapefile_part_short"),
        (".dbf", lambda raw: raw[:4] + b"\xff\xff\xff\x7f" + raw[8:], "shapefile_part_short"),
        (".dbf", lambda raw: raw[:4] + b"\x01\0\0\0" + raw[8:], "shapefile_parts_differ"),
        (".dbf", lambda raw: raw[:8] + b"\0\0\0\0" + raw[12:], "shapefile_part_damaged"),
    ],
)
def test_damaged_parts_are_named(tmp_path, suffix, damage, key):
    path = write_shapefile(tmp_path, grids())
    part = path.with_suffix(suffix)
    part.write_bytes(damage(part.read_bytes()))
    fault = refuse(path)
    assert (fault.key, fault.values.get("part", suffix)) == (key, suffix)


def test_a_shapefile_without_rows_is_refused(tmp_path):
    assert refuse(write_shapefile(tmp_path, grids().iloc[:0])).key == "file_no_rows"


def test_flipped_bytes_never_crash_a_reader(tmp_path):
    source = tmp_path / "in"
    source.mkdir()
    path = write_shapefile(source, grids())
    good = {suffix: path.with_suffix(suffix).read_bytes() for suffix in PARTS}
    rng = np.random.default_rng(11)
    outcomes = set()
    for _ in range(120):
        suffix = PARTS[rng.integers(len(PARTS))]
        raw = bytearray(good[suffix])
        for _ in range(rng.integers(1, 4)):
            raw[rng.integers(len(raw))] = rng.integers(256)
        path.with_suffix(suffix).write_bytes(raw)
        try:
            outcomes.add(len(read_geometries(path).frame))
        except (BadFile, BadSetting) as error:
            outcomes.add(error.sentence("zh"))
        path.with_suffix(suffix).write_bytes(good[suffix])
    assert 3 in outcomes
    assert len(outcomes) > 3
