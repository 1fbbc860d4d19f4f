"""Parts of a neighbour graph: connected, of balanced load, cut where the barriers are."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import scipy.sparse
from numpy.typing import NDArray

from geodata.compiled import compile_kernel

Ints = NDArray[np.int64]
Floats = NDArray[np.float64]

_LLOYD_STEPS = 12
_SWEEPS = 60
_BALANCE_FORCE = 3.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Graph:
    """Neighbours in compressed rows; `glue` is what a metre of common border costs to cut."""

    start: Ints
    near: Ints
    glue: Floats
    load: Floats
    x: Floats
    y: Floats

    def __len__(self) -> int:
        return len(self.load)


def add_up(values: Floats, group: Ints, n: int = 0) -> Floats:
    """Return the sum of values in each group 0..max or 0..n-1."""
    return np.bincount(group, values, n).astype(np.float64)


def make_graph(
    first: Ints, second: Ints, glue: Floats, *, load: Floats, x: Floats, y: Floats
) -> Graph:
    """Return the graph of pairs (each pair once), parallel pairs added up."""
    n = len(load)
    matrix = scipy.sparse.coo_array(
        (np.r_[glue, glue], (np.r_[first, second], np.r_[second, first])), shape=(n, n)
    ).tocsr()
    matrix.setdiag(0)
    matrix.eliminate_zeros()
    return Graph(
        start=matrix.indptr.astype(np.int64),
        near=matrix.indices.astype(np.int64),
        glue=matrix.data.astype(float),
        load=load,
        x=x,
        y=y,
    )


def take_graph(graph: Graph, members: Ints) -> Graph:
    """Return the part of a graph between some of its nodes."""
    first, second, glue = pairs_of(graph)
    place = np.full(len(graph), -1, np.int64)
    place[members] = np.arange(len(members))
    keep = (place[first] >= 0) & (place[second] >= 0)
    return make_graph(
        place[first[keep]],
        place[second[keep]],
        glue[keep],
        load=graph.load[members],
        x=graph.x[members],
        y=graph.y[members],
    )


def merge_graph(graph: Graph, group: Ints) -> Graph:
    """Return the graph of groups of nodes, numbered 0..max."""
    n = int(group.max()) + 1
    first, second, glue = pairs_of(graph)
    first, second = group[first], group[second]
    keep = first != second
    weight = np.maximum(graph.load, 1e-9)
    total = np.bincount(group, weight, n)
    return make_graph(
        first[keep],
        second[keep],
        glue[keep],
        load=add_up(graph.load, group, n),
        x=np.bincount(group, weight * graph.x, n) / total,
        y=np.bincount(group, weight * graph.y, n) / total,
    )


def pairs_of(graph: Graph) -> tuple[Ints, Ints, Floats]:
    """Return each pair of neighbours once."""
    first = np.repeat(np.arange(len(graph)), np.diff(graph.start))
    once = first < graph.near
    return first[once], graph.near[once], graph.glue[once]


def share_out(total: int, load: Floats, *, most: Ints) -> Ints:
    """Return whole numbers that add up to `total`, in proportion to load, each 1..most."""
    share = np.ones(len(load), np.int64)
    for _ in range(total - len(load)):
        want = np.where(share < most, load / (share + 0.5), -np.inf)
        share[np.argmax(want)] += 1
    return share


def divide(graph: Graph, parts: int, rng: np.random.Generator) -> Ints:
    """
    Return the part (0..parts-1) of each node: every part connected, loads alike, cuts cheap.

    Where the graph itself has several pieces, each gets its share of the parts; there must be at
    least as many parts as pieces and at least as many nodes as parts.
    """
    first, second, _ = pairs_of(graph)
    links = scipy.sparse.coo_array((np.ones(len(first)), (first, second)), shape=(len(graph),) * 2)
    pieces, piece = scipy.sparse.csgraph.connected_components(links, directed=False)
    sizes = np.bincount(piece)
    share = share_out(parts, add_up(graph.load, piece) + 1e-6, most=sizes)
    label = np.empty(len(graph), np.int64)
    done = 0
    for one in range(pieces):
        members = np.flatnonzero(piece == one)
        inner = graph if pieces == 1 else take_graph(graph, members)
        label[members] = done + _divide_piece(inner, int(share[one]), rng)
        done += int(share[one])
    return label


def _divide_piece(graph: Graph, parts: int, rng: np.random.Generator) -> Ints:
    if parts == 1:
        return np.zeros(len(graph), np.int64)
    if parts == len(graph):
        return np.arange(parts)
    seeds = _spread_seeds(graph, parts, rng)
    label = _grow(graph.start, graph.near, graph.glue, graph.load, graph.x, graph.y, seeds)
    total = float(graph.load.sum())
    scale = float(graph.glue.mean()) * 4.0
    order = rng.random((_SWEEPS, len(graph))).argsort(axis=1)
    load = graph.load * (parts / max(total, 1e-9))
    _refine(graph.start, graph.near, graph.glue / scale, load, label, parts, order, _BALANCE_FORCE)
    return np.asarray(label, np.int64)


def _spread_seeds(graph: Graph, parts: int, rng: np.random.Generator) -> Ints:
    """Return one node per part, spread like the load (k-means with k-means++ start)."""
    weight = graph.load + 0.02 * graph.load.mean() + 1e-9
    at = np.c_[graph.x, graph.y]
    chosen = [int(rng.choice(len(at), p=weight / weight.sum()))]
    gap = np.full(len(at), np.inf)
    for _ in range(parts - 1):
        gap = np.minimum(gap, ((at - at[chosen[-1]]) ** 2).sum(axis=1))
        chance = gap * weight
        chance[chosen] = 0
        if chance.sum() <= 0:
            chance = np.ones(len(at))
            chance[chosen] = 0
        chosen.append(int(rng.choice(len(at), p=chance / chance.sum())))
    centre = at[chosen]
    for _ in range(_LLOYD_STEPS):
        nearest = ((at[:, None, :] - centre[None]) ** 2).sum(axis=2).argmin(axis=1)
        mass = np.bincount(nearest, weight, parts)
        full = mass > 0
        for axis in (0, 1):
            moment = np.bincount(nearest, weight * at[:, axis], parts)
            centre[full, axis] = moment[full] / mass[full]
    seeds: list[int] = []
    for one in range(parts):
        gap = ((at - centre[one]) ** 2).sum(axis=1)
        gap[seeds] = np.inf
        seeds.append(int(gap.argmin()))
    return np.array(seeds, np.int64)


@compile_kernel
def _tie(start: Any, near: Any, glue: Any, label: Any, node: int, part: int) -> float:
    """Add up what holds a node to a part."""
    total = 0.0
    for k in range(start[node], start[node + 1]):
        if label[near[k]] == part:
            total += glue[k]
    return total


@compile_kernel
def _best_free(
    start: Any, near: Any, glue: Any, label: Any, x: Any, y: Any, seed: int, part: int
) -> int:
    """Return the free node that fits a part best: held by it, not far from its seed; -1 none."""
    best, best_score = -1, -1e300
    for node in range(len(label)):
        if label[node] >= 0:
            continue
        tie = _tie(start, near, glue, label, node, part)
        if tie > 0:
            score = tie - 1.5 * np.hypot(x[node] - x[seed], y[node] - y[seed])
            if score > best_score:
                best, best_score = node, score
    return best


@compile_kernel
def _grow(start: Any, near: Any, glue: Any, load: Any, x: Any, y: Any, seeds: Any) -> Any:
    """Let the lightest part take its best free neighbour until none is free."""
    n, parts = len(load), len(seeds)
    label = np.full(n, -1, np.int64)
    mass = np.zeros(parts)
    for part in range(parts):
        label[seeds[part]] = part
        mass[part] = load[seeds[part]]
    stuck = np.zeros(parts, np.bool_)
    while not stuck.all():
        part = int(np.argmin(np.where(stuck, np.inf, mass)))
        best = _best_free(start, near, glue, label, x, y, seeds[part], part)
        if best < 0:
            stuck[part] = True
            continue
        label[best] = part
        mass[part] += load[best]
    return label


@compile_kernel
def _holds_without(
    start: Any, near: Any, label: Any, node: int, seen: Any, stack: Any, mark: int
) -> bool:
    """Tell whether a node's part stays in one piece without it."""
    part = label[node]
    first, wanted = -1, 0
    for k in range(start[node], start[node + 1]):
        if label[near[k]] == part:
            wanted += 1
            first = near[k]
    if wanted == 0:
        return False
    if wanted == 1:
        return True
    seen[node] = mark
    seen[first] = mark
    stack[0] = first
    size = 1
    found = 0
    while size > 0:
        size -= 1
        one = stack[size]
        for k in range(start[node], start[node + 1]):
            if near[k] == one:
                found += 1
                break
        if found == wanted:
            return True
        for k in range(start[one], start[one + 1]):
            to = near[k]
            if label[to] == part and seen[to] != mark:
                seen[to] = mark
                stack[size] = to
                size += 1
    return found == wanted


