"""What is late, since when and whose: open cases past their deadline by body and by age."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from geodata.access.sight import Sight
from geodata.events.clock import AMBER, RED
from geodata.wall.lately import find_lately

AGES_DAYS = (1, 3, 7)  # late for less than 1 day, 1 to 3, 3 to 7, longer
HOUR_S, DAY_S = 3_600, 86_400


@dataclass(frozen=True, slots=True, kw_only=True)
class BodyLate:
    """The late cases of one body, "" for those that name none; `ages` by AGES_DAYS."""

    body: str
    late: int
    ages: tuple[int, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class OldestCase:
    """
    The case that is late for longest: `incident` is its number, `owner` a grid's uid or -1.

    `body` is the one that has it, "" where none is named.
    """

    incident: int
    kind: int
    owner: int
    body: str
    late_s: int


@dataclass(frozen=True, slots=True, kw_only=True)
class LateBoard:
    """
    All that is late of the incidents that a scope sees; `bodies` by number, most first.

    `hour` counts what came, was handed on and was closed within the last hour.
    """

    late: int
    due_soon: int
    open: int
    ages: tuple[int, ...]
    bodies: tuple[BodyLate, ...]
    oldest: OldestCase | None
    hour: dict[str, int]


def count_late(sight: Sight, *, now: int) -> LateBoard:
    """Count what is late, due soon and open at a moment (UTC s), whenever it was reported."""
    snapshot, states = sight.snapshot, sight.states(now)
    late = np.flatnonzero(snapshot.open & (states == RED))
    days_late = (now - snapshot.due_at[late]) / DAY_S
    age = np.searchsorted(AGES_DAYS, days_late, side="right")
    ages = np.bincount(age, minlength=len(AGES_DAYS) + 1)
    return LateBoard(
        late=len(late),
        due_soon=int((snapshot.open & (states == AMBER)).sum()),
        open=int(snapshot.open.sum()),
        ages=tuple(ages.tolist()),
        bodies=_count_bodies(sight, snapshot.body[late], age),
        oldest=_find_oldest(sight, late, now=now),
        hour=_count_hour(sight, now=now),
    )


def _count_bodies(
    sight: Sight, body: NDArray[np.int32], age: NDArray[np.int64]
) -> tuple[BodyLate, ...]:
    width = len(AGES_DAYS) + 1
    numbers, place = np.unique(body, return_inverse=True)
    table = np.zeros((len(numbers), width), np.int64)
    np.add.at(table, (place, age), 1)
    found = [
        BodyLate(
            body=sight.body_terms.get(int(number), ""),
            late=int(row.sum()),
            ages=tuple(row.tolist()),
        )
        for number, row in zip(numbers.tolist(), table, strict=True)
    ]
    return tuple(sorted(found, key=lambda one: (-one.late, one.body)))


def _find_oldest(sight: Sight, late: NDArray[np.int64], *, now: int) -> OldestCase | None:
    if not len(late):
        return None
    snapshot = sight.snapshot
    row = int(late[np.argmin(snapshot.due_at[late])])
    owner = int(snapshot.owner[row])
    return OldestCase(
        incident=int(snapshot.incident[row]),
        kind=int(snapshot.kind[row]),
        owner=-1 if owner < 0 else int(sight.grids.finest()["uid"].iat[owner]),
        body=sight.body_terms.get(int(snapshot.body[row]), ""),
        late_s=now - int(snapshot.due_at[row]),
    )


def _count_hour(sight: Sight, *, now: int) -> dict[str, int]:
    """Return how many were reported, dispatched and closed within the last hour."""
    steps = find_lately(sight, now=now).steps
    return {
        name: int(np.count_nonzero((times > now - HOUR_S) & (times <= now)))
        for name, times in (("reported", steps[0]), ("dispatched", steps[2]), ("closed", steps[4]))
    }
