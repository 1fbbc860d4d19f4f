"""Raster pack: cells as codes that say at once, or with few tests, who covers a point (numba).

A code is one of
    -1          nobody's
    >= 0        a set of polygons that cover the whole cell: below the number of polygons that one
                polygon, from there on a row of the table of sets
    <= -2       -2 - 4k: one straight line parts the cell (`lines[k]`: its edge, who covers its left
                and its right); -2 - (4k + 1): the cell's record begins at word k;
                -2 - (4k + 2): the cell is divided again, its SIDE x SIDE codes are block k
A coarse cell holds such a code for all its fine cells, or -2 - b for block b.

A record is [set that covers the whole cell, number of polygons, then for each polygon whose edges
pass the cell, ascending: polygon * 2 + parity, number of edges, edge * 2 + mark ...]. A point of
the cell is inside the polygon when the parity is odd after a flip for every listed edge that its
rightward ray crosses and for every marked edge whose right end lies higher than the point. Marked
are edges whose right end lies right of the cell in the cell's own row: there the boundary goes on
with edges that are not listed, and whether the ray crosses an odd or even number of those depends
on nothing but the heights at which they leave the row (constant: in the parity) and meet the
listed ones (the marks). So the answer is the whole polygon's, and the raster's own rounding cannot
change it. Cells that many edges pass are divided, so a drawing may hold grids of any sizes and
one astray at the other end of the world.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from geodata.compiled import compile_kernel
from geodata.ownership.raster_cells import SLOTS, Cells
from geodata.ownership.raster_rows import SHIFT, SIDE, Floats, Frame, Ints

LINE, RECORD, NEST = range(3)
NO_LINE = -2
CROWD = 12  # a cell that more different edges than this pass is divided
_END_MARGINS = 4  # an end this many margins away still counts as in the cell
# Room for the entries of divided cells: per entry of the undivided ones, and in any case.
_ROOM, _LEAST_ROOM = 2, 2_000_000


class Pool(NamedTuple):
    """
    What grows while cells are packed, with how much of each is `used`, by the numbers below.

    `outer` are the codes of undivided cells, `inner` those of the parts of divided ones.
    `task` (n, 7): crowded cells to divide: slot, row, column, level, set, entries from, to.
    `chain` (2, n): per edge its last line; per line the one before.
    """

    outer: Ints
    inner: Ints
    lines: Floats
    chain: Ints
    words: Ints
    table: Ints
    polygon: Ints
    edge: Ints
    task: NDArray[np.int64]
    used: NDArray[np.int64]


_BLOCKS, _LINES, _WORDS, _SETS, _ENTRIES, _TASKS = range(6)


@compile_kernel
def _open_pool(edges: int, cells: Cells, table: Ints) -> Pool:
    """Return a pool with the codes of `cells` in it; memory that is not used costs nothing."""
    entries = len(cells.edge)
    room = _ROOM * entries + _LEAST_ROOM
    tasks = room // CROWD
    sets = np.empty((3, table.shape[1] + room), np.int32)
    sets[:, : table.shape[1]] = table
    used = np.array([0, 0, 0, table.shape[1], 0, 0])
    return Pool(
        cells.codes,
        np.empty(tasks * SLOTS, np.int32),
        np.zeros((2 * edges + 1, 8)),
        np.full((2, 2 * edges + 1), -1, np.int32),
        np.empty(5 * (entries + room) + SIDE, np.int32),
        sets,
        np.empty(room, np.int32),
        np.empty(room, np.int32),
        np.empty((tasks, 7), np.int64),
        used,
    )


@compile_kernel
def _has_end(edges: Floats, e: int, r: int, c: int, frame: Frame) -> bool:
    """Tell whether an end of edge `e` lies in cell (r, c) or so near that it may matter."""
    wider = _END_MARGINS * frame.margin
    found = False
    for k in range(2):
        u = (edges[e, 2 * k] - frame.x0) * frame.per_x - c
        v = (edges[e, 2 * k + 1] - frame.y0) * frame.per_y - r
        found |= -wider <= u <= 1 + wider and -wider <= v <= 1 + wider
    return found


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
    edges: Floats, polygon: Ints, edge: Ints, r: int, c: int, frame: Frame
) -> tuple[int, int]:
    """Return who covers left and right of the one line that parts a cell, or NO_LINE twice."""
    e = edge[0] >> 1
    if len(edge) > 2 or _has_end(edges, e, r, c, frame):
        return NO_LINE, NO_LINE
    left, right = -1, -1
    for i in range(len(edge)):
        p = polygon[i] >> 1
        if edge[i] >> 1 != e or (i > 0 and polygon[0] >> 1 == p):
            return NO_LINE, NO_LINE
        on_left = _covers_left(edges, edge[i], polygon[i] & 1, r, c, frame)
        if (left if on_left else right) >= 0:
            return NO_LINE, NO_LINE
        left, right = (p, right) if on_left else (left, p)
    return left, right


@compile_kernel
def _keep_line(edges: Floats, e: int, left: int, right: int, pool: Pool) -> int:
    """Return the number of the line (edge, left, right), new or known; -1 when there is no room."""
    lines, chain = pool.lines, pool.chain
    k: int = chain[0, e]
    while k >= 0 and (lines[k, 4] != left or lines[k, 5] != right):
        k = chain[1, k]
    if k < 0 and pool.used[_LINES] < len(lines):
        k = pool.used[_LINES]
        pool.used[_LINES] = k + 1
        lines[k, :4] = edges[e]
        lines[k, 4], lines[k, 5] = left, right
        chain[1, k] = chain[0, e]
        chain[0, e] = k
    return k


@compile_kernel
def _write_record(whole: int, polygon: Ints, edge: Ints, pool: Pool) -> int:
    """Write the record of a cell; return the number of its first word."""
    words, begin = pool.words, pool.used[_WORDS]
    words[begin], words[begin + 1] = whole, 0
    at, i = begin + 2, 0
    while i < len(edge):
        p, parity, group = polygon[i] >> 1, 0, at
        at += 2
        while i < len(edge) and polygon[i] >> 1 == p:
            parity ^= polygon[i] & 1
            words[at] = edge[i]
            at += 1
            i += 1
        words[group], words[group + 1] = 2 * p + parity, at - group - 2
        words[begin + 1] += 1
    pool.used[_WORDS] = at
    return int(begin)


@compile_kernel
def _is_crowded(edge: Ints) -> bool:
    """Tell whether more than CROWD different edges pass a cell."""
    if len(edge) <= CROWD:
        return False
    seen = np.empty(CROWD, np.int32)
    n = 0
    for i in range(len(edge)):
        e, k = edge[i] >> 1, 0
        while k < n and seen[k] != e:
            k += 1
        if k == n:
            if n == CROWD:
                return True
            seen[n] = e
            n += 1
    return False


@compile_kernel
def _code_of(
    edges: Floats, whole: int, polygon: Ints, edge: Ints, r: int, c: int, frame: Frame, pool: Pool
) -> int:
    """Return the code of a cell by the edges that pass it: a line or a record."""
    if whole == -1:
        left, right = _line_sides(edges, polygon, edge, r, c, frame)
        if left != NO_LINE:
            line = _keep_line(edges, edge[0] >> 1, left, right, pool)
            if line >= 0:
                return -2 - (4 * line + LINE)
    return -2 - (4 * _write_record(whole, polygon, edge, pool) + RECORD)


@compile_kernel
def _passes(edges: Floats, e: int, r: int, c: int, frame: Frame) -> tuple[bool, bool]:
    """
    Tell whether edge `e` may touch cell (r, c), and whether to mark it there.

    An end is right of the cell beyond half a margin. An edge that starts there does not touch the
    cell, one that ends there is marked: the two must go by the same numbers.
    """
    m = frame.margin
    u1 = (edges[e, 0] - frame.x0) * frame.per_x - c
    v1 = (edges[e, 1] - frame.y0) * frame.per_y - r
    u2 = (edges[e, 2] - frame.x0) * frame.per_x - c
    v2 = (edges[e, 3] - frame.y0) * frame.per_y - r
    if u1 > 1 + m / 2 or u2 < -m or max(v1, v2) < -m or min(v1, v2) > 1 + m:
        return False, False
    low, high, du, dv = -2 * m, 1 + 2 * m, u2 - u1, v2 - v1
    a = du * (low - v1) - dv * (low - u1)
    b = du * (low - v1) - dv * (high - u1)
    one = du * (high - v1) - dv * (low - u1)
    two = du * (high - v1) - dv * (high - u1)
    if min(a, b, one, two) > 0 or max(a, b, one, two) < 0:
        return False, False
    return True, u2 > 1 + m / 2 and -m <= v2 <= 1 + m


@compile_kernel
def _add_member(old: int, p: int, pool: Pool) -> int:
    """Return the set `old` with polygon `p`, which is not in it, added."""
    if old == -1:
        return p
    table, used = pool.table, pool.used
    node: int = table[2, old]
    if node < 0 or table[1, node] != p:
        node = used[_SETS]
        used[_SETS] = node + 1
        table[0, node], table[1, node], table[2, node] = old, p, -1
        table[2, old] = node
    return node


@compile_kernel
def _take_edges(
    edges: Floats, task: NDArray[np.int64], r: int, c: int, frame: Frame, pool: Pool
) -> int:
    """
    Put the entries of cell (r, c), a part of a crowded cell, at the end of the pool.

    Return the set of polygons that cover all of it. A polygon's parity is what makes both records,
    the crowded cell's and the part's, agree at the middle of the part.
    """
    whole, i, end = task[4], task[5], task[6]
    x, y = frame.x0 + (c + 0.5) / frame.per_x, frame.y0 + (r + 0.5) / frame.per_y
    while i < end:
        p, parity, first = pool.polygon[i] >> 1, 0, pool.used[_ENTRIES]
        while i < end and pool.polygon[i] >> 1 == p:
            word = pool.edge[i]
            e = word >> 1
            over1, over2 = edges[e, 1] > y, edges[e, 3] > y
            passing, mark = _passes(edges, e, r, c, frame)
            parity ^= (pool.polygon[i] & 1) ^ (((word & 1) ^ mark) & over2)
            if passing:
                at = pool.used[_ENTRIES]
                pool.polygon[at], pool.edge[at] = 2 * p, 2 * e + mark
                pool.used[_ENTRIES] = at + 1
            elif over1 != over2:
                x1, y1, x2, y2 = edges[e, 0], edges[e, 1], edges[e, 2], edges[e, 3]
                parity ^= x1 + (y - y1) / (y2 - y1) * (x2 - x1) > x
            i += 1
        if pool.used[_ENTRIES] > first:
            pool.polygon[first] += parity
        elif parity:
            whole = _add_member(whole, p, pool)
    return int(whole)


@compile_kernel
def _inner_frame(frame: Frame, level: int) -> Frame:
    """Return the frame of the parts after so many divisions; powers of two keep it exact."""
    x0, y0, per_x, per_y, nx, ny, margin = frame
    parts = 1 << (SHIFT * level)
    return Frame(x0, y0, per_x * parts, per_y * parts, nx * parts, ny * parts, margin)


@compile_kernel
def _divide(edges: Floats, task: NDArray[np.int64], frame: Frame, deepest: int, pool: Pool) -> bool:
    """Divide the crowded cell of a task; crowded parts become tasks. Tell whether all had room."""
    used, level = pool.used, task[3] + 1
    inner = _inner_frame(frame, level)
    block = used[_BLOCKS]
    used[_BLOCKS] = block + 1
    for k in range(SLOTS):
        begin = used[_ENTRIES]
        most = task[6] - task[5]
        if begin + most > len(pool.edge) or used[_SETS] + most > pool.table.shape[1]:
            return False
        r, c = task[1] * SIDE + (k >> SHIFT), task[2] * SIDE + (k & (SIDE - 1))
        whole = _take_edges(edges, task, r, c, inner, pool)
        end = used[_ENTRIES]
        polygon, edge = pool.polygon[begin:end], pool.edge[begin:end]
        slot = block * SLOTS + k
        if begin == end:
            pool.inner[slot] = whole
        elif level < deepest and used[_TASKS] < len(pool.task) and _is_crowded(edge):
            _put_off(len(pool.outer) + slot, r, c, level, whole, begin, end, pool)
        else:
            pool.inner[slot] = _code_of(edges, whole, polygon, edge, r, c, inner, pool)
            used[_ENTRIES] = begin
    _write_code(task[0], -2 - (4 * (len(pool.outer) // SLOTS + block) + NEST), pool)
    return True


@compile_kernel
def _write_code(slot: int, code: int, pool: Pool) -> None:
    """Write the code of a slot; slots of parts are numbered behind the others."""
    if slot < len(pool.outer):
        pool.outer[slot] = code
    else:
        pool.inner[slot - len(pool.outer)] = code


@compile_kernel
def _settle_task(edges: Floats, number: int, frame: Frame, deepest: int, pool: Pool) -> None:
    """Divide the crowded cell of a task, or give it a long record when memory for that ends."""
    task, before = pool.task[number], pool.used.copy()
    if not _divide(edges, task, frame, deepest, pool):
        pool.used[:] = before
        polygon, edge = pool.polygon[task[5] : task[6]], pool.edge[task[5] : task[6]]
        inner = _inner_frame(frame, task[3])
        code = _code_of(edges, task[4], polygon, edge, task[1], task[2], inner, pool)
        _write_code(task[0], code, pool)


@compile_kernel
def _put_off(
    slot: int, r: int, c: int, level: int, whole: int, begin: int, end: int, pool: Pool
) -> None:
    """Note a crowded cell as a task."""
    pool.task[pool.used[_TASKS]] = np.array([slot, r, c, level, whole, begin, end])
    pool.used[_TASKS] += 1


@compile_kernel
def pack_cells(
    edges: Floats, cells: Cells, table: Ints, frame: Frame, deepest: int
) -> tuple[Ints, Floats, Ints, Ints]:
    """
    Return codes, lines (n, 8), words and the table of sets; `cells.coarse` gets its codes.

    `deepest` is how many times at most a cell is divided.
    """
    wide = frame.nx >> SHIFT
    pool = _open_pool(len(edges), cells, table)
    used = pool.used
    for at in range(len(cells.block)):
        if cells.block[at] < 0:
            continue
        cells.coarse[at] = -2 - cells.block[at]
        for k in range(SLOTS):
            slot = int(cells.block[at]) * SLOTS + k
            s, t = cells.start[slot], cells.start[slot + 1]
            if s == t:
                continue
            r = (at // wide << SHIFT) + (k >> SHIFT)
            c = (at % wide << SHIFT) + (k & (SIDE - 1))
            polygon, edge, whole = cells.polygon[s:t], cells.edge[s:t], cells.codes[slot]
            begin = used[_ENTRIES]
            room = used[_TASKS] < len(pool.task) and begin + t - s <= len(pool.edge)
            if deepest > 0 and room and _is_crowded(edge):
                used[_ENTRIES] = begin + t - s
                pool.polygon[begin : begin + t - s] = polygon
                pool.edge[begin : begin + t - s] = edge
                _put_off(slot, r, c, 0, whole, begin, begin + t - s, pool)
            else:
                cells.codes[slot] = _code_of(edges, whole, polygon, edge, r, c, frame, pool)
    number = 0
    while number < used[_TASKS]:  # dividing one may add others behind it
        _settle_task(edges, number, frame, deepest, pool)
        number += 1
    end = used[_WORDS]
    pool.words[end : end + SIDE] = 0  # readers may touch a word past the last record
    return (
        np.concatenate((cells.codes, pool.inner[: used[_BLOCKS] * SLOTS])),
        pool.lines[: used[_LINES]].copy(),
        pool.words[: end + SIDE].copy(),
        pool.table[:2, : used[_SETS]].copy(),
    )
