"""Random edits for benchmarks and tests of redrawing: such as a hand would make."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import shapely

from geodata.redraw import Draft


def random_edit(draft: Draft, rng: np.random.Generator) -> dict[str, Any]:
    """Return an edit such as a hand would make; some are refused."""
    uids = sorted(draft.grids)
    grid = draft.grids[uids[int(rng.integers(len(uids)))]]
    make = (_random_move, _random_split, _random_merge, _random_draw, _random_drag)
    return make[int(rng.choice(5, p=[0.25, 0.15, 0.2, 0.2, 0.2]))](draft, grid, rng)


def _random_move(_: Draft, grid: Any, rng: np.random.Generator) -> dict[str, Any]:
    corners = shapely.get_coordinates(grid.shape)
    corner = corners[rng.integers(len(corners))]
    to = corner + rng.normal(0, 5000, 2)
    return {"op": "move", "at": _metres(corner), "to": _metres(to)}


def _random_split(_: Draft, grid: Any, rng: np.random.Generator) -> dict[str, Any]:
    middle = shapely.get_coordinates(shapely.point_on_surface(grid.shape))[0]
    turn, reach = rng.uniform(0, math.pi), math.sqrt(shapely.area(grid.shape)) * 2
    way = np.array([math.cos(turn), math.sin(turn)]) * reach
    line = middle + np.linspace(-1, 1, 6)[:, None] * way + rng.normal(0, 4000, (6, 2))
    return {"op": "split", "grid": grid.uid, "line": _metres(line)}


def _neighbours(draft: Draft, grid: Any) -> list[int]:
    found = [uid for uid in draft.touching(grid.shape) if uid != grid.uid]
    mine = [uid for uid in found if draft.grids[uid].parent == grid.parent]
    return mine or found


def _random_merge(draft: Draft, grid: Any, _: np.random.Generator) -> dict[str, Any]:
    # With the smallest neighbour, as a planner would: else a few giants eat the city.
    beside = sorted(_neighbours(draft, grid), key=lambda uid: draft.grids[uid].area_m2)
    return {"op": "merge", "grids": [grid.uid, beside[0] if beside else grid.uid]}


def _random_draw(_: Draft, grid: Any, rng: np.random.Generator) -> dict[str, Any]:
    corners = shapely.get_coordinates(grid.shape)
    turn = np.linspace(0, 2 * math.pi, 24, endpoint=False)
    reach = rng.uniform(15_000, 60_000) * (1 + 0.2 * rng.random(24))
    ring = np.column_stack([np.cos(turn), np.sin(turn)]) * reach[:, None]
    area = corners[rng.integers(len(corners))] + ring
    rest = "follow" if rng.random() < 0.5 else "refuse"
    return {"op": "draw", "grid": grid.uid, "area": _metres(area), "rest": rest}


def _random_drag(draft: Draft, grid: Any, rng: np.random.Generator) -> dict[str, Any]:
    beside = _neighbours(draft, grid)
    other = int(rng.choice(beside)) if beside else grid.uid
    border = shapely.intersection(
        shapely.boundary(grid.shape), shapely.boundary(draft.grids[other].shape)
    )
    corners = shapely.get_coordinates(border)
    if len(corners) < 2:
        return {"op": "drag", "grids": [grid.uid, other], "line": _metres(np.zeros((2, 2)))}
    first, last = sorted(rng.choice(len(corners), 2, replace=False).tolist())
    middle = (corners[first] + corners[last]) / 2 + rng.normal(0, 15_000, 2)
    line = np.array([corners[first], middle, corners[last]])
    return {"op": "drag", "grids": [grid.uid, other], "line": _metres(line)}


def _metres(points_mm: Any) -> Any:
    return (np.asarray(points_mm) / 1000).tolist()
