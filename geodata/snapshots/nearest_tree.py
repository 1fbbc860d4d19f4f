"""Nearest by a tree: for places in dense knots far apart, where buckets would be slow."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.spatial import cKDTree

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]
_SPARE = 4  # more neighbours than asked for: ties at the end are settled by number


class TreeIndex:
    """Spots in a k-d tree; spot s holds the places `member[begin[s]]` .. ascending."""

    def __init__(self, x: Floats, y: Floats, *, begin: Ints, member: Ints) -> None:
        self._tree: Any = cKDTree(np.column_stack([x, y]))
        self._x, self._y, self._begin, self._member = x, y, begin, member

    def find_nearest(self, x: Floats, y: Floats, place: Ints, distance: Floats) -> None:
        """Write the nearest places of each point and their distances, as `NearIndex.nearest`."""
        k = place.shape[1]
        asked = min(k + _SPARE, len(self._x))
        known = np.flatnonzero(np.isfinite(x) & np.isfinite(y))
        points = np.column_stack([x[known], y[known]])
        if not len(points):
            return
        far, spots = self._tree.query(points, k=range(1, asked + 1))
        for i, row in enumerate(known):
            near = spots[i]
            if asked < len(self._x) and far[i, -1] <= far[i, min(k, asked) - 1]:
                reach = np.nextafter(far[i, -1], np.inf)
                near = np.array(self._tree.query_ball_point(points[i], reach), np.int64)
            self._write(x[row], y[row], near, place[row], distance[row])

    def _write(self, x: float, y: float, spots: Ints, place: Ints, distance: Floats) -> None:
        """Write the first places of some spots, by distance and number."""
        k = len(place)
        squares = (self._x[spots] - x) ** 2 + (self._y[spots] - y) ** 2
        sizes = np.minimum(self._begin[spots + 1] - self._begin[spots], k)
        members = np.concatenate(
            [
                self._member[begin : begin + n]
                for begin, n in zip(self._begin[spots], sizes, strict=True)
            ]
        )
        far = np.repeat(squares, sizes)
        order = np.lexsort((members, far))[:k]
        place[: len(order)] = members[order]
        distance[: len(order)] = np.sqrt(far[order])
