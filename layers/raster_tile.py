"""Heat pictures: count Morton-ordered points, blur, tone, and write a small PNG."""

from __future__ import annotations

import math
import struct
import zlib
from dataclasses import dataclass

import numpy as np
from numba import njit
from numpy.typing import NDArray

from geodata.snapshot import Snapshot, interleave
from layers.layer import Theme, Tile
from layers.palette import HEAT_LEVELS, heat_palette

CELLS = 256  # a side; drawn over 512 screen pixels: a blur hides the rest
PX_PER_CELL = 2
BOXES = 3  # three running means come within 3 % of a Gaussian's peak
GAMMA = 0.65  # tone = (density / full) ** GAMMA: thin streets stay visible beside hot spots
_WORLD_BITS = 32
_EARTH_M = 2 * math.pi * 6_378_137.0
_MEASURED_CELLS = 2048  # the widest raster on which the full colour is measured
_MEASURED_POINTS = 1_000_000
_FULL_QUANTILE = 0.99  # of the cells where something happened
_LEAST_INCIDENTS = 3  # full colour is never reached by fewer incidents in one place
_ROUND = (1.0, 1.5, 2.0, 3.0, 4.0, 5.0, 6.0, 8.0, 10.0)


@dataclass(frozen=True, slots=True, kw_only=True)
class HeatScale:
    """The density at full colour by tile zoom, in incidents per hectare on the ground."""

    per_ha: dict[int, float]
    latitude: float
    sigma_px: float

    def full(self, z: int, share: float = 1.0) -> float:
        """
        Return the density at full colour, incidents per hectare.

        A filter that lets a `share` of all incidents through scales it by that share, rounded to a
        power of two: all tiles agree, and two days or two months are drawn alike.
        """
        step = 2.0 ** round(math.log2(share)) if share > 0 else 1.0
        peak = _kernel_peak(_box_widths(self.sigma_px / PX_PER_CELL))
        least = _LEAST_INCIDENTS * peak / cell_ha(z, self.latitude)
        return round_up(max(self.per_ha[z] * step, least))


def round_up(figure: float) -> float:
    """Return the next number of one or two digits that reads well."""
    if figure <= 0:
        return 1.0
    ten = 10.0 ** math.floor(math.log10(figure))
    return float(f"{next(r for r in _ROUND if r * ten >= figure * (1 - 1e-9)) * ten:.6g}")


def cell_ha(z: int, latitude: float) -> float:
    """Return the ground area of one cell of a tile at zoom `z`, in hectares."""
    side_m = _EARTH_M / (CELLS << z) * math.cos(math.radians(latitude))
    return side_m * side_m / 10_000


def count_cells(
    points: Snapshot,
    tile: Tile,
    *,
    mask: NDArray[np.bool_],
    allowed: NDArray[np.bool_] | None = None,
    pad: int = 0,
) -> NDArray[np.float64]:
    """
    Count the points of a tile in 256 x 256 cells, and `pad` cells around it.

    Only the slices of the tile and of the strips beside it are read. `mask`: which rows count;
    `allowed` is looked up at `owner + 1`. Whole numbers, so that sums stay exact.
    """
    starts, ends = _slices(points.morton[: points.placed], tile, pad)
    out = np.zeros((CELLS + 2 * pad, CELLS + 2 * pad), np.float64)
    shift = _WORLD_BITS - tile.z - 8
    _count(
        points.tile_x, points.tile_y, points.owner, mask,
        np.empty(0, np.bool_) if allowed is None else allowed,
        starts, ends, tile.x * CELLS - pad, tile.y * CELLS - pad, shift, out,
    )  # fmt: skip
    return out


def blur_cells(counts: NDArray[np.float64], *, sigma_cells: float) -> NDArray[np.float64]:
    """Return points per cell after the blur, smaller by `blur_pad` on every side."""
    widths = _box_widths(sigma_cells)
    blurred = counts
    for width in widths:
        blurred = _box_rows(blurred, width)
    for width in widths:
        blurred = _box_columns(blurred, width)
    # Sums of whole numbers are exact in float64, so two tiles agree on a cell to the last bit.
    return blurred / float(np.prod(np.square(np.asarray(widths, np.float64))))


def blur_pad(sigma_cells: float) -> int:
    """Return how many cells around a tile its blur needs."""
    return sum(width - 1 for width in _box_widths(sigma_cells)) // 2


