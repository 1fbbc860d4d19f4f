"""What happened last: the newest reports, dispatches and closings."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from geodata.access.sight import Sight
from geodata.events.incidents import SIX_STEPS
from geodata.wall.lately import find_lately

TOLD = ("reported", "dispatched", "closed")  # what a room asks for: new, handed on, done
_DAY_S = 86_400


@dataclass(frozen=True, slots=True, kw_only=True)
class Happening:
    """One step of one case: `kind` is its code, `owner` its grid's row among the finest or -1."""

    at: int
    step: str
    kind: int
    owner: int


def list_newest(sight: Sight, *, now: int, most: int) -> tuple[Happening, ...]:
    """Return the newest steps up to a moment (UTC s), the last first; a day back at the most."""
    snapshot, found = sight.snapshot, []
    lately = find_lately(sight, now=now)
    for step in TOLD:
        place = SIX_STEPS.index(step)
        times = lately.steps[place]
        near = np.flatnonzero((times > now - _DAY_S) & (times <= now))
        last = lately.rows[near[np.argsort(-times[near], kind="stable")[:most]]]
        found += [
            Happening(
                at=int(snapshot.steps[row, place]),
                step=step,
                kind=int(snapshot.kind[row]),
                owner=int(snapshot.owner[row]),
            )
            for row in last.tolist()
        ]
    return tuple(sorted(found, key=lambda one: (-one.at, one.step, one.kind))[:most])
