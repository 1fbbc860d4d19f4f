"""Pyramid: a large city's points counted in cells once, for heat tiles that read no point again.

Points stand in Morton order, so the points of a cell are a run of rows, and the cells of one zoom
are runs of those of the next. Where each cell of the deepest zoom begins is found once a snapshot;
a filter costs one pass over its mask, and every tile of every zoom only looks its cells up.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from geodata.compiled import compile_kernel
from geodata.snapshots.later import make_once
from geodata.snapshots.packed_rows import PackedRows
from geodata.snapshots.row_mask import RowTest, count_runs
from geodata.snapshots.snapshot import Filter, Snapshot
from layers.density import Counts
from layers.facts import Facts
from layers.layer import Picture, Tile
from layers.raster_tile import CELLS, slice_around

LARGE = 1_000_000  # points from which counted cells pay
VERY_LARGE = 20_000_000  # from which it pays to pack what filters ask for
_LEAST_A_CELL = 4  # points on average, below which cells are hardly fewer than points
_WORLD_BITS = 32
_CELL_BITS = 8  # of a tile: 2 ** 8 cells a side
_THREADS = 2


@dataclass(frozen=True, slots=True, kw_only=True)
class _Level:
    """The cells of one zoom: their corners' codes, their places, and their parts one zoom below."""

    morton: NDArray[np.uint64]
    x: NDArray[np.int32]
    y: NDArray[np.int32]
    begins: NDArray[np.int64]  # of the cells of the zoom below; empty at the deepest zoom

    @classmethod
    def of(cls, morton: NDArray[np.uint64], zoom: int) -> _Level:
        shift = np.uint64(_WORLD_BITS - zoom - _CELL_BITS)
        x, y = (_part_bits(morton >> np.uint64(axis)) >> shift for axis in (0, 1))
        return cls(
            morton=morton,
            x=x.astype(np.int32),
            y=y.astype(np.int32),
            begins=np.empty(0, np.int64),
        )

    def raise_level(self, zoom: int) -> _Level:
        """Return the cells of the zoom above, each of up to four of these."""
        bits = np.uint64(2 * (_WORLD_BITS - zoom - _CELL_BITS))
        corner = (self.morton >> bits) << bits
        begins = np.flatnonzero(np.append(True, corner[1:] != corner[:-1]))
        x, y = self.x[begins] >> 1, self.y[begins] >> 1
        return _Level(morton=corner[begins], x=x, y=y, begins=begins)


@dataclass(frozen=True, slots=True, kw_only=True)
class CellRuns:
    """
    The cells that hold points, by zoom, and where each of the deepest begins among the points.

    Points stand in Morton order; the last of `starts` is their end.
    """

    zoom: int  # the deepest, of the tiles that have these cells
    n: int  # points, those without a place among them
    starts: NDArray[np.int64]
    levels: dict[int, _Level]

    def count(self, tests: Sequence[RowTest] = ()) -> Pyramid:
        """Return the points of each cell of each zoom, of those that pass every test."""
        counts = {self.zoom: count_runs(self.starts, tests, threads=_THREADS)}
        for zoom in range(self.zoom - 1, -1, -1):
            counts[zoom] = np.add.reduceat(
                counts[zoom + 1], self.levels[zoom].begins, dtype=np.uint32
            )
        through = int(counts[0].sum(dtype=np.int64))
        placed = int(self.starts[-1])
        if placed < self.n:
            nowhere = np.array([placed, self.n])
            through += int(count_runs(nowhere, tests, threads=_THREADS)[0])
        return Pyramid(share=through / self.n, levels=self.levels, counts=counts)


@dataclass(frozen=True, slots=True, kw_only=True)
class Pyramid:
    """Counted cells of every zoom; `share` of all incidents is let through by the filter."""

    share: float
    levels: dict[int, _Level]
    counts: dict[int, NDArray[np.uint32]]

    @property
    def nbytes(self) -> int:
        """Return the memory of the counts; the cells are those of every filter."""
        return sum(counts.nbytes for counts in self.counts.values())

    def count_cells(self, tile: Tile, *, pad: int) -> Counts:
        """Return a tile's 256 x 256 cells and `pad` around, as `raster_tile.count_cells` does."""
        level, side = self.levels[tile.z], CELLS + 2 * pad
        counts = np.zeros((side, side), np.uint32)
        parts = slice_around(level.morton, tile, pad)
        corner = tile.x * CELLS - pad, tile.y * CELLS - pad
        _look_up(level.x, level.y, self.counts[tile.z], *parts, *corner, counts)
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
    levels = {zoom: _Level.of((morton[starts[:-1]] >> bits) << bits, zoom)}
    for higher in range(zoom - 1, -1, -1):
        levels[higher] = levels[higher + 1].raise_level(higher)
    return CellRuns(zoom=zoom, n=points.n, starts=starts, levels=levels)


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
    runs = make_once(facts.kept, place, lambda: find_runs(facts.snapshot, zoom=zoom))
    if runs is None:
        return None
    chosen, now = picture.filter or Filter(), picture.now
    minute = now // 60 if chosen.state == "overdue" else 0

    def count() -> Pyramid:
        states, packed = (lambda: facts.states(now)), _find_packed(facts)
        return runs.count(chosen.list_tests(facts.snapshot, states=states, packed=packed))

    found: Pyramid = facts.keep(("heat pyramid", chosen, minute), count)
    return found


def _find_packed(facts: Facts) -> PackedRows | None:
    """Return the packed rows of a city so large that packing them once a revision pays."""
    snapshot = facts.snapshot
    if snapshot.n < VERY_LARGE:
        return None
    place = "packed rows", snapshot.revision
    return make_once(
        facts.kept,
        place,
        lambda: PackedRows.of(snapshot.reported_at, snapshot.category, threads=_THREADS),
    )


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
    for frozen in (False, True):  # a snapshot's columns are read-only
        morton = np.arange(2, dtype=np.uint64)
        morton.flags.writeable = not frozen
        _count_cells(morton, np.uint64(0))
        _find_starts(morton, np.uint64(0), np.empty(3, np.int64))
    x, ends = np.zeros(1, np.int32), np.zeros(1, np.int64)
    _look_up(x, x, np.zeros(1, np.uint32), ends, ends, 0, 0, np.zeros((1, 1), np.uint32))
