"""Comparisons: an area and its parts against any other period, and its place among its siblings."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from geodata.access.sight import Sight
from geodata.figures.area import AreaFigures, list_children
from geodata.figures.counts import Rate
from geodata.figures.period import Period
from geodata.figures.tally import Tallies, Tally, find_first_report, order_leaves, tally_areas
from geodata.levels import NO_PARENT

RANKED = ("overdue", "open", "total", "closing", "on_time")
# What another period has places in too: what was late or open then is not known now.
RANKED_THEN = ("total", "closing", "on_time")


@dataclass(frozen=True, slots=True, kw_only=True)
class Against:
    """The reports of an area in another period; `children` by uid, None for what nobody owns."""

    total: int
    children: Mapping[int | None, int]


@dataclass(frozen=True, slots=True, kw_only=True)
class Rank:
    """
    An area's place among its siblings by one figure: 1 for the greatest, equal ones share a place.

    `of` siblings have the figure at all: a rate of nothing has no place. `then` is the place in the
    other period, None where there is none.
    """

    figure: str
    value: int | Rate
    place: int
    of: int
    then: int | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Worst:
    """An area with much that is overdue."""

    uid: int
    code: str
    level: str
    open: int
    overdue: int


def count_against(sight: Sight, area: AreaFigures, *, period: Period) -> Against | None:
    """
    Return the reports of an area and its children in another period, under the same filter.

    None where the scope hides a part of the area, or where the data begin later than the period.
    """
    if not area.complete or not has_begun(sight, period):
        return None
    tallies = tally_areas(sight, period=period, filter=area.filter, now=area.now)
    whole = tallies.of_all() if area.grid is None or area.is_city else tallies.of(area.grid)
    children = {
        child.uid: (tallies.of_unowned() if child.uid is None else tallies.of(child.uid)).total
        for child in area.children
    }
    return Against(total=whole.total, children=children)


def rank_area(sight: Sight, area: AreaFigures, *, against: Period | None) -> tuple[Rank, ...]:
    """
    Return an area's places among its siblings by each of RANKED that it has a value of.

    None for the whole city, for an only child, and where the scope hides a part of any sibling: a
    place among numbers that are not told would tell them. `against` is the other period.
    """
    if area.grid is None or area.is_city:
        return ()
    siblings = list_siblings(sight, area.grid)
    if len(siblings) < 2 or not _are_shown(sight, siblings):
        return ()
    now = _tally_each(sight, area, siblings, area.period)
    then: Sequence[Tally] = ()
    if against is not None and has_begun(sight, against):
        then = _tally_each(sight, area, siblings, against)
    at = siblings.index(area.grid)
    found = []
    for figure in RANKED:
        value = getattr(now[at], figure)
        place = _find_place(now, at, figure)
        if place is None:
            continue
        found.append(
            Rank(
                figure=figure,
                value=value,
                place=place,
                of=sum(_measure(one, figure) is not None for one in now),
                then=_find_place(then, at, figure) if then and figure in RANKED_THEN else None,
            )
        )
    return tuple(found)


def find_worst(sight: Sight, area: AreaFigures, *, most: int = 3) -> tuple[Worst, ...]:
    """
    Return those with most that is overdue of each level deeper than an area's children.

    The most first, of equal ones the one with more open cases. None where the scope hides a part of
    the area: what is best hidden would be told by not being there.
    """
    if not area.complete:
        return ()
    tallies = tally_areas(sight, period=area.period, filter=area.filter, now=area.now)
    grids, tree = sight.grids.grids, order_leaves(sight)
    first, end = tree.reaches
    open_, late = (
        sums[end] - sums[first]
        for name in ("open", "overdue")
        for sums in [np.append(0, np.cumsum(tallies.of_finest(name)[tree.order]))]
    )
    children = [child.uid for child in area.children if child.uid is not None]
    known = {area.grid, *children, *(up for one in children for up in sight.grids.ancestors(one))}
    begin, stop = 0, len(tree.order)
    if area.grid is not None and not area.is_city:
        begin, stop = tree.reach(area.grid)
    uids, codes, levels = (grids[name].to_numpy() for name in ("uid", "code", "level"))
    told = [uid for uid in known if uid is not None]
    deeper = (late > 0) & (first >= begin) & (end <= stop) & ~np.isin(uids, told)
    worst = []
    for level in sight.grids.levels:
        rows = np.flatnonzero(deeper & (levels == level))
        order = np.lexsort((codes[rows].astype(str), -open_[rows], -late[rows]))
        worst += rows[order[:most]].tolist()
    return tuple(
        Worst(
            uid=int(uids[row]),
            code=str(codes[row]),
            level=str(levels[row]),
            open=int(open_[row]),
            overdue=int(late[row]),
        )
        for row in worst
    )


def list_siblings(sight: Sight, grid: int) -> list[int]:
    """Return the areas that stand beside a grid in the table by child, itself among them."""
    outermost = list_children(sight, None)
    if grid in outermost:
        return outermost
    above = sight.grids.parent(grid)
    return [grid] if above == NO_PARENT else list_children(sight, above)


def _tally_each(
    sight: Sight, area: AreaFigures, uids: Sequence[int], period: Period
) -> list[Tally]:
    tallies: Tallies = tally_areas(sight, period=period, filter=area.filter, now=area.now)
    return [tallies.of(uid) for uid in uids]


def _find_place(tallies: Sequence[Tally], at: int, figure: str) -> int | None:
    """Return the place of one of several tallies by a figure, None where it has no value."""
    values = [_measure(one, figure) for one in tallies]
    own = values[at]
    if own is None:
        return None
    return 1 + sum(one is not None and one > own for one in values)


def _measure(tally: Tally, figure: str) -> float | None:
    value: int | Rate = getattr(tally, figure)
    if isinstance(value, Rate):
        return value.part / value.of if value.of else None
    return float(value)


def _are_shown(sight: Sight, uids: Sequence[int]) -> bool:
    if sight.outside is None:
        return True
    tree, finest = order_leaves(sight), sight.grids.finest()["uid"].to_numpy()
    return all(sight.shows(int(finest[row])) for uid in uids for row in tree.leaves(uid))


def has_begun(sight: Sight, period: Period) -> bool:
    """Tell whether the data begin before a period does."""
    return period.since is not None and 0 < find_first_report(sight) <= period.since
