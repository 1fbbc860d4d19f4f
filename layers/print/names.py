"""Names on a printed map: each where there is room for it, never one on another."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any, Final

import numpy as np
import shapely
from numpy.typing import NDArray

from layers.grid_edges import find_areas
from layers.layer import Layer
from layers.print.frame import Frame
from layers.print.grid_marks import PAPER, find_middles
from layers.print.ground import find_zoom, read_ground
from layers.print.lettering import measure_text, print_text
from layers.print.scene import Scene
from layers.print.view import Subject

Box = tuple[float, float, float, float]

INK: Final = "#1b2430"
_QUIET: Final = "#4a5768"
_PALE: Final = "#8793a5"
_WATER_INK: Final = "#2f6690"
_PX_SHARE = 0.2  # mm of letter height for a pixel of the screen's
_LEAST_MM = 1.75
_APART_MM = 0.35
_LINE_HEIGHT = 1.02
_TRIES = ((0, 0), (0, -1), (0, 1), (-0.5, 0), (0.5, 0), (-0.5, -1), (0.5, 1), (0, -2), (0, 2))
_ROAD_NAME_MM = 2.0
_NAMED_LATER = 3  # zooms after a road shows: names come once there is room for them
_NAMED_LONGER = 1.5
_BESIDE_MM = 0.6
_MOST_PLACE_NAMES = 90


@dataclass(kw_only=True)
class Writer:
    """Writes names into a frame, the first come keeping their place; counts what found none."""

    scene: Scene
    frame: Frame
    written: int = 0
    asked: int = 0
    _boxes: list[Box] = field(default_factory=list)
    _avoided: list[Box] = field(default_factory=list)

    def avoid(self, boxes: Iterable[Box]) -> None:
        """Keep boxes of the page (left, top, right, bottom) free of names where there is a way."""
        self._avoided += boxes

    def is_free(self, box: Box, *, of_all: bool = True) -> bool:
        """Tell whether a box lies in the frame and on no other, nor (`of_all`) on one to avoid."""
        frame = self.frame
        left, top, right, bottom = box
        if left < frame.x_mm + _APART_MM or right > frame.x_mm + frame.width_mm - _APART_MM:
            return False
        if top < frame.y_mm + _APART_MM or bottom > frame.y_mm + frame.height_mm - _APART_MM:
            return False
        boxes = self._boxes + self._avoided if of_all else self._boxes
        if not boxes:
            return True
        taken = np.array(boxes)
        apart = (taken[:, 2] <= left) | (taken[:, 0] >= right)
        apart |= (taken[:, 3] <= top) | (taken[:, 1] >= bottom)
        return bool(apart.all())

    def write(
        self,
        text: str,
        spots: Sequence[tuple[float, float]],
        size: float,
        *,
        color: str = INK,
        strong: bool = False,
        anchor: str = "middle",
        counted: bool = True,
    ) -> bool:
        """Write a name at the first of some spots (its middle) that is free."""
        plain = print_text(text)
        if not plain:
            return False
        self.asked += counted
        wide, high = measure_text(plain, size), size * _LINE_HEIGHT
        shift = wide / 2 if anchor == "start" else 0.0
        for place in range(2 * len(spots)):  # once with a free view, once on what is to be avoided
            x, y = spots[place % len(spots)]
            middle = x + shift
            box = (middle - wide / 2, y - high / 2, middle + wide / 2, y + high / 2)
            grown = (
                box[0] - _APART_MM, box[1] - _APART_MM / 2,
                box[2] + _APART_MM, box[3] + _APART_MM / 2,
            )  # fmt: skip
            if self.is_free(grown, of_all=place < len(spots)):
                self._boxes.append(grown)
                self.scene.text(
                    middle, y + size * 0.36, plain, size,
                    color=color, anchor="middle", strong=strong, halo=PAPER,
                )  # fmt: skip
                self.written += counted
                return True
        return False

    def write_along(self, text: str, line: Sequence[tuple[float, float]], size: float) -> bool:
        """Write a road's name along its straightest stretch that is long and free enough."""
        plain = print_text(text)
        wide = measure_text(plain, size)
        (x1, y1), (x2, y2) = line
        if x2 < x1:
            x1, y1, x2, y2 = x2, y2, x1, y1
        angle = math.degrees(math.atan2(y2 - y1, x2 - x1))
        x, y = (x1 + x2) / 2, (y1 + y2) / 2
        turn = math.radians(angle)
        half_w = (abs(math.cos(turn)) * wide + abs(math.sin(turn)) * size) / 2
        half_h = (abs(math.sin(turn)) * wide + abs(math.cos(turn)) * size) / 2
        box = (x - half_w, y - half_h, x + half_w, y + half_h)
        if not self.is_free(box):
            return False
        self._boxes.append(box)
        down = (-math.sin(turn) * size * 0.36, math.cos(turn) * size * 0.36)
        self.scene.text(
            x + down[0], y + down[1], plain, size,
            color=_QUIET, anchor="middle", halo=PAPER, angle=angle,
        )  # fmt: skip
        return True


def write_areas(writer: Writer, subject: Subject, layer: Layer) -> None:
    """Write the names of the levels that the scale has room for, the outermost first."""
    levels: dict[str, dict[str, Any]] = layer.style.plain["levels"]
    zoom = find_zoom(writer.frame)
    outer, finest = find_areas(subject.picture), subject.sight.grids.finest()
    for level, style in levels.items():
        # A sheet cannot be moved: the larger area's name stays where the screen drops it.
        later = _NAMED_LONGER if style.get("strong") else 0
        if not style["minzoom"] <= zoom < style["maxzoom"] + later:
            continue
        for key, grids in (("areas", outer), ("finest", finest)):
            chosen = np.flatnonzero((grids["level"] == level).to_numpy())
            if key == "finest" and subject.view.area is not None:
                chosen = chosen[subject.leaves[chosen]]
            if len(chosen):
                _write_level(writer, subject, style, key=key, grids=grids, rows=chosen)


