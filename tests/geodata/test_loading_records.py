"""Promise: cameras, places, components and the tables cases are judged by load whole, by id."""

from __future__ import annotations

from pathlib import Path

import geopandas
import pytest
import shapely

from geodata.city import City, create_city
from geodata.errors import BadFile, BadSetting, GetuError
from geodata.loading import KINDS
from geodata.loading.contracts import RECORD_KINDS
from geodata.loading.fixtures import BASE_LAYERS
from geodata.loading.report import LoadReport
from geodata.snapshots.facts import load_base, load_facts
from geodata.store.records import count_records, read_records
from geodata.words import LANGS, say
from tests.city import (
    INCIDENT_COLUMNS,
    NOW,
    grid_code,
    incident_rows,
    load,
    load_one,
    make_gridded_city,
    middle,
    square,
    write_shapes,
    write_table,
)

DAY = 86_400


@pytest.fixture
def city(tmp_path: Path) -> City:
    return make_gridded_city(tmp_path / "city")


def load_table(
    city: City, kind: str, columns: tuple[str, ...], *rows: list, **options
) -> LoadReport:
    return load_one(city, kind, write_table(city.folder / f"{kind}.csv", columns, rows), **options)


def records(city: City, kind: str, *, at: int = NOW):
    with city.database.read() as connection:
        return read_records(connection, kind, at=at)


def in_both(error: GetuError) -> str:
    return error.sentence("zh") + error.sentence("en")


CAMERA = ("camera_id", "name", "lon", "lat")


def test_cameras_keep_their_twenty_digits_and_find_their_grid(city):
    report = load_table(
        city, "cameras", CAMERA, ["32101200101234567890", "路口", *middle(1, 2)], ["2", "远", 1, 1]
    )
    assert report.accepted == 2
    cameras = load_facts(city, now=NOW).cameras.set_index("id")
    finest = city.grids_in_force(NOW).finest()["code"]
    assert finest.iloc[cameras.at["32101200101234567890", "owner"]] == grid_code(1, 2)
    assert cameras.at["2", "owner"] == -1


def test_a_camera_loaded_again_is_the_same_camera_with_the_newest_facts(city):
    load_table(city, "cameras", CAMERA, ["1", "旧", *middle(0, 0)], ["2", "旧", *middle(0, 0)])
    load_table(city, "cameras", CAMERA, ["1", "新", *middle(1, 1)])
    table = records(city, "cameras").set_index("id")
    assert table["name"].to_dict() == {"1": "新", "2": "旧"}
    with city.database.read() as connection:
        assert count_records(connection) == {"cameras": 2}


def test_rows_without_an_id_or_with_a_rounded_one_are_refused_by_row(city):
    report = load_table(
        city, "cameras", CAMERA, ["", "无", *middle(0, 0)], ["3.21E+19", "整", *middle(0, 0)],
        ["7", "零", 0, 0], ["8", "好", *middle(0, 0)], ["8", "又", *middle(0, 0)],
    )  # fmt: skip
    assert [(fault.row, fault.key) for fault in report.faults] == [
        (1, "id_missing"), (2, "number_too_long"), (3, "place_zero"),
    ]  # fmt: skip
    assert (report.rows, report.accepted, report.refused) == (5, 2, 3)
    assert [note.values for note in report.notes if note.key == "report.ids_twice"] == [{"n": "1"}]
    assert records(city, "cameras")["name"].tolist() == ["又"]


def test_things_without_an_id_column_get_ids_by_content_that_last(city):
    rows = [["路口", *middle(0, 0)], ["路口", *middle(0, 0)], ["桥头", *middle(1, 1)]]
    report = load_table(city, "cameras", CAMERA[1:], *rows)
    assert "report.ids_made" in [note.key for note in report.notes]
    first = records(city, "cameras")
    assert len(first) == 3  # two equal rows are two cameras
    load_table(city, "cameras", CAMERA[1:], *rows[::-1])
    assert records(city, "cameras")["id"].tolist() == first["id"].tolist()


def test_places_need_a_kind(city):
    with pytest.raises(BadFile) as refused:
        load_table(city, "places", ("id", "name", "lon", "lat"), ["1", "某校", *middle(0, 0)])
    said = in_both(refused.value)
    for part in ("kind", "--map kind=", "name", "lon"):
        assert part in said
    load_table(city, "places", ("id", "类型", "lon", "lat"), ["1", "school", *middle(0, 0)])
    assert records(city, "places")["kind"].tolist() == ["school"]


