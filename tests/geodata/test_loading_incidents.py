"""Promise: every row of an incident file is taken, repaired or refused, each with its reason."""

from __future__ import annotations

import json
import warnings
from datetime import datetime
from pathlib import Path

import geopandas as gpd
import numpy as np
import pandas as pd
import pytest
import shapely

from geodata.city import City, create_city
from geodata.coordinates import wgs84_to_bd09, wgs84_to_gcj02
from geodata.errors import BadFile, BadSetting, GetuError
from geodata.loading.report import LoadReport
from geodata.store.dump import canonical_dump
from tests.city import (
    INCIDENT_COLUMNS,
    NOW,
    SIDE_M,
    SOUTH_M,
    WEST_M,
    ZONE,
    grid_code,
    incident_rows,
    load,
    load_one,
    lonlat,
    make_empty_city,
    make_gridded_city,
    middle,
    write_table,
)

SHORT = ("incident_id", "reported_at", "kind", "lon", "lat")
HERE = middle(0, 0)


@pytest.fixture
def city(tmp_path: Path) -> City:
    return make_gridded_city(tmp_path / "city")


def load_rows(
    city: City, columns: tuple[str, ...], rows: list[list], *, name: str = "cases.csv", **options
) -> LoadReport:
    return load_one(city, "incidents", write_table(city.folder / name, columns, rows), **options)


def stored(city: City, column: str) -> dict[str, object]:
    with city.database.read() as connection:
        rows = connection.execute(
            f"SELECT k.ext_id, i.{column} FROM incident i JOIN incident_key k ON k.inc = i.inc"
        ).fetchall()
    return dict(rows)


def attributes(city: City) -> dict[str, dict]:
    with city.database.read() as connection:
        rows = connection.execute(
            "SELECT k.ext_id, p.attributes FROM payload p JOIN incident_key k ON k.inc = p.inc"
        ).fetchall()
    return {name: json.loads(text or "{}") for name, text in rows}


def owners(city: City) -> dict[str, str | None]:
    grids = city.grids_in_force(NOW).grids
    codes = dict(zip(grids["uid"], grids["code"], strict=True))
    return {name: codes.get(uid) for name, uid in stored(city, "owner").items()}


def faults(report: LoadReport) -> list[tuple[int | None, str]]:
    return [(fault.row, fault.key) for fault in report.faults]


def notes(report: LoadReport) -> dict[str, dict]:
    return {note.key.removeprefix("report."): note.values for note in report.notes}


def moment(text: str) -> int:
    return int(datetime.fromisoformat(text).replace(tzinfo=ZONE).timestamp())


def in_both(error: GetuError) -> str:
    return error.sentence("zh") + error.sentence("en")


# --- rows ----------------------------------------------------------------------------------------


def test_every_row_is_accepted_or_refused_and_each_refusal_has_row_cause_and_remedy(city):
    rows = [
        ["1", "2026-05-01 08:00", "积水", *HERE],
        ["2", "2026-05-01 08:00", "积水", 0, 0],
        ["3", "2026-05-01 08:00", "积水", "", ""],
        ["4", "2026-05-01 08:00", "积水", 500, 700],
        ["5", "2026-05-01 08:00", "积水", "东边", "北边"],
        ["6", "2099-01-01 08:00", "积水", *HERE],
        ["7", "昨天", "积水", *HERE],
        ["8", "", "积水", *HERE],
        ["3.21012E+18", "2026-05-01 08:00", "积水", *HERE],
        ["9", "2026-05-01 08:00", "积水", *HERE, "x", "y"],
        ["10", "2026-05-01 09:00", "积水", *HERE],
    ]
    report = load_rows(city, SHORT, rows)
    assert faults(report) == [
        (2, "place_zero"), (3, "place_missing"), (4, "place_impossible"), (5, "place_not_number"),
        (6, "moment_future"), (7, "moment_unreadable"), (8, "moment_missing"),
        (9, "number_too_long"), (10, "row_ragged"),
    ]  # fmt: skip
    assert (report.rows, report.accepted, report.refused) == (11, 2, 9)
    assert set(owners(city)) == {"1", "10"}
    for fault in report.faults:
        for lang in ("zh", "en"):
            assert fault.cause(lang)
            assert fault.remedy(lang)


