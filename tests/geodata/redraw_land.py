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
