"""Codes say their level and their parent; columns of real files are recognised."""

from __future__ import annotations

import geopandas as gpd
import numpy as np
import pytest

from geodata.codes import (
    COMMUNITY_GRID_20,
    UNIT_GRID_15,
    find_duplicates,
    find_prefix_parents,
    parse_rule,
)
from geodata.errors import BadGrid, BadSetting
from geodata.grids.columns import find_columns, read_columns
from geodata.levels import parse_levels
from tests.geodata.tilings import frame, square


@pytest.mark.parametrize(
    ("code", "level"),
    [
        ("321012", "district"),
        ("321012101", "street"),
        ("321012101001", "community"),
        ("321012101001007", "grid"),
        ("321012101000000", "street"),  # filled with zeros
        ("321012000000", "district"),
        ("32101210100100A", "grid"),
        ("32101", None),
        ("3210121010010071", None),
        ("000000000000000", None),
        ("321012-101", None),
    ],
)
def test_fifteen_digits_say_their_level(code: str, level: str | None) -> None:
    assert UNIT_GRID_15.level(code) == level


def test_twenty_digits_find_their_parent_through_the_object_class() -> None:
    rule = COMMUNITY_GRID_20
    assert rule.digits == 20
    grid, community = "01010232010510100203", "01010132010510100200"
    assert (rule.level(grid), rule.level(community)) == ("grid", "community")
    assert rule.key(grid, "community") == rule.key(community, "community") == "320105101002"
    assert find_prefix_parents([grid], [community], rule=rule).tolist() == [0]


def test_rules_are_read_from_settings() -> None:
    assert parse_rule("6+3+3+3") == UNIT_GRID_15
    assert parse_rule(str(COMMUNITY_GRID_20)) == COMMUNITY_GRID_20
    assert parse_rule("4+2+3+3+3").parts[0] == ("city", 4)
    assert parse_rule("community:12 + grid:3").level("320105101002") == "community"


@pytest.mark.parametrize(
    "text", ["", "six", "6+3+x", "6+grid:3", "grid:3+street:3", "grid:3+grid:3", "1+1+1+1+1+1"]
)
def test_rules_that_cannot_be_are_refused(text: str) -> None:
    with pytest.raises(BadSetting):
        parse_rule(text)


def test_prefixes_without_a_rule_need_parents_of_one_length() -> None:
    assert find_prefix_parents(["320102001", "320199001"], ["320102"]).tolist() == [0, -1]
    assert find_prefix_parents(["101", "11"], ["1", "10"]).tolist() == [-1, -1]
    assert find_prefix_parents(["101"], ["1"]).tolist() == [-1]
    assert find_prefix_parents(["320102"], ["320102"]).tolist() == [-1]
    assert find_prefix_parents(["a"], []).tolist() == [-1]


def test_a_rule_climbs_past_a_level_that_is_missing() -> None:
    found = find_prefix_parents(
        ["321012101001007", "321012102001001"], ["321012101", "321012"], rule=UNIT_GRID_15
    )
    assert found.tolist() == [0, 1]


def test_one_code_on_two_levels_is_no_duplicate() -> None:
    assert find_duplicates(["1", "1"], ["street", "grid"]) == []
    (double,) = find_duplicates(["1", "2", "1"], ["grid"] * 3)
    assert double.as_json() == {"code": "1", "level": "grid", "rows": [1, 3]}


def test_level_words_and_numbers_are_understood() -> None:
    words = ["街道", "社区", "网格", "Street", "区级", "乾坤", "行政村 "]
    expected = ["street", "community", "grid", "street", "district", None, "community"]
    assert parse_levels(words) == expected
    assert parse_levels(["一级网格", "三级网格", "2"]) == ["street", "grid", "community"]


