"""Components as columns, and those of one tile."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from geodata.snapshots.snapshot import tile_position
from layers.layer import Picture, Tile
from layers.point_tile import Dots
from layers.vector_tile import EXTENT

TABLE = "components"
# A state that is none of these asks for somebody to go there.
IN_ORDER = frozenset({"", "normal", "ok", "good", "正常", "完好"})
_WORLD_BITS, _EXTENT_BITS = 32, 12


@dataclass(frozen=True, slots=True, kw_only=True)
class Placed:
    """Components as columns, west to east; `x`, `y` of 2**32 parts of the world."""

    x: NDArray[np.uint32]
    y: NDArray[np.uint32]
    owner: NDArray[np.int64]
    faulty: NDArray[np.bool_]
    rows: NDArray[np.int64]


def place_components(picture: Picture) -> Placed:
    """Return the components of a picture's facts as columns, made once for these facts."""
    kept, key = picture.facts.kept, ("components", "placed")
    if key not in kept:
        points = picture.facts.find_points(TABLE)
        shapes = points.geometry
        x, y = tile_position(shapes.x.to_numpy(), shapes.y.to_numpy())
        order = np.argsort(x, kind="stable")
        state = points["state"].fillna("") if "state" in points else np.full(len(points), "")
        faulty = np.array([str(text).strip().lower() not in IN_ORDER for text in state], np.bool_)
        kept[key] = Placed(
            x=x[order],
            y=y[order],
            owner=points["owner"].to_numpy(np.int64)[order],
            faulty=faulty[order],
            rows=order.astype(np.int64),
        )
    placed: Placed = kept[key]
    return placed


def find_components(placed: Placed, tile: Tile, allowed: NDArray[np.bool_] | None) -> Dots:
    """Return the components of one tile that lie in the allowed grids; `rows` of the columns."""
    shift = _WORLD_BITS - tile.z
    west, east = np.searchsorted(
        placed.x.astype(np.int64), [tile.x << shift, (tile.x + 1) << shift]
    )
    rows = np.arange(west, east)
    y = placed.y[rows].astype(np.int64)
    inside = (y >= tile.y << shift) & (y < (tile.y + 1) << shift)
    if allowed is not None:
        inside &= allowed[placed.owner[rows] + 1]
    rows, y = rows[inside], y[inside]
    finer = shift - _EXTENT_BITS
    units = [
        ((column - (first << shift)) >> finer).clip(0, EXTENT - 1).astype(np.int32)
        for column, first in ((placed.x[rows].astype(np.int64), tile.x), (y, tile.y))
    ]
    count = len(rows)
    return Dots(
        rows=rows,
        x=units[0],
        y=units[1],
        kept=np.arange(count),
        stands_for=np.ones(count, np.int64),
    )
