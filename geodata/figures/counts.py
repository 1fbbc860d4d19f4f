"""Counts and rates over any set of incidents, as the dictionary of figures defines them."""

from __future__ import annotations

from dataclasses import dataclass
from decimal import ROUND_HALF_UP, Decimal

import numpy as np
from numpy.typing import NDArray

from geodata.events.clock import AMBER, DONE_LATE, DONE_ON_TIME, RED, SUSPENDED
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
    open_ = snapshot.open & mask
    reached = (snapshot.steps > 0) & mask[:, None]
    steps = {name: int(reached[:, i].sum()) for i, name in enumerate(SIX_STEPS)}
    rules = np.bincount(snapshot.rule[mask], minlength=len(RULES))
    # A void or duplicate case is done too, but was never closed: it is no case done on time.
    closed = ~snapshot.open & reached[:, 4]
    done_on_time = int((closed & (states == DONE_ON_TIME)).sum())
    done_late = int((closed & (states == DONE_LATE)).sum())
    return Figures(
        total=int(mask.sum()),
        whole=snapshot.n,
        open=int(open_.sum()),
        overdue=int((open_ & (states == RED)).sum()),
        due_soon=int((open_ & (states == AMBER)).sum()),
        suspended=int((open_ & (states == SUSPENDED)).sum()),
        near_line=int((snapshot.near_line & mask).sum()),
        steps=steps,
        rules={name: int(rules[i]) for i, name in enumerate(RULES) if rules[i]},
        completion=Rate(part=int((reached[:, 3] & reached[:, 2]).sum()), of=steps["dispatched"]),
        closing=Rate(part=int((reached[:, 4] & reached[:, 1]).sum()), of=steps["registered"]),
        on_time=Rate(part=done_on_time, of=done_on_time + done_late),
    )


def count_by_grid(snapshot: Snapshot, mask: NDArray[np.bool_], *, grids: int) -> NDArray[np.int64]:
    """Return how many of the set each finest grid owns, and last how many nobody owns."""
    owner = snapshot.owner[mask].astype(np.int64)
    return np.bincount(np.where(owner < 0, grids, owner), minlength=grids + 1)
