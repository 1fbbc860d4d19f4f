"""Sight: the facts of a city as one scope may see them; the only way from facts to a screen."""

from __future__ import annotations

import threading
from collections import OrderedDict
from collections.abc import Callable, Iterator, Mapping, MutableMapping
from dataclasses import dataclass, fields, replace
from functools import partial
from hashlib import blake2b
from typing import Any

import geopandas
import numpy as np
from numpy.typing import NDArray

from geodata.access.outside import Cells, Outside, sort_into_cells, tell_outside
from geodata.access.scope import ROWS, Scope
from geodata.events.periods import local_midnight
from geodata.levels import LEVELS, NO_PARENT, find_parent_rows
from geodata.risk import GridRisk, rate_grids, weigh_days
from geodata.snapshots.counted import count_later
from geodata.snapshots.facts import UNMATCHED, Facts
from geodata.snapshots.later import Later
from geodata.snapshots.rating import Rated
from geodata.snapshots.snapshot import Snapshot

_HOUR_S = 3600
_MARK_BYTES = 6
_SIGHTS_KEPT = 32
_SHARED = ("drawing", "base")  # what is derived from the drawing or the base map shows no incident


@dataclass(kw_only=True)
class Sight(Facts):
    """
    Facts without a row that the scope does not allow; what lies outside is in `outside`, in bounds.

    Whoever draws from these facts cannot leak a row by forgetting a mask: it is not there. Nothing
    here leads back to the facts of the whole city.
    """

    scope: Scope
    outside: Outside | None
    read_base: Callable[[], Mapping[str, geopandas.GeoDataFrame]]

    @property
    def base(self) -> Mapping[str, geopandas.GeoDataFrame]:
        """Return the base map's layers by name: the same for everyone."""
        return self.read_base()

    @property
    def rows(self) -> bool:
        """Tell whether the account may see single incidents, in its own grids."""
        return ROWS in self.scope.permissions

    @property
    def version(self) -> str:
        """Return what changes with the drawing and the tables, another for each scope."""
        if self.outside is None:
            return super().version
        grids = None if self.scope.grids is None else sorted(self.scope.grids)  # all is not none
        told = f"{grids} {self.rows}".encode()
        return f"{super().version}-{blake2b(told, digest_size=_MARK_BYTES).hexdigest()}"

    def shows(self, uid: int) -> bool:
        """Tell whether the rows of a finest grid are here."""
        return self.rows and self.scope.allows(uid)

    def names(self) -> tuple[str, ...]:
        """Return the names of the largest areas that lie wholly in the scope; none: everywhere."""
        if self.scope.grids is None:
            return ()
        grids = self.grids.grids
        above = find_parent_rows(grids)
        within = np.isin(grids["uid"].to_numpy(), list(self.scope.grids))
        for _ in LEVELS:  # an area whose parts are all within is within, level by level
            parts = above[above != NO_PARENT]
            missing = np.bincount(parts, ~within[above != NO_PARENT], minlength=len(grids))
            whole = np.isin(np.arange(len(grids)), parts) & (missing == 0)
            within |= whole
        top = within & ~np.append(within, False)[above]
        return tuple(str(name) for name in grids["name"].to_numpy()[top])


class SightKeeper:
    """Hands out each scope's sight of the newest facts, made once for all accounts of a scope."""

    def __init__(self) -> None:
        self._of: tuple[Facts, int] | None = None
        self._cells: Cells | None = None
        self._kept: OrderedDict[Any, Sight] = OrderedDict()
        self._lock = threading.Lock()

    def narrow(self, facts: Facts, scope: Scope, *, now: int) -> Sight:
        """Return what a scope may see of the facts."""
        rows = ROWS in scope.permissions
        with self._lock:
            day = local_midnight(min(facts.risk_from, now), facts.zone)
            if self._of is None or self._of[0] is not facts or self._of[1] != day:
                self._of, self._cells = (facts, day), None
                self._kept.clear()
            sight = self._kept.get((scope.grids, rows))
            if sight is None:
                if self._cells is None and not (scope.everything and rows):
                    self._cells = sort_facts(facts, now)
                sight = narrow_facts(facts, scope, cells=self._cells)
                self._kept[scope.grids, rows] = sight
                while len(self._kept) > _SIGHTS_KEPT:
                    self._kept.popitem(last=False)
            self._kept.move_to_end((scope.grids, rows))
        return sight if sight.scope == scope else _lend(sight, scope)


def sort_facts(facts: Facts, now: int) -> Cells:
    """Return in which cell of the outside each incident counts: the same for every scope."""
    return sort_into_cells(facts.snapshot, now=min(facts.risk_from, now), zone=facts.zone)


def narrow_facts(facts: Facts, scope: Scope, *, cells: Cells | None) -> Sight:
    """
    Return the facts with only the rows a scope allows; `cells` may be None where it hides nothing.

    Own are the incidents in grids of the scope, if the account may see rows at all; of those in no
    grid only who sees the whole city sees them.
    """
    uids = facts.grids.finest()["uid"].to_numpy()
    inside = np.array([scope.allows(int(uid)) for uid in uids], np.bool_)
    rows = ROWS in scope.permissions
    given = {item.name: getattr(facts, item.name) for item in fields(Facts)}
    given |= {
        "scope": scope,
        "outside": None,
        "read_base": lambda: facts.base,
        "kept": _Kept(facts.kept),
        "_whose": object(),
    }
    if cells is None or (scope.everything and rows):
        assert scope.everything
        assert rows
        return Sight(**given | {"kept": facts.kept})
    own = inside & rows
    snapshot = _take_rows(facts.snapshot, np.append(own, False)[facts.snapshot.owner])
    counted = count_later(snapshot, grids=len(own), zone=facts.zone)
    return Sight(
        **given
        | {
            "snapshot": snapshot,
            "counted": counted,
            "rated": Rated(
                made=facts.risk_made,
                ahead_of=Later.of(facts.risk_from),
                risk=Later.of(_narrow_risk(facts, own, snapshot)),
            ),
            "as_of": _newest_own(facts, snapshot),
            "kind_terms": _narrow_kinds(facts, snapshot),
            "points": {
                name: points if scope.everything else Later(partial(_inside, points, inside))
                for name, points in facts.points.items()
            },
            "outside": tell_outside(
                facts.snapshot,
                cells,
                facts.grids,
                own=own,
                categories=len(facts.categories),
                rest_category=find_rest_category(facts),
                below=facts.city.settings.suppress_below,
            ),
        }
    )


