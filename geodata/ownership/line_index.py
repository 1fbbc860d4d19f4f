"""Lines: which of many lines is nearest to each of many points, within a reach."""

from __future__ import annotations

import numpy as np
import shapely
from numpy.typing import ArrayLike, NDArray

from geodata.compiled import share_out
from geodata.ownership.line_tree import build_tree, find_nearest

Floats = NDArray[np.float64]
Ints = NDArray[np.int32]

_CHUNK = 1 << 14


class LineIndex:
    """
    Lines, or the outlines of areas, ready to be asked which is nearest; never changed.

    `shapes` (n,) lie in one plane; None and empty ones are never found. Any number of threads may
    ask. Distances are rounded as doubles are, so of two lines equally near either may be named.
    """

    def __init__(self, shapes: ArrayLike) -> None:
        array = np.asarray(shapes, dtype=object)
        areas = shapely.get_dimensions(array) == 2
        outlines = np.where(areas, shapely.boundary(array), array)
        parts, of_shape = shapely.get_parts(outlines, return_index=True)
        xy, of_part = shapely.get_coordinates(parts, return_index=True)
        joined = of_part[1:] == of_part[:-1]
        edges = np.column_stack([xy[:-1][joined], xy[1:][joined]])
        number = of_shape[of_part[1:][joined]].astype(np.int32)
        self._tree = build_tree(np.ascontiguousarray(edges), number, len(array))

    def nearest(self, x: ArrayLike, y: ArrayLike, *, reach: float, threads: int = 1) -> Ints:
        """Return the number of the nearest shape within `reach` of each point, -1 for none."""
        xs, ys = (np.require(axis, np.float64, ("C", "A")).view() for axis in (x, y))
        for axis in (xs, ys):
            axis.flags.writeable = False  # as others ask the kernel: it is compiled once
        found, distance = np.empty(len(xs), np.int32), np.empty(len(xs))
        unsure = np.empty(len(xs), np.bool_)

        def find(part: slice) -> None:
            find_nearest(
                xs[part], ys[part], reach, self._tree, found[part], distance[part], unsure[part]
            )

        share_out(find, len(xs), threads=threads, chunk=_CHUNK)
        return found
