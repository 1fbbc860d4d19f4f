"""Promise: blocks follow roads and banks, and proposals keep to the city's own walls."""

from __future__ import annotations

import geopandas as gpd
import numpy as np
import pytest
import shapely

from geodata.coverage.edges import to_mm
from geodata.errors import BadSetting
from geodata.plans.city_walls import list_walls, raise_walls
from geodata.plans.plan import make_plan
from geodata.plans.walks import list_walks
from geodata.plans.workshop import Workshop
from geodata.redraw import prove_draft
from geodata.redraw.drafting import own_blocks, propose_for_draft
from tests.city import NOW, load_one, square, write_shapes
from tests.planned_city import MERGE, PLANNER, SPLIT, copy_city, place

RIVER = shapely.box(*place(0.4, -1), *place(0.5, 4))  # through the first column of grids
RAIL = shapely.LineString([place(-1, 1.5), place(4, 1.5)])


@pytest.fixture
def city(planned_folder, tmp_path):
    made = copy_city(planned_folder, tmp_path)
    made.base_folder.mkdir(exist_ok=True)
    for name, shape, facts in (
        ("water", RIVER, {"kind": ["river"]}),
        ("roads", RAIL, {"class": ["rail"]}),
    ):
        layer = gpd.GeoDataFrame(facts, geometry=[shape], crs=made.crs)
        layer.to_parquet(made.base_folder / f"{name}.parquet")
    return made


def test_a_block_lies_on_one_bank_and_on_one_side_of_the_railway(city):
    shop, plan = Workshop(city), make_plan(city, PLANNER, name="江", now=NOW)
    draft = shop.open(plan.plan, now=NOW).draft
    whole = shapely.union_all(to_mm(draft.base.geometry.to_numpy()))
    assert shapely.area(draft.blocks.shapes).sum() == pytest.approx(shapely.area(whole))
    banks = to_mm([shapely.box(*place(-1, -1), *place(0.4, 4)),
                   shapely.box(*place(0.5, -1), *place(4, 4))])  # fmt: skip
    land = shapely.intersection(draft.blocks.shapes[:, np.newaxis], banks[np.newaxis])
    assert ((shapely.area(land) > 0).sum(axis=1) == 1).all()
    inner = shapely.get_coordinates(draft.blocks.inner)
    north = inner[:, 1] > place(0, 1.5)[1] * 1000
    bounds = shapely.bounds(draft.blocks.shapes)
    assert (np.where(north, bounds[:, 1], -bounds[:, 3]) / 1000
            >= np.where(north, 1, -1) * place(0, 1.5)[1] - 1e-6).all()  # fmt: skip


def test_no_grid_of_a_proposal_crosses_a_hard_wall(city, tmp_path):
    beats = [
        (square(west, 0, wide=1.5, high=3), {"code": code, "name": code, "level": "grid"})
        for west, code in ((0, "B1"), (1.5, "B2"))
    ]
    load_one(city, "grids", write_shapes(tmp_path / "beats.geojson", beats), system="beat")
    assert list_walls(city, now=NOW) == ["water", "rail", "beat"]
    plan = make_plan(city, PLANNER, name="墙", now=NOW)
    draft = Workshop(city).open(plan.plan, now=NOW).draft
    walls = raise_walls(city, {"water": "hard", "beat": "soft"}, now=NOW)
    plans = propose_for_draft(draft, band=0.5, nested=False, grids=8, walls=walls)
    east = shapely.get_coordinates(draft.blocks.inner)[:, 0] > place(0.45, 0)[0] * 1000
    home = own_blocks(draft)
    for proposal in plans.plans:
        both = [
            uid for uid in np.unique(proposal.owner)
            if len(set(east[proposal.owner == uid])) == 2
        ]  # fmt: skip
        assert both == []
    assert len({uid for uid in np.unique(home) if len(set(east[home == uid])) == 2}) == 3
    for wrong in ({"sea": "hard"}, {"water": "firm"}):
        with pytest.raises(BadSetting):
            raise_walls(city, wrong, now=NOW)


def test_every_piece_of_land_that_changes_hands_is_on_a_walk(city):
    shop, plan = Workshop(city), make_plan(city, PLANNER, name="走", now=NOW)
    stroke = {"op": "draw", "grid": 10, "rest": "follow", "area": [
        place(0.8, 2.2), place(1.4, 2.2), place(1.4, 2.8), place(0.8, 2.8), place(0.8, 2.2)
    ]}  # fmt: skip
    piece, _ = shop.edit(plan.plan, [SPLIT, MERGE, stroke], scope=PLANNER, now=NOW)
    assert prove_draft(piece.draft).ok
    walks = list_walks(piece)
    assert [walk.name for walk in walks] == sorted({walk.name for walk in walks})
    assert len(walks) == 2
    pieces = [one for walk in walks for one in walk.pieces]
    moved = {uid: grid.shape for uid, grid in piece.base.items()}
    differs = sum(
        shapely.area(shapely.difference(shape, piece.draft.grids[uid].shape))
        if uid in piece.draft.grids else shapely.area(shape)
        for uid, shape in moved.items()
    )  # fmt: skip
    assert sum(one.area_m2 for one in pieces) == pytest.approx(differs / 1e6)
    assert [one.number for one in walks[0].pieces] == [1, 2]
    # The merge takes a line away, the split adds one; the stroke moves one.
    assert len(walks[0].gone) == 1
    assert shapely.length(walks[0].gone[0]) == pytest.approx(200, abs=0.1)


def test_a_proposal_weighs_what_the_planner_weighs(city):
    shop, plan = Workshop(city), make_plan(city, PLANNER, name="权重", now=NOW)
    piece = shop.open(plan.plan, now=NOW)
    usual = piece.draft.blocks
    assert piece.weigh({"cases": 1, "households": 0.2, "cameras": 0}) is None  # as it was opened
    doubled = piece.weigh({"cases": 2, "households": 0.4})
    assert np.allclose(doubled.loads, usual.loads * 2)
    assert np.allclose(doubled.band, usual.band * 2, equal_nan=True)
    by_land = piece.weigh({"area_ha": 1})
    assert np.allclose(by_land.loads, shapely.area(usual.shapes) / 1e10)
    even = propose_for_draft(piece.draft, weighed=by_land, nested=False).plan("best_balance")
    land = np.bincount(even.owner, weights=by_land.loads)
    assert np.ptp(land[land > 0]) < 0.1 * land[land > 0].mean()
    for wrong, key in (
        ({"tickets": 1}, "plan_weights"), ({"cases": -1}, "plan_weights"),
        ({"cases": float("nan")}, "plan_weights"), ({"cases": 0}, "plan_weightless"),
    ):  # fmt: skip
        with pytest.raises(BadSetting) as refused:
            piece.weigh(wrong)
        assert refused.value.faults[0].key == key


def test_the_cases_of_a_grid_by_kind_add_up_to_its_load(city):
    shop, plan = Workshop(city), make_plan(city, PLANNER, name="类别", now=NOW)
    piece, _ = shop.edit(plan.plan, [SPLIT, MERGE], scope=PLANNER, now=NOW)
    for uid in piece.draft.grids:
        load, kinds = piece.holdings.load(piece.draft, uid), piece.holdings.count_kinds(uid)
        assert sum(cases for cases, _ in kinds.values()) == load.cases
        assert sum(still for _, still in kinds.values()) == load.open_cases
    assert max(len(piece.holdings.count_kinds(uid)) for uid in piece.draft.grids) > 1
