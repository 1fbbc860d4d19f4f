"""Furniture: scale bar, north arrow, edge degrees and the small map that says where this is."""

from __future__ import annotations

import math
from typing import Any, Final

import numpy as np
import shapely

from geodata.coordinates import lonlat_crs, to_metric
from geodata.words import Lang, say
from layers.grid_edges import find_areas
from layers.palette import ACCENT
from layers.print.frame import Bounds, Frame, fit_frame
from layers.print.grid_marks import PAPER
from layers.print.legend import QUIET
from layers.print.names import INK
from layers.print.scene import Scene
from layers.print.view import Subject

FRAME_LINE: Final = "#3c4a5e"
_BAR_PARTS = 4
_STEPS_ARCMIN = (0.25, 0.5, 1.0, 2.0, 5.0, 10.0, 15.0, 30.0, 60.0)
_TICKS = 5
_LOCATOR_FILL, _LOCATOR_LINE = "#e6eaf0", "#9aa5b5"


def draw_scale(scene: Scene, frame: Frame, x: float, y: float, text_mm: float, lang: Lang) -> float:
    """Draw a scale bar in true metres with the ratio above it, y its middle; return its width."""
    length_m, length_mm = frame.bar_length()
    high, small = text_mm * 0.42, text_mm * 0.85
    for part in range(_BAR_PARTS):
        fill = INK if part % 2 == 0 else PAPER
        wide = length_mm / _BAR_PARTS
        scene.rect(x + wide * part, y, wide, high, fill=fill, stroke=INK, stroke_width=0.12)
    in_km = length_m >= 1000
    for share in (0, 0.5, 1):
        figure = length_m * share / (1000 if in_km else 1)
        text = f"{figure:g}"
        if share == 1:
            text = say("map.kilometres" if in_km else "map.metres", lang, n=text)
        scene.text(
            x + length_mm * share, y - text_mm * 0.35, text, small, color=INK,
            anchor="start" if share == 1 else "middle",
        )  # fmt: skip
    ratio = say("sheet.scale", lang, n=f"{_round_scale(frame.scale):,}")
    scene.text(x, y + high + text_mm * 1.15, ratio, small, color=QUIET)
    return length_mm + text_mm * 3.5


def draw_north(scene: Scene, frame: Frame, x: float, y: float, high: float, lang: Lang) -> None:
    """Draw an arrow to true north, which the city's upright misses by a little; x its middle."""
    turn = math.radians(frame.north_angle)
    size = high * 0.62

    def place(right: float, up: float) -> tuple[float, float]:
        return (
            x + right * math.cos(turn) + up * math.sin(turn),
            y + high - (up * math.cos(turn) - right * math.sin(turn)),
        )

    tip, foot = place(0, size), place(0, size * 0.22)
    scene.line(
        [tip, place(size * 0.3, 0), foot], closed=True, fill=INK, stroke=INK, stroke_width=0.1
    )
    scene.line(
        [tip, place(-size * 0.3, 0), foot], closed=True, fill=PAPER, stroke=INK, stroke_width=0.1
    )
    letter = place(0, size * 1.22)
    scene.text(
        letter[0], letter[1], say("sheet.north", lang), high * 0.36,
        color=INK, anchor="middle", strong=True,
    )  # fmt: skip


def draw_degrees(scene: Scene, frame: Frame, text_mm: float) -> None:
    """Draw the frame's line with ticks at whole minutes of longitude and latitude."""
    x, y, width, height = frame.x_mm, frame.y_mm, frame.width_mm, frame.height_mm
    size, tick = text_mm * 0.62, text_mm * 0.4
    west, south, east, north = frame.degrees()
    style: dict[str, Any] = {"stroke": FRAME_LINE, "stroke_width": 0.15}
    for low, high, upright in ((west, east, True), (south, north, False)):
        step = _choose_step(high - low)
        first, last = math.ceil(low / step), math.floor(high / step)
        for number in range(first, last + 1):
            value = number * step
            for far in (False, True):
                at = _find_tick(frame, value, upright=upright, far=far)
                if at is None:
                    continue
                mark = _degrees(value, "EW" if upright else "NS")
                if upright:
                    edge = y + height if far else y
                    scene.line([(at, edge), (at, edge + (tick if far else -tick))], **style)
                    if not far:
                        scene.text(at, y - tick * 1.3, mark, size, color=QUIET, anchor="middle")
                else:
                    edge = x + width if far else x
                    scene.line([(edge, at), (edge + (tick if far else -tick), at)], **style)
                    if not far:
                        left = x - tick * 1.3
                        scene.text(left, at, mark, size, color=QUIET, anchor="middle", angle=-90.0)
    scene.rect(x, y, width, height, fill="none", stroke=FRAME_LINE, stroke_width=0.3)


