"""Footprints: outlines laid in rows inside turned lots, made smaller until they fit."""

from __future__ import annotations

import numpy as np
import shapely
from numpy.typing import NDArray

from geodata.demo.blocks import Shapes
from geodata.demo.ground import Floats
from geodata.demo.patterns import OUTLINES, Pattern

Ints = NDArray[np.int64]

_SOUTH_TILT = np.deg2rad(28.0)  # rows face south unless the block is turned further
_MARGIN_M = 0.2
_SQUEEZE = 0.22  # rows stand up to this share of a row closer than wanted
# What is too long for a slanted edge is tried shorter: (length, depth, shift along the row).
_TRIES = (
    (1.0, 1.0, 0.0), (0.8, 1.0, 0.2), (0.8, 1.0, -0.2), (0.62, 1.0, 0.38), (0.62, 1.0, -0.38),
    (0.85, 0.78, 0.0), (0.62, 0.8, 0.3), (0.62, 0.8, -0.3), (0.42, 0.9, 0.56), (0.42, 0.9, -0.56),
)  # fmt: skip


def row_angle(shapes: Shapes, *, south: bool) -> Floats:
    """Return the direction of rows: along the block, or east-west where that is wanted."""
    corners = shapely.get_coordinates(shapely.oriented_envelope(shapes)).reshape(-1, 5, 2)
    side = corners[:, 1] - corners[:, 0]
    quarter = np.pi / 2
    # the side nearest to east-west
    angle = (np.arctan2(side[:, 1], side[:, 0]) + quarter / 2) % quarter - quarter / 2
    return np.asarray(np.where(np.abs(angle) < _SOUTH_TILT, angle, 0.0) if south else angle)


def lay_rows(
    lots: Shapes, turn: Floats, pattern: Pattern, rng: np.random.Generator
) -> tuple[Ints, Floats, Floats]:
    """Return (lot, middle, half size) of the places in rows across each lot's turned envelope."""
    low, span = _turned_bounds(lots, turn)
    pitch_x, pitch_y = pattern.pitch_m
    columns = np.maximum(1, np.rint(span[:, 0] / pitch_x)).astype(np.int64)
    gap = pitch_y - pattern.depth_m[0]
    rows = np.maximum(1, np.floor((span[:, 1] + gap) / pitch_y + _SQUEEZE)).astype(np.int64)
    places = columns * rows
    which = np.repeat(np.arange(len(lots)), places)
    order = np.arange(len(which)) - np.repeat(np.cumsum(places) - places, places)
    column, row = order % columns[which], order // columns[which]
    step = np.c_[span[:, 0] / columns, (span[:, 1] + np.where(rows > 1, gap, 0)) / rows]
    each = np.arange(len(which)) if pattern.mixed else which
    fill = rng.uniform(*pattern.fill, each.max(initial=0) + 1)[each]
    fill *= rng.uniform(0.96, 1.0, len(which))
    depth = rng.uniform(*pattern.depth_m, each.max(initial=0) + 1)[each]
    size = np.c_[
        np.minimum(step[which, 0] * fill, span[which, 0] - _MARGIN_M),
        np.minimum(depth, span[which, 1] - _MARGIN_M),
    ]
    at = low[which] + (np.c_[column, row] + 0.5) * step[which]
    at[:, 1] -= 0.5 * np.where(rows > 1, gap, 0)[which]
    return which, _turn(at, turn[which]), np.maximum(0.5 * size, 0.5)


def fit_footprints(
    lots: Shapes,
    which: Ints,
    middle: Floats,
    half: Floats,
    angle: Floats,
    outline: Ints,
    *,
    names: tuple[str, ...],
) -> tuple[Shapes, Ints]:
    """Return the footprints that stand inside their lots, and the lot of each."""
    shapely.prepare(lots)
    shapes: list[Shapes] = []
    home: list[Ints] = []
    todo = np.arange(len(which))
    for length, depth, shift in _TRIES:
        if not len(todo):
            break
        along = np.c_[np.cos(angle[todo]), np.sin(angle[todo])]
        at = middle[todo] + along * (shift * half[todo, :1])
        size = half[todo] * (length, depth)
        inside = shapely.contains(
            lots[which[todo]], draw_outlines(OUTLINES["bar"], at, size, angle[todo])
        )
        for number, name in enumerate(names):
            chosen = inside & (outline[todo] == number)
            if chosen.any():
                shapes.append(
                    draw_outlines(OUTLINES[name], at[chosen], size[chosen], angle[todo][chosen])
                )
                home.append(which[todo[chosen]])
        todo = todo[~inside]
    if not shapes:
        return np.empty(0, object), np.empty(0, np.int64)
    return np.concatenate(shapes), np.concatenate(home)


def draw_outlines(outline: Floats, middle: Floats, half: Floats, angle: Floats) -> Shapes:
    """Return an outline drawn at many places, its corners on whole decimetres."""
    x = half[:, :1] * outline[:, 0]
    y = half[:, 1:] * outline[:, 1]
    cos, sin = np.cos(angle)[:, None], np.sin(angle)[:, None]
    corners = np.stack(
        [middle[:, :1] + x * cos - y * sin, middle[:, 1:] + x * sin + y * cos], axis=2
    )
    return np.asarray(shapely.polygons(np.rint(corners * 10) / 10), object)


def _turn(xy: Floats, angle: Floats) -> Floats:
    cos, sin = np.cos(angle), np.sin(angle)
    return np.stack([xy[:, 0] * cos - xy[:, 1] * sin, xy[:, 0] * sin + xy[:, 1] * cos], axis=1)


def _turned_bounds(shapes: Shapes, turn: Floats) -> tuple[Floats, Floats]:
    """Return the low corner and the span of each shape in its own turned frame."""
    xy, index = shapely.get_coordinates(shapes, return_index=True)
    turned = _turn(xy, -turn[index])
    start = np.flatnonzero(np.diff(index, prepend=-1))
    low = np.minimum.reduceat(turned, start)
    return low, np.maximum.reduceat(turned, start) - low