def test_the_place_and_time_of_a_row_are_kept_exactly(city):
    east, north = 123.456, 234.567
    load_rows(city, SHORT, [["1", "2026-05-01 08:05:09", "积水", *lonlat(east, north)]])
    assert stored(city, "x")["1"] == round((WEST_M + east) * 1000)
    assert stored(city, "y")["1"] == round((SOUTH_M + north) * 1000)
    assert stored(city, "reported_at")["1"] == moment("2026-05-01T08:05:09")
    assert owners(city) == {"1": grid_code(0, 1)}


def test_every_step_with_a_time_column_is_an_event(city):
    columns = (
        *SHORT, "registered_at", "dispatched_at", "handled_at", "checked_at", "closed_at",
        "evaluated_at", "returned_at", "reopened_at", "due_at",
    )  # fmt: skip
    times = [f"2026-05-01 {hour:02}:00:00" for hour in range(9, 15)]
    rows = [
        ["all", "2026-05-01 08:00:00", "积水", *HERE, *times, "", "", "2026-05-02 08:00:00"],
        ["none", "2026-05-01 08:00:00", "积水", *HERE, *[""] * 9],
        ["back", "2026-05-01 08:00:00", "积水", *HERE, *[""] * 4, "2026-05-01 12:00:00", "",
         "2026-05-01 10:00:00", "2026-05-01 15:00:00", ""],
    ]  # fmt: skip
    load_rows(city, columns, rows)
    assert stored(city, "closed_at")["all"] == moment("2026-05-01T13:00:00")
    assert stored(city, "evaluated_at")["all"] == moment("2026-05-01T14:00:00")
    assert stored(city, "due_at")["all"] == moment("2026-05-02T08:00:00")
    assert stored(city, "open") == {"all": 0, "none": 1, "back": 1}
    assert stored(city, "returned")["back"] == 1
    assert stored(city, "reopened")["back"] == 1
    with city.database.read() as connection:
        stages = connection.execute("SELECT count(DISTINCT stage) FROM event").fetchone()
    assert stages == (9,)


def test_columns_are_known_by_their_chinese_names(city):
    columns = (
        "案件编号",
        "上报时间",
        "小类",
        "经度",
        "纬度",
        "立案时间",
        "结案时间",
        "责任单位",
        "来源",
    )
    rows = [
        ["甲1", "2026年5月1日 8时5分", "积水", *HERE, "2026/5/1 9:00", "2026.5.2", "水务局", "巡查"]
    ]
    report = load_rows(city, columns, rows)
    assert not report.faults
    assert stored(city, "reported_at") == {"甲1": moment("2026-05-01T08:05:00")}
    assert stored(city, "closed_at") == {"甲1": moment("2026-05-02T00:00:00")}
    with city.database.read() as connection:
        texts = {row[0] for row in connection.execute("SELECT text FROM term")}
    assert texts - {""} == {"积水", "水务局", "巡查"}


@pytest.mark.parametrize(
    ("written", "meant"),
    [
        ("2026-05-01 08:05:09", "2026-05-01T08:05:09"),
        ("2026-05-01T08:05:09Z", "2026-05-01T16:05:09"),
        ("2026/5/1 8:05", "2026-05-01T08:05:00"),
        ("2026.5.1", "2026-05-01T00:00:00"),
        ("20260501", "2026-05-01T00:00:00"),
        ("20260501080509", "2026-05-01T08:05:09"),
        ("2026年5月1日 8时5分", "2026-05-01T08:05:00"),
        ("２０２６年５月１日", "2026-05-01T00:00:00"),
        ("2026-05", "2026-05-01T00:00:00"),
    ],
)
def test_dates_are_read_in_the_forms_people_write_them(city, written, meant):
    load_rows(city, SHORT, [["1", written, "积水", *HERE]])
    assert stored(city, "reported_at") == {"1": moment(meant)}


