"""Promise: sums are true within the printed bounds, for every filter, scope, grid and level."""

from __future__ import annotations

from datetime import datetime
from zoneinfo import ZoneInfo

import numpy as np
import pytest

from dashboard.parts import numbers, totals
from dashboard.view import View
from geodata.access.outside import WHOLE
from geodata.access.scope import ROWS, Scope
from geodata.access.sight import Sight, narrow_facts, sort_facts
from geodata.events.clock import clock_state
from geodata.events.incidents import SIX_STEPS
from geodata.events.periods import PERIODS_DAYS
from geodata.snapshots.facts import Facts, load_facts
from geodata.snapshots.snapshot import Filter
from tests.city import uids_above
from tests.dashboard.conftest import DEMO_NOW
from tests.plain_figures import count_figures

STATES = ("all", "open", "overdue", "closed")
FIGURES = ("total", "open", "overdue")


@pytest.fixture(scope="module")
def small(gaoshan) -> Facts:
    found = load_facts(gaoshan, now=DEMO_NOW)
    assert found
    return found


def scopes_of(facts: Facts, rng: np.random.Generator, count: int) -> list[Scope]:
    """Return an analyst, an auditor, and posts of one area each or of some grids."""
    grids, leaves = facts.grids.grids, facts.grids.finest()["uid"].to_numpy()
    found = [
        Scope(account="analyst", grids=None, permissions=frozenset({"read"})),
        Scope(account="nowhere", grids=frozenset(), permissions=frozenset({"read", ROWS})),
    ]
    while len(found) < count:
        area = int(rng.choice(grids["uid"]))
        inside = np.intersect1d(facts.grids.subtree_uids(area), leaves)
        some = rng.choice(leaves, max(len(leaves) // 7, 1), replace=False)
        for uids in (inside, some):
            grids_of = frozenset(int(uid) for uid in uids)
            rights = frozenset({"read", ROWS})
            found.append(Scope(account="post", grids=grids_of, permissions=rights))
    return found[:count]


def views_of(facts: Facts, rng: np.random.Generator, count: int) -> list[View]:
    categories = [None, *range(len(facts.categories))]
    return [
        View(
            days=int(rng.choice(PERIODS_DAYS)),
            state=str(rng.choice(STATES)),  # type: ignore[arg-type]
            category=categories[rng.integers(len(categories))] if rng.random() < 0.6 else None,
        )
        for _ in range(count)
    ]


class Truth:
    """What is true at the last local midnight, counted without a word of the code under test."""

    def __init__(self, facts: Facts, scope: Scope) -> None:
        zone = ZoneInfo(facts.zone)
        end = datetime.fromtimestamp(min(facts.risk_from, DEMO_NOW), zone)
        self.until = int(end.replace(hour=0, minute=0, second=0, microsecond=0).timestamp())
        self.facts, snapshot = facts, facts.snapshot
        self.open = snapshot.open | (snapshot.closed_at >= self.until)
        suspended = np.where(snapshot.suspended_since < self.until, snapshot.suspended_since, 0)
        self.late = self.open & (
            clock_state(
                open=self.open, due_at=snapshot.due_at, clock_from=snapshot.clock_from,
                closed_at=snapshot.closed_at, suspended_since=suspended, now=self.until,
            ) == 2
        )  # fmt: skip
        rows = ROWS in scope.permissions
        uids = facts.grids.finest()["uid"]
        self.own = np.array([rows and scope.allows(int(uid)) for uid in uids])
        self.out = ~np.append(self.own, False)[snapshot.owner]

    def mask(self, chosen: Filter, figure: str) -> np.ndarray:
        snapshot = self.facts.snapshot
        kept = self.out & (snapshot.reported_at < self.until)
        if chosen.since is not None:
            kept &= snapshot.reported_at >= chosen.since
        if chosen.categories is not None:
            kept &= np.isin(snapshot.category, chosen.categories)
        for name in (chosen.state, figure):
            kept &= {"all": True, "total": True, "open": self.open, "overdue": self.late,
                     "closed": ~self.open}[name]  # fmt: skip
        return kept


def check_sums(facts: Facts, *, scopes: int, filters: int, seed: int) -> int:
    """Check every bound of every filter and scope against the truth; return how many were told."""
    rng = np.random.default_rng(seed)
    system, told = facts.grids, 0
    views = views_of(facts, rng, filters)
    cells = sort_facts(facts, DEMO_NOW)
    for scope in scopes_of(facts, rng, scopes):
        sight = narrow_facts(facts, scope, cells=cells)
        truth = Truth(facts, scope)
        assert sight.outside
        for view in views:
            chosen = view.filter(facts, DEMO_NOW)
            for figure in FIGURES:
                told += check_filter(sight, truth, chosen, figure)
        assert sight.outside.count(WHOLE, Filter(since=truth.until - 999)) is None
        assert sight.outside.count(WHOLE, Filter(until=truth.until)) is None
        check_own(facts, sight, truth, views)
    assert len(system.finest()) == len(facts.grids.finest())
    return told


def check_filter(sight: Sight, truth: Truth, chosen: Filter, figure: str) -> int:
    outside, system = sight.outside, truth.facts.grids
    assert outside
    exact = truth.mask(chosen, figure)
    whole = outside.count(WHOLE, chosen, figure)  # type: ignore[arg-type]
    assert whole is not None
    assert int(exact.sum()) in whole
    owner = truth.facts.snapshot.owner[exact]
    counts = np.bincount(owner[owner >= 0], minlength=len(truth.own))
    uids = system.finest()["uid"].to_numpy()
    bounds = outside.count_grids(uids, chosen, figure)  # type: ignore[arg-type]
    if chosen.categories is not None:
        assert bounds is None
        return 1
    assert bounds is not None
    assert ((bounds.low <= counts) & (counts <= bounds.high)).all()
    assert (bounds.high[truth.own] == 0).all()
    step = truth.facts.city.settings.suppress_below
    empty = {"overdue", "closed"} <= {chosen.state, figure} or {"open", "closed"} <= {
        chosen.state, figure,
    }  # fmt: skip
    assert empty or (bounds.high - bounds.low >= step - 1)[~truth.own].all()
    assert whole.low >= bounds.low.sum()
    for level in system.levels[:-1]:
        above = uids_above(system, level)
        for uid in np.unique(above[above >= 0]):
            inside = above == uid
            if uid not in outside.rows:  # all own, or above everything that is outside
                assert truth.own[inside].all() or not (~truth.own & ~inside).any()
                continue
            span = outside.count(int(uid), chosen, figure)  # type: ignore[arg-type]
            assert span is not None
            assert int(counts[inside].sum()) in span
            assert bounds.low[inside].sum() <= span.low <= span.high <= bounds.high[inside].sum()
            assert "–" in numbers.count(span) or "<" in numbers.count(span) or span.exact
    return 1


def check_own(facts: Facts, sight: Sight, truth: Truth, views: list[View]) -> None:
    """Check that own figures are exact and hold no other row, and that steps are true too."""
    outside = sight.outside
    assert outside
    for view in views[:12]:
        chosen = view.filter(facts, DEMO_NOW)
        mask = facts.select(chosen, DEMO_NOW) & ~truth.out
        expected = count_figures(facts.snapshot, mask, states=facts.states(DEMO_NOW))
        own = sight.select(chosen, DEMO_NOW)
        found = count_figures(sight.snapshot, own, states=sight.states(DEMO_NOW))
        assert (found.total, found.open, found.overdue, found.steps) == (
            expected.total, expected.open, expected.overdue, expected.steps,
        )  # fmt: skip
        steps = outside.count_steps(chosen)
        if steps is None:
            assert chosen.categories is not None
            continue
        at = facts.snapshot.steps[truth.mask(chosen, "total")]
        reached = (at > 0) & (at < truth.until)
        for place, name in enumerate(SIX_STEPS):
            beyond = reached[:, place:].any(axis=1) if place else np.ones(len(at), np.bool_)
            assert int(beyond.sum()) in steps[name]
    assert totals.draw(sight, Filter(), "zh")


def test_sums_of_a_small_city_are_true_within_the_bounds(small):
    assert check_sums(small, scopes=4, filters=25, seed=1) == 4 * 25 * 3


@pytest.mark.long
@pytest.mark.parametrize("name", ["gaoshan", "jiangdu"])
def test_sums_of_every_demo_city_are_true_within_the_bounds(name, request):
    facts = load_facts(request.getfixturevalue(name), now=DEMO_NOW)
    assert facts
    assert check_sums(facts, scopes=5, filters=200, seed=2) == 5 * 200 * 3


def test_where_the_city_hides_nothing_small_counts_are_exact(small, monkeypatch):
    monkeypatch.setattr(type(small.city.settings), "suppress_below", 0)
    scope = Scope(account="analyst", grids=None, permissions=frozenset({"read"}))
    sight = narrow_facts(small, scope, cells=sort_facts(small, DEMO_NOW))
    assert sight.outside
    span = sight.outside.count(WHOLE, Filter())
    assert span
    assert span.exact
    assert sight.snapshot.n == 0


def test_a_sight_of_the_whole_city_is_the_facts_themselves(small):
    scope = Scope.whole_city("auditor", ("read", ROWS))
    sight = narrow_facts(small, scope, cells=None)
    assert sight.snapshot is small.snapshot
    assert sight.risk is small.risk
    assert sight.outside is None
    assert sight.version == small.version


def test_a_sight_holds_no_way_back_to_other_rows(small):
    uid = int(small.grids.finest()["uid"].iloc[0])
    scope = Scope(account="post", grids=frozenset({uid}), permissions=frozenset({"read", ROWS}))
    sight = narrow_facts(small, scope, cells=sort_facts(small, DEMO_NOW))
    assert set(sight.snapshot.owner.tolist()) == {0}
    assert 0 < sight.snapshot.n < small.snapshot.n
    assert len(sight.cameras) < len(small.cameras)
    assert sight.risk
    assert np.isnan(sight.risk.weighted[1:]).all() or (sight.risk.n[1:] == 0).all()
    held = [value for value in vars(sight).values() if isinstance(value, Facts)]
    assert held == []
