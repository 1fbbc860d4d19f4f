"""The boundary check finds what was planted, no more and no less, and survives any input."""

from __future__ import annotations

import json

import geopandas as gpd
import numpy as np
import pytest
import shapely
from hypothesis import given, settings
from hypothesis import strategies as st

from geodata.codes import UNIT_GRID_15, CodeOrder
from geodata.coverage import check_coverage
from geodata.errors import BadGrid
from tests.geodata.tilings import Tiling, frame, square


def test_a_seamless_drawing_has_no_findings() -> None:
    report = check_coverage(Tiling(4, 5, seed=1).frame())
    assert not report.has_faults
    assert report.gaps == report.overlaps == report.slivers == report.tri_junctions == ()
    assert report.repaired_area_m2 == 0
    assert report.good_junctions == 3 * 4  # the inner corners; each joins four cells


def test_a_missing_cell_is_one_gap_between_its_neighbours() -> None:
    grids = Tiling(3, 3, seed=2).frame()
    missing = grids.geometry[4]
    report = check_coverage(grids.drop(index=4))
    (gap,) = report.gaps
    assert gap.fault
    assert gap.kind == "gap"
    assert gap.area_m2 == pytest.approx(missing.area)
    assert gap.between == ("001", "003", "005", "007")
    assert missing.contains(shapely.Point(gap.x, gap.y))
    assert gap.geometry.equals(missing)


def test_a_hole_in_one_grid_alone_is_an_enclave_and_no_fault() -> None:
    park = square(10, 10, 20, 20)
    report = check_coverage(frame([square(0, 0, 40, 40).difference(park)]))
    (gap,) = report.gaps
    assert (gap.kind, gap.fault, gap.between) == ("enclave", False, ("000",))
    assert not report.has_faults
    assert report.repaired_area_m2 == 0


def test_a_hole_that_another_grid_fills_is_nothing() -> None:
    park = square(10, 10, 20, 20)
    report = check_coverage(frame([square(0, 0, 40, 40).difference(park), park]))
    assert report.gaps == report.overlaps == ()


def test_slots_open_to_the_outside_are_found_by_width() -> None:
    strips = [square(0, 0, 10, 100), square(10.2, 0, 20, 100), square(20.04, 0, 30, 100)]
    report = check_coverage(frame(strips))
    (slot,) = report.gaps
    assert (slot.kind, slot.fault, slot.between) == ("slot", True, ("000", "001"))
    assert slot.area_m2 == pytest.approx(20.0, rel=1e-3)  # its mouth is rounded
    assert report.hairline_gaps.count == 1  # 4 cm wide and 4 m2 large: a hairline all the same
    assert report.hairline_gaps.area_m2 == pytest.approx(4.0, rel=1e-3)


def test_steps_and_notches_of_the_outline_are_no_slots() -> None:
    uneven = [square(0, 0, 50, 40), square(50, 0, 60, 39.9), square(60, 0, 110, 40)]
    wedge = shapely.Polygon([(p[0] + 500_110, p[1] + 3_600_000) for p in ((0, 0), (9, 40), (9, 0))])
    report = check_coverage(frame([*uneven, wedge]))
    assert report.gaps == ()


def test_a_special_grid_over_a_general_one_is_no_fault() -> None:
    kinds = ["general", "special", "special"]
    polygons = [square(0, 0, 40, 40), square(10, 10, 20, 20), square(15, 10, 25, 20)]
    report = check_coverage(frame(polygons, kind=kinds))
    found = {pair.between: (pair.kind, pair.fault) for pair in report.overlaps}
    assert found == {
        ("000", "001"): ("special", False),
        ("000", "002"): ("special", False),
        ("001", "002"): ("overlap", True),  # two special grids claim one place
    }


def test_many_small_overlaps_of_a_pair_add_up_to_a_fault() -> None:
    teeth = [square(9.4, y, 10, y + 1) for y in range(0, 20, 2)]  # 0.6 m2 each, ten of them
    left = shapely.union_all([square(0, 0, 10, 30)])
    right = shapely.union_all([square(10, 0, 20, 30), *teeth])
    (pair,) = check_coverage(frame([left, right])).overlaps
    assert pair.pieces == 10
    assert pair.area_m2 == pytest.approx(6.0)
    assert pair.fault


