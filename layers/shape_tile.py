"""Lines and polygons cut to one tile: clipped, rounded to tile units, tiny ones dropped."""

from __future__ import annotations

from typing import Any

import numpy as np
import shapely
from numba import njit
from numpy.typing import NDArray

from layers.layer import Tile
from layers.vector_tile import EXTENT, LINE, POLYGON, Shapes

BUFFER = 64  # tile units kept outside the edge: half the widest line, so that no end shows
_SHAPELY_KIND = {LINE: 1, POLYGON: 3}


def to_world(shapes: NDArray[np.object_]) -> NDArray[np.object_]:
    """Return shapes in degrees as web-mercator positions from 0 to 1, x east, y south."""

    def project(lonlat: NDArray[np.float64]) -> NDArray[np.float64]:
        sine = np.sin(np.radians(lonlat[:, 1]))
        y = 0.5 - np.log((1 + sine) / (1 - sine)) / (4 * np.pi)
        return np.stack([lonlat[:, 0] / 360 + 0.5, y], axis=1)

    return np.asarray(shapely.transform(shapes, project), object)


def tile_box(tile: Tile) -> tuple[float, float, float, float]:
    """Return left, top, right, bottom of a tile with its buffer, from 0 to 1."""
    side, edge = 1 << tile.z, BUFFER / EXTENT
    return (
        (tile.x - edge) / side,
        (tile.y - edge) / side,
        (tile.x + 1 + edge) / side,
        (tile.y + 1 + edge) / side,
    )


def cut_shapes(
    shapes: NDArray[np.object_], tile: Tile, *, kind: int, step: int, least_area: float = 0.0
) -> tuple[Shapes, NDArray[np.int64]]:
    """
    Return the pieces of `shapes` (0 to 1) inside a tile, and the place of each piece's origin.

    Points of one piece lie at least `step` tile units apart; rings smaller than `least_area` square
    units are dropped, with their holes. Outer rings run clockwise on screen (MVT 2.1, 4.3.4.4).
    """
    clipped = shapely.clip_by_rect(shapes, *tile_box(tile))
    pieces, origin = shapely.get_parts(clipped, return_index=True)
    fits = shapely.get_type_id(pieces) == _SHAPELY_KIND[kind]
    pieces, origin = pieces[fits], origin[fits]
    _, coords, offsets = shapely.to_ragged_array(pieces) if len(pieces) else _EMPTY_RAGGED
    rings = np.asarray(offsets[0], np.int64)
    owners = np.asarray(offsets[-1], np.int64) if kind == POLYGON else np.arange(len(rings))
    units = EXTENT * float(1 << tile.z)
    xy, starts, parts, kept = _round_pieces(
        kind == POLYGON,
        np.ascontiguousarray(coords[:, :2]),
        rings,
        owners,
        np.array([units, tile.x * float(EXTENT), tile.y * float(EXTENT)]),
        step,
        2 * least_area,
    )
    return Shapes(kind=kind, xy=xy, starts=starts, parts=parts), origin[kept]


def world_sizes(shapes: NDArray[np.object_]) -> NDArray[np.float64]:
    """Return each shape's area in square world units; infinite for lines, which never vanish."""
    areas: Any = shapely.area(shapes)
    return np.where(areas > 0, areas, np.inf)


_EMPTY_RAGGED = (None, np.empty((0, 2)), (np.zeros(1, np.int64), np.zeros(1, np.int64)))


@njit(cache=True, nogil=True)
def _round_ring(coords, low, high, frame, step, xy, at):  # type: ignore[no-untyped-def]
    """Write the points of one ring or line that are `step` apart; return the place after them."""
    start = at
    for i in range(low, high):
        x = np.int32(np.rint(coords[i, 0] * frame[0] - frame[1]))
        y = np.int32(np.rint(coords[i, 1] * frame[0] - frame[2]))
        if at > start:
            near = max(abs(x - xy[at - 1, 0]), abs(y - xy[at - 1, 1]))
            if near == 0:
                continue
            if near < step:
                if i < high - 1:
                    continue
                if at - start > 1:  # the end stays, the point before it gives way
                    at -= 1
        xy[at, 0], xy[at, 1] = x, y
        at += 1
    return at


@njit(cache=True, nogil=True)
def _twice_area(xy, low, high):  # type: ignore[no-untyped-def]
    """Return twice the signed area: above 0 is clockwise with y south."""
    total = np.int64(0)
    for i in range(low, high):
        j = i + 1 if i + 1 < high else low
        total += np.int64(xy[i, 0]) * xy[j, 1] - np.int64(xy[j, 0]) * xy[i, 1]
    return total


@njit(cache=True, nogil=True)
def _turn(xy, low, high):  # type: ignore[no-untyped-def]
    while low < high - 1:
        high -= 1
        for k in range(2):
            xy[low, k], xy[high, k] = xy[high, k], xy[low, k]
        low += 1


@njit(cache=True, nogil=True)
def _round_pieces(closed, coords, rings, owners, frame, step, least):  # type: ignore[no-untyped-def]
    """Return points, part starts, feature parts and the kept pieces."""
    xy = np.empty((len(coords), 2), np.int32)
    starts = np.zeros(len(rings), np.int64)
    parts = np.zeros(len(owners), np.int64)
    kept = np.empty(len(owners), np.int64)
    at, part, feature = 0, 0, 0
    for piece in range(len(owners) - 1):
        first_part = part
        for ring in range(owners[piece], owners[piece + 1]):
            low = at
            at = _round_ring(coords, rings[ring], rings[ring + 1], frame, step, xy, low)
            enough = at - low >= 2
            if closed:
                if at - low > 1 and xy[low, 0] == xy[at - 1, 0] and xy[low, 1] == xy[at - 1, 1]:
                    at -= 1
                area = _twice_area(xy, low, at)
                enough = at - low >= 3 and area != 0 and abs(area) >= least
                if enough and (area > 0) != (part == first_part):
                    _turn(xy, low, at)
            if enough:
                part += 1
                starts[part] = at
            else:
                at = low
                if part == first_part:  # no outer ring, no holes
                    break
        if part > first_part:
            kept[feature] = piece
            feature += 1
            parts[feature] = part
    return xy[:at], starts[: part + 1], parts[: feature + 1], kept[:feature]
