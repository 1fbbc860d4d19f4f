"""Land for the tests of redrawing: squares that can be counted by eye, and random edits."""

from __future__ import annotations

import math
from functools import cache
from typing import Any

import geopandas as gpd
import numpy as np
import shapely

from geodata.redraw import Blocks, Draft, open_draft

EPSG = 4549
SIDE_M = 200.0
WEST_M, SOUTH_M = 500_000.0, 3_600_000.0
COLUMNS, ROWS = 4, 3
FIRST = 11  # uid of the south-western grid; communities are 1 (two rows in the south) and 2


def at(column: float, row: float) -> list[float]:
    """Return a place in sides of a grid from the south-west corner, in metres."""
    return [WEST_M + column * SIDE_M, SOUTH_M + row * SIDE_M]


def uid(column: int, row: int) -> int:
    return FIRST + row * COLUMNS + column


@cache
def square_frame() -> gpd.GeoDataFrame:
    """4 x 3 grids of 200 m; the two southern rows are community 1, the northern one is 2."""
    cells = [(column, row) for row in range(ROWS) for column in range(COLUMNS)]
    shapes = [shapely.box(*at(column, row), *at(column + 1, row + 1)) for column, row in cells]
    outer = [shapely.box(*at(0, 0), *at(COLUMNS, 2)), shapely.box(*at(0, 2), *at(COLUMNS, 3))]
    rows = [
        *((1 + number, f"C{1 + number}", "community", -1) for number in range(2)),
        *((uid(c, r), f"G{uid(c, r)}", "grid", 2 if r == 2 else 1) for c, r in cells),
    ]
    table = {
        name: [row[place] for row in rows]
        for place, name in enumerate(("uid", "code", "level", "parent"))
    }
    table |= {"name": table["code"], "kind": "general", "body": ""}
    nothing = {"households": math.nan, "population": math.nan}
    return gpd.GeoDataFrame({**table, **nothing}, geometry=[*outer, *shapes], crs=EPSG)


def square_draft(*, blocks: bool = False, roads: Any = None) -> Draft:
    """Open the squares; blocks are quarters of a grid, counted from the south-west, row by row."""
    quarters = None
    if blocks:
        cells = [(c / 2, r / 2) for r in range(2 * ROWS) for c in range(2 * COLUMNS)]
        shapes = [shapely.box(*at(c, r), *at(c + 0.5, r + 0.5)) for c, r in cells]
        scaled = shapely.transform(np.array(shapes, object), lambda xy: np.rint(xy * 1000))
        quarters = Blocks(shapes=scaled, loads=np.ones(len(shapes)))
    return open_draft(square_frame(), blocks=quarters, roads=roads)


def block(column: float, row: float) -> int:
    """Return the number of the quarter whose south-western corner lies there."""
    return int(row * 2) * 2 * COLUMNS + int(column * 2)


def read_bytes(draft: Draft) -> dict[int, bytes]:
    """Return everything a draft draws, byte for byte."""
    return {uid: shapely.to_wkb(grid.shape) for uid, grid in draft.grids.items()}


def read_all(draft: Draft) -> tuple[Any, ...]:
    """Return everything a draft holds, so that two states can be compared."""
    said = {
        grid.uid: (grid.code, grid.name, grid.kind, grid.body, grid.parent)
        for grid in (*draft.grids.values(), *draft.outer.values())
    }
    return read_bytes(draft), said, draft.locks, draft.next_uid


def random_edit(draft: Draft, rng: np.random.Generator) -> dict[str, Any]:
    """Return an edit such as a hand would make; some are refused."""
    uids = sorted(draft.grids)
    grid = draft.grids[uids[int(rng.integers(len(uids)))]]
    make = (_random_move, _random_split, _random_merge, _random_draw, _random_drag)
    return make[int(rng.choice(5, p=[0.25, 0.15, 0.2, 0.2, 0.2]))](draft, grid, rng)


def _random_move(draft: Draft, grid: Any, rng: np.random.Generator) -> dict[str, Any]:
    corners = shapely.get_coordinates(grid.shape)
    corner = corners[rng.integers(len(corners))]
    to = corner + rng.normal(0, 5000, 2)
    return {"op": "move", "at": metres(corner), "to": metres(to)}


def _random_split(draft: Draft, grid: Any, rng: np.random.Generator) -> dict[str, Any]:
    middle = shapely.get_coordinates(shapely.point_on_surface(grid.shape))[0]
    turn, reach = rng.uniform(0, math.pi), math.sqrt(shapely.area(grid.shape)) * 2
    way = np.array([math.cos(turn), math.sin(turn)]) * reach
    line = middle + np.linspace(-1, 1, 6)[:, None] * way + rng.normal(0, 4000, (6, 2))
    return {"op": "split", "grid": grid.uid, "line": metres(line)}


def _neighbours(draft: Draft, grid: Any) -> list[int]:
    found = [uid for uid in draft.touching(grid.shape) if uid != grid.uid]
    mine = [uid for uid in found if draft.grids[uid].parent == grid.parent]
    return mine or found


def _random_merge(draft: Draft, grid: Any, rng: np.random.Generator) -> dict[str, Any]:
    # With the smallest neighbour, as a planner would: else a few giants eat the city.
    beside = sorted(_neighbours(draft, grid), key=lambda uid: draft.grids[uid].area_m2)
    return {"op": "merge", "grids": [grid.uid, beside[0] if beside else grid.uid]}


def _random_draw(draft: Draft, grid: Any, rng: np.random.Generator) -> dict[str, Any]:
    corners = shapely.get_coordinates(grid.shape)
    turn = np.linspace(0, 2 * math.pi, 24, endpoint=False)
    reach = rng.uniform(15_000, 60_000) * (1 + 0.2 * rng.random(24))
    ring = np.column_stack([np.cos(turn), np.sin(turn)]) * reach[:, None]
    area = corners[rng.integers(len(corners))] + ring
    rest = "follow" if rng.random() < 0.5 else "refuse"
    return {"op": "draw", "grid": grid.uid, "area": metres(area), "rest": rest}


def _random_drag(draft: Draft, grid: Any, rng: np.random.Generator) -> dict[str, Any]:
    beside = _neighbours(draft, grid)
    other = int(rng.choice(beside)) if beside else grid.uid
    border = shapely.intersection(
        shapely.boundary(grid.shape), shapely.boundary(draft.grids[other].shape)
    )
    corners = shapely.get_coordinates(border)
    if len(corners) < 2:
        return {"op": "drag", "grids": [grid.uid, other], "line": metres(np.zeros((2, 2)))}
    first, last = sorted(rng.choice(len(corners), 2, replace=False).tolist())
    middle = (corners[first] + corners[last]) / 2 + rng.normal(0, 15_000, 2)
    line = np.array([corners[first], middle, corners[last]])
    return {"op": "drag", "grids": [grid.uid, other], "line": metres(line)}


def metres(points_mm: np.ndarray) -> Any:
    return (np.asarray(points_mm) / 1000).tolist()
