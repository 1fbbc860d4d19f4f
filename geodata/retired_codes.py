"""Retired codes: which grids of today stand where a grid of an earlier drawing stood."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import shapely

from geodata.drawings import Drawn
from geodata.grids import GridSystem
from geodata.levels import level_rank

_LEAST_SHARE = 0.001  # of the retired grid: less is a hairline along a moved border
_MOST = 12


@dataclass(frozen=True, slots=True, kw_only=True)
class Retired:
    """A code that the drawing in force does not have; `until` is when it ended (UTC s)."""

    code: str
    name: str
    until: int | None
    successors: tuple[tuple[int, float], ...]  # uid and share of its land, the largest first


def find_retired(timeline: tuple[Drawn, ...], system: GridSystem, code: str) -> Retired | None:
    """
    Return what became of a code, by the newest drawing that had it; None for a code never used.

    Successors are the grids of the same level that hold its land now; the grid itself where only
    its code has changed.
    """
    for drawn in reversed(timeline):
        if drawn.system.drawing == system.drawing:
            continue
        grids = drawn.system.grids
        rows = np.flatnonzero(grids["code"].to_numpy() == code)
        if len(rows):
            inmost = max(rows.tolist(), key=lambda row: level_rank(grids["level"].iat[row]))
            old = grids.iloc[inmost]
            return Retired(
                code=code,
                name=str(old["name"]),
                until=drawn.system.valid_to,
                successors=_find_successors(system, old),
            )
    return None


def _find_successors(system: GridSystem, old: Any) -> tuple[tuple[int, float], ...]:
    now = system.grids
    same = np.flatnonzero(now["uid"].to_numpy() == old["uid"])
    if len(same):
        return ((int(old["uid"]), 1.0),)
    level = now[now["level"] == old["level"]]
    if not len(level):
        level = system.finest()
    rows = level.sindex.query(old.geometry, predicate="intersects")
    shared = shapely.area(shapely.intersection(level.geometry.to_numpy()[rows], old.geometry))
    shares = shared / max(old.geometry.area, 1e-9)
    order = np.argsort(-shares, kind="stable")
    uids = level["uid"].to_numpy()[rows]
    return tuple(
        (int(uids[place]), float(shares[place]))
        for place in order[:_MOST].tolist()
        if shares[place] >= _LEAST_SHARE
    )