@pytest.mark.parametrize(
    ("columns", "code", "name"),
    [
        (["LSOA11CD", "LSOA11NM"], "LSOA11CD", "LSOA11NM"),
        (["KGISWardID", "LGD_WardCode", "KGISWardCode", "KGISTownCode", "KGISWardName"],
         "LGD_WardCode", "KGISWardName"),
        (["name", "wardnum"], "wardnum", "name"),
        (["wardnum", "origin", "Name1", "Name2"], "wardnum", "Name1"),
        (["ward_no", "ward_address", "ward_name"], "ward_no", "ward_name"),
        (["NAME", "PYNAME", "ADMINCODE"], "ADMINCODE", "NAME"),
        (["city_name", "city_adcode", "district_name", "district_adcode"],
         "district_adcode", "district_name"),
        (["网格名称", "网格编码", "所属社区编码"], "网格编码", "网格名称"),
        (["OBJECTID", "编号", "名称"], "编号", "名称"),
        (["id", "name", "childNum"], "id", "name"),
    ],
)  # fmt: skip
def test_columns_of_real_files_are_recognised(columns: list[str], code: str, name: str) -> None:
    rows = {column: [f"{column}-{row}" for row in range(3)] for column in columns}
    for repeated in ("city_adcode", "city_name", "KGISTownCode"):
        if repeated in rows:
            rows[repeated] = ["3210"] * 3
    found = find_columns(
        frame([square(x, 0, x + 1, 1) for x in range(3)], **rows).drop(columns="code")
    )
    assert (found["code"], found.get("name")) == (code, name)


def test_a_file_without_codes_is_refused_naming_its_columns() -> None:
    grids = gpd.GeoDataFrame({"Name": ["48 RAMOL"]}, geometry=[square(0, 0, 1, 1)], crs="EPSG:4549")
    with pytest.raises(BadGrid, match="Name"):
        find_columns(grids)
    assert find_columns(grids, {"code": "Name"}) == {"code": "Name"}
    with pytest.raises(BadGrid) as caught:
        find_columns(grids, {"code": "Nam", "colour": "Name"})
    assert [fault.key for fault in caught.value.faults] == [
        "grid_column_missing",
        "grid_field_unknown",
    ]


def test_codes_become_exact_text_or_are_refused() -> None:
    def codes(values: object) -> list[str]:
        grids = frame([square(x, 0, x + 1, 1) for x in range(2)], code=values)
        return read_columns(grids)[0]["code"].tolist()

    assert codes([1303139.0, 7.0]) == ["1303139", "7"]
    assert codes(["０1 ", "02"]) == ["01", "02"]
    assert codes(["321012101001001", "321012101001002"])[0] == "321012101001001"
    with pytest.raises(BadGrid) as caught:
        codes(np.array([3210121010010012, 3210121010010013]))
    assert [fault.key for fault in caught.value.faults] == ["grid_code_long"] * 2
    with pytest.raises(BadGrid) as caught:
        codes(["", "2"])
    assert [(fault.key, fault.row) for fault in caught.value.faults] == [("grid_code_empty", 1)]


def test_fields_are_read_and_other_columns_kept() -> None:
    grids = frame(
        [square(0, 0, 1, 1), square(1, 0, 2, 1)],
        网格类型=["专属网格", ""],
        户数=["1,204", "-"],
        层级=["社区", "网格"],
        责任单位=["城管", None],
        land_use=[3, 4],
    )
    table, columns = read_columns(grids)
    assert columns["kind"] == "网格类型"
    assert table["kind"].tolist() == ["special", "general"]
    assert table["level"].tolist() == ["community", "grid"]
    assert table["households"].tolist()[0] == 1204
    assert np.isnan(table["households"].tolist()[1])
    assert table["body"].tolist() == ["城管", ""]
    assert table["land_use"].tolist() == [3, 4]


def test_unknown_levels_are_refused_by_row() -> None:
    grids = frame([square(0, 0, 1, 1), square(1, 0, 2, 1)], level=["grid", "galaxy"])
    with pytest.raises(BadGrid) as caught:
        read_columns(grids)
    assert [(fault.key, fault.row) for fault in caught.value.faults] == [("grid_level_word", 2)]
    with pytest.raises(BadGrid):
        read_columns(grids, level="galaxy")


def test_levels_may_stand_in_the_codes() -> None:
    grids = frame([square(0, 0, 1, 1), square(1, 0, 2, 1)], code=["321012101", "321012101001007"])
    table, _ = read_columns(grids, code_rule=UNIT_GRID_15)
    assert table["level"].tolist() == ["street", "grid"]
