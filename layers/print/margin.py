"""The margin of a sheet: title, key figures, and where the numbers and the lines come from."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np

from geodata.events.sources import name_source
from geodata.figures.area import AreaFigures, Count
from geodata.figures.counts import Rate
from geodata.words import say
from layers.palette import STATE_COLOR
from layers.print.legend import QUIET
from layers.print.lettering import break_lines, cut_text, measure_text
from layers.print.names import INK
from layers.print.page import Page
from layers.print.scene import Scene
from layers.print.view import Subject
from layers.print.wording import (
    describe_filter,
    describe_period,
    describe_scope,
    name_place,
    print_count,
    print_day,
    print_moment,
    print_rate,
)

_INTERNAL: Final = "#a00a1c"
_TITLE, _LEAD = 1.95, 1.12  # letter heights
_SMALL = 0.8
_SOURCES_SHOWN = 4


@dataclass(frozen=True, slots=True, kw_only=True)
class Imprint:
    """
    What a sheet says of itself besides its view.

    `head` is the head of the log's chain at the sheet's moment, as `print_head` writes it.
    `internal` puts the mark 内部资料 on it. `approval` is the map approval number (审图号).
    """

    head: str = ""
    internal: bool = True
    approval: str = ""


def title_of(subject: Subject) -> str:
    """Return the sheet's title: the view's own words, else place and what is drawn."""
    if subject.view.title:
        return subject.view.title
    return say("sheet.title", subject.lang, place=name_place(subject))


def draw_title(scene: Scene, subject: Subject, page: Page, imprint: Imprint) -> float:
    """Draw the band at the top; return where it ends."""
    x, y, t = page.margin_mm, page.margin_mm, page.text_mm
    right = page.width_mm - page.margin_mm
    mark = say("sheet.internal", subject.lang) if imprint.internal else ""
    mark_wide = measure_text(mark, t * 1.15) + t * 1.2 if mark else 0.0
    room = right - x - mark_wide - t
    size = t * _TITLE
    title = title_of(subject)
    lines = break_lines(title, size, room)
    if len(lines) > 1:  # the longest name there is: smaller first, then two lines
        size = max(t * 1.4, size * room / measure_text(title, size))
        lines = break_lines(title, size, room)[:2]
    at = y + size * 0.9
    for line in lines:
        scene.text(x, at, line, size, color=INK, strong=True)
        at += size * 1.25
    if mark:
        wide, high = mark_wide, t * 1.9
        scene.rect(
            right - wide, y, wide, high, fill="none", stroke=_INTERNAL, stroke_width=0.3, rx=0.6
        )
        scene.text(
            right - wide / 2, y + high / 2 + t * 0.42, mark, t * 1.15,
            color=_INTERNAL, anchor="middle", strong=True,
        )  # fmt: skip
    at += t * _LEAD - size * 0.95
    part = subject.view.bounds is not None and subject.view.area is None
    told = (
        describe_period(subject),
        describe_filter(subject),
        describe_scope(subject.sight, subject.lang),
        say("sheet.of_all", subject.lang, place=name_place(subject)) if part else "",
    )
    lead = "  ·  ".join(part for part in told if part)
    for line in break_lines(lead, t * _LEAD, right - x)[:2]:
        scene.text(x, at, line, t * _LEAD, color=QUIET)
        at += t * _LEAD * 1.3
    return at - t * 0.4


def draw_figures(
    scene: Scene, figures: AreaFigures, subject: Subject, x: float, y: float, width: float, t: float
) -> float:
    """Draw the key figures in two columns and the rates below; return how high it is."""
    lang, own = subject.lang, figures.own
    keys: list[tuple[str, Count, str]] = [
        ("total", figures.total, INK),
        ("open", figures.open, INK),
        ("overdue", figures.overdue, STATE_COLOR["red"]["light"]),
    ]
    if figures.complete:
        keys.append(("due_soon", own.due_soon, STATE_COLOR["amber"]["light"]))
    half = width / 2
    at = y
    for place, (name, count, color) in enumerate(keys):
        left, top = x + half * (place % 2), y + t * 3.5 * (place // 2)
        scene.text(left, top + t * 0.9, say(f"figure.{name}", lang), t * 0.9, color=QUIET)
        text = print_count(count)
        size = min(t * 1.75, t * 1.75 * half * 0.88 / max(measure_text(text, t * 1.75), 0.1))
        scene.text(left, top + t * 2.65, text, size, color=color, strong=True)
        at = top + t * 3.3
    if not figures.complete:
        return at - y
    for name, rate in _rates(figures):
        at += t * 1.3
        scene.text(x, at, say(f"figure.{name}", lang), t * 0.9, color=QUIET)
        scene.text(x + width, at, print_rate(rate), t * 0.9, color=INK, anchor="end")
    # Of what is open or late now, an earlier period has less for no better reason than its age.
    whole = figures.filter.state == "all"
    if whole and figures.previous is not None and figures.previous.percent() is not None:
        at += t * 1.3
        change = say(
            "sheet.change", lang,
            percent=figures.previous.percent(), before=print_count(figures.previous.before),
        )  # fmt: skip
        scene.text(x, at, say("figure.before", lang), t * 0.9, color=QUIET)
        scene.text(x + width, at, change, t * 0.9, color=INK, anchor="end")
    return at + t * 0.4 - y


def list_imprint(subject: Subject, imprint: Imprint) -> list[str]:
    """Return the lines that say where numbers and map come from, and as of when."""
    sight, lang = subject.sight, subject.lang
    settings = sight.city.settings
    known = imprint.approval or settings.map_approval
    as_of = print_moment(sight.as_of, sight.zone) if sight.as_of else "–"
    drawn = sight.grids.valid_from
    number = sight.grids.drawing
    drawing = say("sheet.drawing_first", lang, n=number)
    if drawn is not None:
        since = print_day(drawn, sight.zone)
        drawing = say("sheet.drawing", lang, n=number, since=since)
    code = subject.crs.to_epsg()
    system = f"{subject.crs.name} (EPSG:{code})" if code else str(subject.crs.name)
    first = [
        say("sheet.as_of", lang, at=as_of, judged=print_moment(subject.now, sight.zone)),
        say("sheet.revision", lang, n=sight.revision),
        say("sheet.source", lang, names=settings.map_source or _name_sources(subject)),
    ]
    second = [
        drawing,
        say("sheet.crs", lang, name=system),
        *([say("sheet.approval", lang, number=known)] if known else []),
        *([say("sheet.head", lang, head=imprint.head)] if imprint.head else []),
        say("sheet.made_by", lang),
    ]
    return ["  ·  ".join(first), "  ·  ".join(second)]


def draw_imprint(
    scene: Scene, lines: list[str], x: float, bottom: float, width: float, t: float
) -> float:
    """Draw the imprint upward from the bottom; return where it begins."""
    size = t * _SMALL
    broken = [part for line in lines for part in break_lines(line, size, width)]
    top = bottom - size * 1.4 * len(broken)
    for place, line in enumerate(broken):
        baseline = top + size * (1.4 * place + 1.05)
        scene.text(x, baseline, cut_text(line, size, width + size), size, color=QUIET)
    return top


def _rates(figures: AreaFigures) -> tuple[tuple[str, Rate], ...]:
    own = figures.own
    return (
        ("completion", own.completion),
        ("closing", own.closing),
        ("on_time", own.on_time),
    )


def _name_sources(subject: Subject) -> str:
    """Return the channels that the counted incidents came by, the largest first."""
    sight, lang = subject.sight, subject.lang
    counts = np.bincount(sight.snapshot.source[subject.selected])
    found = np.flatnonzero(counts)
    order = found[np.lexsort((found, -counts[found]))].tolist()
    terms = sight.source_terms
    names = [name_source(terms[code], lang) for code in order if code in terms]
    if not names:
        return say("sheet.source_none", lang)
    shown = (", " if lang == "en" else "、").join(names[:_SOURCES_SHOWN])
    if len(names) > _SOURCES_SHOWN:
        return say("sheet.source_more", lang, names=shown, n=len(names))
    return shown
