"""A draft to and from other programs: GeoPackage out, any boundary file in, checked alike."""

from __future__ import annotations

from pathlib import Path

import geopandas as gpd

from geodata.access.scope import Scope
from geodata.city import City
from geodata.errors import BadFile, Fault
from geodata.geopackage import write_layer
from geodata.loading import load_files
from geodata.loading.request import LoadRequest, Progress
from geodata.plans.plan import make_plan
from geodata.plans.publish import finish_drawing
from geodata.plans.workshop import Workpiece, read_drawn
from geodata.store.drawings import DRAFT, load_drawings
from geodata.store.plans import Plan

LAYER = "grids"


def write_draft(city: City, piece: Workpiece, path: Path) -> int:
    """Write a draft as a GeoPackage that QGIS opens; return how many grids it holds."""
    grids = finish_drawing(city, piece).grids
    code_of = dict(zip(grids["uid"], grids["code"], strict=True))
    table = grids.assign(parent=[code_of.get(uid, "") for uid in grids["parent"]])
    path.unlink(missing_ok=True)
    write_layer(gpd.GeoDataFrame(table, geometry="geometry", crs=city.crs), path, layer=LAYER)
    return len(table)


def read_draft(
    city: City,
    scope: Scope,
    files: list[Path],
    request: LoadRequest,
    *,
    name: str,
    progress: Progress,
) -> Plan:
    """
    Open a plan from boundary files drawn elsewhere, such as a GeoPackage that QGIS wrote.

    The files are read, repaired and checked as `load grids` does; uids are kept by level and code.
    Raises BadFile where nothing can be loaded, or where land that a grid has today is nobody's in
    the files: then there is no plan. The caller holds the folder's loading lock.
    """
    before = _drafts(city)
    reports, errors = load_files(city, "grids", files, request, progress=progress)
    if errors:
        raise errors[0]
    made = _drafts(city) - before
    if not made:
        raise BadFile(Fault(key="plan_no_draft"), file=reports[0].file)
    drawing = max(made)
    _check_land(city, drawing, now=request.now, file=reports[0].file)
    return make_plan(city, scope, name=name, start=drawing, now=request.now)


def _drafts(city: City) -> set[int]:
    with city.database.read() as connection:
        return {row["drawing"] for row in load_drawings(connection) if row["state"] == DRAFT}


def _check_land(city: City, drawing: int, *, now: int, file: str) -> None:
    """Raise BadFile where the files leave land to nobody that a grid of today has."""
    with city.database.read() as connection:
        drawn = read_drawn(connection, city, drawing)
    force = city.grids_in_force(now)
    if force is None:
        return
    known = set(drawn.uids.tolist())
    whole = drawn.system.finest().geometry.union_all()
    lost = []
    for row in force.finest().itertuples():
        if row.uid not in known and row.geometry.difference(whole).area > city.settings.gap_m2:
            lost.append(str(row.code))
    if lost:
        values = {"n": len(lost), "codes": tuple(lost[:5])}
        raise BadFile(Fault(key="plan_land_lost", values=values), file=file)
