"""Heat on a printed map: the screen's own density, laid into the frame of the page."""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray
from scipy.ndimage import map_coordinates

from geodata.coordinates import to_lonlat
from layers.density import blur_counts, blur_margin, count_pixels
from layers.incident_heat import MAXZOOM, MINZOOM, find_scale
from layers.palette import HEAT_LEVELS, heat_palette
from layers.print.frame import Frame
from layers.print.ground import PAPER_FINER, find_zoom
from layers.print.scene import Scene
from layers.print.view import Subject
from layers.raster_tile import CELLS, GAMMA, PX_PER_CELL, cell_ha, write_png

_PX_PER_MM = 4.0  # a blur shows no finer detail
_KNOTS = 24  # places a side between which the projections are as good as straight
_WORLD_BITS = 32


def heat_zoom(frame: Frame) -> int:
    """Return the zoom whose density a sheet shows: the screen's at the same scale."""
    return min(max(round(find_zoom(frame) - PAPER_FINER), MINZOOM), MAXZOOM)


def draw_heat(scene: Scene, subject: Subject, frame: Frame) -> float:
    """Draw the density of the chosen incidents; return the density at full colour (n a hectare)."""
    png, full = print_heat(subject, frame)
    scene.image(png, frame.x_mm, frame.y_mm, frame.width_mm, frame.height_mm)
    return full


def print_heat(subject: Subject, frame: Frame) -> tuple[bytes, float]:
    """Return the density of the chosen incidents as a PNG that fills a frame, and its full end."""
    snapshot, z = subject.sight.snapshot, heat_zoom(frame)
    scale = find_scale(subject.picture)
    chosen = subject.sight.select(subject.view.filter, subject.now)
    share = np.count_nonzero(chosen) / max(snapshot.n, 1)
    full = scale.full(z, share)
    sigma = scale.sigma_px / PX_PER_CELL
    row, column = _find_cells(frame, z)
    pad = blur_margin(sigma)
    top, left = int(row.min()) - 1 - pad, int(column.min()) - 1 - pad
    high, wide = int(row.max()) + 2 + pad - top, int(column.max()) + 2 + pad - left
    counts = count_pixels(
        snapshot.tile_x[: snapshot.placed],
        snapshot.tile_y[: snapshot.placed],
        corner=(left, top),
        size=(high, wide),
        shift=_WORLD_BITS - z - 8,
        mask=subject.selected[: snapshot.placed],
        threads=2,
    )
    density = blur_counts(counts, sigma_px=sigma)
    # A cell's value stands in its middle.
    place = [row - top - pad - 0.5, column - left - pad - 0.5]
    printed = map_coordinates(density, place, order=1, mode="nearest")
    tone = (np.maximum(printed, 0) / (full * cell_ha(z, scale.latitude))) ** GAMMA * HEAT_LEVELS
    levels = np.minimum(tone, HEAT_LEVELS - 1).astype(np.uint8)
    return write_png(levels, *heat_palette("light")), full


def _find_cells(frame: Frame, z: int) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Return the world's row and column (cells of a zoom) of each pixel of the picture."""
    west, south, east, north = frame.ground
    knots = np.linspace(0, 1, _KNOTS)
    right, down = np.meshgrid(knots, knots)
    lon, lat = to_lonlat(
        (west + right * (east - west)).ravel(), (north - down * (north - south)).ravel(), frame.crs
    )
    sine = np.sin(np.radians(lat))
    cells = CELLS * 2.0**z
    x = ((lon / 360 + 0.5) * cells).reshape(right.shape)
    y = ((0.5 - np.log((1 + sine) / (1 - sine)) / (4 * math.pi)) * cells).reshape(right.shape)
    height, width = (max(round(mm * _PX_PER_MM), 2) for mm in (frame.height_mm, frame.width_mm))
    at_row = (np.arange(height) + 0.5) / height * (_KNOTS - 1)
    at_column = (np.arange(width) + 0.5) / width * (_KNOTS - 1)
    place = np.meshgrid(at_row, at_column, indexing="ij")
    return map_coordinates(y, place, order=1), map_coordinates(x, place, order=1)