def test_points_and_polygons_of_a_geojson_are_places(city, tmp_path):
    shapes = [
        (shapely.centroid(square(0, 0)), {"id": "P", "kind": "school"}),
        (square(2, 2, wide=0.5, high=0.5), {"id": "A", "kind": "park", "容量": "900"}),
    ]
    load_one(city, "places", write_shapes(tmp_path / "places.geojson", shapes))
    places = load_facts(city, now=NOW).places.set_index("id")
    finest = city.grids_in_force(NOW).finest()["code"]
    assert finest.iloc[places.at["A", "owner"]] == grid_code(2, 2)
    assert places.at["A", "capacity"] == "900"


def test_further_columns_are_kept(city):
    load_table(city, "cameras", (*CAMERA, "limit_kmh"), ["1", "x", *middle(0, 0), "60"])
    assert records(city, "cameras")["limit_kmh"].tolist() == ["60"]


def test_a_record_dated_ahead_counts_from_its_day(city):
    load_table(city, "cameras", CAMERA, ["1", "旧", *middle(0, 0)])
    load_table(city, "cameras", CAMERA, ["1", "新", *middle(0, 0)], valid_from=NOW + DAY)
    assert records(city, "cameras")["name"].tolist() == ["旧"]
    assert records(city, "cameras", at=NOW + DAY)["name"].tolist() == ["新"]


# --- tables that cases are judged by -------------------------------------------------------------

KIND = ("code", "name_zh", "category", "limit", "limit_unit")


def overdue(city: City) -> int:
    facts = load_facts(city, now=NOW)
    return int((facts.states(NOW) == 2).sum())


def test_kinds_loaded_after_the_incidents_set_their_deadlines_in_the_same_moment(city, tmp_path):
    rows = [[*row[:9], ""] for row in incident_rows()]  # no deadline of their own
    load_one(city, "incidents", write_table(tmp_path / "i.csv", INCIDENT_COLUMNS, rows))
    assert overdue(city) == 0
    revision = city.database.revision()
    limits = [[name, name, "市容", 30, "minutes"] for name in ("占道经营", "路面破损", "积水")]
    load_table(city, "kinds", KIND, *limits)
    assert city.database.revision() == revision + 1
    assert overdue(city) > 0


def test_a_calendar_moves_deadlines_in_working_days(city, tmp_path):
    # 2026-05-29 is a Friday; its Saturday is made a working day.
    rows = [["1", "2026-05-29 10:00", "积水", *middle(0, 0), *[""] * 5]]
    load_one(city, "incidents", write_table(tmp_path / "i.csv", INCIDENT_COLUMNS, rows))
    load_table(city, "kinds", KIND, ["积水", "积水", "市政", 1, "working_days"])

    def due() -> int:
        with city.database.read() as connection:
            return connection.execute("SELECT due_at FROM incident").fetchone()[0]

    monday = due()
    load_table(city, "calendar", ("date", "working", "name"), ["2026-05-30", "是", "调休上班"])
    assert monday - due() == 2 * DAY


def test_bodies_and_kinds_need_their_names(city):
    for kind, columns in (("bodies", ("body",)), ("kinds", ("code", "name_zh"))):
        with pytest.raises(BadFile) as refused:
            load_table(city, kind, columns, ["1"] * len(columns))
        assert "--map" in in_both(refused.value)


def test_a_dry_run_of_every_kind_writes_nothing(city, tmp_path):
    revision = city.database.revision()
    columns = ("camera_id", "id", "code", "body", "date", "name_zh", "category", "kind", "working",
               "alias", "lon", "lat")  # fmt: skip
    row = ["1", "1", "1", "1", "2026-01-01", "x", "x", "x", "是", "x", *middle(0, 0)]
    for kind in RECORD_KINDS:
        if RECORD_KINDS[kind].shaped:
            continue  # no table
        report = load_table(city, kind, columns, row, dry_run=True)
        assert report.accepted == 1, kind
    assert city.database.revision() == revision
    with city.database.read() as connection:
        assert not count_records(connection)


# --- the base map --------------------------------------------------------------------------------


def test_each_layer_of_the_base_map_is_replaced_as_a_whole(city, tmp_path):
    roads = [(shapely.LineString([(500_000, 3_600_000), (500_500, 3_600_300)]), {"name": "龙川路"})]
    file = write_shapes(tmp_path / "roads.geojson", roads)
    load_one(city, "basemap", file)
    load_one(city, "basemap", file)
    found = load_base(city.base_folder)
    assert list(found) == ["roads"]
    assert len(found["roads"]) == 1
    assert found["roads"].crs == city.crs
    assert not list(city.base_folder.glob("*.part"))


