"""The snapshot's incidents in one tile: where they lie, and which stand for others."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numba import njit
from numpy.typing import NDArray

from layers.layer import Picture, Tile
from layers.raster_tile import find_slices
from layers.vector_tile import EXTENT, Column, encode_layer, make_column, make_points

_WORLD_BITS = 32
_EXTENT_BITS = 12
_SIDES = (4, 8, 16, 32)  # tile units: half a pixel of a 512 px tile, up to four


@dataclass(frozen=True, slots=True, kw_only=True)
class Dots:
    """
    Points of one tile: rows of the snapshot and their place in tile units, y south.

    `kept` are their places among the rows they were thinned from, `stands_for` how many incidents
    each of them shows.
    """

    rows: NDArray[np.int64]
    x: NDArray[np.int32]
    y: NDArray[np.int32]
    kept: NDArray[np.int64]
    stands_for: NDArray[np.int64]

    def thin(self, rank: NDArray[np.int32], *, most: int) -> Dots:
        """
        Return all dots, or when they are more than `most`, at most one in each small square.

        The square is half a pixel wide, or as much wider as it takes, up to four pixels, a dot's
        own size. The dot with the highest `rank` stays, the first of equals, and counts the rest.
        """
        if len(self.rows) <= most:
            return self
        for side in _SIDES:
            kept, stands_for = _thin(self.x, self.y, rank, EXTENT // side)
            if len(kept) <= most:
                break
        return Dots(
            rows=self.rows[kept],
            x=self.x[kept],
            y=self.y[kept],
            kept=kept,
            stands_for=stands_for,
        )


def find_dots(picture: Picture, tile: Tile) -> Dots:
    """Return the incidents of one tile that filter and scope let through, each exactly once."""
    snapshot = picture.facts.snapshot
    address = (np.array([part]) for part in (tile.z, tile.x, tile.y))
    starts, ends = find_slices(snapshot.morton[: snapshot.placed], *address)
    whole = slice(int(starts[0]), int(ends[0]))
    rows = whole.start + np.flatnonzero(picture.selected(whole))
    x, y = (
        _to_units(column[rows], first, tile.z)
        for column, first in ((snapshot.tile_x, tile.x), (snapshot.tile_y, tile.y))
    )
    count = len(rows)
    return Dots(rows=rows, x=x, y=y, kept=np.arange(count), stands_for=np.ones(count, np.int64))


def encode_dots(picture: Picture, dots: Dots, *, name: str, state: Column) -> bytes:
    """Return dots as one layer, feature id = incident, with what the snapshot says of each."""
    snapshot, rows = picture.facts.snapshot, dots.rows
    columns = {
        "state": state,
        "stage": make_column(snapshot.stage[rows]),
        "kind": make_column(snapshot.kind[rows]),
        "category": make_column(snapshot.category[rows]),
        "at": make_column(snapshot.reported_at[rows]),
        "n": make_column([many if many > 1 else None for many in dots.stands_for.tolist()]),
    }
    points = make_points(dots.x, dots.y)
    return encode_layer(name, points, columns=columns, ids=snapshot.incident[rows])


def encode_about(*, shown: int, of: int) -> bytes:
    """Return the layer `about`: one point that says how many dots stand for how many incidents."""
    middle = np.array([EXTENT // 2], np.int32)
    columns = {"shown": make_column([shown]), "of": make_column([of])}
    return encode_layer("about", make_points(middle, middle), columns=columns)


def _to_units(column: NDArray[np.uint32], tile: int, z: int) -> NDArray[np.int32]:
    """Return the place inside a tile in units, 0..4095."""
    inside = column.astype(np.int64) - (tile << (_WORLD_BITS - z))
    finer = _WORLD_BITS - z - _EXTENT_BITS
    return (inside >> finer if finer >= 0 else inside << -finer).astype(np.int32)


@njit(cache=True, nogil=True)
def _thin(x, y, rank, cells):  # type: ignore[no-untyped-def]
    """Return the places of the kept dots, ascending, and how many each stands for."""
    best = np.full(cells * cells, -1, np.int32)
    count = np.zeros(cells * cells, np.int32)
    step = EXTENT // cells
    for i in range(len(x)):
        cell = (y[i] // step) * cells + x[i] // step
        count[cell] += 1
        if best[cell] < 0 or rank[i] > rank[best[cell]]:
            best[cell] = i
    kept = np.empty(len(x), np.int64)
    many = np.empty(len(x), np.int64)
    n = 0
    for i in range(len(x)):
        cell = (y[i] // step) * cells + x[i] // step
        if best[cell] == i:
            kept[n] = i
            many[n] = count[cell]
            n += 1
    return kept[:n], many[:n]
