"""Promise: incidents load from whatever format they come in, or a sentence says why not."""

from __future__ import annotations

import json
import zipfile
from pathlib import Path

import geopandas as gpd
import pyogrio
import pytest
import shapely

from geodata.city import City
from geodata.errors import BadFile, BadSetting
from tests.city import (
    INCIDENT_COLUMNS,
    NOW,
    grid_code,
    incident_rows,
    load_one,
    make_gridded_city,
    middle,
    write_table,
)

PLACES = [(0, 0), (1, 1), (2, 2)]


@pytest.fixture
def city(tmp_path: Path) -> City:
    return make_gridded_city(tmp_path / "city")


def frame() -> gpd.GeoDataFrame:
    points = [shapely.Point(*middle(column, row)) for column, row in PLACES]
    return gpd.GeoDataFrame(
        {
            "案件编号": [f"S{n}" for n in range(len(points))],
            "上报时间": ["2026-05-01 08:00"] * len(points),
            "案件类型": ["积水", "暴露垃圾", "路灯不亮"],
        },
        geometry=points,
        crs=4326,
    )


def write_kml(path: Path) -> None:
    marks = "".join(
        "<Placemark><ExtendedData>"
        + "".join(
            f'<Data name="{name}"><value>{row[name]}</value></Data>'
            for name in ("案件编号", "上报时间", "案件类型")
        )
        + f"</ExtendedData><Point><coordinates>{row.geometry.x},{row.geometry.y},0</coordinates>"
        "</Point></Placemark>"
        for _, row in frame().iterrows()
    )
    head = '<?xml version="1.0" encoding="UTF-8"?><kml xmlns="http://www.opengis.net/kml/2.2">'
    path.write_text(f"{head}<Document>{marks}</Document></kml>", "utf-8")


def write_kmz(path: Path) -> None:
    write_kml(path.with_suffix(".kml"))
    with zipfile.ZipFile(path, "w") as archive:
        archive.write(path.with_suffix(".kml"), "doc.kml")


WRITERS = {
    "kml": write_kml,
    "kmz": write_kmz,
    "parquet": lambda path: frame().to_parquet(path),
    "fgb": lambda path: frame().to_file(path, driver="FlatGeobuf", engine="pyogrio"),
    "gpkg": lambda path: frame().to_file(path, driver="GPKG", engine="pyogrio"),
    "geojson": lambda path: frame().to_file(path, driver="GeoJSON", engine="pyogrio"),
}


@pytest.mark.parametrize("ending", WRITERS)
@pytest.mark.parametrize("isolated", [False, True], ids=["command", "page"])
def test_incidents_load_from_every_format(city: City, tmp_path: Path, ending: str, isolated: bool):
    path = tmp_path / f"cases.{ending}"
    WRITERS[ending](path)
    report = load_one(city, "incidents", path, isolated=isolated)
    assert (report.rows, report.accepted, report.refused) == (3, 3, 0)
    codes = city.grids_in_force(NOW).grids.set_index("uid")["code"]
    with city.database.read() as connection:
        rows = connection.execute(
            "SELECT k.ext_id, t.text, i.owner FROM incident i JOIN incident_key k ON k.inc = i.inc"
            " JOIN term t ON t.term = i.kind ORDER BY k.ext_id"
        ).fetchall()
    assert [row[:2] for row in rows] == [("S0", "积水"), ("S1", "暴露垃圾"), ("S2", "路灯不亮")]
    assert [codes[row[2]] for row in rows] == [grid_code(*place) for place in PLACES]


def write_empty_gpkg(path: Path) -> None:
    pyogrio.write_dataframe(frame().iloc[:0], path, driver="GPKG")


def write_zipped_csv(path: Path) -> None:
    table = write_table(path.with_suffix(".csv"), INCIDENT_COLUMNS, incident_rows(3))
    with zipfile.ZipFile(path, "w") as archive:
        archive.write(table, "cases.csv")


def write_cut_fgb(path: Path) -> None:
    WRITERS["fgb"](path)
    path.write_bytes(path.read_bytes()[:-60])


BAD = {
    "empty.gpkg": (write_empty_gpkg, "file_no_rows"),
    "table.zip": (write_zipped_csv, "archive_nothing"),
    "table.json": (
        lambda path: path.write_text(json.dumps([{"id": 1, "lon": 120.0, "lat": 32.5}])),
        "json_not_geojson",
    ),
    "columns.parquet": (
        lambda path: frame().drop(columns="geometry").to_parquet(path),
        "parquet_not_geo",
    ),
    "words.kml": (lambda path: path.write_text("<html><body>kml</body></html>"), "format_xml"),
    "cut.fgb": (write_cut_fgb, "file_unreadable"),
}


@pytest.mark.parametrize("isolated", [False, True], ids=["command", "page"])
@pytest.mark.parametrize("name", BAD)
def test_what_holds_no_incidents_is_refused_in_a_sentence(city, tmp_path, name, isolated):
    write, key = BAD[name]
    path = tmp_path / name
    write(path)
    with pytest.raises(BadFile) as caught:
        load_one(city, "incidents", path, isolated=isolated)
    assert caught.value.file == name
    assert key in {fault.key for fault in caught.value.faults}
    for fault in caught.value.faults:
        for lang in ("zh", "en"):
            assert fault.cause(lang)
            assert fault.remedy(lang)


def test_the_places_of_shapes_are_their_own(city: City, tmp_path: Path):
    path = tmp_path / "cases.fgb"
    WRITERS["fgb"](path)
    with pytest.raises(BadSetting) as caught:
        load_one(city, "incidents", path, mapping={"lon": "案件编号"})
    assert [fault.key for fault in caught.value.faults] == ["place_is_shape"]
