"""Frame: which part of the ground a map shows, and where on the page each place of it lies."""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
import pyproj
import shapely
from numpy.typing import NDArray

from geodata.coordinates import lonlat_crs, to_lonlat, to_metric

Bounds = tuple[float, float, float, float]
_AROUND = 0.03  # of the ground shown, kept free on every side
_LEAST_M = 60.0  # a map of a single house still shows its street
_ROUND = (1.0, 2.0, 5.0)
_BAR_SHARE = 0.22  # of the frame's width: how long a scale bar gets at most


@dataclass(frozen=True, kw_only=True)
class Frame:
    """
    A rectangle of the page (mm, y down) and the rectangle of ground (m, y up) that it shows.

    Both have the same proportions: a metre is as long in every direction, which the city's own
    coordinate system keeps true to a few parts in ten thousand.
    """

    x_mm: float
    y_mm: float
    width_mm: float
    height_mm: float
    west_m: float
    north_m: float
    mm_per_m: float
    crs: pyproj.CRS

    @property
    def ground(self) -> Bounds:
        """Return west, south, east, north in metres of the city's system."""
        east = self.west_m + self.width_mm / self.mm_per_m
        return (self.west_m, self.north_m - self.height_mm / self.mm_per_m, east, self.north_m)

    @property
    def box(self) -> shapely.Polygon:
        """Return the ground shown."""
        return shapely.box(*self.ground)

    @property
    def scale(self) -> float:
        """Return how many metres on the ground one metre on paper is, at the frame's middle."""
        return 1000.0 / self.mm_per_m / float(self._middle.meridional_scale)

    @property
    def north_angle(self) -> float:
        """Return how far true north lies to the right of the page's upright, in degrees."""
        return -float(self._middle.meridian_convergence)

    def to_page(self, shapes: NDArray[np.object_]) -> NDArray[np.object_]:
        """Return shapes in metres as shapes in millimetres of the page."""
        return np.asarray(shapely.transform(shapes, self.place), object)

    def place(self, xy: NDArray[np.float64]) -> NDArray[np.float64]:
        """Return points in metres as points in millimetres of the page."""
        moved = (xy - (self.west_m, self.north_m)) * (self.mm_per_m, -self.mm_per_m)
        placed: NDArray[np.float64] = moved + np.array([self.x_mm, self.y_mm])
        return placed

    def clip(self, shapes: NDArray[np.object_], *, around_mm: float = 1.5) -> NDArray[np.object_]:
        """Return the parts of shapes inside the frame, a little more so that no edge shows."""
        around = around_mm / self.mm_per_m
        west, south, east, north = self.ground
        box = (west - around, south - around, east + around, north + around)
        return np.asarray(shapely.clip_by_rect(shapes, *box), object)

    def bar_length(self) -> tuple[float, float]:
        """Return a round length in true metres for a scale bar, and how long it is on paper."""
        true_mm_per_m = 1000.0 / self.scale
        most = self.width_mm * _BAR_SHARE / true_mm_per_m
        ten = 10.0 ** math.floor(math.log10(most))
        length = max(step * ten for step in _ROUND if step * ten <= most)
        return length, length * true_mm_per_m

    def degrees(self) -> Bounds:
        """Return west, south, east, north in degrees."""
        west, south, east, north = self.ground
        lon, lat = to_lonlat([west, east, west, east], [south, south, north, north], self.crs)
        return float(lon.min()), float(lat.min()), float(lon.max()), float(lat.max())

    @cached_property
    def _middle(self) -> Any:
        west, south, east, north = self.ground
        lon, lat = to_lonlat([(west + east) / 2], [(south + north) / 2], self.crs)
        return pyproj.Proj(self.crs).get_factors(float(lon[0]), float(lat[0]))


def fit_frame(place: Bounds, ground: Bounds, crs: pyproj.CRS, *, around: float = _AROUND) -> Frame:
    """
    Return the frame that fills a rectangle of the page and shows all of the ground asked for.

    `place` is x, y, width, height in mm; `ground` west, south, east, north in metres of `crs`.
    """
    x, y, width, height = place
    west, south, east, north = ground
    wide = max(east - west, _LEAST_M) * (1 + 2 * around)
    high = max(north - south, _LEAST_M) * (1 + 2 * around)
    mm_per_m = min(width / wide, height / high)
    middle_x, middle_y = (west + east) / 2, (south + north) / 2
    return Frame(
        x_mm=x,
        y_mm=y,
        width_mm=width,
        height_mm=height,
        west_m=middle_x - width / mm_per_m / 2,
        north_m=middle_y + height / mm_per_m / 2,
        mm_per_m=mm_per_m,
        crs=crs,
    )


def ground_of(bounds: Bounds, crs: pyproj.CRS) -> Bounds:
    """Return west, south, east, north in metres of bounds in degrees."""
    west, south, east, north = bounds
    lon, lat = [west, east, west, east], [south, south, north, north]
    x, y = to_metric(lon, lat, lonlat_crs(), crs)
    return float(x.min()), float(y.min()), float(x.max()), float(y.max())
