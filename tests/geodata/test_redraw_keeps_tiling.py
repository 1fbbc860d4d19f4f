from __future__ import annotations

from collections import Counter
from dataclasses import replace

import geopandas as gpd
import numpy as np
import pytest
import shapely

from bench.made_up import make_grids
from bench.made_up_land import make_land
from bench.random_edits import random_edit
from geodata.coverage.edges import to_m, to_mm
from geodata.drawings import index_of
from geodata.errors import BadGrid
from geodata.grids.system import GridSystem
from geodata.redraw import Blocks, apply_edit, open_draft, prove_draft, replay_edits
from tests.geodata.redraw_land import EPSG, at, read_all, read_bytes, square_frame

DRIFT = 1e-8
PARENT_LINE_MM = 2.0


@pytest.fixture(scope="module")
def land():
    return make_land(blocks=320, grids=80, communities=8)


def open_land(land):
    return open_draft(land.frame, blocks=Blocks(shapes=land.blocks, loads=land.loads))


def walk(draft, edits, rng, *, every=None):
    """Make so many accepted random edits; return how often each edit was refused, and why."""
    refused = Counter()
    while len(draft.done) < edits:
        edit = random_edit(draft, rng)
        before = len(draft.done)
        try:
            apply_edit(draft, edit)
        except BadGrid as error:
            refused[edit["op"], error.faults[0].key] += 1
            assert len(draft.done) == before
        if every and len(draft.done) % every == 0 and len(draft.done) > before:
            check_draft(draft)
    return refused


def check_draft(draft):
    """I1 no gap, no overlap; I2 each grid one valid polygon; I4 no drift."""
    proof = prove_draft(draft)
    assert proof.ok, proof
    assert proof.drift <= DRIFT
    shapes = draft.shapes(sorted(draft.grids))
    assert (shapely.get_type_id(shapes) == shapely.GeometryType.POLYGON).all()
    xy = shapely.get_coordinates(shapes)
    assert (xy == np.rint(xy)).all()
    return proof


def check_parents(draft):
    """I3: every grid lies in its parent, which is the union of its children, hardly moved."""
    frame, base = draft.to_frame().set_index("uid"), draft.base.set_index("uid")
    for uid, grid in draft.outer.items():
        children = frame[frame["parent"] == uid].geometry.to_numpy()
        assert shapely.area(children).sum() == pytest.approx(frame.geometry[uid].area, rel=1e-12)
        assert shapely.covers(shapely.buffer(frame.geometry[uid], 0.001), children).all()
        away = shapely.hausdorff_distance(
            shapely.boundary(frame.geometry[uid]), shapely.boundary(base.geometry[uid]), densify=0.1
        )
        assert away * 1000 <= PARENT_LINE_MM, (grid.code, away)


@pytest.mark.parametrize("seed", [1, 2])
def test_random_edits_keep_every_invariant(land, seed):
    draft = open_land(land)
    start = read_all(draft)
    refused = walk(draft, 120, np.random.default_rng(seed), every=40)
    assert sum(refused.values()) < 120
    check_parents(draft)
    while draft.done:
        draft.undo()
    assert read_all(draft) == start


def test_every_point_has_one_owner_after_edits(land):
    """I7: inside, on edges and on corners one owner; outside nobody."""
    draft = open_land(land)
    walk(draft, 60, np.random.default_rng(5))
    frame = draft.to_frame()
    frame = frame.assign(households=np.nan, population=np.nan)
    system = GridSystem(system="s", drawing=1, valid_from=None, valid_to=None, grids=frame)
    index, finest = index_of(system), system.finest()
    corners = shapely.get_coordinates(to_mm(finest.geometry.to_numpy()))
    rng = np.random.default_rng(6)
    low, high = corners.min(axis=0), corners.max(axis=0)
    points = np.vstack([corners, np.rint(rng.uniform(low, high, (5_000, 2))), [high + 1e6]])
    owner = index.find(points[:, 0], points[:, 1])
    shapes = to_mm(finest.geometry.to_numpy())
    point, grid = shapely.STRtree(shapes).query(shapely.points(points), predicate="intersects")
    first = np.full(len(points), -1)
    np.maximum.at(first, point, len(shapes) - grid)
    expected = np.where(first >= 0, len(shapes) - first, -1)
    assert (owner == expected).all()
    assert owner[-1] == -1
    assert (owner[: len(corners)] >= 0).all()


def test_what_lies_outside_the_stroke_stays_byte_for_byte(land):
    draft = open_land(land)
    before = read_bytes(draft)
    rng = np.random.default_rng(3)
    walk(draft, 1, rng)
    changed = set(draft.done[0].uids)
    after = read_bytes(draft)
    assert changed
    assert {uid for uid in before if before[uid] != after.get(uid)} <= changed
    assert len(changed) < 12


