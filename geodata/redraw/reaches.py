"""Reaches: grids with room take what others have too much of, from afar too; the rest goes home."""

from __future__ import annotations

import math

import numpy as np

from geodata.compiled import compile_kernel
from geodata.coverage.edges import Floats, Ints
from geodata.redraw.adjacency import Adjacency, Flags

# All as shares of the load a grid should have: what a block costs on a way besides its own load, a
# way besides its blocks, one where a grid would fall apart; how dear a way may be at most; and how
# much more than asked may move.
_STEP, _START, _TORN, _FAR, _SPILL, _LITTLE = 0.003, 0.01, 0.05, 0.25, 0.01, 0.001
_RELIEFS, _TRIED = 200, 4.0  # how often; a pair of grids is tried until its cost has risen so
_ROUNDS = 6  # one return can make room for another
_INNER = 0.98  # the share of the band that is aimed at
_NOISE = 0.35  # of the logarithm of what blocks cost on a way
_UNEASE = 2.0  # a load that is still out of band is worth so much of one that moves


def send_home(graph: Adjacency, shares: Floats, label: Ints, today: Ints, *, band: float) -> Ints:
    """
    Return labels with every block back in its grid of today where that does no harm.

    It must touch that grid, leave the other one whole, and not bring the two further out of the
    band together. The heaviest go first; `shares` are loads by what a grid should have.
    """
    label = label.copy()
    _return(graph, shares, label, today, band=band)
    return label


def reach_out(
    graph: Adjacency,
    shares: Floats,
    start: Ints,
    today: Ints,
    *,
    band: float,
    rounds: int,
    seed: int,
) -> Ints:
    """
    Return labels where grids with room have relieved today's that are above the band.

    Now and then what was moved around one of them goes home and is sought anew by other ways; what
    moves less stays. `inner` is the share of the band that is aimed at, `rounds` how often that is
    done. Grids below the band are left for others to fill.
    """
    rng = np.random.default_rng(seed)
    border = graph.shared_m / graph.rim_m[graph.start]
    tops = np.array([1 + band * _INNER, 1 + band])
    best, least = start, _cost(shares, start, today, band)
    for _ in range(rounds):
        label, away = best.copy(), np.flatnonzero(best != today)
        if len(away):
            _free_some(graph, shares, label, today, around=int(rng.choice(away)), band=band)
        noise = np.exp(rng.normal(0, _NOISE, len(label)))
        relieve(graph.begin, graph.beside, border, shares, label, today, tops, noise)
        _return(graph, shares, label, today, band=band)
        cost = _cost(shares, label, today, band)
        if cost <= least:
            best, least = label, cost
    return best


def warm() -> None:
    """Compile the kernels, so that the first rebalance does not wait for them."""
    two, begin = np.zeros(2, np.int64), np.array([0, 1, 2])
    beside, label, ones = np.array([1, 0]), np.array([0, 1]), np.ones(2)
    relieve(begin, beside, ones, ones, label, label, ones, ones)
    go_home(begin, beside, ones, label, label, two, two > 0, 0.1)


def _cost(shares: Floats, label: Ints, today: Ints, band: float) -> float:
    """Return what has moved and, dearer, what lies out of band."""
    load = np.bincount(label, weights=shares)
    unease = float(np.maximum(np.abs(load - 1) - band, 0).sum())
    return float(shares[label != today].sum()) + _UNEASE * unease


def _free_some(
    graph: Adjacency, shares: Floats, label: Ints, today: Ints, *, around: int, band: float
) -> None:
    """Send home what has moved from the grid a block came from, and what its takers took."""
    moved, near = label != today, label == today[around]
    takers = np.unique(label[moved & (today == today[around])])
    near |= np.isin(label, takers) | (today == today[around])
    sources = np.unique(today[moved & near])
    freed = moved & (near | np.isin(today, sources))
    _return(graph, shares, label, today, band=band, freed=freed)


def _return(
    graph: Adjacency,
    shares: Floats,
    label: Ints,
    today: Ints,
    *,
    band: float,
    freed: Flags | None = None,
) -> None:
    order = np.argsort(-shares, kind="stable")
    free = np.zeros(len(label), np.bool_) if freed is None else freed
    go_home(graph.begin, graph.beside, shares, label, today, order, free, band)


