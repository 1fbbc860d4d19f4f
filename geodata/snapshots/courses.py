"""Courses: all that has happened to an incident in one number, from which any figure is read."""

from __future__ import annotations

from functools import cache
from typing import Any

import numpy as np
from numpy.typing import NDArray

from geodata.compiled import compile_kernel
from geodata.events.clock import RED, clock_state
from geodata.snapshots.snapshot import Snapshot

Codes = NDArray[np.uint16]

_CODES = 1 << 16
AGEING_DAYS = (1, 3, 7, 30)  # overdue for less than a day, up to 3, up to 7, up to 30, longer
OVER, OPEN, OVERDUE = range(3)  # how an incident stands: over, open and not late, open and late
STANDINGS = 3
# From the lowest bit: one for each of the six steps that was reached, then these.
_NEAR_LINE, _RETURNED, _REOPENED, _OPEN = (1 << bit for bit in range(6, 10))
_STATE_AT, _STATE_BITS = 10, 7
_BAND_AT = 13
_DAY_S = 86_400


def encode_courses(snapshot: Snapshot, rows: Any = slice(None)) -> Codes:
    """
    Return the course of these rows of a snapshot, of the open ones without their clock's state.

    What is over stays in its state; that of the open ones depends on the moment (`add_states`).
    """
    steps, live = snapshot.steps[rows], snapshot.open[rows]
    done = clock_state(
        open=live,
        due_at=snapshot.due_at[rows],
        clock_from=snapshot.clock_from[rows],
        closed_at=steps[:, 4],
        suspended_since=snapshot.suspended_since[rows],
        now=0,
    )
    out = np.empty(len(steps), np.uint16)
    _encode(
        _freeze(steps),
        _freeze(snapshot.near_line[rows]),
        _freeze(snapshot.returned[rows]),
        _freeze(snapshot.reopened[rows]),
        _freeze(live),
        _freeze(done),
        out,
    )
    return out


def add_states(
    courses: Codes, states: NDArray[np.uint8], *, due_at: NDArray[np.int64], now: int
) -> Codes:
    """Return the courses of open incidents with their state at `now` and the band of lateness."""
    late_days = (now - due_at) // _DAY_S
    band = np.searchsorted(np.array(AGEING_DAYS), late_days, side="right")
    band[states != RED] = 0
    added = states.astype(np.uint16) << np.uint16(_STATE_AT)
    found: Codes = courses | added | (band.astype(np.uint16) << np.uint16(_BAND_AT))
    return found


def encode_now(snapshot: Snapshot, rows: Any, *, states: NDArray[np.uint8], now: int) -> Codes:
    """Return the whole course of these rows; `states` are those of all rows at `now`."""
    courses = encode_courses(snapshot, rows)
    live = is_open(courses)
    courses[live] = add_states(
        courses[live], states[rows][live], due_at=snapshot.due_at[rows][live], now=now
    )
    return courses


class CourseParts:
    """What courses say, for many of them at once: each part as long as `courses`."""

    def __init__(self, courses: Codes) -> None:
        self.steps = [(courses >> step) & 1 == 1 for step in range(6)]
        self.near_line = courses & _NEAR_LINE > 0
        self.returned = courses & _RETURNED > 0
        self.reopened = courses & _REOPENED > 0
        self.open = courses & _OPEN > 0
        self.state = (courses >> _STATE_AT) & _STATE_BITS
        self.band = courses >> _BAND_AT
        self.overdue = self.open & (self.state == RED)


@cache
def list_standings() -> NDArray[np.int64]:
    """Return of every course that there can be whether it is OVER, OPEN or OVERDUE."""
    parts = CourseParts(np.arange(_CODES).astype(np.uint16))
    found = np.where(parts.overdue, OVERDUE, np.where(parts.open, OPEN, OVER))
    found.flags.writeable = False
    return found


def is_open(courses: Codes) -> NDArray[np.bool_]:
    """Return of each course whether its incident is open."""
    return (courses & _OPEN) > 0


def _freeze(column: NDArray[Any]) -> NDArray[Any]:
    """Return the column read-only and in one piece: a kernel is compiled for one kind of array."""
    whole = np.ascontiguousarray(column).view()
    whole.flags.writeable = False
    return whole


@compile_kernel
def _encode(
    steps: Any, near_line: Any, returned: Any, reopened: Any, open_: Any, done: Any, out: Any
) -> None:
    for i in range(len(out)):
        code = 0
        for step in range(6):
            code += (steps[i, step] > 0) * (1 << step)
        code += near_line[i] * _NEAR_LINE
        code += (returned[i] > 0) * _RETURNED + (reopened[i] > 0) * _REOPENED
        code += _OPEN if open_[i] else done[i] << _STATE_AT
        out[i] = code


def warm() -> None:
    """Compile the kernel and keep the machine code on disk, for set-up."""
    truth, few = _freeze(np.ones(1, np.bool_)), _freeze(np.ones(1, np.uint8))
    steps = _freeze(np.ones((1, 6), np.int64))
    _encode(steps, truth, few, few, truth, few, np.zeros(1, np.uint16))
