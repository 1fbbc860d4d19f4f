"""Layers of a stand-alone map: classes, rings, dots, points, lines, heat and ground, as numbers."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final

import numpy as np
import shapely

from geodata.words import say
from layers.classes import classify
from layers.grid_edges import AREAS
from layers.layer import Layer
from layers.palette import NO_DATA, ZERO
from layers.portable.ruler import Ruler, pack_bytes
from layers.print.dots import read_dots
from layers.print.frame import Frame, fit_frame
from layers.print.ground import GREEN, HOUSE, RAIL, ROAD, ROAD_EDGE, WATER, Ground, read_ground
from layers.print.heat import print_heat
from layers.print.lettering import print_text
from layers.print.point_marks import read_points
from layers.print.record_marks import read_outlines
from layers.print.view import Subject
from layers.print.wording import print_count

MOST_DOTS: Final = 300_000
_ROAD_M = {
    "motorway": 16.0, "primary": 13.0, "secondary": 10.0, "tertiary": 8.0,
    "residential": 5.0, "service": 3.0, "path": 2.0, "rail": 4.0,
}  # fmt: skip
_HOUSES_FROM_PX_M = 0.35  # pixels a metre from which houses are drawn
_HEAT_MM = 240.0  # as wide as a sheet whose letters are as large as the screen's
_ZOOM_0_PX_M = 512 / 40_075_016.686  # pixels a metre at the equator, of the screen's zoom 0


def draw_layer(subject: Subject, layer: Layer, ruler: Ruler) -> dict[str, Any]:
    """Return what a file holds of one layer, as plain data; `note` is for its legend."""
    if layer.source is AREAS:
        return {}  # the levels' lines and the names: the file holds them with the grids
    return _DRAW[layer.kind](subject, layer, ruler)


def _draw_classes(subject: Subject, layer: Layer, _: Ruler) -> dict[str, Any]:
    assert layer.read_values is not None
    values = layer.read_values(subject.picture)
    found = classify(values.values, values.breaks)
    found[values.thin] = -3
    ramp = dict(enumerate(layer.style.plain["ramp"]["light"]))
    ramp |= {-1: ZERO["light"], -2: NO_DATA["light"], -3: ""}
    return {"colors": [ramp[int(place)] for place in found[subject.leaves]]}


def _draw_rings(subject: Subject, layer: Layer, _: Ruler) -> dict[str, Any]:
    assert layer.read_values is not None
    figures = np.nan_to_num(layer.read_values(subject.picture).values)[subject.leaves]
    style = layer.style.plain
    return {
        "figures": figures.tolist(),
        "radius": style["radius"],
        "color": style["color"]["light"],
    }


def _draw_heat(subject: Subject, layer: Layer, ruler: Ruler) -> dict[str, Any]:
    """Return the density as a picture and the place it covers."""
    frame = _frame_of(subject, ruler)
    png, full = print_heat(subject, frame)
    west, south, east, north = frame.ground
    return {
        "png": pack_bytes(png),
        "box": ruler.points(np.array([[west, north], [east, south]])),
        "opacity": layer.style.plain["opacity"],
        "note": say("sheet.heat_full", subject.lang, n=f"{full:g}"),
    }


def _draw_dots(subject: Subject, layer: Layer, ruler: Ruler) -> dict[str, Any]:
    dots = read_dots(subject, layer)
    if len(dots) > MOST_DOTS:
        note = say("sheet.dots_too_many", subject.lang, n=print_count(len(dots)))
        return {"note": note}
    styles = layer.style.plain["states"]
    wide = len(dots.kinds) > 1 << 8
    return {
        "packed": ruler.pack(dots.place(subject.crs)),
        "states": pack_bytes(dots.state.astype(np.uint8).tobytes()),
        "kinds": pack_bytes(dots.kind.astype("<u2" if wide else "u1").tobytes()),
        "kind_bytes": 2 if wide else 1,
        "names": [print_text(name) for name in dots.kinds],
        "styles": [
            [styles[name]["shape"], styles[name]["color"]["light"], styles[name]["size"]]
            for name in dots.states
        ],
        "least": _find_least(subject, layer),
    }


def _find_least(subject: Subject, layer: Layer) -> float:
    """Return from how many pixels a metre on the screen shows a layer."""
    south, north = subject.sight.bounds[1], subject.sight.bounds[3]
    shrink = float(np.cos(np.radians((south + north) / 2)))
    return round(_ZOOM_0_PX_M * 2.0**layer.minzoom / shrink, 4)


def _draw_points(subject: Subject, layer: Layer, ruler: Ruler) -> dict[str, Any]:
    frame = _frame_of(subject, ruler)
    found = read_points(subject, frame, layer)
    xy = (found.xy - (frame.x_mm, frame.y_mm)) / (frame.mm_per_m, -frame.mm_per_m)
    return {
        "at": ruler.points(xy + np.array([frame.west_m, frame.north_m])),
        "names": [print_text(name) for name in found.names],
        "color": layer.style.plain["color"]["light"],
    }


def _draw_outlines(subject: Subject, layer: Layer, ruler: Ruler) -> dict[str, Any]:
    """Return the lines of a reference table, those of the area where the file is about one."""
    area = None
    if subject.view.area is not None:
        grids = subject.sight.grids.grids
        area = grids.loc[grids["uid"] == subject.view.area].geometry.to_numpy()[0]
    out = []
    for drawn in read_outlines(subject, layer):
        lines = drawn.lines if area is None else shapely.intersection(drawn.lines, area)
        lines = lines[shapely.get_dimensions(lines) == 1]
        out.append(
            {
                "rings": [ring for line in lines for ring in ruler.rings(line)],
                "color": drawn.color,
                "width": drawn.width_px,
                "dash": list(drawn.dash_px),
            }
        )
    return {"shapes": out}


def _frame_of(subject: Subject, ruler: Ruler) -> Frame:
    """Return a frame round all that the file is about."""
    west, south, east, north = ruler.box.bounds
    high = _HEAT_MM * (north - south) / (east - west)
    return fit_frame((0.0, 0.0, _HEAT_MM, high), (west, south, east, north), subject.crs)


def _draw_ground(subject: Subject, _: Layer, ruler: Ruler) -> dict[str, Any]:
    """Return streets, water, green and houses, each from how near they are drawn."""
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
    return {"ground": out}


def _near(ground: Ground, ruler: Ruler) -> list[Any]:
    return list(ground.shapes[np.sort(ground.tree.query(ruler.box))])


_DRAW: dict[str, Callable[[Subject, Layer, Ruler], dict[str, Any]]] = {
    "base": _draw_ground,
    "choropleth": _draw_classes,
    "outline": _draw_outlines,
    "halos": _draw_rings,
    "heat": _draw_heat,
    "dots": _draw_dots,
    "clusters": _draw_points,
}
