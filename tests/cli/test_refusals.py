"""Promise: whatever is handed in, a sentence names file, place and remedy; nothing is half done."""

from __future__ import annotations

import json
import os
import re
import shutil
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import geopandas
import pytest

from geodata.city import open_city
from geodata.store.dump import canonical_dump
from tests.city import (
    INCIDENT_COLUMNS,
    SOUTH_M,
    WEST_M,
    grid_features,
    incident_rows,
    make_tiny_city,
    middle,
    square,
    write_grids,
    write_shapes,
    write_table,
)
from tests.cli.processes import Nursery

FEWEST_WORDS = {"zh": 3, "en": 8}  # of characters: a sentence, no code
HAN = re.compile("[\u4e00-\u9fff]")
SHORT = ("incident_id", "reported_at", "kind", "lon", "lat")
NOBODY = 65_534


@dataclass(frozen=True)
class World:
    """A folder with a city and good files, and how all of it looked at first."""

    folder: Path

    def state(self) -> tuple[object, ...]:
        city = open_city(self.folder / "city")
        with city.database.read() as connection:
            dump = canonical_dump(connection)
            drawings = connection.execute("SELECT count(*) FROM drawing").fetchone()[0]
            records = connection.execute("SELECT count(*) FROM record").fetchone()[0]
        return dump, drawings, records, city.database.revision()

    def stray(self) -> list[str]:
        """Files that only a run which stopped half way would leave."""
        return [
            path.name
            for path in self.folder.rglob("*")
            if path.name.endswith((".part", ".tmp")) or path.name.startswith(".")
        ]


@pytest.fixture(scope="module")
def world(tmp_path_factory) -> World:
    folder = tmp_path_factory.mktemp("refusals")
    make_tiny_city(folder / "city")
    write_grids(folder / "grids.geojson")
    write_table(folder / "cases.csv", INCIDENT_COLUMNS, incident_rows())
    return World(folder)


def geojson(*features: tuple[object, dict]) -> str:
    items = [
        {"type": "Feature", "properties": properties, "geometry": geometry}
        for geometry, properties in features
    ]
    return json.dumps({"type": "FeatureCollection", "features": items})


def ring(*corners: tuple[float, float]) -> dict:
    return {"type": "Polygon", "coordinates": [[list(corner) for corner in corners]]}


SQUARE = ring((120, 32.5), (120.01, 32.5), (120.01, 32.51), (120, 32.51), (120, 32.5))
FLAT = ring((120, 32.5), (120.01, 32.5), (120.02, 32.5), (120, 32.5))
OPEN = ring((120, 32.5), (120.01, 32.5))
HERE = middle(0, 0)
METRES = (WEST_M, SOUTH_M)
ROW = ["1", "2026-05-01", "x", *HERE]
PHONES = ("13800138000", "18670091234", "15952221907", "13390110203", "17761827364")


def write(name: str, content: str | bytes) -> Callable[[Path], Path]:
    def make(folder: Path) -> Path:
        file = folder / name
        file.write_bytes(content.encode() if isinstance(content, str) else content)
        return file

    return make


def table(name: str, columns: tuple[str, ...], *rows: list) -> Callable[[Path], Path]:
    return lambda folder: write_table(folder / name, columns, rows)


def shapefile(*, without: str) -> Callable[[Path], Path]:
    def make(folder: Path) -> Path:
        file = folder / f"no{without}" / "grids.shp"
        shutil.rmtree(file.parent, ignore_errors=True)
        file.parent.mkdir()
        shapes = geopandas.GeoDataFrame(
            {"code": ["A", "B"]}, geometry=[square(0, 0), square(1, 0)], crs="EPSG:4549"
        )
        shapes.to_file(file)
        file.with_suffix(f".{without}").unlink()
        return file

    return make


def overlapping(folder: Path) -> Path:
    return write_shapes(
        folder / "over.geojson", [(square(0, 0), {"code": "A"}), (square(0.5, 0), {"code": "B"})]
    )


def empty_folder(folder: Path) -> Path:
    made = folder / "nothing"
    made.mkdir(exist_ok=True)
    return made


@dataclass(frozen=True)
class Bad:
    """One bad input: how it is made, which load it is handed to, what the answer must say."""

    make: Callable[[Path], Path]
    kind: str
    zh: str
    en: str
    place: str = ""  # row or column that must be named
    options: tuple[str, ...] = ()
    code: int = 1


