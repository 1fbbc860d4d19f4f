"""The files that owners are written to: the input's rows and columns, and the owner's beside."""

from __future__ import annotations

import os
from collections.abc import Callable, Collection, Sequence
from pathlib import Path

import geopandas
import numpy as np
import pandas as pd
import shapely
from numpy.typing import NDArray

from geodata.errors import BadFile, BadSetting, Fault, NotAllowed
from geodata.safe_text import escape_formulas

Floats = NDArray[np.float64]
Writer = Callable[[pd.DataFrame, Floats, Floats], None]
OWNER_COLUMNS = ("grid_code", "rule", "distance_m", "near_line")


def open_writer(out: Path, *, inputs: Collection[Path]) -> Writer:
    """
    Return how to write the kind of file that `out` names, before any work is done for it.

    Raises BadSetting, BadFile or NotAllowed where it could not be written in the end.
    """
    suffix = out.suffix.lower()
    if suffix not in _WRITERS:
        known = ", ".join(_WRITERS)
        key = "out_format" if suffix else "out_suffix"
        raise BadSetting(Fault(key=key, values={"suffix": suffix, "known": known}), file=str(out))
    if out.is_dir():
        raise BadSetting(Fault(key="out_folder"), file=str(out))
    if not out.parent.is_dir():
        raise BadFile(Fault(key="out_no_folder"), file=str(out.parent))
    if not os.access(out.parent, os.W_OK):
        raise NotAllowed(Fault(key="system_denied"), file=str(out.parent))
    if out.exists() and any(path.exists() and out.samefile(path) for path in inputs):
        raise BadSetting(Fault(key="out_is_input"), file=str(out))
    write = _WRITERS[suffix]

    def write_whole(frame: pd.DataFrame, lon: Floats, lat: Floats) -> None:
        # Written beside and renamed: a killed run leaves no half file under the name asked for.
        part = out.with_name(f".{out.stem}.{os.getpid()}{suffix}")
        try:
            write(frame, lon, lat, part)
            part.replace(out)
        finally:
            part.unlink(missing_ok=True)

    return write_whole


def free_names(columns: Sequence[str], out: Path) -> dict[str, str]:
    """
    Return the columns that must be called otherwise in `out`: old name -> new name.

    The owner's columns keep their names, and so do those the format needs for itself; where it
    takes `Name` and `NAME` for one, the second gets a number.
    """
    reserved, fold = _RESERVED[out.suffix.lower()]
    taken = {*OWNER_COLUMNS, *reserved}
    left = {_key(name, fold) for name in columns}
    renamed: dict[str, str] = {}
    for name in columns:
        free, number = name, 1
        while _key(free, fold) in taken or (free != name and _key(free, fold) in left):
            free = f"input_{name}" if number == 1 else f"input_{name}_{number}"
            number += 1
        taken.add(_key(free, fold))
        if free != name:
            renamed[name] = free
    return renamed


def _key(name: str, fold: bool) -> str:
    return name.casefold() if fold else name


def _write_csv(frame: pd.DataFrame, _lon: Floats, _lat: Floats, path: Path) -> None:
    escape_formulas(frame).to_csv(
        path, index=False, encoding="utf-8-sig"
    )  # the mark that Excel needs


def _write_parquet(frame: pd.DataFrame, lon: Floats, lat: Floats, path: Path) -> None:
    _located(frame, lon, lat).to_parquet(path, index=False)


def _write_gpkg(frame: pd.DataFrame, lon: Floats, lat: Floats, path: Path) -> None:
    _located(frame, lon, lat).to_file(path, driver="GPKG", layer="points")


def _write_geojson(frame: pd.DataFrame, lon: Floats, lat: Floats, path: Path) -> None:
    _located(frame, lon, lat).to_file(path, driver="GeoJSON")


def _located(frame: pd.DataFrame, lon: Floats, lat: Floats) -> geopandas.GeoDataFrame:
    points = np.full(len(frame), None, dtype=object)
    known = np.isfinite(lon) & np.isfinite(lat)
    points[known] = shapely.points(lon[known], lat[known])
    return geopandas.GeoDataFrame(frame, geometry=points, crs=4326)


_WRITERS = {
    ".csv": _write_csv,
    ".parquet": _write_parquet,
    ".gpkg": _write_gpkg,
    ".geojson": _write_geojson,
}
# What a format calls its own columns, and whether it takes names of any case for one.
_RESERVED: dict[str, tuple[tuple[str, ...], bool]] = {
    ".csv": ((), False),
    ".parquet": (("geometry",), False),
    ".gpkg": (("geometry", "geom", "fid"), True),
    ".geojson": (("geometry",), False),
}
