"""The legend of a sheet: every layer's marks with their bounds, and how many are in each."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Final

import numpy as np

from geodata.access.suppression import Span
from geodata.words import say
from layers.class_legend import class_entries, count_judged
from layers.grid_edges import AREAS, WIDTHS_PX, find_areas
from layers.layer import Entry, Layer, LegendFacts, Values
from layers.palette import AREA_LINE, NO_DATA, STATE_SHAPE
from layers.print.dots import read_dots
from layers.print.grid_marks import GRID_LINE, LEVEL_SHARE, PAPER, hatch_fill
from layers.print.ground import CSS_PX_MM
from layers.print.lettering import break_lines, measure_text
from layers.print.names import INK
from layers.print.point_marks import draw_symbol
from layers.print.scene import Scene
from layers.print.view import Subject
from layers.print.wording import print_count

QUIET: Final = "#586579"
_SWATCH = 2.4  # letter heights wide
_LINE = 1.55  # letter heights from line to line
_SMALL = 0.84
_STATE_SHAPES: Final = frozenset(STATE_SHAPE.values())


@dataclass(frozen=True, slots=True, kw_only=True)
class Key:
    """What a sheet's legend says of one layer."""

    title: str
    unit: str
    entries: tuple[Entry, ...]
    shown: str
    notes: tuple[str, ...]


def read_key(subject: Subject, layer: Layer, *, drawn: str = "") -> Key | None:
    """
    Return the legend of a layer as the sheet prints it; None where it explains itself.

    The counts are the screen's own; on a sheet of one area those of that area alone. `drawn` is
    said where the map could not draw all of it.
    """
    filled = layer.legend.read(subject.picture)
    if subject.view.area is not None:
        filled = _narrow(subject, layer, filled)
    entries = tuple(item for item in filled.entries if item.n != 0 or _says_class(layer, item))
    if layer.source is AREAS and layer.kind == "outline":
        entries = _list_levels(subject)
    if not entries:
        return None
    lang = subject.lang
    unit = say(layer.legend.unit, lang) if layer.legend.unit else ""
    if layer.legend.denominator:
        unit = f"{unit} {say(layer.legend.denominator, lang)}".strip()
    shown = ""
    if filled.shown is not None and filled.of is not None and layer.kind == "choropleth":
        values = {"n": print_count(filled.shown), "of": print_count(filled.of)}
        shown = say("page.n_of_grids", lang, **values)
    notes = filled.notes if layer.kind == "choropleth" else ()
    return Key(
        title=say(layer.title, lang),
        unit=unit,
        entries=entries,
        shown=shown,
        notes=(*notes, *([drawn] if drawn else [])),
    )


def draw_key(scene: Scene, key: Key, x: float, y: float, width: float, text_mm: float) -> float:
    """Draw one layer's legend in a column; return how high it is."""
    size, small = text_mm, text_mm * _SMALL
    at = y + size
    scene.text(x, at, key.title, size, color=INK, strong=True)
    beside = " · ".join(part for part in (key.unit, key.shown) if part)
    room = width - measure_text(key.title, size) - size
    if beside and measure_text(beside, small) <= room:
        scene.text(x + width, at, beside, small, color=QUIET, anchor="end")
    elif beside:
        at += size * 1.3
        scene.text(x, at, beside, small, color=QUIET)
    at += size * 0.35
    for entry in key.entries:
        at = _draw_entry(scene, entry, x, at, width, size)
    for note in key.notes:
        for line in break_lines(note, small, width):
            at += small * 1.4
            scene.text(x, at, line, small, color=QUIET)
    return at + size * 0.3 - y


def _draw_entry(scene: Scene, entry: Entry, x: float, y: float, width: float, size: float) -> float:
    """Draw one line of a legend below y; return where it ends."""
    number = "" if entry.n is None else print_count(entry.n)
    left = x + size * (_SWATCH + 0.7)
    room = x + width - left - (measure_text(number, size) + size * 0.6 if number else 0)
    lines = break_lines(entry.label, size, room)
    middle = y + size * _LINE / 2
    _draw_swatch(scene, entry, x, middle, size)
    for place, line in enumerate(lines):
        scene.text(left, middle + size * (0.36 + 1.25 * place), line, size, color=INK)
    scene.text(x + width, middle + size * 0.36, number, size, color=INK, anchor="end")
    return y + size * (_LINE + 1.25 * (len(lines) - 1))


