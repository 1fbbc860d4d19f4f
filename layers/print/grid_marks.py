"""Grids on a printed map: classes as colours, lines of every level, rings, and what is around."""

from __future__ import annotations

from typing import Any, Final

import numpy as np
import shapely
from numpy.typing import NDArray

from layers.classes import classify
from layers.grid_edges import WIDTHS_PX, find_areas
from layers.layer import Layer, Values
from layers.palette import AREA_LINE, ZERO
from layers.print.frame import Frame
from layers.print.ground import CSS_PX_MM
from layers.print.scene import Scene, hatch
from layers.print.view import Subject

GRID_LINE: Final = "#8b93a1"
PAPER: Final = "#ffffff"
THIN: Final = "#98a1ae"
_THIN_LINE_MM, _FINE_LINE_MM = 0.1, 0.06
_MANY_GRIDS = 2_000  # from here on their lines are finer
_HATCH_MM = 1.1
_VEIL = 0.45
LEVEL_SHARE = 0.78  # of the screen's line: paper is looked at from nearer
_RING_SHARE = 0.8
_NUMBERED_RINGS = 60
_NUMBER_MM, _NUMBER_RADIUS_MM = 1.95, 1.45
_POINT_TOLERANCE_M = 5.0


def find_middles(subject: Subject, key: str, grids: Any) -> NDArray[np.float64]:
    """Return a point well inside each grid, in metres; `key` names these grids, once a drawing."""
    kept = subject.sight.kept
    place = ("drawing", "middles", key, subject.sight.grids.drawing)
    if place not in kept:
        circles = shapely.maximum_inscribed_circle(
            grids.geometry.to_numpy(), tolerance=_POINT_TOLERANCE_M
        )
        kept[place] = shapely.get_coordinates(shapely.get_point(circles, 0))
    middles: NDArray[np.float64] = kept[place]
    return middles


def hatch_fill(scene: Scene, *, known: bool) -> str:
    """Return the fill of grids that are too thin to judge (`known`) or have no figure."""
    if known:
        return hatch(scene, "thin", color=THIN, gap_mm=_HATCH_MM)
    return hatch(scene, "nothing", color="#7d8694", gap_mm=_HATCH_MM, cross=True)


def draw_classes(
    scene: Scene, subject: Subject, frame: Frame, layer: Layer, values: Values
) -> None:
    """Fill the grids by class, with the screen's breaks and its colours for light."""
    grids = subject.sight.grids.finest()
    shapes = np.asarray(grids.geometry.to_numpy(), object)
    seen = shapely.intersects(shapes, frame.box)
    found = classify(values.values, values.breaks)
    thin = np.zeros(len(found), np.bool_)
    thin[values.thin] = True
    seen &= subject.leaves  # around an area its neighbours' colours would be read as its own
    ramp = layer.style.plain["ramp"]["light"]
    fills = [
        (hatch_fill(scene, known=True), thin),
        (hatch_fill(scene, known=False), ~thin & (found == -2)),
        (layer.style.plain.get("zero", ZERO)["light"], ~thin & (found == -1)),
        *((color, ~thin & (found == place)) for place, color in enumerate(ramp)),
    ]
    for fill, chosen in fills:
        scene.shapes(frame.to_page(frame.clip(shapes[seen & chosen])), fill=fill)


def draw_grid_lines(scene: Scene, subject: Subject, frame: Frame) -> None:
    """Draw the lines between the finest grids."""
    shapes = np.asarray(subject.sight.grids.finest().geometry.to_numpy(), object)
    shapes = shapes[shapely.intersects(shapes, frame.box)]
    width = _FINE_LINE_MM if len(shapes) > _MANY_GRIDS else _THIN_LINE_MM
    scene.shapes(_clip_lines(shapes, frame), fill="none", stroke=GRID_LINE, stroke_width=width)


