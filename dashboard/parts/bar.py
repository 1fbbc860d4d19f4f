"""The bar at the top: the city, the filters, how fresh and how complete the picture is."""

from __future__ import annotations

from typing import Any

import numpy as np
from dash import dcc, html

from dashboard.parts import numbers, who
from dashboard.parts.freshness import tell_as_of
from dashboard.parts.totals import scope_words
from dashboard.view import View
from geodata.access.outside import WHOLE, Outside
from geodata.access.sight import Sight
from geodata.access.suppression import Span
from geodata.events.periods import PERIODS_DAYS
from geodata.settings import Settings
from geodata.snapshots.facts import UNMATCHED
from geodata.snapshots.snapshot import Filter
from geodata.words import Lang, say
from layers.layer import Picture

STATES = ("all", "open", "overdue", "closed")
BOX_HEIGHT_PX = 400
BOX_WORDS = ("search", "clear_search", "clear_selection", "no_options_found")


def draw(start: View, *, facts: Sight | None) -> html.Header:
    """
    Return the bar, its words still empty.

    The categories are there from the first: the box lets go of a value it has no option for, and
    the address may ask for one.
    """
    return html.Header(
        id="bar",
        children=[
            html.Div(id="bar-words"),
            html.Div(
                id="filters",
                children=[
                    dcc.RadioItems(id="days", className="segments", value=start.days),
                    dcc.RadioItems(id="state", className="segments", value=start.state),
                    dcc.Dropdown(
                        id="category",
                        className="pick",
                        options=category_options(facts, start.lang),
                        value=None,
                        clearable=True,
                        maxHeight=BOX_HEIGHT_PX,
                    ),
                ],
            ),
            html.Div(id="as-of", role="status"),
            who.draw(),
            html.Button("中 / EN", id="lang-switch", className="tool", title="中文 / English"),
            html.Button("◐", id="theme-switch", className="tool"),
        ],
    )


def title(settings: Settings, lang: Lang, *, facts: Sight | None) -> list[Any]:
    """Return the product's mark, the city's name, and in words what the account sees of it."""
    narrowed = scope_words(facts, lang) if facts else ""
    city = settings.name_zh if lang == "zh" else settings.name_en
    return [
        html.Span(say("product.mark", lang), className="mark"),
        html.H1(city),
        html.Span(say("page.map", lang), className="quiet"),
        *([html.Span(narrowed, id="scope", className="badge", title=narrowed)] if narrowed else []),
    ]


def period_options(lang: Lang) -> list[dict[str, Any]]:
    """Return the periods to choose from."""
    return [
        {
            "value": days,
            "label": say("filter.days", lang, n=days) if days else say("filter.all_time", lang),
        }
        for days in PERIODS_DAYS
    ]


def state_options(lang: Lang) -> list[dict[str, Any]]:
    """Return the states to choose from."""
    return [{"value": state, "label": say(f"filter.{state}", lang)} for state in STATES]


def category_options(facts: Sight | None, lang: Lang) -> list[dict[str, Any]]:
    """Return the categories that incidents have, by name."""
    if facts is None:
        return []
    used = set(np.flatnonzero(facts.counter.count(["category"])).tolist())
    if facts.outside is not None:
        used |= _told_categories(facts, facts.outside)
    names = facts.category_names(lang)
    return [
        {
            "value": number,
            "label": say("filter.unmatched", lang) if names[number] == UNMATCHED else names[number],
        }
        for number in sorted(used, key=lambda number: names[number])
    ]


def _told_categories(facts: Sight, outside: Outside) -> set[int]:
    """Return the categories of the city's own table, and those that are told of outside."""
    listed = set(facts.kinds["category"].dropna()) if "category" in facts.kinds else set()
    return {
        number
        for number, name in enumerate(facts.categories)
        if name in listed or getattr(outside.count(WHOLE, Filter(categories=(number,))), "low", 0)
    }


def category_hint(lang: Lang) -> str:
    """Return what the empty category box says."""
    return say("filter.category", lang)


def category_labels(lang: Lang) -> dict[str, str]:
    """Return the words inside the open category box."""
    return {name: say(f"filter.{name}", lang) for name in BOX_WORDS}


def as_of(facts: Sight, picture: Picture, view: View) -> list[Any]:
    """Return n of N, and as of when; of an account's own grids, where it sees rows at all."""
    shown: int | Span | None = int(picture.selected().sum())
    of: int | Span | None = facts.snapshot.n
    if facts.outside is not None and not facts.rows:
        shown, of = (facts.outside.count(WHOLE, one) for one in (picture.filter, Filter()))
    age = max(picture.now - facts.as_of, 0)
    stale = age > facts.city.settings.stale_after_s
    return [
        html.Span(
            say(
                "page.n_of_n",
                view.lang,
                n=numbers.count(shown),
                of=numbers.count(of),
            ),
            className="figure",
        ),
        html.Span(
            tell_as_of(facts, now=picture.now, lang=view.lang),
            className="stale" if stale else "fresh",
        ),
    ]
