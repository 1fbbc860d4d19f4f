"""Promise: what a plan says it hands over is what a full assignment by its drawing hands over."""

from __future__ import annotations

import random

import numpy as np
import pytest

from geodata.drawings import NOBODY, index_drawing
from geodata.errors import BadGrid
from geodata.grids import GridSystem
from geodata.plans.impact import measure_impact
from geodata.plans.plan import make_plan
from geodata.plans.workshop import Workshop
from tests.city import NOW
from tests.planned_city import PLANNER, copy_city, random_edit

SEEDS = (1, *(pytest.param(seed, marks=pytest.mark.long) for seed in range(2, 12)))
EDITS = 16


@pytest.fixture
def city(planned_folder, tmp_path):
    return copy_city(planned_folder, tmp_path)


def own_all(city, piece):
    """Every point's owner by the whole drawing of the draft; decisions of posts aside."""
    system = GridSystem(
        system="grid", drawing=0, valid_from=NOW, valid_to=None, grids=piece.draft.to_frame()
    )
    drawn = index_drawing(system)
    points = piece.holdings.survey.points
    owned = drawn.index.own(points.x, points.y, near_m=city.settings.near_m, near_line_m=0.0)
    return np.append(drawn.uids, NOBODY)[owned.owner], owned.rule


@pytest.mark.parametrize("seed", SEEDS)
def test_after_each_edit_each_point_is_with_whom_the_whole_drawing_says(city, seed):
    shop, chance = Workshop(city), random.Random(seed)
    plan = make_plan(city, PLANNER, name=f"试 {seed}", now=NOW)
    piece, made = shop.open(plan.plan, now=NOW), 0
    while made < EDITS:
        try:
            piece, _ = shop.edit(
                plan.plan, [random_edit(piece.draft, chance)], scope=PLANNER, now=NOW
            )
        except BadGrid:
            piece = shop.open(plan.plan, now=NOW)
            continue
        made += 1
        owner, rule = own_all(city, piece)
        assert np.array_equal(piece.holdings.owner, owner), made
        assert np.array_equal(piece.holdings.rule, rule), made
        held = [piece.holdings.rows(uid) for uid in piece.draft.grids]
        assert sum(map(len, held)) == (owner != NOBODY).sum()
    # The table of what goes from whom to whom adds up to what differs from the drawing in force.
    impact = measure_impact(piece.draft, piece.holdings, piece.base)
    points = piece.holdings.survey.points
    moved = points.counts & (points.owner != piece.holdings.owner) & (points.inc >= 0)
    assert impact.total.cases == sum(flow.load.cases for flow in impact.flows) == moved.sum()
    assert impact.total.open_cases == (moved & points.open).sum()
    # Undone step by step, every point is back.
    for _ in range(EDITS):
        piece, _ = shop.edit(plan.plan, [{"op": "undo"}], scope=PLANNER, now=NOW)
    assert np.array_equal(piece.holdings.owner, points.owner)
    assert measure_impact(piece.draft, piece.holdings, piece.base).flows == ()
    assert piece.differing() == frozenset()


def test_households_are_shared_out_and_none_is_lost(city):
    shop = Workshop(city)
    plan = make_plan(city, PLANNER, name="户数", now=NOW)
    piece, chance = shop.open(plan.plan, now=NOW), random.Random(4)
    whole = sum(piece.holdings.load(piece.draft, uid).households for uid in piece.draft.grids)
    for _ in range(30):
        try:
            piece, _ = shop.edit(
                plan.plan, [random_edit(piece.draft, chance)], scope=PLANNER, now=NOW
            )
        except BadGrid:
            piece = shop.open(plan.plan, now=NOW)
    after = sum(piece.holdings.load(piece.draft, uid).households for uid in piece.draft.grids)
    assert after == pytest.approx(whole)


def test_the_log_alone_makes_the_same_draft(city):
    shop, chance = Workshop(city), random.Random(8)
    plan = make_plan(city, PLANNER, name="重放", now=NOW)
    piece, made = shop.open(plan.plan, now=NOW), 0
    while made < 15:
        edit = {"op": "undo"} if made % 4 == 3 else random_edit(piece.draft, chance)
        try:
            piece, _ = shop.edit(plan.plan, [edit], scope=PLANNER, now=NOW)
            made += 1
        except BadGrid:
            piece = shop.open(plan.plan, now=NOW)
    again = Workshop(city).open(plan.plan, now=NOW)
    assert again.seq == piece.seq == 15
    assert again.draft.to_frame().to_wkb().equals(piece.draft.to_frame().to_wkb())
    assert np.array_equal(again.holdings.owner, piece.holdings.owner)
