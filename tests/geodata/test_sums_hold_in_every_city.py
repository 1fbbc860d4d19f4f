"""Promise: in every made-up city children sum to their area, under any filter, for any scope."""

from __future__ import annotations

import os
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from geodata.access.suppression import Span
from geodata.city import City, open_city
from geodata.demo import SCENARIOS
from geodata.events.incidents import STAGES
from geodata.figures.area import Count, count_area, list_children
from geodata.figures.period import Period
from geodata.snapshots.facts import load_facts
from geodata.snapshots.snapshot import Filter
from tests.dashboard.conftest import DEMO_NOW, make_demo
from tests.geodata.test_areas_add_up import DAY_S, Town

FILTERS, SCOPES = 200, 5
FIGURES = ("total", "open", "overdue")
STATES = ("all", "open", "overdue", "closed")


def read_bounds(count: Count) -> tuple[int, int]:
    """The least and the most that a printed count may stand for."""
    return (count.low, count.high) if isinstance(count, Span) else (count, count)


def draw_filters(town: Town, dice: np.random.Generator) -> Iterator[tuple[Period, Filter]]:
    kinds, bodies = list(town.facts.kind_terms), list(town.facts.body_terms)

    def some(codes: list[Any], most: int) -> tuple[int, ...] | None:
        if dice.random() < 0.6 or not codes:
            return None
        return tuple(int(one) for one in dice.choice(codes, dice.integers(1, most + 1)))

    for _ in range(FILTERS):
        since = int(town.facts.risk_from - dice.integers(1, 500) * DAY_S)
        until = since + int(dice.integers(1, 300)) * DAY_S
        period = Period(since=since, until=until if dice.random() < 0.5 else None)
        yield (
            Period() if dice.random() < 0.2 else period,
            Filter(
                kinds=some(kinds, 5),
                bodies=some(bodies, 3),
                stages=some(list(range(len(STAGES))), 4),
                state=str(dice.choice(STATES)),
            ),
        )


def walk_down(town: Town, sight: Any, dice: np.random.Generator) -> Iterator[int | None]:
    """The whole city, and one area of each level below it."""
    uid: int | None = None
    yield uid
    below = list_children(sight, uid)
    while below:
        uid = int(dice.choice(below))
        yield uid
        below = list_children(sight, uid)


def make_or_open(name: str, folder: Path) -> tuple[City, int]:
    """Make the city, or open the one in GETU_DEMO_CITIES: a large one takes long; and its now."""
    made = Path(os.environ.get("GETU_DEMO_CITIES", "")) / name
    if (made / "city.toml").is_file():
        return open_city(made), int(time.time())
    return make_demo(name, folder), DEMO_NOW


@pytest.mark.long
@pytest.mark.parametrize("name", SCENARIOS)
def test_children_sum_to_their_area_under_any_filter_for_any_scope(name, tmp_path):
    city, now = make_or_open(name, tmp_path / "city")
    facts = load_facts(city, now=now)
    assert facts is not None
    town, dice = Town(facts, now=now), np.random.default_rng(11)
    shares = [None, *dice.uniform(0.02, 0.9, SCOPES - 1)]
    sights = []
    for share in shares:
        grids = None
        if share is not None:
            chosen = dice.random(len(town.uids)) < share
            grids = frozenset(uid for uid, kept in zip(town.uids, chosen, strict=True) if kept)
        sights.append(town.see(grids))
    checked = bounded = 0
    for period, filter in draw_filters(town, dice):
        for sight in sights:
            for uid in walk_down(town, sight, dice):
                area = count_area(sight, grid=uid, period=period, filter=filter, now=now)
                for figure in FIGURES if area.children else ():
                    counts = [getattr(one, figure) for one in (area, *area.children)]
                    if None in counts:  # nothing is told of such a filter outside the scope
                        continue
                    (least, most), *parts = [read_bounds(count) for count in counts]
                    low, high = (sum(part[place] for part in parts) for place in (0, 1))
                    assert low <= most, (uid, figure, filter)
                    assert least <= high, (uid, figure, filter)
                    if area.complete:
                        assert low == high == least == most
                    checked += 1
                    bounded += not area.complete
    assert checked > FILTERS
    assert bounded
