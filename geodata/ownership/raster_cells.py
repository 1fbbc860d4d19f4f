"""Raster cells: which polygons cover a fine cell of the raster, and which edges pass it (numba)."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from geodata.compiled import compile_kernel
from geodata.ownership.raster_rows import SHIFT, SIDE, Floats, Frame, Ints, Rows

SLOTS = SIDE * SIDE


class Cells(NamedTuple):
    """
    Blocks by coarse cell (-1 none); edges by fine cell (slot) of the blocks, polygons ascending.

    Slot s has the entries `start[s]` .. `start[s + 1]`, filled up to `filled[s]`: `edge` * 2 +
    mark, and `polygon` * 2 + its share of the parity (see raster_pack). `codes` of slots and of
    `coarse` cells are sets of polygons that cover the whole cell, -1 for nobody; the last
    coarse cell is all places outside.
    """

    block: Ints
    start: Ints
    filled: Ints
    polygon: Ints
    edge: Ints
    codes: Ints
    coarse: Ints


@compile_kernel
def _slot(block: Ints, r: int, c: int, wide: int) -> int:
    """Return where fine cell (r, c), which lies in a block, has its code."""
    b = int(block[(r >> SHIFT) * wide + (c >> SHIFT)])
    return b * SLOTS + ((r & (SIDE - 1)) << SHIFT) + (c & (SIDE - 1))


@compile_kernel
def open_cells(rows: Rows, frame: Frame) -> Cells:
    """Return the blocks wherever an edge passes, with room for the edges of each fine cell."""
    wide = frame.nx >> SHIFT
    block = np.full(wide * (frame.ny >> SHIFT), -1, np.int32)
    blocks = 0
    for p in range(len(rows.first)):
        for j in range(rows.base[p], rows.base[p + 1]):
            at = ((rows.first[p] + j - rows.base[p]) >> SHIFT) * wide
            for i in range(rows.start[j], rows.start[j + 1]):
                for k in range(rows.low[i] >> SHIFT, (rows.high[i] >> SHIFT) + 1):
                    if block[at + k] < 0:
                        block[at + k] = blocks
                        blocks += 1
    start = np.zeros(np.int64(blocks) * SLOTS + 1, np.int32)
    for p in range(len(rows.first)):
        for j in range(rows.base[p], rows.base[p + 1]):
            r = rows.first[p] + j - rows.base[p]
            for i in range(rows.start[j], rows.start[j + 1]):
                for c in range(rows.low[i], rows.high[i] + 1):
                    start[_slot(block, r, c, wide) + 1] += 1
    for s in range(len(start) - 1):
        start[s + 1] += start[s]
    codes = np.full(np.int64(blocks) * SLOTS, -1, np.int32)
    coarse = np.full(len(block) + 1, -1, np.int32)
    polygon = np.empty(start[-1], np.int32)
    edge = np.empty(start[-1], np.int32)
    return Cells(block, start, start[:-1].copy(), polygon, edge, codes, coarse)


@compile_kernel
def _cross_at(edges: Floats, e: int, y: float) -> float:
    """Return where edge `e` meets height `y` (x); only for edges with ends on both sides."""
    x1, y1, x2, y2 = edges[e, 0], edges[e, 1], edges[e, 2], edges[e, 3]
    x: float = x1 + (y - y1) / (y2 - y1) * (x2 - x1)
    return x


@compile_kernel
def _sort_crossings(edges: Floats, rows: Rows, j: int, y: float, crossings: Floats) -> int:
    """Put where the edges of row number `j` meet height `y` into `crossings`; return how many."""
    n = 0
    for i in range(rows.start[j], rows.start[j + 1]):
        e = rows.edge[i]
        if (edges[e, 1] > y) != (edges[e, 3] > y):
            x = _cross_at(edges, e, y)
            k = n
            while k > 0 and n < SIDE and crossings[k - 1] > x:  # few: sorted as they come
                crossings[k] = crossings[k - 1]
                k -= 1
            crossings[k] = x
            n += 1
    if n > SIDE:
        crossings[:n].sort()
    return n


@compile_kernel
def _count_right(crossings: Floats, n: int, x: float) -> int:
    """Return how many of the first `n` sorted crossings lie right of `x`."""
    low, high = 0, n
    while low < high:
        mid = (low + high) >> 1
        if crossings[mid] > x:
            high = mid
        else:
            low = mid + 1
    return n - low


@compile_kernel
def _enter_edge(
    edges: Floats, ends: Ints, row: tuple[int, int, float], e: int, span: tuple[int, int],
    cells: Cells, frame: Frame, crossings: Floats, n: int,
) -> None:  # fmt: skip
    """Note one edge in the cells low..high of a row; `row` is polygon, row and middle height."""
    p, r, y = row
    over1, over2 = edges[e, 1] > y, edges[e, 3] > y
    x = _cross_at(edges, e, y) if over1 != over2 else -np.inf
    in_row = ends[e, 2] <= r <= ends[e, 3]
    for c in range(span[0], span[1] + 1):
        slot = _slot(cells.block, r, c, frame.nx >> SHIFT)
        at = cells.filled[slot]
        centre = frame.x0 + (c + 0.5) / frame.per_x
        mark = in_row and ends[e, 4] > c
        # What the listed edges themselves give at the cell's centre is taken out of the parity.
        parity = (x > centre) ^ (mark & over2)
        if at == cells.start[slot] or cells.polygon[at - 1] >> 1 != p:
            parity ^= _count_right(crossings, n, centre) & 1
        cells.polygon[at] = 2 * p + parity
        cells.edge[at] = 2 * e + mark
        cells.filled[slot] = at + 1


@compile_kernel
def _join(old: int, p: int, table: Ints, used: Ints) -> int:
    """Return the set `old` with polygon `p` added; `p` is above all its members."""
    if old == -1:
        return p
    node: int = table[2, old]
    if node < 0 or table[1, node] != p:
        node = used[0]
        used[0] = node + 1
        table[0, node], table[1, node], table[2, node] = old, p, -1
        table[2, old] = node
    return node


@compile_kernel
def _fill_span(
    cells: Cells, wide: int, table: Ints, used: Ints, p: int, r: int, low: int, high: int
) -> None:
    """Add polygon `p` to the cells low..high of row `r` that none of its edges passes."""
    half = SIDE >> 1
    for k in range(low >> SHIFT, (high >> SHIFT) + 1):
        at = (r >> SHIFT) * wide + k
        if cells.block[at] >= 0:
            for c in range(max(low, k << SHIFT), min(high, (k << SHIFT) + SIDE - 1) + 1):
                slot = _slot(cells.block, r, c, wide)
                last = cells.filled[slot] - 1
                if last < cells.start[slot] or cells.polygon[last] >> 1 != p:
                    cells.codes[slot] = _join(cells.codes[slot], p, table, used)
        elif (r & (SIDE - 1)) == half and low <= (k << SHIFT) + half <= high:
            cells.coarse[at] = _join(cells.coarse[at], p, table, used)


@compile_kernel
def fill_cells(edges: Floats, ends: Ints, rows: Rows, cells: Cells, frame: Frame) -> Ints:
    """
    Fill `cells`: edges with parity where edges pass, and the sets of covering polygons.

    A set below the number of polygons is that polygon. Return the table of sets (3, n): a set
    without its last member (-1 empty), that member, the set last made from it.
    """
    polygons = len(rows.first)
    table = np.full((3, 2 * polygons + 2), -1, np.int32)
    table[1, :polygons] = np.arange(polygons)
    used = np.array([polygons], np.int32)
    most = 0
    for j in range(len(rows.start) - 1):
        most = max(most, rows.start[j + 1] - rows.start[j])
    crossings = np.empty(most + 1)
    for p in range(polygons):
        if 2 * used[0] > table.shape[1]:  # one polygon at most doubles the number of sets
            larger = np.full((3, 4 * used[0]), -1, np.int32)
            larger[:, : table.shape[1]] = table
            table = larger
        for j in range(rows.base[p], rows.base[p + 1]):
            r = rows.first[p] + j - rows.base[p]
            y = frame.y0 + (r + 0.5) / frame.per_y
            n = _sort_crossings(edges, rows, j, y, crossings)
            for i in range(rows.start[j], rows.start[j + 1]):
                span = rows.low[i], rows.high[i]
                row = p, r, y
                _enter_edge(edges, ends, row, rows.edge[i], span, cells, frame, crossings, n)
            for k in range(0, n - 1, 2):
                low = np.ceil((crossings[k] - frame.x0) * frame.per_x - 0.5)
                high = np.ceil((crossings[k + 1] - frame.x0) * frame.per_x - 0.5) - 1
                if high >= low:
                    wide = frame.nx >> SHIFT
                    _fill_span(cells, wide, table, used, p, r, int(low), int(high))
    return table[:, : used[0]].copy()