@pytest.mark.parametrize(
    ("written", "zh", "en"), [("2026-05", "月", "month"), ("2026-05-01", "日", "day")]
)
def test_times_without_hours_are_said_and_kept_as_such(city, written, zh, en):
    report = load_rows(city, SHORT, [["1", written, "积水", *HERE]])
    (note,) = [note for note in report.notes if note.key == "report.by_day"]
    assert zh in note.sentence("zh")
    assert en in note.sentence("en")
    assert attributes(city)["1"]["at_precision"] == en


def test_a_day_off_is_no_future_and_a_deadline_may_be_one(city):
    rows = [
        ["soon", "2026-06-02 11:00", "积水", *HERE, "2031-01-01"],
        ["later", "2026-06-02 13:00", "积水", *HERE, ""],
    ]
    report = load_rows(city, (*SHORT, "due_at"), rows)
    assert faults(report) == [(2, "moment_future")]
    assert stored(city, "due_at") == {"soon": moment("2031-01-02T00:00:00")}


# --- whole files ---------------------------------------------------------------------------------


def test_a_file_without_the_time_is_refused_with_the_columns_it_has(city):
    with pytest.raises(BadFile) as refused:
        load_rows(city, ("编号", "何时", "经度", "纬度"), [["1", "2026-05-01", *HERE]])
    said = in_both(refused.value)
    for part in ("reported_at", "何时", "经度", "--map reported_at="):
        assert part in said
    assert refused.value.file == "cases.csv"


def test_a_map_says_which_column_is_which(city):
    columns = ("no", "when", "what", "px", "py")
    mapping = {"incident_id": "no", "reported_at": "when", "kind": "what", "lon": "px", "lat": "py"}
    report = load_rows(city, columns, [["7", "2026-05-01", "积水", *HERE]], mapping=mapping)
    assert report.accepted == 1
    assert owners(city) == {"7": grid_code(0, 0)}


def test_a_map_to_a_column_that_is_not_there_is_refused_with_those_that_are(city):
    with pytest.raises(GetuError) as refused:
        load_rows(city, SHORT, [["1", "2026-05-01", "x", *HERE]], mapping={"kind": "what"})
    assert "what" in in_both(refused.value)
    assert "reported_at" in in_both(refused.value)


def test_a_file_without_any_place_is_refused(city):
    with pytest.raises(BadFile) as refused:
        load_rows(city, ("incident_id", "reported_at", "kind"), [["1", "2026-05-01", "x"]])
    assert "--map lon=" in in_both(refused.value)


def test_a_file_of_which_no_row_can_be_taken_is_refused_with_every_reason(city):
    revision = city.database.revision()
    rows = [["1", "2026-05-01", "x", 0, 0], ["2", "gestern", "x", *HERE]]
    with pytest.raises(BadFile) as refused:
        load_rows(city, SHORT, rows)
    keys = [fault.key for fault in refused.value.faults]
    assert keys == ["nothing_loaded", "place_zero", "moment_unreadable"]
    assert city.database.revision() == revision


def test_strict_turns_a_single_bad_row_into_a_refusal_of_the_file(city):
    rows = [*incident_rows(5), ["X", "2099-01-01", "积水", *HERE, *[""] * 5]]
    with pytest.raises(BadFile) as refused:
        load_rows(city, INCIDENT_COLUMNS, rows, strict=True)
    assert [fault.key for fault in refused.value.faults] == ["strict", "moment_future"]
    assert not stored(city, "owner")
    assert load_rows(city, INCIDENT_COLUMNS, rows).accepted == 5


def test_a_dry_run_writes_nothing_not_even_a_coordinate_system(tmp_path):
    city = create_city(tmp_path / "city", {"name_zh": "小城"})
    before = city.database.path.read_bytes(), city.database.revision()
    report = load_rows(city, INCIDENT_COLUMNS, incident_rows(), dry_run=True)
    assert report.accepted == 36
    assert city.crs_text == ""
    assert (city.database.path.read_bytes(), city.database.revision()) == before


