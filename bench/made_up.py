"""Made-up grids and places for benchmarks: seeded, seamless, irregular, in whole millimetres."""

from __future__ import annotations

import numpy as np
import shapely
from numpy.typing import NDArray
from scipy.spatial import Voronoi, cKDTree

EXTENT_MM = 7_000_000.0  # 49 square kilometres
ORIGIN_MM = (504_000_000.0, 3_590_000_000.0)  # in a CGCS2000 3-degree zone
_SPARE = 1.7  # sites made per grid wanted; those outside the city only close the outer grids
_BEND = 0.5
_SHORTEST_BENT_MM = 2_000.0
_HOT_SPOTS = 400
_BACKGROUND = 0.2

Floats = NDArray[np.float64]


def make_grids(count: int, *, seed: int = 7) -> NDArray[np.object_]:
    """
    Return `count` grids without gap or overlap, in millimetres, neighbours sharing every vertex.

    Voronoi cells whose edges are bent at 8 to 20 places. A bent edge stays inside the triangle of
    its straight form and one of the two sites beside it, which no other edge enters: so no two
    edges cross, whatever the seed.
    """
    rng = np.random.default_rng(seed)
    sites = _spread_sites(int(count * _SPARE) + 16, rng)
    cells = Voronoi(sites)
    heading = np.arctan2(*(sites - 0.5).T)
    outline = 1 + 0.12 * np.sin(3 * heading) + 0.08 * np.cos(5 * heading)
    chosen = np.argsort(np.hypot(*(sites - 0.5).T) / outline)[:count]
    scale = EXTENT_MM / np.ptp(sites[chosen], axis=0).max()
    corners = cells.vertices * scale
    bent = {}
    for (one, two), (a, b) in zip(cells.ridge_points, cells.ridge_vertices, strict=True):
        if min(a, b) >= 0:
            site = sites[rng.choice([one, two])] * scale
            bent[a, b] = _bend(corners[a], corners[b], site, rng)
            bent[b, a] = bent[a, b][::-1]
    grids = []
    for cell in chosen:
        ring = cells.regions[cells.point_region[cell]]
        parts = [bent[a, b][:-1] for a, b in zip(ring, [*ring[1:], ring[0]], strict=True)]
        grids.append(shapely.Polygon(np.rint(np.vstack(parts) + ORIGIN_MM)))
    made = np.array(grids, dtype=object)
    if not shapely.is_valid(made).all():
        msg = f"seed {seed} makes edges so short that millimetres are too coarse for them"
        raise ValueError(msg)
    return made


def make_cells(side: int, *, side_mm: float) -> NDArray[np.object_]:
    """Return `side` x `side` square cells along the axes, as statistics offices draw them."""
    x, y = (values.ravel() * side_mm for values in np.meshgrid(*[np.arange(float(side))] * 2))
    x, y = x + ORIGIN_MM[0], y + ORIGIN_MM[1]
    return np.asarray(shapely.box(x, y, x + side_mm, y + side_mm), dtype=object)


def make_points(count: int, grids: NDArray[np.object_], *, seed: int = 11) -> tuple[Floats, Floats]:
    """Return x and y of places in hot spots of very different size over a thin background."""
    rng = np.random.default_rng(seed)
    corners = shapely.get_coordinates(grids)
    size = np.ptp(corners, axis=0)
    centre = corners[rng.integers(0, len(corners), _HOT_SPOTS)]
    weight = rng.pareto(1.2, _HOT_SPOTS) + 0.1
    spot = rng.choice(_HOT_SPOTS, count, p=weight / weight.sum())
    width = rng.uniform(0.002, 0.02, _HOT_SPOTS)
    places = centre[spot] + rng.standard_normal((count, 2)) * width[spot, None] * size
    thin = np.flatnonzero(rng.random(count) < _BACKGROUND)
    near = corners[rng.integers(0, len(corners), len(thin))]
    places[thin] = near + rng.uniform(-0.02, 0.02, (len(thin), 2)) * size
    return np.ascontiguousarray(places[:, 0]), np.ascontiguousarray(places[:, 1])


def _spread_sites(count: int, rng: np.random.Generator) -> Floats:
    """Return random sites of the unit square, pushed apart a little so that no cell is a crumb."""
    sites = rng.random((count, 2))
    for _ in range(4):
        distance, nearest = cKDTree(sites).query(sites, k=2)
        away = sites - sites[nearest[:, 1]]
        push = 0.3 / np.sqrt(count) / np.maximum(distance[:, 1:], 1e-9)
        sites = np.clip(sites + away * np.minimum(push, 0.5), 0, 1)
    return sites


def _bend(a: Floats, b: Floats, site: Floats, rng: np.random.Generator) -> Floats:
    if np.hypot(*(b - a)) < _SHORTEST_BENT_MM:
        return np.array([a, b])
    along = np.linspace(0, 1, int(rng.integers(8, 21)))[:, None]
    out = rng.random(along.shape) * np.minimum(along, 1 - along) * _BEND
    return a + along * (b - a) + out * (site - (a + b) / 2)