def _draw_swatch(scene: Scene, entry: Entry, x: float, middle: float, size: float) -> None:
    wide, high = size * _SWATCH, size * 1.1
    colors = entry.color["light"]
    if isinstance(colors, tuple):
        stops = "".join(
            f'<stop offset="{place / (len(colors) - 1):.3f}" stop-color="{color}"/>'
            for place, color in enumerate(colors)
        )
        fill = scene.define("ramp", f'<linearGradient id="ramp">{stops}</linearGradient>')
        scene.rect(x, middle - high / 2, wide, high, fill=fill, stroke=GRID_LINE, stroke_width=0.1)
        return
    centre = x + wide / 2
    if entry.shape in ("fill", "hatch"):
        fill = hatch_fill(scene, known=True) if entry.shape == "hatch" else colors
        if entry.shape == "fill" and colors == NO_DATA["light"]:
            fill = hatch_fill(scene, known=False)
        scene.rect(x, middle - high / 2, wide, high, fill=fill, stroke=GRID_LINE, stroke_width=0.1)
    elif entry.shape.startswith("line"):
        width = float(entry.shape.partition(" ")[2] or 0.3)
        scene.line([(x, middle), (x + wide, middle)], stroke=colors, stroke_width=width)
    elif entry.shape == "halo":
        scene.circle(centre, middle, high * 0.48, fill=PAPER, stroke=colors, stroke_width=0.4)
    elif entry.shape in _STATE_SHAPES:
        draw_symbol(scene, entry.shape, centre, middle, radius=size * 0.36, color=colors)
    else:
        draw_symbol(scene, "circle", centre, middle, radius=size * 0.32, color=colors)


def _list_levels(subject: Subject) -> tuple[Entry, ...]:
    """Return a line for each level that has lines on the sheet, as wide as there."""
    areas = find_areas(subject.picture)
    if subject.view.area is not None:
        areas = areas[areas["uid"].isin(subject.sight.grids.subtree_uids(subject.view.area))]
    counts = areas["level"].value_counts()
    return tuple(
        Entry(
            label=say(f"level.{level}", subject.lang),
            shape=f"line {width_px * CSS_PX_MM * LEVEL_SHARE:.3f}",
            color=AREA_LINE,
            n=int(counts[level]),
        )
        for level, width_px in WIDTHS_PX.items()
        if counts.get(level, 0) > 1 or (counts.get(level, 0) and len(counts) == 1)
    )


def _says_class(layer: Layer, entry: Entry) -> bool:
    """Tell whether an entry without any in it still says something: a class between others."""
    return (
        layer.kind == "choropleth"
        and entry.shape == "fill"
        and entry.label[:1] != "0"
        and (entry.color["light"] != NO_DATA["light"])
    )


def _narrow(subject: Subject, layer: Layer, filled: LegendFacts) -> LegendFacts:
    """Return a legend whose counts are those of the sheet's area."""
    if layer.kind == "choropleth" and layer.read_values is not None:
        values = _take(layer.read_values(subject.picture), subject)
        entries = class_entries(values, subject.lang, ramp=layer.style.plain["ramp"])
        judged = count_judged(values)
        return replace(filled, entries=entries, shown=judged, of=len(values.values))
    if layer.kind == "halos" and layer.read_values is not None:
        found = layer.read_values(subject.picture)
        hidden = bool((subject.picture.hidden() & subject.leaves).any())
        total = int(np.nan_to_num(found.values)[subject.leaves].sum())
        number: int | Span | None = None if hidden else total
        return replace(filled, entries=tuple(replace(one, n=number) for one in filled.entries))
    if layer.kind == "dots":
        dots = read_dots(subject, layer)
        counts = np.bincount(dots.state, minlength=len(dots.states))[::-1].tolist()
        entries = tuple(
            replace(one, n=int(n)) for one, n in zip(filled.entries, counts, strict=True)
        )
        return replace(filled, entries=entries)
    if layer.kind == "clusters" or (layer.kind == "outline" and layer.source is not AREAS):
        owner = subject.sight.find_points(layer.source.name)["owner"].to_numpy(np.int64)
        allowed = subject.picture.allowed()
        inside = np.append(subject.leaves, False)[owner]
        seen = inside if allowed is None else inside & allowed[owner + 1]
        n = int(seen.sum())
        return replace(filled, entries=tuple(replace(one, n=n) for one in filled.entries))
    return filled


def _take(values: Values, subject: Subject) -> Values:
    """Return the figures of the grids the sheet is about."""
    thin = np.zeros(len(values.values), np.bool_)
    thin[values.thin] = True
    return Values(
        values=values.values[subject.leaves],
        breaks=values.breaks,
        thin=np.flatnonzero(thin[subject.leaves]),
        revision=values.revision,
    )
