"""Shapefile, GeoPackage and zip: read whole or refused by name; nothing else is ever opened."""

import io
import json
import socket
import sqlite3
import struct
import threading
import time
import warnings
import zipfile
from pathlib import Path

import geopandas as gpd
import numpy as np
import pytest
import shapely

from geodata.errors import BadFile, BadSetting
from geodata.reading import read_geometries
from geodata.reading._child import RawLayer, unpack_layer, write_layer
from geodata.reading.archives import UPLOAD_LIMITS, Limits

NAMES = ["仙女镇龙川社区第一网格", "大桥镇白沙村第二网格", "邵伯镇甘棠社区第三网格"]
PARTS = (".shp", ".shx", ".dbf", ".prj", ".cpg")
BOTH = pytest.mark.parametrize("isolated", [False, True], ids=["here", "in a child"])


def grids(crs=4490, **columns):
    cells = [shapely.box(119.5 + i / 100, 32.4, 119.51 + i / 100, 32.41) for i in range(3)]
    given = {"code": ["001", "002", "003"], "网格名": NAMES, **columns}
    return gpd.GeoDataFrame(given, geometry=cells, crs=crs)


def write_shapefile(folder, frame, *, name="grid", encoding="UTF-8", without=()):
    path = Path(folder) / f"{name}.shp"
    with warnings.catch_warnings():
        # GDAL tells of names and values that it cuts: that is what some tests are about.
        warnings.simplefilter("ignore")
        frame.to_file(path, encoding=encoding, engine="pyogrio")
    for suffix in without:
        path.with_suffix(suffix).unlink(missing_ok=True)
    return path


def zip_folder(folder, target, names=None):
    with zipfile.ZipFile(target, "w", zipfile.ZIP_DEFLATED) as archive:
        for part in sorted(Path(folder).iterdir()):
            name = (names or {}).get(part.name, part.name)
            archive.writestr(zipfile.ZipInfo(name), part.read_bytes())
    return target


def only_fault(error):
    (fault,) = error.value.faults
    assert error.value.sentence("zh")
    assert error.value.sentence("en")
    return fault


def refuse(path, key, **options):
    with pytest.raises((BadFile, BadSetting)) as error:
        read_geometries(path, **options)
    fault = only_fault(error)
    assert fault.key == key
    return fault


# --- Shapefile ----------------------------------------------------------------------------------


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
    refuse(path, "encoding_unclear_cells")
    refuse(path, "encoding_wrong_cells", encoding="utf-8")
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
    assert refuse(path, "shapefile_part_missing").values == {"parts": missing}


def test_without_prj_degrees_are_taken_with_a_note_and_metres_refused(tmp_path):
    path = write_shapefile(tmp_path, grids(), without=(".prj",))
    reading = read_geometries(path)
    assert [note.key for note in reading.notes] == ["reading.assumed_lonlat"]
    assert reading.crs.label == "EPSG:4326"
    path = write_shapefile(tmp_path, grids().to_crs(4528), name="metres", without=(".prj",))
    assert refuse(path, "crs_missing").values == {"hint": "EPSG:4528"}
    assert read_geometries(path, crs="EPSG:4528").crs.label == "EPSG:4528"
    refuse(path, "crs_misfit", crs="EPSG:4549")


def test_a_prj_without_published_parameters_is_refused(tmp_path):
    path = write_shapefile(tmp_path, grids(crs=4610))
    refuse(path, "crs_needs_parameters")
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
    fault = refuse(path, key)
    assert suffix == fault.values.get("part", suffix)


def test_a_shapefile_without_rows_is_refused(tmp_path):
    refuse(write_shapefile(tmp_path, grids().iloc[:0]), "file_no_rows")


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


# --- GeoPackage ---------------------------------------------------------------------------------


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
    assert refuse(path, "layer_unclear", isolated=isolated).values == {"layers": "网格, 街道"}
    refuse(path, "layer_none", layer="社区", isolated=isolated)
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


def edit(path, *statements, values=()):
    """Change a GeoPackage behind its back, without the triggers that ask for spatial functions."""
    with sqlite3.connect(path) as base:
        triggers = base.execute("SELECT name FROM sqlite_master WHERE type = 'trigger'").fetchall()
        for (name,) in triggers:
            base.execute(f'DROP TRIGGER "{name}"')
        for statement in statements:
            base.execute(statement, values)
    base.close()


TABLES = ("gpkg_contents", "gpkg_geometry_columns")


# --- zip ----------------------------------------------------------------------------------------


@BOTH
def test_names_in_gbk_and_odd_case_do_not_matter(tmp_path, isolated):
    source = tmp_path / "in"
    source.mkdir()
    write_shapefile(source, grids())
    reading = read_geometries(zip_gbk(source, tmp_path / "gbk.zip"), isolated=isolated)
    assert reading.frame["网格名"].tolist() == NAMES


