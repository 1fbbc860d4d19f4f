"""Promise: what is about persons is dropped on the way in: not a byte of it reaches the folder."""

from __future__ import annotations

from pathlib import Path

import pytest

from geodata.city import City
from geodata.errors import BadFile
from geodata.events.withdrawal import withdraw_batch
from tests.city import (
    NOW,
    grid_features,
    load_one,
    make_gridded_city,
    middle,
    write_shapes,
    write_table,
)

PHONES = [f"138{n:08d}" for n in (13_800_138, 70_091_234, 52_221_907, 90_110_203, 61_827_364)]
IDENTITIES = ["11010519491231002X", "440524188001010014", "320102199003074530"] * 2
NAMES = ["欧阳景明", "司徒婉清", "诸葛志远", "上官秋雨", "慕容建华"]
PLATES = ["苏A12345", "苏B67D89", "京N8P8F8", "沪C5K216", "浙D90812"]


@pytest.fixture
def city(tmp_path: Path) -> City:
    return make_gridded_city(tmp_path / "city")


def bytes_of(folder: Path) -> bytes:
    return b"".join(path.read_bytes() for path in folder.rglob("*") if path.is_file())


def find_planted(folder: Path) -> list[str]:
    content = bytes_of(folder)
    planted = {*PHONES, *IDENTITIES, *NAMES, *PLATES}
    return [
        text for text in planted if text.encode() in content or text.encode("utf-16-le") in content
    ]


def rows_of(*columns: list[str], places: bool = True) -> list[list[object]]:
    return [
        [f"{n}", "2026-05-01 08:00", "积水", *(middle(n % 3, 1) if places else ()), *cells]
        for n, cells in enumerate(zip(*columns, strict=False))
    ]


BASE = ("incident_id", "reported_at", "kind", "lon", "lat")


def test_personal_columns_of_incidents_never_reach_the_folder(tmp_path, city):
    columns = ("姓名", "联系电话", "身份证号", "车牌", "备注手机", "处置意见")
    remarks = ["已派单"] * 5
    file = write_table(
        tmp_path / "cases.csv",
        (*BASE, *columns),
        rows_of(NAMES, PHONES, IDENTITIES, PLATES, PHONES, remarks),
    )
    report = load_one(city, "incidents", file)
    assert report.accepted == 5
    assert set(report.dropped_columns) == set(columns[:5])
    assert find_planted(city.folder) == []
    assert "已派单".encode() in bytes_of(city.folder)  # what is no person's is kept
    for column in columns[:5]:
        assert column in "\n".join(report.lines("zh"))
        assert column in "\n".join(report.lines("en"))


def test_personal_values_under_an_innocent_header_never_reach_the_folder(tmp_path, city):
    file = write_table(tmp_path / "cases.csv", (*BASE, "field7", "f8"), rows_of(PHONES, IDENTITIES))
    report = load_one(city, "incidents", file)
    assert report.dropped_columns == ["field7", "f8"]
    assert find_planted(city.folder) == []


def test_personal_columns_of_cameras_places_and_grids_never_reach_the_folder(tmp_path, city):
    columns = ("camera_id", "id", "type", "lon", "lat", "负责人", "手机")
    rows = [[f"{n}", f"{n}", "school", *middle(n % 3, 0), NAMES[n], PHONES[n]] for n in range(5)]
    file = write_table(tmp_path / "things.csv", columns, rows)
    for kind in ("cameras", "places", "components"):
        report = load_one(city, kind, file)
        assert report.dropped_columns == ["负责人", "手机"], kind
    features = [
        (shape, {**plain, "网格长姓名": NAMES[n % 5], "网格长电话": PHONES[n % 5]})
        for n, (shape, plain) in enumerate(grid_features())
    ]
    report = load_one(city, "grids", write_shapes(tmp_path / "g.geojson", features))
    assert set(report.dropped_columns) == {"网格长姓名", "网格长电话"}
    assert find_planted(city.folder) == []


def test_personal_columns_of_events_never_reach_the_folder(tmp_path, city):
    columns = ("incident_id", "stage", "at", "lon", "lat", "上报人", "电话")
    rows = [
        [f"{n}", "reported", "2026-05-01 08:00", *middle(0, 0), NAMES[n], PHONES[n]]
        for n in range(5)
    ]
    report = load_one(city, "events", write_table(tmp_path / "events.csv", columns, rows))
    assert set(report.dropped_columns) == {"上报人", "电话"}
    assert find_planted(city.folder) == []


def test_strict_refuses_a_file_with_a_personal_column_and_names_it(tmp_path, city):
    file = write_table(tmp_path / "cases.csv", (*BASE, "手机"), rows_of(PHONES))
    with pytest.raises(BadFile) as refused:
        load_one(city, "incidents", file, strict=True)
    assert "“手机”" in refused.value.sentence("zh")
    assert "“手机”" in refused.value.sentence("en")
    assert find_planted(city.folder) == []


def test_no_report_or_refusal_repeats_what_a_cell_said(tmp_path, city):
    rows = rows_of(PHONES, NAMES)
    rows[0][1] = PHONES[0]  # a time that is none
    rows[1][3] = NAMES[1]  # a place that is none
    rows[2].append(PHONES[2])  # a torn row
    file = write_table(tmp_path / "cases.csv", (*BASE, "手机", "姓名"), rows)
    report = load_one(city, "incidents", file)
    assert report.refused == 3
    said = "\n".join([*report.lines("zh"), *report.lines("en"), repr(report.as_json("zh"))])
    assert not [text for text in (*PHONES, *NAMES) if text in said]


def test_a_dropped_batch_of_a_file_leaves_none_of_its_text(tmp_path, city):
    columns = (*BASE, "处置意见")
    file = write_table(tmp_path / "cases.csv", columns, rows_of(["独一无二的处置意见文字"] * 5))
    report = load_one(city, "incidents", file)
    assert report.accepted == 5
    with city.database.read() as connection:
        (batch,) = connection.execute("SELECT max(batch) FROM batch").fetchone()
    withdraw_batch(city, batch, now=NOW)
    with city.database.read() as connection:
        left = connection.execute("SELECT count(*) FROM payload").fetchone()[0]
    assert left == 0
