"""How each source does: when it was heard, what became of its rows, where its incidents lie."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from geodata.access.sight import Sight
from geodata.events.incidents import FLAG_DRILL
from geodata.events.sources import SourceState, source_states
from geodata.ownership import RULES
from geodata.settings import Settings
from geodata.store.arrivals import Arrivals, list_by_source
from geodata.store.database import Connection

_NO_PLACE, _NO_GRID = RULES.index("no_place"), RULES.index("none")


@dataclass(frozen=True, slots=True, kw_only=True)
class Lying:
    """Of the incidents of one source that an account may see: how many, and where they lie."""

    incidents: int
    unplaced: int
    unowned: int
    near_line: int


@dataclass(frozen=True, slots=True, kw_only=True)
class SourceQuality:
    """One source: how it does, what its files brought, how its incidents lie; None for no say."""

    state: SourceState
    arrivals: Arrivals | None
    lying: Lying | None


def judge_sources(
    connection: Connection, sight: Sight | None, *, now: int, settings: Settings
) -> list[SourceQuality]:
    """Return how every source does, by name; where its incidents lie only as far as is seen."""
    arrived = list_by_source(connection)
    lying = {} if sight is None or not sight.rows else count_lying(sight)
    return [
        SourceQuality(state=one, arrivals=arrived.get(one.source), lying=lying.get(one.source))
        for one in source_states(connection, now=now, settings=settings)
    ]


def count_lying(sight: Sight) -> dict[str, Lying]:
    """Return by source where the incidents of a sight lie; drills are left out."""
    snapshot = sight.snapshot
    real = (snapshot.flags & FLAG_DRILL) == 0
    most = max(sight.source_terms, default=0) + 1

    def count(mask: np.ndarray) -> np.ndarray:
        return np.bincount(snapshot.source[real & mask], minlength=most)

    total = count(np.ones(snapshot.n, np.bool_))
    unplaced, unowned = (count(snapshot.rule == rule) for rule in (_NO_PLACE, _NO_GRID))
    near = count(snapshot.near_line)
    return {
        text: Lying(
            incidents=int(total[number]),
            unplaced=int(unplaced[number]),
            unowned=int(unowned[number]),
            near_line=int(near[number]),
        )
        for number, text in sight.source_terms.items()
        if number < most and total[number]
    }