def draw_levels(scene: Scene, subject: Subject, frame: Frame) -> None:
    """Draw the lines of the levels above the grids, the outermost last and widest."""
    areas = find_areas(subject.picture)
    shapes = np.asarray(areas.geometry.to_numpy(), object)
    levels = areas["level"].to_numpy()
    for level, width in reversed(WIDTHS_PX.items()):
        chosen = shapes[levels == level]
        mm = width * CSS_PX_MM * LEVEL_SHARE
        lines = _clip_lines(chosen[shapely.intersects(chosen, frame.box)], frame)
        scene.shapes(lines, fill="none", stroke=PAPER, stroke_width=mm + 0.25, stroke_opacity=0.6)
        scene.shapes(lines, fill="none", stroke=AREA_LINE["light"], stroke_width=mm)


def draw_rings(
    scene: Scene, subject: Subject, frame: Frame, layer: Layer, values: Values
) -> list[tuple[float, float, float, float]]:
    """
    Draw a ring round each grid with a figure above zero, with its number where there is room.

    Return the rings' boxes on the page: left, top, right, bottom.
    """
    middles = find_middles(subject, "finest", subject.sight.grids.finest())
    figures = np.nan_to_num(values.values)
    chosen = np.flatnonzero((figures > 0) & subject.leaves)
    if not len(chosen):
        return []
    placed = frame.place(middles[chosen])
    inside = is_inside(placed, frame)
    chosen, placed = chosen[inside], placed[inside]
    low, high = (CSS_PX_MM * _RING_SHARE * px for px in layer.style.plain["radius"])
    most = float(figures.max())
    color = layer.style.plain["color"]["light"]
    boxes = []
    numbered = len(chosen) <= _NUMBERED_RINGS
    for row, (x, y) in sorted(zip(chosen.tolist(), placed.tolist(), strict=True)):
        least = _NUMBER_RADIUS_MM if numbered else low
        radius = max(least, high * float(np.sqrt(figures[row] / most)))
        inner = {"fill": PAPER, "fill_opacity": 0.35} if numbered else {"fill": "none"}
        scene.circle(x, y, radius, **inner, stroke=PAPER, stroke_width=0.75)
        scene.circle(x, y, radius, fill="none", stroke=color, stroke_width=0.4)
        if numbered:
            text = values.texts.get(row, f"{figures[row]:,.0f}")
            size = max(_NUMBER_MM, radius)
            scene.text(x, y + size * 0.36, text, size, color=color, anchor="middle", halo=PAPER)
        boxes.append((x - radius, y - radius, x + radius, y + radius))
    return boxes


def draw_veil(scene: Scene, subject: Subject, frame: Frame) -> None:
    """Make everything outside the sheet's area pale, and draw its line."""
    if subject.view.area is None:
        return
    grids = subject.sight.grids.grids
    area = grids.loc[grids["uid"] == subject.view.area].geometry.to_numpy()
    around = shapely.difference(frame.box.buffer(3 / frame.mm_per_m), area)
    scene.shapes(frame.to_page(np.asarray(around, object)), fill=PAPER, fill_opacity=_VEIL)
    lines = frame.to_page(np.asarray(area, object))
    scene.shapes(lines, fill="none", stroke=PAPER, stroke_width=1.3)
    scene.shapes(lines, fill="none", stroke=AREA_LINE["light"], stroke_width=0.7)


def _clip_lines(shapes: NDArray[np.object_], frame: Frame) -> NDArray[np.object_]:
    """Return outlines, whose cut ends do not close along the frame."""
    return frame.to_page(frame.clip(np.asarray(shapely.boundary(shapes), object)))


def is_inside(placed: NDArray[np.float64], frame: Frame) -> NDArray[np.bool_]:
    """Return which points of the page lie in a frame."""
    x, y = placed[:, 0] - frame.x_mm, placed[:, 1] - frame.y_mm
    return np.asarray((x >= 0) & (x <= frame.width_mm) & (y >= 0) & (y <= frame.height_mm), bool)
