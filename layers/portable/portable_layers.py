"""What a stand-alone map draws: grids with their figures, lines, points and ground, as numbers."""

from __future__ import annotations

from typing import Any, Final

import numpy as np
import shapely
from numpy.typing import NDArray

from geodata.coordinates import lonlat_crs, to_metric
from geodata.figures.period import Period
from geodata.figures.tally import tally_areas
from geodata.snapshots.snapshot import WORLD
from geodata.words import say
from layers.classes import classify
from layers.grid_edges import AREAS, WIDTHS_PX, find_areas
from layers.incident_dots import DOTS, STATES, find_states
from layers.layer import Layer
from layers.palette import AREA_LINE, NO_DATA, ZERO
from layers.print.frame import Bounds, fit_frame
from layers.print.grid_marks import find_middles
from layers.print.ground import GREEN, HOUSE, RAIL, ROAD, ROAD_EDGE, WATER, Ground, read_ground
from layers.print.legend import read_key
from layers.print.lettering import print_text
from layers.print.point_marks import read_points
from layers.print.view import Subject
from layers.print.wording import print_count

UNIT_M: Final = 0.1  # coordinates are whole decimetres from the north-west corner, y down
MOST_DOTS: Final = 20_000
_DETAIL_M = 0.6
_AROUND_M = 300.0
_ROAD_M = {
    "motorway": 16.0, "primary": 13.0, "secondary": 10.0, "tertiary": 8.0,
    "residential": 5.0, "service": 3.0, "path": 2.0, "rail": 4.0,
}  # fmt: skip
_HOUSES_FROM_PX_M = 0.35  # pixels a metre from which houses are drawn


class _Ruler:
    """Turns metres of the city into the numbers of the file."""

    def __init__(self, ground: Bounds) -> None:
        west, south, east, north = ground
        self.origin = np.array([west, north])
        self.size = [round((east - west) / UNIT_M), round((north - south) / UNIT_M)]
        self.box = shapely.box(
            west - _AROUND_M, south - _AROUND_M, east + _AROUND_M, north + _AROUND_M
        )

    def points(self, xy: NDArray[np.float64]) -> list[int]:
        """Return points as x, y, x, y, ….."""
        numbers: list[int] = self._whole(xy).ravel().tolist()
        return numbers

    def rings(self, shape: Any, *, detail_m: float = _DETAIL_M) -> list[list[int]]:
        """Return the lines or rings of a shape: first point, then the steps from point to point."""
        if detail_m:
            shape = shapely.simplify(shape, detail_m, preserve_topology=True)
        out = []
        for part in shapely.get_parts(shape):
            lines = shapely.get_rings(part) if part.geom_type == "Polygon" else [part]
            for line in lines:
                xy = self._whole(shapely.get_coordinates(line))
                steps = np.diff(xy, axis=0, prepend=np.zeros((1, 2), np.int64))
                moved = (steps != 0).any(axis=1)
                moved[:1] = True
                out.append(steps[moved].ravel().tolist())
        return out

    def _whole(self, xy: NDArray[np.float64]) -> NDArray[np.int64]:
        whole: NDArray[np.int64] = np.rint((xy - self.origin) * (1 / UNIT_M, -1 / UNIT_M)).astype(
            np.int64
        )
        return whole


def draw_parts(subject: Subject) -> dict[str, Any]:
    """Return the data of the page's script: what is drawn, in order, and the legend."""
    ground = subject.sight.grids.grids.total_bounds if subject.view.area is None else None
    west, south, east, north = subject.ground() if ground is None else ground
    ruler = _Ruler((float(west), float(south), float(east), float(north)))
    kinds = {layer.kind for layer in subject.layers}
    legend, drawn = [], []
    for layer in subject.layers:
        part = _draw_layer(subject, layer, ruler)
        if part is None:
            legend.append(_tell_missing(layer, subject))
            continue
        key = read_key(subject, layer, drawn=part.pop("note", ""))
        drawn.append({"id": layer.id, "kind": layer.kind, **part})
        legend.append(_tell_key(layer, key, subject))
    return {
        "size": ruler.size,
        "unit_m": UNIT_M,
        "grids": _draw_grids(subject, ruler),
        "levels": _draw_levels(subject, ruler) if "outline" in kinds else [],
        "layers": drawn,
        "legend": legend,
        "fields": _name_fields(subject),
    }