def zip_gbk(source, target):
    """Pack a folder under GBK names without the flag for UTF-8, as Chinese Windows does."""
    parts = sorted(Path(source).iterdir())
    names = [f"网格/单元{part.suffix.upper()}".encode("gbk") for part in parts]
    holders = [f"{number:0{len(name)}d}" for number, name in enumerate(names)]
    zip_folder(source, target, dict(zip((part.name for part in parts), holders, strict=True)))
    raw = target.read_bytes()
    for holder, name in zip(holders, names, strict=True):
        raw = raw.replace(holder.encode(), name)
    target.write_bytes(raw)
    return target


@pytest.mark.parametrize(
    "name",
    [
        "../grid.shp",
        "a/../../grid.shp",
        "/etc/grid.shp",
        "C:\\grid.shp",
        "..\\grid.shp",
        "a\x01.shp",
        f"{'x' * 300}.shp",
    ],
)
def test_names_that_point_elsewhere_are_refused(tmp_path, name):
    source = tmp_path / "in"
    source.mkdir()
    write_shapefile(source, grids())
    refuse(zip_folder(source, tmp_path / "grid.zip", {"grid.shp": name}), "archive_hostile")
    assert not list(tmp_path.glob("*.shp"))


def test_links_in_a_zip_are_refused(tmp_path):
    info = zipfile.ZipInfo("grid.shp")
    info.external_attr = 0o120777 << 16
    with zipfile.ZipFile(tmp_path / "a.zip", "w") as archive:
        archive.writestr(info, "/etc/passwd")
    refuse(tmp_path / "a.zip", "archive_hostile")


