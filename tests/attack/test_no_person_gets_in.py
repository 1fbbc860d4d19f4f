"""
Promise: twenty kinds of personal data are absent from the city's folder and all that it says.

By header in Chinese, English, pinyin and short, and by content, in every format that is read and
through POST /api/events: not a byte in the store, its log, the snapshot, exports or any sentence.
"""

from __future__ import annotations

import csv
import gzip
import json
from collections.abc import Callable, Sequence
from pathlib import Path
from xml.sax.saxutils import escape, quoteattr

import geopandas
import pandas
import pytest
import xlsxwriter

from geodata.errors import GetuError
from geodata.reading import read_geometries, read_table
from geodata.reading.personal import find_personal
from tests.attack.archives import zip_of
from tests.attack.persons import KINDS, NAMES, Personal
from tests.city import EPSG, load, make_gridded_city, middle, square, write_shapes, write_table

BASE = ("incident_id", "reported_at", "kind", "lon", "lat")
ROWS = 6


def planted() -> list[tuple[str, Sequence[str]]]:
    """Columns that must not get in: each kind by each header, and by content where that tells."""
    columns: list[tuple[str, Sequence[str]]] = []
    for number, personal in enumerate(KINDS):
        columns += [(header, personal.cells) for header in personal.headers]
        if personal.alone or personal.beside:
            columns.append((f"f{number}", personal.cells))
    return columns


def in_rounds(width: int) -> list[list[tuple[str, Sequence[str]]]]:
    """Columns in files of few each, as Shapefiles with their short names need them."""
    columns = planted()
    return [columns[at : at + width] for at in range(0, len(columns), width)]


def traces_of(folder: Path, texts: Sequence[str]) -> list[str]:
    raw = b"".join(path.read_bytes() for path in folder.rglob("*") if path.is_file())
    return [text for text in texts if text.encode() in raw or text.encode("utf-16-le") in raw]


def rows_with(columns: Sequence[tuple[str, Sequence[str]]]) -> list[list[object]]:
    return [
        [f"Q{n}", "2026-05-01 08:00", "积水", *middle(n % 3, n % 2), *(c[n] for _, c in columns)]
        for n in range(ROWS)
    ]


@pytest.mark.parametrize("personal", KINDS, ids=lambda one: one.kind)
def test_each_kind_is_known_by_every_header_and_by_content(personal: Personal):
    for header in personal.headers:
        frame = pandas.DataFrame({"编号": list("123456"), header: personal.cells}, dtype="str")
        found, _ = find_personal(frame)
        assert [one.column for one in found] == [header]
    for alone, columns in (
        (personal.alone, {"f7": personal.cells}),
        (personal.alone or personal.beside, {"联系人": NAMES, "f7": personal.cells}),
    ):
        found, _ = find_personal(pandas.DataFrame(columns, dtype="str"))
        assert ("f7" in [one.column for one in found]) == alone or not alone


def as_workbook(file: Path) -> Path:
    """Write a table of text as a workbook."""
    made = file.with_suffix(".xlsx")
    with xlsxwriter.Workbook(made) as book:
        sheet = book.add_worksheet()
        for row, cells in enumerate(csv.reader(file.read_text("utf-8").splitlines())):
            for column, cell in enumerate(cells):
                sheet.write_string(row, column, cell)
    return made


WRITERS: dict[str, Callable[[Path], Path]] = {
    "csv": lambda file: file,
    "csv in GB18030": lambda file: rewritten(
        file, "gb18030.csv", lambda raw: raw.decode().encode("gb18030")
    ),
    "csv packed": lambda file: rewritten(file, "packed.csv.gz", gzip.compress),
    "tab-separated": lambda file: rewritten(file, "tabs.tsv", lambda raw: raw.replace(b",", b"\t")),
    "workbook": as_workbook,
}


def rewritten(file: Path, name: str, change: Callable[[bytes], bytes]) -> Path:
    made = file.with_name(name)
    made.write_bytes(change(file.read_bytes()))
    return made


@pytest.mark.parametrize("format_name", WRITERS)
def test_tables_leave_nothing_of_it_in_the_folder_or_the_report(tmp_path, format_name):
    city = make_gridded_city(tmp_path / "city")
    columns = [("联系人", NAMES), *planted()]
    header = (*BASE, *(name for name, _ in columns))
    file = write_table(tmp_path / "cases.csv", header, rows_with(columns))
    reports, errors = load(city, "incidents", WRITERS[format_name](file))
    assert errors == []
    assert reports[0].accepted == ROWS
    said = "\n".join(
        [*reports[0].lines("zh"), *reports[0].lines("en"), repr(reports[0].as_json("zh"))]
    )
    texts = [text for _, cells in columns for text in cells]
    assert [text for text in texts if text in said] == []
    assert traces_of(city.folder, texts) == []