def draw_heat(
    points: Snapshot,
    tile: Tile,
    *,
    mask: NDArray[np.bool_],
    scale: HeatScale,
    theme: Theme,
    allowed: NDArray[np.bool_] | None = None,
) -> bytes | None:
    """
    Draw one heat tile as a PNG of 256 x 256 cells with 64 levels; None when nothing shows.

    The colour at full tone is `scale.full(z, share)` incidents per hectare, the share being that of
    `mask`: the same for all tiles of one zoom and filter.
    """
    sigma_cells = scale.sigma_px / PX_PER_CELL
    counts = count_cells(points, tile, mask=mask, allowed=allowed, pad=blur_pad(sigma_cells))
    if not counts.any():
        return None
    share = np.count_nonzero(mask) / max(points.n, 1)
    full = scale.full(tile.z, share) * cell_ha(tile.z, scale.latitude)
    levels = _tone(blur_cells(counts, sigma_cells=sigma_cells), full)
    return write_png(levels, *heat_palette(theme)) if levels.any() else None


def measure_scale(
    points: Snapshot, *, latitude: float, sigma_px: float, minzoom: int, maxzoom: int
) -> HeatScale:
    """
    Measure the density at full colour for each zoom over all incidents, unfiltered.

    Full is the 99th percentile of the blurred density over cells where something happened, so one
    overloaded address does not pale the rest. Of a city wider than 2,048 cells the middle is
    measured: that many around the median incident.
    """
    step = max(1, points.placed // _MEASURED_POINTS)
    x, y = points.tile_x[: points.placed : step], points.tile_y[: points.placed : step]
    per_ha = {
        z: _dense_level(x, y, z, sigma_px / PX_PER_CELL) * step / cell_ha(z, latitude)
        for z in range(minzoom, maxzoom + 1)
    }
    return HeatScale(per_ha=per_ha, latitude=latitude, sigma_px=sigma_px)


def write_png(levels: NDArray[np.uint8], colors: bytes, opacity: bytes) -> bytes:
    """Write a palette PNG (RFC 2083) with an opacity a level; the last axis is x."""
    height, width = levels.shape
    rows = np.zeros((height, width + 1), np.uint8)  # each row led by filter 0
    rows[:, 1:] = levels
    header = struct.pack(">IIBBBBB", width, height, 8, 3, 0, 0, 0)
    parts = (b"IHDR", header), (b"PLTE", colors), (b"tRNS", opacity), (b"IDAT", _deflate(rows))
    return b"\x89PNG\r\n\x1a\n" + b"".join(_chunk(*part) for part in (*parts, (b"IEND", b"")))


def _deflate(rows: NDArray[np.uint8]) -> bytes:
    return zlib.compress(rows.tobytes(), 6)


def _chunk(name: bytes, body: bytes) -> bytes:
    return struct.pack(">I", len(body)) + name + body + struct.pack(">I", zlib.crc32(name + body))


def _dense_level(x: NDArray[np.uint32], y: NDArray[np.uint32], z: int, sigma_cells: float) -> float:
    """Return the full level in points per cell; 0 without points."""
    if not len(x):
        return 0.0
    shift = _WORLD_BITS - z - 8
    pad = blur_pad(sigma_cells)
    (left, wide), (top, high) = (_measured_span(axis, shift) for axis in (x, y))
    counts = np.zeros((high + 2 * pad, wide + 2 * pad), np.float64)
    every = np.empty(0, np.bool_), np.empty(0, np.bool_)
    whole = np.array([0]), np.array([len(x)])
    _count(x, y, np.empty(0, np.int32), *every, *whole, left - pad, top - pad, shift, counts)
    happened = counts[pad : pad + high, pad : pad + wide] > 0
    return float(np.quantile(blur_cells(counts, sigma_cells=sigma_cells)[happened], _FULL_QUANTILE))


def _measured_span(axis: NDArray[np.uint32], shift: int) -> tuple[int, int]:
    """Return the first cell and the number of cells to measure along one axis."""
    first, last = int(axis.min()) >> shift, int(axis.max()) >> shift
    if last - first < _MEASURED_CELLS:
        return first, last - first + 1
    return (int(np.median(axis)) >> shift) - _MEASURED_CELLS // 2, _MEASURED_CELLS


def _slices(
    morton: NDArray[np.uint64], tile: Tile, pad: int
) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Return the row ranges of a tile and of the small tiles around it that cover the pad."""
    zooms, xs, ys = [tile.z], [tile.x], [tile.y]
    if pad:
        depth = min((CELLS // pad).bit_length() - 1, _WORLD_BITS - tile.z)
        n, z = 1 << depth, tile.z + depth
        side = np.arange(-1, n + 1)
        dx, dy = np.meshgrid(side, side)
        ring = (dx < 0) | (dy < 0) | (dx == n) | (dy == n)
        x, y = tile.x * n + dx[ring], tile.y * n + dy[ring]
        inside = (x >= 0) & (y >= 0) & (x < 1 << z) & (y < 1 << z)
        xs += x[inside].tolist()
        ys += y[inside].tolist()
        zooms += [z] * int(inside.sum())
    return find_slices(morton, np.array(zooms), np.array(xs), np.array(ys))


def find_slices(
    morton: NDArray[np.uint64], z: NDArray[np.int64], x: NDArray[np.int64], y: NDArray[np.int64]
) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Return where each tile's points start and end in ascending Morton order."""
    bits = (2 * (_WORLD_BITS - z)).astype(np.uint64)
    key = interleave(x.astype(np.uint32), y.astype(np.uint32))
    whole = bits >= 64  # a shift by 64 is undefined: zoom 0 is everything
    low = np.where(whole, np.uint64(0), key << np.minimum(bits, 63))
    span = np.where(whole, ~np.uint64(0), (np.uint64(1) << np.minimum(bits, 63)) - np.uint64(1))
    return np.searchsorted(morton, low, "left"), np.searchsorted(morton, low + span, "right")


def _box_widths(sigma_cells: float) -> tuple[int, ...]:
    """Return three odd box widths whose variances add up to the Gaussian's (Kovesi 2010)."""
    ideal = math.sqrt(12 * sigma_cells**2 / BOXES + 1)
    small = max(1, int(ideal) - (int(ideal) + 1) % 2)
    few = (12 * sigma_cells**2 - BOXES * small**2 - 4 * BOXES * small - 3 * BOXES) / (
        -4 * small - 4
    )
    return tuple(small if i < round(few) else small + 2 for i in range(BOXES))


def _kernel_peak(widths: tuple[int, ...]) -> float:
    line = np.ones(1)
    for width in widths:
        line = np.convolve(line, np.full(width, 1 / width))
    return float(line.max() ** 2)


@njit(cache=True, nogil=True)
def _count(x, y, owner, mask, allowed, starts, ends, x0, y0, shift, out):  # type: ignore[no-untyped-def]  # noqa: PLR0913, PLR0917
    high, wide = out.shape
    masked, hidden = len(mask) > 0, len(allowed) > 0
    for part in range(len(starts)):
        for i in range(starts[part], ends[part]):
            if masked and not mask[i]:
                continue
            if hidden and not allowed[owner[i] + 1]:
                continue
            column = (np.int64(x[i]) >> shift) - x0
            row = (np.int64(y[i]) >> shift) - y0
            if 0 <= column < wide and 0 <= row < high:
                out[row, column] += 1.0


@njit(cache=True, nogil=True)
def _box_rows(values, width):  # type: ignore[no-untyped-def]
    high, wide = values.shape
    out = np.empty((high, wide - width + 1), np.float64)
    for row in range(high):
        total = 0.0
        for column in range(width - 1):
            total += values[row, column]
        for column in range(width - 1, wide):
            total += values[row, column]
            out[row, column - width + 1] = total
            total -= values[row, column - width + 1]
    return out


@njit(cache=True, nogil=True)
def _box_columns(values, width):  # type: ignore[no-untyped-def]
    high, wide = values.shape
    out = np.empty((high - width + 1, wide), np.float64)
    total = np.zeros(wide, np.float64)
    for row in range(high):
        for column in range(wide):  # row by row: columns one by one would miss the cache
            total[column] += values[row, column]
        if row >= width - 1:
            for column in range(wide):
                out[row - width + 1, column] = total[column]
                total[column] -= values[row - width + 1, column]
    return out


@njit(cache=True, nogil=True)
def _tone(density, full):  # type: ignore[no-untyped-def]
    """Return levels 0..63 of (density / full) ** GAMMA."""
    out = np.zeros(density.shape, np.uint8)
    for row in range(density.shape[0]):
        for column in range(density.shape[1]):
            tone = (density[row, column] / full) ** GAMMA * HEAT_LEVELS
            out[row, column] = min(int(tone), HEAT_LEVELS - 1)
    return out
