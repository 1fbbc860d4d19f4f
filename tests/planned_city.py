"""A tiny city with many cases, two accounts, and plans made of random strokes."""

from __future__ import annotations

import random
import shutil
from datetime import date
from pathlib import Path
from typing import Any

from geodata.access.scope import Scope
from geodata.city import City, open_city
from geodata.errors import BadGrid
from geodata.plans.plan import approve_plan, make_plan, submit_plan
from geodata.plans.publish import Published, publish_plan
from geodata.plans.workshop import Workpiece, Workshop
from tests.city import (
    INCIDENT_COLUMNS,
    NOW,
    SIDE_M,
    SOUTH_M,
    WEST_M,
    incident_rows,
    load_one,
    make_tiny_city,
    write_table,
)

TODAY = date(2026, 6, 1)
PLANNER = Scope.whole_city("planner-1", ("read", "read.rows", "plan", "export"), role="planner")
SECOND = Scope.whole_city("planner-2", ("read", "read.rows", "plan", "export"), role="planner")
APPROVER = Scope.whole_city("approver-1", ("read", "read.rows", "approve"), role="approver")


def make_planned_city(folder: Path, *, cases: int = 400) -> City:
    """Make the tiny city with more cases, scattered over all grids and around them."""
    city = make_tiny_city(folder)
    rows = [[f"B{row[0]}", *row[1:]] for row in incident_rows(cases, seed=5)]
    load_one(city, "incidents", write_table(folder / "more.csv", INCIDENT_COLUMNS, rows))
    return open_city(folder)


def copy_city(folder: Path, into: Path) -> City:
    """Return a copy of a city that a test may write to."""
    shutil.copytree(folder, into / "city")
    return open_city(into / "city")


def place(column: float, row: float) -> list[float]:
    """Return a point in metres, counted in sides of a grid from the south-west corner."""
    return [WEST_M + column * SIDE_M, SOUTH_M + row * SIDE_M]


# The south-western grid is cut in two; its neighbours to the east become one.
SPLIT = {"op": "split", "grid": 2, "line": [place(0.5, -0.1), place(0.5, 1.1)]}
MERGE = {"op": "merge", "grids": [3, 4]}


def uids_of(city: City, *, now: int = NOW) -> list[int]:
    """Return the uids of the finest grids, row by row from the south-west."""
    system = city.grids_in_force(now)
    assert system is not None
    return [int(uid) for uid in system.finest()["uid"]]


def random_edit(draft: Any, chance: random.Random) -> dict[str, Any]:
    """Return some edit that may or may not be possible."""
    uid = chance.choice(sorted(draft.grids))
    x, y = chance.uniform(0, 3), chance.uniform(0, 3)
    what = chance.random()
    if what < 0.45:
        wide, high = chance.uniform(0.1, 0.7), chance.uniform(0.1, 0.7)
        area = [place(x, y), place(x + wide, y), place(x + wide, y + high), place(x, y + high)]
        return {"op": "draw", "grid": uid, "area": [*area, area[0]], "rest": "follow"}
    if what < 0.8:
        return {"op": "split", "grid": uid, "line": [place(x, -0.2), place(3 - x, 3.2)]}
    return {"op": "merge", "grids": [uid, chance.choice(sorted(draft.grids))]}


def draw_some(
    shop: Workshop, number: int, chance: random.Random, *, n: int, now: int = NOW
) -> Workpiece:
    """Make `n` edits that the draft accepts."""
    piece = shop.open(number, now=now)
    made = 0
    while made < n:
        try:
            piece, _ = shop.edit(number, [random_edit(piece.draft, chance)], scope=PLANNER, now=now)
            made += 1
        except BadGrid:
            piece = shop.open(number, now=now)
    return piece


def approve_edits(city: City, edits: list[dict[str, Any]], *, now: int = NOW) -> int:
    """Draw, submit and approve for today; return the plan's number."""
    plan = make_plan(city, PLANNER, name="方案", now=now)
    Workshop(city).edit(plan.plan, edits, scope=PLANNER, now=now)
    submit_plan(city, PLANNER, plan.plan, now=now)
    approve_plan(city, APPROVER, plan.plan, effective=TODAY, now=now)
    return plan.plan


def publish_edits(city: City, edits: list[dict[str, Any]], *, now: int = NOW) -> Published:
    """Draw, submit, approve and publish at once."""
    plan = approve_edits(city, edits, now=now)
    return publish_plan(city, APPROVER, plan, workshop=Workshop(city), now=now)
