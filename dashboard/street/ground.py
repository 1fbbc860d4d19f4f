"""The ground of a street page: the layers of its map, their figures, and the tree to drill by."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise
from typing import Any

import numpy as np

from dashboard.gridmap import map_words
from dashboard.guard import current_scope
from dashboard.street.view import StreetView
from geodata.access.sight import Sight
from geodata.figures.comparison import has_begun
from geodata.figures.period import Period
from geodata.figures.tally import Tallies, tally_areas
from geodata.levels import NO_PARENT, find_parent_rows
from geodata.words import Lang, say
from layers.classes import break_classes
from layers.layer import Picture, Values
from layers.palette import NO_DATA, STATE_COLOR, STATE_SHAPE, ZERO
from layers.registry import LAYERS

GRIDS, ASKED = "street-grids", "street-asked"
_RISK, _HEAT = "grid-risk", "incident-heat"  # what the choropleth here takes the place of
_HIDDEN_AT_FIRST = frozenset({_HEAT, "overdue-halos", "places", "cameras"})
# Blue for fewer, orange for more, nearest to the ground in the middle; with zero and no data every
# pair is at least 12 apart (CAM02-UCS) for each kind of colour vision, which a test holds.
CHANGE = {
    "dark": ("#c2ecff", "#4aa3ee", "#1f4f9c", "#7d3f10", "#e08028", "#ffe9a0"),
    "light": ("#032990", "#2354e1", "#8ba7fb", "#fcd5ac", "#da7b1a", "#bf2800"),
}
ASKED_LINE = {"dark": "#ffd54a", "light": "#7a2f8a"}


def describe_layers(facts: Sight, street: StreetView) -> list[dict[str, Any]]:
    """Return what the map draws, in one language, for this request's account."""
    lang = street.view.lang
    permissions = current_scope().permissions
    found = []
    for layer in LAYERS:
        if layer.source.needs not in permissions:
            continue
        plain = layer.descriptor(lang, facts, version=facts.version)
        if layer.id == _RISK:
            plain = _measured(plain, street)
        elif layer.id in _HIDDEN_AT_FIRST:
            plain["visible"] = False
        found.append(plain)
    return [*found, describe_asked(lang, "")]


def describe_asked(lang: Lang, query: str) -> dict[str, Any]:
    """Return the layer of the shape that was asked for; only its address changes."""
    return {
        "id": ASKED,
        "kind": "outline",
        "title": say("street.layer_asked", lang),
        "group": "grids",
        "visible": True,
        "source": {"type": "geojson", "url": f"area/shape.geojson?v={query}"},
        "style": {"levels": {"asked": {"width": 2.4, "dash": [3, 1.5]}}, "color": ASKED_LINE},
        "fields": [],
    }


def _measured(plain: dict[str, Any], street: StreetView) -> dict[str, Any]:
    """Return the grids' own layer with the page's measure in the place of the risk."""
    style = dict(plain["style"])
    if street.measure == "change":
        style["ramp"] = CHANGE
    title = street.name_measure()
    fields = [field for field in plain["fields"] if field["name"] != "$value"]
    shown = {"name": "$value", "title": title, "format": "number", "digits": 0}
    return {**plain, "id": GRIDS, "title": title, "style": style, "fields": [*fields, shown]}


def read_values(facts: Sight, street: StreetView, *, now: int) -> Values:
    """
    Return the page's measure for every finest grid; what the scope hides in bounds, or no figure.

    `change` is this period less the one before, or less the days that were chosen to compare with;
    where the data do not reach back so far there is none.
    """
    tallies = _tally(facts, street, street.period(facts, now), now=now)
    if street.measure != "change":
        values = tallies.of_finest(street.measure)[:-1].astype(np.float64)
    else:
        values = _measure_change(facts, street, tallies, now=now)
    hidden = _hidden(facts)
    values[hidden] = np.nan
    texts = _told(facts, street, hidden, values, now=now)
    return Values(
        values=values,
        breaks=_breaks(values, street),
        thin=np.flatnonzero(hidden & np.isfinite(values)),
        revision=facts.snapshot.revision,
        texts=texts,
    )


def _tally(facts: Sight, street: StreetView, period: Period, *, now: int) -> Tallies:
    return tally_areas(facts, period=period, filter=street.filter(facts, now), now=now)


def _measure_change(
    facts: Sight, street: StreetView, tallies: Tallies, *, now: int
) -> np.ndarray[Any, np.dtype[np.float64]]:
    total = tallies.of_finest("total")[:-1]
    known, before = tallies.of_all().before is not None, tallies.of_finest("before")[:-1]
    if street.against is not None:
        period = street.against.period(facts.zone)
        known = has_begun(facts, period)
        before = _tally(facts, street, period, now=now).of_finest("total")[:-1]
    return (total - before).astype(np.float64) if known else np.full(len(total), np.nan)


def _breaks(values: Any, street: StreetView) -> tuple[float, ...]:
    known = values[np.isfinite(values)]
    if street.measure != "change":
        return break_classes(known)
    most = float(np.abs(known).max(initial=0))
    step = max(round(most / 4), 1)
    return (-2.0 * step, -1.0 * step, 0.0, 1.0 * step + 1, 2.0 * step + 1)