BAD = {
    "empty table": Bad(write("empty.csv", ""), "incidents", "空", "empty"),
    "empty boundary": Bad(write("empty.geojson", ""), "grids", "空", "empty"),
    "header alone": Bad(table("head.csv", SHORT), "incidents", "没有任何数据行", "no row"),
    "no such file": Bad(lambda folder: folder / "gone.csv", "incidents", "找不到", "no such file"),
    "a folder for a table": Bad(lambda folder: folder / "city", "incidents", "文件夹", "folder"),
    "a folder for grids": Bad(empty_folder, "grids", "里面没有", "inside"),
    "wrong extension": Bad(
        write("cases.shp", "incident_id,reported_at\n1,2026-05-01\n"), "grids", "表格", "table"
    ),
    "a picture": Bad(
        write("map.geojson", b"\x89PNG\r\n\x1a\n" + bytes(99)), "grids", "图片", "picture"
    ),
    "a picture for a table": Bad(
        write("cases.png.csv", b"\xff\xd8\xff\xe0" + bytes(99)), "incidents", "图片", "picture"
    ),
    "a paper for a table": Bad(write("cases.csv.pdf", b"%PDF-1.7\n"), "incidents", "PDF", "PDF"),
    "a table without header": Bad(
        table("bare.csv", ("A1", "2026-05-01 08:00", "x", *map(str, HERE)), ROW),
        "incidents",
        "没有列名",
        "no names",
    ),
    "degrees declared as metres": Bad(
        table("deg.csv", SHORT, ROW),
        "incidents",
        "数字却是经纬度",
        "are degrees",
        options=("--crs", "EPSG:4549"),
    ),
    "a broken workbook": Bad(
        write("cases.csv.xlsx", b"PK\x03\x04" + bytes(99)), "incidents", "损坏", "damaged"
    ),
    "broken JSON": Bad(
        write("broken.geojson", '{"type": "FeatureCollection",\n "features": [{'),
        "grids",
        "第 2 行",
        "line 2",
    ),
    "JSON of another kind": Bad(
        write("other.geojson", '{"a": 1}'), "grids", "不是 GeoJSON", "no GeoJSON"
    ),
    "missing .shx": Bad(shapefile(without="shx"), "grids", ".shx", ".shx"),
    "missing .dbf": Bad(shapefile(without="dbf"), "grids", ".dbf", ".dbf"),
    "unclosed ring": Bad(
        write("open.geojson", geojson((OPEN, {"code": "A"}))),
        "grids",
        "点太少",
        "too few points",
        "1",
    ),
    "degenerate polygons": Bad(
        write("flat.geojson", geojson((FLAT, {"code": "A"}), (FLAT, {"code": "B"}))),
        "grids",
        "没有面积",
        "no area",
        "1",
    ),
    "points for grids": Bad(
        write(
            "points.geojson", geojson(({"type": "Point", "coordinates": [120, 32]}, {"code": "A"}))
        ),
        "grids",
        "面图形",
        "polygon",
    ),
    "duplicate codes": Bad(
        write("twice.geojson", geojson((SQUARE, {"code": "A1"}), (SQUARE, {"code": "A1"}))),
        "grids",
        "编码 A1",
        "Code A1",
        "2",
    ),
    "no codes": Bad(
        write("nocode.geojson", geojson((SQUARE, {"foo": "x"}))),
        "grids",
        "--map code=",
        "--map code=",
    ),
    "a code of 19 digits as a number": Bad(
        write("long.geojson", geojson((SQUARE, {"code": 3210120010010010011}))),
        "grids",
        "超过 15 位",
        "more than 15 digits",
        "code",
    ),
    "an id of 19 digits as Excel writes it": Bad(
        table("long.csv", SHORT, ["3.21012E+18", "2026-05-01", "x", *HERE]),
        "incidents",
        "超过 15 位",
        "more than 15 digits",
        "incident_id",
    ),
    "overlapping grids": Bad(overlapping, "grids", "A、B 重叠", "A, B overlap"),
    "points at (0, 0)": Bad(
        table("zero.csv", SHORT, ["1", "2026-05-01", "x", 0, 0]),
        "incidents",
        "(0, 0)",
        "(0, 0)",
        "1",
    ),
    "a date of 2099": Bad(
        table("late.csv", SHORT, ["1", "2099-01-01", "x", *HERE]),
        "incidents",
        "未来",
        "future",
        "reported_at",
    ),
    "a column of mobile numbers": Bad(
        table(
            "phones.csv",
            (*SHORT, "f7"),
            *([str(n), "2026-05-01", "x", *HERE, phone] for n, phone in enumerate(PHONES)),
        ),
        "incidents",
        "个人信息",
        "personal data",
        "f7",
        ("--strict",),
    ),
    "no time column": Bad(
        table("when.csv", ("id", "wann", "lon", "lat"), ["1", "2026-05-01", *HERE]),
        "incidents",
        "wann",
        "wann",
        "reported_at",
    ),
    "no place columns": Bad(
        table("where.csv", ("incident_id", "reported_at"), ["1", "2026-05-01"]),
        "incidents",
        "--map lon=",
        "--map lon=",
    ),
    "places without kind": Bad(
        table("places.csv", ("id", "lon", "lat"), ["1", *HERE]),
        "places",
        "--map kind=",
        "--map kind=",
    ),
    "neither UTF-8 nor GB18030": Bad(
        write("mojibake.csv", b"incident_id,reported_at,lon,lat\n1,\xff\xfe\x81,120,32\n" * 3),
        "incidents",
        "--encoding",
        "--encoding",
    ),
    "an encoding that is none": Bad(
        table("e.csv", SHORT, ROW),
        "incidents",
        "nope",
        "nope",
        options=("--encoding", "nope"),
        code=2,
    ),
    "swapped longitude and latitude": Bad(
        table(
            "swap.csv", SHORT, *([str(n), "2026-05-01", "x", HERE[1], HERE[0]] for n in range(5))
        ),
        "incidents",
        "写反",
        "swapped",
    ),
    "metres without a system": Bad(
        table("m.csv", ("incident_id", "reported_at", "x", "y"), ["1", "2026-05-01", *METRES]),
        "incidents",
        "--crs",
        "--crs",
    ),
    "a system that needs parameters": Bad(
        table("x.csv", SHORT, ROW),
        "incidents",
        "TOWGS84",
        "TOWGS84",
        options=("--crs", "EPSG:4610"),
        code=2,
    ),
    "an unknown kind": Bad(table("k.csv", SHORT, ROW), "kittens", "kittens", "kittens", code=2),
    "a table for a kind of shapes": Bad(
        table("d.csv", SHORT, ROW), "blocks", "要有线或面", "lines or areas"
    ),
    "a --map without sense": Bad(
        table("n.csv", SHORT, ROW),
        "incidents",
        "字段=列名",
        "FIELD=COLUMN",
        options=("--map", "nonsense"),
        code=2,
    ),
    "a --map to nowhere": Bad(
        table("w.csv", SHORT, ROW),
        "incidents",
        "incident_id",
        "incident_id",
        options=("--map", "kind=nowhere"),
        code=2,
    ),
    "a base map layer of no name": Bad(
        write("maps.geojson", geojson((SQUARE, {}))), "basemap", "roads", "roads", code=2
    ),
    "a packed file cut short": Bad(
        write("cases.csv.gz", b"\x1f\x8b\x08\x00" + bytes(20)), "incidents", "压缩", "packed"
    ),
    "a quotation mark that never closes": Bad(
        write("quote.csv", "incident_id,reported_at,lon,lat\n" + '1,"2026-05-01,120,32\n' * 3),
        "incidents",
        "引号",
        "quotation mark",
    ),
}


