"""Which incidents a counter counts: a period, and for each column which of its values."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from geodata.snapshots.courses import OPEN, OVER, OVERDUE
from geodata.snapshots.snapshot import Filter, State
from geodata.snapshots.timeline import Scale

Allowed = NDArray[np.bool_]
Ints = NDArray[np.int64]

_OF_STATE: dict[State, tuple[int, ...]] = {
    "open": (OPEN, OVERDUE),
    "overdue": (OVERDUE,),
    "closed": (OVER,),
}


@dataclass(frozen=True, slots=True, kw_only=True)
class CountFilter:
    """
    Which incidents count: reported in [since, until), and allowed by each table that is given.

    Tables of booleans: `grids` (grids + 1, the last for nobody), `categories`, `kinds`, `stages`,
    `bodies` and `sources` by code, `hours` (24) and `weekdays` (7, Monday first) in the city's
    zone; `state` as of a `Filter`.
    """

    since: int | None = None
    until: int | None = None
    grids: Allowed | None = None
    categories: Allowed | None = None
    kinds: Allowed | None = None
    stages: Allowed | None = None
    bodies: Allowed | None = None
    sources: Allowed | None = None
    hours: Allowed | None = None
    weekdays: Allowed | None = None
    state: State = "all"

    @property
    def has_totals(self) -> bool:
        """Tell whether running totals by day, category and grid can answer."""
        others = (
            self.kinds, self.stages, self.bodies, self.sources, self.hours, self.weekdays,
        )  # fmt: skip
        return all(table is None for table in others) and self.state == "all"

    @property
    def by_category(self) -> bool:
        """Tell whether categories are chosen."""
        return self.categories is not None

    @property
    def standings(self) -> Allowed | None:
        """Return which of over, open and overdue count; None for all."""
        if self.state == "all":
            return None
        return np.isin(np.arange(3), _OF_STATE[self.state])

    def allow_kinds(self, category_of: Ints) -> Allowed:
        """Return which kinds count, by themselves and by their category."""
        allowed = np.ones(len(category_of), np.bool_)
        if self.kinds is not None:
            allowed &= self.kinds
        if self.categories is not None:
            allowed &= self.categories[category_of]
        return allowed

    def allow_hours(self, hours: Ints) -> Allowed:
        """Return which of the week's hours count; what has no time does not."""
        allowed = np.ones(len(hours), np.bool_)
        if self.hours is not None:
            allowed &= self.hours[hours % 24]
        if self.weekdays is not None:
            allowed &= self.weekdays[hours // 24]
        return np.append(allowed, False)


def narrow_period(chosen: CountFilter, since: int, until: int) -> CountFilter:
    """Return the filter with only what it lets through of [since, until)."""
    return replace(
        chosen,
        since=since if chosen.since is None else max(since, chosen.since),
        until=until if chosen.until is None else min(until, chosen.until),
    )


def translate_filter(chosen: Filter, scale: Scale, *, grids: Allowed | None = None) -> CountFilter:
    """Return a filter as tables of a scale; codes that nobody knows let nothing through."""

    def allow(codes: tuple[int, ...] | None, most: int) -> Allowed | None:
        return None if codes is None else np.isin(np.arange(most), codes)

    return CountFilter(
        since=chosen.since,
        until=chosen.until,
        grids=grids,
        categories=allow(chosen.categories, scale.categories),
        kinds=allow(chosen.kinds, scale.kinds),
        stages=allow(chosen.stages, scale.stages),
        bodies=allow(chosen.bodies, scale.bodies),
        sources=allow(chosen.sources, scale.sources),
        state=chosen.state,
    )
