"""Counts and rates over any set of incidents, as the dictionary of figures defines them."""

from __future__ import annotations

from dataclasses import dataclass
from decimal import ROUND_HALF_UP, Decimal
from typing import Any

import numpy as np
from numpy.typing import NDArray

from geodata.compiled import compile_kernel
from geodata.events.clock import AMBER, DONE_LATE, DONE_ON_TIME, RED, STATES, SUSPENDED
from geodata.events.incidents import SIX_STEPS
from geodata.ownership import RULES
from geodata.snapshots.snapshot import Snapshot

_PLACES = Decimal("0.01")


@dataclass(frozen=True, slots=True, kw_only=True)
class Rate:
    """A share with its numerator and denominator, because one without them says nothing."""

    part: int
    of: int

    def percent(self) -> str | None:
        """Return the share in percent, rounded half up to two places; None of nothing."""
        if not self.of:
            return None
        exact = Decimal(self.part) * 100 / Decimal(self.of)
        return str(exact.quantize(_PLACES, rounding=ROUND_HALF_UP))


@dataclass(frozen=True, slots=True, kw_only=True)
class Change:
    """A count against the one of another period: of what, because a percentage alone hides it."""

    now: int
    before: int

    def percent(self) -> str | None:
        """Return the change in percent with its sign, rounded half away from zero; None of 0."""
        if not self.before:
            return None
        exact = Decimal(self.now - self.before) * 100 / Decimal(self.before)
        found = exact.quantize(_PLACES, rounding=ROUND_HALF_UP)
        return f"{found:+}" if found else str(abs(found))


@dataclass(frozen=True, slots=True, kw_only=True)
class Figures:
    """
    What a set of incidents comes to.

    `total` of `whole` incidents are in the set; `steps` says how many reached each of the six
    steps; `rules` how many are owned by each ownership rule.
    """

    total: int
    whole: int
    open: int
    overdue: int
    due_soon: int
    suspended: int
    near_line: int
    steps: dict[str, int]
    rules: dict[str, int]
    completion: Rate  # 办结率: handled of dispatched
    closing: Rate  # 结案率: closed of registered
    on_time: Rate  # closed on time of closed with a deadline

    @property
    def unowned(self) -> int:
        """Return how many have a place in no grid, or no place at all."""
        return self.rules.get("none", 0) + self.rules.get("no_place", 0)


def count_figures(
    snapshot: Snapshot, mask: NDArray[np.bool_], *, states: NDArray[np.uint8]
) -> Figures:
    """Count a set of incidents; `states` comes from `clock.clock_state` at one moment."""
    counts = np.zeros(2 + len(SIX_STEPS) + 2, np.int64)
    rules = np.zeros(len(RULES), np.int64)
    open_in, closed_in = np.zeros((2, len(STATES)), np.int64)
    _count_rows(
        mask, snapshot.open, snapshot.steps, states, snapshot.rule, snapshot.near_line,
        counts, rules, open_in, closed_in,
    )  # fmt: skip
    total, near_line, *reached, completed, closed = counts.tolist()
    steps = dict(zip(SIX_STEPS, reached, strict=True))
    on_time, late = int(closed_in[DONE_ON_TIME]), int(closed_in[DONE_LATE])
    return Figures(
        total=total,
        whole=snapshot.n,
        open=int(open_in.sum()),
        overdue=int(open_in[RED]),
        due_soon=int(open_in[AMBER]),
        suspended=int(open_in[SUSPENDED]),
        near_line=near_line,
        steps=steps,
        rules={name: int(rules[i]) for i, name in enumerate(RULES) if rules[i]},
        completion=Rate(part=completed, of=steps["dispatched"]),
        closing=Rate(part=closed, of=steps["registered"]),
        on_time=Rate(part=on_time, of=on_time + late),
    )


@compile_kernel
def _count_rows(
    mask: Any, open_: Any, steps: Any, states: Any, rule: Any, near_line: Any,
    counts: Any, rules: Any, open_in: Any, closed_in: Any,
) -> None:  # fmt: skip
    """Count in one pass: all, near a line, each step, both shares; by rule; by state."""
    for i in range(len(mask)):
        if not mask[i]:
            continue
        counts[0] += 1
        counts[1] += near_line[i]
        for step in range(steps.shape[1]):
            counts[2 + step] += steps[i, step] > 0
        counts[-2] += steps[i, 3] > 0 and steps[i, 2] > 0
        counts[-1] += steps[i, 4] > 0 and steps[i, 1] > 0
        rules[rule[i]] += 1
        if open_[i]:
            open_in[states[i]] += 1
        elif steps[i, 4] > 0:  # a void or duplicate case is done too, but was never closed
            closed_in[states[i]] += 1


def count_by_grid(snapshot: Snapshot, mask: NDArray[np.bool_], *, grids: int) -> NDArray[np.int64]:
    """Return how many of the set each finest grid owns, and last how many nobody owns."""
    owner = snapshot.owner[mask].astype(np.int64)
    return np.bincount(np.where(owner < 0, grids, owner), minlength=grids + 1)


def warm() -> None:
    """Compile the kernel and keep the machine code on disk, for set-up."""
    truth, steps, code = np.ones(1, np.bool_), np.zeros((1, 6), np.int64), np.zeros(1, np.uint8)
    frozen, frozen_steps, frozen_code = truth.copy(), steps.copy(), code.copy()
    for column in (frozen, frozen_steps, frozen_code):
        column.flags.writeable = False
    counts, by = np.zeros(10, np.int64), np.zeros(len(STATES), np.int64)
    _count_rows(truth, truth, steps, code, code, truth, counts, by, by, by)
    _count_rows(truth, frozen, frozen_steps, code, frozen_code, frozen, counts, by, by, by)
