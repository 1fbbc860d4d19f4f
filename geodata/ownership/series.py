"""Owners of point objects, for those who have them: a GeoSeries in, a Series out."""

from __future__ import annotations

import os
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import geopandas as gpd
import numpy as np
import pandas as pd
import shapely
from numpy.typing import NDArray

from geodata.ownership.owners import OwnerIndex
from geodata.ownership.raster_rows import Floats

_BLOCK = 4096  # objects read at a time: twice for x and y while they are in the nearest cache


def find_owners(
    points: gpd.GeoSeries | gpd.GeoDataFrame, index: OwnerIndex, *, threads: int | None = None
) -> pd.Series[int]:
    """
    Return the rank of each point's owner, -1 for nobody, with the points' own index and order.

    `points` are in the plane and unit of `index`; what is no point has no place. Reading the point
    objects takes most of the time: where x and y are columns, ask `index.find`.
    """
    shapes = np.asarray(points.geometry.to_numpy(), dtype=object)
    workers = threads or os.cpu_count() or 1
    x, y = read_places(shapes, threads=workers)
    return pd.Series(index.find(x, y, threads=workers), index=points.index, name="owner")


def read_places(shapes: NDArray[Any], *, threads: int = 1) -> tuple[Floats, Floats]:
    """Return x and y of point objects, NaN for what is no point or an empty one."""
    x, y = np.empty(len(shapes)), np.empty(len(shapes))

    def read(low: int) -> None:
        end = min(len(shapes), low + part)
        for at in range(low, end, _BLOCK):
            block = shapes[at : min(end, at + _BLOCK)]
            empty = shapely.is_empty(block)
            if empty.any():  # an empty point has no x to get
                block = np.where(empty, np.array(None, dtype=object), block)
            x[at : at + len(block)] = shapely.get_x(block)
            y[at : at + len(block)] = shapely.get_y(block)

    part = max(_BLOCK, -(-len(shapes) // max(threads, 1)))
    starts = range(0, len(shapes), part)
    if len(starts) <= 1:
        for low in starts:
            read(low)
    else:
        with ThreadPoolExecutor(threads) as pool:
            list(pool.map(read, starts))
    return x, y
