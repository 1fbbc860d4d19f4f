"""Raster rows: the edges of polygons, each once, and where along every raster row they run (numba).

Points, polygons and raster share one plane; its unit does not matter here. What a cell number says
is made safe by a margin: a point of cell c lies, whatever the rounding, between c - margin and
c + 1 + margin, and whether an edge may touch a cell is asked of that wider cell.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from geodata.compiled import compile_kernel

SHIFT = 3
SIDE = 1 << SHIFT  # fine cells along a side of a block
MIN_CELLS, MAX_CELLS = 512, 6144
# Fine cells per length of line, in widths of the raster: at 17 about one cell in thirty is passed
# by a line (each line is met twice). More cells cost memory and time to build, fewer time to find:
# of 1,101 grids 25 find 15 % faster and build 40 % slower.
CELLS_PER_LINE = 17
# Entries of (cell, polygon, edge) allowed: at least so many, else so many times the edges.
MAX_ENTRIES, ENTRIES_PER_EDGE = 4_000_000, 4
# Of a cell's width: far above the rounding of a cell number (1e-11), far below what costs time.
MARGIN = 1e-6
_ULPS_OF_MARGIN = 16  # the margin is also wider than this many roundings of a coordinate
MAX_DIVISIONS = 5  # of a crowded cell in SIDE x SIDE parts; numbers of cells stay exact
_LOOSE_MARGIN = 0.1

Floats = NDArray[np.float64]
Ints = NDArray[np.int32]


class Frame(NamedTuple):
    """Where the raster lies: lower left corner, fine cells per unit, their number, the margin."""

    x0: float
    y0: float
    per_x: float
    per_y: float
    nx: int
    ny: int
    margin: float


class Rows(NamedTuple):
    """
    The edges of every polygon by raster row, with the first and last column they may touch.

    Polygon p has the rows `first[p]`, ... numbered `base[p]` .. `base[p + 1]`; row number j has the
    entries `start[j]` .. `start[j + 1]` of `edge`, `low`, `high`.
    """

    base: NDArray[np.int64]
    first: Ints
    start: NDArray[np.int64]
    edge: Ints
    low: Ints
    high: Ints


def choose_frame(edges: Floats, steps: Ints, *, cells: int | None = None) -> Frame:
    """
    Return the raster over all edges: about one cell in thirty is passed by a line, within bounds.

    `steps` names the edge of every step along a ring; `cells` sets the number of fine cells along
    a side instead. Memory stays in proportion to the number of edges. The edges must enclose
    some area.
    """
    x0, y0 = edges[:, 0].min(), edges[:, 1::2].min()
    x1, y1 = edges[:, 2].max(), edges[:, 1::2].max()
    wide, tall = float(x1 - x0), float(y1 - y0)
    run_x = np.abs(edges[steps, 2] - edges[steps, 0]).sum() / wide
    run_y = np.abs(edges[steps, 3] - edges[steps, 1]).sum() / tall
    lines = float(run_x + run_y)
    if cells is None:
        most = (max(MAX_ENTRIES, ENTRIES_PER_EDGE * len(steps)) - len(steps)) / lines
        cells = int(min(max(MIN_CELLS, CELLS_PER_LINE * lines), MAX_CELLS, most))
    # Grids so small, so far from the origin, that doubles are coarse, get larger cells.
    rounding = _ULPS_OF_MARGIN * _roundings(edges) / min(wide, tall)
    cells = max(SIDE, min(cells, int(MARGIN / rounding)) // SIDE * SIDE)
    margin = max(MARGIN, float(cells * rounding))
    if margin > _LOOSE_MARGIN:
        margin = float(cells)  # every edge counts in every cell: slow, and right
    return Frame(float(x0), float(y0), cells / wide, cells / tall, cells, cells, margin)


def count_divisions(edges: Floats, frame: Frame) -> int:
    """Return how many times a cell may be divided so that its margin still hides all rounding."""
    rounding = _ULPS_OF_MARGIN * _roundings(edges) * max(frame.per_x, frame.per_y)
    divisions = 0
    while divisions < MAX_DIVISIONS and rounding * SIDE ** (divisions + 1) <= MARGIN:
        divisions += 1
    return divisions


def _roundings(edges: Floats) -> float:
    """Return the greatest step between neighbouring doubles among the coordinates."""
    return float(np.spacing(np.abs(edges).max()))


@compile_kernel
def collect_edges(
    coords: Floats, ring: NDArray[np.int64], owner: NDArray[np.int64]
) -> tuple[Floats, Ints, Ints]:
    """
    Return the distinct edges (n, 4), and per step along a ring its edge and its polygon.

    `coords` (m, 2) with the ring of each vertex, `owner` the polygon of each ring. Edges run from
    the smaller end to the larger (by x, then y), so that one shared by two polygons is stored once
    and tests of it give both the very same answer. Steps of no length are left out.
    """
    size = 16
    while size < 2 * len(coords):
        size *= 2
    table = np.full(size, -1, np.int32)
    edges = np.empty((len(coords), 4))
    bits = edges.view(np.int64)
    steps = np.empty(len(coords), np.int32)
    polygons = np.empty(len(coords), np.int32)
    found, n = 0, 0
    for i in range(len(coords) - 1):
        ax, ay = coords[i, 0] + 0.0, coords[i, 1] + 0.0  # -0.0 becomes 0.0
        bx, by = coords[i + 1, 0] + 0.0, coords[i + 1, 1] + 0.0
        if ring[i] != ring[i + 1] or (ax == bx and ay == by):
            continue
        if ax > bx or (ax == bx and ay > by):
            ax, ay, bx, by = bx, by, ax, ay
        edges[found, 0], edges[found, 1], edges[found, 2], edges[found, 3] = ax, ay, bx, by
        key = np.uint64(0)
        for j in range(4):
            key = (key ^ np.uint64(bits[found, j])) * np.uint64(0x9E3779B97F4A7C15)
            key ^= key >> np.uint64(29)
        at = np.int64(key & np.uint64(size - 1))
        while table[at] >= 0 and not (bits[table[at]] == bits[found]).all():
            at = (at + 1) & (size - 1)
        if table[at] < 0:
            table[at] = found
            found += 1
        steps[n] = table[at]
        polygons[n] = owner[ring[i]]
        n += 1
    return edges[:found].copy(), steps[:n].copy(), polygons[:n].copy()


@compile_kernel
def _low(v: float, v0: float, per: float, margin: float) -> int:
    """Return the first cell along one axis that a coordinate may belong to."""
    return int(max(0.0, (v - v0) * per - margin))


@compile_kernel
def _high(v: float, v0: float, per: float, margin: float, n: int) -> int:
    """Return the last cell along one axis that a coordinate may belong to."""
    return min(n - 1, int((v - v0) * per + margin))


@compile_kernel
def place_ends(edges: Floats, frame: Frame) -> Ints:
    """
    Return the rows and columns in which the ends of each edge may lie, (n, 5).

    In order: first and last row of the left end, first and last row and first column of the right.
    """
    _, y0, _, per_y, _, ny, margin = frame
    places = np.empty((len(edges), 5), np.int32)
    for e in range(len(edges)):
        for k in range(2):
            y = edges[e, 2 * k + 1]
            places[e, 2 * k] = _low(y, y0, per_y, margin)
            places[e, 2 * k + 1] = _high(y, y0, per_y, margin, ny)
        places[e, 4] = _low(edges[e, 2], frame.x0, frame.per_x, margin)
    return places


@compile_kernel
def _columns(edges: Floats, e: int, r: int, frame: Frame) -> tuple[int, int]:
    """
    Return the first and last fine column that edge `e` may touch in row `r`.

    The edge is cut at twice the margin, so that an end which may lie in the row is never cut off.
    """
    x0, y0, per_x, per_y, nx, _, margin = frame
    x1, y1, x2, y2 = edges[e, 0], edges[e, 1], edges[e, 2], edges[e, 3]
    if y1 > y2:
        x1, y1, x2, y2 = x2, y2, x1, y1
    below = y0 + (r - 2 * margin) / per_y
    above = y0 + (r + 1 + 2 * margin) / per_y
    xa, xb = x1, x2
    if y1 < below:
        xa = x1 + (below - y1) / (y2 - y1) * (x2 - x1)
    if y2 > above:
        xb = x1 + (above - y1) / (y2 - y1) * (x2 - x1)
    if xa > xb:
        xa, xb = xb, xa
    return min(nx - 1, _low(xa, x0, per_x, margin)), _high(xb, x0, per_x, margin, nx)


@compile_kernel
def sort_rows(
    edges: Floats, ends: Ints, steps: Ints, polygon: Ints, polygons: int, frame: Frame
) -> Rows:
    """Return the edges of every polygon by row; `polygon` is that of each step."""
    first = np.full(polygons, frame.ny, np.int32)
    last = np.full(polygons, -1, np.int32)
    for i in range(len(steps)):
        e, p = steps[i], polygon[i]
        first[p] = min(first[p], ends[e, 0], ends[e, 2])
        last[p] = max(last[p], ends[e, 1], ends[e, 3])
    base = np.zeros(polygons + 1, np.int64)
    for p in range(polygons):
        base[p + 1] = base[p] + max(0, last[p] - first[p] + 1)
    start = np.zeros(base[-1] + 1, np.int64)
    for i in range(len(steps)):
        e, p = steps[i], polygon[i]
        for r in range(min(ends[e, 0], ends[e, 2]), max(ends[e, 1], ends[e, 3]) + 1):
            start[base[p] + r - first[p] + 1] += 1
    start = np.cumsum(start)
    at = start[:-1].copy()
    edge = np.empty(start[-1], np.int32)
    low = np.empty(start[-1], np.int32)
    high = np.empty(start[-1], np.int32)
    for i in range(len(steps)):
        e, p = steps[i], polygon[i]
        for r in range(min(ends[e, 0], ends[e, 2]), max(ends[e, 1], ends[e, 3]) + 1):
            j = base[p] + r - first[p]
            edge[at[j]] = e
            low[at[j]], high[at[j]] = _columns(edges, e, r, frame)
            at[j] += 1
    return Rows(base, first, start, edge, low, high)
