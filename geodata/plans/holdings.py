"""Holdings: which points each grid of a draft answers for, followed edit by edit."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, fields
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray

from geodata.drawings import NOBODY, Drawn
from geodata.ownership import RULES, OwnerIndex
from geodata.plans.points import CAMERA, COMPONENT, INCIDENT, PLACE, Points
from geodata.redraw import Change, Draft

Rows = NDArray[np.int64]
_INSIDE = RULES.index("inside")
_NO_PLACE = RULES.index("no_place")
_NO_ROWS = np.empty(0, np.int64)
_FEW = 100_000  # rows: sorting them is cheaper than a look at all
_FEW_CELLS, _CELLS = 20_000, 16  # points that a coarse index, soon made, answers sooner


@dataclass(frozen=True, slots=True, kw_only=True)
class Load:
    """What one grid answers for; households and inhabitants are shared out by floor area."""

    cases: int = 0
    open_cases: int = 0
    households: float = 0.0
    people: float = 0.0
    cameras: int = 0
    places: int = 0
    components: int = 0
    area_ha: float = 0.0

    def as_json(self) -> dict[str, Any]:
        """Return plain values."""
        return {one.name: round(getattr(self, one.name), 2) for one in fields(self)}


# Not slotted: the rows of each owner are sorted once.
@dataclass(frozen=True, kw_only=True, eq=False)
class Survey:
    """
    All points by the drawing that drafts start from, and the rows of each of its grids.

    `owner` and `rule` are those of `points` where the start is the drawing they were read by.
    """

    points: Points
    owner: Rows
    rule: NDArray[np.uint8]
    near_m: float

    def __post_init__(self) -> None:
        """Look the points through now, so that the first edit does not wait for it."""
        _ = self._order, self.manual_rows

    @cached_property
    def _order(self) -> tuple[Rows, Rows, Rows]:
        order = np.argsort(self.owner, kind="stable")
        uids, first = np.unique(self.owner[order], return_index=True)
        return order, uids, np.append(first, len(order))

    @cached_property
    def manual_rows(self) -> Rows:
        """Return the rows of incidents that a post has given to their owner."""
        return np.flatnonzero(self.points.manual())

    def rows(self, uid: int) -> Rows:
        """Return the rows of the points that a grid answers for, ascending."""
        order, uids, first = self._order
        at = int(np.searchsorted(uids, uid))
        if at == len(uids) or uids[at] != uid:
            return _NO_ROWS
        found: Rows = order[first[at] : first[at + 1]]
        return found


def survey_points(points: Points, start: Drawn, *, near_m: float) -> Survey:
    """Return who answers for each point by the drawing that a draft starts from."""
    if points.drawing == start.system.drawing:
        return Survey(points=points, owner=points.owner, rule=points.rule, near_m=near_m)
    owned = start.index.own(points.x, points.y, near_m=near_m, near_line_m=None, threads=2)
    owner = np.append(start.uids, NOBODY)[owned.owner]
    given = points.manual() & np.isin(points.owner, start.uids)
    return Survey(
        points=points,
        owner=np.where(given, points.owner, owner),
        rule=np.where(given, points.rule, owned.rule),
        near_m=near_m,
    )


class Holdings:
    """
    Who answers for each point in one draft.

    An edit looks at the points of the grids it changed and at those on the lines around them, no
    others: the answer is that of a full assignment by the whole drawing, as a test holds.
    """

    def __init__(self, survey: Survey) -> None:
        self.survey = survey
        self.owner = survey.owner.copy()
        self.rule = survey.rule.copy()
        self._rows: dict[int, Rows] = {}

    def rows(self, uid: int) -> Rows:
        """Return the rows of the points that a grid of the draft answers for."""
        kept = self._rows.get(uid)
        return self.survey.rows(uid) if kept is None else kept

    def follow(self, draft: Draft, change: Change) -> None:
        """Give the points around a change to whom the draft now gives them."""
        changed = {
            uid
            for uid in change.uids
            if _shape_of(change.before, uid) is not _shape_of(change.after, uid)
        }
        self.settle(draft, changed)

    def settle(self, draft: Draft, changed: Collection[int]) -> None:
        """Own anew the points of some grids; grids that the draft no longer has lose all."""
        if not changed:
            return
        standing = [uid for uid in changed if uid in draft.grids]
        around = [uid for uid in draft.ring(standing) if uid not in changed]
        rows = self._join(
            [
                *(self.rows(uid) for uid in changed),
                self._off_inside(around),
                self._returning(standing),
            ]
        )
        holders = set(np.unique(self.owner[rows]).tolist()) - set(changed) - {NOBODY}
        given = self._given(draft, rows)
        free = rows[~given]
        owner, rule = own_by(
            # Who lies around those around too: a point on a corner is on all lines that meet there.
            {uid: draft.grids[uid].shape for uid in draft.ring([*standing, *around])},
            self.survey.points.x[free],
            self.survey.points.y[free],
            near_m=self.survey.near_m,
        )
        self._settle_strays(draft, free, owner, rule)
        self.owner[free], self.rule[free] = owner, rule
        for uid in changed:
            self._rows[uid] = _NO_ROWS
        for uid in holders:
            mine = self.rows(uid)
            place = np.searchsorted(rows, mine).clip(max=len(rows) - 1)
            self._rows[uid] = mine[rows[place] != mine]
        self._add(rows)

    def _join(self, parts: Sequence[Rows]) -> Rows:
        """Return the rows of all parts once, ascending."""
        if sum(map(len, parts)) < _FEW:
            return np.unique(np.concatenate([*parts, _NO_ROWS]))
        there = np.zeros(len(self.owner), np.bool_)
        for part in parts:
            there[part] = True
        return np.flatnonzero(there)

    def _add(self, rows: Rows) -> None:
        """Enter rows at their owners."""
        owners = self.owner[rows]
        order = np.argsort(owners, kind="stable")
        uids, first = np.unique(owners[order], return_index=True)
        for uid, part in zip(uids.tolist(), np.split(order, first[1:]), strict=True):
            if uid != NOBODY:
                self._rows[uid] = np.sort(np.concatenate([self.rows(uid), rows[part]]))

    def _returning(self, standing: Collection[int]) -> Rows:
        """Return the points that a post gave to a grid which is there again, and not with it."""
        rows = self.survey.manual_rows
        if not len(rows):
            return rows
        holder = self.survey.points.owner[rows]
        away = np.isin(holder, np.fromiter(standing, np.int64)) & (self.owner[rows] != holder)
        found: Rows = rows[away]
        return found

    def _off_inside(self, uids: Sequence[int]) -> Rows:
        """Return points of some grids on their line or outside them: a neighbour may get them."""
        rows = np.concatenate([_NO_ROWS, *(self.rows(uid) for uid in uids)])
        found: Rows = rows[(self.rule[rows] != _INSIDE) & ~self.survey.points.manual(rows)]
        return found

    def _given(self, draft: Draft, rows: Rows) -> NDArray[np.bool_]:
        """Tell which points a post has given to a grid that still stands; they stay there."""
        given: NDArray[np.bool_] = self.survey.points.manual(rows)
        holder = self.survey.points.owner[rows]
        for at in np.flatnonzero(given):  # few
            given[at] = int(holder[at]) in draft.grids
        self.owner[rows[given]] = holder[given]
        return given

    def _settle_strays(
        self, draft: Draft, rows: Rows, owner: Rows, rule: NDArray[np.uint8]
    ) -> None:
        """Own points that lie elsewhere: their place alone decides since their grid is gone."""
        for at in np.flatnonzero(self.survey.points.manual(rows)):
            x, y = self.survey.points.x[rows[at]], self.survey.points.y[rows[at]]
            reach = self.survey.near_m * 1000
            if np.isnan(x):
                owner[at], rule[at] = NOBODY, _NO_PLACE
                continue
            near = draft.near((x - reach, y - reach, x + reach, y + reach)).tolist()
            found = own_by(
                {uid: draft.grids[uid].shape for uid in near},
                np.array([x]),
                np.array([y]),
                near_m=self.survey.near_m,
            )
            owner[at], rule[at] = found[0][0], found[1][0]

    def count_kinds(self, uid: int) -> dict[int, tuple[int, int]]:
        """Return how many cases of each kind a grid answers for, and how many of them are open."""
        points, rows = self.survey.points, self.rows(uid)
        rows = rows[points.counts[rows] & (points.sort[rows] == INCIDENT)]
        kinds, place = np.unique(points.kind[rows], return_inverse=True)
        cases = np.bincount(place, minlength=len(kinds))
        still = np.bincount(place, points.open[rows], minlength=len(kinds)).astype(np.int64)
        pairs = zip(cases.tolist(), still.tolist(), strict=True)
        return dict(zip(kinds.tolist(), pairs, strict=True))

    def load(self, draft: Draft, uid: int) -> Load:
        """Return what a grid of the draft answers for."""
        grid = draft.grids.get(uid)
        area_ha = 0.0 if grid is None else grid.area_m2 / 10_000
        return count_load(self.survey.points, self.rows(uid), area_ha=area_ha)


def count_load(points: Points, rows: Rows, *, area_ha: float = 0.0) -> Load:
    """Return what some points come to; drills count nowhere."""
    rows = rows[points.counts[rows]]
    sorts = np.bincount(points.sort[rows], minlength=5)
    return Load(
        cases=int(sorts[INCIDENT]),
        open_cases=int(points.open[rows].sum()),
        households=float(points.homes[rows].sum()),
        people=float(points.people[rows].sum()),
        cameras=int(sorts[CAMERA]),
        places=int(sorts[PLACE]),
        components=int(sorts[COMPONENT]),
        area_ha=area_ha,
    )


def own_by(
    shapes: Mapping[int, Any], x: NDArray[np.float64], y: NDArray[np.float64], *, near_m: float
) -> tuple[Rows, NDArray[np.uint8]]:
    """Return the owner's uid (-1 for nobody) and the rule of each place (mm), by some grids."""
    uids = np.array(sorted(shapes), np.int64)
    polygons = np.array([shapes[uid] for uid in uids.tolist()], object)
    index = OwnerIndex(polygons, cells=_CELLS if len(x) < _FEW_CELLS else None)
    owned = index.own(x, y, near_m=near_m, near_line_m=None)
    return np.append(uids, NOBODY)[owned.owner], owned.rule.copy()


def _shape_of(side: Mapping[int, Any], uid: int) -> Any:
    grid = side.get(uid)
    return None if grid is None else grid.shape
