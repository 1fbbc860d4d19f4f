"""Every file of the real data sets loads with a report, or is refused with feature and cause."""

from collections import Counter

import numpy as np
import pytest
import shapely

from geodata.errors import BadFile, BadSetting
from geodata.reading import read_geometries, read_table

# rows, repaired, faults by key
GEOMETRIES = {
    "messy_boundaries/Ahmedabad/Wards.geojson": (48, 0, {}),
    "messy_boundaries/Bangalore/BBMP.geojson": (243, 6, {}),
    "messy_boundaries/Bhopal/Bhopal_wards.geojson": (86, 1, {"shape_open_ring": 1}),
    "messy_boundaries/Bhopal/Ward Map of Bhopal.kml": (86, 1, {"shape_open_ring": 1}),
    "messy_boundaries/Vadodara/vadodara_wards.kml": (12, 2, {}),
    "messy_boundaries/Pune/pune-electoral-wards_2012.geojson": (76, 0, {}),
    "messy_boundaries/Pune/pune-electoral-wards_2022.geojson": (58, 0, {}),
    "messy_boundaries/Vadodara/vardodara_wards.geojson": (12, 2, {}),
    "china_districts/districts_amap_wgs84.geojson": (56, 0, {}),
    "china_districts/districts_tianditu_wgs84.geojson": (56, 0, {}),
    "china_districts/gcj02_invalid/an1_hui1_wu2_hu2.geojson": (8, 4, {}),
    "china_districts/gcj02_invalid/jiang1_su1_nan2_jing1.geojson": (11, 10, {}),
    "china_districts/gcj02_invalid/jiang1_su1_yang2_zhou1.geojson": (6, 5, {}),
    "taiwan_cameras/cameras.geojson": (2512, 0, {}),
    "shanghai_poi/shanghai_shp/区县界_area.shp": (17, 0, {}),
    "shanghai_poi/shanghai_shp": (17, 0, {}),
    "shanghai_poi/chongqing_shp/区县界_area.shp": (38, 0, {}),
    "shanghai_poi/shenzhen_grid/grid.shp": (9005, 0, {}),
    "shanghai_poi/shenzhen_grid/sz.shp": (10, 0, {}),
    "shanghai_poi/metroline2/metroline2.shp": (2, 0, {}),
} | {
    f"west_yorkshire_police/{level}_{place}.geojson": (rows, repaired, {})
    for level, counts in {
        "lsoa": ((310, 2), (128, 0), (259, 3), (482, 2), (209, 1)),
        "msoa": ((61, 0), (27, 0), (59, 3), (107, 1), (45, 0)),
        "wards": ((30, 0), (17, 0), (23, 0), (33, 0), (21, 0)),
    }.items()
    for place, (rows, repaired) in zip(
        (
            "bradford_E08000032",
            "calderdale_E08000033",
            "kirklees_E08000034",
            "leeds_E08000035",
            "wakefield_E08000036",
        ),
        counts,
        strict=True,
    )
}
TABLES = {
    "west_yorkshire_police/2016-07-west-yorkshire-street.csv.gz": (27_176, 25_829),
    "west_yorkshire_police/2017-07-west-yorkshire-street.csv.gz": (28_537, 26_996),
    "west_yorkshire_police/2018-07-west-yorkshire-street.csv.gz": (31_635, 30_752),
    "taiwan_cameras/NPA_TD1.csv": (2410, 2407),
    "boston311_100/boston311-100.csv": (100, 100),
    "shanghai_poi/metrostop2.csv": (60, 60),
    "shanghai_poi/poi/shanghai_bus.csv": (10_186, 10_186),
    "shanghai_poi/poi/shanghai_food.csv": (14_398, 14_398),
    "shanghai_poi/poi/shanghai_hospital.csv": (7513, 7513),
    "shanghai_poi/poi/shanghai_hotpot.csv": (2510, 2510),
    "shanghai_poi/poi/shanghai_school.csv": (6150, 6150),
    "shanghai_poi/poi/shanghai_Theatr_Cinema.csv": (753, 753),
    "shanghai_poi/poi/shanghai_urban.csv": (449, 449),
    "shanghai_poi/poi/小学.csv": (931, 931),
    "shanghai_poi/poi/中学.csv": (983, 983),
}
REFUSED = {
    "west_yorkshire_police/leeds_university.osm.pbf": "format_unknown",
    "taiwan_cameras/towns-10t.json": "layer_unclear",
    "taiwan_cameras/counties-10t.json": "layer_unclear",
    "shanghai_poi/shenzhen_grid": "layer_unclear",
}


