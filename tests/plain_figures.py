"""Figures counted the plain way, row by row of a mask: what the counter is held to."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from geodata.events.clock import AMBER, DONE_LATE, DONE_ON_TIME, RED, SUSPENDED
from geodata.events.incidents import SIX_STEPS
from geodata.figures.counts import Rate
from geodata.ownership import RULES


@dataclass(frozen=True, kw_only=True)
class PlainFigures:
    """What a set of incidents comes to; `rules` counts by ownership rule."""

    total: int
    whole: int
    open: int
    overdue: int
    due_soon: int
    suspended: int
    near_line: int
    steps: dict[str, int]
    rules: dict[str, int]
    completion: Rate
    closing: Rate
    on_time: Rate
    returned: Rate
    reopened: Rate

    @property
    def unowned(self) -> int:
        """Return how many have a place in no grid, or no place at all."""
        return self.rules.get("none", 0) + self.rules.get("no_place", 0)


def count_figures(snapshot, mask, *, states) -> PlainFigures:
    """Count the incidents of a mask as the dictionary of figures defines each figure."""
    steps, open_, state = snapshot.steps[mask] > 0, snapshot.open[mask], states[mask]
    reached = dict(zip(SIX_STEPS, steps.T, strict=True))
    dispatched, closed = reached["dispatched"], reached["closed"]
    reopened = snapshot.reopened[mask] > 0
    rules = np.bincount(snapshot.rule[mask], minlength=len(RULES))

    def of(part, whole) -> Rate:
        return Rate(part=int((part & whole).sum()), of=int(whole.sum()))

    def count(marks) -> int:
        return int(marks.sum())

    in_time = closed & ~open_ & np.isin(state, [DONE_ON_TIME, DONE_LATE])
    return PlainFigures(
        total=count(mask),
        whole=snapshot.n,
        open=count(open_),
        overdue=count(open_ & (state == RED)),
        due_soon=count(open_ & (state == AMBER)),
        suspended=count(open_ & (state == SUSPENDED)),
        near_line=count(snapshot.near_line[mask]),
        steps={name: count(marks) for name, marks in reached.items()},
        rules={name: int(rules[code]) for code, name in enumerate(RULES) if rules[code]},
        completion=of(reached["handled"], dispatched),
        closing=of(closed, reached["registered"]),
        on_time=of(state == DONE_ON_TIME, in_time),
        returned=of(snapshot.returned[mask] > 0, dispatched),
        reopened=of(reopened, closed | reopened),
    )


def count_by_grid(snapshot, mask, *, grids: int):
    """Return how many of a mask each finest grid owns, and last how many nobody owns."""
    owner = snapshot.owner[mask].astype(np.int64)
    return np.bincount(np.where(owner < 0, grids, owner), minlength=grids + 1)


def compare(tally, plain: PlainFigures) -> None:
    """Check that a tally is what plain counting gives."""
    for name in (
        "total", "open", "overdue", "due_soon", "suspended", "near_line", "steps", "completion",
        "closing", "on_time", "returned", "reopened",
    ):  # fmt: skip
        assert getattr(tally, name) == getattr(plain, name), name
