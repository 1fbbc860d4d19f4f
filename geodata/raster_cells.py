"""Raster cells: which polygons cover a cell, and which edges pass it, on two levels (numba).

A fine cell's code is one of
    -1          nobody's
    >= 0        a set of polygons that cover the whole cell (no edge passes): below the number of
                polygons the set is that one polygon, from there on a row of the table of sets
    <= -2       -2 - 2k: one straight line parts the cell (`lines[k]`: its edge, who covers its left
                and its right); -2 - (2k + 1): the cell's record begins at word k
A coarse cell holds such a code for all its fine cells, or -2 - b for block b of SIDE x SIDE codes.

A record is [set that covers the whole cell, number of polygons, then for each polygon whose edges
pass the cell, ascending: polygon * 2 + parity, number of edges, edge * 2 + mark ...]. A point of
the cell is inside the polygon when the parity is odd after a flip for every listed edge that its
rightward ray crosses and for every marked edge whose right end lies higher than the point. Marked
are edges whose right end lies right of the cell in the cell's own row: there the boundary goes on
with edges that are not listed, and whether the ray crosses an odd or even number of those depends
on nothing but the heights at which they leave the row (constant: in the parity) and meet
the listed ones (the marks). So the answer is the whole polygon's, and the raster's own rounding
cannot change it.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from geodata.compiled import compile_kernel
from geodata.raster_rows import SHIFT, SIDE, Floats, Frame, Ints, Rows

SLOTS = SIDE * SIDE
NO_LINE = -2
_END_MARGINS = 4  # an end this many margins away still counts as in the cell


class Cells(NamedTuple):
    """
    Blocks by coarse cell (-1 none); edges by fine cell (slot) of the blocks, polygons ascending.

    Slot s has the entries `start[s]` .. `start[s + 1]` of `polygon` (* 2 + its share of the parity)
    and `edge` (* 2 + mark), filled up to `filled[s]`. The last coarse cell is all places outside.
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
    Fill `cells`: edges with parity where edges pass, elsewhere the set of covering polygons.

    Return the table of sets (2, n): a set without its last member (-1 empty), that member.
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
    return table[:2, : used[0]].copy()


@compile_kernel
def _has_end(edges: Floats, e: int, r: int, c: int, frame: Frame) -> bool:
    """Tell whether an end of edge `e` lies in cell (r, c) or so near that it may matter."""
    wider = _END_MARGINS * frame.margin
    for k in range(2):
        u = (edges[e, 2 * k] - frame.x0) * frame.per_x - c
        v = (edges[e, 2 * k + 1] - frame.y0) * frame.per_y - r
        if -wider <= u <= 1 + wider and -wider <= v <= 1 + wider:
            return True
    return False


@compile_kernel
def _covers_left(edges: Floats, word: int, parity: int, r: int, c: int, frame: Frame) -> bool:
    """
    Tell whether the polygon lies left of its edge, the only one of its edges in cell (r, c).

    Tried at the corner farthest from the edge, where rounding cannot turn the sign.
    """
    e = word >> 1
    x1, y1, x2, y2 = edges[e, 0], edges[e, 1], edges[e, 2], edges[e, 3]
    side, y = 0.0, 0.0
    for k in range(4):
        cx = frame.x0 + (c + (k & 1)) / frame.per_x
        cy = frame.y0 + (r + (k >> 1)) / frame.per_y
        turn = (x1 - cx) * (y2 - cy) - (y1 - cy) * (x2 - cx)
        if abs(turn) > abs(side):
            side, y = turn, cy
    over1, over2 = y1 > y, y2 > y
    inside: int = parity ^ ((word & 1) & over2)
    if over1 != over2 and (side > 0) == (y2 > y1):
        inside ^= 1
    return (inside == 1) == (side > 0)