def test_slivers_are_named_whole_or_in_part() -> None:
    far = square(100, 0, 100.3, 2)
    grids = frame(
        [
            square(0, 0, 10, 30),
            square(10, 0, 10.4, 30),
            shapely.multipolygons([square(10.4, 0, 20, 30), far]),
        ]
    )
    slivers = {sliver.code: sliver for sliver in check_coverage(grids).slivers}
    assert set(slivers) == {"001", "002"}
    assert slivers["001"].whole
    assert slivers["001"].fault
    assert slivers["001"].width_m == pytest.approx(12 / 30.4)
    assert not slivers["002"].fault  # 0.6 m2: the repair gives it away


def test_junctions_that_miss_one_point_are_named_with_the_distance() -> None:
    left, upper = square(0, 0, 10, 20), square(10, 10, 20, 20)
    lower = shapely.Polygon(shapely.get_coordinates(square(10, 0, 20, 10)))
    report = check_coverage(frame([left, lower, upper]))
    assert (report.good_junctions, report.tri_junctions) == (1, ())
    corner = np.array([500_010, 3_600_010])
    east = np.array([0.3, 0])
    cut_off = shapely.transform(upper, lambda xy: np.where(xy == corner, xy + east, xy))
    (place,) = check_coverage(frame([left, lower, cut_off])).tri_junctions
    assert place.codes == ("000", "001", "002")
    assert place.miss_m == pytest.approx(0.3, abs=0.01)
    assert not place.repairable
    assert np.hypot(*(np.array([place.x, place.y]) - corner)) < 1


def test_nesting_names_the_share_outside_and_what_is_left_uncovered() -> None:
    polygons = [square(0, 0, 100, 100), square(0, 0, 60, 100), square(60, 0, 110, 80)]
    grids = frame(
        polygons,
        code=["A", "A1", "A2"],
        level=["community", "grid", "grid"],
        parent=["", "A", "A"],
    )
    found = {(item.kind, item.code): item for item in check_coverage(grids).nesting}
    assert set(found) == {("outside", "A2"), ("uncovered", "A")}
    assert found["outside", "A2"].share == pytest.approx(0.2)
    assert found["uncovered", "A"].area_m2 == pytest.approx(800)
    assert all(item.fault for item in found.values())


def test_a_branch_that_ends_further_out_stands_for_its_grids() -> None:
    grids = frame(
        [square(0, 0, 50, 50), square(50, 0, 100, 50), square(0, 0, 50, 20), square(0, 20, 50, 50)],
        code=["A", "B", "A1", "A2"],
        level=["community", "community", "grid", "grid"],
        parent=["", "", "A", "A"],
    )
    report = check_coverage(grids)
    assert not report.has_faults
    assert report.good_junctions == 1  # A1, A2 and B, at grid level


def test_codes_twice_and_codes_against_the_rule_are_named() -> None:
    codes = ["321012101001001", "321012101001001", "32101210100100X", "99"]
    report = check_coverage(
        frame([square(x, 0, x + 10, 10) for x in range(0, 40, 10)], code=codes),
        code_rule=UNIT_GRID_15,
    )
    (double,) = report.codes.duplicates
    assert (double.code, double.rows) == (codes[0], (1, 2))
    assert report.codes.unread == ("99",)
    assert [fault.key for fault in report.faults(refusing_only=True)] == ["grid_code_twice"]


def test_serials_that_step_north_west_are_listed_as_information() -> None:
    places = [(0, 10), (10, 10), (0, 0), (10, 0)]
    cells = [square(x, y, x + 10, y + 10) for x, y in places]

    def orders(*serials: int) -> tuple[CodeOrder, ...]:
        grids = frame(cells, code=[f"321012101001{serial:03d}" for serial in serials])
        return check_coverage(grids, code_rule=UNIT_GRID_15).codes.order

    assert orders(1, 2, 3, 4) == ()  # rows from the north
    assert orders(1, 3, 2, 4) == ()  # columns from the west: the standard allows that reading
    (order,) = orders(3, 1, 4, 2)
    assert (order.parent, order.steps, order.against) == ("321012101001", 3, 1)
    assert order.codes == (("321012101001002", "321012101001003"),)


def _nan_triangle() -> shapely.Polygon:
    wkb = shapely.to_wkb(shapely.Polygon([(0, 0), (7, 3), (5, 9)]), byte_order=1)
    with np.errstate(invalid="ignore"):
        return shapely.from_wkb(wkb.replace(np.float64(7).tobytes(), np.float64("nan").tobytes()))


