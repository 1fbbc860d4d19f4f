"""Made-up land for redrawing: blocks between bent streets, the grids and communities they make."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

import geopandas
import numpy as np
import shapely
from numpy.typing import NDArray

from geodata.coverage.edges import to_m
from geodata.redraw.adjacency import find_adjacency
from geodata.redraw.bisection import bisect_blocks, mend_labels

CRS = "EPSG:4549"
RADIUS_MM = 3_900_000.0  # a city of 48 square kilometres
CENTRE_MM = (500_000_000.0, 3_600_000_000.0)
_BEND = 0.012
_HOT_SPOTS = 12

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]


@dataclass(frozen=True, kw_only=True)
class Land:
    """Blocks (mm) with their loads, and a drawing of grids in communities made of them (m)."""

    blocks: NDArray[np.object_]
    loads: Floats
    grid: Ints  # uid of each block's grid
    community: Ints  # uid of each block's community
    frame: geopandas.GeoDataFrame


def make_land(*, blocks: int, grids: int, communities: int, seed: int = 7) -> Land:
    """Return land of about so many blocks, and exactly so many grids and communities."""
    rng = np.random.default_rng(seed)
    shapes = _cut_blocks(_make_outline(rng, blocks), blocks, rng)
    loads = _make_loads(shapes, rng)
    graph = find_adjacency(shapes)
    xy = _centres(shapes)
    even = np.ones(len(shapes))
    community = mend_labels(graph, even, bisect_blocks(graph, even, xy, communities))
    label = np.zeros(len(shapes), np.int64)
    first = 0
    for place in range(communities):
        rows = np.flatnonzero(community == place)
        share = len(rows) / len(shapes)
        count = min(max(1, round(grids * share)), len(rows))
        if place == communities - 1:
            count = min(max(1, grids - first), len(rows))
        part = graph.take(rows)
        found = mend_labels(part, loads[rows], bisect_blocks(part, loads[rows], xy[rows], count))
        label[rows] = first + found
        first += count
    return _draw_land(shapes, loads, label, community)


def _draw_land(shapes: NDArray[np.object_], loads: Floats, label: Ints, community: Ints) -> Land:
    names, grid = np.unique(label, return_inverse=True)
    over, outer = np.unique(community, return_inverse=True)
    parent = np.zeros(len(names), np.int64)
    parent[grid] = outer
    first = len(over) + 1  # communities have the uids 1 ... n, grids those behind
    unions = [
        *(shapely.coverage_union_all(shapes[outer == at]) for at in range(len(over))),
        *(shapely.coverage_union_all(shapes[grid == at]) for at in range(len(names))),
    ]
    uids = np.arange(1, len(unions) + 1)
    codes = [f"C{uid:05d}" if uid < first else f"G{uid:05d}" for uid in uids.tolist()]
    table = {
        "uid": uids,
        "code": codes,
        "name": codes,
        "level": ["community"] * len(over) + ["grid"] * len(names),
        "parent": np.concatenate([np.full(len(over), -1), parent + 1]),
        "kind": "general",
        "body": "",
        "households": math.nan,
        "population": math.nan,
    }
    whole = np.array([shapely.orient_polygons(union) for union in unions], object)
    frame = geopandas.GeoDataFrame(table, geometry=to_m(whole), crs=CRS)
    return Land(blocks=shapes, loads=loads, grid=grid + first, community=outer + 1, frame=frame)


def _make_outline(rng: np.random.Generator, blocks: int) -> Any:
    turn = np.linspace(0, 2 * math.pi, 90, endpoint=False)
    radius = 1 + 0.1 * np.sin(3 * turn + 1) + 0.06 * np.sin(7 * turn) + rng.normal(0, 0.008, 90)
    radius = radius * RADIUS_MM * math.sqrt(blocks / 5000)
    ring = np.column_stack([np.cos(turn), np.sin(turn)]) * radius[:, None] + CENTRE_MM
    return shapely.Polygon(np.rint(ring))


def _cut_blocks(outline: Any, count: int, rng: np.random.Generator) -> NDArray[np.object_]:
    """Return the faces between lines that halve the land again and again, on whole mm."""
    todo, done = [(outline, count)], []
    while todo:
        shape, parts = todo.pop()
        noded = shapely.union_all([shape.boundary, _bent_line(shape, rng)])
        pieces = shapely.get_parts(shapely.polygonize([noded]))
        if parts <= 1 or len(pieces) < 2:
            done.append(shape)
            continue
        share = shapely.area(pieces) / float(shapely.area(pieces).sum())
        todo += [
            (piece, max(1, round(parts * part)))
            for piece, part in zip(pieces, share.tolist(), strict=True)
        ]
    lines = shapely.boundary(np.array(done, object))
    noded = shapely.union_all(lines, grid_size=1.0)
    faces = shapely.get_parts(shapely.polygonize([noded]))
    return np.asarray(faces[shapely.area(faces) > 0], object)


def _bent_line(shape: Any, rng: np.random.Generator) -> Any:
    """Return a bent line across the long side of a shape, near its middle."""
    corners = shapely.get_coordinates(shapely.minimum_rotated_rectangle(shape))
    sides = corners[1:3] - corners[:2]
    far = int(np.hypot(*sides.T).argmax())
    long_, short = sides[far], sides[1 - far] * (1 if far == 0 else -1)
    start = corners[0] if far == 0 else corners[1]
    middle, tilt = rng.uniform(0.38, 0.62), rng.uniform(-0.08, 0.08)
    a = start + long_ * (middle + tilt) - short * 0.1
    b = start + long_ * (middle - tilt) + short * 1.1
    along = np.linspace(0, 1, int(rng.integers(3, 7)))[:, None]
    off = rng.normal(0, _BEND, along.shape)
    off[[0, -1]] = 0
    return shapely.LineString(a + (b - a) * along + off * long_)


def _make_loads(shapes: NDArray[np.object_], rng: np.random.Generator) -> Floats:
    """Return heavy-tailed loads: homes, denser in the middle, and cases around hot spots."""
    xy = (_centres(shapes) - CENTRE_MM) / RADIUS_MM
    area = shapely.area(shapes) / 1e6
    homes = area * rng.lognormal(math.log(0.012), 0.7, len(shapes))
    homes = np.maximum(homes * (1.8 - 1.3 * np.hypot(*xy.T)), 0)
    heat = np.full(len(shapes), 0.5)
    for spot in xy[rng.integers(0, len(xy), _HOT_SPOTS)]:
        heat += 2.5 * np.exp(-((xy - spot) ** 2).sum(axis=1) / (2 * 0.056**2))
    cases = rng.poisson(homes * 0.05 * heat)
    parts = (0.4, homes), (0.5, cases), (0.1, area)
    return sum(share * load / max(float(load.mean()), 1e-9) for share, load in parts)


def _centres(shapes: NDArray[np.object_]) -> Floats:
    return np.asarray(shapely.get_coordinates(shapely.centroid(shapes)), np.float64)