def test_a_base_map_layer_is_named_by_its_file_or_by_level(city, tmp_path):
    parks = [(square(0, 0), {"name": "公园"})]
    file = write_shapes(tmp_path / "parks_2026.geojson", parks)
    with pytest.raises(BadSetting) as refused:
        load_one(city, "basemap", file)
    assert all(name in in_both(refused.value) for name in BASE_LAYERS)
    load_one(city, "basemap", file, level="green")
    assert isinstance(load_base(city.base_folder)["green"], geopandas.GeoDataFrame)


def test_a_dry_run_of_a_base_map_leaves_no_file(city, tmp_path):
    file = write_shapes(tmp_path / "green.geojson", [(square(0, 0), {})])
    load_one(city, "basemap", file, dry_run=True)
    assert not load_base(city.base_folder)


# --- kinds of load -------------------------------------------------------------------------------


def test_an_unknown_kind_is_refused_with_the_known_ones(city):
    with pytest.raises(BadSetting) as refused:
        load(city, "kittens", city.folder / "x.csv")
    assert all(kind in in_both(refused.value) for kind in KINDS)


def test_every_kind_of_record_has_a_name_people_know():
    assert {say(f"record.{kind}", lang) for kind in RECORD_KINDS for lang in LANGS}


def test_things_with_places_need_a_coordinate_system_first(tmp_path):
    city = create_city(tmp_path / "bare", {"name_zh": "小城"})
    with pytest.raises(GetuError) as refused:
        load_table(city, "cameras", CAMERA, ["1", "x", *middle(0, 0)])
    assert "init --crs" in in_both(refused.value)


def test_a_count_holds_from_its_day_on_and_the_earlier_one_before(city):
    columns = ("code", "households", "valid_from")
    load_table(city, "counts", columns, ["A", 300, "2025-01-01"], ["A", 320, "2026-01-01"])
    then, now = (records(city, "counts", at=day)["households"] for day in (1_760_000_000, NOW))
    assert (then.item(), now.item()) == ("300", "320")


def test_a_count_that_is_no_number_is_refused_by_row_and_column(city):
    columns = ("网格编码", "户数")
    report = load_table(city, "counts", columns, ["A", "300"], ["B", "约三百"], ["C", "-1"])
    assert [(fault.row, fault.field, fault.key) for fault in report.faults] == [
        (2, "户数", "number_unreadable"),
        (3, "户数", "number_unreadable"),
    ]


def test_limits_may_be_written_in_chinese_and_an_unknown_unit_is_refused(city):
    columns = ("编码", "名称", "大类", "时限", "时限单位")
    rows = ["01", "暴露垃圾", "环卫", 4, "工作小时"], ["02", "井盖缺失", "市政", 2, "炷香"]
    report = load_table(city, "kinds", columns, *rows)
    assert [(fault.row, fault.key) for fault in report.faults] == [(2, "choice_unknown")]
    assert records(city, "kinds")["limit_unit"].tolist() == ["working_hours"]


def test_a_line_of_the_matrix_is_one_for_its_kind_and_area(city):
    columns = ("类别", "区域", "责任单位")
    load_table(city, "matrix", columns, ["01", "A", "市政"], ["01", "B", "环卫"])
    load_table(city, "matrix", columns, ["01", "A", "城管"])
    lines = records(city, "matrix")
    assert dict(zip(lines["id"], lines["body"], strict=True)) == {"01@A": "城管", "01@B": "环卫"}


# --- codes, lines and blocks ---------------------------------------------------------------------

COMPONENT = ("部件编码", "类别", "lon", "lat")


def notes_of(report: LoadReport, key: str = "report.codes") -> dict[str, tuple]:
    return {
        note.values["what"].key.split(".")[1]: (note.values["n"], note.values["examples"])
        for note in report.notes
        if note.key == key
    }


def test_components_codes_are_held_against_the_rule_one_another_and_the_city(city):
    rows = [
        ["3210120101000001", "灯", *middle(0, 0)], ["3210120101000002", "灯", *middle(0, 0)],
        ["3210120101000002", "灯", *middle(0, 0)], ["32101201", "灯", *middle(0, 0)],
        ["9999990101000001", "灯", *middle(0, 0)],
    ]  # fmt: skip
    report = load_table(city, "components", COMPONENT, *rows)
    assert report.accepted == 5
    assert notes_of(report) == {
        "misfit": ("1", ("32101201",)),
        "doubled": ("1", ("3210120101000002",)),
        "orphan": ("1", ("9999990101000001",)),
    }
    assert any("不合编码规则" in line for line in report.lines("zh"))


