"""Points on a printed map: incidents and components by state with their shapes, and places."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Final

import numpy as np
import orjson
import shapely
from numpy.typing import NDArray

from geodata.coordinates import lonlat_crs, to_metric
from layers.layer import Layer
from layers.print.dots import read_dots
from layers.print.frame import Frame
from layers.print.grid_marks import PAPER, is_inside
from layers.print.ground import CSS_PX_MM, find_zoom
from layers.print.scene import Scene
from layers.print.view import Subject

MOST_DOTS: Final = 4_000  # on one sheet; more would be a carpet that nobody can read
_DOT_SHARE = 0.62
_SIDES = {"circle": 14, "speck": 8, "diamond": 4, "square": 4, "triangle": 3}
_TURN = {
    "circle": 0.0,
    "speck": np.pi / 8,
    "diamond": 0.0,
    "square": 0.25 * np.pi,
    "triangle": 0.5 * np.pi,
}
_RIMMED = 2_000
_WHOLE = "nonzero"  # dots that lie on one another are no holes in each other
_RIMLESS = frozenset({"done", "whole"})  # small and many: their rims would be what one sees
_POINT_MM = ((120, 0.95), (600, 0.65), (2_000, 0.45), (1 << 62, 0.3))  # up to how many: radius


@dataclass(frozen=True, slots=True, kw_only=True)
class Placed:
    """Points of the page with their names, empty where they have none."""

    xy: NDArray[np.float64]
    names: list[str]


def draw_dots(scene: Scene, subject: Subject, frame: Frame, layer: Layer) -> tuple[int, int]:
    """
    Draw each chosen incident or component, the most pressing on top; return how many of how many.

    Of more than MOST_DOTS none is drawn: a part of them would say something untrue.
    """
    dots = read_dots(subject, layer, frame=frame)
    if len(dots) > MOST_DOTS:
        return 0, len(dots)
    place = frame.place(dots.place(frame.crs))
    inside = is_inside(place, frame)
    place, state = place[inside], dots.state[inside]
    styles = layer.style.plain["states"]
    share = _DOT_SHARE * min(max(1 + (find_zoom(frame) - 14.5) * 0.25, 1.0), 1.7)
    for number, name in enumerate(dots.states):
        style = styles[name]
        radius = style["size"] * CSS_PX_MM * share / 2
        marks = _symbols(place[state == number], shape=style["shape"], radius=radius)
        edge = 0.24 if style.get("edge") else 0.12
        color = style["color"]["light"]
        rim = {} if name in _RIMLESS else {"stroke": PAPER, "stroke_width": edge}
        scene.shapes(marks, fill=color, fill_rule=_WHOLE, **rim)
    return len(dots), len(dots)


def draw_symbol(scene: Scene, shape: str, x: float, y: float, *, radius: float, color: str) -> None:
    """Draw one mark of a state, for a legend."""
    marks = _symbols(np.array([[x, y]]), shape=shape, radius=radius)
    scene.shapes(marks, fill=color, fill_rule=_WHOLE, stroke=PAPER, stroke_width=0.12)


def draw_points(scene: Scene, subject: Subject, frame: Frame, layer: Layer) -> Placed:
    """Draw every point of a layer that lies in the frame; return where they are."""
    found = read_points(subject, frame, layer)
    many = len(found.xy) > _RIMMED
    radius = next(mm for most, mm in _POINT_MM if len(found.xy) <= most)
    color = layer.style.plain["color"]["light"]
    # At the smallest size nobody tells eight sides from a circle, and 100,000 weigh a third less.
    marks = _symbols(found.xy, shape="speck" if many else "circle", radius=radius)
    # Where there are many, their rims together would be what one sees.
    rim = {} if many else {"stroke": PAPER, "stroke_width": 0.16}
    scene.shapes(marks, fill=color, fill_rule=_WHOLE, **rim)
    return found


def read_points(subject: Subject, frame: Frame, layer: Layer) -> Placed:
    """Return a layer's points: just what the screen gets, and only of the sheet's area."""
    body = layer.source.draw(subject.picture)
    features: list[dict[str, Any]] = orjson.loads(body)["features"] if body else []
    points = [item for item in features if (item["geometry"] or {}).get("type") == "Point"]
    lonlat = np.array([item["geometry"]["coordinates"][:2] for item in points], np.float64)
    if not len(lonlat):
        return Placed(xy=np.empty((0, 2)), names=[])
    x, y = to_metric(lonlat[:, 0], lonlat[:, 1], lonlat_crs(), frame.crs)
    metric = np.stack([x, y], axis=1)
    place = frame.place(metric)
    keep = is_inside(place, frame)
    if subject.view.area is not None:
        grids = subject.sight.grids.grids
        area = grids.loc[grids["uid"] == subject.view.area].geometry.to_numpy()[0]
        keep &= np.asarray(shapely.intersects_xy(area, metric[:, 0], metric[:, 1]), bool)
    names = [str(points[row]["properties"].get("name", "")) for row in np.flatnonzero(keep)]
    return Placed(xy=place[keep], names=names)


def _symbols(place: NDArray[np.float64], *, shape: str, radius: float) -> NDArray[np.object_]:
    """Return a polygon round each point of the page."""
    if not len(place):
        return np.empty(0, object)
    turn = np.arange(_SIDES[shape]) * 2 * np.pi / _SIDES[shape] + _TURN[shape]
    # All shapes cover about the same area, so that none looks the more important for it.
    size = (
        radius
        * {"circle": 1.0, "speck": 1.0, "diamond": 1.25, "square": 1.25, "triangle": 1.45}[shape]
    )
    ring = np.stack([np.cos(turn), -np.sin(turn)], axis=1) * size
    return np.asarray(shapely.polygons(place[:, None, :] + ring), object)
