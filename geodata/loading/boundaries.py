"""Boundary files brought to one metric frame, with what was found on the way."""

from __future__ import annotations

import os
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import geopandas
import numpy as np
import pandas as pd
import pyproj
import shapely

from geodata.coordinates import SourceCrs, choose_metric_crs, shapes_to_metric, to_lonlat
from geodata.errors import BadFile, Fault
from geodata.reading import Limits, Reading, read_geometries

FILE_COLUMN = ":file"  # `--parent :file`: each file holds the children of one parent


@dataclass(frozen=True, slots=True, kw_only=True)
class Boundaries:
    """The accepted features of one or more files, in metres of `frame.crs`."""

    frame: geopandas.GeoDataFrame
    readings: tuple[Reading, ...]
    not_polygons: tuple[Fault, ...]

    @property
    def faults(self) -> list[Fault]:
        """Return every row fault of every file."""
        read = [fault for reading in self.readings for fault in reading.faults]
        return [*read, *self.not_polygons]


def read_boundaries(
    files: Sequence[Path],
    *,
    crs: str | None = None,
    encoding: str | None = None,
    layer: str | None = None,
    metric: pyproj.CRS | None = None,
    isolated: bool = False,
    limits: Limits | None = None,
    swapped: bool = False,
) -> Boundaries:
    """
    Read polygons of one or more files into one frame of a metric system.

    `metric` None chooses it by where the first file lies. A column `:file` holds the name of the
    file each row came from. Raises BadFile for a file that cannot be used, or that has no polygons.
    """
    readings = tuple(
        read_geometries(
            path,
            crs=crs,
            encoding=encoding,
            layer=layer,
            isolated=isolated,
            limits=limits,
            swapped=swapped,
        )
        for path in files
    )
    for path, reading in zip(files, readings, strict=True):
        if reading.accepted.empty:
            raise BadFile([Fault(key="no_polygons"), *reading.faults], file=path.name)
    chosen = metric or _choose_metric(readings[0])
    parts = []
    others = []
    names = name_files(files)
    for name, path, reading in zip(names, files, readings, strict=True):
        accepted = reading.accepted
        shapes = shapes_to_metric(accepted.geometry.to_numpy(), _source(reading), chosen)
        polygons = np.isin(shapely.get_type_id(shapes), (3, 6))
        if not polygons.any():
            raise BadFile([Fault(key="no_polygons"), *reading.faults], file=path.name)
        others += [
            Fault(key="shape_not_polygon", row=int(row)) for row in accepted.index[~polygons]
        ]
        part = pd.DataFrame(accepted.drop(columns=accepted.geometry.name))[polygons]
        part[FILE_COLUMN] = name
        part["geometry"] = shapes[polygons]
        parts.append(part)
    frame = pd.concat(parts, ignore_index=True)
    return Boundaries(
        frame=geopandas.GeoDataFrame(frame, geometry="geometry", crs=chosen),
        readings=readings,
        not_polygons=tuple(others),
    )


def name_files(files: Sequence[Path]) -> list[str]:
    """
    Return a name for each file, without what the names of all begin with.

    So `msoa_leeds`, `msoa_bradford` become parents called leeds and bradford.
    """
    stems = [path.stem for path in files]
    # By characters on purpose: these are names, not paths.
    common = os.path.commonprefix(stems) if len(stems) > 1 else ""  # noqa: RUF071
    cut = max(common.rfind(sign) for sign in "_- ") + 1
    return [stem[cut:] or stem for stem in stems]


def _source(reading: Reading) -> SourceCrs:
    assert reading.crs is not None, "read_geometries always knows the coordinate system"
    return reading.crs


def _choose_metric(reading: Reading) -> pyproj.CRS:
    """Return the metric system for where a file lies; a metric file's own is kept."""
    source = _source(reading)
    bounds = shapely.bounds(reading.accepted.geometry.to_numpy())
    middle = np.nanmedian((bounds[:, :2] + bounds[:, 2:]) / 2, axis=0)
    if not source.is_lonlat:
        if source.crs.axis_info[0].unit_name == "metre":
            return source.crs
        lon, lat = to_lonlat(middle[:1], middle[1:], source.crs)
        return choose_metric_crs(lon, lat)
    return choose_metric_crs(middle[:1], middle[1:])
