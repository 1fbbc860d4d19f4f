"""A first plan: blocks halved by straight cuts until each piece is one grid, then made whole."""

from __future__ import annotations

import math

import numpy as np

from geodata.coverage.edges import Floats, Ints
from geodata.redraw.adjacency import Adjacency

DIRECTIONS = 12
_MENDS = 50


def bisect_blocks(graph: Adjacency, loads: Floats, xy: Floats, grids: int) -> Ints:
    """
    Return a label 0..grids-1 for each block: loads about equal, cuts short.

    Each half is cut again; of `DIRECTIONS` straight cuts that part the load in the wanted ratio the
    one that severs the least border is taken. Pieces need not be connected: see `mend_labels`.
    """
    label = np.zeros(len(graph), np.int64)
    todo = [(np.arange(len(graph)), graph, grids, 0)]
    while todo:
        rows, part, k, first = todo.pop()
        if k == 1:
            label[rows] = first
            continue
        one = _cut_once(part, loads[rows], xy[rows], k)
        for side, count, begin in ((one, k // 2, first), (~one, k - k // 2, first + k // 2)):
            inside = np.flatnonzero(side)
            todo.append((rows[inside], part.take(inside), count, begin))
    return label


def mend_labels(graph: Adjacency, loads: Floats, label: Ints) -> Ints:
    """
    Return labels with every grid connected.

    Its heaviest part stays; each other goes to the neighbour with the longest border.
    """
    label = label.copy()
    start = graph.start
    for _ in range(_MENDS):
        part = graph.find_parts(label)
        size = int(part.max()) + 1
        weight = np.bincount(part, weights=loads + 1e-9, minlength=size)
        owner = np.zeros(size, np.int64)
        owner[part] = label
        order = np.lexsort((-weight, owner))
        heaviest = order[np.unique(owner[order], return_index=True)[1]]
        stray = np.ones(size, bool)
        stray[heaviest] = False
        if not stray.any():
            break
        moved = _join_longest(graph, start, part, stray, label)
        if moved == 0:
            break
    return label


def _cut_once(graph: Adjacency, loads: Floats, xy: Floats, grids: int) -> np.ndarray:
    """Return which blocks lie on the first side of the best straight cut."""
    k = grids // 2
    start, best, least = graph.start, np.zeros(len(graph), bool), math.inf
    for turn in np.linspace(0, math.pi, DIRECTIONS, endpoint=False):
        order = np.argsort(xy @ (math.cos(turn), math.sin(turn)), kind="stable")
        sums = np.cumsum(loads[order])
        at = int(np.abs(sums - sums[-1] * k / grids).argmin()) + 1
        at = min(max(at, k), len(order) - (grids - k))
        one = np.zeros(len(graph), bool)
        one[order[:at]] = True
        severed = float(graph.shared_m[one[start] & ~one[graph.beside]].sum())
        if severed < least:
            best, least = one, severed
    return best


def _join_longest(graph: Adjacency, start: Ints, part: Ints, stray: np.ndarray, label: Ints) -> int:
    """Give each stray part to the label it shares most border with; return how many moved."""
    out = stray[part[start]] & (part[start] != part[graph.beside])
    key = part[start[out]] * (label.max() + 1) + label[graph.beside[out]]
    pairs, back = np.unique(key, return_inverse=True)
    border = np.bincount(back, weights=graph.shared_m[out])
    piece, grid = pairs // (label.max() + 1), pairs % (label.max() + 1)
    order = np.lexsort((-border, piece))
    pieces, first = np.unique(piece[order], return_index=True)
    target = np.full(int(part.max()) + 1, -1, np.int64)
    target[pieces] = grid[order[first]]
    moves = target[part] >= 0
    label[moves] = target[part[moves]]
    return len(pieces)
