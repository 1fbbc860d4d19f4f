"""A slow, plain second opinion on ownership, in whole fractions, straight from the definition."""

from __future__ import annotations

import math
from collections.abc import Sequence
from fractions import Fraction
from itertools import pairwise

import shapely

OUTSIDE, INTERIOR, BOUNDARY = range(3)
Edge = tuple[Fraction, Fraction, Fraction, Fraction]


def edges_of(polygon) -> list[Edge]:
    """Every edge of every ring; none for what has no area."""
    if polygon is None or not polygon.area > 0:
        return []
    edges = []
    for ring in shapely.get_rings(shapely.get_parts(polygon)):
        corners = [(Fraction(x), Fraction(y)) for x, y in shapely.get_coordinates(ring).tolist()]
        edges += [(*a, *b) for a, b in pairwise(corners)]
    return edges


def cover(edges: Sequence[Edge], x: Fraction, y: Fraction) -> int:
    """Where a point lies: on an edge, else by the number of edges right of it, odd or even."""
    odd = False
    for x1, y1, x2, y2 in edges:
        turn = (x2 - x1) * (y - y1) - (y2 - y1) * (x - x1)
        if turn == 0 and min(x1, x2) <= x <= max(x1, x2) and min(y1, y2) <= y <= max(y1, y2):
            return BOUNDARY
        if (y1 > y) != (y2 > y) and (turn > 0) == (y2 > y1):
            odd = not odd
    return INTERIOR if odd else OUTSIDE


def squared_distance(edges: Sequence[Edge], x: Fraction, y: Fraction) -> Fraction:
    """The square of the distance to the nearest edge."""
    return min(_squared(edge, x, y) for edge in edges)


def _squared(edge: Edge, x: Fraction, y: Fraction) -> Fraction:
    x1, y1, x2, y2 = edge
    dx, dy = x2 - x1, y2 - y1
    length = dx * dx + dy * dy
    t = Fraction(0) if length == 0 else ((x - x1) * dx + (y - y1) * dy) / length
    t = max(Fraction(0), min(Fraction(1), t))
    return (x1 + t * dx - x) ** 2 + (y1 + t * dy - y) ** 2


class Oracle:
    """Ownership by the definition; coordinates are millimetres."""

    def __init__(self, polygons, special=None) -> None:
        flags = [False] * len(polygons) if special is None else list(special)
        self.special = flags
        self.edges = [edges_of(polygon) for polygon in polygons]
        # Special grids before general ones, each in their own order.
        self.ranking = sorted(range(len(polygons)), key=lambda rank: (not flags[rank], rank))

    def find(self, x: float, y: float) -> int:
        """The first grid that covers the point."""
        return self.own(x, y)[0]

    def own(self, x: float, y: float, near_m: float = 0.0) -> tuple[int, str]:
        """Owner and rule of one point."""
        if not (math.isfinite(x) and math.isfinite(y)):
            return -1, "no_place"
        px, py = Fraction(x), Fraction(y)
        where = {rank: cover(self.edges[rank], px, py) for rank in self.ranking}
        covering = [rank for rank in self.ranking if where[rank] != OUTSIDE]
        if not covering:
            return self._nearest(px, py, near_m)
        owner = covering[0]
        peers = [rank for rank in covering if self.special[rank] == self.special[owner]]
        if len(peers) < len(covering):
            return owner, "special"
        if len(peers) == 1:
            return owner, "inside"
        on_all = all(where[rank] == BOUNDARY for rank in peers)
        return owner, "edge" if on_all else "overlap"

    def _nearest(self, x: Fraction, y: Fraction, near_m: float) -> tuple[int, str]:
        limit = Fraction(near_m * 1000) ** 2  # 0.005 m is meant as 5 mm, not as the double near it
        ranked = [
            (squared_distance(self.edges[rank], x, y), place, rank)
            for place, rank in enumerate(self.ranking)
            if self.edges[rank]
        ]
        if near_m > 0 and ranked and min(ranked)[0] <= limit:
            return min(ranked)[2], "near"
        return -1, "none"
