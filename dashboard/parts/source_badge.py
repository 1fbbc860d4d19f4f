"""The badge of the sources: the worst of them in a word, and each of them by name."""

from __future__ import annotations

from typing import Any

from dash import html

from geodata.city import City
from geodata.events.sources import STATES, report_sources, source_line, worst_state
from geodata.words import Lang, say

_WELL = frozenset({"loaded", "live"})


def draw(city: City, *, now: int, lang: Lang) -> list[Any]:
    """
    Return how the sources do: the worst state with its count, all of them where one asks.

    A city whose data come by files as they come shows nothing: nothing is expected of them.
    """
    states = report_sources(city, now=now).sources
    expected = [one for one in states if one.state != STATES[0]]
    if not expected:
        return []
    worst = worst_state(expected)
    if worst in _WELL:
        text = say("source.all_well", lang, n=len(expected))
    else:
        text = say(
            "source.worst",
            lang,
            state=say(f"source_state.{worst}", lang),
            n=sum(one.state == worst for one in expected),
            of=len(expected),
        )
    each = [source_line(one, lang) for one in sorted(states, key=lambda one: -_rank(one.state))]
    return [
        html.Details(
            id="sources",
            className="fresh" if worst in _WELL else "stale",
            children=[
                html.Summary(text, title="\n".join(each)),
                html.Ul([html.Li(line) for line in each]),
            ],
        )
    ]


def _rank(state: str) -> int:
    return STATES.index(state)
