"""Files of a drawing: read into a draft, and written again after its edits."""

from __future__ import annotations

import math
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import geopandas as gpd
import numpy as np
import orjson
import pyproj
import shapely

from geodata.coordinates import shapes_to_metric, to_lonlat
from geodata.coverage.edges import Floats, Geometries
from geodata.coverage.repair import repair_coverage
from geodata.errors import BadFile, BadSetting, Fault
from geodata.grids import build_tree
from geodata.loading.boundaries import FILE_COLUMN, read_boundaries
from geodata.reading import read_geometries
from geodata.redraw.blocks import Blocks, make_blocks
from geodata.redraw.changes import Edit
from geodata.redraw.draft import Draft, open_draft
from geodata.redraw.expectation import expect_loads

_MOST_EDITS = 100_000
_HOMES = "households"
_DIGITS = 10  # of a degree: a hundredth of a millimetre, so that millimetres come back exactly


def read_draft(
    files: Sequence[Path],
    *,
    blocks: Path | None = None,
    load: str | None = None,
    roads: Path | None = None,
    crs: str | None = None,
) -> Draft:
    """
    Open a draft from boundary files, brought to an exact tiling first; uids follow the codes.

    `load` names the column of the blocks' file that holds their load, else area stands for it.
    Raises BadFile and BadGrid for files that make no drawing.
    """
    found = read_boundaries(files, crs=crs)
    tree = build_tree(found.frame.drop(columns=FILE_COLUMN), crs=found.frame.crs)
    grids, repair = repair_coverage(tree.grids)
    if repair.overlaps_left:
        raise BadFile(repair.faults(), file=", ".join(path.name for path in files))
    metric = found.frame.crs
    return open_draft(
        grids,
        blocks=None if blocks is None else read_blocks(blocks, metric, load=load, crs=crs),
        roads=None if roads is None else read_lines(roads, metric, crs=crs),
    )


def read_blocks(
    path: Path, metric: pyproj.CRS, *, load: str | None = None, crs: str | None = None
) -> Blocks:
    """
    Return the blocks of a file. Raises BadFile, BadSetting for a load column there is not.

    A block whose load is empty has no history: it gets what blocks like it bring, by households
    where the file has them, else by area.
    """
    frame = read_boundaries([path], crs=crs, metric=metric).frame
    if load is None:
        return make_blocks(frame.geometry.to_numpy())
    if load not in frame.columns:
        known = ", ".join(name for name in frame.columns if name not in (FILE_COLUMN, "geometry"))
        values = {"column": load, "known": known}
        raise BadSetting(Fault(key="redraw_load_column", field="load", values=values))
    loads = _read_loads(frame, load)
    shapes = frame.geometry.to_numpy()
    if np.isfinite(loads).all():
        return make_blocks(shapes, loads)
    area_ha = shapely.area(shapes) / 10_000
    homes = _read_loads(frame, _HOMES) if _HOMES in frame.columns else np.array([np.nan])
    exposure = homes if np.isfinite(homes).all() and homes.any() else area_ha
    centres = shapely.get_coordinates(shapely.centroid(shapes))
    out = np.hypot(*(centres - centres.mean(axis=0)).T)
    likeness = np.column_stack([np.log1p(exposure / area_ha), out])
    found = expect_loads(loads, np.isfinite(loads), exposure=exposure, likeness=likeness)
    return make_blocks(shapes, found.loads, found.band)


def read_lines(path: Path, metric: pyproj.CRS, *, crs: str | None = None) -> Geometries:
    """Return the lines of a file, or the boundaries of its polygons, in metres. Raises BadFile."""
    reading = read_geometries(path, crs=crs)
    if reading.accepted.empty or reading.crs is None:
        raise BadFile([Fault(key="redraw_no_lines"), *reading.faults], file=path.name)
    shapes = shapes_to_metric(reading.accepted.geometry.to_numpy(), reading.crs, metric)
    areal = shapely.get_dimensions(shapes) == 2
    shapes[areal] = shapely.boundary(shapes[areal])
    lines = shapely.get_parts(shapes[shapely.get_dimensions(shapes) == 1])
    if not len(lines):
        raise BadFile(Fault(key="redraw_no_lines"), file=path.name)
    return np.asarray(lines, object)


def read_edits(text: bytes) -> list[Edit]:
    """Return the edits of a text, one JSON object a line. Raises BadSetting with the line."""
    rows = [(row, line) for row, line in enumerate(text.splitlines(), start=1) if line.strip()]
    if len(rows) > _MOST_EDITS:
        raise BadSetting(Fault(key="redraw_many_edits", values={"most": _MOST_EDITS}))
    edits = []
    for row, line in rows:
        try:
            edits.append(orjson.loads(line))
        except orjson.JSONDecodeError:
            raise BadSetting(Fault(key="plan_line", row=row)) from None
    return edits


def write_geojson(path: Path, frame: gpd.GeoDataFrame) -> None:
    """Write a drawing in longitude and latitude; read again, it has the very same millimetres."""
    crs = pyproj.CRS(frame.crs)

    def degrees(xy: Any) -> Any:
        return np.round(np.column_stack(to_lonlat(xy[:, 0], xy[:, 1], crs)), _DIGITS)

    shapes = shapely.transform(frame.geometry.to_numpy(), degrees)
    codes = dict(zip(frame["uid"].tolist(), frame["code"].tolist(), strict=True))
    rows = frame.drop(columns="geometry").to_dict("records")
    features = [
        {
            "type": "Feature",
            "properties": {**row, "parent": codes.get(row["parent"], "")},
            "geometry": orjson.loads(shapely.to_geojson(shape)),
        }
        for row, shape in zip(rows, shapes, strict=True)
    ]
    path.write_bytes(orjson.dumps({"type": "FeatureCollection", "features": features}))


def _read_loads(frame: gpd.GeoDataFrame, column: str) -> Floats:
    """Return a column of numbers, NaN where a cell is empty. Raises BadSetting with the row."""
    return np.array([_read_load(cell, row) for row, cell in enumerate(frame[column], start=1)])


def _read_load(cell: Any, row: int) -> float:
    if cell is None or cell != cell or not str(cell).strip():  # noqa: PLR0124 - NaN alone differs
        return math.nan
    try:
        load = float(cell)
    except (TypeError, ValueError):
        load = -1.0
    if not np.isfinite(load) or load < 0:
        raise BadSetting(Fault(key="redraw_load_cell", row=row))
    return load
