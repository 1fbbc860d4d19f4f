"""Promise: what is asked of the map is answered exactly, and found by any name it is known by."""

from __future__ import annotations

import math

import numpy as np
import pandas as pd
import pytest
import shapely

from geodata.access.scope import ROWS, Scope
from geodata.access.sight import Sight, narrow_facts, sort_facts
from geodata.desk.responsibility import find_responsible
from geodata.drawings import index_drawing
from geodata.errors import BadGrid
from geodata.figures.asked_shape import count_shape, make_circle, make_polygon, pick_grid
from geodata.figures.hot_places import LEAST, find_hot_places, find_metres
from geodata.grids import GridSystem
from geodata.ownership.line_index import LineIndex
from geodata.retired_codes import find_retired
from geodata.search.city import search_city
from geodata.search.names import Named, NameIndex, initials_of
from geodata.snapshots.facts import load_facts
from geodata.snapshots.snapshot import Filter
from tests.city import (
    INCIDENT_COLUMNS,
    NOW,
    SIDE_M,
    SOUTH_M,
    WEST_M,
    grid_code,
    incident_rows,
    load_one,
    lonlat,
    make_tiny_city,
    middle,
    write_table,
)


@pytest.fixture(scope="module")
def facts(tmp_path_factory):
    city = make_tiny_city(tmp_path_factory.mktemp("asked") / "city")
    rows = [[f"C{row[0]}", *row[1:]] for row in incident_rows(600, seed=3)]
    load_one(city, "incidents", write_table(city.folder / "more.csv", INCIDENT_COLUMNS, rows))
    addresses = [["幸福路12号", *middle(0, 0)], ["幸福路14号", *middle(1, 0)]]
    table = write_table(city.folder / "doors.csv", ("address", "lon", "lat"), addresses)
    load_one(city, "addresses", table)
    return load_facts(city, now=NOW)


def see(facts, grids=None) -> Sight:
    scope = Scope(account="a", grids=grids, permissions=frozenset({"read", ROWS}))
    cells = None if grids is None else sort_facts(facts, NOW)
    return narrow_facts(facts, scope, cells=cells)


# --- shapes ---------------------------------------------------------------------------------------


@pytest.mark.parametrize("radius_m", [40.0, 150.0, 433.0])
def test_a_circle_counts_what_lies_within_its_metres(facts, radius_m):
    sight = see(facts)
    lon, lat = lonlat(310, 290)
    found = count_shape(
        sight, make_circle(sight, lon, lat, radius_m=radius_m), filter=Filter(), now=NOW
    )
    x, y = find_metres(sight, np.arange(sight.snapshot.placed))
    far = np.hypot(x - (WEST_M + 310), y - (SOUTH_M + 290))
    # A snapshot knows places to a centimetre: one so near the rim may fall on either side.
    assert (far <= radius_m - 0.05).sum() <= found.figures.total <= (far <= radius_m + 0.05).sum()
    assert found.figures.total == len(found.rows) > 0
    assert found.area_m2 == pytest.approx(math.pi * radius_m**2)
    metres = [one.distance_m for one in found.nearest["cameras"]]
    assert metres == sorted(metres)
    assert len(metres) == 5


def test_a_polygon_and_a_picked_grid_count_the_same_ground(facts):
    sight = see(facts)
    uid = sight.grids.find_uid(grid_code(1, 1))
    corners = [(1, 1), (2, 1), (2, 2), (1, 2)]
    ring = [lonlat(column * SIDE_M, row * SIDE_M) for column, row in corners]
    drawn = count_shape(sight, make_polygon(sight, ring), filter=Filter(), now=NOW)
    picked = count_shape(sight, pick_grid(sight, uid), filter=Filter(), now=NOW)
    assert drawn.figures.total == picked.figures.total > 10
    assert drawn.inside == picked.inside
    owned = int((sight.snapshot.owner == sight.grids.leaf_ranks(uid)[0]).sum())
    assert picked.figures.total == owned
    filtered = count_shape(sight, pick_grid(sight, uid), filter=Filter(state="open"), now=NOW)
    assert filtered.figures.total == picked.figures.open
    assert sum(n for _, n in picked.kinds) == picked.figures.total


