"""Pyramid: a large city's points counted in cells once, for heat tiles that read no point again.

Points stand in Morton order, so the points of a cell are a run of rows, and the cells of one zoom
are runs of those of the next. Where each cell of the deepest zoom begins is found once a snapshot;
a filter costs one pass over its mask, and every tile of every zoom only looks its cells up.
"""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from geodata.compiled import compile_kernel
from geodata.snapshots.snapshot import Filter, Snapshot
from layers.density import Counts
from layers.layer import Picture, Tile
from layers.raster_tile import CELLS, slice_around

LARGE = 1_000_000  # points from which counted cells pay
_LEAST_A_CELL = 4  # points on average, below which cells are hardly fewer than points
_WORLD_BITS = 32
_CELL_BITS = 8  # of a tile: 2 ** 8 cells a side
_THREADS = 2


@dataclass(frozen=True, slots=True, kw_only=True)
class CellRuns:
    """Where each cell of the deepest zoom begins among the points, in Morton order, and an end."""

    zoom: int  # of the tiles that have these cells
    n: int  # points, those without a place among them
    starts: NDArray[np.int64]
    morton: NDArray[np.uint64]  # of each cell's corner

    def count(self, mask: NDArray[np.bool_] | None = None) -> Pyramid:
        """Return the points of each cell of each zoom, of those that a mask lets through."""
        counts = np.diff(self.starts)
        if mask is not None:
            cuts = np.linspace(0, len(counts), _THREADS + 1).astype(np.int64)
            with ThreadPoolExecutor(_THREADS) as pool:
                parts = [slice(cuts[k], cuts[k + 1]) for k in range(_THREADS)]
                list(pool.map(lambda part: self._count(mask, counts, part), parts))
        levels = {self.zoom: _Level.of(self.morton, counts, self.zoom)}
        for zoom in range(self.zoom - 1, -1, -1):
            levels[zoom] = levels[zoom + 1].raise_level(zoom)
        through = self.n if mask is None else np.count_nonzero(mask)
        return Pyramid(share=through / self.n, levels=levels)

    def _count(self, mask: NDArray[np.bool_], counts: NDArray[np.int64], part: slice) -> None:
        _count_runs(mask, self.starts[part.start : part.stop + 1], counts[part])


@dataclass(frozen=True, slots=True, kw_only=True)
class _Level:
    """The cells of one zoom that hold points: their corners' codes, places and points."""

    morton: NDArray[np.uint64]
    x: NDArray[np.int64]
    y: NDArray[np.int64]
    n: NDArray[np.int64]

    @classmethod
    def of(cls, morton: NDArray[np.uint64], n: NDArray[np.int64], zoom: int) -> _Level:
        some = n > 0
        morton, n = morton[some], n[some]
        shift = np.uint64(_WORLD_BITS - zoom - _CELL_BITS)
        x, y = (_part_bits(morton >> np.uint64(axis)) >> shift for axis in (0, 1))
        return cls(morton=morton, x=x.astype(np.int64), y=y.astype(np.int64), n=n)

    def raise_level(self, zoom: int) -> _Level:
        """Return the cells of the zoom above, each of up to four of these."""
        bits = np.uint64(2 * (_WORLD_BITS - zoom - _CELL_BITS))
        corner = (self.morton >> bits) << bits
        begins = np.flatnonzero(np.append(True, corner[1:] != corner[:-1])[: len(corner)])
        n = np.add.reduceat(self.n, begins) if len(begins) else self.n
        return _Level(morton=corner[begins], x=self.x[begins] >> 1, y=self.y[begins] >> 1, n=n)


@dataclass(frozen=True, slots=True, kw_only=True)
class Pyramid:
    """Counted cells of every zoom; `share` of all incidents is let through by the filter."""

    share: float
    levels: dict[int, _Level]

    def count_cells(self, tile: Tile, *, pad: int) -> Counts:
        """Return a tile's 256 x 256 cells and `pad` around, as `raster_tile.count_cells` does."""
        level, side = self.levels[tile.z], CELLS + 2 * pad
        counts = np.zeros((side, side), np.uint32)
        parts = slice_around(level.morton, tile, pad)
        corner = tile.x * CELLS - pad, tile.y * CELLS - pad
        _look_up(level.x, level.y, level.n, *parts, *corner, counts)
        return counts


