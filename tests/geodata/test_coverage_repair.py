"""The repair makes an exact tiling, gives away only what it may, and says what it did."""

from __future__ import annotations

import json

import geopandas as gpd
import numpy as np
import pytest
import shapely
from hypothesis import given, settings
from hypothesis import strategies as st

from geodata.coverage import check_coverage
from geodata.coverage.edges import edges_match, to_mm
from geodata.coverage.repair import RepairReport, repair_coverage
from geodata.errors import BadGrid
from tests.geodata.tilings import Tiling, frame, shake, square, twice_area_mm2, voronoi


def assert_canonical(grids: gpd.GeoDataFrame) -> None:
    """Every coordinate is a whole millimetre and every polygon is valid."""
    xy = shapely.get_coordinates(grids.geometry.array)
    assert (xy == np.round(xy * 1000) / 1000).all()
    assert grids.is_valid.all()
    assert shapely.is_valid(to_mm(grids.geometry.array)).all()


def assert_accounted(grids: gpd.GeoDataFrame, report: RepairReport) -> None:
    """Grids and reported gaps together are the land inside the outline, to the square mm."""
    finest = to_mm(grids.geometry.array)
    holes = [gap for gap in report.gaps_left if gap.kind != "slot"]
    gap_mm = to_mm(np.array([gap.geometry for gap in holes] + [shapely.Polygon()]))
    together = (sum(twice_area_mm2(finest)) + sum(twice_area_mm2(gap_mm))) / 2
    outline = shapely.union_all(shapely.boundary(shapely.union_all(finest)))
    inside = shapely.polygonize(shapely.get_parts(outline))
    assert together == report.proof.outline_mm2
    assert together == pytest.approx(shapely.area(inside), rel=1e-12)


def same(one: gpd.GeoDataFrame, other: gpd.GeoDataFrame) -> bool:
    pairs = (shapely.normalize(grids.geometry.array) for grids in (one, other))
    return bool(shapely.equals_exact(*pairs).all())


def test_a_seamless_drawing_is_left_alone() -> None:
    grids = Tiling(3, 4, seed=3).frame()
    repaired, report = repair_coverage(grids)
    assert same(grids, repaired)
    assert report.changes == ()
    assert report.repaired_area_m2 == 0
    assert report.proof.ok


def test_a_neighbour_gets_the_vertex_it_lacked() -> None:
    grids = frame([square(0, 0, 10, 20), square(10, 0, 20, 10), square(10, 10, 20, 20)])
    assert not edges_match(grids).ok
    repaired, report = repair_coverage(grids)
    assert report.proof.ok
    assert shapely.get_num_coordinates(repaired.geometry[0]) == 6
    assert report.changes == ()


def test_the_line_of_the_smaller_code_stands_in_gap_and_overlap() -> None:
    gap, overlap = square(10, 2, 10.03, 5), square(10, 7, 10.03, 9)
    left = square(0, 0, 10, 10)
    right = square(10, 0, 20, 10).difference(gap)
    grids = frame([left.union(overlap), right])
    repaired, report = repair_coverage(grids)
    assert report.proof.ok
    # The overlap goes to 000 and the gap to 001: 000 keeps its own line all along.
    assert repaired.geometry[0].symmetric_difference(left.union(overlap)).area < 1e-9
    assert {change.code: change.gained_m2 for change in report.changes} == {
        "001": pytest.approx(0.09)
    }
    assert report.closed.area_m2 == pytest.approx(0.09)
    assert report.settled.area_m2 == pytest.approx(0.06)


def test_a_gap_goes_to_the_longest_border() -> None:
    # 000 surrounds the gap on three sides, so the larger code does not get it.
    dent = square(9.5, 4, 10, 5)
    grids = frame([square(0, 0, 10, 10).difference(dent), square(10, 0, 20, 10)])
    repaired, _ = repair_coverage(grids)
    assert repaired.geometry[0].area == pytest.approx(100)


def test_gaps_above_the_limit_stay_and_are_reported() -> None:
    grids = Tiling(3, 3, seed=4).frame()
    hole = grids.geometry[4].area
    repaired, report = repair_coverage(grids.drop(index=4))
    assert report.proof.ok
    assert [gap.area_m2 for gap in report.gaps_left] == [pytest.approx(hole)]
    assert report.proof.gap_mm2 / 1e6 == pytest.approx(hole, rel=1e-10)
    assert repaired.index.tolist() == [0, 1, 2, 3, 5, 6, 7, 8]


