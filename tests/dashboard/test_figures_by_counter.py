"""Promise: every figure of every area, part and scope is what plain counting gives."""

from __future__ import annotations

import numpy as np
import pytest

from geodata.access.scope import ROWS, Scope
from geodata.access.sight import narrow_facts, sort_facts
from geodata.figures.area import count_area
from geodata.figures.period import Period
from geodata.figures.tally import AGEING_DAYS, order_leaves, tally_areas
from geodata.snapshots.facts import load_facts
from geodata.snapshots.snapshot import Filter
from tests.dashboard.conftest import DEMO_NOW
from tests.plain_figures import compare, count_by_grid, count_figures

DAY_S = 86_400
STATES = ("all", "open", "overdue", "closed")


def make_filters(facts, count, *, seed, now):
    """Any filters a page can ask for, each with its period."""
    rng = np.random.default_rng(seed)
    snapshot = facts.snapshot

    def some(codes):
        known = np.unique(codes)
        if rng.random() < 0.6:
            return None
        return tuple(int(code) for code in rng.choice(known, rng.integers(0, 4)))

    for _ in range(count):
        since = None if rng.random() < 0.3 else int(now - rng.integers(0, 900) * DAY_S // 2)
        until = None if rng.random() < 0.6 else int((since or now) + rng.integers(0, 400) * DAY_S)
        yield Filter(
            since=since,
            until=until,
            state=STATES[rng.integers(len(STATES))],
            categories=some(snapshot.category),
            kinds=some(snapshot.kind),
            stages=some(snapshot.stage),
            bodies=some(snapshot.body),
            sources=some(snapshot.source),
        )


def check_filter(sight, chosen, *, now):
    """Check all grids' figures at once, then the whole's parts, against a plain mask."""
    snapshot, states = sight.snapshot, sight.states(now)
    mask = chosen.mask(snapshot, states=lambda: states)
    period = Period(since=chosen.since, until=chosen.until)
    tallies = tally_areas(sight, period=period, filter=chosen, now=now)
    plain = count_figures(snapshot, mask, states=states)
    compare(tallies.of_all(), plain)
    grids = len(order_leaves(sight).order)
    for column, marks in (
        ("total", mask),
        ("open", mask & snapshot.open),
        ("closed", mask & (snapshot.closed_at > 0)),
        ("whole", np.ones(snapshot.n, np.bool_)),
    ):
        expected = count_by_grid(snapshot, marks, grids=grids)
        np.testing.assert_array_equal(tallies.of_finest(column), expected)
    late_days = (now - now % 60 - snapshot.due_at) // DAY_S
    late = mask & snapshot.open & (states == 2)
    band = np.searchsorted(AGEING_DAYS, late_days[late], side="right")
    assert tallies.of_all().ageing == tuple(np.bincount(band, minlength=5).tolist())
    area = count_area(sight, grid=None, period=period, filter=chosen, now=now)
    assert area.rules == plain.rules
    for parts, codes in (
        (area.kinds, snapshot.kind), (area.categories, snapshot.category),
        (area.bodies, snapshot.body), (area.sources, snapshot.source),
    ):  # fmt: skip
        found = np.zeros((int(codes.max(initial=0)) + 1, 3), np.int64)
        for part in parts:
            found[part.code] = part.total, part.open, part.overdue
        for place, marks in enumerate((mask, mask & snapshot.open, late)):
            np.testing.assert_array_equal(
                found[:, place], np.bincount(codes[marks], minlength=len(found))
            )
    return plain.total


def check_scopes(facts, *, filters, scopes, seed, now):
    """Check filters for the whole city and for scopes of random grids; return what was counted."""
    rng = np.random.default_rng(seed)
    uids = facts.grids.finest()["uid"].to_numpy()
    cells = sort_facts(facts, now)
    counted = 0
    for number in range(scopes):
        share = None if number == 0 else frozenset(rng.choice(uids, len(uids) // (number + 1)))
        scope = Scope(account="a", grids=share, permissions=frozenset(("read", ROWS)))
        sight = narrow_facts(facts, scope, cells=None if share is None else cells)
        assert sight.counter.n == sight.snapshot.n
        for chosen in make_filters(sight, filters, seed=seed + number, now=now):
            counted += check_filter(sight, chosen, now=now)
    return counted


def test_figures_of_a_large_city_are_those_of_plain_counting(jiangdu):
    facts = load_facts(jiangdu, now=DEMO_NOW)
    assert check_scopes(facts, filters=12, scopes=3, seed=4, now=DEMO_NOW) > 0


@pytest.mark.long
def test_200_filters_of_5_scopes_are_those_of_plain_counting(jiangdu):
    facts = load_facts(jiangdu, now=DEMO_NOW)
    assert check_scopes(facts, filters=200, scopes=5, seed=7, now=DEMO_NOW) > 0