def test_components_without_an_id_get_one_built_from_its_parts(city):
    columns = ("district", "class", "subclass", "serial", "类别", "lon", "lat")
    rows = ["321012", "1", "2", "7", "灯", *middle(0, 0)], ["321012", "一", "2", "7", "灯", 0, 1]
    report = load_table(city, "components", columns, *rows)
    assert records(city, "components")["id"].tolist() == ["3210120102000007"]
    assert [fault.key for fault in report.faults] == ["id_missing"]


def test_a_city_that_codes_its_things_otherwise_is_told_once(city):
    report = load_table(city, "components", COMPONENT, ["L-1", "灯", *middle(0, 0)])
    assert [note.key for note in report.notes if "codes" in note.key] == ["report.codes_other"]


def test_camera_ids_are_parsed_and_held_against_where_they_stand(city):
    rows = [
        ["32101200001320000001", "好", *middle(0, 0)],
        ["32101200001180000001", "录", *middle(0, 0)],
        ["34020000001320000001", "远", *middle(0, 0)], ["C-7", "旧", *middle(0, 0)],
    ]  # fmt: skip
    found = notes_of(load_table(city, "cameras", CAMERA, *rows))
    assert {name: examples for name, (_, examples) in found.items()} == {
        "misfit": ("C-7",),
        "no_camera": ("32101200001180000001",),
        "elsewhere": ("34020000001320000001",),
    }


def test_lines_and_blocks_keep_their_shape_and_lie_where_they_are(city, tmp_path):
    river = shapely.LineString([(500_010, 3_600_010), (500_390, 3_600_190)])
    load_one(
        city, "lines", write_shapes(tmp_path / "l.geojson", [(river, {"id": "R1", "kind": "河段"})])
    )
    block = square(1, 1, wide=0.5, high=0.5)
    load_one(
        city, "blocks",
        write_shapes(tmp_path / "b.geojson", [(block, {"id": "B1", "households": "120"})]),
    )  # fmt: skip
    (line,), (area,) = (records(city, kind).to_dict("records") for kind in ("lines", "blocks"))
    assert shapely.equals_exact(shapely.from_wkt(line["shape"]), river, tolerance=0.002)
    assert shapely.from_wkt(area["shape"]).area == pytest.approx(block.area, rel=1e-5)
    assert area["households"] == "120"
    assert shapely.covers(block, shapely.Point(area["x_mm"] / 1000, area["y_mm"] / 1000))


def test_a_table_of_lines_is_refused_for_want_of_shapes(city):
    with pytest.raises(BadFile) as refused:
        load_table(city, "lines", ("id", "kind"), ["R1", "河段"])
    assert "GeoJSON" in in_both(refused.value)


def test_an_area_brought_as_a_camera_becomes_a_point_and_is_told(city):
    shapes = [
        (shapely.Point(middle(0, 0)), {"camera_id": "1"}),
        (square(1, 1), {"camera_id": "2"}),
    ]
    report = load_one(city, "cameras", write_shapes(city.folder / "视频.geojson", shapes))
    kept = records(city, "cameras")
    assert kept[["x_mm", "y_mm"]].notna().all(axis=None)
    assert [line for line in report.lines("zh") if "1 行不是点" in line and "第 2 行" in line]
    assert [line for line in report.lines("en") if "no point: 1 (rows 2)" in line]


def test_a_place_far_beside_the_city_is_named_by_its_row(city):
    rows = [["1", "一号", *middle(0, 0)], ["2", "二号", 121.4, 31.2]]
    for dry in (True, False):
        report = load_table(city, "cameras", CAMERA, *rows, dry_run=dry)
        assert report.accepted == 2
        assert [line for line in report.lines("zh") if "5 公里以上" in line and "第 2 行" in line]
        assert [line for line in report.lines("en") if "5 km" in line and "(rows 2)" in line]
    cases = [(*INCIDENT_COLUMNS,), *incident_rows(4)]
    lon, lat = (INCIDENT_COLUMNS.index(name) for name in ("lon", "lat"))
    cases[3][lon], cases[3][lat] = 121.4, 31.2
    table = write_table(city.folder / "案件.csv", cases[0], cases[1:])
    (note,) = [
        note for note in load_one(city, "incidents", table).notes if note.key == "report.far"
    ]
    assert note.values["rows"] == ("3",)
