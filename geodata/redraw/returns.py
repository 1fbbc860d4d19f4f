"""Returns: blocks that a rebalance moved without need go home again."""

from __future__ import annotations

import numpy as np

from geodata.coverage.edges import Floats, Ints
from geodata.redraw.adjacency import Adjacency

_ROUNDS = 6  # one return can make room for another


def send_home(
    graph: Adjacency, loads: Floats, targets: Floats, label: Ints, today: Ints, *, band: float
) -> Ints:
    """
    Return labels with every block back in its grid of today where that does no harm.

    It must touch that grid, leave the other one whole, and not bring the two further out of the
    band together. The heaviest go first; `targets` are the labels' own.
    """
    label = label.copy()
    load = np.bincount(label, weights=loads, minlength=len(targets))

    def excess(grid: int, weight: float) -> float:
        return max(abs(weight / float(targets[grid]) - 1) - band, 0.0)

    for _ in range(_ROUNDS):
        moved = np.flatnonzero(label != today)
        returned = 0
        for block in moved[np.argsort(-loads[moved], kind="stable")].tolist():
            home, here, weight = int(today[block]), int(label[block]), float(loads[block])
            near = graph.beside[graph.begin[block] : graph.begin[block + 1]]
            if not (label[near] == home).any():
                continue
            there, left = float(load[home]), float(load[here])
            before = excess(home, there) + excess(here, left)
            after = excess(home, there + weight) + excess(here, left - weight)
            if after <= before and _stays_whole(graph, label, block):
                label[block] = home
                load[home] += weight
                load[here] -= weight
                returned += 1
        if not returned:
            break
    return label


def _stays_whole(graph: Adjacency, label: Ints, block: int) -> bool:
    """Tell whether a block's grid has other blocks, and stays connected without it."""
    here = label[block]

    def mates(one: int) -> list[int]:
        near = graph.beside[graph.begin[one] : graph.begin[one + 1]]
        return [int(other) for other in near[label[near] == here]]

    around = mates(block)
    if not around:
        return False
    seen, stack, need = {block, around[0]}, [around[0]], set(around[1:])
    while stack and need:
        for other in mates(stack.pop()):
            if other not in seen:
                seen.add(other)
                need.discard(other)
                stack.append(other)
    return not need
