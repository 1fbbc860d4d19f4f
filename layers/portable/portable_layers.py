"""What a stand-alone map holds: grids with their figures, levels, layers, legend, as numbers."""

from __future__ import annotations

from typing import Any

import numpy as np

from geodata.figures.period import Period
from geodata.figures.tally import tally_areas
from geodata.words import say
from layers.grid_edges import AREAS, WIDTHS_PX, find_areas
from layers.layer import Layer
from layers.palette import AREA_LINE
from layers.portable.portable_marks import draw_layer
from layers.portable.ruler import UNIT_M, Ruler
from layers.print.grid_marks import find_middles
from layers.print.legend import Key, read_key
from layers.print.lettering import print_text
from layers.print.view import Subject
from layers.print.wording import print_count


def draw_parts(subject: Subject) -> dict[str, Any]:
    """
    Return the data of the page's script: what is drawn, in order, and the legend.

    A view that names layers gets these; any other all there are, the usual ones `on`.
    """
    layers = subject.allowed if subject.view.shown is None else subject.layers
    ground = subject.sight.grids.grids.total_bounds if subject.view.area is None else None
    west, south, east, north = subject.ground() if ground is None else ground
    ruler = Ruler((float(west), float(south), float(east), float(north)))
    edges = any(one.kind == "outline" and one.source is AREAS for one in layers)
    legend, drawn = [], []
    for layer in layers:
        part = draw_layer(subject, layer, ruler)
        key = read_key(subject, layer, drawn=part.pop("note", ""))
        drawn.append({"id": layer.id, "kind": layer.kind, "on": layer in subject.layers, **part})
        legend.append(_tell_key(layer, key, subject))
    return {
        "size": ruler.size,
        "unit_m": UNIT_M,
        "grids": _draw_grids(subject, ruler),
        "levels": _draw_levels(subject, ruler) if edges else [],
        "layers": drawn,
        "legend": legend,
        "fields": _name_fields(subject),
    }


def _tell_key(layer: Layer, key: Key | None, subject: Subject) -> dict[str, Any]:
    title = say(layer.title, subject.lang)
    if key is None:
        return {"id": layer.id, "title": title, "unit": "", "entries": [], "notes": []}
    return {
        "id": layer.id,
        "title": title,
        "unit": " · ".join(part for part in (key.unit, key.shown) if part),
        "entries": [
            {
                "label": entry.label,
                "shape": entry.shape.partition(" ")[0],
                "color": entry.color["light"],
                "n": "" if entry.n is None else print_count(entry.n),
            }
            for entry in key.entries
        ],
        "notes": list(key.notes),
    }


def _name_fields(subject: Subject) -> list[str]:
    names = [say(f"layer.field.{name}", subject.lang) for name in ("code", "body", "risk")]
    return [*names, *(say(f"figure.{name}", subject.lang) for name in ("total", "open", "overdue"))]


def _draw_grids(subject: Subject, ruler: Ruler) -> list[dict[str, Any]]:
    """Return the finest grids with their names and figures, as the hover box says them."""
    sight = subject.sight
    finest = sight.grids.finest()
    middles = find_middles(subject, "finest", finest)
    counts = _count_grids(subject)
    risk = _tell_risk(subject)
    rows = np.flatnonzero(subject.leaves)
    names, codes, bodies = (
        finest[name].astype(str).to_numpy() for name in ("name", "code", "body")
    )
    uids, shapes = finest["uid"].to_numpy(), finest.geometry.to_numpy()
    out = []
    for row in rows.tolist():
        above = sight.grids.path_names(int(uids[row]))[-2:-1]
        body = (
            sight.body_name(bodies[row], subject.lang) if bodies[row] not in ("nan", "None") else ""
        )
        out.append(
            {
                "rings": ruler.rings(shapes[row], detail_m=0),
                "name": print_text(names[row]),
                "above": print_text(above[0]) if above else "",
                "at": ruler.points(middles[row : row + 1]),
                "facts": [codes[row], body, risk[row], *(texts[row] for texts in counts)],
            }
        )
    return out


def _count_grids(subject: Subject) -> list[list[str]]:
    """Return total, open and overdue of each finest grid as printed; bounds where hidden."""
    sight, filter = subject.sight, subject.view.filter
    period = Period(since=filter.since, until=filter.until)
    tallies = tally_areas(sight, period=period, filter=filter, now=subject.now)
    hidden = subject.picture.hidden()
    uids = sight.grids.finest()["uid"].to_numpy()
    found = []
    for name in ("total", "open", "overdue"):
        own = tallies.of_finest(name)[:-1].tolist()
        texts = [print_count(int(n)) for n in own]
        if hidden.any():
            told = None if sight.outside is None else sight.outside.count_grids(uids, filter, name)
            for row in np.flatnonzero(hidden).tolist():
                texts[row] = print_count(None if told is None else told.span(row))
        found.append(texts)
    return found


def _tell_risk(subject: Subject) -> list[str]:
    """Return each grid's risk in words, from the coloured layer that has it."""
    for layer in subject.layers:
        if layer.kind == "choropleth" and layer.read_values is not None:
            values = layer.read_values(subject.picture)
            return [
                values.texts.get(row, f"{figure:.1f}" if np.isfinite(figure) else "–")
                for row, figure in enumerate(values.values.tolist())
            ]
    return ["–"] * len(subject.leaves)


def _draw_levels(subject: Subject, ruler: Ruler) -> list[dict[str, Any]]:
    areas = find_areas(subject.picture)
    if subject.view.area is not None:
        inside = subject.sight.grids.subtree_uids(subject.view.area)
        areas = areas[areas["uid"].isin(inside)]
    if not len(areas):
        return []
    middles = find_middles(subject, f"areas {subject.view.area}", areas)
    out = []
    for place, (level, name, shape) in enumerate(
        zip(areas["level"], areas["name"], areas.geometry, strict=True)
    ):
        out.append(
            {
                "rings": ruler.rings(shape, detail_m=0),
                "name": print_text(name),
                "level": str(level),
                "width": WIDTHS_PX.get(str(level), 1.0),
                "color": AREA_LINE["light"],
                "at": ruler.points(middles[place : place + 1]),
            }
        )
    return out