@compile_kernel
def _line_sides(
    edges: Floats, cells: Cells, slot: int, r: int, c: int, frame: Frame
) -> tuple[int, int]:
    """Return who covers left and right of the one line that parts a cell, or NO_LINE twice."""
    s, t = cells.start[slot], cells.start[slot + 1]
    e = cells.edge[s] >> 1
    if t - s > 2 or cells.codes[slot] != -1 or _has_end(edges, e, r, c, frame):
        return NO_LINE, NO_LINE
    left, right = -1, -1
    for i in range(s, t):
        p = cells.polygon[i] >> 1
        if cells.edge[i] >> 1 != e or (i > s and cells.polygon[s] >> 1 == p):
            return NO_LINE, NO_LINE
        on_left = _covers_left(edges, cells.edge[i], cells.polygon[i] & 1, r, c, frame)
        if (left if on_left else right) >= 0:
            return NO_LINE, NO_LINE
        if on_left:
            left = p
        else:
            right = p
    return left, right


@compile_kernel
def _write_record(cells: Cells, slot: int, words: Ints, at: int) -> int:
    """Write the record of a cell at `words[at]`; return where the next one goes."""
    i, t = cells.start[slot], cells.start[slot + 1]
    words[at], words[at + 1] = cells.codes[slot], 0
    head = at + 1
    at += 2
    while i < t:
        p, parity, group = cells.polygon[i] >> 1, 0, at
        at += 2
        while i < t and cells.polygon[i] >> 1 == p:
            parity ^= cells.polygon[i] & 1
            words[at] = cells.edge[i]
            at += 1
            i += 1
        words[group], words[group + 1] = 2 * p + parity, at - group - 2
        words[head] += 1
    return at


@compile_kernel
def _keep_line(
    edges: Floats, e: int, left: int, right: int, lines: Floats, chain: Ints, used: Ints
) -> int:
    """Return the number of the line (edge, left, right), new or known; -1 when there is no room."""
    k: int = chain[0, e]
    while k >= 0 and (lines[k, 4] != left or lines[k, 5] != right):
        k = chain[1, k]
    if k < 0 and used[0] < len(lines):
        k = used[0]
        used[0] = k + 1
        lines[k, :4] = edges[e]
        lines[k, 4], lines[k, 5] = left, right
        chain[1, k] = chain[0, e]
        chain[0, e] = k
    return k


@compile_kernel
def pack_cells(edges: Floats, cells: Cells, frame: Frame) -> tuple[Floats, Ints]:
    """Turn the cells that edges pass into codes; return the lines (n, 8) and all records."""
    wide = frame.nx >> SHIFT
    lines = np.zeros((2 * len(edges) + 1, 8))
    chain = np.full(
        (2, len(lines)), -1, np.int32
    )  # per edge its last line; per line the one before
    used = np.zeros(1, np.int32)
    touched = 0
    for slot in range(len(cells.codes)):
        touched += cells.start[slot + 1] > cells.start[slot]
    words = np.empty(2 * touched + 3 * len(cells.edge) + SIDE, np.int32)
    end = 0
    for at in range(len(cells.block)):
        if cells.block[at] < 0:
            continue
        cells.coarse[at] = -2 - cells.block[at]
        for k in range(SLOTS):
            slot = int(cells.block[at]) * SLOTS + k
            if cells.start[slot + 1] == cells.start[slot]:
                continue
            r = (at // wide << SHIFT) + (k >> SHIFT)
            c = (at % wide << SHIFT) + (k & (SIDE - 1))
            left, right = _line_sides(edges, cells, slot, r, c, frame)
            line = -1
            if left != NO_LINE:
                e = cells.edge[cells.start[slot]] >> 1
                line = _keep_line(edges, e, left, right, lines, chain, used)
            if line >= 0:
                cells.codes[slot] = -2 - 2 * line
            else:
                following = _write_record(cells, slot, words, end)
                cells.codes[slot] = -2 - (2 * end + 1)
                end = following
    words[end : end + SIDE] = 0  # readers may touch a word past the last record
    return lines[: used[0]].copy(), words[: end + SIDE].copy()
