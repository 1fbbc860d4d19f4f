"""Promise: what departments hand over is understood as they mean it, or what is not is said."""

from __future__ import annotations

import numpy as np
import orjson
import pytest
import shapely

from geodata.coordinates import wgs84_to_gcj02
from geodata.errors import BadFile
from geodata.loading.headers import find_header
from geodata.snapshots.facts import load_facts
from geodata.store.records import read_records
from tests.city import (
    NOW,
    community_features,
    grid_features,
    load_one,
    make_empty_city,
    make_gridded_city,
    middle,
    write_shapes,
    write_table,
)


@pytest.fixture
def city(tmp_path):
    return make_gridded_city(tmp_path / "city")


def table(city, sort):
    with city.database.read() as connection:
        return read_records(connection, sort, at=NOW).set_index("id")


@pytest.mark.parametrize(
    ("header", "known"),
    [
        ("户数（户）", True),
        ("户数(单位：户)", True),
        ("*户数", True),
        ("户数：", True),
        (" 户数 ", True),
        ("户数（万户）", False),
        ("户数（合计）", False),
    ],
)
def test_a_header_is_known_with_its_unit_but_not_with_another_scale(header, known):
    assert find_header(["网格编码", header], ("households", "户数")) == (header if known else None)


def test_the_plainest_header_goes_first():
    assert find_header(["户数（户）", "户数"], ("households", "户数")) == "户数"


def test_traditional_headers_in_big5_are_known_and_their_persons_dropped(city, tmp_path):
    lines = ["案件編號,上報時間,案件類型,聯絡電話,經度,緯度"]
    lines += [
        f"A{n},2026年3月5日,積水,0912345678,{x},{y}" for n, (x, y) in enumerate([middle(0, 0)])
    ]
    file = tmp_path / "cases.csv"
    file.write_bytes("\n".join(lines).encode("big5"))
    report = load_one(city, "incidents", file, encoding="big5")
    assert (report.accepted, report.refused) == (1, 0)
    assert report.dropped_columns == ["聯絡電話"]


def test_counts_with_thousands_and_a_total_are_taken_as_numbers(city, tmp_path):
    codes = [f"321012001{row + 1:03d}{column + 1:03d}" for row in range(3) for column in range(3)]
    rows = [
        ["各网格人口统计", "", "", "", ""],
        ["网格编码", "网格名称", "户数（户）", "常住人口（人）", "备注"],
    ]
    rows += [[code, f"第{n}网格", "1,071", "2,756", "无"] for n, code in enumerate(codes)]
    file = write_table(tmp_path / "counts.csv", rows[0], [*rows[1:], ["合计", "", "9,639", "", ""]])
    report = load_one(city, "counts", file)
    assert (report.accepted, report.refused) == (9, 0)
    counts = table(city, "counts")
    assert counts.loc[codes[0], "households"] == "1071"
    assert counts.loc[codes[0], "population"] == "2756"
    case = ("案件编号", "上报时间", "经度", "纬度")
    cases = write_table(tmp_path / "a.csv", case, [["A1", "2026-05-01", *middle(0, 0)]])
    load_one(city, "incidents", cases)
    risk = load_facts(city, now=NOW).rated.risk.get()
    assert risk.exposure_name == "households"
    assert "户数＝户数（户）" in "".join(note.sentence("zh") for note in report.notes)


def test_limits_in_hours_are_told_in_minutes_and_cases_may_say_the_name(city, tmp_path):
    kinds = ("代码", "大类", "小类", "处置时限", "时限单位", "责任部门")
    rows = [
        ["0101", "市容", "暴露垃圾", "4", "小时", "市容局"],
        ["0102", "市容", "积水", "1", "天", "水务"],
    ]
    case = ("工单编号", "受理时间", "小类名称", "经度", "纬度", "事发地址")
    cases = [["A1", "2026-05-01 08:00", "暴露垃圾", *middle(0, 0), "路口"]]
    load_one(city, "incidents", write_table(tmp_path / "cases.csv", case, cases))
    load_one(city, "kinds", write_table(tmp_path / "kinds.csv", kinds, rows))
    more = [["A2", "2026-05-02 08:00", "暴露垃圾", *middle(1, 0), "路口"]]
    report = load_one(city, "incidents", write_table(tmp_path / "more.csv", case, more))
    assert not [note for note in report.notes if note.key == "report.unmatched_kinds"]
    assert table(city, "kinds").loc["0101", ["limit", "limit_unit"]].tolist() == ["240", "minutes"]
    with city.database.read() as connection:
        found = connection.execute(
            "SELECT t.text, i.due_at - i.reported_at FROM incident i"
            " JOIN term t ON t.term = i.kind ORDER BY i.reported_at"
        ).fetchall()
    assert found == [("0101", 240 * 60), ("0101", 240 * 60)]


def test_a_name_that_two_kinds_share_stands_for_neither(city, tmp_path):
    kinds = ("代码", "大类", "小类")
    rows = [["1", "市容", "其他"], ["2", "街面", "其他"]]
    load_one(city, "kinds", write_table(tmp_path / "kinds.csv", kinds, rows))
    cases = write_table(
        tmp_path / "cases.csv",
        ("案件编号", "上报时间", "小类", "经度", "纬度"),
        [["A1", "2026-05-01 08:00", "其他", *middle(0, 0)]],
    )
    load_one(city, "incidents", cases)
    with city.database.read() as connection:
        said = "SELECT t.text FROM incident i JOIN term t ON t.term = i.kind"
        assert connection.execute(said).fetchall() == [("其他",)]


