"""Silent grids: those from which nothing has come for longer than chance explains."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from geodata.access.sight import Sight
from geodata.risk import DAY_S

LOOK_BACK_DAYS = 365
CHANCE = 0.01  # at most, of so long a silence in a grid that goes on as it did
_NAMES = 2  # of a grid's path: itself and what it lies in
FEWEST_DAYS = 7  # of history and of silence: less says nothing


@dataclass(frozen=True, slots=True, kw_only=True)
class SilentGrid:
    """
    A finest grid without a report since `last_at` (UTC s), 0 for never in the time looked at.

    `expected` reports its own rate, or that of all grids where it never had one, would have
    brought in the silence of `days`.
    """

    uid: int
    code: str
    name: str
    last_at: int
    days: float
    expected: float


def find_silent_grids(sight: Sight, *, now: int) -> list[SilentGrid]:
    """
    Return the grids of a scope that have fallen silent, the least likely first.

    The reports of a grid in the last year up to its last one give its rate; with that rate so long
    a silence as it keeps now has a chance of exp(-rate x days) (Poisson). It is named where that is
    less than one in a hundred and less than one in as many grids as there are, so that by chance
    alone at most one is named in a whole city. A grid that never reported is held against the mean
    of all grids: it may be unknown to a source rather than quiet. Nothing is judged within a week
    of the first report.
    """
    snapshot = sight.snapshot
    end = min(now, sight.risk_from)
    begin = end - LOOK_BACK_DAYS * DAY_S
    at = snapshot.reported_at
    taken = (snapshot.owner >= 0) & (at > begin) & (at <= end)
    finest = sight.grids.finest()
    n = len(finest)
    if not taken.any():
        return []
    owner, at = snapshot.owner[taken], at[taken]
    reports = np.bincount(owner, minlength=n)
    last = np.zeros(n, np.int64)
    np.maximum.at(last, owner, at)
    first = int(at.min())
    shown = np.array([sight.shows(int(uid)) for uid in finest["uid"]], np.bool_)
    since = np.where(last > 0, last, first)
    silent_days = (end - since) / DAY_S
    spoken_days = np.maximum((since - first) / DAY_S, FEWEST_DAYS)
    whole_days = max((end - first) / DAY_S, FEWEST_DAYS)
    mean = float(reports[shown].sum()) / max(int(shown.sum()), 1) / whole_days
    rate = np.where(reports > 0, reports / spoken_days, mean)
    expected = rate * silent_days
    least = max(-math.log(CHANCE), math.log(max(int(shown.sum()), 1)))
    silent = shown & (silent_days >= FEWEST_DAYS) & (expected > least)
    order = np.flatnonzero(silent)[np.argsort(-expected[silent], kind="stable")]
    return [
        SilentGrid(
            uid=int(finest["uid"].iloc[row]),
            code=str(finest["code"].iloc[row]),
            name=" › ".join(sight.grids.path_names(int(finest["uid"].iloc[row]))[-_NAMES:]),
            last_at=int(last[row]),
            days=float(silent_days[row]),
            expected=float(expected[row]),
        )
        for row in order.tolist()
    ]
