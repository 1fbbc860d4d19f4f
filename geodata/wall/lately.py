"""Lately: the rows to which something happened in the last weeks, found once a day and revision."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from geodata.access.sight import Sight
from geodata.compiled import compile_kernel
from geodata.events.periods import local_midnight

_BACK_DAYS = 70  # eight weeks to compare with, and more than a week to spare


@dataclass(frozen=True, slots=True, kw_only=True)
class Lately:
    """Rows of the snapshot, and when each reached the six steps (6, rows), UTC s, 0 for never."""

    rows: NDArray[np.int64]
    steps: NDArray[np.int64]


def find_lately(sight: Sight, *, now: int) -> Lately:
    """
    Return the rows that were reported, dispatched or closed in the last ten weeks.

    The first report of all is among them, so that whoever asks since when there are data is told.
    """
    since = local_midnight(now, sight.zone, days_before=_BACK_DAYS)
    first = sight.counter.find_first()

    def find() -> Lately:
        steps = sight.snapshot.steps
        found = np.empty(len(steps), np.bool_)
        _mark_lately(steps, since, first, found)
        rows = np.flatnonzero(found)
        return Lately(rows=rows, steps=np.ascontiguousarray(steps[rows].T))

    lately: Lately = sight.keep(("lately", since), find)
    return lately


@compile_kernel
def _mark_lately(steps: Any, since: Any, first: Any, found: Any) -> None:
    """Mark each row with a report, dispatch or closing from `since` on, or reported at `first`."""
    for i in range(len(steps)):
        at = steps[i, 0]
        found[i] = (at >= since) | (at == first) | (steps[i, 2] >= since) | (steps[i, 4] >= since)


def warm() -> None:
    """Compile the kernel and keep the machine code on disk, for set-up."""
    steps = np.zeros((1, 6), np.int64)
    for frozen in (False, True):  # a snapshot's columns are read-only
        steps.flags.writeable = not frozen
        _mark_lately(steps, 1, 1, np.zeros(1, np.bool_))