def draw_locator(scene: Scene, subject: Subject, frame: Frame, place: Bounds) -> None:
    """Draw where in the city the sheet lies: the areas above the grids, and the sheet's ground."""
    grids = subject.sight.grids.grids
    small = fit_frame(place, tuple(grids.total_bounds), subject.crs)
    areas = find_areas(subject.picture)
    source = areas if len(areas) else subject.sight.grids.finest()
    level = source["level"].to_numpy()
    levels = [one for one in subject.sight.grids.levels if (level == one).sum() > 1]
    chosen = source[level == levels[0]] if levels else source
    shapes = small.to_page(np.asarray(chosen.geometry.to_numpy(), object))
    scene.shapes(shapes, fill=_LOCATOR_FILL, stroke=_LOCATOR_LINE, stroke_width=0.15)
    if subject.view.area is not None:
        mine = grids[grids["uid"] == subject.view.area].geometry.to_numpy()
        fill = {"fill": ACCENT["light"], "fill_opacity": 0.75}
        scene.shapes(small.to_page(np.asarray(mine, object)), **fill)
    box = small.to_page(np.array([frame.box], object))
    left, top, right, bottom = (float(edge) for edge in shapely.total_bounds(box))
    x, y, width, height = place
    left, top = max(left, x), max(top, y)
    right, bottom = min(right, x + width), min(bottom, y + height)
    scene.rect(
        left, top, right - left, bottom - top,
        fill="none", stroke=ACCENT["light"], stroke_width=0.45,
    )  # fmt: skip


def _round_scale(scale: float) -> int:
    """Return a scale to three digits: the last ones would be said of paper that moves."""
    digits: int = 10 ** max(int(math.log10(scale)) - 2, 0)
    return round(scale / digits) * digits


def _choose_step(span: float) -> float:
    for minutes in _STEPS_ARCMIN:
        if span / (minutes / 60) <= _TICKS:
            return minutes / 60
    return _STEPS_ARCMIN[-1] / 60 * math.ceil(span / _TICKS)


def _find_tick(frame: Frame, value: float, *, upright: bool, far: bool) -> float | None:
    """Return where a meridian (upright) or parallel crosses the near or far edge of a frame."""
    west, south, east, north = frame.degrees()
    other = np.linspace(south, north, 9) if upright else np.linspace(west, east, 9)
    lon, lat = (np.full(9, value), other) if upright else (other, np.full(9, value))
    xy = np.stack(to_metric(lon, lat, lonlat_crs(), frame.crs), axis=1)
    px, py = frame.place(xy).T
    if upright:
        edge = frame.y_mm + (frame.height_mm if far else 0.0)
        order = np.argsort(py)
        at = float(np.interp(edge, py[order], px[order]))
        inside = frame.x_mm + 1 < at < frame.x_mm + frame.width_mm - 1
    else:
        edge = frame.x_mm + (frame.width_mm if far else 0.0)
        order = np.argsort(px)
        at = float(np.interp(edge, px[order], py[order]))
        inside = frame.y_mm + 1 < at < frame.y_mm + frame.height_mm - 1
    return at if inside else None


def _degrees(value: float, signs: str) -> str:
    seconds = round(abs(value) * 3600)
    degrees, minutes, rest = seconds // 3600, seconds // 60 % 60, seconds % 60
    tail = f"{rest:02d}″" if rest else ""
    return f"{degrees}°{minutes:02d}′{tail}{signs[value < 0]}"
