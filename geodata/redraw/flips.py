"""Border flips: blocks pass between neighbouring grids until loads are even, shapes round."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
from numpy.typing import NDArray

from geodata.compiled import compile_kernel
from geodata.coverage.edges import Floats, Ints

Flags = NDArray[np.bool_]


LOAD, RIM, AREA, COUNT = 0, 1, 2, 3  # rows of what is known of each grid


@compile_kernel
def flip_borders(
    begin: Ints,
    beside: Ints,
    shared: Floats,
    sizes: Floats,
    label: Ints,
    home: Ints,
    free: Flags,
    targets: Floats,
    knobs: Floats,
    seed: int,
) -> int:
    """
    Flip border blocks by simulated annealing, in place; return how many flips stood.

    Block b has the neighbours `beside[begin[b]:begin[b + 1]]`, with `shared` metres of border each.
    `sizes` are rows load, perimeter, area by block; `targets` the load each grid should have;
    `free` the grids that may change. `home` is the grid of today, -1 for none. Every grid that is
    connected at the start stays connected. `knobs`: steps, band (a share: inside it loads cost
    nothing), price of load at the start and at the end, price of shape, price of moving a whole
    grid's load from home, temperature at the start.

    The price of load is the squared excess over the band, of shape the inverse of Polsby-Popper
    (perimeter^2 / (4 pi area)); the price of load rises as the temperature falls, so that a run
    begins by shape and ends by balance.
    """
    steps, heat = int(knobs[0]), knobs[6]
    n = len(label)
    grids = _sum_grids(begin, beside, shared, sizes, label, len(targets))
    prices = knobs[1:6].copy()  # band, load, load at the end, shape, moving
    growth = (prices[2] / prices[1]) ** (1024.0 / max(steps, 1))
    stamp, stack = np.zeros(n, np.int64), np.empty(n, np.int64)
    mark, stood = 0, 0
    draw: Any = np.uint64(seed * 2 + 1) * np.uint64(0x9E3779B97F4A7C15)
    for t in range(steps):
        if t & 1023 == 1023:
            prices[1] *= growth
        draw = _shift(draw)
        dice = draw * np.uint64(0x2545F4914F6CDD1D)
        b = int((dice >> np.uint64(40)) % np.uint64(n))
        degree = begin[b + 1] - begin[b]
        a = label[b]
        if degree == 0 or not free[a] or grids[COUNT, a] == 1:
            continue
        q = label[beside[begin[b] + int((dice & np.uint64(0xFFFFF)) % np.uint64(degree))]]
        if q == a or not free[q]:
            continue
        with_a, with_q, first = _sum_beside(begin, beside, shared, label, b, q)
        if first < 0:
            continue
        rim_a = grids[RIM, a] - sizes[RIM, b] + 2 * with_a
        rim_q = grids[RIM, q] + sizes[RIM, b] - 2 * with_q
        cost = _price(grids, sizes[:, b], targets, prices, a, q, rim_a, rim_q)
        if home[b] >= 0:
            away = int(q != home[b]) - int(a != home[b])
            cost += prices[4] * sizes[LOAD, b] / targets[a] * away
        if cost > 0:
            chance = ((dice >> np.uint64(20)) & np.uint64(0xFFFFF)) / 1048576.0
            warmth = heat * (1.0 - t / steps)
            if warmth <= 0 or chance >= math.exp(-cost / warmth):
                continue
        mark += 1
        if not _stays_whole(begin, beside, label, b, first, stamp, stack, mark):
            continue
        label[b] = q
        _move(grids, sizes[:, b], a, q)
        grids[RIM, a], grids[RIM, q] = rim_a, rim_q
        stood += 1
    return stood


@compile_kernel
def _shift(draw: Any) -> Any:
    """Return the next state of a xorshift generator (Vigna 2016, xorshift64*)."""
    draw ^= draw >> np.uint64(12)
    draw ^= draw << np.uint64(25)
    draw ^= draw >> np.uint64(27)
    return draw


@compile_kernel
def _sum_grids(
    begin: Ints, beside: Ints, shared: Floats, sizes: Floats, label: Ints, k: int
) -> Floats:
    grids = np.zeros((4, k))
    for b in range(len(label)):
        a = label[b]
        for row in range(3):
            grids[row, a] += sizes[row, b]
        grids[COUNT, a] += 1
        for e in range(begin[b], begin[b + 1]):
            if label[beside[e]] == a:
                grids[RIM, a] -= shared[e]
    return grids


@compile_kernel
def _sum_beside(
    begin: Ints, beside: Ints, shared: Floats, label: Ints, b: int, q: int
) -> tuple[float, float, int]:
    """Return a block's border with its own grid and with grid q, and a neighbour in its own."""
    with_a, with_q, first = 0.0, 0.0, -1
    for e in range(begin[b], begin[b + 1]):
        other = label[beside[e]]
        if other == label[b]:
            with_a += shared[e]
            first = beside[e]
        elif other == q:
            with_q += shared[e]
    return with_a, with_q, first


@compile_kernel
def _price(
    grids: Floats,
    block: Floats,
    targets: Floats,
    prices: Floats,
    a: int,
    q: int,
    rim_a: float,
    rim_q: float,
) -> float:
    """Return what it costs in shape and load that a block goes from grid a to grid q."""
    shape = rim_a * rim_a / (grids[AREA, a] - block[AREA])
    shape += rim_q * rim_q / (grids[AREA, q] + block[AREA])
    shape -= grids[RIM, a] * grids[RIM, a] / grids[AREA, a]
    shape -= grids[RIM, q] * grids[RIM, q] / grids[AREA, q]
    load = _excess(grids[LOAD, a] - block[LOAD], targets[a], prices[0])
    load += _excess(grids[LOAD, q] + block[LOAD], targets[q], prices[0])
    load -= _excess(grids[LOAD, a], targets[a], prices[0])
    load -= _excess(grids[LOAD, q], targets[q], prices[0])
    price: float = prices[3] * shape / (4 * math.pi) + prices[1] * load
    return price


@compile_kernel
def _excess(load: float, target: float, band: float) -> float:
    """Return the squared share by which a load lies outside the band around its target."""
    over = abs(load / target - 1) - band
    return over * over if over > 0 else 0.0


@compile_kernel
def _move(grids: Floats, block: Floats, a: int, q: int) -> None:
    for row in (LOAD, AREA):
        grids[row, a] -= block[row]
        grids[row, q] += block[row]
    grids[COUNT, a] -= 1
    grids[COUNT, q] += 1


@compile_kernel
def _stays_whole(
    begin: Ints, beside: Ints, label: Ints, b: int, first: int, stamp: Ints, stack: Ints, mark: int
) -> bool:
    """Tell whether a block's grid stays connected without it: its neighbours reach one another."""
    a = label[b]
    need = 0
    for e in range(begin[b], begin[b + 1]):
        if label[beside[e]] == a and beside[e] != first:
            need += 1
    if need == 0:
        return True
    stamp[b] = mark
    stamp[first] = mark
    stack[0] = first
    top = 1
    while top:
        top -= 1
        here = stack[top]
        for e in range(begin[here], begin[here + 1]):
            there = beside[e]
            if stamp[there] == mark or label[there] != a:
                continue
            stamp[there] = mark
            for f in range(begin[b], begin[b + 1]):
                if beside[f] == there:
                    need -= 1
                    break
            if need == 0:
                return True
            stack[top] = there
            top += 1
    return False
