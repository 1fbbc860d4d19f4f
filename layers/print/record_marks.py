"""Reference tables on a printed map: lines and areas as outlines, components as points."""

from __future__ import annotations

import numpy as np
import orjson
import shapely

from geodata.coordinates import lonlat_crs, shapes_to_metric
from layers.layer import Layer
from layers.print.frame import Frame
from layers.print.ground import CSS_PX_MM
from layers.print.scene import Scene
from layers.print.view import Subject

_LINE_SHARE = 0.8
_DEFAULT_WIDTH_PX = 1.2


def draw_outlines(scene: Scene, subject: Subject, frame: Frame, layer: Layer) -> None:
    """Draw the shapes of a layer as outlines: just what the screen gets, in its colours."""
    body = layer.source.draw(subject.picture)
    features = orjson.loads(body)["features"] if body else []
    if not features:
        return
    levels = np.array([item["properties"].get("level", "") for item in features], object)
    shapes = shapely.from_geojson([orjson.dumps(item["geometry"]) for item in features])
    metric = shapes_to_metric(shapes, lonlat_crs(), frame.crs)
    for level, style in layer.style.plain["levels"].items():
        color = (style.get("color") or layer.style.plain["color"])["light"]
        chosen = metric[levels == level]
        areas = shapely.get_dimensions(chosen) == 2
        lines = np.where(areas, shapely.boundary(chosen), chosen)
        dash = style.get("dash")
        scene.shapes(
            frame.to_page(frame.clip(lines)),
            fill="none",
            stroke=color,
            stroke_width=style.get("width", _DEFAULT_WIDTH_PX) * CSS_PX_MM * _LINE_SHARE,
            stroke_dasharray=" ".join(f"{px * CSS_PX_MM:.2f}" for px in dash) if dash else None,
        )