def test_any_geometry_is_survived_and_named() -> None:
    bow_tie = shapely.Polygon([(0, 0), (10, 10), (10, 0), (0, 10)])
    grids = frame(
        [
            None,
            shapely.Point(1, 1),
            shapely.LineString([(0, 0), (1, 1)]),
            shapely.Polygon(),
            shapely.GeometryCollection([shapely.Point(0, 0), shapely.box(0, 0, 5, 5)]),
            bow_tie,
            _nan_triangle(),
            shapely.Polygon([(20, 20), (30, 20), (25, 20)]),
            shapely.Polygon([(40, 0, 7), (50, 0, 7), (50, 9, 7)]),
        ]
    )
    report = check_coverage(grids)
    assert report.unusable == ("000", "001", "002", "003", "006", "007")
    assert report.invalid == ("005", "007")
    assert report.overlaps[0].area_m2 == pytest.approx(12.5)  # both lobes of the bow tie are land
    json.dumps(report.as_json())


def test_no_grids_at_all_are_no_faults() -> None:
    assert not check_coverage(frame([])).has_faults


@pytest.mark.parametrize("crs", [None, "EPSG:4490"])
def test_degrees_and_missing_systems_are_refused(crs: str | None) -> None:
    grids = gpd.GeoDataFrame({"code": ["1"]}, geometry=[shapely.box(0, 0, 1, 1)], crs=crs)
    with pytest.raises(BadGrid) as caught:
        check_coverage(grids)
    assert [fault.key for fault in caught.value.faults] == ["grid_crs_not_metric"]


def test_every_fault_is_said_in_both_languages() -> None:
    polygons = [square(0, 0, 100, 100), square(0, 0, 60, 100), square(50, 0, 110, 70)]
    grids = frame(
        [*polygons, square(110, 0, 110.2, 40), shapely.Polygon(), square(0, 0, 9, 9)],
        code=["A", "A1", "A2", "A3", "A4", "A1"],
        level=["community", *["grid"] * 5],
        parent=["", *["A"] * 5],
    )
    faults = check_coverage(grids).faults()
    assert {fault.key for fault in faults} >= {
        "grid_code_twice",
        "grid_no_land",
        "grid_overlap",
        "grid_sliver",
        "grid_outside",
        "grid_uncovered",
    }
    for fault in faults:
        assert fault.sentence("zh") != fault.sentence("en")


@settings(max_examples=30)
@given(
    seed=st.integers(0, 2**16),
    size=st.tuples(st.integers(2, 4), st.integers(2, 5)),
    data=st.data(),
)
def test_the_check_finds_exactly_what_was_planted(
    seed: int, size: tuple[int, int], data: st.DataObject
) -> None:
    tiling = Tiling(*size, seed=seed)
    edges = tiling.inner_edges()
    chosen = data.draw(st.lists(st.sampled_from(range(len(edges))), unique=True, max_size=6))
    gaps, overlaps, hair = {}, {}, {"gap": 0.0, "overlap": 0.0}
    for at in chosen:
        edge = edges[at]
        pair = (f"{edge.cell:03d}", f"{edge.beside:03d}")
        depth = data.draw(st.sampled_from([-40, -9, 7, 31]) | st.integers(1000, 5000))
        sign = data.draw(st.sampled_from([1, -1])) if depth > 100 else 1
        area = tiling.plant(edge, sign * depth)
        if depth > 100:
            (gaps if sign > 0 else overlaps)[pair] = area
        else:
            hair["gap" if depth > 0 else "overlap"] += area
    report = check_coverage(tiling.frame())
    assert {gap.between: gap.area_m2 for gap in report.gaps} == pytest.approx(gaps)
    assert {pair.between: pair.area_m2 for pair in report.overlaps} == pytest.approx(overlaps)
    assert all(found.fault for found in (*report.gaps, *report.overlaps))
    assert report.hairline_gaps.area_m2 == pytest.approx(hair["gap"], rel=1e-6, abs=1e-6)
    assert report.hairline_overlaps.area_m2 == pytest.approx(hair["overlap"], rel=1e-6, abs=1e-6)
    assert report.repaired_area_m2 == pytest.approx(sum(hair.values()), rel=1e-6, abs=1e-6)
    assert report.slivers == ()
