"""What time moves of a snapshot: the clocks of what is open, and nothing else."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from geodata.events.clock import clock_state
from geodata.snapshots.snapshot import CLOSED, Snapshot


@dataclass(frozen=True, slots=True, kw_only=True)
class Moving:
    """The rows that are open with what their clocks need, and the states of all at some time."""

    rows: NDArray[np.int64]
    columns: Mapping[str, NDArray[Any]]
    states: NDArray[np.uint8]  # those of what is over stay

    @classmethod
    def of(cls, snapshot: Snapshot) -> Moving:
        """Return what time moves of a snapshot."""
        rows = np.flatnonzero(snapshot.open)
        names = ("open", "due_at", "clock_from", "suspended_since")
        columns = {name: getattr(snapshot, name) for name in names}
        # The kernel is compiled for times of closing that stand among other steps.
        moving = {name: columns[name][rows] for name in names}
        moving["closed_at"] = snapshot.steps[rows][:, CLOSED]
        states = clock_state(closed_at=snapshot.closed_at, now=0, **columns)
        return cls(rows=rows, columns=moving, states=states)

    def states_at(self, now: int) -> NDArray[np.uint8]:
        """Return each incident's place in `clock.STATES` at a moment (UTC s)."""
        states = self.states.copy()
        states[self.rows] = clock_state(now=now, **self.columns)
        return states