def test_incidents_may_come_first_and_choose_the_coordinate_system(tmp_path):
    city = create_city(tmp_path / "city", {"name_zh": "小城"})
    report = load_rows(city, INCIDENT_COLUMNS, incident_rows())
    assert notes(report)["crs_chosen"] == {"crs": "EPSG:4549"}
    assert set(stored(city, "rule").values()) == {3}  # none: placed, in no grid yet


def test_each_file_stands_for_itself(city):
    good = write_table(city.folder / "good.csv", SHORT, [["1", "2026-05-01", "x", *HERE]])
    bad = write_table(city.folder / "bad.csv", ("a", "b"), [["1", "2"]])
    reports, errors = load(city, "incidents", bad, good, city.folder / "missing.csv")
    assert [report.file for report in reports] == ["good.csv"]
    assert [error.file for error in errors] == ["bad.csv", "missing.csv"]


# --- places --------------------------------------------------------------------------------------


@pytest.mark.parametrize(("shift", "crs"), [(wgs84_to_gcj02, "GCJ-02"), (wgs84_to_bd09, "BD-09")])
def test_shifted_coordinates_land_where_they_should_and_stay_as_delivered(city, shift, crs):
    lon, lat = (
        np.array(values) for values in zip(*(lonlat(e, e) for e in (1, 199, 401)), strict=True)
    )
    shifted = [[repr(float(value)) for value in values] for values in shift(lon, lat)]
    rows = [
        [str(n), "2026-05-01", "积水", x, y] for n, (x, y) in enumerate(zip(*shifted, strict=True))
    ]
    plain = load_rows(city, SHORT, rows, name="plain.csv", source="plain")
    assert "无主" not in plain.lines("zh")[0]
    report = load_rows(city, SHORT, rows, name="shifted.csv", crs=crs, source="shifted")
    assert report.crs == crs
    with city.database.read() as connection:
        places = connection.execute(
            "SELECT k.ext_id, i.x, i.y FROM incident i JOIN incident_key k ON k.inc = i.inc"
            " JOIN term t ON t.term = k.source WHERE t.text = 'shifted' ORDER BY k.ext_id"
        ).fetchall()
    for (name, x, y), metres in zip(places, (1, 199, 401), strict=True):
        assert abs(x - (WEST_M + metres) * 1000) <= 1, name
        assert abs(y - (SOUTH_M + metres) * 1000) <= 1, name
    kept = attributes(city)["0"]
    assert kept["lon"] == rows[0][3]  # the original, beside our own


def test_projected_coordinates_are_read_in_the_system_named(city):
    columns = ("incident_id", "reported_at", "x", "y")
    rows = [["1", "2026-05-01", WEST_M + 1.5 * SIDE_M, SOUTH_M + 50]]
    load_rows(city, columns, rows, crs="EPSG:4549")
    assert owners(city) == {"1": grid_code(1, 0)}


def test_a_row_with_an_address_alone_is_an_incident_without_an_owner_yet(city):
    columns = (*SHORT, "address")
    rows = [
        ["both", "2026-05-01", "x", *HERE, "龙川路 8 号"],
        ["address", "2026-05-01", "x", "", "", "龙川路 9 号"],
        ["zero", "2026-05-01", "x", 0, 0, "龙川路 10 号"],
        ["nothing", "2026-05-01", "x", "", "", ""],
    ]
    report = load_rows(city, columns, rows)
    assert faults(report) == [(3, "place_zero"), (4, "place_missing")]
    assert notes(report)["address_only"] == {"n": 1}
    assert owners(city) == {"both": grid_code(0, 0), "address": None}
    assert report.rows == report.accepted + report.refused


