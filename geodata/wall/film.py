"""Playback: what came in and what was closed over a day, a week or a year, frame by frame."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from geodata.access.sight import Sight
from geodata.events.periods import local_midnight

HOUR_S = 3_600
_QUARTERS_H = (0, 6, 12, 18)
_WEEK_DAYS, _WEEKS = 7, 52


@dataclass(frozen=True, slots=True, kw_only=True)
class Reel:
    """How a film is cut: so many frames, each showing the reports of the last `window` of them."""

    frames: int
    window: int


REELS: Mapping[str, Reel] = {
    "day": Reel(frames=24, window=6),  # hours, each with the six hours up to its end
    "week": Reel(frames=28, window=4),  # quarters of a day, each with a whole day
    "year": Reel(frames=52, window=4),  # weeks, each with four
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Film:
    """
    The frames of a film between `edges` (UTC s): frame k ends at edges[k + 1].

    `counts` (frames, finest grids) holds what came in within the window that ends with the frame;
    `reported` and `closed` (frames,) what did within the frame itself, unowned ones included.
    """

    edges: tuple[int, ...]
    counts: NDArray[np.uint32]
    reported: tuple[int, ...]
    closed: tuple[int, ...]


def cut_film(name: str, *, end: int, zone: str) -> tuple[int, ...]:
    """
    Return the edges (UTC s) of a film's frames, and before them those of the first one's window.

    Only what is over is played: the last edge is the last whole hour, quarter of a day, or local
    midnight before `end`. A day on which clocks change may have a shorter or longer quarter.
    """
    reel = REELS[name]
    cuts = reel.frames + reel.window - 1
    if name == "day":
        last = end - end % HOUR_S
        return tuple(range(last - cuts * HOUR_S, last + 1, HOUR_S))
    if name == "year":
        weeks = range(cuts, -1, -1)
        return tuple(local_midnight(end, zone, days_before=_WEEK_DAYS * week) for week in weeks)
    days = range(cuts // len(_QUARTERS_H) + 1, -1, -1)
    edges = [
        local_midnight(end, zone, days_before=day) + hour * HOUR_S
        for day in days
        for hour in _QUARTERS_H
    ]
    return tuple([edge for edge in edges if edge <= end][-cuts - 1 :])


def make_film(sight: Sight, name: str, *, edges: tuple[int, ...]) -> Film:
    """Return a film of what a scope sees between the edges of `cut_film`."""
    reel, snapshot = REELS[name], sight.snapshot
    grids, cuts = len(sight.grids.finest()), len(edges) - 1
    times = np.array(edges)
    begun = np.searchsorted(times, snapshot.reported_at, side="right") - 1
    inside = (begun >= 0) & (begun < cuts)
    owned = inside & (snapshot.owner >= 0)
    key = begun[owned] * grids + snapshot.owner[owned]
    counts = np.bincount(key, minlength=cuts * grids).reshape(cuts, grids)
    sums = np.vstack([np.zeros((1, grids), np.int64), counts.cumsum(axis=0)])
    ended = np.searchsorted(times, snapshot.closed_at, side="right") - 1
    closed = np.bincount(ended[(ended >= 0) & (ended < cuts)], minlength=cuts)
    reported = np.bincount(begun[inside], minlength=cuts)
    first = reel.window - 1
    return Film(
        edges=edges[first:],
        counts=(sums[reel.window :] - sums[: -reel.window]).astype(np.uint32),
        reported=tuple(reported[first:].tolist()),
        closed=tuple(closed[first:].tolist()),
    )
