"""The ground that incidents stand on: drawings, kinds with their limits, the calendar."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
import pandas as pd

from geodata.city import City
from geodata.drawings import Drawn, find_in_force
from geodata.grids import GridSystem
from geodata.store.database import Connection, read_ground_revision, read_revision
from geodata.store.event_log import NO_BATCH
from geodata.store.records import read_records


@dataclass(frozen=True, slots=True, kw_only=True)
class Ground:
    """
    What stands still while events come in: the drawings, the kinds' limits, the calendar.

    True at `revision` and until `good_until` (UTC s), when a dated record or drawing takes over.
    """

    revision: int
    ground_revision: int
    good_until: float
    now: int
    timeline: tuple[Drawn, ...]  # every drawing, the oldest first
    current: int  # the place in it of the drawing in force, -1 for none
    kinds: pd.DataFrame
    calendar_rows: pd.DataFrame

    @property
    def drawn(self) -> Drawn | None:
        """Return the drawing in force with its index, None before the first."""
        return self.timeline[self.current] if self.current >= 0 else None


def read_ground(city: City, *, now: int) -> Ground:
    """Read what stands still while events come in, and build the ownership index."""
    with city.database.read() as connection:
        return read_ground_within(connection, city, now=now)


def read_ground_within(
    connection: Connection,
    city: City,
    *,
    now: int,
    with_batch: int = NO_BATCH,
    grids: GridSystem | None = None,
) -> Ground:
    """
    Read what stands still inside the caller's transaction: nothing can change beneath it.

    `with_batch` is seen although it is not visible yet; `grids` take the place of the drawing that
    begins with them.
    """
    timeline = city.drawings.timeline(connection, with_grids=grids)
    next_one = connection.execute(
        "SELECT min(at) FROM (SELECT valid_from AS at FROM record WHERE sort IN"
        " ('kinds', 'calendar') UNION ALL SELECT valid_from FROM drawing"
        " UNION ALL SELECT valid_to FROM drawing) WHERE at > ?",
        (now,),
    ).fetchone()[0]
    return Ground(
        revision=read_revision(connection),
        ground_revision=read_ground_revision(connection),
        good_until=math.inf if next_one is None else next_one,
        now=now,
        timeline=timeline,
        current=int(find_in_force(timeline, np.array([now], np.int64))[0]),
        kinds=read_records(connection, "kinds", at=now, with_batch=with_batch),
        calendar_rows=read_records(connection, "calendar", at=now, with_batch=with_batch),
    )