def test_a_file_of_addresses_alone_is_taken(city):
    columns = ("incident_id", "reported_at", "address")
    rows = [["1", "2026-05-01", "龙川路 8 号"], ["2", "2026-05-01", ""]]
    report = load_rows(city, columns, rows)
    assert faults(report) == [(2, "place_missing")]
    assert owners(city) == {"1": None}


# --- what is kept and said -----------------------------------------------------------------------


def test_further_columns_are_kept_as_attributes(city):
    rows = [["1", "2026-05-01", "积水", *HERE, "一般", "A12", "  "]]
    load_rows(city, (*SHORT, "severity", "编组", "空"), rows)
    kept = attributes(city)["1"]
    assert {"severity": "一般", "编组": "A12"}.items() <= kept.items()
    assert not {"lon", "lat", "空", "incident_id", "kind"} & set(kept)


def test_a_column_may_be_called_like_ours_without_harm(city):
    columns = (*SHORT, "row", "stage", "at", "seq", "x_mm", "attributes", "body")
    rows = [["1", "2026-05-01", "积水", *HERE, "7", "closed", "never", "5", "1", "{}", "水务局"]]
    load_rows(city, columns, rows)
    assert stored(city, "open") == {"1": 1}
    assert attributes(city)["1"] == {
        "row": "7", "stage": "closed", "at": "never", "seq": "5", "x_mm": "1", "attributes": "{}",
        "at_precision": "day",
    }  # fmt: skip


def test_the_source_is_the_column_else_the_name_given_else_the_files(city):
    rows = [["1", "2026-05-01", "x", *HERE, "热线"], ["2", "2026-05-01", "x", *HERE, ""]]
    load_rows(city, (*SHORT, "source"), rows, name="june.csv")
    load_rows(city, (*SHORT, "source"), rows, name="july.csv", source="城管")
    with city.database.read() as connection:
        found = connection.execute(
            "SELECT t.text, k.ext_id FROM incident_key k JOIN term t ON t.term = k.source"
        ).fetchall()
    assert set(found) == {("热线", "1"), ("june", "2"), ("城管", "1"), ("城管", "2")}


def test_the_report_says_who_owns_the_rows(city):
    rows = [
        ["1", "2026-05-01", "x", *HERE],
        ["2", "2026-05-01", "x", *lonlat(-10, 50)],
        ["3", "2026-05-01", "x", *lonlat(-500, 50)],
        ["4", "2026-05-01", "x", *lonlat(205, 50)],
    ]
    report = load_rows(city, SHORT, rows)
    said = "\n".join(report.lines("zh"))
    assert "位于网格内 2、在界外近旁 1、不在任何网格 1；近界 2" in said
    assert "Inside the grid 2" in "\n".join(report.lines("en"))


def test_kinds_the_table_does_not_know_are_taken_and_named(city):
    table = write_table(
        city.folder / "kinds.csv", ("code", "name_zh", "category"), [["积水", "积水", "市政"]]
    )
    load_one(city, "kinds", table)
    rows = [["1", "2026-05-01", "积水", *HERE], ["2", "2026-05-01", "怪事", *HERE]]
    report = load_rows(city, SHORT, rows)
    assert notes(report)["unmatched_kinds"] == {"n": "1", "names": ("怪事",)}
    assert report.accepted == 2


def test_recorded_owners_are_compared_with_those_found(city):
    columns = (*SHORT, "lsoa")
    rows = [
        ["1", "2026-05-01", "x", *HERE, grid_code(0, 0)],
        ["2", "2026-05-01", "x", *lonlat(203, 50), grid_code(0, 0)],
        ["3", "2026-05-01", "x", *HERE, "elsewhere"],
        ["4", "2026-05-01", "x", "", "", grid_code(0, 0)],
    ]
    report = load_rows(city, columns, rows, recorded="lsoa")
    found = report.recorded
    assert (found.known, found.agree, found.within_20_m) == (2, 1, 1)
    assert found.percent == "50.00"
    assert found.median_m == pytest.approx(3, abs=0.01)
    assert found.only_in_points == ("elsewhere",)
    assert attributes(city)["1"]["recorded_grid"] == grid_code(0, 0)
    with pytest.raises(BadFile) as refused:
        load_rows(city, columns, rows, recorded="nope")
    assert "--recorded" in in_both(refused.value)


