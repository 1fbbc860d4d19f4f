"""Promise: real files, broken or whole, are loaded with a report or refused with the cause."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from geodata.boundary import check_files
from geodata.city import City, create_city
from geodata.errors import BadFile
from geodata.events.clock import DONE_LATE, DONE_ON_TIME, clock_state
from geodata.store.drawings import load_drawings
from geodata.store.incident_rows import read_incident_columns
from geodata.store.records import read_records
from geodata.words import LANGS
from tests.city import NOW, load_one
from tests.conftest import DATA

FOLDERS = ("messy_boundaries", "china_districts", "shanghai_poi")
FILES = sorted(
    path
    for folder in FOLDERS
    for path in (DATA / folder).rglob("*")
    if path.suffix in (".geojson", ".shp", ".kml")
)


@pytest.mark.parametrize("file", FILES or [None], ids=lambda file: file and file.stem)
def test_check_says_what_is_wrong_with_every_real_boundary_file(shared_data, file):
    assert file is not None, "there are data, but no boundary file"
    try:
        checked = check_files([file], city=None, now=NOW)
    except BadFile as refused:
        named, faults = refused.file, refused.faults
    else:
        named = checked.name
        assert checked.as_json("en")["grids"] > 0
        for found in (*checked.report.gaps, *checked.report.overlaps):
            assert found.area_m2 > 0
            assert found.between
        faults = [*checked.refused, *checked.report.faults()]
        assert checked.has_faults == bool(faults)
        for lang in LANGS:
            assert len(checked.lines(lang)) >= 5
    assert named == file.name
    for fault in faults:
        for lang in LANGS:
            assert fault.cause(lang)
            assert fault.remedy(lang)


@pytest.mark.parametrize(
    ("name", "options", "loads"),
    [
        ("Ahmedabad/Wards.geojson", {}, False),  # no column of codes
        ("Ahmedabad/Wards.geojson", {"mapping": {"code": "Name"}}, False),  # overlaps
        ("Ahmedabad/Wards.geojson", {"mapping": {"code": "Name"}, "overlaps": "cut"}, True),
        ("Bhopal/Bhopal_wards.geojson", {"overlaps": "cut"}, False),  # a code twice
        ("Pune/pune-electoral-wards_2022.geojson", {}, True),
    ],
)
def test_messy_files_load_whole_or_leave_nothing(shared_data, tmp_path, name, options, loads):
    city = create_city(tmp_path / "city", {"name_zh": "印度", "timezone": "Asia/Kolkata"})
    file = shared_data / "messy_boundaries" / name
    if loads:
        report = load_one(city, "grids", file, **options)
        assert len(city.grids_in_force(NOW).grids) == report.accepted
        assert report.accepted + report.refused == report.rows
        return
    with pytest.raises(BadFile) as refused:
        load_one(city, "grids", file, **options)
    assert refused.value.file == file.name
    with city.database.read() as connection:
        assert not load_drawings(connection)
    assert city.database.revision() == 1


# --- Boston --------------------------------------------------------------------------------------


@pytest.fixture
def boston(shared_data: Path, tmp_path: Path) -> City:
    city = create_city(tmp_path / "city", {"name_zh": "波士顿", "timezone": "America/New_York"})
    report = load_one(city, "incidents", shared_data / "boston311_100" / "boston311-100.csv")
    assert (report.rows, report.accepted, report.refused) == (100, 100, 0)
    return city


def test_boston_cases_are_open_closed_and_late_as_boston_says(shared_data, boston):
    with boston.database.read() as connection:
        columns = read_incident_columns(connection)
        names = dict(connection.execute("SELECT inc, ext_id FROM incident_key"))
        sources = {
            row[0] for row in connection.execute("SELECT text FROM term WHERE sort='source'")
        }
    file = shared_data / "boston311_100" / "boston311-100.csv"
    header, *rows = [line.split(",") for line in file.read_text("utf-8").splitlines()]
    said = {row[0]: dict(zip(header, row, strict=False)) for row in rows}
    states = clock_state(
        open=columns["open"].astype(bool),
        due_at=columns["due_at"],
        clock_from=columns["clock_from"],
        closed_at=columns["closed_at"],
        suspended_since=columns["suspended_since"],
        now=NOW,
    )
    assert len(names) == 100
    assert "Constituent Call" in sources
    assert (columns["open"] == 0).sum() == 85
    for place, inc in enumerate(columns["inc"].tolist()):
        row = said[names[inc]]
        assert bool(columns["open"][place]) == (row["case_status"] == "Open")
        if states[place] in (DONE_ON_TIME, DONE_LATE):
            late = states[place] == DONE_LATE
            assert late == (row["ontime"] == "OVERDUE"), row["case_enquiry_id"]
    assert np.isin(states, (DONE_ON_TIME, DONE_LATE)).sum() > 50


# --- Taiwan --------------------------------------------------------------------------------------


def test_cameras_of_a_police_table_with_two_headers_and_no_ids(shared_data, tmp_path):
    city = create_city(tmp_path / "city", {"name_zh": "台湾", "crs": "EPSG:3826"})
    file = shared_data / "taiwan_cameras" / "NPA_TD1.csv"
    report = load_one(city, "cameras", file)
    assert (report.rows, report.accepted, report.refused) == (2_410, 2_407, 3)
    assert {fault.key for fault in report.faults} == {"place_zero"}
    keys = {note.key for note in report.notes}
    assert {"reading.header_repeated", "report.ids_made"} <= keys
    load_one(city, "cameras", file)
    with city.database.read() as connection:
        cameras = read_records(connection, "cameras", at=NOW)
    assert len(cameras) == 2_407
    assert cameras["limit"].str.isdigit().mean() > 0.9


def test_cameras_of_a_geojson_keep_bearing_and_speed_limit(shared_data, tmp_path):
    city = create_city(tmp_path / "city", {"name_zh": "台湾", "crs": "EPSG:3826"})
    report = load_one(city, "cameras", shared_data / "taiwan_cameras" / "cameras.geojson")
    assert report.accepted == 2_512
    with city.database.read() as connection:
        cameras = read_records(connection, "cameras", at=NOW)
    assert cameras["bearing"].notna().sum() == 1_624
    assert cameras["speed_limit"].notna().sum() > 2_000
