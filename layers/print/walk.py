"""The walking sheet: what a plan hands over in one community, to be checked along the line."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
import shapely
from numpy.typing import NDArray

from geodata.access.sight import Sight
from geodata.errors import Fault, NotAllowed, NotFound
from geodata.plans.walks import HandOver, Walk
from geodata.snapshots.snapshot import Filter
from geodata.words import Lang, say
from layers.palette import ACCENT
from layers.print.frame import Frame, fit_frame
from layers.print.furniture import FRAME_LINE, draw_degrees, draw_north, draw_scale
from layers.print.grid_marks import PAPER
from layers.print.ground import draw_ground
from layers.print.legend import QUIET
from layers.print.lettering import cut_text
from layers.print.margin import draw_imprint
from layers.print.names import INK, Writer
from layers.print.page import Page, find_page
from layers.print.scene import Scene, hatch
from layers.print.sheet import EXPORT
from layers.print.typesetting import Leaf, set_pdf
from layers.print.view import PrintView, Subject
from layers.print.wording import print_day

_OLD: Final = "#b3261e"
_NEW: Final = ACCENT["light"]
_MAP_SHARE = 0.58  # of the page's height
_COLUMNS = (
    ("number", 0.05), ("from", 0.185), ("to", 0.185), ("area_m2", 0.11), ("cases", 0.09),
    ("open_cases", 0.1), ("households", 0.09), ("result", 0.19),
)  # fmt: skip
_ROW = 2.5  # letter heights
_RING = 0.95
_DASHES = "2.4 1.4"


@dataclass(frozen=True, slots=True, kw_only=True)
class Walking:
    """Whose walk it is: the plan's number and name, the account's sight, the moment (UTC s)."""

    plan: int
    name: str
    sight: Sight
    lang: Lang
    now: int


def draw_walks(walking: Walking, walks: Sequence[Walk]) -> bytes:
    """
    Return a PDF with a sheet for each community: map, pieces by number, a table to fill in.

    A community with more pieces than its sheet has room for goes on overleaf. Raises NotAllowed
    without the permission to export, NotFound where no land changes hands.
    """
    if not walking.sight.scope.has(EXPORT):
        raise NotAllowed(Fault(key="not_allowed", values={"need": EXPORT}))
    if not walks:
        raise NotFound(Fault(key="plan_no_walk", values={"plan": walking.plan}))
    page = find_page("A4-portrait")
    leaves = [leaf for walk in walks for leaf in _draw_walk(walking, walk, page)]
    title = say("walk.title", walking.lang, name=walking.name)
    return set_pdf(leaves, title=title, lang=walking.lang, at=walking.now)


def _draw_walk(walking: Walking, walk: Walk, page: Page) -> list[Leaf]:
    leaves: list[Leaf] = []
    rest = list(walk.pieces)
    while rest or not leaves:
        first = not leaves
        scene = Scene(page.width_mm, page.height_mm)
        scene.rect(0, 0, page.width_mm, page.height_mm, fill=PAPER)
        top = _draw_head(scene, walking, walk, page)
        foot = _draw_foot(scene, walking, page)
        if first:
            top = _draw_map(scene, walking, walk, page, top=top)
        room = int((foot - top) / (page.text_mm * _ROW)) - 1
        _draw_table(scene, walking, rest[:room], page, top=top)
        rest = rest[room:]
        leaves.append(
            Leaf(
                svg=scene.svg(with_font=False),
                width_mm=page.width_mm,
                height_mm=page.height_mm,
                bookmark=walk.name,
                alt=say("walk.about", walking.lang, area=walk.name, n=len(walk.pieces)),
                level=1 if first else 2,
            )
        )
    return leaves


def _draw_head(scene: Scene, walking: Walking, walk: Walk, page: Page) -> float:
    t, x, y = page.text_mm, page.margin_mm, page.margin_mm
    wide = page.width_mm - 2 * x
    title = say("walk.sheet", walking.lang, area=walk.name)
    scene.text(x, y + t * 1.8, cut_text(title, t * 1.9, wide), t * 1.9, color=INK, strong=True)
    told = say(
        "walk.lead", walking.lang, plan=walking.plan, name=walking.name, n=len(walk.pieces),
        day=print_day(walking.now, walking.sight.zone),
    )  # fmt: skip
    scene.text(x, y + t * 3.6, cut_text(told, t * 1.1, wide), t * 1.1, color=QUIET)
    return y + t * 5.2


def _draw_foot(scene: Scene, walking: Walking, page: Page) -> float:
    t, x, wide = page.text_mm, page.margin_mm, page.width_mm - 2 * page.margin_mm
    top = draw_imprint(
        scene, [say("walk.imprint", walking.lang, drawing=walking.sight.grids.drawing)],
        x, page.height_mm - page.margin_mm, wide, t,
    )  # fmt: skip
    line = top - t * 1.6
    for place, name in enumerate(("walked", "post", "outcome")):
        left = x + wide * place / 3
        label = say(f"walk.{name}", walking.lang)
        scene.text(left, line, label, t, color=INK)
        scene.line(
            [(left + wide * 0.13, line + 0.6), (left + wide * 0.31, line + 0.6)],
            stroke=INK, stroke_width=0.2,
        )  # fmt: skip
    return line - t * 2.2


def _draw_map(scene: Scene, walking: Walking, walk: Walk, page: Page, *, top: float) -> float:
    """Draw the ground, the lines and the numbered pieces; return where the map ends."""
    t, wide = page.text_mm, page.width_mm - 2 * page.margin_mm
    edge = t * 1.6
    place = (page.margin_mm + edge, top + edge, wide - edge, page.height_mm * _MAP_SHARE)
    bounds = shapely.total_bounds(np.concatenate([walk.grids, [p.shape for p in walk.pieces]]))
    view = PrintView(filter=Filter())
    subject = Subject(sight=walking.sight, view=view, now=walking.now, lang=walking.lang)
    west, south, east, north = (float(one) for one in bounds)
    frame = fit_frame(place, (west, south, east, north), subject.crs, around=0.06)
    x, y, width, height = place
    box = f'<clipPath id="map"><rect x="{x}" y="{y}" width="{width}" height="{height}"/></clipPath>'
    scene.begin(clip_path=scene.define("map", box))
    draw_ground(scene, subject, frame, shaded=False)
    _draw_lines(scene, walk, frame)
    _write_names(scene, walk, frame, t)
    scene.end()
    draw_degrees(scene, frame, t)
    below = y + height + t * 2.4
    bar = draw_scale(scene, frame, x, below, t, walking.lang)
    draw_north(scene, frame, x + bar + t * 2, below - t * 1.6, t * 3.4, walking.lang)
    _draw_key(scene, walking.lang, x + bar + t * 5, below + t * 0.3, t)
    return below + t * 3.4


def _draw_lines(scene: Scene, walk: Walk, frame: Frame) -> None:
    pieces = frame.to_page(frame.clip(np.array([one.shape for one in walk.pieces], object)))
    fill = hatch(scene, "handed", color=_NEW, gap_mm=1.6)
    scene.shapes(pieces, fill=fill, fill_opacity=0.75)
    lines = frame.to_page(frame.clip(shapely.boundary(walk.grids)))
    scene.shapes(lines, fill="none", stroke=PAPER, stroke_width=1.2, stroke_opacity=0.7)
    scene.shapes(lines, fill="none", stroke=_NEW, stroke_width=0.6)
    if len(walk.gone):
        gone = frame.to_page(frame.clip(walk.gone))
        scene.shapes(gone, fill="none", stroke=PAPER, stroke_width=1.2, stroke_opacity=0.7)
        scene.shapes(gone, fill="none", stroke=_OLD, stroke_width=0.6, stroke_dasharray=_DASHES)


def _write_names(scene: Scene, walk: Walk, frame: Frame, t: float) -> None:
    """Write each piece's number, then the grids' codes where there is room."""
    writer = Writer(scene=scene, frame=frame)
    radius = t * _RING
    for one in walk.pieces:
        ((x, y),) = frame.place(_middle(one.shape))
        scene.circle(x, y, radius, fill=PAPER, stroke=_NEW, stroke_width=0.35)
        scene.text(x, y + t * 0.38, one.number, t * 1.05, color=INK, anchor="middle", strong=True)
        writer.avoid([(x - radius, y - radius, x + radius, y + radius)])
    for shape, code in zip(walk.grids, walk.codes, strict=True):
        ((x, y),) = frame.place(_middle(shape))
        spots = [(x, y + t * step) for step in (0, 2.2, -2.2, 4, -4)]
        writer.write(code, spots, t * 0.9, strong=True)


def _middle(shape: Any) -> NDArray[np.float64]:
    """Return a point (1, 2) well inside the largest part of a shape, in metres."""
    parts = shapely.get_parts(shape)
    largest = parts[np.argmax(shapely.area(parts))]
    middle: NDArray[np.float64] = shapely.get_coordinates(shapely.point_on_surface(largest))
    return middle


def _draw_key(scene: Scene, lang: Lang, x: float, y: float, t: float) -> None:
    wide, step = t * 3.2, t * 16
    for place, (name, color, dashes) in enumerate((("new", _NEW, None), ("old", _OLD, _DASHES))):
        left = x + step * place
        scene.line(
            [(left, y), (left + wide, y)], stroke=color, stroke_width=0.6, stroke_dasharray=dashes
        )
        scene.text(left + wide + t * 0.6, y + t * 0.36, say(f"walk.{name}", lang), t, color=INK)
    left = x + step * 2
    fill = hatch(scene, "handed", color=_NEW, gap_mm=1.6)
    scene.rect(left, y - t * 0.7, wide, t * 1.4, fill=fill, stroke=_NEW, stroke_width=0.2)
    scene.text(left + wide + t * 0.6, y + t * 0.36, say("walk.handed", lang), t, color=INK)


def _draw_table(
    scene: Scene, walking: Walking, pieces: Sequence[HandOver], page: Page, *, top: float
) -> None:
    t, x, wide = page.text_mm, page.margin_mm, page.width_mm - 2 * page.margin_mm
    high = t * _ROW
    heads = [say(f"walk.column_{name}", walking.lang) for name, _ in _COLUMNS]
    rows = [heads, *(_cells(one) for one in pieces)]
    for place, cells in enumerate(rows):
        base, left = top + high * (place + 0.68), x
        for (name, share), text in zip(_COLUMNS, cells, strict=True):
            column = wide * share
            number = name not in ("from", "to", "result")
            at = left + column - t * 0.5 if number else left + t * 0.3
            scene.text(
                at, base, cut_text(text, t, column - t * 0.4), t,
                color=QUIET if place == 0 else INK, anchor="end" if number else "start",
            )  # fmt: skip
            left += column
        if place:  # a box to tick
            scene.rect(
                left - wide * _COLUMNS[-1][1] + t * 0.3, base - t * 0.95, t * 1.1, t * 1.1,
                fill="none", stroke=INK, stroke_width=0.2,
            )  # fmt: skip
        line = top + high * (place + 1)
        scene.line([(x, line), (x + wide, line)], stroke=FRAME_LINE, stroke_width=0.12)


def _cells(one: HandOver) -> list[str]:
    return [
        str(one.number), one.old_code, one.new_code, f"{one.area_m2:,.0f}", f"{one.load.cases:,}",
        f"{one.load.open_cases:,}", f"{one.load.households:,.0f}", "",
    ]  # fmt: skip
