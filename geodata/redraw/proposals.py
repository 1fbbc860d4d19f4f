"""Proposals: always three ways to put blocks together as grids, with what each costs."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import shapely

from geodata.coverage.edges import Ints
from geodata.errors import BadSetting, Fault
from geodata.redraw.blocks import Blocks
from geodata.redraw.engine import (
    Terrain,
    even_out,
    least_change,
    mend_home,
    seat_groups,
    shape_up,
)
from geodata.redraw.measures import Floor, Measures, find_floors, measure_labels
from geodata.redraw.walls import Wall, build_graph

KINDS = ("least_change", "best_balance", "best_shape")
NOBODY = -1
_WIDEST = 1.0


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Proposal:
    """
    One plan: a grid's uid for each block, and its measures.

    -1 stands for a block outside the scope; -2, -3, ... for grids that would be new.
    """

    kind: str
    owner: Ints
    measures: Measures

    def as_json(self) -> dict[str, Any]:
        """Return plain values without the owners."""
        return {"kind": self.kind, **self.measures.as_json()}


@dataclass(frozen=True, slots=True, kw_only=True)
class Expected:
    """One block without history: the load it counts with, and between what that lies."""

    number: int
    load: float
    low: float
    high: float


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Proposals:
    """
    The three plans, today's measures (None without a plan of today), and what none can pass.

    `expected` are the blocks in scope whose load is not known but that of blocks like them.
    """

    plans: tuple[Proposal, Proposal, Proposal]
    today: Measures | None
    floors: tuple[Floor, ...]
    expected: tuple[Expected, ...]

    def plan(self, kind: str) -> Proposal:
        """Return the plan of a kind."""
        return self.plans[KINDS.index(kind)]

    def sum_expected(self) -> dict[str, float]:
        """Return how many blocks have no history, what they count with together, and its band."""
        sums = {
            name: round(sum(getattr(one, name) for one in self.expected), 1)
            for name in ("load", "low", "high")
        }
        return {"blocks": len(self.expected), **sums}

    def as_json(self) -> dict[str, Any]:
        """Return plain values without the owners."""
        return {
            "plans": [plan.as_json() for plan in self.plans],
            "today": None if self.today is None else self.today.as_json(),
            "floors": [floor.as_json() for floor in self.floors],
            "expected": self.sum_expected(),
        }


def propose(
    blocks: Blocks,
    *,
    grids: int | None = None,
    home: Ints | None = None,
    group: Ints | None = None,
    walls: Sequence[Wall] = (),
    band: float = 0.1,
    locked: Collection[int] = (),
    seed: int = 0,
) -> Proposals:
    """
    Return three plans of `grids` grids, each connected: least change, best balance, best shape.

    `home` is each block's grid of today (a uid, -1 for blocks out of scope), `group` its outer grid
    where no grid may cross one; without `grids` each keeps as many as it has, else they are seated
    by highest averages. `band` is the share by which a grid's load may differ from its target.
    Grids in `locked` keep every block and do not count among `grids`. The same seed gives the same
    plans. Raises BadSetting for a number of grids or a band that cannot be.
    """
    everyone = np.full(len(blocks), 0, np.int64) if home is None else np.asarray(home, np.int64)
    rows = np.flatnonzero((everyone >= 0) & ~np.isin(everyone, list(locked)))
    today = None if home is None else everyone[rows]
    count = grids if grids is not None else 0 if today is None else len(np.unique(today))
    if not 1 <= count <= len(rows):
        values = {"grids": count, "blocks": len(rows)}
        raise BadSetting(Fault(key="propose_grids", field="grids", values=values))
    if not 0 < band <= _WIDEST:
        raise BadSetting(Fault(key="propose_band", field="band"))
    terrain = survey_blocks(blocks, rows, walls=walls, group=group, grids=grids, today=today)
    start = None if today is None else terrain.fit_home(today)
    rng_seed = seed * 7919 + 1
    labels = {
        "least_change": least_change(terrain, start, band, seed=rng_seed),
        "best_balance": even_out(terrain, start, seed=rng_seed),
        "best_shape": shape_up(terrain, start, band, seed=rng_seed),
    }
    plans = []
    for kind in KINDS:
        label = labels[kind]
        names = terrain.name_grids(label, today)
        owner = np.where(everyone >= 0, everyone, NOBODY) if home is not None else everyone.copy()
        owner[rows] = names[label]
        measures = measure_labels(terrain, label, band=band, before=today, names=names)
        plans.append(Proposal(kind=kind, owner=owner, measures=measures))
    was = None
    if today is not None:
        uids, label = np.unique(today, return_inverse=True)
        was = measure_labels(terrain, label, band=band, before=today, names=uids)
    return Proposals(
        plans=(plans[0], plans[1], plans[2]),
        today=was,
        floors=find_floors(terrain, rows, band=band),
        expected=list_expected(blocks, rows),
    )


def list_expected(blocks: Blocks, rows: Ints) -> tuple[Expected, ...]:
    """Return the blocks among some whose load is expected, not known."""
    if blocks.band is None:
        return ()
    return tuple(
        Expected(
            number=number,
            load=float(blocks.loads[number]),
            low=float(blocks.band[number, 0]),
            high=float(blocks.band[number, 1]),
        )
        for number in rows[np.isfinite(blocks.band[rows, 0])].tolist()
    )


def survey_blocks(
    blocks: Blocks,
    rows: Ints,
    *,
    walls: Sequence[Wall],
    group: Ints | None,
    grids: int | None,
    today: Ints | None,
) -> Terrain:
    """Return the land of a proposal; `grids` None: as many in each part as there are today."""
    graph = build_graph(blocks.shapes[rows], walls)
    if group is not None:
        inside = np.asarray(group, np.int64)[rows]
        graph = graph.keep(inside[graph.start] == inside[graph.beside])
    loads = np.asarray(blocks.loads[rows], np.float64)
    part = graph.find_parts(np.zeros(len(rows), np.int64))
    centres = shapely.centroid(blocks.shapes[rows])
    xy = np.column_stack([shapely.get_x(centres), shapely.get_y(centres)])
    if grids is not None:
        seats = seat_groups(part, loads, grids)
    else:
        assert today is not None
        _, first = np.unique(mend_home(graph, loads, today), return_index=True)
        seats = np.bincount(part[first], minlength=int(part.max()) + 1)
    return Terrain(graph=graph, loads=loads, xy=xy, part=part, seats=seats)
