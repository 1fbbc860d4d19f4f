"""Decisions: what posts have decided on an incident's owner and place, and how disputes stand."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from itertools import groupby
from typing import Any

import numpy as np
import orjson
import shapely
from numpy.typing import NDArray

from geodata.drawings import Drawn
from geodata.ownership import RULES
from geodata.store.decisions import Decision

MANUAL = RULES.index("manual")
_HASH_BYTES = 8


@dataclass(frozen=True, slots=True, kw_only=True)
class Dispute:
    """A dispute over an owner: raised, perhaps answered, decided or taken back."""

    raised: Decision
    answer: Decision | None = None
    end: Decision | None = None

    @property
    def open(self) -> bool:
        """Tell whether it still waits for a decision."""
        return self.end is None

    @property
    def proposed(self) -> int:
        """Return the uid of the grid that is said to be the owner."""
        assert self.raised.grid is not None
        return self.raised.grid


@dataclass(frozen=True, slots=True, kw_only=True)
class Standing:
    """What holds for one incident: a manual owner, a pin, its disputes; None where nothing does."""

    owner: Decision | None = None
    pin: Decision | None = None
    disputes: tuple[Dispute, ...] = ()
    newest: Decision | None = None  # of whatever sort

    @property
    def dispute(self) -> Dispute | None:
        """Return the dispute that is open."""
        return next((one for one in reversed(self.disputes) if one.open), None)


NOTHING_DECIDED = Standing()


def hash_decision(what: str, *, grid: int | None, x: int | None, y: int | None, text: str) -> int:
    """Return what tells decisions of one second apart; `text` is the reason and the post."""
    plain = orjson.dumps([what, grid, x, y, text])
    digest = hashlib.blake2b(plain, digest_size=_HASH_BYTES).digest()
    return int.from_bytes(digest, "big", signed=True)


def fold_decisions(decisions: Iterable[Decision]) -> dict[int, Standing]:
    """
    Return what holds for each incident, whatever the order of arrival.

    The newest of its sort holds, by (at, hash): a withdrawal leaves nothing. A second dispute
    raised while one is open adds its word to it and opens none.
    """
    ordered = sorted(decisions, key=lambda one: (one.inc, one.at, one.hash))
    return {inc: _fold_one(list(rows)) for inc, rows in groupby(ordered, lambda one: one.inc)}


def _fold_one(rows: list[Decision]) -> Standing:
    held: dict[str, Decision | None] = {"owner": None, "pin": None}
    disputes: list[Dispute] = []
    for row in rows:
        name = row.what.removesuffix("_withdrawn")
        if name in held:
            held[name] = row if row.what == name else None
            continue
        standing = disputes[-1] if disputes and disputes[-1].open else None
        if standing is None:
            if row.what == "dispute":
                disputes.append(Dispute(raised=row))
        elif row.what == "answer":
            disputes[-1] = Dispute(raised=standing.raised, answer=row)
        elif row.what != "dispute":
            disputes[-1] = Dispute(raised=standing.raised, answer=standing.answer, end=row)
    return Standing(**held, disputes=tuple(disputes), newest=rows[-1])


def place_pins(
    place: Mapping[str, NDArray[np.float64]],
    incidents: NDArray[np.int64],
    standings: Mapping[int, Standing],
) -> dict[str, NDArray[np.float64]]:
    """Return the places (mm) with every pin in its incident's stead; `incidents` ascend."""
    pinned = {inc: one.pin for inc, one in standings.items() if one.pin is not None}
    rows, found = _rows_of(incidents, pinned)
    placed = dict(place)
    for name in ("x", "y"):
        placed[name] = place[name].copy()
        placed[name][rows] = [getattr(pinned[inc], name) for inc in found]
    return placed


def give_manual_owners(
    columns: dict[str, NDArray[Any]],
    standings: Mapping[int, Standing],
    *,
    timeline: tuple[Drawn, ...],
    which: NDArray[np.int64],
    current: int,
) -> None:
    """
    Write manual owners into derived columns.

    `which` is the place in the timeline of the drawing of each row's day, `current` today's, -1 for
    none. A grid that a drawing does not have cannot own: there the place decides as before.
    """
    given = {inc: one.owner for inc, one in standings.items() if one.owner is not None}
    rows, found = _rows_of(columns["inc"], given)
    for row, inc in zip(rows.tolist(), found, strict=True):
        uid = given[inc].grid
        if which[row] >= 0 and uid in timeline[which[row]].uids:
            columns["owner_at_event"][row] = uid
        if current < 0 or uid not in timeline[current].uids:
            continue
        columns["owner"][row] = uid
        columns["rule"][row] = MANUAL
        columns["near_line"][row] = False
        rank = int(np.flatnonzero(timeline[current].uids == uid)[0])
        shape = timeline[current].system.finest().geometry.iloc[rank]
        columns["distance_mm"][row] = _distance_mm(shape, columns["x"][row], columns["y"][row])


def _distance_mm(shape: shapely.Geometry, x_mm: float, y_mm: float) -> int:
    """Return how far a place lies from its owner, -1 for no place."""
    if np.isnan(x_mm):
        return -1
    metres = float(shapely.distance(shape, shapely.Point(x_mm / 1000, y_mm / 1000)))
    return round(metres * 1000)


def _rows_of(
    incidents: NDArray[np.int64], wanted: Mapping[int, object]
) -> tuple[NDArray[np.int64], list[int]]:
    """Return the rows of those incidents that are there, and which they are."""
    asked = np.array(sorted(wanted), np.int64)
    rows = np.searchsorted(incidents, asked)
    there = rows < len(incidents)
    there[there] = incidents[rows[there]] == asked[there]
    return rows[there], asked[there].tolist()