@pytest.mark.parametrize("name", GEOMETRIES)
def test_a_real_boundary_file_loads_with_its_report(shared_data, name):
    rows, repaired, faults = GEOMETRIES[name]
    reading = read_geometries(shared_data / name)
    assert (reading.rows, reading.repaired) == (rows, repaired)
    assert Counter(fault.key for fault in reading.faults) == faults
    assert len(reading.accepted) == rows - sum(faults.values())
    assert reading.dropped_columns == []
    assert reading.crs.label == "EPSG:4326"
    shapes = reading.accepted.geometry
    assert shapes.is_valid.all()
    assert not shapes.has_z.any()
    assert not shapes.is_empty.any()
    for remark in (*reading.faults, *reading.notes):
        assert remark.sentence("zh")
        assert remark.sentence("en")


@pytest.mark.parametrize("name", TABLES)
def test_a_real_table_loads_with_its_report(shared_data, name):
    rows, located = TABLES[name]
    reading = read_table(shared_data / name)
    assert (reading.rows, len(reading.accepted)) == (rows, located)
    assert int(np.isfinite(reading.x).sum()) == located
    assert reading.dropped_columns == []
    assert not any(note.key.startswith("personal") for note in reading.notes)


@pytest.mark.parametrize("name", REFUSED)
def test_a_real_file_of_another_kind_is_refused_with_the_cause(shared_data, name):
    with pytest.raises((BadFile, BadSetting)) as error:
        read_geometries(shared_data / name)
    assert [fault.key for fault in error.value.faults] == [REFUSED[name]]


def test_no_real_file_is_left_out(shared_data):
    known = {*GEOMETRIES, *TABLES, *REFUSED}
    beside = {".shx", ".dbf", ".prj", ".cpg", ".md", ".txt", ""}
    files = {
        path.relative_to(shared_data).as_posix()
        for path in shared_data.rglob("*")
        if path.is_file() and path.suffix not in beside and not path.name.startswith("LICENSE")
    }
    assert files <= known


def test_bhopals_open_ring_is_named_with_its_gap(shared_data):
    reading = read_geometries(shared_data / "messy_boundaries/Bhopal/Bhopal_wards.geojson")
    (fault,) = reading.faults
    assert fault.row == 58
    assert fault.values["gap_m"] == pytest.approx(520, abs=1)
    assert reading.frame.geometry[58] is None
    assert reading.frame["Name"].str.len().gt(0).sum() == 86


def test_exclaves_that_were_written_as_holes_are_kept(shared_data):
    reading = read_geometries(shared_data / "messy_boundaries/Bangalore/BBMP.geojson")
    changes = {n.row: n.values["area_change_m2"] for n in reading.notes}
    assert set(changes) == {1, 50, 61, 176, 189, 225}
    assert changes[1] == pytest.approx(2 * 510_243, rel=1e-4)
    # What the repair adds to ward 1 lies on no other ward.
    rest = shapely.union_all(reading.frame.geometry.drop(index=1).array)
    assert shapely.intersection(reading.frame.geometry[1], rest).area < 1e-9


def test_chinese_names_in_gbk_without_cpg_are_right(shared_data):
    reading = read_geometries(shared_data / "shanghai_poi/shanghai_shp/区县界_area.shp")
    assert reading.encoding == "gb18030"
    assert {"闸北区", "崇明县", "浦东新区"} <= set(reading.frame["NAME"])
    grid = read_geometries(shared_data / "shanghai_poi/shenzhen_grid/grid.shp", isolated=True)
    assert [note.key for note in grid.notes] == ["reading.assumed_lonlat"]
    assert grid.rows == 9005


def test_the_code_of_an_echarts_district_is_kept(shared_data):
    folder = shared_data / "china_districts/gcj02_invalid"
    reading = read_geometries(folder / "jiang1_su1_nan2_jing1.geojson", crs="GCJ-02")
    assert reading.frame["id"].iloc[0] == "320102"
    assert reading.frame["name"].iloc[0] == "玄武区"
    assert reading.crs.kind == "gcj02"
    assert reading.frame.crs is None


def test_the_towns_of_taiwan_are_unrolled_without_a_seam(shared_data):
    reading = read_geometries(shared_data / "taiwan_cameras/towns-10t.json", layer="towns")
    assert (reading.rows, reading.repaired, reading.faults) == (368, 0, [])
    whole = shapely.union_all(reading.frame.geometry.array)
    assert whole.area == pytest.approx(shapely.area(reading.frame.geometry.array).sum(), rel=1e-9)


def test_the_second_header_of_the_police_file_is_skipped(shared_data):
    reading = read_table(shared_data / "taiwan_cameras/NPA_TD1.csv")
    assert [note.key for note in reading.notes] == [
        "reading.header_repeated",
        "reading.assumed_lonlat",
    ]
    assert Counter(fault.key for fault in reading.faults) == {"place_zero": 3}
    assert reading.frame["CityName"].iloc[0] == "連江縣"


def test_blanks_that_are_single_spaces_become_empty(shared_data):
    reading = read_table(shared_data / "boston311_100/boston311-100.csv")
    assert not reading.frame.isin([" "]).any().any()
    assert (reading.frame["closed_dt"] == "").any()
    assert reading.frame["case_enquiry_id"].str.fullmatch(r"\d{12}").all()
