"""The metric coordinate system of a city, by where it lies."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike
from pyproj import CRS

from geodata.errors import BadSetting, Fault

# Zone lines of the CGCS2000 3-degree Gauss-Kruger systems without zone number in the easting.
_FIRST_GK_EPSG, _FIRST_GK_MERIDIAN, _LAST_GK_MERIDIAN = 4534, 75, 135
_CHINA_NORTH = 53.6
# South of these latitudes, band by band from 75 E to 135 E, lies another country or its sea.
_CHINA_SOUTH = (
    *(35.0, 30.5, 29.5, 28.0, 27.5, 27.0, 26.5, 27.0, 21.0, 21.0, 22.0),
    *(15.0, 3.4, 3.4, 6.0, 18.5, 21.5, 38.0, 41.0, 42.0, 45.0),
)


def choose_metric_crs(lon: ArrayLike, lat: ArrayLike) -> CRS:
    """
    Return the metric system for a city around these WGS 84 degrees.

    In China the CGCS2000 3-degree Gauss-Kruger zone (EPSG:4534 to 4554: metres, no zone number in
    the easting), elsewhere the UTM zone of WGS 84. Decided by the median place, so that a few wild
    coordinates do not move it. Raises BadSetting when no coordinate is finite.
    """
    all_lon, all_lat = np.ravel(np.asarray(lon, float)), np.ravel(np.asarray(lat, float))
    known = np.isfinite(all_lon) & np.isfinite(all_lat)
    if not known.any():
        raise BadSetting(Fault(key="crs_no_places"))
    x, y = float(np.median(all_lon[known])), float(np.median(all_lat[known]))
    band = round(x / 3.0) - _FIRST_GK_MERIDIAN // 3
    in_bands = 0 <= band <= (_LAST_GK_MERIDIAN - _FIRST_GK_MERIDIAN) // 3
    if in_bands and _CHINA_SOUTH[band] <= y <= _CHINA_NORTH:
        return CRS.from_epsg(_FIRST_GK_EPSG + band)
    zone = min(max(int((x + 180.0) // 6.0) + 1, 1), 60)
    return CRS.from_epsg((32600 if y >= 0 else 32700) + zone)
