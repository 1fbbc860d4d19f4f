"""Walls: rivers, railways and other nets' lines that grids should not cross, or must not."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import shapely

from geodata.coverage.edges import MM_PER_M, Geometries, to_mm
from geodata.redraw.adjacency import Adjacency, Borders, find_adjacency, find_borders

ALONG_M = 5.0  # a border whose middle lies so near a wall runs along it
OPEN_SHARE = 0.1  # blocks still touch where so much of their border is free of hard walls
SOFT_PRICE = 1.0  # crossing a soft wall costs as much as not sharing the border at all


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Wall:
    """Lines (mm) that no grid may cross (`hard`) or that cost shape when one does (soft)."""

    lines: Geometries
    hard: bool


def make_wall(shapes_m: Any, *, hard: bool) -> Wall:
    """
    Return a wall of lines, or of the boundaries of polygons such as police beats, in metres.

    Blocks should have been cut along it: what runs through the middle of a block walls nothing.
    """
    shapes = to_mm(shapes_m)
    areal = shapely.get_dimensions(shapes) == 2
    shapes[areal] = shapely.boundary(shapes[areal])
    return Wall(lines=shapes, hard=hard)


def build_graph(shapes_mm: Geometries, walls: Sequence[Wall]) -> Adjacency:
    """
    Return which blocks (mm) a grid may join, and what it gains by it.

    Blocks parted by a hard wall along most of their border are not beside each other; along a soft
    one they are, but a grid that joins them gains no border.
    """
    borders = find_borders(shapes_mm)
    graph = find_adjacency(shapes_mm, borders)
    if not walls:
        return graph
    hard, soft = (_sum_along(graph, borders, walls, hard=hard) for hard in (True, False))
    kept = graph.shared_m - hard > OPEN_SHARE * graph.shared_m
    return graph.keep(kept, price_m=np.minimum(hard + SOFT_PRICE * soft, graph.shared_m))


def _sum_along(
    graph: Adjacency, borders: Borders, walls: Sequence[Wall], *, hard: bool
) -> np.ndarray:
    """Return for each entry of the graph how many metres of its border run along walls."""
    lines = [wall.lines for wall in walls if wall.hard == hard]
    size = len(graph)
    along = np.zeros(len(borders.one), bool)
    if lines:
        middle = shapely.points((borders.start + borders.end) / 2)
        tree = shapely.STRtree(np.concatenate(lines))
        along[tree.query(middle, predicate="dwithin", distance=ALONG_M * MM_PER_M)[0]] = True
    one = np.concatenate([borders.one[along], borders.two[along]])
    two = np.concatenate([borders.two[along], borders.one[along]])
    entry = np.searchsorted(graph.start * size + graph.beside, one * size + two)
    return np.bincount(
        entry, weights=np.tile(borders.length_m[along], 2), minlength=len(graph.beside)
    ).astype(np.float64)
