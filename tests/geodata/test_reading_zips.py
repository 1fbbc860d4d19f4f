"""Promise: a zip is read whole or refused by name, and nothing else is ever opened."""

import json
import socket
import sqlite3
import struct
import threading
import time
import zipfile
from pathlib import Path

import pytest

from geodata.errors import BadFile, BadSetting
from geodata.reading import read_geometries
from geodata.reading.archives import UPLOAD_LIMITS
from tests.geodata.office_files import (
    BOTH,
    NAMES,
    grids,
    only_fault,
    refuse,
    write_shapefile,
    zip_folder,
)


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
    packed = zip_folder(source, tmp_path / "grid.zip", {"grid.shp": name})
    assert refuse(packed).key == "archive_hostile"
    assert not list(tmp_path.glob("*.shp"))


def test_links_in_a_zip_are_refused(tmp_path):
    info = zipfile.ZipInfo("grid.shp")
    info.external_attr = 0o120777 << 16
    with zipfile.ZipFile(tmp_path / "a.zip", "w") as archive:
        archive.writestr(info, "/etc/passwd")
    assert refuse(tmp_path / "a.zip").key == "archive_hostile"


@pytest.mark.parametrize("isolated", [False, True])
def test_bombs_are_refused_before_they_are_unpacked(tmp_path, isolated):
    bomb = tmp_path / "bomb.zip"
    with zipfile.ZipFile(bomb, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("grid.shp", bytes(64 << 20))
    start = time.perf_counter()
    assert refuse(bomb, isolated=isolated).key == "archive_bomb"
    assert time.perf_counter() - start < 0.5


def test_a_header_that_lies_about_size_is_caught(tmp_path):
    bomb = tmp_path / "bomb.zip"
    with zipfile.ZipFile(bomb, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("grid.geojson", b" " * (64 << 20))
    raw = bytearray(bomb.read_bytes())
    for mark, offset in ((b"PK\x03\x04", 22), (b"PK\x01\x02", 24)):
        struct.pack_into("<I", raw, raw.index(mark) + offset, 1000)
    bomb.write_bytes(raw)
    assert refuse(bomb).key == "file_damaged"


@pytest.mark.parametrize("count", [300, 60_000])
def test_too_many_members_are_refused(tmp_path, count):
    with zipfile.ZipFile(tmp_path / "a.zip", "w") as archive:
        for number in range(count):
            archive.writestr(str(number), "")
    assert refuse(tmp_path / "a.zip", limits=UPLOAD_LIMITS).key == "archive_many"


def test_locked_nested_empty_and_broken_zips_are_named(tmp_path):
    empty = tmp_path / "empty.zip"
    with zipfile.ZipFile(empty, "w") as archive:
        archive.writestr("readme.txt", "hello")
    assert refuse(empty).key == "archive_nothing"
    nested = tmp_path / "nested.zip"
    with zipfile.ZipFile(nested, "w") as archive:
        archive.write(empty, "inner.zip")
    fault = refuse(nested)
    assert (fault.key, fault.values["names"]) == ("archive_nested", ("inner.zip",))
    broken = tmp_path / "broken.zip"
    broken.write_bytes(empty.read_bytes()[:-30])
    assert refuse(broken).key == "file_damaged"
    locked = tmp_path / "locked.zip"
    raw = bytearray(empty.read_bytes())
    raw[raw.index(b"PK\x01\x02") + 8] |= 1
    locked.write_bytes(raw)
    assert refuse(locked).key == "archive_locked"
    book = tmp_path / "book.zip"
    with zipfile.ZipFile(book, "w") as archive:
        archive.writestr("[Content_Types].xml", "<x/>")
    assert refuse(book).key == "file_workbook"


def test_several_shapefiles_need_a_name(tmp_path):
    source = tmp_path / "in"
    source.mkdir()
    for name in ("grid", "street"):
        write_shapefile(source, grids(), name=name)
    packed = zip_folder(source, tmp_path / "both.zip")
    for path in (source, packed):
        fault = refuse(path)
        assert (fault.key, fault.values) == ("layer_unclear", {"layers": "grid, street"})
        assert read_geometries(path, layer="street").rows == 3
        assert refuse(path, layer="nothing").key == "layer_none"


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
    assert refuse(path, isolated=isolated).key == "format_not_geopackage"
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