def _told(
    facts: Sight, street: StreetView, hidden: Any, values: Any, *, now: int
) -> dict[int, str]:
    """Write the middle of each hidden grid's bounds into `values`; return the bounds in words."""
    if facts.outside is None or street.measure == "change" or not hidden.any():
        return {}
    uids = facts.grids.finest()["uid"].to_numpy(np.int64)
    bounds = facts.outside.count_grids(uids, street.filter(facts, now), street.measure)
    if bounds is None:
        return {}
    rows = np.flatnonzero(hidden)
    values[rows] = (bounds.low[rows] + bounds.high[rows]) / 2
    return {row: bounds.span(row).text for row in rows.tolist()}


def _hidden(facts: Sight) -> Any:
    uids = facts.grids.finest()["uid"].to_numpy()
    if facts.scope.grids is None:
        return np.full(len(uids), not facts.rows)
    return np.array([not facts.shows(int(uid)) for uid in uids], np.bool_)


def describe_classes(breaks: Sequence[float], street: StreetView) -> list[dict[str, Any]]:
    """Return the classes of a film, which all its frames share, without counts."""
    edges = (1, *breaks, np.inf)
    theme = street.view.theme
    rows = [
        {"color": _ramp()[theme][place], "label": _name_class(low, high), "n": ""}
        for place, (low, high) in enumerate(pairwise(edges))
    ]
    return [{"color": ZERO[theme], "label": "0", "n": ""}, *rows]


def describe_signs(street: StreetView) -> list[dict[str, str]]:
    """Return the signs of single cases, which stand on the map once it is near enough."""
    lang, theme = street.view.lang, street.view.theme
    return [
        {
            "shape": STATE_SHAPE[state],
            "color": color[theme],
            "label": say(f"layer.state.{state}", lang),
        }
        for state, color in reversed(STATE_COLOR.items())
    ]


def describe_legend(
    values: Values, street: StreetView, *, leaves: Any = None
) -> list[dict[str, Any]]:
    """Return the classes of the measure: colour, bounds in words, how many grids (`leaves`)."""
    lang, theme = street.view.lang, street.view.theme
    ramp = CHANGE if street.measure == "change" else _ramp()
    breaks = (-np.inf if street.measure == "change" else 1, *values.breaks, np.inf)
    figures = values.values if leaves is None else values.values[leaves]
    bounded = np.zeros(len(values.values), np.bool_)
    bounded[values.thin] = True  # coloured by the middle of their bounds: no figures
    bounded = bounded if leaves is None else bounded[leaves]
    known = np.isfinite(figures) & ~bounded
    zero = known & (figures == 0)
    rows = [
        {
            "color": ramp[theme][place],
            "label": _name_class(low, high),
            "n": int((known & ~zero & (figures >= low) & (figures < high)).sum()),
        }
        for place, (low, high) in enumerate(pairwise(breaks))
    ]
    found = [{"color": ZERO[theme], "label": "0", "n": int(zero.sum())}, *rows]
    for key, grids in (("bounded", bounded), ("no_data", ~known & ~bounded)):
        label = say(f"legend.{key}", lang)
        found.append({"color": NO_DATA[theme], "label": label, "n": int(grids.sum())})
    return [row for row in found if row["n"]]


def _ramp() -> Any:
    return next(layer for layer in LAYERS if layer.id == _RISK).style.plain["ramp"]


def _name_class(low: float, high: float) -> str:
    """Return the whole numbers from `low` up to below `high`: figures here are counts."""
    first, last = np.ceil(low) or 1.0, np.ceil(high) - 1  # zero is a class of its own
    if not np.isfinite(first):
        return f"≤ {_sign(last)}" if np.isfinite(last) else "≠ 0"
    if not np.isfinite(last):
        return f"≥ {_sign(first)}"
    if first == last:
        return _sign(first)
    # Beside a minus a dash reads as another.
    return f"{_sign(first)} … {_sign(last)}" if first < 0 else f"{first:g} – {last:g}"


def _sign(number: float) -> str:
    return f"{number:g}".replace("-", "−")


def describe_tree(facts: Sight, lang: Lang) -> dict[str, Any]:
    """Return every grid of the drawing with its parent's place: what a click is drilled by."""
    grids = facts.grids.grids
    above = find_parent_rows(grids)
    return {
        "uid": [int(uid) for uid in grids["uid"]],
        "up": [int(row) if row != NO_PARENT else -1 for row in above],
        "code": grids["code"].astype(str).tolist(),
        "name": grids["name"].astype(str).tolist(),
        "level": [list(facts.grids.levels).index(level) for level in grids["level"]],
        "keys": list(facts.grids.levels),
        "levels": [say(f"level.{level}", lang) for level in facts.grids.levels],
    }


def frame_picture(facts: Sight, street: StreetView, *, now: int) -> Picture:
    """Return the picture that this page's legends are drawn for."""
    return Picture(
        facts=facts,
        scope=facts.scope,
        now=now,
        filter=street.filter(facts, now),
        lang=street.view.lang,
        theme=street.view.theme,
    )


def read_words(lang: Lang) -> dict[str, str]:
    """Return the map's own sentences."""
    return map_words(lang)