def find_runs(points: Snapshot, *, zoom: int) -> CellRuns | None:
    """Return the cells of a zoom's tiles; None for few points, or few in each cell."""
    if points.placed < LARGE:
        return None
    morton = points.morton[: points.placed]
    bits = np.uint64(2 * (_WORLD_BITS - zoom - _CELL_BITS))
    cells = _count_cells(morton, bits)
    if cells * _LEAST_A_CELL > len(morton):
        return None
    starts = np.empty(cells + 1, np.int64)
    _find_starts(morton, bits, starts)
    corner = (morton[starts[:-1]] >> bits) << bits
    return CellRuns(zoom=zoom, n=points.n, starts=starts, morton=corner)


def find_pyramid(picture: Picture, *, zoom: int) -> Pyramid | None:
    """
    Return the counted cells under the picture's filter; None where single points are counted.

    Of a large city, seen as a whole: the cells once a revision, their counts once a filter, kept
    like other answers. Whoever sees a part only has few points.
    """
    facts = picture.facts
    if picture.allowed() is not None:
        return None
    place = "heat cells", facts.snapshot.revision
    if place not in facts.kept:
        facts.kept[place] = find_runs(facts.snapshot, zoom=zoom)
    runs: CellRuns | None = facts.kept[place]
    if runs is None:
        return None
    chosen, now = picture.filter or Filter(), picture.now
    minute = now // 60 if chosen.state == "overdue" else 0
    plain = chosen == Filter()
    found: Pyramid = facts.keep(
        ("heat pyramid", chosen, minute),
        lambda: runs.count(None if plain else facts.select(chosen, now)),
    )
    return found


def _part_bits(code: NDArray[np.uint64]) -> NDArray[np.uint64]:
    """Return every second bit of Morton codes, the lowest first: one axis of two."""
    code = code & np.uint64(0x5555555555555555)
    for shift, kept in (
        (1, 0x3333333333333333),
        (2, 0x0F0F0F0F0F0F0F0F),
        (4, 0x00FF00FF00FF00FF),
        (8, 0x0000FFFF0000FFFF),
        (16, 0x00000000FFFFFFFF),
    ):
        code = (code | (code >> np.uint64(shift))) & np.uint64(kept)
    return code


@compile_kernel
def _count_cells(morton: Any, bits: Any) -> int:
    """Return how many different cells there are."""
    cells = 1
    for i in range(1, len(morton)):
        cells += (morton[i] >> bits) != (morton[i - 1] >> bits)
    return cells


@compile_kernel
def _find_starts(morton: Any, bits: Any, starts: Any) -> None:
    """Write where each cell begins, and the end."""
    starts[0], starts[-1] = 0, len(morton)
    cell = 0
    for i in range(1, len(morton)):
        if (morton[i] >> bits) != (morton[i - 1] >> bits):
            cell += 1
            starts[cell] = i


@compile_kernel
def _count_runs(mask: Any, starts: Any, counts: Any) -> None:
    """Write how many rows of each run the mask lets through."""
    for cell in range(len(counts)):
        n = 0
        for i in range(starts[cell], starts[cell + 1]):
            n += mask[i]
        counts[cell] = n


@compile_kernel
def _look_up(
    x: Any, y: Any, n: Any, begins: Any, ends: Any, left: int, top: int, counts: Any
) -> None:
    """Write the points of the cells of some ranges that lie in the picture."""
    high, wide = counts.shape
    for part in range(len(begins)):
        for cell in range(begins[part], ends[part]):
            row, column = y[cell] - top, x[cell] - left
            if 0 <= row < high and 0 <= column < wide:
                counts[row, column] = n[cell]


def warm() -> None:
    """Compile the kernels and keep the machine code on disk, for set-up."""
    mask = np.ones(2, np.bool_)
    starts = np.arange(3, dtype=np.int64)
    for frozen in (False, True):  # a snapshot's columns are read-only
        morton = np.arange(2, dtype=np.uint64)
        morton.flags.writeable = mask.flags.writeable = not frozen
        _count_cells(morton, np.uint64(0))
        _find_starts(morton, np.uint64(0), np.empty(3, np.int64))
        runs = CellRuns(zoom=14, n=2, starts=starts, morton=morton)
        runs.count(mask).count_cells(Tile(z=14, x=0, y=0), pad=0)