def test_a_wrong_datum_is_proved_by_distances_and_nothing_is_changed(city):
    rng = np.random.default_rng(4)
    places = rng.uniform(5, 3 * SIDE_M - 5, (300, 2))
    lon, lat = (
        np.array(values) for values in zip(*(lonlat(*place) for place in places), strict=True)
    )
    x, y = wgs84_to_gcj02(lon, lat)
    codes = [grid_code(int(e // SIDE_M), int(n // SIDE_M)) for e, n in places]
    rows = [[str(n), "2026-05-01", "x", x[n], y[n], codes[n]] for n in range(len(places))]
    right = load_rows(city, (*SHORT, "grid"), rows, crs="GCJ-02", recorded="grid", dry_run=False)
    assert right.recorded.agree == 300
    assert right.recorded.better is None
    wrong = load_rows(city, (*SHORT, "grid"), rows, name="wrong.csv", recorded="grid")
    assert wrong.recorded.better == "GCJ-02"
    assert wrong.crs == "EPSG:4326"
    said = "\n".join(wrong.lines("zh"))
    assert "警告" in said
    assert "GCJ-02" in said


def test_reading_a_file_in_other_orders_gives_the_same_city(tmp_path):
    rows = incident_rows()
    dumps = set()
    for number, part in enumerate((rows, rows[::-1])):
        city = make_gridded_city(tmp_path / f"city{number}")
        load_rows(city, INCIDENT_COLUMNS, part, source="s")
        with city.database.read() as connection:
            dumps.add(canonical_dump(connection))
    assert len(dumps) == 1


def test_a_city_without_grids_takes_incidents_as_unowned(tmp_path):
    city = make_empty_city(tmp_path / "city")
    report = load_rows(city, SHORT, [["1", "2026-05-01", "x", *HERE]])
    assert report.accepted == 1
    assert stored(city, "owner") == {"1": -1}


@pytest.mark.parametrize("suffix", ["gpkg", "geojson", "shp"])
def test_incidents_with_shapes_load_as_the_same_rows_with_columns_do(city, tmp_path, suffix):
    rows = incident_rows(12)
    load_rows(city, INCIDENT_COLUMNS, rows, source="热线")
    frame = pd.DataFrame(rows, columns=INCIDENT_COLUMNS)
    shapes = shapely.points(frame[["lon", "lat"]].to_numpy(float))
    frame = frame.drop(columns=["lon", "lat"]).rename(columns={"reported_at": "上报时间"})
    path = tmp_path / f"cases.{suffix}"
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # a Shapefile cuts long names
        gpd.GeoDataFrame(
            frame[["incident_id", "上报时间", "kind"]], geometry=shapes, crs=4490
        ).to_file(path)
    other = make_gridded_city(tmp_path / "other")
    cut = {"incident_id": "incident_i", "reported_at": "上报时"}
    mapping = cut if suffix == "shp" else {}
    report = load_one(other, "incidents", path, source="热线", mapping=mapping)
    assert (report.accepted, report.refused) == (12, 0)
    for column in ("x", "y", "owner", "rule", "reported_at"):
        assert stored(other, column) == stored(city, column), column


def test_a_place_that_is_a_shape_is_not_mapped_to_a_column(city, tmp_path):
    path = tmp_path / "cases.geojson"
    frame = {"incident_id": ["A1"], "reported_at": ["2026-01-05 08:00"]}
    gpd.GeoDataFrame(frame, geometry=[shapely.Point(HERE)], crs=4326).to_file(path)
    with pytest.raises(BadSetting) as refused:
        load_one(city, "incidents", path, mapping={"lon": "incident_id"})
    assert "lon" in refused.value.sentence("zh")
    assert not stored(city, "x")
