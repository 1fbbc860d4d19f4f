"""Which blocks lie beside which, and how much border they share: the graph proposals work on."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import shapely
from numpy.typing import NDArray
from scipy.sparse import coo_array, csr_array
from scipy.sparse.csgraph import connected_components

from geodata.coverage.edges import (
    MM2_PER_M2,
    MM_PER_M,
    Floats,
    Geometries,
    Ints,
    number_points,
    ring_edges,
)

Flags = NDArray[np.bool_]


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Adjacency:
    """
    Blocks as a graph, in compressed rows: block b lies beside `beside[begin[b]:begin[b + 1]]`.

    `shared_m` is the border of each pair, `rim_m` and `area_m2` are those of each block.
    """

    begin: Ints
    beside: Ints
    shared_m: Floats
    rim_m: Floats
    area_m2: Floats

    def __len__(self) -> int:
        return len(self.rim_m)

    @property
    def start(self) -> Ints:
        """Return for each entry of `beside` the block it belongs to."""
        return np.repeat(np.arange(len(self)), np.diff(self.begin))

    def take(self, rows: Ints) -> Adjacency:
        """Return the graph of some blocks alone, numbered as in `rows`."""
        matrix = self._matrix()[rows][:, rows]
        return _from_matrix(matrix, self.rim_m[rows], self.area_m2[rows])

    def keep(self, kept: Flags, *, price_m: Floats | None = None) -> Adjacency:
        """
        Return the graph with only some entries of `beside`.

        `price_m` is taken off the borders that stay: to join two blocks then gains less.
        """
        matrix = self._matrix()
        shared = self.shared_m if price_m is None else self.shared_m - price_m
        entries = (shared[kept], (self.start[kept], self.beside[kept]))
        return _from_matrix(
            coo_array(entries, shape=matrix.shape).tocsr(), self.rim_m, self.area_m2
        )

    def count_parts(self, label: Ints) -> int:
        """Return into how many connected parts blocks with equal labels fall."""
        return len(np.unique(self.find_parts(label)))

    def find_parts(self, label: Ints) -> Ints:
        """Return for each block the number of the connected part of its label it belongs to."""
        start = self.start
        same = label[start] == label[self.beside]
        shape = (len(self), len(self))
        graph = coo_array((np.ones(int(same.sum())), (start[same], self.beside[same])), shape=shape)
        return np.asarray(connected_components(graph, directed=False)[1], np.int64)

    def _matrix(self) -> csr_array:
        shape = (len(self), len(self))
        return csr_array((self.shared_m, self.beside, self.begin), shape=shape)


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Borders:
    """Every edge that two blocks share: the blocks, its ends (mm) and its length."""

    one: Ints
    two: Ints
    start: Floats
    end: Floats
    length_m: Floats


def find_borders(shapes_mm: Geometries) -> Borders:
    """Return the edges that polygons (mm) share; they must match edge by edge."""
    start, end, owner = ring_edges(shapes_mm)
    numbers, points = number_points(np.vstack([start, end]))
    a, b = np.split(numbers, 2)
    low, high = np.minimum(a, b), np.maximum(a, b)
    order = np.argsort(low * len(points) + high, kind="stable")
    same = (low[order][1:] == low[order][:-1]) & (high[order][1:] == high[order][:-1])
    one, two = order[:-1][same], order[1:][same]
    apart = owner[one] != owner[two]
    one, two = one[apart], two[apart]
    return Borders(
        one=owner[one],
        two=owner[two],
        start=start[one],
        end=end[one],
        length_m=np.hypot(*(end[one] - start[one]).T) / MM_PER_M,
    )


def find_adjacency(shapes_mm: Geometries, borders: Borders | None = None) -> Adjacency:
    """Return who shares borders with whom: polygons (mm) that match edge by edge."""
    edges = borders or find_borders(shapes_mm)
    n = len(shapes_mm)
    rows = (np.concatenate([edges.one, edges.two]), np.concatenate([edges.two, edges.one]))
    matrix = coo_array((np.tile(edges.length_m, 2), rows), shape=(n, n)).tocsr()
    return _from_matrix(
        matrix, shapely.length(shapes_mm) / MM_PER_M, shapely.area(shapes_mm) / MM2_PER_M2
    )


def _from_matrix(matrix: csr_array, rim_m: Floats, area_m2: Floats) -> Adjacency:
    matrix.sort_indices()
    return Adjacency(
        begin=matrix.indptr.astype(np.int64),
        beside=matrix.indices.astype(np.int64),
        shared_m=matrix.data.astype(np.float64),
        rim_m=np.asarray(rim_m, np.float64),
        area_m2=np.asarray(area_m2, np.float64),
    )
