"""A draft to and from other programs: GeoPackage out, any boundary file in, checked alike."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import geopandas as gpd
import numpy as np
import pandas as pd
import shapely

from geodata.access.scope import Scope
from geodata.city import City
from geodata.coverage.edges import MM_PER_M, to_mm
from geodata.coverage.polygons import wide_area
from geodata.errors import BadFile, BadGrid, Fault, Overtaken
from geodata.geopackage import write_layer
from geodata.grids import GridSystem
from geodata.levels import NO_PARENT
from geodata.loading.grids import Drawing, load_grids, read_drawing
from geodata.loading.report import LoadReport
from geodata.loading.request import LoadRequest, Progress
from geodata.plans.plan import PLAN, make_plan, need
from geodata.plans.publish import finish_drawing
from geodata.plans.workshop import Workpiece, Workshop, check_open
from geodata.redraw import Change
from geodata.store.drawings import DRAFT, load_drawings
from geodata.store.plans import Plan

LAYER = "grids"
DRAWN_FROM = "drawn_from"  # the column that says of which plan, after which edit, a file was
_SAID = ("code", "name", "kind", "body")
_LEAST_SHARED = 0.5  # of the city's land that a drawing of it has at least
_NAMED = 5


@dataclass(frozen=True, slots=True, kw_only=True)
class Taken:
    """What a plan took from a file: the edits that it became, and what was found in the file."""

    piece: Workpiece
    changes: tuple[Change, ...]
    report: LoadReport


def write_draft(city: City, piece: Workpiece, path: Path) -> int:
    """Write a draft as a GeoPackage that QGIS opens; return how many grids it holds."""
    grids = finish_drawing(city, piece).grids
    code_of = dict(zip(grids["uid"], grids["code"], strict=True))
    table = grids.assign(
        parent=[code_of.get(uid, "") for uid in grids["parent"]],
        **{DRAWN_FROM: f"{piece.plan.plan}/{piece.seq}"},
    )
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
    the files: then nothing was written. The caller holds the folder's loading lock.
    """
    force = city.grids_in_force(request.now)
    before = _drafts(city)

    def refuse(drawing: Drawing) -> None:
        if force is not None:
            _check_land(city, force, _as_system(force, drawing.grids), file=drawing.report.file)

    report = load_grids(city, files, request, progress, refuse=refuse)
    made = _drafts(city) - before
    if not made:
        raise BadFile(Fault(key="plan_no_draft"), file=report.file)
    return make_plan(city, scope, name=name, start=max(made), now=request.now)


def read_into(
    shop: Workshop,
    scope: Scope,
    number: int,
    files: list[Path],
    request: LoadRequest,
    *,
    across: bool = False,
    progress: Progress,
) -> Taken:
    """
    Take over into an open plan what boundary files say otherwise than its draft, as its next edits.

    A file that `write_draft` wrote is held against the draft that it was written from, so that what
    was drawn here since stays. Raises BadFile, BadGrid, NotAllowed, and Overtaken where both have
    changed one grid; then nothing was written.
    """
    need(scope, PLAN)
    city, piece = shop.city, shop.open(number, now=request.now)
    check_open(piece.plan)
    system = _finish(city, piece)
    drawing = read_drawing(city, files, request, progress, current=system, next_uid=piece.own_uid)
    seen = _find_line(drawing, piece)
    begun = piece
    if seen != piece.seq:
        begun = shop.draw_as_of(number, seen, now=request.now)
        system = _finish(city, begun)
        drawing = read_drawing(
            city, files, request, progress, current=system, next_uid=piece.own_uid
        )
    drawn = _as_system(system, drawing.grids)
    _check_land(city, system, drawn, file=drawing.report.file)
    _check_outer(system, drawn, file=drawing.report.file)
    with begun.lock:
        edits = _find_edits(city, begun, system, drawn, across=across)
    left = _list_renamed(system, drawn)
    if not edits:
        alone = Fault(key="arrival_outer_alone", values={"codes": left[:_NAMED]})
        nothing = Fault(key="redraw_nothing_changes")
        raise BadGrid(alone if left else nothing, file=drawing.report.file)
    if left:
        drawing.report.note("arrival.outer_left", codes=left[:_NAMED])
    _check_seen(piece, edits, seen)
    piece, changes = shop.edit(number, edits, scope=scope, seen=seen, now=request.now)
    return Taken(piece=piece, changes=tuple(changes), report=drawing.report)


def _finish(city: City, piece: Workpiece) -> GridSystem:
    with piece.lock:
        grids = finish_drawing(city, piece).grids
    return GridSystem(
        system=piece.plan.system, drawing=0, valid_from=None, valid_to=None, grids=grids
    )


def _as_system(like: GridSystem, grids: gpd.GeoDataFrame) -> GridSystem:
    return replace(like, drawing=0, valid_from=None, valid_to=None, grids=grids)


def _find_line(drawing: Drawing, piece: Workpiece) -> int:
    """Return after which line of this plan's log a file was written, the last for one that says."""
    if DRAWN_FROM not in drawing.frame:
        return piece.seq
    for text in pd.unique(drawing.frame[DRAWN_FROM].dropna().astype(str)):
        plan, _, seq = text.partition("/")
        if plan == str(piece.plan.plan) and seq.isascii() and seq.isdigit() and len(seq) < 10:
            return min(int(seq), piece.seq)
    return piece.seq


