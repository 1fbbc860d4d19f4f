"""The bar at the top: the city, the filters, how fresh and how complete the picture is."""

from __future__ import annotations

from typing import Any

from dash import dcc, html

from dashboard.parts import numbers
from dashboard.view import PERIODS_DAYS, View
from geodata.facts import UNMATCHED, Facts
from geodata.settings import Settings
from geodata.words import Lang, say
from layers.layer import Picture

STATES = ("all", "open", "overdue", "closed")
BOX_HEIGHT_PX = 400
BOX_WORDS = ("search", "clear_search", "clear_selection", "no_options_found")


def draw(start: View, *, facts: Facts | None) -> html.Header:
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
            html.Button("中 / EN", id="lang-switch", className="tool", title="中文 / English"),
            html.Button("◐", id="theme-switch", className="tool"),
        ],
    )


def title(settings: Settings, lang: Lang) -> list[Any]:
    """Return the product's mark and the city's name."""
    city = settings.name_zh if lang == "zh" else settings.name_en
    return [
        html.Span(say("product.mark", lang), className="mark"),
        html.H1(city),
        html.Span(say("page.map", lang), className="quiet"),
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


def category_options(facts: Facts | None, lang: Lang) -> list[dict[str, Any]]:
    """Return the categories that incidents have, by name."""
    if facts is None:
        return []
    used = set(facts.snapshot.category.tolist())
    names = facts.category_names(lang)
    return [
        {
            "value": number,
            "label": say("filter.unmatched", lang) if names[number] == UNMATCHED else names[number],
        }
        for number in sorted(used, key=lambda number: names[number])
    ]


def category_hint(lang: Lang) -> str:
    """Return what the empty category box says."""
    return say("filter.category", lang)


def category_labels(lang: Lang) -> dict[str, str]:
    """Return the words inside the open category box."""
    return {name: say(f"filter.{name}", lang) for name in BOX_WORDS}


def as_of(facts: Facts, picture: Picture, view: View) -> list[Any]:
    """Return n of N, and as of when."""
    shown = int(picture.selected().sum())
    age = max(picture.now - facts.as_of, 0)
    stale = age > facts.city.settings.stale_after_s
    when = say("page.as_of_nothing", view.lang)
    if facts.as_of:
        moment = numbers.moment(facts.as_of, facts.zone)
        when = say("page.as_of", view.lang, at=moment, age=numbers.span(age, view.lang))
    return [
        html.Span(
            say(
                "page.n_of_n",
                view.lang,
                n=numbers.count(shown),
                of=numbers.count(facts.snapshot.n),
            ),
            className="figure",
        ),
        html.Span(
            when,
            className="stale" if stale else "fresh",
        ),
    ]
