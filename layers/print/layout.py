"""Layout: where map, figures, legend and the small map stand on a page, so that all of it fits."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Final

from geodata.figures.area import AreaFigures
from geodata.words import Lang, say
from layers.print.frame import Bounds, Frame, fit_frame
from layers.print.furniture import draw_degrees, draw_locator, draw_north, draw_scale
from layers.print.legend import QUIET, Key, draw_key, read_key
from layers.print.lettering import break_lines
from layers.print.map_body import draw_layers
from layers.print.margin import draw_figures
from layers.print.names import INK
from layers.print.page import Page
from layers.print.scene import Scene
from layers.print.view import Subject

STRIP: Final = 4.4  # letter heights: the strip below the map with scale bar and north arrow
_COLUMN = 21.5  # the column beside the map
_GAP = 1.5
_LOCATOR = 13.0
_BANDS = 3  # columns below the map of an upright page
_LEAST_TEXT = 0.6  # letters shrink to this share before a legend would be cut off
_SHRINK = 0.97
Block = Callable[[Scene, float, float, float, float], float]  # x, y, width, letters -> height


def lay_out(
    scene: Scene, subject: Subject, figures: AreaFigures, page: Page, body: Bounds
) -> tuple[Key, ...]:
    """Set map, figures and legend into the body of the page; return the legend."""
    x, y, width, height = body
    t = page.text_mm
    if page.upright:
        # What the map will say of itself is not known yet: room for two lines of it.
        keys = [key for layer in subject.layers if (key := read_key(subject, layer)) is not None]
        blocks = _list_blocks(subject, figures, keys, "x" * 60, frame=None)
        low = _least_height(blocks, (width - 2 * t * _GAP) / _BANDS, t, most=height * 0.45)
        place = (x + t, y, width - t, height - low - (STRIP + 1) * t)
    else:
        place = (x + t, y, width - t * (_COLUMN + _GAP + 1), height - STRIP * t)
    frame = fit_frame(place, subject.ground(), subject.crs)
    drawn, note = draw_layers(scene, subject, frame)
    draw_degrees(scene, frame, t)
    draw_strip(scene, frame, t, subject.lang)
    blocks = _list_blocks(subject, figures, drawn, note, frame=frame)
    if page.upright:
        room = (x, y + height - low, width, low)
        _fill_columns(scene, blocks, room, t, columns=_BANDS)
    else:
        left = x + width - t * _COLUMN
        _fill_columns(scene, blocks, (left, y, t * _COLUMN, height), t, columns=1)
    return drawn


def draw_strip(scene: Scene, frame: Frame, text_mm: float, lang: Lang) -> None:
    """Draw scale bar and north arrow below the map, where no grid can lie under them."""
    top = frame.y_mm + frame.height_mm + text_mm * 0.9
    draw_scale(scene, frame, frame.x_mm + text_mm, top + text_mm * 1.1, text_mm, lang)
    x = frame.x_mm + frame.width_mm - text_mm * 1.6
    draw_north(scene, frame, x, top - text_mm * 0.2, text_mm * 3.6, lang)


def _list_blocks(
    subject: Subject,
    figures: AreaFigures,
    keys: Sequence[Key],
    note: str,
    *,
    frame: Frame | None,
) -> list[Block]:
    """Return what stands beside the map, in its order; the small map only of a part of the city."""

    def figure_block(scene: Scene, x: float, y: float, width: float, t: float) -> float:
        return draw_figures(scene, figures, subject, x, y, width, t)

    def key_block(key: Key) -> Block:
        return lambda scene, x, y, width, t: draw_key(scene, key, x, y, width, t)

    def note_block(scene: Scene, x: float, y: float, width: float, t: float) -> float:
        size = t * 0.84
        lines = break_lines(note, size, width)
        for place, line in enumerate(lines):
            scene.text(x, y + size * (1 + 1.4 * place), line, size, color=QUIET)
        return size * 1.4 * len(lines)

    def locator_block(scene: Scene, x: float, y: float, width: float, t: float) -> float:
        scene.text(x, y + t, say("sheet.locator", subject.lang), t, color=INK, strong=True)
        if frame is not None:
            draw_locator(scene, subject, frame, (x, y + t * 1.6, width, t * _LOCATOR))
        return t * (_LOCATOR + 1.8)

    blocks: list[Block] = [figure_block, *(key_block(key) for key in keys)]
    if note:
        blocks.append(note_block)
    if subject.view.area is not None or subject.view.bounds is not None:
        blocks.append(locator_block)
    return blocks


def _measure(block: Block, width: float, t: float) -> float:
    return block(Scene(1, 1), 0, 0, width, t)


def _split(heights: Sequence[float], gap: float, room: float) -> list[int] | None:
    """Return in which column each block stands, filled one after the other; None: beyond room."""
    column, used = 0, 0.0
    found = []
    for height in heights:
        if used and used + gap + height > room:
            column, used = column + 1, 0.0
        used += height + (gap if used else 0.0)
        found.append(column)
    return found if max(heights, default=0.0) <= room + 1e-6 else None


def _least_height(blocks: Sequence[Block], width: float, t: float, *, most: float) -> float:
    """Return the least height in which the blocks stand in the columns below an upright map."""
    heights = [_measure(block, width, t) for block in blocks]
    room = max(heights, default=0.0)
    while room < most:
        columns = _split(heights, t * _GAP, room)
        if columns is not None and (max(columns, default=0) < _BANDS):
            return room
        room += t
    return most


def _fill_columns(
    scene: Scene, blocks: Sequence[Block], room: Bounds, t: float, *, columns: int
) -> None:
    """Draw blocks into columns, in letters as large as fit."""
    x, y, width, height = room
    wide = (width - (columns - 1) * t * _GAP) / columns
    size = t
    while True:
        heights = [_measure(block, wide, size) for block in blocks]
        split = _split(heights, size * _GAP, height)
        if split is not None and max(split, default=0) < columns:
            break
        if size < t * _LEAST_TEXT:
            split = [min(place, columns - 1) for place in split or [0] * len(blocks)]
            break
        size *= _SHRINK
    at = [y] * columns
    for block, high, column in zip(blocks, heights, split, strict=True):
        block(scene, x + column * (wide + t * _GAP), at[column], wide, size)
        at[column] += high + size * _GAP
