"""Buildings: rows of footprints inside the lots, each use with its own pattern and heights."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import shapely
from numpy.typing import NDArray

from geodata.demo.ground import Floats
from geodata.demo.land import USES, Land, use_of
from geodata.demo.streets import Network, Shapes

_DWELLING_M2 = 118.0  # gross floor area of one household
_SOUTH_TILT = np.deg2rad(28.0)  # slabs face south unless the block is turned further
_MIN_LOT_M2 = 90.0
_INSIDE_M = 0.2

Ints = NDArray[np.int64]


@dataclass(frozen=True, slots=True, kw_only=True)
class Pattern:
    """How buildings of one use stand: pitch and footprint in metres, heights in floors."""

    setback_m: float
    pitch_x_m: float  # wanted distance between columns, along the rows
    pitch_y_m: float  # wanted distance between rows
    fill_x: tuple[float, float]  # share of the pitch that is built
    depth_m: tuple[float, float]
    floors: tuple[int, int]
    keep: float  # share of places that are built
    south: bool  # rows face south
    wobble: float = 0.0  # radians
    homes: float = 1.0  # share of the floor area that is dwellings


PATTERNS: dict[str, Pattern] = {
    "old_town": Pattern(setback_m=0.8, pitch_x_m=13, pitch_y_m=12.5, fill_x=(0.8, 0.97), depth_m=(8, 11.5), floors=(1, 3), keep=0.9, south=False, wobble=0.04, homes=0.8),
    "estate_old": Pattern(setback_m=1.5, pitch_x_m=62, pitch_y_m=23, fill_x=(0.84, 0.92), depth_m=(10.5, 12), floors=(5, 7), keep=0.98, south=True),
    "estate_mid": Pattern(setback_m=2, pitch_x_m=68, pitch_y_m=34, fill_x=(0.74, 0.86), depth_m=(13, 15), floors=(9, 12), keep=0.97, south=True),
    "estate_high": Pattern(setback_m=2, pitch_x_m=46, pitch_y_m=43, fill_x=(0.56, 0.7), depth_m=(15, 18), floors=(18, 33), keep=0.94, south=True),
    "villas": Pattern(setback_m=3, pitch_x_m=22, pitch_y_m=25, fill_x=(0.6, 0.75), depth_m=(11, 13), floors=(2, 3), keep=0.92, south=True, wobble=0.04),
    "village": Pattern(setback_m=4, pitch_x_m=16, pitch_y_m=23, fill_x=(0.62, 0.86), depth_m=(8, 10.5), floors=(2, 3), keep=0.74, south=True, wobble=0.06),
    "commerce": Pattern(setback_m=3, pitch_x_m=70, pitch_y_m=62, fill_x=(0.74, 0.88), depth_m=(36, 48), floors=(3, 6), keep=0.97, south=False, homes=0.0),
    "office": Pattern(setback_m=3, pitch_x_m=56, pitch_y_m=52, fill_x=(0.5, 0.7), depth_m=(26, 36), floors=(12, 42), keep=0.95, south=False, homes=0.1),
    "public": Pattern(setback_m=6, pitch_x_m=64, pitch_y_m=42, fill_x=(0.6, 0.8), depth_m=(15, 20), floors=(4, 9), keep=0.85, south=True, homes=0.0),
    "school": Pattern(setback_m=4, pitch_x_m=60, pitch_y_m=30, fill_x=(0.66, 0.84), depth_m=(12, 14), floors=(3, 5), keep=0.85, south=True, homes=0.0),
    "hospital": Pattern(setback_m=6, pitch_x_m=62, pitch_y_m=42, fill_x=(0.7, 0.9), depth_m=(18, 25), floors=(5, 16), keep=0.9, south=True, homes=0.0),
    "market": Pattern(setback_m=4, pitch_x_m=88, pitch_y_m=31, fill_x=(0.84, 0.94), depth_m=(19, 23), floors=(1, 2), keep=0.97, south=False, homes=0.0),
    "campus": Pattern(setback_m=18, pitch_x_m=92, pitch_y_m=60, fill_x=(0.5, 0.8), depth_m=(17, 26), floors=(4, 9), keep=0.66, south=True, homes=0.12),
    "station": Pattern(setback_m=14, pitch_x_m=230, pitch_y_m=120, fill_x=(0.75, 0.85), depth_m=(48, 62), floors=(2, 3), keep=1.0, south=False, homes=0.0),
    "logistics": Pattern(setback_m=8, pitch_x_m=110, pitch_y_m=54, fill_x=(0.78, 0.92), depth_m=(30, 38), floors=(1, 2), keep=0.9, south=False, homes=0.0),
    "sports": Pattern(setback_m=16, pitch_x_m=150, pitch_y_m=110, fill_x=(0.5, 0.6), depth_m=(60, 80), floors=(2, 3), keep=0.6, south=True, homes=0.0),
    "industry": Pattern(setback_m=5, pitch_x_m=88, pitch_y_m=46, fill_x=(0.66, 0.92), depth_m=(24, 36), floors=(1, 3), keep=0.9, south=False, homes=0.0),
    "park": Pattern(setback_m=20, pitch_x_m=90, pitch_y_m=90, fill_x=(0.1, 0.16), depth_m=(8, 12), floors=(1, 1), keep=0.25, south=False, homes=0.0),
    "field": Pattern(setback_m=12, pitch_x_m=70, pitch_y_m=80, fill_x=(0.14, 0.2), depth_m=(8, 10), floors=(1, 2), keep=0.1, south=True),
}  # fmt: skip


@dataclass(frozen=True, slots=True, kw_only=True)
class Buildings:
    """Footprints in local metres, floors, the cell each stands in, its dwellings."""

    shapes: Shapes
    floors: NDArray[np.int16]
    cell: Ints
    use: NDArray[np.int8]
    households: Floats


def raise_buildings(network: Network, land: Land, rng: np.random.Generator) -> Buildings:
    """Return the buildings of every lot."""
    parts = []
    for name, pattern in PATTERNS.items():
        cells = np.flatnonzero((land.use == use_of(name)) & (shapely.area(land.lot) > _MIN_LOT_M2))
        if len(cells):
            parts.append(_fill(network, land, cells, pattern, rng))
    shapes = np.concatenate([part[0] for part in parts])
    cell = np.concatenate([part[1] for part in parts])
    floors = np.concatenate([part[2] for part in parts])
    use = land.use[cell]
    share = np.array([PATTERNS[name].homes if name in PATTERNS else 0.0 for name in USES])[use]
    households = np.floor(shapely.area(shapes) * floors * share / _DWELLING_M2)
    low = (share > 0) & (floors <= 3)
    households[low] = np.minimum(np.maximum(households[low], 1), 2)
    return Buildings(shapes=shapes, floors=floors, cell=cell, use=use, households=households)


def _fill(
    network: Network, land: Land, cells: Ints, pattern: Pattern, rng: np.random.Generator
) -> tuple[Shapes, Ints, NDArray[np.int16]]:
    lots = shapely.buffer(land.lot[cells], -pattern.setback_m, join_style="mitre")
    lots, owner = shapely.get_parts(lots, return_index=True)
    large = shapely.area(lots) > _MIN_LOT_M2
    lots, cells = lots[large], cells[owner[large]]
    if not len(lots):
        return np.empty(0, object), cells, np.empty(0, np.int16)
    turn = _row_angle(_shared_frame(network, cells, lots, pattern), south=pattern.south)
    which, middle, size = _lattice(lots, turn, pattern, rng)
    keep = rng.random(len(which)) < pattern.keep
    which, middle, size = which[keep], middle[keep], size[keep]
    angle = turn[which] + rng.normal(0, 1, len(which)) * pattern.wobble
    shapely.prepare(lots)
    boxes = _boxes(middle, size, angle)
    fits = shapely.contains(lots[which], boxes)
    shapes, home = [boxes[fits]], [which[fits]]
    for side in (-0.25, 0.25):  # what is too long for a slanted edge is built half as long
        shift = side * size[~fits, 0]
        half = middle[~fits] + np.c_[np.cos(angle[~fits]), np.sin(angle[~fits])] * shift[:, None]
        boxes = _boxes(half, size[~fits] * (0.46, 1.0), angle[~fits])
        inside = shapely.contains(lots[which[~fits]], boxes)
        shapes.append(boxes[inside])
        home.append(which[~fits][inside])
    where = np.concatenate(home)
    unit = network.unit_of[cells[where]]
    low, high = pattern.floors
    common = rng.random(int(network.unit_of.max()) + 1)[unit]
    mixed = np.clip(0.7 * common + 0.3 * rng.random(len(where)), 0, 0.999)
    floors = (low + np.floor(mixed * (high - low + 1))).astype(np.int16)
    return np.concatenate(shapes), cells[where], floors


def _shared_frame(network: Network, cells: Ints, lots: Shapes, pattern: Pattern) -> Shapes:
    """Return the shapes that give the rows their direction: the estate's, or each lot's own."""
    if not pattern.south or pattern.wobble:
        return lots
    unit, where = np.unique(network.unit_of[cells], return_inverse=True)
    order = np.argsort(network.unit_of, kind="stable")
    start = np.searchsorted(network.unit_of[order], unit)
    stop = np.searchsorted(network.unit_of[order], unit, side="right")
    estates = np.array(
        [
            shapely.GeometryCollection(list(network.cells[order[low:high]]))
            for low, high in zip(start, stop, strict=True)
        ],
        object,
    )
    return estates[where]


def _row_angle(lots: Shapes, *, south: bool) -> Floats:
    """Return the direction of the rows: along the block, or east-west where that is wanted."""
    corners = shapely.get_coordinates(shapely.oriented_envelope(lots)).reshape(-1, 5, 2)
    side = corners[:, 1] - corners[:, 0]
    angle = np.arctan2(side[:, 1], side[:, 0])
    quarter = np.pi / 2
    angle = (angle + quarter / 2) % quarter - quarter / 2  # the side nearest to east-west
    if south:
        return np.where(np.abs(angle) < _SOUTH_TILT, angle, 0.0)
    return angle


def _lattice(
    lots: Shapes, turn: Floats, pattern: Pattern, rng: np.random.Generator
) -> tuple[Ints, Floats, Floats]:
    """Return (lot, middle, size) of the places in rows that fit each lot's turned envelope."""
    xy, index = shapely.get_coordinates(lots, return_index=True)
    cos, sin = np.cos(turn), np.sin(turn)
    turned = np.c_[
        xy[:, 0] * cos[index] + xy[:, 1] * sin[index],
        -xy[:, 0] * sin[index] + xy[:, 1] * cos[index],
    ]
    start = np.flatnonzero(np.diff(index, prepend=-1))
    low = np.minimum.reduceat(turned, start)
    span = np.maximum.reduceat(turned, start) - low
    columns = np.maximum(1, np.rint(span[:, 0] / pattern.pitch_x_m)).astype(np.int64)
    gap = pattern.pitch_y_m - pattern.depth_m[0]
    rows = np.maximum(1, np.floor((span[:, 1] + gap) / pattern.pitch_y_m)).astype(np.int64)
    pitch_x = span[:, 0] / columns
    pitch_y = (span[:, 1] + np.where(rows > 1, gap, 0)) / rows
    which = np.repeat(np.arange(len(lots)), columns * rows)
    order = np.arange(len(which)) - np.repeat(
        np.cumsum(columns * rows) - columns * rows, columns * rows
    )
    column, row = order % columns[which], order // columns[which]
    fill = rng.uniform(*pattern.fill_x, len(lots))[which] * rng.uniform(0.96, 1.0, len(which))
    depth = rng.uniform(*pattern.depth_m, len(lots))[which]
    depth = np.minimum(depth, span[which, 1] - _INSIDE_M)
    size = np.c_[np.minimum(pitch_x[which] * fill, span[which, 0] - _INSIDE_M), depth]
    inner_gap = np.where(rows > 1, gap, 0)[which]
    at_x = low[which, 0] + (column + 0.5) * pitch_x[which]
    at_y = low[which, 1] + (row + 0.5) * pitch_y[which] - 0.5 * inner_gap
    c, s = cos[which], sin[which]
    return which, np.c_[at_x * c - at_y * s, at_x * s + at_y * c], size


def _boxes(middle: Floats, size: Floats, angle: Floats) -> Shapes:
    """Return rectangles, their corners on whole decimetres."""
    half = 0.5 * size
    cos, sin = np.cos(angle)[:, None], np.sin(angle)[:, None]
    dx = half[:, :1] * np.array([-1, 1, 1, -1])
    dy = half[:, 1:] * np.array([-1, -1, 1, 1])
    x = middle[:, :1] + dx * cos - dy * sin
    y = middle[:, 1:] + dx * sin + dy * cos
    return np.asarray(shapely.polygons(np.rint(np.stack([x, y], axis=2) * 10) / 10), object)
