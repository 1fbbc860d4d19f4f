"""Heat pictures: count Morton-ordered points, blur, tone, and write a small PNG."""

from __future__ import annotations

import math
import struct
import zlib
from dataclasses import dataclass

import numpy as np
from numba import njit
from numpy.typing import NDArray

from geodata.snapshots.snapshot import Snapshot, interleave
from layers.density import Counts, blur_counts, blur_margin, box_widths, count_pixels
from layers.layer import Theme, Tile
from layers.palette import HEAT_LEVELS, heat_palette

CELLS = 256  # a side; drawn over 512 screen pixels: a blur hides the rest
PX_PER_CELL = 2
GAMMA = 0.65  # tone = (density / full) ** GAMMA: thin streets stay visible beside hot spots
_THREADS = 2  # where a tile holds most of a city's incidents
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
        peak = _kernel_peak(box_widths(self.sigma_px / PX_PER_CELL))
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
) -> Counts:
    """
    Count the points of a tile in 256 x 256 cells, and `pad` cells around it.

    Only the slices of the tile and of the strips beside it are read. `mask`: which rows count;
    `allowed` is looked up at `owner + 1`.
    """
    return count_pixels(
        points.tile_x,
        points.tile_y,
        corner=(tile.x * CELLS - pad, tile.y * CELLS - pad),
        size=(CELLS + 2 * pad, CELLS + 2 * pad),
        shift=_WORLD_BITS - tile.z - 8,
        mask=mask,
        owned=None if allowed is None else (points.owner, allowed),
        parts=slice_around(points.morton[: points.placed], tile, pad),
        threads=_THREADS,
    )


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
    counts = count_cells(points, tile, mask=mask, allowed=allowed, pad=find_pad(scale))
    share = np.count_nonzero(mask) / max(points.n, 1)
    return paint_heat(counts, tile, share=share, scale=scale, theme=theme)


def find_pad(scale: HeatScale) -> int:
    """Return how many cells around a tile its blur needs."""
    return blur_margin(scale.sigma_px / PX_PER_CELL)


def paint_heat(
    counts: Counts, tile: Tile, *, share: float, scale: HeatScale, theme: Theme
) -> bytes | None:
    """Draw counted cells, `find_pad` around the tile among them, as `draw_heat` says."""
    if not counts.any():
        return None
    full = scale.full(tile.z, share) * cell_ha(tile.z, scale.latitude)
    levels = _tone(blur_counts(counts, sigma_px=scale.sigma_px / PX_PER_CELL), full)
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
    pad = blur_margin(sigma_cells)
    (left, wide), (top, high) = (_measured_span(axis, shift) for axis in (x, y))
    counts = count_pixels(
        np.ascontiguousarray(x),
        np.ascontiguousarray(y),
        corner=(left - pad, top - pad),
        size=(high + 2 * pad, wide + 2 * pad),
        shift=shift,
    )
    happened = counts[pad : pad + high, pad : pad + wide] > 0
    return float(np.quantile(blur_counts(counts, sigma_px=sigma_cells)[happened], _FULL_QUANTILE))


def _measured_span(axis: NDArray[np.uint32], shift: int) -> tuple[int, int]:
    """Return the first cell and the number of cells to measure along one axis."""
    first, last = int(axis.min()) >> shift, int(axis.max()) >> shift
    if last - first < _MEASURED_CELLS:
        return first, last - first + 1
    return (int(np.median(axis)) >> shift) - _MEASURED_CELLS // 2, _MEASURED_CELLS


def slice_around(
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


def _kernel_peak(widths: tuple[int, ...]) -> float:
    line = np.ones(1)
    for width in widths:
        line = np.convolve(line, np.full(width, 1 / width))
    return float(line.max() ** 2)


@njit(cache=True, nogil=True)
def _tone(density, full):  # type: ignore[no-untyped-def]
    """Return levels 0..63 of (density / full) ** GAMMA."""
    out = np.zeros(density.shape, np.uint8)
    for row in range(density.shape[0]):
        for column in range(density.shape[1]):
            tone = (density[row, column] / full) ** GAMMA * HEAT_LEVELS
            out[row, column] = min(int(tone), HEAT_LEVELS - 1)
    return out
