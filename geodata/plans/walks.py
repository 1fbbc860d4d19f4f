"""Walks: the land that a plan hands over, community by community, to be looked at on the spot."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import shapely
from numpy.typing import NDArray

from geodata.coverage.edges import MM2_PER_M2, to_m
from geodata.levels import NO_PARENT
from geodata.plans.holdings import Load
from geodata.plans.impact import measure_impact
from geodata.plans.workshop import Workpiece

_LEAST_M2 = 1.0  # what rounding a node moves is not walked
_LEAST_LINE_MM = 500.0
_BESIDE_MM = 5.0


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class HandOver:
    """One stretch of land that goes from a grid to another; `shape` in metres, numbered from 1."""

    number: int
    old_code: str
    new_code: str
    shape: Any
    area_m2: float
    load: Load


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Walk:
    """
    What changes in one community; shapes in metres.

    `grids` are the new grids that give or get land here, with their codes; `gone` the lines of
    today that no grid will have any more.
    """

    uid: int
    name: str
    pieces: tuple[HandOver, ...]
    grids: NDArray[np.object_]
    codes: tuple[str, ...]
    gone: NDArray[np.object_]


def list_walks(piece: Workpiece) -> list[Walk]:
    """Return a walk for each outer grid in which a plan hands over land, by code."""
    found: dict[int, list[Any]] = {}
    draft, base = piece.draft, piece.base
    for flow in measure_impact(draft, piece.holdings, base).flows:
        if flow.from_uid in base and flow.to_uid in draft.grids and flow.load.area_ha:
            shape = shapely.intersection(base[flow.from_uid].shape, draft.grids[flow.to_uid].shape)
            if shapely.area(shape) / MM2_PER_M2 >= _LEAST_M2:
                found.setdefault(draft.grids[flow.to_uid].parent, []).append((flow, shape))
    outer = draft.outer
    order = sorted(found, key=lambda uid: outer[uid].code if uid in outer else "")
    return [_make_walk(piece, uid, found[uid]) for uid in order]


def _make_walk(piece: Workpiece, uid: int, rows: list[Any]) -> Walk:
    draft, base = piece.draft, piece.base
    uids = {one for flow, _ in rows for one in (flow.from_uid, flow.to_uid)}
    now = sorted(one for one in uids if one in draft.grids)
    then = [base[one].shape for one in sorted(uids) if one in base]
    shapes = draft.shapes(now)
    stays = shapely.union_all(shapely.boundary(draft.shapes(draft.ring(now))))
    # A node set into a line rounds it by a millimetre: such a line has not gone.
    gone = shapely.difference(
        shapely.union_all(shapely.boundary(then)), shapely.buffer(stays, _BESIDE_MM, quad_segs=1)
    )
    lines = shapely.get_parts(shapely.line_merge(gone))
    pieces = tuple(
        HandOver(
            number=number,
            old_code=flow.from_code,
            new_code=flow.to_code,
            shape=to_m([_only_land(shape)])[0],
            area_m2=float(shapely.area(shape)) / MM2_PER_M2,
            load=flow.load,
        )
        for number, (flow, shape) in enumerate(rows, start=1)
    )
    return Walk(
        uid=uid,
        name=draft.outer[uid].name if uid != NO_PARENT and uid in draft.outer else "",
        pieces=pieces,
        grids=to_m(shapes),
        codes=tuple(draft.grids[one].code for one in now),
        gone=to_m(lines[shapely.length(lines) >= _LEAST_LINE_MM]),
    )


def _only_land(shape: Any) -> Any:
    """Return the polygons of a shape: where two grids only touch there are lines and points too."""
    parts = shapely.get_parts(shape)
    return shapely.multipolygons(parts[shapely.get_type_id(parts) == 3])
