"""Promise: columns that name street and community become levels only where they say so plainly."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from geodata.city import City
from geodata.loading.report import LoadReport
from tests.city import NOW, grid_features, load_one, make_empty_city, write_shapes

Columns = Callable[[int, dict[str, Any]], dict[str, str]]


@pytest.fixture
def city(tmp_path: Path) -> City:
    return make_empty_city(tmp_path / "city")


def load_named(city: City, columns: Columns, **options: object) -> LoadReport:
    features = [
        (shape, {"网格编码": own["code"], "网格名称": own["name"], **columns(n, own)})
        for n, (shape, own) in enumerate(grid_features())
    ]
    return load_one(city, "grids", write_shapes(city.folder / "g.geojson", features), **options)


def list_areas(city: City) -> dict[str, list[str]]:
    system = city.grids_in_force(NOW)
    return {level: sorted(system.level(level)["name"]) for level in system.levels[:-1]}


def why_left(report: LoadReport) -> dict[tuple[str, ...], str]:
    left = [one.values for one in report.notes if one.key == "columns.levels_left"]
    return {one["columns"]: one["why"].key.removeprefix("columns.level_") for one in left}


def test_names_are_not_cut_by_digits_that_part_the_grids_otherwise(city: City) -> None:
    """Two communities by name, five by the first twelve digits: no community is made of either."""
    report = load_named(
        city,
        lambda n, _own: {
            "网格编码": f"32101200100{n // 2}{n:03d}",
            "社区": "甲社区" if n < 4 else "乙社区",
        },
    )
    assert list_areas(city) == {}
    assert why_left(report) == {("社区",): "cells"}
    assert "社区" in "".join(report.lines("zh"))


def test_two_streets_may_each_have_a_community_of_one_name(city: City) -> None:
    """The name parts the grids as the digits do, within its street."""
    load_named(
        city,
        lambda n, _own: {
            "网格编码": f"32101200{n // 6 + 1}00{n // 3 % 2 + 1}{n:03d}",
            "街道": ("甲街道", "乙街道")[n // 6],
            "社区": ("新华社区", "新路社区")[n // 3 % 2],
        },
    )
    assert list_areas(city) == {
        "street": ["乙街道", "甲街道"],
        "community": ["新华社区", "新华社区", "新路社区"],
    }


def test_the_file_s_own_parents_are_not_overruled(city: City) -> None:
    """上级编码 names communities: a street named beside it does not take their place."""
    report = load_named(city, lambda _n, own: {"上级编码": own["parent"], "街道": "仙女镇"})
    assert list(list_areas(city)) == ["community"]
    assert len(list_areas(city)["community"]) == 3
    assert why_left(report) == {("街道",): "parent"}


@pytest.mark.parametrize("options", [{}, {"parent": "社区代码"}], ids=["found", "told"])
def test_parents_that_mean_the_same_areas_are_no_contradiction(
    city: City, options: dict[str, str]
) -> None:
    """上级编码 and 社区代码 say the same of each grid: the levels come with their names."""
    report = load_named(
        city,
        lambda _n, own: {
            "上级编码": own["parent"],
            "社区代码": own["parent"],
            "社区": f"社区{own['parent'][-1]}",
            "街道": "仙女镇",
            "街道代码": own["code"][:9],
        },
        **options,
    )  # fmt: skip
    assert list_areas(city) == {"street": ["仙女镇"], "community": ["社区1", "社区2", "社区3"]}
    assert why_left(report) == {}


def test_levels_that_do_not_lie_one_in_the_other_are_left_and_told(city: City) -> None:
    """One community in two streets: neither level is made, and the report says which columns."""
    report = load_named(
        city,
        lambda n, own: {
            "社区代码": own["parent"], "社区": f"社区{own['parent'][-1]}",
            "街道代码": f"3210120{n % 2:02d}", "街道": f"街道{n % 2}",
        },
    )  # fmt: skip
    assert list_areas(city) == {}
    assert why_left(report) == {("街道代码", "街道", "社区代码", "社区"): "nest"}
