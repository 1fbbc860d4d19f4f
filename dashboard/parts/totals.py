"""Totals: what a screen says of incidents its account may not see one by one, in bounds."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
from dash import html

from dashboard.parts import numbers
from geodata.access.outside import WHOLE, Figure, Outside
from geodata.access.sight import Sight
from geodata.access.suppression import Span, band_counts
from geodata.snapshots.snapshot import Filter
from geodata.words import Lang, join, say

KEYS: tuple[tuple[Figure, str], ...] = (("overdue", "red"), ("open", "plain"), ("total", "plain"))
_NAMES_SHOWN = 2
_EXAMPLE = 13  # a count whose band is shown as the example


def scope_names(facts: Sight, lang: Lang) -> str:
    """Return what the account sees by name: 安宁街道, the whole city, or some and how many."""
    if facts.scope.everything:
        return say("scope.everywhere", lang)
    names = facts.names()
    if not names:
        return say("scope.nowhere", lang)
    shown = join(names[:_NAMES_SHOWN], lang)
    if len(names) <= _NAMES_SHOWN:
        return shown
    return say("scope.and_more", lang, names=shown, n=len(names))


def sees_nothing(facts: Sight) -> bool:
    """Tell whether an account's areas hold no grid: what it is shown empty is hidden, not none."""
    return not facts.scope.everything and not facts.names()


def scope_words(facts: Sight, lang: Lang) -> str:
    """Return the sentence that says how a page is narrowed; empty where it is not."""
    if facts.outside is None:
        return ""
    key = "narrowed" if facts.rows else "aggregates"
    return say(f"scope.{key}", lang, names=scope_names(facts, lang))


def count_keys(outside: Outside, uid: int, chosen: Filter) -> dict[str, Span | None]:
    """Return the figures of a grid, an area or the whole outside, by name."""
    return {name: outside.count(uid, chosen, name) for name, _ in KEYS}


def as_of(outside: Outside, facts: Sight) -> str:
    """Return the moment of every figure outside: a local midnight."""
    return numbers.moment(outside.until, facts.zone)


def draw(facts: Sight, chosen: Filter, lang: Lang) -> list[Any]:
    """Return the table of the areas outside the scope; nothing where nothing is outside."""
    outside = facts.outside
    if outside is None:
        return []
    heading = say("scope.outside" if facts.rows else "scope.title", lang, at=as_of(outside, facts))
    if outside.count(WHOLE, chosen) is None:
        body: list[Any] = [html.P(say("scope.not_told", lang), className="quiet small")]
    else:
        body = _table(facts, outside, chosen, lang)
    return [html.Div([html.H3(heading), *body], className="totals")]


def _table(facts: Sight, outside: Outside, chosen: Filter, lang: Lang) -> list[Any]:
    names = {WHOLE: say("scope.all_outside", lang)}
    if chosen.categories is None:
        names |= _areas(facts, outside)
    figures: tuple[Figure, ...] = ("overdue", "total")
    head = [html.Th(""), *(html.Th(say(f"figure.{name}", lang)) for name in figures)]
    rows = [
        html.Tr(
            [
                html.Td(name, className="name"),
                *(
                    html.Td(numbers.count(outside.count(uid, chosen, figure)), className="n")
                    for figure in figures
                ),
            ]
        )
        for uid, name in names.items()
    ]
    notes = [_rule(facts, lang)]
    if chosen.categories is not None:
        notes.append(say("scope.no_category", lang))
    return [
        html.Table([html.Thead(html.Tr(head)), html.Tbody(rows)]),
        html.P(" ".join(notes), className="quiet small"),
    ]


def _rule(facts: Sight, lang: Lang) -> str:
    below = facts.city.settings.suppress_below
    example = band_counts(np.array(_EXAMPLE), below=below).span().text
    return say("scope.rule", lang, below=below, example=example)


def _areas(facts: Sight, outside: Outside) -> Mapping[int, str]:
    """Return the names of the outermost areas, of which there are several, by uid."""
    system = facts.grids
    several = [name for name in system.levels if len(system.level(name)) > 1]
    if not several:
        return {}
    level = system.level(several[0])
    return {
        int(uid): str(name)
        for uid, name in zip(level["uid"], level["name"], strict=True)
        if int(uid) in outside.rows
    }