def _tell_missing(layer: Layer, subject: Subject) -> dict[str, Any]:
    """Return the legend of a layer that was asked for and is not in the file: it says so."""
    note = say("portable.not_held", subject.lang)
    return {**_tell_key(layer, None, subject), "missing": True, "notes": [note]}


def _tell_key(layer: Layer, key: Any, subject: Subject) -> dict[str, Any]:
    title = say(layer.title, subject.lang)
    if key is None:
        return {"id": layer.id, "title": title, "unit": "", "entries": [], "notes": []}
    return {
        "id": layer.id,
        "title": title,
        "unit": " · ".join(part for part in (key.unit, key.shown) if part),
        "entries": [
            {
                "label": entry.label,
                "shape": entry.shape.partition(" ")[0],
                "color": entry.color["light"],
                "n": "" if entry.n is None else print_count(entry.n),
            }
            for entry in key.entries
        ],
        "notes": list(key.notes),
    }


def _name_fields(subject: Subject) -> list[str]:
    names = [say(f"layer.field.{name}", subject.lang) for name in ("code", "body", "risk")]
    return [*names, *(say(f"figure.{name}", subject.lang) for name in ("total", "open", "overdue"))]


def _draw_grids(subject: Subject, ruler: _Ruler) -> list[dict[str, Any]]:
    """Return the finest grids with their names and figures, as the hover box says them."""
    sight = subject.sight
    finest = sight.grids.finest()
    middles = find_middles(subject, "finest", finest)
    counts = _count_grids(subject)
    risk = _tell_risk(subject)
    rows = np.flatnonzero(subject.leaves)
    names, codes, bodies = (
        finest[name].astype(str).to_numpy() for name in ("name", "code", "body")
    )
    uids, shapes = finest["uid"].to_numpy(), finest.geometry.to_numpy()
    out = []
    for row in rows.tolist():
        above = sight.grids.path_names(int(uids[row]))[-2:-1]
        body = (
            sight.body_name(bodies[row], subject.lang) if bodies[row] not in ("nan", "None") else ""
        )
        out.append(
            {
                "rings": ruler.rings(shapes[row], detail_m=0),
                "name": print_text(names[row]),
                "above": print_text(above[0]) if above else "",
                "at": ruler.points(middles[row : row + 1]),
                "facts": [codes[row], body, risk[row], *(texts[row] for texts in counts)],
            }
        )
    return out


def _count_grids(subject: Subject) -> list[list[str]]:
    """Return total, open and overdue of each finest grid as printed; bounds where hidden."""
    sight, filter = subject.sight, subject.view.filter
    period = Period(since=filter.since, until=filter.until)
    tallies = tally_areas(sight, period=period, filter=filter, now=subject.now)
    hidden = subject.picture.hidden()
    uids = sight.grids.finest()["uid"].to_numpy()
    found = []
    for name in ("total", "open", "overdue"):
        own = tallies.of_finest(name)[:-1].tolist()
        texts = [print_count(int(n)) for n in own]
        if hidden.any():
            told = None if sight.outside is None else sight.outside.count_grids(uids, filter, name)
            for row in np.flatnonzero(hidden).tolist():
                texts[row] = print_count(None if told is None else told.span(row))
        found.append(texts)
    return found


def _tell_risk(subject: Subject) -> list[str]:
    """Return each grid's risk in words, from the coloured layer that has it."""
    for layer in subject.layers:
        if layer.kind == "choropleth" and layer.read_values is not None:
            values = layer.read_values(subject.picture)
            return [
                values.texts.get(row, f"{figure:.1f}" if np.isfinite(figure) else "–")
                for row, figure in enumerate(values.values.tolist())
            ]
    return ["–"] * len(subject.leaves)


def _draw_levels(subject: Subject, ruler: _Ruler) -> list[dict[str, Any]]:
    areas = find_areas(subject.picture)
    if subject.view.area is not None:
        inside = subject.sight.grids.subtree_uids(subject.view.area)
        areas = areas[areas["uid"].isin(inside)]
    if not len(areas):
        return []
    middles = find_middles(subject, f"areas {subject.view.area}", areas)
    out = []
    for place, (level, name, shape) in enumerate(
        zip(areas["level"], areas["name"], areas.geometry, strict=True)
    ):
        out.append(
            {
                "rings": ruler.rings(shape, detail_m=0),
                "name": print_text(name),
                "level": str(level),
                "width": WIDTHS_PX.get(str(level), 1.0),
                "color": AREA_LINE["light"],
                "at": ruler.points(middles[place : place + 1]),
            }
        )
    return out


