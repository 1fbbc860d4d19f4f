"""Promise: an area's figures are what contracts say, and its parts add up under any filter."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from geodata.access.scope import ROWS, Scope
from geodata.access.sight import Sight, narrow_facts, sort_facts
from geodata.access.suppression import Span
from geodata.errors import NotFound
from geodata.events.incidents import SIX_STEPS
from geodata.events.periods import local_midnight
from geodata.figures.area import AreaFigures, count_area, find_root
from geodata.figures.counts import Change, Rate
from geodata.figures.definitions import DEFINITIONS, describe_figure
from geodata.figures.period import (
    Period,
    choose_period,
    find_period_before,
    find_period_last_year,
)
from geodata.figures.tally import AGEING_DAYS, tally_areas
from geodata.snapshots.facts import Facts, load_facts
from geodata.snapshots.snapshot import Filter
from tests.city import (
    INCIDENT_COLUMNS,
    NOW,
    incident_rows,
    load_one,
    make_tiny_city,
    write_table,
)
from tests.plain_figures import compare, count_figures

DAY_S = 86_400
ZONE = "Asia/Shanghai"


class Town:
    """The facts of a small city, and every scope's sight of them."""

    def __init__(self, facts: Facts, *, now: int = NOW) -> None:
        self.facts = facts
        self.cells = sort_facts(facts, now)
        self.uids = [int(uid) for uid in facts.grids.finest()["uid"]]
        self.everyone = self.see(None)

    def see(self, grids: frozenset[int] | None, *, rows: bool = True) -> Sight:
        allowed = ("read", ROWS) if rows else ("read",)
        scope = Scope(account="a", grids=grids, permissions=frozenset(allowed))
        everything = grids is None and rows
        return narrow_facts(self.facts, scope, cells=None if everything else self.cells)


@pytest.fixture(scope="module")
def town(tmp_path_factory) -> Town:
    city = make_tiny_city(tmp_path_factory.mktemp("areas") / "city")
    rows = [[f"C{row[0]}", *row[1:]] for row in incident_rows(400, seed=5)]
    load_one(city, "incidents", write_table(city.folder / "more.csv", INCIDENT_COLUMNS, rows))
    facts = load_facts(city, now=NOW)
    assert facts is not None
    return Town(facts)


def areas_of(sight: Sight, **asked) -> dict[int | None, AreaFigures]:
    """Every area of the drawing, the whole city under None."""
    uids = [None, *(int(uid) for uid in sight.grids.grids["uid"])]
    return {uid: count_area(sight, grid=uid, now=NOW, **asked) for uid in uids}


filters = st.builds(
    Filter,
    categories=st.none() | st.sets(st.integers(0, 3)).map(lambda found: tuple(sorted(found))),
    state=st.sampled_from(("all", "open", "overdue", "closed")),
    kinds=st.none() | st.sets(st.integers(0, 4)).map(lambda found: tuple(sorted(found))),
    stages=st.none() | st.sets(st.integers(0, 15)).map(lambda found: tuple(sorted(found))),
)
periods = st.builds(
    lambda since, length: Period(since=since, until=None if length is None else since + length),
    st.integers(NOW - 100 * DAY_S, NOW),
    st.none() | st.integers(0, 60 * DAY_S),
) | st.just(Period())


def test_no_narrowed_sight_is_as_of_a_moment_before_its_own_newest_case(town):
    facts = replace(town.facts, as_of=NOW + 1_800)
    hour = facts.as_of - facts.as_of % 3_600
    moments = set()
    for uid in town.uids:
        sight = Town(facts).see(frozenset({uid}))
        newest = int(sight.snapshot.steps.max(initial=0))
        assert sight.as_of >= min(newest, facts.as_of)
        assert sight.as_of in (hour, newest)  # of elsewhere nothing closer than the hour
        moments.add(sight.as_of)
    assert moments


# --- the same figures as of a set of incidents ----------------------------------------------------


