"""Tri-junctions: places where three or more grids meet, or nearly meet, at one point."""

from __future__ import annotations

import numpy as np
import pandas as pd
import shapely

from geodata.coverage.edges import Floats, Ints
from geodata.coverage.faces import Faces, rows_by
from geodata.coverage.findings import Sheet
from geodata.coverage.report import Limits, TriJunction


def find_junctions(
    sheet: Sheet, faces: Faces, *, limits: Limits
) -> tuple[int, tuple[TriJunction, ...]]:
    """
    Return how many places three or more grids meet at one point, and those where they miss.

    A place is a node of the lines with three or more grids within `junction_m`; nodes of one place
    are taken together, the best one first. How far a place misses is the smallest distance within
    which all its grids come to one of its nodes. Two true junctions with a line shorter than
    `junction_m` between them show up as well: a person should look.
    """
    spots = shapely.points(faces.nodes)
    tree = shapely.STRtree(sheet.polygons)
    node, grid = tree.query(spots, predicate="dwithin", distance=limits.junction_m)
    near = np.bincount(node, minlength=len(spots))
    wanted = near[node] > 2
    node, grid = node[wanted], grid[wanted]
    if not len(node):
        return 0, ()
    miss = shapely.distance(spots[node], sheet.polygons[grid])
    worst = pd.Series(miss).groupby(node).max()
    nodes = worst.index.to_numpy()
    meeting = np.bincount(faces.node_grid[0], minlength=len(spots))[nodes]
    spread = np.where(meeting >= near[nodes], 0.0, worst.to_numpy())
    order = np.lexsort((nodes, spread, -near[nodes]))
    return _judge_places(sheet, faces.nodes, (nodes[order], spread[order]), (node, grid), limits)


def _judge_places(
    sheet: Sheet,
    xy: Floats,
    ranked: tuple[Ints, Floats],
    near: tuple[Ints, Ints],
    limits: Limits,
) -> tuple[int, tuple[TriJunction, ...]]:
    """Take nodes within reach of a better one as the same place, and judge each place once."""
    nodes, spread = ranked
    spots = shapely.points(xy[nodes])
    left, right = shapely.STRtree(spots).query(
        spots, predicate="dwithin", distance=limits.junction_m
    )
    neighbours = [right[rows] for rows in rows_by(left, len(nodes))]
    order = np.argsort(near[0], kind="stable")
    node, grid = near[0][order], near[1][order]
    taken = np.zeros(len(nodes), dtype=bool)
    good, places = 0, []
    for at in range(len(nodes)):
        if taken[at]:
            continue
        taken[neighbours[at]] = True
        if spread[at] <= limits.exact_m:
            good += 1
            continue
        low, high = np.searchsorted(node, [nodes[at], nodes[at] + 1])
        places.append(
            TriJunction(
                level=sheet.level,
                codes=tuple(sorted(sheet.codes[grid[low:high]].tolist())),
                miss_m=float(spread[at]),
                repairable=bool(spread[at] <= limits.hairline_m),
                x=float(xy[nodes[at], 0]),
                y=float(xy[nodes[at], 1]),
            )
        )
    return good, tuple(places)