@pytest.mark.parametrize("name", BAD)
def test_a_bad_input_is_refused_in_words_and_leaves_nothing(nursery, world, name):
    bad = BAD[name]
    file = bad.make(world.folder)
    before = world.state()
    argv = ["load", bad.kind, file, "--city", world.folder / "city", *bad.options]
    for lang in ("zh", "en"):
        run = nursery.run(*argv, "--lang", lang)
        assert run.code == bad.code, run.said
        assert "Traceback" not in run.said
        assert getattr(bad, lang) in run.err, run.err
        if bad.code == 1:
            assert file.name in run.err
        if bad.place:
            assert re.search(rf"\b{bad.place}\b", run.err), run.err
        plain = nursery.run(*argv, "--lang", lang, "--json").plain
        for fault in plain["faults"]:
            assert {"row", "field", "cause", "remedy"} <= set(fault)
            assert len(fault["cause"]) > FEWEST_WORDS[lang]
            assert len(fault["remedy"]) > FEWEST_WORDS[lang]
            assert fault["remedy"] != fault["cause"]
            assert bool(HAN.search(fault["remedy"])) or lang == "en"
        if bad.place and bad.code == 1:
            told = [(str(one["row"]), one["field"], one["cause"]) for one in plain["faults"]]
            assert any(bad.place in (row, field) or bad.place in why for row, field, why in told)
    assert world.state() == before
    assert world.stray() == []


@pytest.mark.parametrize(
    "name", [name for name, bad in BAD.items() if bad.kind == "grids" and not bad.options]
)
def test_check_and_own_refuse_a_bad_boundary_file_as_plainly(nursery, world, name):
    file = BAD[name].make(world.folder)
    out = world.folder / "owned.csv"
    for argv in (
        ["check", file],
        ["own", "--grids", file, "--points", world.folder / "cases.csv", "--out", out],
    ):
        run = nursery.run(*argv, "--lang", "zh")
        assert "Traceback" not in run.said
        if run.code == 0:  # own needs no exact tiling, check no codes
            out.unlink(missing_ok=True)
            continue
        assert run.code == 1
        assert file.name in run.said
        assert not out.exists()
    assert world.stray() == []