def test_cameras_keep_their_national_ids_and_their_compass(city, tmp_path):
    columns = ("设备国标编码", "点位名称", "监控类别", "朝向", "经度", "纬度")
    rows = [["32101200001310000001", "路口", "二类", "东南", *middle(0, 0)]]
    load_one(city, "cameras", write_table(tmp_path / "cameras.csv", columns, rows))
    camera = table(city, "cameras").loc["32101200001310000001"]
    assert (camera["class"], camera["bearing"]) == ("2", "135")


def trace_shifted(file):
    """Move what a file of degrees draws to where a map in GCJ-02 shows it."""
    drawn = orjson.loads(file.read_bytes())
    for one in drawn["features"]:
        shape = shapely.from_geojson(orjson.dumps(one["geometry"]))
        moved = shapely.transform(shape, lambda xy: np.column_stack(wgs84_to_gcj02(*xy.T)))
        one["geometry"] = orjson.loads(shapely.to_geojson(moved))
    file.write_bytes(orjson.dumps(drawn))
    return file


def test_grids_traced_on_a_shifted_map_are_refused_with_the_system_they_fit(tmp_path):
    city = make_empty_city(tmp_path / "empty")
    streets = write_shapes(tmp_path / "streets.geojson", community_features())
    load_one(city, "grids", streets, level="community")
    grids = trace_shifted(write_shapes(tmp_path / "grids.geojson", grid_features()))
    with pytest.raises(BadFile) as refused:
        load_one(city, "grids", grids, level="grid")
    first = refused.value.faults[0]
    assert first.key == "grids_shifted"
    assert first.values["crs"] == "GCJ-02"
    report = load_one(city, "grids", grids, level="grid", crs="GCJ-02")
    assert report.accepted == 9


def test_cases_that_lie_beside_the_city_are_said_to_with_the_system_they_would_lie_in(
    city, tmp_path
):
    columns = ("案件编号", "上报时间", "经度", "纬度", "备注")
    places = [middle(column / 2, row / 2) for column in range(5) for row in range(5)]
    shifted = np.column_stack(wgs84_to_gcj02(*np.array(places).T)).tolist()
    rows = [[f"A{n}", "2026-05-01", *place, ""] for n, place in enumerate(shifted)]
    file = write_table(tmp_path / "a.csv", columns, rows)
    report = load_one(city, "incidents", file, dry_run=True)
    told = {note.key: note.values for note in report.notes}
    assert told["report.outside_better"]["crs"] == "GCJ-02"
    assert told["report.outside_better"]["fewer"] == "0"
    assert told["report.columns_left"]["columns"] == ("备注",)
    right = load_one(city, "incidents", file, dry_run=True, crs="GCJ-02")
    assert not {"report.outside", "report.outside_better"} & {note.key for note in right.notes}
    far = write_table(tmp_path / "b.csv", columns, [["B", "2026-05-01", 100, 30, ""]] * 3)
    said = [note.key for note in load_one(city, "incidents", far, dry_run=True).notes]
    assert "report.outside_untold" in said


def test_an_alias_may_say_the_name_of_a_row_and_what_is_neither_is_named(city, tmp_path):
    bodies = write_table(tmp_path / "b.csv", ("单位编码", "单位名称"), [["CG", "城管局"]])
    load_one(city, "bodies", bodies)
    aliases = [["区城管局", "城管局"], ["城管", "CG"], ["水利", "水利局"]]
    file = write_table(tmp_path / "a.csv", ("写法", "责任单位"), aliases)
    report = load_one(city, "body_aliases", file)
    assert table(city, "body_aliases")["body"].to_dict() == {
        "区城管局": "CG", "城管": "CG", "水利": "水利局",
    }  # fmt: skip
    (told,) = [note for note in report.notes if note.key == "report.alias_unknown"]
    assert told.values["names"] == ("水利局",)


def test_shapes_that_are_swapped_throughout_are_exchanged_when_asked_to(city, tmp_path):
    features = [
        {
            "type": "Feature",
            "properties": {"名称": f"站{n}", "类别": "医疗"},
            "geometry": {"type": "Point", "coordinates": middle(n, n)[::-1]},
        }
        for n in range(3)
    ]
    file = tmp_path / "p.geojson"
    file.write_bytes(orjson.dumps({"type": "FeatureCollection", "features": features}))
    with pytest.raises(BadFile) as refused:
        load_one(city, "places", file)
    assert [fault.key for fault in refused.value.faults] == ["shapes_swapped"]
    report = load_one(city, "places", file, swapped=True)
    assert report.accepted == 3
    assert "reading.axes_swapped" in [note.key for note in report.notes]
    assert not {"report.outside"} & {note.key for note in report.notes}


def test_an_alias_that_stands_for_nothing_is_refused(city, tmp_path):
    aliases = [["区城管局", "城管局"], ["城管", ""]]
    file = write_table(tmp_path / "a.csv", ("写法", "责任单位"), aliases)
    report = load_one(city, "body_aliases", file)
    assert [(fault.row, fault.key) for fault in report.faults] == [(2, "alias_empty")]
    assert list(table(city, "body_aliases").index) == ["区城管局"]
    assert not [note for note in report.notes if "" in note.values.get("names", ("-",))]