def test_a_shape_counts_nothing_of_what_the_scope_hides_and_says_so(facts):
    uids = [int(uid) for uid in facts.grids.finest()["uid"]]
    sight = see(facts, frozenset(uids[:1]))
    lon, lat = lonlat(1.5 * SIDE_M, 1.5 * SIDE_M)
    wide = count_shape(sight, make_circle(sight, lon, lat, radius_m=900), filter=Filter(), now=NOW)
    assert wide.grids == 9
    assert wide.hidden_grids == 8
    assert wide.figures.total == int((sight.snapshot.owner == 0).sum())


@pytest.mark.parametrize(
    ("draw", "key"),
    [
        (lambda sight: make_circle(sight, *middle(0, 0), radius_m=0), "shape_radius"),
        (lambda sight: make_circle(sight, *middle(0, 0), radius_m=1e9), "shape_radius"),
        (lambda sight: make_circle(sight, 500.0, 95.0, radius_m=10), "shape_nowhere"),
        (lambda sight: make_polygon(sight, [middle(0, 0), middle(1, 1)]), "shape_corners"),
        (
            lambda sight: make_polygon(
                sight, [middle(0, 0), middle(2, 2), middle(2, 0), middle(0, 2)]
            ),
            "shape_crosses",
        ),
    ],
)
def test_a_shape_that_is_none_is_refused_in_words(facts, draw, key):
    with pytest.raises(BadGrid) as caught:
        draw(see(facts))
    assert caught.value.faults[0].key == key


# --- hot places -----------------------------------------------------------------------------------


def test_a_place_is_hot_from_three_incidents_on(facts):
    sight = see(facts)
    x, y = find_metres(sight, np.arange(sight.snapshot.placed))
    found = find_hot_places(sight, np.arange(sight.snapshot.n), now=NOW)
    totals = [one.total for one in found]
    assert totals == sorted(totals, reverse=True)
    assert min(totals) >= LEAST
    schools = {one.name: one for one in found if one.kind == "place"}
    assert set(schools) <= {"第0小学", "第1小学", "第2小学"}
    for name, one in schools.items():
        east, north = ((int(name[1]) + 0.5) * SIDE_M for _ in range(2))
        near = np.hypot(x - WEST_M - east, y - SOUTH_M - north) <= 25
        assert one.total == int(near.sum())
    assert find_hot_places(sight, np.arange(0), now=NOW) == ()
    times = 100_000 // sight.snapshot.n + 1  # however many incidents there are, all are counted
    many = find_hot_places(sight, np.tile(np.arange(sight.snapshot.n), times), now=NOW)
    assert [one.total for one in many] == [times * total for total in totals]


def test_the_nearest_of_many_lines_is_what_geos_finds():
    rng = np.random.default_rng(5)
    starts = rng.uniform(0, 1000, (400, 1, 2))
    bends = starts + rng.normal(0, 30, (400, 4, 2)).cumsum(axis=1)
    shapes = [shapely.LineString(line) for line in bends[:200]]
    shapes += [shapely.LineString(line).convex_hull for line in bends[200:]]
    shapes[3], shapes[4] = None, shapely.LineString()
    x, y = rng.uniform(-50, 1050, (2, 3000))
    found = LineIndex(shapes).nearest(x, y, reach=25.0, threads=2)
    lines = [shapely.boundary(shape) if shape and shape.area else shape for shape in shapes]
    points = shapely.points(x, y)
    far = np.array([shapely.distance(line, points) for line in lines])
    far[np.isnan(far)] = np.inf
    np.testing.assert_array_equal(found < 0, far.min(axis=0) > 25)
    hit = found >= 0
    np.testing.assert_allclose(far[found[hit], np.flatnonzero(hit)], far.min(axis=0)[hit])
    assert LineIndex([]).nearest([1.0], [1.0], reach=9.0).tolist() == [-1]


# --- search ---------------------------------------------------------------------------------------