def test_own_refuses_bad_points_as_plainly(nursery, world):
    out = world.folder / "owned.csv"
    for name, bad in BAD.items():
        if bad.kind != "incidents" or "column" in name or bad.options:
            continue
        argv = ["own", "--grids", "grids.geojson", "--points", bad.make(world.folder), "--out", out]
        run = nursery.run(*argv, cwd=world.folder)
        assert "Traceback" not in run.said, name
        assert run.code in (0, 1), name
        assert out.exists() == (run.code == 0), name
        out.unlink(missing_ok=True)
    assert world.stray() == []


# --- cities that are not there, or not right -----------------------------------------------------


@pytest.mark.parametrize("lang", ["zh", "en"])
@pytest.mark.parametrize(
    "argv", [["info"], ["rebuild"], ["check"], ["load", "incidents", "cases.csv"], ["serve"]]
)
def test_a_missing_city_is_named_with_what_to_do(nursery, world, argv, lang):
    run = nursery.run(*argv, "--city", "nowhere", "--lang", lang, cwd=world.folder)
    assert run.code == 1
    assert "nowhere" in run.err
    assert "app.py init" in run.err
    assert not (world.folder / "nowhere").exists()


def test_a_city_whose_store_is_damaged_is_refused_in_words(nursery, tmp_path):
    make_tiny_city(tmp_path / "city")
    for file in (tmp_path / "city").glob("getu.sqlite*"):
        file.unlink()
    (tmp_path / "city" / "getu.sqlite").write_bytes(b"SQLite format 3\0" + b"\x07" * 5_000)
    for argv in (["info"], ["rebuild"], ["load", "incidents", tmp_path / "x.csv"]):
        run = nursery.run(*argv, "--city", tmp_path / "city", "--lang", "zh")
        assert run.code == 1
        assert "Traceback" not in run.said
        assert "数据库" in run.err
        assert "备份" in run.err


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("near_m = 'far'", "near_m"),
        ("neer_m = 20", "near_m"),  # did you mean
        ("near_m = -1", "near_m"),
        ("timezone = 'Mars/Base'", "timezone"),
        ("name_zh = ", "TOML"),
    ],
)
def test_a_wrong_setting_is_named(nursery, tmp_path, text, said):
    make_tiny_city(tmp_path / "city")
    (tmp_path / "city" / "city.toml").write_text(text, "utf-8")
    run = nursery.run("info", "--city", tmp_path / "city")
    assert run.code == 2
    assert "city.toml" in run.err
    assert said in run.err


def test_a_folder_that_cannot_be_made_is_named(nursery, tmp_path):
    (tmp_path / "file").write_text("x", "utf-8")
    for folder in ("file", "file/city"):
        run = nursery.run("init", tmp_path / folder)
        assert run.code in (1, 2)
        assert "Traceback" not in run.said
        assert "file" in run.err


# --- permissions ---------------------------------------------------------------------------------


@pytest.fixture
def shut(tmp_path: Path) -> Iterator[Path]:
    """A folder whose files another user may see, but not write; one of them not even read."""
    for folder in (tmp_path, tmp_path.parent, tmp_path.parent.parent):
        folder.chmod(0o755)
    make_tiny_city(tmp_path / "city")
    write_table(tmp_path / "cases.csv", INCIDENT_COLUMNS, incident_rows(5))
    secret = write_table(tmp_path / "secret.csv", INCIDENT_COLUMNS, incident_rows(5))
    secret.chmod(0)
    write_shapes(tmp_path / "grids.geojson", grid_features())
    yield tmp_path
    secret.chmod(0o600)


def user() -> int | None:
    """Root may do everything: as root, the program runs as nobody."""
    return NOBODY if os.geteuid() == 0 else None


def test_a_file_that_may_not_be_read_is_named(nursery: Nursery, shut):
    argv = ["own", "--grids", "grids.geojson", "--points", "secret.csv", "--out", "/tmp/never.csv"]
    run = nursery.run(*argv, "--lang", "zh", cwd=shut, user=user())
    assert run.code == 1, run.said
    assert "Traceback" not in run.said
    assert "secret.csv" in run.err
    assert "权限" in run.err


def test_a_folder_that_may_not_be_written_is_named(nursery: Nursery, shut):
    shut.chmod(0o555)
    argv = ["own", "--grids", "grids.geojson", "--points", "cases.csv", "--out", "owned.csv"]
    run = nursery.run(*argv, "--lang", "zh", cwd=shut, user=user())
    shut.chmod(0o755)
    assert run.code == 1, run.said
    assert "Traceback" not in run.said
    assert "权限" in run.err
    run = nursery.run(
        "load", "incidents", "cases.csv", "--city", "city", "--lang", "zh", cwd=shut, user=user()
    )
    assert run.code == 1
    assert "Traceback" not in run.said
    assert "权限" in run.err
