"""The grids of boundary files, ready to own: the finest level in code order."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

import geopandas
import numpy as np
import pyproj
from numpy.typing import NDArray

from geodata.codes import find_duplicates
from geodata.coverage.report import duplicate_fault
from geodata.errors import BadFile, BadGrid, Fault
from geodata.grids.columns import read_columns
from geodata.levels import LEVELS
from geodata.loading.boundaries import FILE_COLUMN, read_boundaries
from geodata.notes import Note
from geodata.ownership.owners import OwnerIndex


@dataclass(frozen=True, slots=True, kw_only=True)
class GridFiles:
    """Which grids own, and how their files are read; plain values, so that it can be sent."""

    files: tuple[str, ...]
    crs: str | None = None
    encoding: str | None = None
    layer: str | None = None
    grid_code: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Drawing:
    """The grids of some files, ready to own."""

    index: OwnerIndex
    codes: NDArray[np.str_]
    metric: pyproj.CRS


def read_grids(
    grids: GridFiles,
) -> tuple[geopandas.GeoDataFrame, pyproj.CRS, tuple[list[Fault], list[Note]]]:
    """
    Return the finest grids in code order, their metric system, and what was found.

    Raises BadFile for files without polygons, without codes, or with codes that repeat.
    """
    paths = [Path(file) for file in grids.files]
    name = ", ".join(path.name for path in paths)
    found = read_boundaries(paths, crs=grids.crs, encoding=grids.encoding, layer=grids.layer)
    mapping = {"code": grids.grid_code} if grids.grid_code else None
    try:
        table, _ = read_columns(found.frame.drop(columns=FILE_COLUMN), mapping=mapping)
    except BadGrid as error:
        raise BadFile(error.faults, file=name) from error
    doubles = find_duplicates(table["code"].tolist(), table["level"].tolist())
    if doubles:
        raise BadFile([duplicate_fault(double) for double in doubles], file=name)
    finest = next(level for level in reversed(LEVELS) if (table["level"] == level).any())
    ordered = table[table["level"] == finest].sort_values("code", kind="stable", ignore_index=True)
    notes = [note for reading in found.readings for note in reading.notes]
    return ordered, pyproj.CRS(found.frame.crs), (found.faults, notes)


def open_drawing(grids: GridFiles) -> Drawing:
    """Return the index over the grids of these files; a process keeps the last two."""
    return _open_drawing(grids, stamp_files(grids.files))


@lru_cache(maxsize=2)  # a process that does many parts builds its index once
def _open_drawing(grids: GridFiles, _: str) -> Drawing:
    found, metric, _unused = read_grids(grids)
    special = (found["kind"] == "special").to_numpy()
    index = OwnerIndex.of_metres(found.geometry.to_numpy(), special=special)
    return Drawing(index=index, codes=found["code"].to_numpy(str), metric=metric)


def stamp_files(files: Sequence[str]) -> str:
    """Return names, sizes and times of change of files."""
    parts = []
    for name in files:
        stat = Path(name).stat()
        parts.append(f"{Path(name).name}:{stat.st_size}:{stat.st_mtime_ns}")
    return "|".join(parts)