def _newest_own(facts: Facts, snapshot: Snapshot) -> int:
    """Return when the newest data came: to the hour, as elsewhere, or when one's own last moved."""
    hour = facts.as_of - facts.as_of % _HOUR_S
    return max(hour, min(facts.as_of, int(snapshot.steps.max(initial=0))))


def _take_rows(snapshot: Snapshot, mask: NDArray[np.bool_]) -> Snapshot:
    rows = np.flatnonzero(mask)
    taken: dict[str, Any] = {"placed": int((rows < snapshot.placed).sum())}
    for item in fields(Snapshot):
        value = getattr(snapshot, item.name)
        if isinstance(value, np.ndarray):
            taken[item.name] = value[rows]
            taken[item.name].flags.writeable = False
    return replace(snapshot, **taken)


def _inside(
    later: Later[geopandas.GeoDataFrame], inside: NDArray[np.bool_]
) -> geopandas.GeoDataFrame:
    points = later.get()
    seen = np.append(inside, False)[points["owner"].to_numpy(np.int64)]
    return points[seen].reset_index(drop=True)


def _narrow_risk(facts: Facts, own: NDArray[np.bool_], snapshot: Snapshot) -> GridRisk | None:
    """
    Return the risk with every other grid's record put into a band, as its counts are.

    Its figure is that of the band's middle, `low` and `high` those of its ends. What the grids
    borrow from each other is measured anew on these bands: of the true records it would tell when
    an incident comes in anywhere.
    """
    risk = facts.risk
    if risk is None:
        return None
    settings = facts.city.settings
    moment, step = facts.risk_from, float(max(settings.suppress_below, 1))
    floor = np.floor(risk.weighted / step) * step
    middle = np.where(own, risk.weighted, floor + step / 2)
    seen = (snapshot.owner >= 0) & (snapshot.reported_at > 0) & (snapshot.reported_at <= moment)
    counted = int(risk.n[own].sum())
    first = snapshot.reported_at[seen]
    weighted_days = weigh_days(
        local_midnight(risk.since, facts.zone),
        now=moment,
        half_life_weeks=settings.risk_half_life_weeks,
    )
    told = rate_grids(
        middle,
        n=np.where(own, risk.n, 0),
        exposure=risk.exposure,
        exposure_name=risk.exposure_name,
        weighted_days=weighted_days,
        days=risk.days,
        left_out=int(seen.sum()) - counted,
        since=int(first.min()) if len(first) else moment,
    )
    each = told.days * told.weight_own / weighted_days
    return replace(
        told,
        low=np.where(own, told.low, told.value + each * (floor - middle)),
        high=np.where(own, told.high, told.value + each * (floor + step - middle)),
        thin=risk.thin,
    )


def _narrow_kinds(facts: Facts, snapshot: Snapshot) -> dict[int, str]:
    """Return the kinds of the city's own table, and those of the incidents that are seen."""
    seen = set(np.unique(snapshot.kind).tolist())
    listed = set(facts.kinds.index)
    return {
        number: text
        for number, text in facts.kind_terms.items()
        if number in seen or text in listed
    }


def find_rest_category(facts: Facts) -> int:
    """Return the number of the category with the most kinds: what the table says, no count."""
    if "category" in facts.kinds and facts.kinds["category"].notna().any():
        largest = str(facts.kinds["category"].value_counts().idxmax())
        if largest in facts.categories:  # it is not while no incident ever had a kind of it
            return facts.categories.index(largest)
    return facts.categories.index(UNMATCHED)


def _lend(sight: Sight, scope: Scope) -> Sight:
    """Return the same sight for another account of the same scope; nothing is copied."""
    given = {item.name: getattr(sight, item.name) for item in fields(Sight)}
    return Sight(**given | {"scope": scope})


class _Kept(MutableMapping[Any, Any]):
    """What layers derive: shared with everyone where it shows no incident, else the scope's own."""

    def __init__(self, shared: MutableMapping[Any, Any]) -> None:
        self._shared, self._own = shared, dict[Any, Any]()

    def _of(self, key: Any) -> MutableMapping[Any, Any]:
        head = key if isinstance(key, str) else key[0]
        return self._shared if head in _SHARED else self._own

    def __getitem__(self, key: Any) -> Any:
        return self._of(key)[key]

    def __setitem__(self, key: Any, value: Any) -> None:
        self._of(key)[key] = value

    def __delitem__(self, key: Any) -> None:
        del self._of(key)[key]

    def setdefault(self, key: Any, default: Any = None) -> Any:
        """Return what is under the key, else put it there: one step for all who ask at once."""
        return self._of(key).setdefault(key, default)

    def __iter__(self) -> Iterator[Any]:
        shared = [key for key in self._shared if self._of(key) is self._shared]
        return iter([*shared, *self._own])

    def __len__(self) -> int:
        return len(list(iter(self)))