def _find_edits(
    city: City, piece: Workpiece, system: GridSystem, drawn: GridSystem, *, across: bool
) -> list[dict[str, Any]]:
    """Return the edits that make a draft what a file says: land first, then names, then parents."""
    grids, draft = drawn.finest(), piece.draft
    shapes = dict(zip(grids["uid"].tolist(), to_mm(grids.geometry.to_numpy()), strict=True))
    parted = [uid for uid in shapes if uid in draft.grids]
    before, after = draft.shapes(parted), np.array([shapes[uid] for uid in parted], object)
    off = shapely.symmetric_difference(before, after)
    moved = wide_area(off, width=city.settings.hairline_m * MM_PER_M) > 0
    told = {uid for uid, moves in zip(parted, moved, strict=True) if moves}
    told |= set(shapes) - set(draft.grids)
    gone = sorted(set(draft.grids) - set(shapes))
    edits: list[dict[str, Any]] = []
    if told or gone:
        land: dict[str, Any] = {
            "op": "adopt",
            "shapes": {str(uid): _tell_rings(shapes[uid]) for uid in sorted(told)},
            "across": across,
        }
        edits.append({**land, "gone": gone} if gone else land)
    was = _rows_of(system.finest())
    for uid, row in _rows_of(grids).items():
        said = {name: row[name] for name in _SAID if row[name] != was.get(uid, {}).get(name, "")}
        said = {name: text for name, text in said.items() if text}
        if said.get("name") == row["code"]:  # a name left empty is read as the code
            del said["name"]
        if said:
            edits.append({"op": "describe", "grid": uid, **said})
        told = row["parent"] != NO_PARENT  # a file without parents leaves them as they are
        if uid in was and told and row["parent"] != was[uid]["parent"]:
            edits.append({"op": "reparent", "grid": uid, "parent": row["parent"]})
    return edits


def _check_seen(piece: Workpiece, edits: Sequence[Mapping[str, Any]], seen: int) -> None:
    """Raise Overtaken where a grid that the file changes was changed here since it was written."""
    told: set[int] = set()
    for edit in edits:
        named = [*edit.get("shapes", ()), *edit.get("gone", ()), edit.get("grid", -1)]
        told.update(map(int, named))
    late = [uid for uid in told if piece.touched.get(uid, 0) > seen]
    if late:
        raise Overtaken(Fault(key="plan_grid_overtaken", values={"n": len(late)}))


def _rows_of(grids: gpd.GeoDataFrame) -> dict[int, Mapping[str, Any]]:
    """Return what is said of each grid by its uid; what is not said is empty."""
    cells = {name: grids[name].fillna("").astype(str).tolist() for name in _SAID}
    parents = grids["parent"].tolist()
    return {
        uid: {**{name: cells[name][row] for name in _SAID}, "parent": int(parents[row])}
        for row, uid in enumerate(grids["uid"].tolist())
    }


def _tell_rings(shape: Any) -> list[list[list[list[float]]]]:
    """Return a polygon (mm) as its parts, each a ring and its holes, in metres."""
    return [
        [
            (shapely.get_coordinates(ring) / MM_PER_M).round(3).tolist()
            for ring in (part.exterior, *part.interiors)
        ]
        for part in shapely.get_parts(shape)
    ]


def _drafts(city: City) -> set[int]:
    with city.database.read() as connection:
        return {row["drawing"] for row in load_drawings(connection) if row["state"] == DRAFT}


def _check_land(city: City, old: GridSystem, drawn: GridSystem, *, file: str) -> None:
    """Raise BadFile for a drawing of another place, and for land of a grid that it leaves out."""
    known = set(drawn.finest()["uid"].tolist())
    whole = shapely.union_all(drawn.finest().geometry.to_numpy())
    land = shapely.union_all(old.finest().geometry.to_numpy())
    share = float(shapely.area(shapely.intersection(land, whole)) / shapely.area(land))
    if share < _LEAST_SHARED:
        raise BadFile(Fault(key="plan_elsewhere", values={"share": f"{share:.0%}"}), file=file)
    lost = [
        str(row.code)
        for row in old.finest().itertuples()
        if row.uid not in known and row.geometry.difference(whole).area > city.settings.gap_m2
    ]
    if lost:
        values = {"n": len(lost), "codes": tuple(lost[:_NAMED])}
        raise BadFile(Fault(key="plan_land_lost", values=values), file=file)


def _list_renamed(old: GridSystem, drawn: GridSystem) -> tuple[str, ...]:
    """Return the codes of the outer areas that a file names otherwise: a plan draws grids alone."""
    inner = set(drawn.finest()["uid"].tolist())
    was = _rows_of(old.grids)
    return tuple(
        row["code"]
        for uid, row in _rows_of(drawn.grids).items()
        if uid in was and uid not in inner and row["name"] not in (row["code"], was[uid]["name"])
    )


def _check_outer(old: GridSystem, drawn: GridSystem, *, file: str) -> None:
    """Raise BadFile for outer grids that a plan's draft has not: an edit makes none."""
    own = {*drawn.finest()["uid"], *old.grids["uid"]}
    strange = drawn.grids[~drawn.grids["uid"].isin(own)]["code"].astype(str).tolist()
    if strange:
        values = {"n": len(strange), "codes": tuple(strange[:_NAMED])}
        raise BadFile(Fault(key="plan_outer_new", values=values), file=file)
