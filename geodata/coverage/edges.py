"""Whole-millimetre geometry, and the proof that a drawing tiles its land edge by edge."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import geopandas as gpd
import numpy as np
import shapely
from numpy.typing import NDArray

Ints = NDArray[np.int64]
Floats = NDArray[np.float64]
Geometries = NDArray[np.object_]

MM_PER_M = 1000.0
MM2_PER_M2 = 1e6
MAX_POINTS = 20  # places a proof names when it fails: enough to look at, short enough to print


@dataclass(frozen=True, slots=True, kw_only=True)
class EdgeProof:
    """
    What the directed edges of a drawing prove.

    Every edge of a grid, walked with the grid on its left, either meets its reverse (a neighbour
    shares it, vertex for vertex) or is open. Where the open edges do not cross and bound land that
    is exactly as large as all grids together, the grids tile that land: no gap, no overlap.
    Areas are exact, in whole mm2 (doubled areas are integers, so halves may occur).
    """

    edges: int
    matched: int
    open_edges: int
    twice: int  # directed edges that occur more than once: two grids on one side of a line
    crossing: int  # open edges that cross or run along one another unmatched
    unclosed: int  # open edges that bound no land on their left
    gap_count: int
    grids_mm2: float  # all grids together
    land_mm2: float  # what the open edges enclose as land
    gap_mm2: float  # land enclosed by the outline that no grid covers
    points: tuple[tuple[float, float], ...]  # places of failure, in metres

    @property
    def ok(self) -> bool:
        """Tell whether the grids tile exactly."""
        return self.twice == self.crossing == self.unclosed == 0 and self.grids_mm2 == self.land_mm2

    @property
    def outline_mm2(self) -> float:
        """Return the area inside the outline: grids and gaps."""
        return self.grids_mm2 + self.gap_mm2

    def as_json(self) -> dict[str, Any]:
        """Return plain values, areas in m2."""
        return {
            "ok": self.ok,
            "edges": self.edges,
            "matched": self.matched,
            "open": self.open_edges,
            "twice": self.twice,
            "crossing": self.crossing,
            "unclosed": self.unclosed,
            "gaps": self.gap_count,
            "grids_m2": self.grids_mm2 / MM2_PER_M2,
            "gap_m2": self.gap_mm2 / MM2_PER_M2,
            "points": [list(point) for point in self.points],
        }


def to_mm(geometries: Any) -> Geometries:
    """
    Return 2-D geometries in integer-valued float64 millimetres.

    Takes geometries in metres. Shared vertices stay shared; a polygon may become invalid where
    it is thinner than a millimetre.
    """
    flat = shapely.force_2d(np.asarray(geometries, dtype=object))
    return _as_array(shapely.transform(flat, lambda xy: np.rint(xy * MM_PER_M)))


def to_m(geometries: Any) -> Geometries:
    """Return geometries in metres from whole millimetres; `to_mm` takes them back exactly."""
    array = np.asarray(geometries, dtype=object)
    return _as_array(shapely.transform(array, lambda xy: np.rint(xy) / MM_PER_M))


def number_points(xy: Floats) -> tuple[Ints, Floats]:
    """
    Give points numbers, the same number to equal coordinates.

    Returns the number of each row of `xy` (n, 2) and the distinct points (m, 2) in x, y order.
    """
    joined = np.ascontiguousarray(xy, dtype=np.float64).view(np.complex128).ravel()
    points, numbers = np.unique(joined, return_inverse=True)
    return numbers.astype(np.int64), points.view(np.float64).reshape(-1, 2)


def ring_edges(polygons: Geometries) -> tuple[Floats, Floats, Ints]:
    """
    Return the directed edges of polygons, each polygon on the left of its edges.

    Returns start points (n, 2), end points (n, 2) and the row of the polygon of each edge.
    """
    parts, part_owner = shapely.get_parts(polygons, return_index=True)
    oriented = shapely.orient_polygons(parts, exterior_cw=False)
    rings, ring_part = shapely.get_rings(oriented, return_index=True)
    ring_owner = part_owner[ring_part]
    xy, ring = shapely.get_coordinates(rings, return_index=True)
    same_ring = ring[1:] == ring[:-1]
    moved = (xy[1:] != xy[:-1]).any(axis=1) if len(xy) else np.zeros(0, dtype=bool)
    keep = same_ring & moved
    return xy[:-1][keep], xy[1:][keep], ring_owner[ring[:-1][keep]].astype(np.int64)


def open_chain(polygons_mm: Geometries) -> Ints:
    """
    Return the directed edges without a twin, as sorted rows x0, y0, x1, y1 in whole mm.

    Two sets of grids that tile the same land have equal chains up to vertices on straight lines,
    so a redraw of a patch is exact when the chain before equals the chain after.
    """
    start, end, _ = ring_edges(polygons_mm)
    if not len(start):
        return np.empty((0, 4), dtype=np.int64)
    numbers, points = number_points(np.vstack([start, end]))
    a, b = np.split(numbers, 2)
    a, b = _cancel_twins(a, b, len(points))
    chain = np.column_stack([points[a], points[b]]).astype(np.int64)
    return chain[np.lexsort(chain.T[::-1])]


def edges_match(grids: gpd.GeoDataFrame | Geometries) -> EdgeProof:
    """
    Prove that grids tile their land, or say where they do not.

    Takes a GeoDataFrame in metres, or an array of polygons in whole mm. All arithmetic is on
    integers, so nothing depends on a tolerance. The method is the chain test: the sum of the
    grids' indicator functions is the winding number of the open edges, so no two grids overlap
    if and only if that winding number is nowhere above one.
    """
    polygons = to_mm(grids.geometry.array) if isinstance(grids, gpd.GeoDataFrame) else grids
    start, end, owner = ring_edges(polygons)
    total = int(_sum_cross(start, end, owner, len(polygons)).sum())
    if not len(start):
        return _empty_proof()
    numbers, points = number_points(np.vstack([start, end]))
    a, b = np.split(numbers, 2)
    key = a * len(points) + b
    _, first, count = np.unique(key, return_index=True, return_counts=True)
    repeated = first[count > 1]
    left, right = _cancel_twins(a, b, len(points))
    crossing = _crossing_edges(points[left], points[right])
    land, gaps, gap_count, unclosed = _outline(points, left, right)
    failed = np.vstack([start[repeated], points[left][crossing], points[left][unclosed]])
    return EdgeProof(
        edges=len(a),
        matched=len(a) - len(left),
        open_edges=len(left),
        twice=len(repeated),
        crossing=len(crossing),
        unclosed=len(unclosed),
        gap_count=gap_count,
        grids_mm2=total / 2,
        land_mm2=land / 2,
        gap_mm2=gaps / 2,
        points=tuple((x, y) for x, y in (failed[:MAX_POINTS] / MM_PER_M).tolist()),
    )


def _as_array(geometries: Any) -> Geometries:
    return np.atleast_1d(np.asarray(geometries, dtype=object))


def _empty_proof() -> EdgeProof:
    return EdgeProof(
        edges=0,
        matched=0,
        open_edges=0,
        twice=0,
        crossing=0,
        unclosed=0,
        gap_count=0,
        grids_mm2=0.0,
        land_mm2=0.0,
        gap_mm2=0.0,
        points=(),
    )


def _sum_cross(start: Floats, end: Floats, owner: Ints, size: int) -> Ints:
    """Return twice the signed area per owner: exact, since wrap-around of int64 cancels out."""
    twice = np.zeros(size, dtype=np.int64)
    if len(start):
        origin = np.floor(start.min(axis=0))
        p, q = (start - origin).astype(np.int64), (end - origin).astype(np.int64)
        np.add.at(twice, owner, p[:, 0] * q[:, 1] - q[:, 0] * p[:, 1])
    return twice


def _cancel_twins(a: Ints, b: Ints, size: int) -> tuple[Ints, Ints]:
    """Return the directed edges a->b left when each is cancelled by one reverse."""
    forward = a < b
    low, high = np.where(forward, a, b), np.where(forward, b, a)
    key, group = np.unique(low * size + high, return_inverse=True)
    surplus = np.bincount(group, weights=np.where(forward, 1.0, -1.0)).astype(np.int64)
    rows = np.repeat(np.arange(len(key)), np.abs(surplus))
    low, high = key[rows] // size, key[rows] % size
    flip = surplus[rows] < 0
    return np.where(flip, high, low), np.where(flip, low, high)


def _crossing_edges(start: Floats, end: Floats) -> Ints:
    """Return rows of segments that meet another one elsewhere than at common end points."""
    if not len(start):
        return np.empty(0, dtype=np.int64)
    lines = shapely.linestrings(np.stack([start, end], axis=1))
    i, j = shapely.STRtree(lines).query(lines, predicate="intersects")
    i, j = i[i < j], j[i < j]
    origin = np.floor(np.minimum(start, end).min(axis=0))
    p, q = (start - origin).astype(np.int64), (end - origin).astype(np.int64)
    turns = (_turn(p[i], q[i], p[j]), _turn(p[i], q[i], q[j]))
    back = (_turn(p[j], q[j], p[i]), _turn(p[j], q[j], q[i]))
    proper = (turns[0] * turns[1] < 0) & (back[0] * back[1] < 0)
    touching = np.zeros(len(i), dtype=bool)
    for turn, point, low, high in (
        (turns[0], p[j], p[i], q[i]),
        (turns[1], q[j], p[i], q[i]),
        (back[0], p[i], p[j], q[j]),
        (back[1], q[i], p[j], q[j]),
    ):
        touching |= (turn == 0) & _strictly_between(point, low, high)
    same = ((p[i] == p[j]) & (q[i] == q[j])).all(axis=1)
    return np.unique(i[proper | touching | same])


def _turn(a: Ints, b: Ints, c: Ints) -> Ints:
    """Return the sign of the turn a, b, c, exact for extents below 1,500 km."""
    turn: Ints = np.sign(
        (b[:, 0] - a[:, 0]) * (c[:, 1] - a[:, 1]) - (b[:, 1] - a[:, 1]) * (c[:, 0] - a[:, 0])
    )
    return turn


def _strictly_between(point: Ints, low: Ints, high: Ints) -> NDArray[np.bool_]:
    """Tell whether a point on the line low-high lies inside the segment, its ends excluded."""
    inside: NDArray[np.bool_] = ((point - low) * (point - high)).sum(axis=1) < 0
    return inside


def _outline(points: Floats, a: Ints, b: Ints) -> tuple[int, int, int, Ints]:
    """
    Return what open edges enclose: twice the land, twice the gaps, number of gaps, edges in error.

    A bounded face is land when all its edges run with it on their left, a gap when all run with
    it on their right; each open edge must bound exactly one face of land.
    """
    lines = shapely.linestrings(np.stack([points[a], points[b]], axis=1))
    faces = shapely.get_parts(shapely.polygonize(lines))
    start, end, face = ring_edges(faces)
    numbers, known = number_points(np.vstack([start, end, points[a], points[b]]))
    cut = len(start)
    size = len(known)
    face_key = numbers[:cut] * size + numbers[cut : 2 * cut]
    reverse_key = numbers[cut : 2 * cut] * size + numbers[:cut]
    open_from, open_to = np.split(numbers[2 * cut :], 2)
    open_key = open_from * size + open_to
    with_it = np.isin(face_key, open_key)
    against = np.isin(reverse_key, open_key)
    edges_of = np.bincount(face, minlength=len(faces))
    is_land = np.bincount(face[with_it & ~against], minlength=len(faces)) == edges_of
    is_gap = np.bincount(face[against & ~with_it], minlength=len(faces)) == edges_of
    twice = _sum_cross(start, end, face, len(faces))
    bounded = np.isin(open_key, face_key[is_land[face]])
    return (
        int(twice[is_land].sum()),
        int(twice[is_gap].sum()),
        int(is_gap.sum()),
        np.flatnonzero(~bounded),
    )
