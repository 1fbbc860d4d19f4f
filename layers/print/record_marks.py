"""Reference tables on a map: their lines and areas as outlines."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import orjson
import shapely
from numpy.typing import NDArray

from geodata.coordinates import lonlat_crs, shapes_to_metric
from layers.layer import Layer
from layers.print.frame import Frame
from layers.print.ground import CSS_PX_MM
from layers.print.scene import Scene
from layers.print.view import Subject

_LINE_SHARE = 0.8
_DEFAULT_WIDTH_PX = 1.2


@dataclass(frozen=True, slots=True, kw_only=True)
class Outlines:
    """Lines that are drawn alike, in metres of the city's system; areas by their boundary."""

    lines: NDArray[np.object_]
    color: str
    width_px: float
    dash_px: tuple[float, ...]


def read_outlines(subject: Subject, layer: Layer) -> list[Outlines]:
    """Return the shapes of a layer as outlines: just what the screen gets, in its colours."""
    body = layer.source.draw(subject.picture)
    features = orjson.loads(body)["features"] if body else []
    if not features:
        return []
    levels = np.array([item["properties"].get("level", "") for item in features], object)
    shapes = shapely.from_geojson([orjson.dumps(item["geometry"]) for item in features])
    metric = shapes_to_metric(shapes, lonlat_crs(), subject.crs)
    areas = shapely.get_dimensions(metric) == 2
    lines = np.where(areas, shapely.boundary(metric), metric)
    return [
        Outlines(
            lines=lines[levels == level],
            color=(style.get("color") or layer.style.plain["color"])["light"],
            width_px=style.get("width", _DEFAULT_WIDTH_PX),
            dash_px=tuple(style.get("dash") or ()),
        )
        for level, style in layer.style.plain["levels"].items()
    ]


def draw_outlines(scene: Scene, subject: Subject, frame: Frame, layer: Layer) -> None:
    """Draw the shapes of a layer as outlines."""
    for drawn in read_outlines(subject, layer):
        scene.shapes(
            frame.to_page(frame.clip(drawn.lines)),
            fill="none",
            stroke=drawn.color,
            stroke_width=drawn.width_px * CSS_PX_MM * _LINE_SHARE,
            stroke_dasharray=" ".join(f"{px * CSS_PX_MM:.2f}" for px in drawn.dash_px) or None,
        )
