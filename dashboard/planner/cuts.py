"""Where a line that is being drawn will cut: the same snapping as the edit, shown beforehand."""

from __future__ import annotations

from typing import Any

import shapely
from flask import Response

from dashboard.planner.answering import Handler, as_json, read_body, read_lang
from dashboard.planner.bench import Bench
from dashboard.trail import show
from geodata.coverage.edges import MM2_PER_M2
from geodata.errors import BadGrid
from geodata.loading.report import group_faults
from geodata.redraw import Draft
from geodata.redraw.forms import parse_edit
from geodata.redraw.unions import lead_cut

_BESIDE_MM = 20.0  # of a road: the line's own corners are rounded to the millimetre
_HECTARE_M2 = 10_000


def make_preview(bench: Bench) -> Handler:
    """Return what tells where the line of a split will lie, while it is drawn; nothing changes."""

    def preview(number: int) -> Response:
        show(n=0)
        body, piece = read_body(), bench.open(number)
        edit = {"op": "split", **{name: body.get(name) for name in ("grid", "line", "snap_m")}}
        try:
            asked = parse_edit(bench.to_metres(edit))
            with piece.lock:
                cut = lead_cut(piece.draft, asked)
                road = _along_roads(piece.draft, cut)
                areas = _cut_areas(piece.draft.grid(asked["grid"]).shape, cut)
        except BadGrid as error:  # a line half drawn: told beside it, no refusal
            return as_json({"fault": group_faults(error.faults, read_lang())[0]})
        shapes = [shapely.geometry.mapping(one) for one in bench.to_degrees([cut, road])]
        return as_json({"cut": shapes[0], "road": shapes[1], "areas_ha": areas})

    return preview


def _along_roads(draft: Draft, cut: Any) -> Any:
    """Return the stretches of a cut that run along roads (mm)."""
    roads = draft.roads
    near = roads[shapely.dwithin(roads, cut, _BESIDE_MM)] if len(roads) else roads
    beside = shapely.buffer(shapely.union_all(near), _BESIDE_MM, quad_segs=1)
    along = shapely.get_parts(shapely.intersection(cut, beside))
    # Where a line only crosses a road it is beside it for as long as the road is wide here.
    return shapely.multilinestrings(along[shapely.length(along) > 5 * _BESIDE_MM])


def _cut_areas(shape: Any, cut: Any) -> list[float]:
    """Return the areas that a cut leaves of a grid, hectares, largest first; one where it ends."""
    # On the millimetre: the ends of a cut lie beside the rim by less than that.
    lines = shapely.union(shapely.boundary(shape), cut, grid_size=1.0)
    faces = shapely.get_parts(shapely.polygonize([lines]))
    mine = faces[shapely.contains(shape, shapely.point_on_surface(faces))]
    found = shapely.area(mine) / MM2_PER_M2 / _HECTARE_M2
    return sorted((round(float(one), 2) for one in found), reverse=True)
