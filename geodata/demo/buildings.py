"""Buildings: shops along the streets, sports grounds, then rows of footprints inside the lots."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import shapely
from numpy.typing import NDArray

from geodata.demo.blocks import Shapes
from geodata.demo.footprints import draw_outlines, fit_footprints, lay_rows, row_angle
from geodata.demo.ground import Floats
from geodata.demo.land import LOT_EDGE_M, Land, use_of
from geodata.demo.patterns import OUTLINES, PATTERNS, Pattern
from geodata.demo.streets import RANKS, Network

_DWELLING_M2 = 112.0  # gross floor area of one household
_MIN_LOT_M2 = 90.0
_SHOP_DEPTH_M = 9.5
_SHOP_GAP_M = 9.0  # yard between the shops and the houses behind
_SHOP_LENGTH_M = 44.0  # at most, before the next gap
_FRONT_M = (24.0, 150.0)
_FRONT_RANKS = ("arterial", "collector", "local")
_TRACK_M = (172.0, 92.0)  # of a full sports ground with its 400 m track
_GARDEN_EDGE_M = 3.5

Ints = NDArray[np.int64]


@dataclass(frozen=True, slots=True, kw_only=True)
class Buildings:
    """Footprints in local metres, floors, the cell each stands in, its use and dwellings."""

    shapes: Shapes
    floors: NDArray[np.int16]
    cell: Ints
    use: NDArray[np.int8]
    households: Floats
    tracks: Shapes  # sports grounds, not buildings
    gardens: Shapes  # green between the buildings


@dataclass(frozen=True, slots=True, kw_only=True)
class _Part:
    shapes: Shapes
    cell: Ints
    floors: NDArray[np.int16]
    homes: Floats


def raise_buildings(network: Network, land: Land, rng: np.random.Generator) -> Buildings:
    """Return the buildings of every lot."""
    parts: list[_Part] = []
    tracks: list[Shapes] = []
    for name, pattern in PATTERNS.items():
        cells = np.flatnonzero((land.use == use_of(name)) & (shapely.area(land.lot) > _MIN_LOT_M2))
        if not len(cells):
            continue
        lots = land.lot[cells]
        if pattern.pitch_ground:
            ground, lots = _lay_tracks(lots)
            tracks.append(ground)
        if pattern.shops:
            shops, lots = _line_with_shops(network, lots, cells, pattern.shops, rng)
            parts.append(shops)
        parts.append(_fill(network, lots, cells, pattern, rng))
    shapes = np.concatenate([part.shapes for part in parts])
    cell = np.concatenate([part.cell for part in parts])
    floors = np.concatenate([part.floors for part in parts])
    homes = np.concatenate([part.homes for part in parts])
    households = np.floor(shapely.area(shapes) * floors * homes / _DWELLING_M2)
    low = (homes > 0) & (floors <= 3)
    households[low] = np.clip(households[low], 1, 2)
    ground = np.concatenate(tracks) if tracks else np.empty(0, object)
    return Buildings(
        shapes=shapes,
        floors=floors,
        cell=cell,
        use=land.use[cell],
        households=households,
        tracks=ground,
        gardens=_plant_gardens(land, shapes, cell, ground),
    )


def _fill(
    network: Network, lots: Shapes, cells: Ints, pattern: Pattern, rng: np.random.Generator
) -> _Part:
    """Fill lots with rows."""
    lots = shapely.buffer(lots, -pattern.setback_m, join_style="mitre")
    lots, owner = shapely.get_parts(lots, return_index=True)
    large = shapely.area(lots) > _MIN_LOT_M2
    lots, cells = lots[large], cells[owner[large]]
    if not len(lots):
        return _Part(
            shapes=np.empty(0, object), cell=cells, floors=np.empty(0, np.int16), homes=np.empty(0)
        )
    alike = pattern.south and not pattern.wobble
    turn = row_angle(_estates(network, cells) if alike else lots, south=pattern.south)
    which, middle, half = lay_rows(lots, turn, pattern, rng)
    kept = rng.random(len(which)) < pattern.keep
    which, middle, half = which[kept], middle[kept], half[kept]
    angle = turn[which] + rng.normal(0, 1, len(which)) * pattern.wobble
    unit_dice = rng.random(int(network.unit_of.max()) + 1)
    unit = network.unit_of[cells]
    # one estate was built at one time: the same outline and nearly the same height throughout
    count = len(pattern.outlines)
    own = rng.integers(0, count, len(which))
    shared = np.floor(unit_dice[unit[which]] * 7919 % count).astype(np.int64)
    outline = shared if alike and not pattern.mixed else own
    shapes, home = fit_footprints(lots, which, middle, half, angle, outline, names=pattern.outlines)
    low, high = pattern.floors
    mixed = np.clip(0.7 * unit_dice[unit[home]] + 0.3 * rng.random(len(home)), 0, 0.999)
    return _Part(
        shapes=shapes,
        cell=cells[home],
        floors=(low + np.floor(mixed * (high - low + 1))).astype(np.int16),
        homes=np.full(len(shapes), pattern.homes),
    )


def _estates(network: Network, cells: Ints) -> Shapes:
    """Return for each cell the larger block it lies in, so that all its rows run alike."""
    order = np.argsort(network.unit_of, kind="stable")
    sorted_units = network.unit_of[order]
    unit, where = np.unique(network.unit_of[cells], return_inverse=True)
    start = np.searchsorted(sorted_units, unit)
    stop = np.searchsorted(sorted_units, unit, side="right")
    estates = [
        shapely.GeometryCollection(list(network.cells[order[low:high]]))
        for low, high in zip(start, stop, strict=True)
    ]
    return np.array(estates, object)[where]


def _lay_tracks(lots: Shapes) -> tuple[Shapes, Shapes]:
    """Return a running track at one end of each lot that has room, and the lots without it."""
    turn = row_angle(lots, south=False)
    corners = shapely.get_coordinates(shapely.oriented_envelope(lots)).reshape(-1, 5, 2)
    side = np.stack([corners[:, 1] - corners[:, 0], corners[:, 2] - corners[:, 1]], axis=1)
    length = np.hypot(side[..., 0], side[..., 1])
    long_side = length.argmax(axis=1)
    rows = np.arange(len(lots))
    along = side[rows, long_side] / length[rows, long_side][:, None]
    across_m = length[rows, 1 - long_side]
    room = np.c_[0.84 * across_m, 0.42 * length[rows, long_side]]
    scale = np.minimum(1.0, np.minimum(room[:, 0] / _TRACK_M[0], room[:, 1] / _TRACK_M[1]))
    middle = (
        corners[:, :4].mean(axis=1)
        + along * (0.5 * length.max(axis=1) - 0.25 * length.max(axis=1))[:, None]
    )
    angle = np.arctan2(along[:, 1], along[:, 0]) + np.pi / 2
    size = 0.5 * scale[:, None] * np.array(_TRACK_M)
    core = draw_outlines(
        OUTLINES["bar"], middle, np.c_[size[:, 0] - size[:, 1], np.full(len(size), 0.4)], angle
    )
    track = shapely.buffer(core, size[:, 1] - 0.4, quad_segs=6)
    fits = shapely.contains(lots, track) & (scale > 0.3) & np.isfinite(turn)
    rest = lots.copy()
    rest[fits] = shapely.difference(
        lots[fits], shapely.buffer(track[fits], 5.0, join_style="mitre")
    )
    return track[fits], rest


def _line_with_shops(
    network: Network, lots: Shapes, cells: Ints, share: float, rng: np.random.Generator
) -> tuple[_Part, Shapes]:
    """Return rows of shops along street fronts, and the lots left behind them."""
    lot, start, end = _street_fronts(network, lots, share, rng)
    along = end - start
    length = np.hypot(*along.T)
    along /= length[:, None]
    inward = np.c_[-along[:, 1], along[:, 0]]  # lots are counter-clockwise
    pieces = np.ceil(length / _SHOP_LENGTH_M).astype(np.int64)
    which = np.repeat(np.arange(len(lot)), pieces)
    order = np.arange(len(which)) - np.repeat(np.cumsum(pieces) - pieces, pieces)
    step = (length / pieces)[which]
    at = start[which] + along[which] * ((order + 0.5) * step)[:, None]
    middle = at + inward[which] * (0.5 * _SHOP_DEPTH_M + 0.6)
    half = np.c_[0.5 * (step - 6.0), np.full(len(which), 0.5 * _SHOP_DEPTH_M)]
    angle = np.arctan2(along[:, 1], along[:, 0])[which]
    boxes = draw_outlines(OUTLINES["bar"], middle, half, angle)
    home = lot[which]
    shapely.prepare(lots)
    fits = shapely.contains(lots[home], boxes) & ~_meets_earlier(boxes, home)
    boxes, home = boxes[fits], home[fits]
    rest = lots.copy()
    taken = _union_by(shapely.buffer(boxes, _SHOP_GAP_M, join_style="mitre"), home)
    for one, shape in taken.items():
        rest[one] = shapely.difference(lots[one], shape)
    floors = rng.integers(1, 4, len(boxes)).astype(np.int16)
    return (
        _Part(shapes=boxes, cell=cells[home], floors=floors, homes=np.zeros(len(boxes))),
        rest,
    )


def _street_fronts(
    network: Network, lots: Shapes, share: float, rng: np.random.Generator
) -> tuple[Ints, Floats, Floats]:
    """Return (lot, start, end) of straight lot edges along streets that get shops."""
    rings = shapely.get_exterior_ring(shapely.orient_polygons(shapely.simplify(lots, 2.0)))
    xy, index = shapely.get_coordinates(rings, return_index=True)
    same = index[1:] == index[:-1]
    start, end, lot = xy[:-1][same], xy[1:][same], index[1:][same]
    length = np.hypot(*(end - start).T)
    fits = (length > _FRONT_M[0]) & (length < _FRONT_M[1]) & (rng.random(len(lot)) < share)
    start, end, lot = start[fits], end[fits], lot[fits]
    ranks = [RANKS.index(name) for name in _FRONT_RANKS]
    streets = np.flatnonzero(np.isin(network.lines.rank, ranks))
    middle = shapely.points((start + end) / 2)
    near, gap = shapely.STRtree(network.lines.shapes[streets]).query_nearest(
        middle, return_distance=True, all_matches=False
    )
    edge = np.array([LOT_EDGE_M.get(name, 0.0) for name in RANKS])
    front = gap < edge[network.lines.rank[streets[near[1]]]] + 4.0
    return lot[front], start[front], end[front]


def _meets_earlier(boxes: Shapes, home: Ints) -> NDArray[np.bool_]:
    """Tell which boxes meet an earlier one of the same lot."""
    one, other = shapely.STRtree(boxes).query(boxes, predicate="intersects")
    meets = np.zeros(len(boxes), bool)
    meets[one[(other < one) & (home[one] == home[other])]] = True
    return meets


def _union_by(shapes: Shapes, group: Ints) -> dict[int, shapely.Geometry]:
    order = np.argsort(group, kind="stable")
    start = np.flatnonzero(np.diff(group[order], prepend=-1))
    return {
        int(group[run[0]]): shapely.union_all(shapes[run])
        for run in np.split(order, start[1:])
        if len(run)
    }


def _plant_gardens(land: Land, shapes: Shapes, cell: Ints, tracks: Shapes) -> Shapes:
    """Return the green between the buildings of uses that have gardens, and on empty lots."""
    green = [use_of(name) for name, pattern in PATTERNS.items() if pattern.garden]
    bare = [use_of(name) for name in ("park", "field", "pond")]
    empty = (np.bincount(cell, minlength=len(land.lot)) == 0) & ~np.isin(land.use, bare)
    large = shapely.area(land.lot) > 4 * _MIN_LOT_M2
    cells = np.flatnonzero((np.isin(land.use, green) | empty) & large)
    ground = shapely.buffer(land.lot[cells], -1.0, join_style="mitre")
    place = np.full(len(land.lot), -1, np.int64)
    place[cells] = np.arange(len(cells))
    built = place[cell] >= 0
    lawn, track = shapely.STRtree(tracks).query(ground, predicate="intersects")
    hard = np.r_[
        shapely.buffer(shapes[built], _GARDEN_EDGE_M, join_style="mitre"),
        shapely.buffer(tracks[track], _GARDEN_EDGE_M, quad_segs=2),
    ]
    taken = _union_by(hard, np.r_[place[cell[built]], lawn])
    for one, shape in taken.items():
        ground[one] = shapely.difference(ground[one], shape)
    planted: Shapes = ground[~shapely.is_empty(ground)]
    return planted