@compile_kernel
def relieve(
    begin: Ints,
    beside: Ints,
    border: Floats,
    shares: Floats,
    label: Ints,
    home: Ints,
    tops: Floats,
    noise: Floats,
) -> int:
    """
    Let grids that have room, near or far, relieve those that have too much, in place; count them.

    The one with room takes the cheapest way through the blocks between, of which those that are
    away from home already cost nothing, then blocks of the other, until that has enough or itself
    is full. `shares` are loads by what a grid should have, `border` is the border of each entry of
    `beside` by its block's perimeter. A grid above `tops[1]` has too much, and both end at
    `tops[0]`. `noise` scales what each block costs on a way. What is connected stays connected.
    """
    n, k = len(label), int(label.max()) + 1
    load = np.zeros(k)
    for b in range(n):
        load[label[b]] += shares[b]
    price, way, torn = np.empty(n), np.empty(n), np.zeros(n)
    before, walk = np.empty(n, np.int64), np.zeros((2, n + 1), np.int64)
    tried, stood = np.ones((k, k)), 0
    for _ in range(_RELIEFS):
        least, o, end = math.inf, -1, -1
        for b in range(n):
            price[b] = _STEP + torn[b] + (shares[b] * noise[b] if label[b] == home[b] else 0.0)
        for over in range(k):
            if load[over] > tops[1]:
                _find_ways(begin, beside, label, over, price, way, before)
                found, ratio = _choose_way(label, load, over, tops[0], way, tried)
                if ratio < least:
                    least, o, end = ratio, over, found
        if o < 0:
            break
        _find_ways(begin, beside, label, o, price, way, before)
        taker = label[end]
        gained, at = _cede(
            (begin, beside), border, shares, label, load, before, walk, (o, end, taker), tops[0]
        )
        if at >= 0:
            torn[at] += _TORN
        tried[o, taker] *= 1.5 if gained or at >= 0 else math.inf
        stood += int(gained)
    return stood


@compile_kernel
def _cede(
    graph: tuple[Ints, Ints],
    border: Floats,
    shares: Floats,
    label: Ints,
    load: Floats,
    before: Ints,
    walk: Ints,
    way: tuple[int, int, int],
    top: float,
) -> tuple[bool, int]:
    """Give the taker the way from its block `end` to grid o, and blocks of that; or nothing."""
    (begin, beside), (o, end, taker) = graph, way
    was, now, at = label.copy(), load.copy(), before[end]
    while label[at] != o:
        if not _leaves_whole(begin, beside, label, at, walk):
            label[:] = was
            return False, at  # here a grid would fall apart
        now[label[at]] -= shares[at]
        now[taker] += shares[at]
        label[at] = taker
        at = before[at]
    gained = _take_blocks(begin, beside, border, shares, label, now, o, taker, top, walk) > 0
    if gained:
        load[:] = now
    else:
        label[:] = was
    return gained, -1


@compile_kernel
def go_home(
    begin: Ints,
    beside: Ints,
    shares: Floats,
    label: Ints,
    home: Ints,
    order: Ints,
    freed: Flags,
    band: float,
) -> int:
    """
    Send blocks home that are away, in this order, in place; return how many went.

    A block goes where it touches its grid of today and leaves the other one whole, and where the
    two are together no further out of the band then; those `freed` go in any case.
    """
    load = np.zeros(int(max(label.max(), home.max())) + 1)
    for b in range(len(label)):
        load[label[b]] += shares[b]
    walk = np.zeros((2, len(label) + 1), np.int64)
    went = 0
    for _ in range(_ROUNDS):
        returned = 0
        for b in order:
            a, q = label[b], home[b]
            if a == q or not _touches(begin, beside, label, b, q):
                continue
            worse = _off(load[q] + shares[b], band) + _off(load[a] - shares[b], band)
            worse -= _off(load[q], band) + _off(load[a], band)
            if (worse <= 0 or freed[b]) and _leaves_whole(begin, beside, label, b, walk):
                label[b] = q
                load[q] += shares[b]
                load[a] -= shares[b]
                returned += 1
        if returned == 0:
            break
        went += returned
    return went