@pytest.mark.parametrize("isolated", [False, True])
def test_bombs_are_refused_before_they_are_unpacked(tmp_path, isolated):
    bomb = tmp_path / "bomb.zip"
    with zipfile.ZipFile(bomb, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("grid.shp", bytes(64 << 20))
    start = time.perf_counter()
    refuse(bomb, "archive_bomb", isolated=isolated)
    assert time.perf_counter() - start < 0.5


def test_a_header_that_lies_about_size_is_caught(tmp_path):
    bomb = tmp_path / "bomb.zip"
    with zipfile.ZipFile(bomb, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("grid.geojson", b" " * (64 << 20))
    raw = bytearray(bomb.read_bytes())
    for mark, offset in ((b"PK\x03\x04", 22), (b"PK\x01\x02", 24)):
        struct.pack_into("<I", raw, raw.index(mark) + offset, 1000)
    bomb.write_bytes(raw)
    refuse(bomb, "file_damaged")


@pytest.mark.parametrize("count", [300, 60_000])
def test_too_many_members_are_refused(tmp_path, count):
    with zipfile.ZipFile(tmp_path / "a.zip", "w") as archive:
        for number in range(count):
            archive.writestr(str(number), "")
    refuse(tmp_path / "a.zip", "archive_many", limits=UPLOAD_LIMITS)


def test_locked_nested_empty_and_broken_zips_are_named(tmp_path):
    empty = tmp_path / "empty.zip"
    with zipfile.ZipFile(empty, "w") as archive:
        archive.writestr("readme.txt", "hello")
    refuse(empty, "archive_nothing")
    nested = tmp_path / "nested.zip"
    with zipfile.ZipFile(nested, "w") as archive:
        archive.write(empty, "inner.zip")
    refuse(nested, "archive_nothing")
    broken = tmp_path / "broken.zip"
    broken.write_bytes(empty.read_bytes()[:-30])
    refuse(broken, "file_damaged")
    locked = tmp_path / "locked.zip"
    raw = bytearray(empty.read_bytes())
    raw[raw.index(b"PK\x01\x02") + 8] |= 1
    locked.write_bytes(raw)
    refuse(locked, "archive_locked")
    book = tmp_path / "book.zip"
    with zipfile.ZipFile(book, "w") as archive:
        archive.writestr("[Content_Types].xml", "<x/>")
    refuse(book, "file_workbook")


def test_several_shapefiles_need_a_name(tmp_path):
    source = tmp_path / "in"
    source.mkdir()
    for name in ("grid", "street"):
        write_shapefile(source, grids(), name=name)
    packed = zip_folder(source, tmp_path / "both.zip")
    for path in (source, packed):
        assert refuse(path, "layer_unclear").values == {"layers": "grid, street"}
        assert read_geometries(path, layer="street").rows == 3
        refuse(path, "layer_none", layer="nothing")


# --- hostile content ----------------------------------------------------------------------------


@pytest.fixture
def listener():
    """Listen on the loopback and count who calls: nobody may."""
    calls = []
    server = socket.create_server(("127.0.0.1", 0))

    def accept():
        while True:
            try:
                calls.append(server.accept()[1])
            except OSError:
                return

    thread = threading.Thread(target=accept, daemon=True)
    thread.start()
    yield server.getsockname()[1], calls
    server.close()
    assert calls == []


def make_vrt(target):
    """Return a file that asks GDAL to read another one instead."""
    source = f"<SrcDataSource>{target}</SrcDataSource>"
    return f'<OGRVRTDataSource><OGRVRTLayer name="s">{source}</OGRVRTLayer></OGRVRTDataSource>'


def make_pipeline(target):
    """Return a file that asks GDAL to run a command."""
    command = f"gdal vector pipeline ! read {target}"
    return json.dumps({"type": "gdal_streamed_alg", "command_line": command})


@BOTH
@pytest.mark.parametrize("name", ["a.geojson", "a.shp", "a.gpkg", "a.json", "a.zip"])
@pytest.mark.parametrize("make", [make_vrt, make_pipeline])
def test_tricks_of_gdal_open_nothing(tmp_path, listener, isolated, name, make):
    secret = tmp_path / "secret.csv"
    secret.write_text("code,WKT\nsecret,POINT (1 1)\n")
    port, _ = listener
    for target in (str(secret), f"/vsicurl/http://127.0.0.1:{port}/a.geojson"):
        path = tmp_path / name
        content = make(target)
        if name == "a.zip":
            with zipfile.ZipFile(path, "w") as archive:
                archive.writestr("a.geojson", content)
        else:
            path.write_text(content)
        with pytest.raises(BadFile) as error:
            read_geometries(path, isolated=isolated)
        assert "secret,POINT" not in error.value.sentence("zh")


@BOTH
def test_a_database_that_points_elsewhere_opens_nothing(tmp_path, isolated):
    secret = tmp_path / "secret.csv"
    secret.write_text("code\nsecret\n")
    path = tmp_path / "a.gpkg"
    with sqlite3.connect(path) as base:
        base.execute("PRAGMA writable_schema=ON")
        statement = f"CREATE VIRTUAL TABLE t USING VirtualOGR('{secret}')"
        base.execute("INSERT INTO sqlite_master VALUES ('table', 't', 't', 0, ?)", (statement,))
    refuse(path, "format_not_geopackage", isolated=isolated)
    # The same with the mark of a GeoPackage: then GDAL does open it, and must find nothing.
    with sqlite3.connect(path) as base:
        base.execute("PRAGMA writable_schema=ON")
        base.execute(f"PRAGMA application_id={int.from_bytes(b'GPKG')}")
    with pytest.raises((BadFile, BadSetting)) as error:
        read_geometries(path, isolated=isolated)
    assert only_fault(error).key in {"file_unreadable", "file_no_rows"}


def test_a_prj_that_names_a_file_is_refused(tmp_path):
    path = write_shapefile(tmp_path, grids())
    path.with_suffix(".prj").write_text("+proj=longlat +nadgrids=/etc/passwd")
    with pytest.raises(BadFile):
        read_geometries(path)


# --- limits of the child ------------------------------------------------------------------------


@pytest.fixture(scope="module")
def big_shapefile(tmp_path_factory):
    points = 400_000
    frame = gpd.GeoDataFrame(
        {"code": np.arange(points)}, geometry=shapely.points(np.full((points, 2), 30.0)), crs=4490
    )
    return write_shapefile(tmp_path_factory.mktemp("big"), frame)


@pytest.mark.parametrize(
    ("limits", "key"),
    [
        (Limits(memory_bytes=230 << 20), "child_memory"),
        (Limits(result_bytes=1 << 20), "file_too_large"),
        (Limits(wall_s=0), "child_slow"),
        (Limits(file_bytes=1 << 20), "file_too_large"),
    ],
)
def test_a_child_that_needs_too_much_is_stopped(big_shapefile, limits, key):
    start = time.perf_counter()
    refuse(big_shapefile, key, isolated=True, limits=limits)
    assert time.perf_counter() - start < 30


def test_a_query_without_end_is_stopped(tmp_path):
    path = tmp_path / "grid.gpkg"
    grids().to_file(path, layer="g", engine="pyogrio")
    endless = "WITH RECURSIVE c(x) AS (SELECT 1 UNION ALL SELECT x + 1 FROM c)"
    edit(
        path,
        f"CREATE VIEW v AS {endless} SELECT x AS fid, '' AS code, NULL AS geom FROM c WHERE x < 0",
        *(f"UPDATE {table} SET table_name = 'v'" for table in TABLES),
    )
    refuse(path, "child_slow", isolated=True, limits=Limits(cpu_s=2))


def test_an_answer_that_is_cut_short_is_never_believed():
    layer = RawLayer(
        driver="GPKG",
        crs_text=None,
        names=["a"],
        columns=[["x", None]],
        dropped=[],
        wkb=[b"1", None],
    )
    out = io.BytesIO()
    write_layer(layer, out)
    whole = out.getvalue()
    assert unpack_layer(whole) == layer
    for size in range(len(whole)):
        with pytest.raises((ValueError, KeyError)):
            unpack_layer(whole[:size])


def test_what_both_ways_read_is_the_same(tmp_path):
    path = write_shapefile(tmp_path, grids(n=[1.5, None, 7]), encoding="GB18030")
    here, child = (read_geometries(path, isolated=isolated) for isolated in (False, True))
    assert here.frame.equals(child.frame)
    assert (here.encoding, here.crs, here.notes) == (child.encoding, child.crs, child.notes)
