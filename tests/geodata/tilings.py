"""Made-up tilings in whole millimetres, and faults planted in them at known places and sizes."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise

import geopandas as gpd
import numpy as np
import shapely

CRS = "EPSG:4549"
ORIGIN_M = (500_000.0, 3_600_000.0)
SPACING_M = 100.0


def frame(polygons: Sequence[object], **columns: object) -> gpd.GeoDataFrame:
    """Return grids with codes 000, 001, … unless `code` is given."""
    codes = columns.pop("code", [f"{row:03d}" for row in range(len(polygons))])
    return gpd.GeoDataFrame({"code": codes, **columns}, geometry=list(polygons), crs=CRS)


def square(west: float, south: float, east: float, north: float) -> shapely.Polygon:
    """Return a rectangle in metres from the tilings' origin."""
    x, y = ORIGIN_M
    return shapely.box(x + west, y + south, x + east, y + north)


def twice_area_mm2(polygons_mm: Sequence[shapely.Geometry]) -> list[int]:
    """Return twice the area of each polygon by the shoelace, in whole numbers of any length."""
    return [sum(map(_twice_area, shapely.get_parts(polygon))) for polygon in polygons_mm]


def _twice_area(polygon: shapely.Polygon) -> int:
    rings = [[tuple(map(int, xy)) for xy in ring.coords] for ring in shapely.get_rings(polygon)]
    areas = [abs(sum(x0 * y1 - x1 * y0 for (x0, y0), (x1, y1) in pairwise(ring))) for ring in rings]
    return 2 * areas[0] - sum(areas) if areas else 0


@dataclass(frozen=True)
class Edge:
    """The line between two cells, walked with `cell` on the left."""

    cell: int
    beside: int
    at: int  # place of its start in the cell's ring


class Tiling:
    """Rows x columns four-sided cells with jittered corners; rings are lists of mm corners."""

    def __init__(self, rows: int, columns: int, *, seed: int, jitter_m: float = 20.0) -> None:
        rng = np.random.default_rng(seed)
        span = int(jitter_m * 1000)
        step = int(SPACING_M * 1000)
        offset = rng.integers(-span, span + 1, size=(rows + 1, columns + 1, 2))
        y, x = np.mgrid[0 : rows + 1, 0 : columns + 1] * step
        origin = np.array(ORIGIN_M) * 1000
        corner = np.stack([x, y], axis=-1) + offset + origin.astype(int)
        self.columns = columns
        self.rings = [
            [corner[r, c], corner[r, c + 1], corner[r + 1, c + 1], corner[r + 1, c]]
            for r in range(rows)
            for c in range(columns)
        ]
        self._corners = [list(ring) for ring in self.rings]

    def inner_edges(self) -> list[Edge]:
        """Return every line between two cells once, from the cell south or west of it."""
        edges = []
        for cell in range(len(self.rings)):
            if (cell + 1) % self.columns:
                edges.append(Edge(cell, cell + 1, 1))
            if cell + self.columns < len(self.rings):
                edges.append(Edge(cell, cell + self.columns, 2))
        return edges

    def plant(self, edge: Edge, depth_mm: int) -> float:
        """
        Push the middle of one cell's side of a line; return the area of the triangle in m2.

        A positive depth pushes it into the cell (a gap), a negative one into the other (overlap).
        """
        ring = self.rings[edge.cell]
        first = self._corners[edge.cell][edge.at]
        start = next(place for place, point in enumerate(ring) if point is first)
        p, q = ring[start], ring[(start + 1) % len(ring)]
        along = (q - p).astype(float)
        inward = np.array([-along[1], along[0]]) / np.hypot(*along)
        middle = np.rint((p + q) / 2 + inward * depth_mm).astype(int)
        ring.insert(start + 1, middle)
        u, v = q - p, middle - p
        return abs(int(u[0]) * int(v[1]) - int(u[1]) * int(v[0])) / 2e6

    def frame(self, **columns: object) -> gpd.GeoDataFrame:
        """Return the tiling as grids in metres."""
        polygons = [shapely.Polygon(np.array(ring) / 1000) for ring in self.rings]
        return frame(polygons, **columns)


def voronoi(count: int, *, seed: int, size_m: float = 1000.0) -> list[shapely.Polygon]:
    """Return Voronoi cells clipped to a square, corners in floating point."""
    rng = np.random.default_rng(seed)
    places = rng.uniform(0, size_m, size=(count, 2)) + np.array(ORIGIN_M)
    area = square(0, 0, size_m, size_m)
    cells = shapely.voronoi_polygons(shapely.multipoints(places), extend_to=area)
    clipped = shapely.intersection(shapely.get_parts(cells), area)
    return [cell for cell in clipped if cell.area > 1]


def shake(polygons: Sequence[shapely.Polygon], *, by_m: float, seed: int) -> list[shapely.Polygon]:
    """Return polygons whose corners each moved by up to `by_m`, not the same way as beside them."""
    rng = np.random.default_rng(seed)

    def move(xy: np.ndarray) -> np.ndarray:
        shift = rng.uniform(-by_m, by_m, size=(len(xy) - 1, 2))
        return xy + np.vstack([shift, shift[:1]])

    return [shapely.Polygon(move(shapely.get_coordinates(polygon))) for polygon in polygons]