def write_points(writer: Writer, points: NDArray[np.float64], names: list[str]) -> None:
    """Write the names of cameras and places beside them, where there are few enough."""
    if len(points) > _MOST_PLACE_NAMES:
        return
    size = _LEAST_MM
    for (x, y), name in zip(points.tolist(), names, strict=True):
        beside = measure_text(print_text(name), size) + _BESIDE_MM * 2
        spots = [
            (x + _BESIDE_MM * 2, y), (x - beside, y),
            (x - beside / 2, y - size), (x - beside / 2, y + size),
        ]  # fmt: skip
        writer.write(name, spots, size, color=_QUIET, anchor="start", counted=False)


def write_ground(writer: Writer, subject: Subject) -> None:
    """Write the names of roads along them and of waters inside them, once each."""
    ground, frame = read_ground(subject), writer.frame
    zoom = find_zoom(frame)
    if "water" in ground:
        _write_waters(writer, ground["water"])
    if "roads" not in ground:
        return
    roads = ground["roads"]
    rows = roads.within(frame)
    rows = rows[(roads.minzoom[rows] <= zoom - _NAMED_LATER) & (roads.names[rows] != "")]
    for name in sorted(set(roads.names[rows].tolist())):
        lines = frame.to_page(frame.clip(roads.shapes[rows[roads.names[rows] == name]]))
        wide = measure_text(print_text(name), _ROAD_NAME_MM)
        for stretch in _straight_stretches(lines, wide):
            if writer.write_along(name, stretch, _ROAD_NAME_MM):
                break


def _write_waters(writer: Writer, water: Any) -> None:
    frame = writer.frame
    rows = water.within(frame)
    rows = rows[water.names[rows] != ""]
    for name in sorted(set(water.names[rows].tolist())):
        parts = shapely.get_parts(
            frame.to_page(frame.clip(water.shapes[rows[water.names[rows] == name]], around_mm=0))
        )
        parts = parts[shapely.get_type_id(parts) == 3]
        if not len(parts):
            continue
        largest = parts[int(np.argmax(shapely.area(parts)))]
        wide = measure_text(print_text(name), _ROAD_NAME_MM)
        west, _, east, _ = largest.bounds
        if east - west > wide:
            spot = shapely.point_on_surface(largest)
            writer.write(name, [(spot.x, spot.y)], _ROAD_NAME_MM, color=_WATER_INK, counted=False)


def _straight_stretches(
    lines: NDArray[np.object_], length: float
) -> list[tuple[tuple[float, float], tuple[float, float]]]:
    """Return the chords of pieces as long as a name, the straightest first."""
    merged = shapely.get_parts(
        shapely.line_merge(shapely.multilinestrings(shapely.get_parts(lines)))
    )
    found = []
    for line in merged:
        whole = float(line.length)
        if whole < length * 1.15:
            continue
        for share in (0.5, 0.3, 0.7, 0.15, 0.85):
            at = whole * share
            if at < length / 2 or at > whole - length / 2:
                continue
            begin = shapely.line_interpolate_point(line, at - length / 2)
            end = shapely.line_interpolate_point(line, at + length / 2)
            chord = float(shapely.distance(begin, end))
            found.append((-chord / length, ((begin.x, begin.y), (end.x, end.y))))
    return [stretch for straight, stretch in sorted(found) if straight < -0.97]


def _write_level(
    writer: Writer, subject: Subject, style: dict[str, Any], *, key: str, grids: Any, rows: Any
) -> None:
    """Write one level's names: large areas first, each in or near its middle."""
    frame = writer.frame
    mine = np.ones(len(grids), np.bool_)
    if subject.view.area is not None:
        mine = np.isin(grids["uid"], subject.sight.grids.subtree_uids(subject.view.area))
    shapes = grids.geometry.to_numpy()
    names = grids["name"].to_numpy()
    middles = frame.place(find_middles(subject, key, grids))
    size = max(style["size"] * _PX_SHARE * (0.85 if key == "finest" else 1), _LEAST_MM)
    sizes = shapely.area(shapes[rows])
    for row in rows[np.lexsort((rows, -sizes, ~mine[rows]))].tolist():
        text, (x, y) = str(names[row]), middles[row].tolist()
        if not _in_frame(x, y, frame):
            continue
        wide = measure_text(print_text(text), size)
        west, _, east, _ = shapes[row].bounds
        if key == "finest" and wide > (east - west) * frame.mm_per_m * 1.1:
            writer.asked += bool(mine[row])  # wider than its grid it would seem its neighbour's
            continue
        spots = [(x + dx * wide, y + dy * size * 1.15) for dx, dy in _TRIES]
        ink = (INK if key == "areas" else _QUIET) if mine[row] else _PALE
        strong = key == "areas" and bool(mine[row])
        counted = bool(mine[row])
        writer.write(text, spots, size, color=ink, strong=strong, counted=counted)


def _in_frame(x: float, y: float, frame: Frame) -> bool:
    inside_x = frame.x_mm <= x <= frame.x_mm + frame.width_mm
    return inside_x and frame.y_mm <= y <= frame.y_mm + frame.height_mm