def test_overlaps_above_the_limit_stay_unless_they_are_cut() -> None:
    grids = frame([square(0, 0, 12, 10), square(10, 0, 20, 10)], code=["b", "a"])
    kept, report = repair_coverage(grids)
    assert not report.proof.ok
    assert [fault.key for fault in report.faults()] == ["grid_overlap"]
    assert kept.area.tolist() == pytest.approx([120, 100])
    cut, report = repair_coverage(grids, overlaps="cut")
    assert report.proof.ok
    assert report.faults() == []
    assert [pair.between for pair in report.cut] == [("a", "b")]
    assert cut.area.tolist() == pytest.approx([100, 100])  # "a" is the smaller code
    assert report.changes[0].code == "b"
    assert report.changes[0].lost_m2 == pytest.approx(20)


def test_special_grids_are_carved_out_of_general_ones() -> None:
    park = square(8, 3, 14, 7)  # over the line between two general grids
    grids = frame(
        [square(0, 0, 10, 10), square(10, 0, 20, 10), park],
        kind=["general", "general", "special"],
        code=["1", "2", "3"],
    )
    repaired, report = repair_coverage(grids)
    assert report.proof.ok
    assert report.overlaps_left == ()
    assert repaired.area.tolist() == pytest.approx([92, 84, 24])
    assert sorted(pair.between for pair in report.carved) == [("1", "3"), ("2", "3")]
    assert [change.code for change in report.changes] == ["2", "1"]


def test_cut_off_crumbs_go_to_the_grid_beside_them() -> None:
    # Cutting b along a's spike leaves a part of b of 0.5 m2 beyond it.
    spike = square(10, 4, 19.5, 6)
    grids = frame([square(0, 0, 10, 10).union(spike), square(10, 0, 20, 5.0)], code=["a", "b"])
    beyond = square(19.5, 4, 20, 5)
    grids.loc[1, "geometry"] = (
        square(10, 0, 20, 4).union(beyond).difference(square(19.4, 3.5, 20, 4.0))
    )
    repaired, report = repair_coverage(grids, overlaps="cut")
    assert report.crumbs.count == 1
    assert report.crumbs.area_m2 == pytest.approx(0.5)
    assert repaired.geometry[0].area == pytest.approx(100 + 19 + 0.5)
    assert repaired.geom_type.tolist() == ["Polygon", "Polygon"]
    assert report.proof.ok


def test_hairline_slots_of_the_outline_are_closed() -> None:
    grids = frame([square(0, 0, 10, 30), square(10.03, 0, 20, 30), square(20.2, 0, 30, 30)])
    repaired, report = repair_coverage(grids)
    assert report.proof.ok
    assert report.closed.count == 1
    assert report.closed.area_m2 == pytest.approx(0.9, rel=0.01)
    (slot,) = report.gaps_left
    assert (slot.kind, slot.between) == ("slot", ("001", "002"))
    assert check_coverage(repaired).hairline_gaps.count == 0


def test_grids_without_land_of_their_own_are_refused_by_name() -> None:
    campus = square(2, 2, 8, 8)
    grids = frame([square(0, 0, 10, 10), campus, campus], kind=["general", "general", "special"])
    with pytest.raises(BadGrid) as caught:
        repair_coverage(grids, overlaps="cut")
    assert [(fault.key, fault.values) for fault in caught.value.faults] == [
        ("grid_swallowed", {"code": "001"})
    ]


def test_doubled_codes_and_empty_rows_are_refused_together() -> None:
    grids = frame([square(0, 0, 1, 1), square(1, 0, 2, 1), None], code=["a", "a", "b"])
    with pytest.raises(BadGrid) as caught:
        repair_coverage(grids)
    assert [fault.key for fault in caught.value.faults] == ["grid_code_twice", "grid_no_land"]