def _draw_layer(subject: Subject, layer: Layer, ruler: _Ruler) -> dict[str, Any] | None:
    """Return one layer as plain data; None for a kind that a file does not hold."""
    if layer.kind == "choropleth" and layer.read_values is not None:
        values = layer.read_values(subject.picture)
        found = classify(values.values, values.breaks)
        found[values.thin] = -3
        ramp = dict(enumerate(layer.style.plain["ramp"]["light"]))
        ramp |= {-1: ZERO["light"], -2: NO_DATA["light"], -3: ""}
        return {"colors": [ramp[int(place)] for place in found[subject.leaves]]}
    if layer.kind == "halos" and layer.read_values is not None:
        figures = np.nan_to_num(layer.read_values(subject.picture).values)[subject.leaves]
        style = layer.style.plain
        return {
            "figures": figures.tolist(),
            "radius": style["radius"],
            "color": style["color"]["light"],
        }
    if layer.source is DOTS:
        return _draw_dots(subject, layer, ruler)
    if layer.kind == "clusters":
        return _draw_points(subject, layer, ruler)
    if layer.kind == "base":
        return {"ground": _draw_ground(subject, ruler)}
    return {} if layer.source is AREAS else None


def _draw_dots(subject: Subject, layer: Layer, ruler: _Ruler) -> dict[str, Any]:
    snapshot = subject.sight.snapshot
    placed = np.flatnonzero(subject.selected[: snapshot.placed])
    style = {
        name: [one["shape"], one["color"]["light"], one["size"]]
        for name, one in layer.style.plain["states"].items()
    }
    if len(placed) > MOST_DOTS:
        note = say("sheet.dots_too_many", subject.lang, n=print_count(len(placed)))
        return {"at": [], "state": [], "kinds": [], "style": style, "names": [], "note": note}
    lon = (snapshot.tile_x[placed] / WORLD - 0.5) * 360.0
    lat = np.degrees(np.arctan(np.sinh(np.pi * (1 - 2 * (snapshot.tile_y[placed] / WORLD)))))
    xy = np.stack(to_metric(lon, lat, lonlat_crs(), subject.crs), axis=1)
    kinds, place = np.unique(snapshot.kind[placed], return_inverse=True)
    names = subject.sight.kind_names(subject.lang)
    return {
        "at": ruler.points(xy),
        "state": find_states(subject.picture, placed).tolist(),
        "states": list(STATES),
        "kinds": place.tolist(),
        "names": [print_text(names.get(int(kind), "")) for kind in kinds],
        "style": style,
    }


def _draw_points(subject: Subject, layer: Layer, ruler: _Ruler) -> dict[str, Any]:
    ground = subject.ground()
    frame = fit_frame((0.0, 0.0, 1000.0, 1000.0), ground, subject.crs)
    found = read_points(subject, frame, layer)
    xy = (found.xy - (frame.x_mm, frame.y_mm)) / (frame.mm_per_m, -frame.mm_per_m)
    return {
        "at": ruler.points(xy + np.array([frame.west_m, frame.north_m])),
        "names": [print_text(name) for name in found.names],
        "color": layer.style.plain["color"]["light"],
    }


def _draw_ground(subject: Subject, ruler: _Ruler) -> list[dict[str, Any]]:
    ground = read_ground(subject)
    out: list[dict[str, Any]] = []
    for name, color in (("green", GREEN), ("water", WATER), ("buildings", HOUSE)):
        if name in ground:
            least = _HOUSES_FROM_PX_M if name == "buildings" else 0.0
            shapes = _near(ground[name], ruler)
            lines = [ring for shape in shapes for ring in ruler.rings(shape)]
            out.append({"name": name, "fill": color, "rings": lines, "least": least})
    if "roads" in ground:
        roads = ground["roads"]
        rows = np.sort(roads.tree.query(ruler.box))
        for road, width in reversed(_ROAD_M.items()):
            shapes = roads.shapes[rows[roads.road[rows] == road]]
            lines = [line for shape in shapes for line in ruler.rings(shape)]
            color = RAIL if road == "rail" else ROAD
            least = 0.0 if width >= 8 or road == "rail" else _HOUSES_FROM_PX_M / 2
            if lines:
                out.append(
                    {
                        "name": "roads",
                        "line": color,
                        "edge": ROAD_EDGE,
                        "width": width,
                        "rings": lines,
                        "least": least,
                    }
                )
    return out


def _near(ground: Ground, ruler: _Ruler) -> list[Any]:
    return list(ground.shapes[np.sort(ground.tree.query(ruler.box))])
