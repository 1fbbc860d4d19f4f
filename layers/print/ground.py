"""Ground: water, green, roads and houses under a printed map, each from the scale it suits."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

import geopandas as gpd
import numpy as np
import shapely
from numpy.typing import NDArray

from layers.base_tile import BUILDINGS_FROM, ROADS
from layers.print.frame import Frame
from layers.print.scene import Scene
from layers.print.view import Subject

CSS_PX_MM: Final = 25.4 / 96
_EQUATOR_M_PER_PX = 40_075_016.686 / 512  # of a screen at zoom 0 (MapLibre's tiles of 512 px)
PAPER_FINER: Final = 0.6  # zooms: a printed line is read closer than one on a screen
WATER, GREEN, HOUSE, ROAD, ROAD_EDGE, RAIL = (
    "#bcd8ea", "#e3eddb", "#d8d4cd", "#ffffff", "#a9afb8", "#6b7280",
)  # fmt: skip
_ROAD_MM: Final = {
    "motorway": 0.85, "primary": 0.7, "secondary": 0.55, "tertiary": 0.4,
    "residential": 0.24, "service": 0.16, "path": 0.1,
}  # fmt: skip
_DETAIL_MM = 0.03  # what two points on paper differ by where it can be seen
_LEAST_MM2 = 0.15


@dataclass(frozen=True, slots=True, kw_only=True)
class Ground:
    """One layer of the base map in metres, with an index; roads with class and first zoom."""

    shapes: NDArray[np.object_]
    tree: shapely.STRtree
    names: NDArray[np.object_]
    road: NDArray[np.object_]
    minzoom: NDArray[np.int64]

    def within(self, frame: Frame) -> NDArray[np.int64]:
        """Return the rows that may show in a frame, in the order of the file."""
        return np.sort(self.tree.query(frame.box))


def find_zoom(frame: Frame) -> float:
    """Return the zoom at which a screen shows the same scale, a printed line's finesse added."""
    _, south, _, north = frame.degrees()
    latitude = math.radians((south + north) / 2)
    m_per_px = frame.scale * CSS_PX_MM / 1000
    return math.log2(_EQUATOR_M_PER_PX * math.cos(latitude) / m_per_px) + PAPER_FINER


def read_ground(subject: Subject) -> Mapping[str, Ground]:
    """Return the base map in metres, once a base map."""
    kept = subject.sight.kept
    key = ("base", "print", str(subject.crs))
    if key not in kept:
        kept[key] = {
            name: _prepare(frame, subject.crs)
            for name, frame in sorted(subject.sight.base.items())
            if len(frame)
        }
    ground: Mapping[str, Ground] = kept[key]
    return ground


def draw_ground(scene: Scene, subject: Subject, frame: Frame, *, shaded: bool) -> None:
    """
    Draw the base map into a frame.

    Where grids are `shaded` it lies on their colours: only what helps to find a place, no green.
    """
    ground, zoom = read_ground(subject), find_zoom(frame)
    if not shaded and "green" in ground:
        _fill(scene, frame, ground["green"], fill=GREEN)
    if "water" in ground:
        _fill(scene, frame, ground["water"], fill=WATER, lines=WATER)
    if "buildings" in ground and zoom >= BUILDINGS_FROM:
        _fill(scene, frame, ground["buildings"], fill=HOUSE, opacity=0.6 if shaded else 1.0)
    if "roads" in ground:
        _draw_roads(scene, frame, ground["roads"], zoom=zoom, shaded=shaded)


def _prepare(frame: gpd.GeoDataFrame, crs: Any) -> Ground:
    shapes = np.asarray(frame.geometry.to_crs(crs).to_numpy(), object)
    empty = np.full(len(frame), "", object)
    given = frame["class"].astype(str).to_numpy(object) if "class" in frame else empty
    rules = [ROADS.get(text, ("residential", 13)) for text in given]
    minzoom = [zoom for _, zoom in rules]
    if "minzoom" in frame:
        minzoom = frame["minzoom"].tolist()
    return Ground(
        shapes=shapes,
        tree=shapely.STRtree(shapes),
        names=frame["name"].fillna("").to_numpy(object) if "name" in frame else empty,
        road=np.array([name for name, _ in rules], object),
        minzoom=np.array(minzoom, np.int64),
    )


def _fill(
    scene: Scene, frame: Frame, ground: Ground, *, fill: str, lines: str = "", opacity: float = 1.0
) -> None:
    found = _cut(ground.shapes[ground.within(frame)], frame)
    areas = found[shapely.area(found) >= _LEAST_MM2]
    scene.shapes(areas, fill=fill, fill_opacity=None if opacity == 1.0 else opacity)
    if lines:  # a river may come as a line
        rivers = found[(shapely.area(found) == 0) & ~shapely.is_empty(found)]
        scene.shapes(rivers, fill="none", stroke=lines, stroke_width=0.6)


def _draw_roads(scene: Scene, frame: Frame, roads: Ground, *, zoom: float, shaded: bool) -> None:
    rows = roads.within(frame)
    # Small roads on coloured grids would be taken for their lines until there is room for both.
    rows = rows[roads.minzoom[rows] <= zoom - (1.5 if shaded else 0)]
    by_class = {
        name: _cut(roads.shapes[rows[roads.road[rows] == name]], frame)
        for name in (*reversed(_ROAD_MM), "rail")
    }
    grow = min(max(1.0 + (zoom - 13.5) * 0.3, 0.8), 2.6)
    line = {"fill": "none", "stroke_linecap": "round"}
    for name, width in reversed(_ROAD_MM.items()):  # edges first, so that crossings stay open
        if not shaded or width >= _ROAD_MM["tertiary"]:
            scene.shapes(by_class[name], **line, stroke=ROAD_EDGE, stroke_width=width * grow + 0.16)
    for name, width in reversed(_ROAD_MM.items()):
        opacity = 0.85 if shaded else None
        scene.shapes(
            by_class[name], **line, stroke=ROAD, stroke_width=width * grow, stroke_opacity=opacity
        )
    scene.shapes(by_class["rail"], **line, stroke=RAIL, stroke_width=0.5)
    scene.shapes(
        by_class["rail"], fill="none", stroke=ROAD, stroke_width=0.28, stroke_dasharray="1.6 1.6"
    )


def _cut(shapes: NDArray[np.object_], frame: Frame) -> NDArray[np.object_]:
    cut = frame.to_page(frame.clip(shapes))
    return np.asarray(shapely.simplify(cut, _DETAIL_MM, preserve_topology=False), object)