def test_areas_and_places_are_found_by_code_name_and_initials(facts):
    sight = see(facts)
    with sight.city.database.read() as connection:
        for text, name in (
            (grid_code(2, 0), "第3网格"),
            ("第2社区", "第2社区"),
            ("d1xx", "第1小学"),
            ("幸福路14", "幸福路14号"),
            ("第1社区 第3网格", "第3网格"),
            ("1社区3网", "第3网格"),
            ("d1sq 3wg", "第3网格"),
        ):
            assert search_city(sight, connection, text)[0].name == name, text
        case = search_city(sight, connection, "A0001")
        assert [(one.kind, one.code) for one in case] == [("case", "A0001")]
        for nothing in ("", "  ", "zzzz", "%", "' OR 1=1 --", "九千九"):
            assert not search_city(sight, connection, nothing)


def test_a_search_finds_no_case_camera_or_place_outside_the_scope(facts):
    uids = [int(uid) for uid in facts.grids.finest()["uid"]]
    nowhere = see(facts, frozenset(uids[8:]))
    with facts.city.database.read() as connection:
        found = {text: search_city(nowhere, connection, text) for text in ("路口", "小学", "A0001")}
        own = [one for one in search_city(nowhere, connection, "第2小学") if one.kind == "place"]
    assert not [one for one in found["路口"] if one.kind == "camera"]
    assert [one.name for one in found["小学"]] == ["第2小学"]
    assert len(own) == 1
    owner = facts.snapshot.owner[_row_of(facts, "A0001")]
    assert bool(found["A0001"]) == (owner == 8)


def _row_of(facts, number: str) -> int:
    with facts.city.database.read() as connection:
        (inc,) = connection.execute(
            "SELECT inc FROM incident_key WHERE ext_id = ?", (number,)
        ).fetchone()
    return int(np.flatnonzero(facts.snapshot.incident == inc)[0])


def test_a_whole_name_comes_before_a_beginning_and_that_before_a_part():
    names = ["新民社区", "民生街道", "民生", "大民生"]
    index = NameIndex(
        Named(kind="area", key=n, code=str(n), name=one) for n, one in enumerate(names)
    )
    assert [one.name for one in index.find("民生", most=9)] == ["民生", "民生街道", "大民生"]
    assert [one.name for one in index.find("MSJD", most=9)] == ["民生街道"]
    assert initials_of("仙女镇第47网格") == "xnzd47wg"


# --- retired codes and who answers ----------------------------------------------------------------


def test_a_retired_code_leads_to_the_grids_on_its_land(facts):
    system = facts.grids
    old = system.grids.copy()
    row = int(np.flatnonzero(old["code"] == grid_code(0, 0))[0])
    old.loc[row, ["uid", "code", "name"]] = [900, "OLD1", "旧网格"]
    old.loc[row, "geometry"] = shapely.box(WEST_M, SOUTH_M, WEST_M + 300, SOUTH_M + 200)
    before = GridSystem(
        system=system.system, drawing=system.drawing + 100, valid_from=None, valid_to=NOW, grids=old
    )
    found = find_retired((index_drawing(before), index_drawing(system)), system, "OLD1")
    assert (found.name, found.until) == ("旧网格", NOW)
    codes = dict(zip(system.grids["uid"], system.grids["code"], strict=True))
    assert [codes[uid] for uid, _ in found.successors] == [grid_code(0, 0), grid_code(1, 0)]
    assert [round(share, 3) for _, share in found.successors] == [0.667, 0.333]
    assert find_retired((index_drawing(system),), system, "NEVER") is None


def test_who_answers_is_the_nearest_entry_of_the_matrix_then_the_kind_then_the_post(facts):
    system = facts.grids
    uid = system.find_uid(grid_code(0, 0))
    above = system.grids.set_index("uid").at[system.parent(uid), "code"]
    kinds = pd.DataFrame({"body": ["KIND"]}, index=["积水"])

    def ask(*entries, kind="积水"):
        matrix = pd.DataFrame(entries, columns=["kind", "area", "body"])
        found = find_responsible(system, uid, kind, matrix=matrix, kinds=kinds)
        return found.body, found.why

    here, there = ("积水", grid_code(0, 0), "HERE"), ("积水", above, "ABOVE")
    assert ask(here, there) == ("HERE", "matrix_here")
    assert ask(there, ("积水", grid_code(1, 0), "OTHER")) == ("ABOVE", "matrix_above")
    assert ask() == ("KIND", "kind")
    post, why = ask(kind="未知")
    assert why == ("grid" if post else "nobody")
