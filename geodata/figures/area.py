"""An area's figures: what every screen, export and paper prints of a grid of any level."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from geodata.access.outside import UNOWNED, WHOLE, Figure, Outside
from geodata.access.sight import Sight
from geodata.access.suppression import Span
from geodata.events.incidents import STAGES
from geodata.figures.counts import Change
from geodata.figures.days import Days, list_days
from geodata.figures.period import Period
from geodata.figures.tally import Counts, LeafOrder, Tallies, Tally, order_leaves, tally_areas
from geodata.levels import NO_PARENT, find_parent_rows
from geodata.ownership import RULES
from geodata.snapshots.count_filter import translate_filter
from geodata.snapshots.question import Axis
from geodata.snapshots.snapshot import Filter

Count = int | Span | None  # exact, in bounds, or not told
_CODED: tuple[Axis, ...] = ("kind", "category", "body", "source", "stage", "rule")


@dataclass(frozen=True, slots=True, kw_only=True)
class Part:
    """The incidents of one kind, category, body or source by its code in the snapshot."""

    code: int
    total: int
    open: int
    overdue: int


@dataclass(frozen=True, slots=True, kw_only=True)
class ChildFigures:
    """
    One row of the table by child; `uid` None is the unowned row.

    `own` counts what the account may see; the three counts are the whole child's, in bounds where
    the scope hides some of it.
    """

    uid: int | None
    code: str
    name: str
    level: str
    total: Count
    open: Count
    overdue: Count
    own: Tally

    @property
    def hidden(self) -> bool:
        """Tell whether some of the child lies outside the scope."""
        return not isinstance(self.total, int)


@dataclass(frozen=True, slots=True, kw_only=True)
class AreaFigures:
    """
    Everything counted of one area under one filter, at one moment, for one scope.

    `grid` None is the whole city with what nobody owns. `own` and all parts below it count the
    incidents that the account may see; `total`, `open` and `overdue` are those of the whole area:
    equal to `own`'s where nothing is hidden, else bounds (or None where a filter is not told of),
    those of outside as of `outside_at`. `children` sum to the area, the unowned among them.
    """

    grid: int | None
    period: Period
    filter: Filter
    now: int
    as_of: int
    revision: int
    own: Tally
    total: Count
    open: Count
    overdue: Count
    hidden_grids: int
    outside_at: int | None
    previous: Change | None  # 环比; None where nothing is told
    last_year: Change | None  # 同比
    stages: Mapping[str, int]  # by the stage in which each incident stands now
    rules: Mapping[str, int]  # by ownership rule
    children: tuple[ChildFigures, ...]
    categories: tuple[Part, ...]  # these four by count, the largest first
    kinds: tuple[Part, ...]
    bodies: tuple[Part, ...]
    sources: tuple[Part, ...]
    days: Days

    @property
    def complete(self) -> bool:
        """Tell whether `own` is the whole area."""
        return self.hidden_grids == 0

    @property
    def is_city(self) -> bool:
        """Tell whether the area is the whole city, what nobody owns among it."""
        return self.grid is None or any(child.uid is None for child in self.children)


def count_area(
    sight: Sight, *, grid: int | None, period: Period, filter: Filter, now: int
) -> AreaFigures:
    """
    Count an area: a grid of any level by its uid, or the whole city with what nobody owns.

    The one grid above all others, where a city has one, stands for the whole city too: what nobody
    owns is a row of its table (`list_children` says which its other rows are). `period` (see
    `choose_period`) takes the place of the filter's own times. `now` is UTC seconds; states are
    told to the minute. Never raises for a scope that hides the area: `own` is then empty. Raises
    NotFound for a uid that the drawing does not have.

    The grids are counted once a minute and filter, the parts once an area; both are kept.
    """
    whole = grid is None or grid == find_root(sight)
    chosen = replace(filter, since=period.since, until=period.until)
    tallies = tally_areas(sight, period=period, filter=filter, now=now)
    if grid is not None:
        sight.grids.parent(grid)  # raises NotFound
    told = _Told(sight, chosen, order_leaves(sight))
    own = tallies.of_all() if whole or grid is None else tallies.of(grid)
    children = tuple(_count_children(sight, grid, tallies, told, whole=whole))
    mark = WHOLE if whole or grid is None else grid
    parts = sight.keep(
        ("parts", None if whole else grid, chosen, now - now % 60),
        lambda: _count_codes(sight, None if whole else grid, chosen, now),
    )
    days = list_days(sight, period, now=now)
    hidden = told.hidden_in(None if whole else grid)
    return AreaFigures(
        grid=grid,
        period=period,
        filter=chosen,
        now=now,
        as_of=sight.as_of,
        revision=sight.revision,
        own=own,
        total=told.count(mark, own.total, "total"),
        open=told.count(mark, own.open, "open"),
        overdue=told.count(mark, own.overdue, "overdue"),
        hidden_grids=hidden,
        outside_at=sight.outside.until if sight.outside is not None and hidden else None,
        previous=_change(own.total, own.before, hidden),
        last_year=_change(own.total, own.last_year, hidden),
        stages=_name_counts(STAGES, parts["stage"][:, 0]),
        rules=_name_counts(RULES, parts["rule"][:, 0]),
        children=children,
        categories=_rank_parts(parts["category"]),
        kinds=_rank_parts(parts["kind"]),
        bodies=_rank_parts(parts["body"]),
        sources=_rank_parts(parts["source"]),
        days=replace(
            days,
            counts=_pick_days(parts["day"], days.midnights, sight.counter.scale.midnights[:-1]),
        ),
    )


def find_root(sight: Sight) -> int | None:
    """Return the uid of the one grid above all others, None where there are several or no parts."""
    tops = _find_tops(sight)
    return tops[0] if len(tops) == 1 and len(sight.grids.children(tops[0])) else None


def list_children(sight: Sight, grid: int | None) -> list[int]:
    """
    Return the uids of an area's children; raises NotFound.

    Those of the whole city are the outermost areas that are several: a city that is one district
    shows its streets.
    """
    if grid is not None:
        return [int(uid) for uid in sight.grids.children(grid)]
    found = _find_tops(sight)
    while len(found) == 1 and len(sight.grids.children(found[0])):
        found = [int(uid) for uid in sight.grids.children(found[0])]
    return found


def _find_tops(sight: Sight) -> list[int]:
    key = ("drawing", "tops")
    if key not in sight.kept:
        uids = sight.grids.grids["uid"].to_numpy(np.int64)
        above = find_parent_rows(sight.grids.grids)
        sight.kept[key] = uids[above == NO_PARENT].tolist()
    tops: list[int] = sight.kept[key]
    return tops


def _change(now: int, before: int | None, hidden: int) -> Change | None:
    return None if before is None or hidden else Change(now=now, before=before)


def _count_children(
    sight: Sight, grid: int | None, tallies: Tallies, told: _Told, *, whole: bool
) -> list[ChildFigures]:
    names = _names(sight)
    found = []
    for uid in list_children(sight, None if whole else grid):
        own = tallies.of(uid)
        code, name, level = names[uid]
        found.append(
            ChildFigures(
                uid=uid,
                code=code,
                name=name,
                level=level,
                total=told.count(uid, own.total, "total"),
                open=told.count(uid, own.open, "open"),
                overdue=told.count(uid, own.overdue, "overdue"),
                own=own,
            )
        )
    if whole:
        own = tallies.of_unowned()
        found.append(
            ChildFigures(
                uid=None,
                code="",
                name="",
                level="",
                total=told.count(UNOWNED, own.total, "total"),
                open=told.count(UNOWNED, own.open, "open"),
                overdue=told.count(UNOWNED, own.overdue, "overdue"),
                own=own,
            )
        )
    return found


def _names(sight: Sight) -> Mapping[int, tuple[str, str, str]]:
    key = ("drawing", "names")
    if key not in sight.kept:
        grids = sight.grids.grids
        columns = (grids[name].astype(str) for name in ("code", "name", "level"))
        names = zip(*columns, strict=True)
        sight.kept[key] = dict(zip((int(uid) for uid in grids["uid"]), names, strict=True))
    names_of: Mapping[int, tuple[str, str, str]] = sight.kept[key]
    return names_of


class _Told:
    """What is told of areas of which the scope hides a part."""

    def __init__(self, sight: Sight, filter: Filter, tree: LeafOrder) -> None:
        self._outside, self._filter, self._tree = sight.outside, filter, tree
        self._hidden = _hide(sight, tree)

    def hidden_in(self, uid: int | None) -> int:
        """Return how many finest grids of an area are hidden."""
        first, end = (0, len(self._hidden) - 1) if uid is None else self._tree.reach(uid)
        return int(self._hidden[end] - self._hidden[first])

    def count(self, uid: int, own: int, figure: Figure) -> Count:
        """Return the figure of a whole area: exact, or its own part with the rest in bounds."""
        outside = self._outside
        if outside is None or (uid >= 0 and not self.hidden_in(uid)):
            return own
        if uid in outside.rows:
            found = outside.count(uid, self._filter, figure)
        else:
            found = self._count_only_area(outside, figure)
        return None if found is None else found + own

    def _count_only_area(self, outside: Outside, figure: Figure) -> Span | None:
        """Return the bounds of an area with none beside it: the whole without the unowned."""
        whole, nobody = (outside.count(uid, self._filter, figure) for uid in (WHOLE, UNOWNED))
        if whole is None or nobody is None:
            return None
        return Span(low=max(whole.low - nobody.high, 0), high=max(whole.high - nobody.low, 0))


def _hide(sight: Sight, tree: LeafOrder) -> Counts:
    """Return the running count of hidden finest grids in the order of the tree."""

    def find() -> Counts:
        uids = sight.grids.finest()["uid"].to_numpy()
        hidden = np.array([not sight.shows(int(uid)) for uid in uids], np.int64)
        return np.append(0, np.cumsum(hidden[tree.order]))

    found: Counts = sight.keep("hidden grids", find)
    return found


def _count_codes(sight: Sight, grid: int | None, chosen: Filter, now: int) -> dict[str, Counts]:
    """Return the counts by each code and by day, (codes, 3): total, open, overdue."""
    counter, tree = sight.counter, order_leaves(sight)
    inside = None
    if grid is not None:
        inside = np.zeros(len(tree.order) + 1, np.bool_)
        inside[tree.leaves(grid)] = True
    asked = translate_filter(chosen, counter.scale, grids=inside)

    def count(axis: Axis) -> Counts:
        found = counter.count([axis, "standing"], asked, now=now)
        return np.stack([found.sum(axis=1), found[:, 1:].sum(axis=1), found[:, 2]], axis=1)

    found: dict[str, Counts] = {axis: count(axis) for axis in _CODED}
    return found | {"day": counter.count(["day"], asked, now=now)}


def _pick_days(counts: Counts, midnights: Counts, known: Counts) -> Counts:
    """
    Return the counts of the days that begin at `midnights`, of those that begin at `known`.

    The last one takes what was reported after it too: a clock that is ahead loses nothing.
    """
    if not len(midnights):
        return np.empty(0, np.int64)
    begins = np.append(0, np.cumsum(counts))
    at = begins[np.searchsorted(known, midnights)]
    return np.diff(np.append(at, begins[-1]))


def _name_counts(names: Sequence[str], counts: NDArray[np.int64]) -> dict[str, int]:
    return {name: int(n) for name, n in zip(names, counts, strict=False) if n}


def _rank_parts(counts: NDArray[np.int64]) -> tuple[Part, ...]:
    """Return the codes that count, the largest first, equal ones by their code."""
    found = np.flatnonzero(counts[:, 0])
    order = found[np.lexsort((found, -counts[found, 0]))]
    return tuple(
        Part(code=int(code), total=int(total), open=int(open_), overdue=int(overdue))
        for code, (total, open_, overdue) in zip(order, counts[order], strict=True)
    )