def test_levels_are_rebuilt_as_unions_of_their_children() -> None:
    rough = square(0, 0, 100.02, 99.7)
    halves = [square(0, 0, 50, 100), square(50, 0, 100, 100)]
    other = square(100, 0, 150, 100)
    grids = frame(
        [square(0, 0, 150, 100), rough, other, *halves],
        code=["S", "S1", "S2", "S11", "S12"],
        level=["street", "community", "community", "grid", "grid"],
        parent=["", "S", "S", "S1", "S1"],
    )
    repaired, report = repair_coverage(grids)
    assert report.proof.ok
    assert report.rebuilt == 2
    assert repaired.geometry[1].equals(square(0, 0, 100, 100))
    assert repaired.geometry[0].equals(square(0, 0, 150, 100))
    assert repaired.geometry[2].equals(other)  # a branch that ends further out is a leaf
    (change,) = report.changes
    assert (change.code, change.level) == ("S1", "community")
    assert change.gained_m2 == pytest.approx(30.0)
    assert change.lost_m2 == pytest.approx(0.02 * 99.7)
    for level in ("community", "street"):
        assert edges_match(repaired[grids["level"] == level]).ok
    assert not check_coverage(repaired).has_faults


def test_the_report_is_plain_json() -> None:
    _, report = repair_coverage(frame([square(0, 0, 10, 10), square(9, 0, 20, 10)]))
    assert json.loads(json.dumps(report.as_json()))["overlaps_left"][0]["area_m2"] == 10


def test_nothing_is_repaired_to_nothing() -> None:
    repaired, report = repair_coverage(frame([]))
    assert len(repaired) == 0
    assert report.proof.ok


@settings(max_examples=25)
@given(seed=st.integers(0, 2**16), data=st.data())
def test_planted_faults_are_cut_and_what_is_left_adds_up(seed: int, data: st.DataObject) -> None:
    tiling = Tiling(3, 4, seed=seed)
    edges = tiling.inner_edges()
    depths = st.integers(-4000, 4000).filter(lambda depth: depth != 0)
    planted = data.draw(
        st.dictionaries(st.integers(0, len(edges) - 1), depths, min_size=1, max_size=8)
    )
    areas = {at: tiling.plant(edges[at], depth) for at, depth in planted.items()}
    grids = tiling.frame()
    missing = data.draw(st.none() | st.integers(0, len(grids) - 1))
    if missing is not None:
        grids = grids.drop(index=missing)
    repaired, report = repair_coverage(grids, overlaps="cut")
    assert report.proof.ok
    assert_canonical(repaired)
    assert_accounted(repaired, report)
    again = check_coverage(repaired)
    assert again.overlaps == again.invalid == ()
    assert again.hairline_gaps.count == again.hairline_overlaps.count == 0
    assert [gap.area_m2 for gap in again.gaps] == pytest.approx(
        [gap.area_m2 for gap in report.gaps_left]
    )
    if missing is None:
        kept_open = sum(a for at, a in areas.items() if planted[at] > 0 and a > 1)
        wide = [gap.area_m2 for gap in report.gaps_left]
        assert sum(wide) <= kept_open + 1e-6
        total = sum(polygon.area for polygon in Tiling(3, 4, seed=seed).frame().geometry)
        assert repaired.area.sum() + sum(wide) == pytest.approx(total, abs=1e-3)


@settings(max_examples=25)
@given(seed=st.integers(0, 2**16), count=st.integers(2, 30), by_mm=st.integers(0, 10))
def test_shaken_cells_fit_again_and_stay_as_they_are(seed: int, count: int, by_mm: int) -> None:
    cells = shake(voronoi(count, seed=seed), by_m=by_mm / 1000, seed=seed)
    grids = frame(cells)
    repaired, report = repair_coverage(grids)
    assert report.proof.ok
    assert report.proof.gap_count == 0
    assert_canonical(repaired)
    assert_accounted(repaired, report)
    again = check_coverage(repaired)
    assert again.gaps == again.overlaps == again.invalid == ()
    assert again.hairline_gaps.count == again.hairline_overlaps.count == 0
    twice, second = repair_coverage(repaired)
    assert same(repaired, twice)
    assert second.changes == ()
    moved = shapely.area(shapely.symmetric_difference(repaired.geometry, grids.geometry))
    assert (moved <= 0.05 * shapely.length(grids.geometry) + 0.01).all()
