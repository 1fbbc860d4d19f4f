"""The chain test proves that grids tile, edge by edge, and says where they do not."""

from __future__ import annotations

import numpy as np
import pytest
import shapely
from hypothesis import given, settings
from hypothesis import strategies as st

from geodata.coverage.edges import edges_match, open_chain, to_m, to_mm
from tests.geodata.tilings import Tiling, frame, square, twice_area_mm2


def array(*polygons: shapely.Geometry) -> np.ndarray:
    found = np.empty(len(polygons), dtype=object)
    found[:] = polygons
    return found


def cell(west: int, south: int, east: int, north: int) -> shapely.Polygon:
    """Return a rectangle in metres as whole mm."""
    return shapely.box(west * 1000, south * 1000, east * 1000, north * 1000)


def test_neighbours_that_share_their_vertices_are_proved() -> None:
    proof = edges_match(array(cell(0, 0, 1, 1), cell(1, 0, 2, 1)))
    assert proof.ok
    assert (proof.edges, proof.matched, proof.open_edges, proof.gap_count) == (8, 2, 6, 0)
    assert proof.grids_mm2 == proof.land_mm2 == proof.outline_mm2 == 2e6


@pytest.mark.parametrize(
    "polygons",
    [
        (cell(0, 0, 2, 2), cell(1, 0, 3, 2)),
        (cell(0, 0, 9, 9), cell(2, 2, 5, 5)),
        (cell(0, 0, 2, 2), cell(0, 0, 2, 2)),
        (cell(0, 0, 2, 2), cell(0, 0, 1, 2)),
        (cell(0, 0, 2, 2), cell(2, 0, 3, 1), cell(2, 1, 3, 2)),
        (cell(0, 0, 4, 4), shapely.Polygon([(0, 0), (4000, 1), (4000, 0)])),
    ],
    ids=["partly", "inside", "twice", "half", "vertex missing at a T", "hairline"],
)
def test_overlaps_and_missing_vertices_are_refuted(polygons: tuple[shapely.Polygon, ...]) -> None:
    proof = edges_match(array(*polygons))
    assert not proof.ok
    assert proof.points


def test_a_hole_of_one_square_millimetre_is_seen() -> None:
    # shapely's coverage_is_valid says True here: it is blind to holes.
    hole = shapely.box(500, 500, 501, 501)
    ring = array(cell(0, 0, 1, 1).difference(hole))
    proof = edges_match(ring)
    assert proof.ok
    assert (proof.gap_count, proof.gap_mm2) == (1, 1.0)
    assert edges_match(array(ring[0], hole)).gap_count == 0


def test_parts_islands_and_touching_corners_are_understood() -> None:
    lake = cell(0, 0, 9, 9).difference(cell(2, 2, 7, 7))
    island = cell(4, 4, 5, 5)
    corner = cell(9, 9, 11, 11)
    proof = edges_match(array(shapely.MultiPolygon([lake, corner]), island))
    assert proof.ok
    assert proof.gap_mm2 == 24e6
    assert proof.grids_mm2 == 61e6


def test_nothing_is_proved_of_nothing() -> None:
    proof = edges_match(array())
    assert proof.ok
    assert proof.as_json()["edges"] == 0


def test_areas_are_exact_far_from_the_origin() -> None:
    away = np.array([40_500_000_000, 3_600_000_000])
    far = shapely.transform(cell(0, 0, 1, 1), lambda xy: xy + away)
    sliver = shapely.Polygon(
        [(40_500_000_000, 0), (40_500_500_001, 1), (40_500_500_000, 1), (40_500_000_000, 0)]
    )
    for polygon, twice in ((far, 2_000_000), (sliver, 1)):
        assert edges_match(array(polygon)).grids_mm2 * 2 == twice
        assert twice_area_mm2(array(polygon)) == [twice]


@given(st.integers(-(10**11), 10**11))
def test_millimetres_survive_metres(mm: int) -> None:
    point = to_m(array(shapely.Point(float(mm), 0.0)))
    assert to_mm(point)[0].x == mm


@settings(max_examples=25)
@given(seed=st.integers(0, 2**16), drop=st.integers(0, 19), depth=st.integers(-3000, 3000))
def test_the_proof_holds_exactly_while_nothing_is_disturbed(
    seed: int, drop: int, depth: int
) -> None:
    tiling = Tiling(4, 5, seed=seed)
    whole = to_mm(tiling.frame().geometry.array)
    assert edges_match(whole).ok
    some = np.delete(whole, drop)
    proof = edges_match(some)
    assert proof.ok
    assert proof.grids_mm2 * 2 == sum(twice_area_mm2(some))
    edge = tiling.inner_edges()[seed % 31]
    tiling.plant(edge, depth)
    disturbed = edges_match(tiling.frame())
    if depth < -2:
        assert not disturbed.ok
    elif depth > 2:
        assert disturbed.ok
        assert disturbed.gap_count == 1


def test_an_open_chain_does_not_depend_on_lines_inside() -> None:
    whole = to_mm(Tiling(3, 3, seed=5).frame().geometry.array)
    assert (open_chain(whole) == open_chain(array(shapely.coverage_union_all(whole)))).all()
    assert (open_chain(whole) == open_chain(whole[::-1])).all()
    assert not np.array_equal(open_chain(whole), open_chain(whole[1:]))


def test_a_frame_in_metres_is_proved_as_well() -> None:
    proof = edges_match(frame([square(0, 0, 10, 10), square(10, 0, 20, 10)]))
    assert proof.ok
    assert proof.as_json()["grids_m2"] == 200