def test_two_planners_on_one_base_are_merged_exactly_or_told(land):
    """I12: the second log on the first one's head: what it changes tiles, what clashes is named."""
    told = replayed = 0
    for trial in range(4):
        first, second = open_land(land), open_land(land)
        walk(first, 12, np.random.default_rng(100 + trial))
        walk(second, 12, np.random.default_rng(200 + trial))
        for change in second.done:
            before = read_all(first)
            clash = ""
            try:
                replay_edits(first, [change.edit])
                replayed += 1
            except BadGrid as error:
                clash = error.sentence()
            told += bool(clash)
            assert (read_all(first) == before) == bool(clash)
        check_draft(first)
    assert replayed + told == 48
    assert replayed > told


def test_gaps_and_grids_in_several_parts_stay_what_they_are():
    """A blind zone of the base is neither closed nor widened; its line is nobody's to move."""
    frame = square_frame().copy()
    island = shapely.MultiPolygon([frame.geometry[frame["uid"] == uid].iloc[0] for uid in (11, 13)])
    frame.loc[frame["uid"] == 11, "geometry"] = gpd.GeoSeries([island], crs=EPSG).to_numpy()
    draft = open_draft(frame[~frame["uid"].isin([13, 16])].reset_index(drop=True))
    base = prove_draft(draft)
    assert base.ok
    assert base.edges.gap_count == 1
    with pytest.raises(BadGrid):
        apply_edit(draft, {"op": "move", "at": at(1, 1), "to": at(1.1, 1.1)})
    line = {"op": "split", "grid": 15, "line": [at(-0.1, 1.31), at(1.1, 1.37)]}
    assert 15 in apply_edit(draft, line).uids
    ring = [at(0.8, 0.2), at(1.2, 0.2), at(1.2, 0.4), at(0.8, 0.4)]
    assert apply_edit(draft, {"op": "draw", "grid": 11, "area": ring}).uids == (11, 12)
    over_the_gap = [at(0.8, 0.8), at(1.6, 0.8), at(1.6, 1.6), at(0.8, 1.6)]
    apply_edit(draft, {"op": "draw", "grid": 12, "area": over_the_gap, "rest": "follow"})
    proof = prove_draft(draft)
    assert proof.ok
    assert (proof.edges.gap_count, proof.new_gap_m2) == (1, 0.0)
    assert proof.drift < 1e-7


def test_a_proof_sees_land_that_is_lost_or_claimed_twice(land):
    draft = open_land(land)
    uid = max(draft.grids)
    grid = draft.grids[uid]
    for shape in (shapely.buffer(grid.shape, -500), shapely.buffer(grid.shape, 500)):
        rounded = shapely.transform(shape, np.rint)
        draft.commit({}, {uid: replace(grid, shape=rounded)})
        assert not prove_draft(draft).ok
        draft.undo()
    assert prove_draft(draft).ok


def flat_frame(shapes):
    n = len(shapes)
    return gpd.GeoDataFrame(
        {
            "uid": np.arange(1, n + 1), "code": [f"G{i:05d}" for i in range(n)], "name": "",
            "level": "grid", "parent": -1, "kind": "general", "body": "",
        },
        geometry=shapes,
        crs=4549,
    )  # fmt: skip


@pytest.mark.long
@pytest.mark.parametrize("seed", range(5))
def test_a_thousand_random_edits_keep_every_invariant(seed):
    land = make_land(blocks=5000, grids=1100, communities=120)
    draft = open_land(land)
    start = read_all(draft)
    walk(draft, 1000, np.random.default_rng(seed), every=250)
    check_parents(draft)
    while draft.done:
        draft.undo()
    assert read_all(draft) == start


@pytest.mark.long
def test_ten_thousand_random_edits_in_one_run_keep_the_tiling():
    draft = open_draft(flat_frame(to_m(make_grids(1101))))
    walk(draft, 10_000, np.random.default_rng(11), every=2000)
    assert check_draft(draft).drift <= DRIFT


def test_a_tidy_stroke_leaves_fewer_corners_and_no_other_line_moves():
    def draw(**more):
        draft = open_draft(square_frame())
        turns = np.linspace(0, 2 * np.pi, 900)[:-1]
        wave = 0.45 + 0.0004 * np.sin(40 * turns)
        places = 1 + wave[:, np.newaxis] * np.column_stack([0.8 * np.cos(turns), np.sin(turns)])
        ring = [at(*place) for place in places.tolist()]
        stroke = {"op": "draw", "grid": 11, "area": [*ring, ring[0]], "rest": "follow", **more}
        return draft, apply_edit(draft, stroke)

    plain, _ = draw()
    tidied, change = draw(tidy=True)
    check_draft(tidied)
    corners = [
        shapely.get_num_coordinates(draft.shapes(sorted(draft.grids))).sum()
        for draft in (plain, tidied)
    ]
    assert corners[1] < corners[0] / 2
    assert corners[0] > 1_000
    for uid, grid in plain.grids.items():
        other = tidied.grids[uid].shape
        assert shapely.area(shapely.symmetric_difference(grid.shape, other)) / 1e6 < 30  # m²
        if uid not in change.uids:
            assert shapely.equals_exact(grid.shape, other, 0)
    bare = square_frame().geometry.iloc[:2].to_numpy()
    assert shapely.equals(to_m([shapely.union_all(tidied.shapes(range(11, 19)))])[0], bare[0])
    tidied.undo()
    assert read_bytes(tidied) == read_bytes(open_draft(square_frame()))