@compile_kernel
def _best_move(
    start: Any, near: Any, glue: Any, load: Any, label: Any, mass: Any, node: int, force: float
) -> int:
    """Return the neighbouring part that a node should move to, -1 to stay. Loads: mean part 1."""
    own = label[node]
    own_tie = _tie(start, near, glue, label, node, own)
    w = load[node]
    best, best_gain = -1, 1e-9
    for k in range(start[node], start[node + 1]):
        other = label[near[k]]
        if other in (own, best):
            continue
        before = (mass[own] - 1) ** 2 + (mass[other] - 1) ** 2
        after = (mass[own] - w - 1) ** 2 + (mass[other] + w - 1) ** 2
        gain = force * (before - after) + _tie(start, near, glue, label, node, other) - own_tie
        if gain > best_gain:
            best, best_gain = other, gain
    return best


@compile_kernel
def _refine(
    start: Any, near: Any, glue: Any, load: Any, label: Any, parts: int, order: Any, force: float
) -> None:
    """Move border nodes to the neighbouring part while that lowers imbalance plus cut."""
    n = len(load)
    mass = np.zeros(parts)
    for node in range(n):
        mass[label[node]] += load[node]
    seen = np.full(n, -1, np.int64)
    stack = np.empty(n, np.int64)
    mark = 0
    for sweep in range(order.shape[0]):
        moved = False
        for node in order[sweep]:
            best = _best_move(start, near, glue, load, label, mass, node, force)
            if best < 0:
                continue
            mark += 1
            if _holds_without(start, near, label, node, seen, stack, mark):
                mass[label[node]] -= load[node]
                mass[best] += load[node]
                label[node] = best
                moved = True
        if not moved:
            break