@settings(max_examples=40, deadline=None)
@given(filter=filters, period=periods)
def test_an_area_counts_what_its_incidents_come_to(town, filter, period):
    sight = town.everyone
    chosen = replace(filter, since=period.since, until=period.until)
    for uid, area in areas_of(sight, period=period, filter=filter).items():
        inside = np.ones(sight.snapshot.n, np.bool_)
        if uid is not None and uid != find_root(sight):
            inside = np.isin(sight.snapshot.owner, sight.grids.leaf_ranks(uid))
        mask = chosen.mask(sight.snapshot, states=lambda: sight.states(NOW)) & inside
        peer = count_figures(sight.snapshot, mask, states=sight.states(NOW))
        compare(area.own, peer)
        assert area.rules == peer.rules
        assert area.own.whole == int(inside.sum())


@settings(max_examples=60, deadline=None)
@given(filter=filters, period=periods)
def test_children_and_all_parts_sum_to_their_area(town, filter, period):
    areas = areas_of(town.everyone, period=period, filter=filter)
    for uid, area in areas.items():
        assert area.complete
        assert (area.total, area.open, area.overdue) == (
            area.own.total, area.own.open, area.own.overdue,
        )  # fmt: skip
        if area.children:
            for name in ("total", "open", "overdue"):
                assert sum(getattr(child, name) for child in area.children) == getattr(area, name)
            for child in area.children:
                peer = areas[child.uid].own if child.uid is not None else None
                assert peer is None or peer == child.own
        assert (area.children[-1].uid is None) == (uid is None) if area.children else uid
        for parts in (area.kinds, area.categories, area.bodies, area.sources):
            for name in ("total", "open", "overdue"):
                assert sum(getattr(part, name) for part in parts) == getattr(area.own, name)
        assert sum(area.stages.values()) == sum(area.rules.values()) == area.own.total
        assert sum(area.own.ageing) == area.own.overdue
        assert len(area.own.ageing) == len(AGEING_DAYS) + 1
        assert area.own.steps["reported"] >= int(area.days.counts.sum())


def test_days_count_the_reports_of_each_local_day(town):
    period = choose_period(town.everyone, days=28, now=NOW)
    area = count_area(town.everyone, grid=None, period=period, filter=Filter(), now=NOW)
    assert len(area.days.midnights) == 28
    assert area.days.midnights[0] == period.since
    at = town.everyone.snapshot.reported_at
    ends = [*area.days.midnights[1:].tolist(), NOW + DAY_S]
    for begin, end, n in zip(area.days.midnights, ends, area.days.counts, strict=True):
        assert n == int(((at >= begin) & (at < end)).sum())
    assert area.days.counts.sum() == area.total


def test_every_figure_of_all_grids_can_be_read_as_a_column(town):
    tallies = tally_areas(town.everyone, period=Period(), filter=Filter(), now=NOW)
    snapshot = town.everyone.snapshot
    grids = len(town.uids)
    owner = np.where(snapshot.owner < 0, grids, snapshot.owner)
    assert np.array_equal(tallies.of_finest("total"), np.bincount(owner, minlength=grids + 1))
    assert tallies.of_finest("open").sum() == snapshot.open.sum()


# --- against other periods ------------------------------------------------------------------------


def test_a_period_is_compared_with_as_many_days_before_up_to_the_same_hour(town):
    period = choose_period(town.everyone, days=28, now=NOW)
    before = find_period_before(town.facts, period, now=NOW)
    assert before.since == period.since - 28 * DAY_S == local_midnight(before.since, ZONE)
    assert before.until == NOW + 1 - 28 * DAY_S
    area = count_area(town.everyone, grid=None, period=period, filter=Filter(), now=NOW)
    at = town.everyone.snapshot.reported_at
    expected = int(((at >= before.since) & (at < before.until)).sum())
    assert area.previous == Change(now=area.total, before=expected)


def test_a_year_before_a_leap_day_is_the_day_before_march():
    class Zoned:
        zone, risk_from = "UTC", 4_000_000_000

    leap = 1_709_164_800  # 2024-02-29
    found = find_period_last_year(Zoned(), Period(since=leap, until=leap + DAY_S), now=leap)
    assert (found.since, found.until) == (1_677_542_400, 1_677_628_800)  # 2023-02-28, 03-01


