"""What a scene shows in the place of today's risk: a change between periods, or a film."""

from __future__ import annotations

import threading
from collections import OrderedDict
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

import numpy as np

from dashboard.parts import numbers
from dashboard.street.ground import CHANGE, describe_legend, read_values
from dashboard.street.view import StreetView
from dashboard.view import View
from geodata.access.sight import Sight
from geodata.figures.period import end_of, find_period_before
from geodata.wall.film import REELS, Film, cut_film, make_film
from geodata.wall.scenes import AGAINST, Scene
from geodata.words import Lang, say
from layers.classes import break_classes
from layers.layer import Theme, Values
from layers.palette import RISK, ZERO
from layers.registry import find_layer

FILM, CHANGED = "wall-film", "wall-change"
RISEN = "grid-risk"  # whose grids a film or a change colours
_DAY_S = 86_400
_FILMS_KEPT, _NAMED = 12, 8


@dataclass(frozen=True, slots=True, kw_only=True)
class Screening:
    """A film as a wall takes it: `mark` names its frames, `plain` is what the map plays."""

    mark: str
    plain: dict[str, Any]
    chart: dict[str, Any]


def describe_layers(sight: Sight, lang: Lang) -> list[dict[str, Any]]:
    """Return the two layers that only a wall has: the grids, coloured by other figures."""
    plain = find_layer(RISEN).descriptor(lang, sight, version=sight.version)
    return [
        plain
        | {"id": name, "title": say(f"wall.layer_{key}", lang), "visible": False, "fields": []}
        | {"style": {**plain["style"], "ramp": ramp}}
        for name, key, ramp in ((FILM, "film", RISK), (CHANGED, "change", CHANGE))
    ]


def choose_layer(scene: Scene) -> str | None:
    """Return which layer a scene colours its grids by; None: by what its own layers say."""
    if scene.show in REELS:
        return FILM
    return CHANGED if scene.show == AGAINST else None


def read_change(sight: Sight, scene: Scene, *, now: int, lang: Lang, theme: Theme) -> Values:
    """Return each grid's reports of a scene's days less those of as many days before."""
    return read_values(sight, _view(scene, lang, theme), now=now)


def describe_change(
    sight: Sight, scene: Scene, *, now: int, lang: Lang, theme: Theme
) -> dict[str, Any]:
    """Return the legend of a change as the wall's legends are, and which days it compares."""
    street = _view(scene, lang, theme)
    rows = describe_legend(read_values(sight, street, now=now), street)
    period = street.period(sight, now)
    before = find_period_before(sight, period, now=now)
    told = {
        "title": say("wall.layer_change", lang),
        "unit": say("legend.unit_incidents", lang),
        "kind": "choropleth",
        "entries": [
            {"label": row["label"], "shape": "fill", "color": {theme: row["color"]}, "n": row["n"]}
            for row in rows
        ],
    }
    if before is None or before.since is None or before.until is None or period.since is None:
        return told
    last = end_of(sight, period, now=now)
    spans = [_name_days(*ends, sight.zone) for ends in (
        (period.since, last), (before.since, before.until))]  # fmt: skip
    return told | {"period": say("wall.against", lang, now=spans[0], before=spans[1])}


@dataclass(frozen=True, slots=True, kw_only=True)
class Reeled:
    """A film with the classes that all its frames share; `mark` is another once time went on."""

    mark: str
    film: Film
    breaks: tuple[float, ...]


class FilmShelf:
    """The films that walls play, each made once for all walls of a scope."""

    def __init__(self) -> None:
        self._kept: OrderedDict[Any, Reeled] = OrderedDict()
        self._lock = threading.Lock()

    def take(self, sight: Sight, scene: Scene, *, now: int) -> Reeled:
        """Return a scene's film; what comes in late is in the next one."""
        edges = cut_film(scene.show, end=min(sight.risk_from, now), zone=sight.zone)
        mark = f"{scene.show}.{sight.version}.{edges[-1]}"
        key = (mark, sight.scope.grids, sight.rows)
        with self._lock:
            reeled = self._kept.get(key)
        if reeled is None:
            film = make_film(sight, scene.show, edges=edges)
            positive = film.counts[film.counts > 0].astype(np.float64)
            reeled = Reeled(mark=mark, film=film, breaks=break_classes(positive))
            with self._lock:
                self._kept[key] = reeled
                while len(self._kept) > _FILMS_KEPT:
                    self._kept.popitem(last=False)
        return reeled


def screen_film(shelf: FilmShelf, sight: Sight, scene: Scene, *, now: int, lang: Lang) -> Screening:
    """Return what a wall needs in order to play a scene's film."""
    reeled = shelf.take(sight, scene, now=now)
    film = reeled.film
    names = [_name_frame(scene.show, at, sight.zone) for at in film.edges[1:]]
    most = max(1, *film.reported, *film.closed)
    return Screening(
        mark=reeled.mark,
        plain={
            "mark": reeled.mark,
            "frames": film.counts,
            "breaks": list(reeled.breaks),
            "names": names,
            "reported": film.reported,
            "closed": film.closed,
        },
        chart={
            "title": say(f"wall.film_{scene.show}", lang),
            "window": say(f"wall.window_{scene.show}", lang),
            "frames": [
                {"bar": 100 * came / most, "mid": 100 * done / most, "name": name}
                for came, done, name in zip(film.reported, film.closed, names, strict=True)
            ],
            "every": max(1, len(names) // _NAMED),
        },
    )


def describe_film(screening: Screening, *, lang: Lang, theme: Theme) -> dict[str, Any]:
    """Return the legend of a film: one set of classes for all its frames."""
    breaks = screening.plain["breaks"]
    edges = [1, *breaks]
    labels = [
        f"{low:g} – {high - 1:g}" if high - 1 > low else f"{low:g}" for low, high in pairwise(edges)
    ]
    colors = RISK[theme]
    rows = [("0", ZERO[theme]), *zip([*labels, f"≥ {edges[-1]:g}"], colors, strict=False)]
    return {
        "title": say("wall.layer_film", lang),
        "unit": say("legend.unit_incidents", lang),
        "kind": "choropleth",
        "entries": [
            {"label": label, "shape": "fill", "color": {theme: color}, "n": None}
            for label, color in rows
        ],
        "period": screening.chart["window"],
    }


def _view(scene: Scene, lang: Lang, theme: Theme) -> StreetView:
    return StreetView(view=View(lang=lang, theme=theme, days=scene.days), measure="change")


def _name_days(since: int, until: int, zone: str) -> str:
    first, last = numbers.day(since, zone), numbers.day(until - 1, zone)
    return f"{first[5:]} – {last[5:]}"


def _name_frame(show: str, until: int, zone: str) -> str:
    """Return when a frame ends, as short as it can be read: all frames of a film lie in order."""
    if show == "year":
        return numbers.day(until - _DAY_S, zone)
    return numbers.moment(until, zone)[5:]
