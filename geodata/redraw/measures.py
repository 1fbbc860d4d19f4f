"""Measures of a plan: how even, how round, how much moves, and what no plan can pass."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from geodata.coverage.edges import Ints
from geodata.redraw.engine import Terrain, measure_offs, measure_roundness

_MAX_FLOORS = 100


@dataclass(frozen=True, slots=True, kw_only=True)
class Measures:
    """
    One row of the table of plans; all but whole numbers are shares.

    `max_dev` is the largest difference of a grid's load from its target (its part's load by its
    part's grids), `outside` the grids out of band, `roundness` the mean of Polsby-Popper (4 pi
    area / perimeter^2), `parts_over` how many parts there are beyond the grids.
    """

    grids: int
    max_dev: float
    outside: int
    roundness: float
    roundness_p10: float
    parts_over: int
    moved: float  # of the load, to another grid than today's
    moved_blocks: int
    changed: int  # grids that give or get a block, or are new or gone

    def as_json(self) -> dict[str, Any]:
        """Return plain values."""
        return {name: getattr(self, name) for name in self.__slots__}


@dataclass(frozen=True, slots=True, kw_only=True)
class Floor:
    """
    What no plan can pass, as a `share` of a grid's target.

    `kind`: "block" (the load of block `number` alone: make it a special grid, or cut it), or
    "rounding" (what whole numbers of grids leave each grid in the part of the land where block
    `number` lies).
    """

    kind: str
    number: int
    share: float

    def as_json(self) -> dict[str, Any]:
        """Return plain values."""
        return {name: getattr(self, name) for name in self.__slots__}


def measure_labels(
    terrain: Terrain, label: Ints, *, band: float, before: Ints | None, names: Ints
) -> Measures:
    """Return the measures of labels 0..k-1; `before` are today's uids, `names` the labels' own."""
    k = int(label.max()) + 1
    load = np.bincount(label, weights=terrain.loads, minlength=k).astype(np.float64)
    off = measure_offs(load, terrain.targets(label))
    round_ = measure_roundness(terrain.graph, label)
    moved = np.zeros(len(label), bool) if before is None else names[label] != before
    touched = set() if before is None else {*before[moved].tolist(), *names[label][moved].tolist()}
    total = float(terrain.loads.sum())
    return Measures(
        grids=k,
        max_dev=float(off.max()),
        outside=int((off > band + 1e-9).sum()),
        roundness=float(round_.mean()),
        roundness_p10=float(np.quantile(round_, 0.1)),
        parts_over=terrain.graph.count_parts(label) - k,
        moved=float(terrain.loads[moved].sum()) / total if total else 0.0,
        moved_blocks=int(moved.sum()),
        changed=len(touched),
    )


def find_floors(terrain: Terrain, rows: Ints, *, band: float) -> tuple[Floor, ...]:
    """Return what no plan can pass, the worst first; `rows` are the blocks' numbers."""
    part_load = np.bincount(terrain.part, weights=terrain.loads)
    target = part_load / terrain.seats
    share = terrain.loads / np.maximum(target[terrain.part], np.finfo(float).tiny)
    heavy = np.flatnonzero((share > 1 + band) & (terrain.loads > 0))
    floors = [
        Floor(kind="block", number=int(rows[at]), share=float(share[at])) for at in heavy.tolist()
    ]
    common = float(part_load.sum()) / int(terrain.seats.sum())
    for part, load in enumerate(target.tolist()):
        if common and abs(load / common - 1) > band:
            first = int(rows[np.argmax(terrain.part == part)])
            floors.append(Floor(kind="rounding", number=first, share=load / common))
    return tuple(sorted(floors, key=lambda floor: -abs(floor.share - 1))[:_MAX_FLOORS])