def test_nothing_is_compared_with_a_time_before_the_data_begin(town):
    period = Period(since=NOW - 80 * DAY_S)
    area = count_area(town.everyone, grid=None, period=period, filter=Filter(), now=NOW)
    assert area.previous is None
    assert area.last_year is None


def test_a_change_prints_its_sign_and_nothing_of_nothing():
    assert Change(now=96, before=100).percent() == "-4.00"
    assert Change(now=2, before=3).percent() == "-33.33"
    assert Change(now=103, before=100).percent() == "+3.00"
    assert Change(now=7, before=7).percent() == "0.00"
    assert Change(now=7, before=0).percent() is None


# --- scopes ---------------------------------------------------------------------------------------


@settings(max_examples=40, deadline=None)
@given(
    data=st.data(),
    rows=st.booleans(),
    state=st.sampled_from(("all", "open", "overdue", "closed")),
    days=st.sampled_from((0, 28, 90, 365)),
)
def test_sums_stay_true_within_the_printed_bounds_for_any_scope(town, data, rows, state, days):
    grids = data.draw(st.sets(st.sampled_from(town.uids)))
    sight = town.see(frozenset(grids), rows=rows)
    period, filter = choose_period(sight, days=days, now=NOW), Filter(state=state)
    told = areas_of(sight, period=period, filter=filter)
    for uid, area in told.items():
        midnight = local_midnight(NOW, ZONE)
        for name in ("total", "open", "overdue"):
            count = getattr(area, name)
            if not area.complete:
                assert isinstance(count, Span)
                assert area.outside_at == midnight
            parts = [getattr(child, name) for child in area.children]
            low = sum(part.low if isinstance(part, Span) else part for part in parts)
            high = sum(part.high if isinstance(part, Span) else part for part in parts)
            least, most = (count, count) if isinstance(count, int) else (count.low, count.high)
            assert not parts or (low <= most and least <= high), (uid, name)
        assert area.previous is None or area.complete


def test_a_part_that_is_hidden_is_counted_nowhere(town):
    sight = town.see(frozenset(town.uids[:1]))
    area = count_area(sight, grid=None, period=Period(), filter=Filter(), now=NOW)
    mine = count_area(sight, grid=town.uids[0], period=Period(), filter=Filter(), now=NOW)
    other = count_area(sight, grid=town.uids[-1], period=Period(), filter=Filter(), now=NOW)
    assert area.own.total == mine.own.total == mine.total > 0
    assert area.hidden_grids == len(town.uids) - 1
    assert other.own.total == 0
    assert not other.kinds
    assert isinstance(other.total, Span)
    by_kind = count_area(sight, grid=None, period=Period(), filter=Filter(kinds=(1,)), now=NOW)
    assert by_kind.total is None  # of kinds nothing is told of what is outside
    assert by_kind.own.total <= area.own.total


def test_an_area_that_the_drawing_does_not_have_is_refused(town):
    with pytest.raises(NotFound):
        count_area(town.everyone, grid=987_654, period=Period(), filter=Filter(), now=NOW)


# --- the dictionary -------------------------------------------------------------------------------


@pytest.mark.parametrize("lang", ["zh", "en"])
def test_every_figure_has_an_entry_in_words(town, lang):
    area = count_area(town.everyone, grid=None, period=Period(), filter=Filter(), now=NOW)
    rates = [name for name in area.own.__slots__ if isinstance(getattr(area.own, name), Rate)]
    counts = [name for name in area.own.__slots__ if isinstance(getattr(area.own, name), int)]
    for name in {*rates, *counts, "before", "last_year"} - {"whole"}:
        entry = describe_figure(name, lang)
        assert bool(entry["denominator"]) == (name in rates or name in {"before", "last_year"}), (
            name
        )
        assert all(entry[part] for part in ("name", "formula", "window", "rounding"))
    assert set(SIX_STEPS) == set(area.own.steps)
    assert all(describe_figure(key, lang)["formula"] for key in DEFINITIONS)