def layer_of(about: dict[str, list[str]]) -> geopandas.GeoDataFrame:
    return geopandas.GeoDataFrame(
        {"code": [f"A{n}" for n in range(ROWS)], **about},
        geometry=[square(n, 0) for n in range(ROWS)],
        crs=f"EPSG:{EPSG}",
    )


def write_shapefile(path: Path, about: dict[str, list[str]]) -> Path:
    # ten bytes a name: three signs
    short = {name: cells for name, cells in about.items() if len(name.encode()) <= 10}
    path.mkdir()
    layer_of(short).to_file(path / "grids.shp", encoding="UTF-8")
    file = path.with_suffix(".zip")
    file.write_bytes(zip_of({one.name: one.read_bytes() for one in path.iterdir()}))
    return file


def write_geopackage(path: Path, about: dict[str, list[str]]) -> Path:
    file = path.with_suffix(".gpkg")
    layer_of(about).to_file(file, driver="GPKG", layer="grids")
    return file


def write_flatgeobuf(path: Path, about: dict[str, list[str]]) -> Path:
    file = path.with_suffix(".fgb")
    layer_of(about).to_file(file, driver="FlatGeobuf")
    return file


def write_geoparquet(path: Path, about: dict[str, list[str]]) -> Path:
    file = path.with_suffix(".parquet")
    layer_of(about).to_parquet(file)
    return file


def write_kml(path: Path, about: dict[str, list[str]]) -> Path:
    file = path.with_suffix(".kml")
    marks = []
    for n in range(ROWS):
        cells = {"code": f"A{n}", **{name: values[n] for name, values in about.items()}}
        data = "".join(
            f"<Data name={quoteattr(name)}><value>{escape(cell)}</value></Data>"
            for name, cell in cells.items()
        )
        lon = 120 + n / 100
        ring = f"{lon},32 {lon + 0.005},32 {lon},32.01 {lon},32"
        marks.append(
            f"<Placemark><ExtendedData>{data}</ExtendedData><Polygon><outerBoundaryIs><LinearRing>"
            f"<coordinates>{ring}</coordinates></LinearRing></outerBoundaryIs></Polygon></Placemark>"
        )
    file.write_text(f"<kml><Document>{''.join(marks)}</Document></kml>", "utf-8")
    return file


def write_topojson(path: Path, about: dict[str, list[str]]) -> Path:
    file = path.with_suffix(".topojson")
    arcs = [
        [[120 + n / 100, 32], [120.005 + n / 100, 32], [120 + n / 100, 32.01], [120 + n / 100, 32]]
        for n in range(ROWS)
    ]
    shapes = [
        {
            "type": "Polygon",
            "arcs": [[n]],
            "properties": {"code": f"A{n}", **{name: cells[n] for name, cells in about.items()}},
        }
        for n in range(ROWS)
    ]
    tree = {
        "type": "Topology",
        "arcs": arcs,
        "objects": {"grids": {"type": "GeometryCollection", "geometries": shapes}},
    }
    file.write_text(json.dumps(tree, ensure_ascii=False), "utf-8")
    return file


LAYERS: dict[str, Callable[[Path, dict[str, list[str]]], Path]] = {
    "gpkg": write_geopackage,
    "flatgeobuf": write_flatgeobuf,
    "geoparquet": write_geoparquet,
    "kml": write_kml,
    "topojson": write_topojson,
}


@pytest.mark.parametrize("format_name", ["geojson", "zip of a Shapefile", *LAYERS])
def test_boundaries_leave_nothing_of_it_in_the_reading(tmp_path, format_name):
    for number, kinds in enumerate(in_rounds(12)):
        columns = [("联系人", NAMES), *kinds]
        about = {name: list(cells) for name, cells in columns}
        path = tmp_path / f"{number}"
        if format_name == "geojson":
            rows = [{"code": f"A{n}", **{k: v[n] for k, v in about.items()}} for n in range(ROWS)]
            file = write_shapes(
                path.with_suffix(".geojson"), [(square(n, 0), row) for n, row in enumerate(rows)]
            )
        else:
            write = LAYERS.get(format_name, write_shapefile)
            file = write(path, about)
        reading = read_geometries(file)
        texts = {text for cells in about.values() for text in cells}
        left = {column for column in reading.frame if texts & set(map(str, reading.frame[column]))}
        assert left == set(), left
        said = " ".join(note.sentence(lang) for note in reading.notes for lang in ("zh", "en"))
        assert not [text for text in texts if text in said]


def test_real_files_lose_no_column(shared_data):
    lost = {}
    for file in sorted(shared_data.rglob("*")):
        if file.suffix not in {".csv", ".gz", ".geojson", ".shp"}:
            continue
        read = read_table if file.suffix in {".csv", ".gz"} else read_geometries
        try:
            reading = read(file)
        except GetuError:
            continue
        if reading.dropped_columns:
            lost[file.name] = reading.dropped_columns
    assert lost == {}