@compile_kernel
def _off(share: float, band: float) -> float:
    """Return by how much a load lies outside the band, as a share of what it should be."""
    return max(abs(share - 1.0) - band, 0.0)


@compile_kernel
def _touches(begin: Ints, beside: Ints, label: Ints, b: int, q: int) -> bool:
    """Tell whether a block lies beside a grid."""
    return bool((label[beside[begin[b] : begin[b + 1]]] == q).any())


@compile_kernel
def _leaves_whole(begin: Ints, beside: Ints, label: Ints, b: int, walk: Ints) -> bool:
    """Tell whether a block's grid has other blocks, and stays connected without it."""
    a, stamp, stack = label[b], walk[0], walk[1]
    walk[1, -1] += 1  # behind the stack: the number of this walk
    mark = walk[1, -1]
    stamp[b], mates, top = mark, 0, 0
    for e in range(begin[b], begin[b + 1]):
        if label[beside[e]] == a:
            mates += 1
            stack[0], top = beside[e], 1
    if mates == 0:
        return False
    stamp[stack[0]] = mark
    while top and mates:
        top -= 1
        here = stack[top]
        for e in range(begin[here], begin[here + 1]):
            there = beside[e]
            mates -= int(there == b)
            if label[there] == a and stamp[there] != mark:
                stamp[there] = mark
                stack[top] = there
                top += 1
    return mates == 0


@compile_kernel
def _find_ways(
    begin: Ints,
    beside: Ints,
    label: Ints,
    o: int,
    price: Floats,
    way: Floats,
    before: Ints,
) -> None:
    """Find what the way from a grid to each block costs, that block itself apart: up to `_FAR`."""
    n = len(label)
    queue, waits = np.empty(n, np.int64), np.zeros(n, np.bool_)
    first, last = 0, 0
    for b in range(n):
        way[b] = math.inf
        if label[b] == o:
            way[b] = 0.0
            queue[last] = b
            waits[b] = True
            last += 1
    waiting, last = last, last % n
    while waiting:
        here = queue[first]
        first = (first + 1) % n
        waiting -= 1
        waits[here] = False
        through = way[here] + (price[here] if label[here] != o else 0.0)
        if through > _FAR:
            continue
        for e in range(begin[here], begin[here + 1]):
            there = beside[e]
            if through < way[there] - 1e-12:
                way[there] = through
                before[there] = here
                if not waits[there]:
                    waits[there] = True
                    queue[last] = there
                    last = (last + 1) % n
                    waiting += 1


@compile_kernel
def _choose_way(
    label: Ints, load: Floats, o: int, top: float, way: Floats, tried: Floats
) -> tuple[int, float]:
    """Return the block where the way that costs least by what it relieves ends, and that cost."""
    end, least = -1, math.inf
    for b in range(len(label)):
        k = label[b]
        if k == o or way[b] > _FAR or tried[o, k] > _TRIED:
            continue
        amount = min(top - load[k] - way[b], load[o] - top)
        if amount > _LITTLE:
            ratio = (way[b] + _START) * tried[o, k] / amount
            if ratio < least:
                end, least = b, ratio
    return end, least


@compile_kernel
def _take_blocks(
    begin: Ints,
    beside: Ints,
    border: Floats,
    shares: Floats,
    label: Ints,
    load: Floats,
    o: int,
    taker: int,
    top: float,
    walk: Ints,
) -> int:
    """Move blocks of one grid to another beside it, those with the most border first; count."""
    moved = 0
    while load[o] > top:
        best, most = -1, -math.inf
        for b in range(len(label)):
            fits = shares[b] <= min(top - load[taker], load[o] - top + _SPILL)
            if label[b] != o or not fits or not _touches(begin, beside, label, b, taker):
                continue
            share = 0.0
            for e in range(begin[b], begin[b + 1]):
                share += border[e] if label[beside[e]] == taker else 0.0
                share -= border[e] if label[beside[e]] == o else 0.0
            if share > most and _leaves_whole(begin, beside, label, b, walk):
                best, most = b, share
        if best < 0:
            break
        label[best] = taker
        load[o] -= shares[best]
        load[taker] += shares[best]
        moved += 1
    return moved
