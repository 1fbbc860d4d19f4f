"""The land that a plan hands over, as pieces on the map, numbered as on the sheets."""

from __future__ import annotations

import shapely
from flask import Response

from dashboard.guard import current_scope
from dashboard.planner.answering import Handler, as_json
from dashboard.planner.bench import Bench
from dashboard.trail import show
from geodata.coverage.edges import to_mm
from geodata.plans.plan import need_all
from geodata.plans.walks import list_walks


def make_pieces(bench: Bench) -> Handler:
    """Return what tells the pieces of land that change hands, as GeoJSON in degrees."""

    def pieces(number: int) -> Response:
        piece = bench.open(number)
        need_all(current_scope())
        with piece.lock:
            walks = list_walks(piece)
        rows = [(walk, one) for walk in walks for one in walk.pieces]
        shapes = bench.to_degrees(list(to_mm([one.shape for _, one in rows]))) if rows else []
        found = [
            {
                "type": "Feature",
                "properties": {
                    "n": one.number,
                    "area": walk.name,
                    "from": one.old_code,
                    "to": one.new_code,
                    "cases": one.load.cases,
                    "m2": round(one.area_m2),
                },
                "geometry": shapely.geometry.mapping(shape),
            }
            for (walk, one), shape in zip(rows, shapes, strict=True)
        ]
        show(target=str(number), n=max(len(found), 1))
        return as_json({"type": "FeatureCollection", "features": found})

    return pieces
