"""The counter over a snapshot: made when somebody asks, then brought on by what changes."""

from __future__ import annotations

from functools import partial
from zoneinfo import ZoneInfo

import numpy as np

from geodata.events.incidents import STAGES
from geodata.ownership import RULES
from geodata.snapshots.counting import Counter, build_counter
from geodata.snapshots.later import Later
from geodata.snapshots.newest import Change
from geodata.snapshots.snapshot import Snapshot
from geodata.snapshots.timeline import Rows


def count_later(snapshot: Snapshot, *, grids: int, zone: str) -> Later[Counter]:
    """Return the counter over a snapshot of a drawing of so many finest grids, not made yet."""
    return Later(partial(count_snapshot, snapshot, grids=grids, zone=zone))


def count_snapshot(snapshot: Snapshot, *, grids: int, zone: str) -> Counter:
    """Return the counter over a snapshot of a drawing of so many finest grids."""
    category_of = np.zeros(int(snapshot.kind.max(initial=0)) + 1, np.int64)
    category_of[snapshot.kind] = snapshot.category
    return build_counter(
        Rows.of_snapshot(snapshot),
        grids=grids,
        category_of=category_of,
        stages=len(STAGES),
        rules=len(RULES),
        zone=ZoneInfo(zone),
    )


def follow_counter(
    old: Later[Counter] | None, change: Change | None, later: Later[Counter]
) -> Later[Counter]:
    """
    Return the old counter brought on by a change, or `later` where it is not made or too worn.

    Nobody waits for a new one: where the old one was in use, the new one is made here.
    """
    if old is None or not old.is_made:
        return later
    if change is not None:
        counter = old.get()
        known = counter.changed(gone=change.gone, new=change.new)
        if known is not None:
            return Later.of(known)
    later.get()
    return later
