"""Promise: an area is compared with any days and with its siblings, and no place tells a secret."""

from __future__ import annotations

from hypothesis import given, settings
from hypothesis import strategies as st

from geodata.figures.area import count_area, find_root, list_children
from geodata.figures.comparison import (
    RANKED,
    count_against,
    find_worst,
    list_siblings,
    rank_area,
)
from geodata.figures.counts import Rate
from geodata.figures.period import Period
from geodata.snapshots.snapshot import Filter
from tests.city import NOW
from tests.geodata.test_areas_add_up import DAY_S, Town, filters, town

__all__ = ["town"]  # the fixture
ALL = Filter()
NEWER = Period(since=NOW - 20 * DAY_S)


def count(town: Town, uid: int | None, *, period: Period, filter: Filter = ALL, grids=None):
    sight = town.see(grids)
    return sight, count_area(sight, grid=uid, period=period, filter=filter, now=NOW)


def first_report(town: Town) -> int:
    at = town.facts.snapshot.reported_at
    return int(at[at > 0].min())


@settings(max_examples=30, deadline=None)
@given(filter=filters, days=st.integers(1, 30))
def test_another_period_counts_what_it_would_as_the_page_s_own(town, filter, days):
    since = first_report(town)
    other = Period(since=since, until=since + days * DAY_S)
    for uid in (None, find_root(town.everyone), *list_children(town.everyone, None)):
        sight, area = count(town, uid, period=NEWER, filter=filter)
        found = count_against(sight, area, period=other)
        _, peer = count(town, uid, period=other, filter=filter)
        assert found.total == peer.total
        assert found.children == {child.uid: child.total for child in peer.children}
        if found.children:
            assert sum(found.children.values()) == found.total


def test_nothing_is_compared_where_data_or_sight_do_not_reach(town):
    sight, area = count(town, None, period=NEWER)
    assert count_against(sight, area, period=Period()) is None
    assert count_against(sight, area, period=Period(since=first_report(town) - DAY_S)) is None
    part, hidden = count(town, None, period=NEWER, grids=frozenset(town.uids[:1]))
    assert count_against(part, hidden, period=Period(since=first_report(town))) is None


@settings(max_examples=30, deadline=None)
@given(filter=filters, data=st.data())
def test_a_place_is_one_more_than_the_siblings_that_have_more(town, filter, data):
    everyone = town.everyone
    uid = data.draw(st.sampled_from([int(one) for one in everyone.grids.grids["uid"]]))
    then = Period(since=first_report(town), until=NOW - 20 * DAY_S)
    sight, area = count(town, uid, period=NEWER, filter=filter)
    ranks = {rank.figure: rank for rank in rank_area(sight, area, against=then)}
    siblings = [] if area.is_city else list_siblings(sight, uid)
    if len(siblings) < 2:
        assert ranks == {}
        return
    assert uid in siblings
    for period, name in ((NEWER, "place"), (then, "then")):
        tallies = [count(town, one, period=period, filter=filter)[1].own for one in siblings]
        for figure in RANKED:
            values = [share(getattr(tally, figure)) for tally in tallies]
            own = values[siblings.index(uid)]
            if figure not in ranks or (name == "then" and figure in {"open", "overdue"}):
                continue
            more = [one for one in values if one is not None and own is not None and one > own]
            assert getattr(ranks[figure], name) == (None if own is None else 1 + len(more))
            if name == "place":
                assert ranks[figure].of == sum(one is not None for one in values)


def share(value: int | Rate) -> float | None:
    if isinstance(value, Rate):
        return value.part / value.of if value.of else None
    return value


def test_where_one_sibling_is_hidden_nobody_has_a_place(town):
    uid = town.uids[0]
    seen = frozenset(town.uids[:1])
    assert rank_area(*count(town, uid, period=NEWER, grids=seen), against=None) == ()
    assert rank_area(*count(town, uid, period=NEWER), against=None)


def test_a_whole_city_has_no_siblings(town):
    sight, area = count(town, None, period=NEWER)
    assert rank_area(sight, area, against=None) == ()
    assert area.is_city


@settings(max_examples=20, deadline=None)
@given(filter=filters)
def test_the_worst_further_down_have_more_overdue_than_all_beside_them(town, filter):
    for uid in (None, *list_children(town.everyone, None)):
        sight, area = count(town, uid, period=NEWER, filter=filter)
        found = find_worst(sight, area)
        grids = sight.grids
        inside = {int(one) for one in grids.grids["uid"]}
        if uid is not None:
            inside = {int(one) for one in grids.subtree_uids(uid)}
        children = {child.uid for child in area.children}
        deeper = {one for one in inside if set(grids.ancestors(one)) & children}
        counted = {one: count(town, one, period=NEWER, filter=filter)[1].own for one in deeper}
        assert {one.uid for one in found} <= deeper
        for one in found:
            assert (one.overdue, one.open) == (counted[one.uid].overdue, counted[one.uid].open)
        left = deeper - {one.uid for one in found}
        least = min((one.overdue for one in found), default=0)
        assert all(counted[one].overdue <= max(least, 0) for one in left)
    part, hidden = count(town, None, period=NEWER, grids=frozenset(town.uids[:1]))
    assert find_worst(part, hidden) == ()
