"""The city at a glance: what is open and late, the six steps, and the grids at most risk."""

from __future__ import annotations

from typing import Any

import numpy as np
from dash import html

from dashboard.parts import numbers
from dashboard.view import View
from geodata.facts import Facts
from geodata.figures import Figures, count_by_grid, count_figures
from geodata.words import Lang, say
from layers.layer import Picture

TOP_GRIDS = 8


def draw(facts: Facts, picture: Picture, view: View) -> list[Any]:
    """Return the side panel for the whole scope."""
    mask = picture.selected()
    figures = count_figures(facts.snapshot, mask, states=facts.states(picture.now))
    return [
        html.H2(say("overview.title", view.lang)),
        key_figures(figures, view.lang),
        six_steps(figures, view.lang),
        _rates(figures, view.lang),
        _owned(facts, mask, figures, view.lang),
        _top_grids(facts, picture, view.lang),
    ]


def draw_nothing(lang: Lang) -> list[Any]:
    """Return the side panel of a city that has no grids yet: what is missing, and what to do."""
    return [
        html.H2(say("overview.title", lang)),
        html.P(say("fault.city_without_grids.cause", lang)),
        html.P(say("fault.city_without_grids.remedy", lang), className="quiet"),
    ]


def key_figures(figures: Figures, lang: Lang) -> html.Div:
    """Return the four figures the eye should land on: late first."""
    rows = (
        ("overdue", "red", figures.overdue),
        ("due_soon", "amber", figures.due_soon),
        ("open", "plain", figures.open),
        ("total", "plain", figures.total),
    )
    return html.Div(
        className="keys",
        children=[
            html.Div(
                className=f"key {tone}",
                title=say(f"definition.{name}", lang),
                children=[
                    html.Span(say(f"figure.{name}", lang), className="label"),
                    html.Strong(numbers.count(value)),
                ],
            )
            for name, tone, value in rows
        ],
    )


def six_steps(figures: Figures, lang: Lang) -> html.Div:
    """Return the funnel of the six steps; each bar is its share of the reports."""
    most = max(max(figures.steps.values(), default=0), 1)
    return html.Div(
        className="steps",
        children=[
            html.H3(say("overview.steps", lang)),
            *(
                html.Div(
                    className="step",
                    children=[
                        html.Span(say(f"stage.{name}", lang), className="label"),
                        html.Div(
                            html.I(style={"width": f"{100 * value / most:.2f}%"}), className="track"
                        ),
                        html.Span(numbers.count(value), className="n"),
                    ],
                )
                for name, value in figures.steps.items()
            ),
        ],
    )


def _rates(figures: Figures, lang: Lang) -> html.Dl:
    pairs = (
        ("completion", figures.completion),
        ("closing", figures.closing),
        ("on_time", figures.on_time),
    )
    return html.Dl(
        className="pairs",
        children=[
            item
            for name, value in pairs
            for item in (
                html.Dt(say(f"figure.{name}", lang), title=say(f"definition.{name}", lang)),
                html.Dd(numbers.rate(value)),
            )
        ],
    )


def _owned(facts: Facts, mask: Any, figures: Figures, lang: Lang) -> html.P:
    grids = len(facts.grids.finest())
    counts = count_by_grid(facts.snapshot, mask, grids=grids)
    text = say(
        "overview.owned",
        lang,
        owned=numbers.count(int(counts[:-1].sum())),
        unowned=numbers.count(figures.unowned),
        near=numbers.count(figures.near_line),
        grids=numbers.count(int((counts[:-1] > 0).sum())),
        of=numbers.count(grids),
    )
    return html.P(text, className="quiet small")


def full_name(facts: Facts, uid: int) -> str:
    """Return a grid's name led by its community's: 第047网格 alone names a hundred grids."""
    above, name = ("", *facts.grids.path_names(uid))[-2:]
    return name if name.startswith(above) else f"{above} {name}"


def _top_grids(facts: Facts, picture: Picture, lang: Lang) -> html.Div:
    risk = facts.risk
    if risk is None:
        return html.Div()
    finest = facts.grids.finest()
    allowed = picture.allowed()
    order = np.argsort(-risk.value, kind="stable")
    rows = [row for row in order.tolist() if allowed is None or allowed[row + 1]]
    rows = [row for row in rows if not risk.thin[row]][:TOP_GRIDS]
    uids = finest["uid"].to_numpy()
    top = max((risk.high[row] for row in rows), default=1.0)
    return html.Div(
        className="top",
        children=[
            html.H3(say("overview.top", lang, days=risk.days)),
            *(
                html.Button(
                    id={"pick": int(uids[row])},
                    className="top-row",
                    children=[
                        html.Span(str(place), className="rank"),
                        html.Span(full_name(facts, int(uids[row])), className="name"),
                        html.Div(
                            className="track band",
                            children=html.I(
                                style={
                                    "left": f"{100 * risk.low[row] / top:.1f}%",
                                    "width": f"{100 * (risk.high[row] - risk.low[row]) / top:.1f}%",
                                }
                            ),
                        ),
                        html.Span(numbers.decimal(risk.value[row]), className="n"),
                    ],
                )
                for place, row in enumerate(rows, start=1)
            ),
            html.P(
                say(
                    "overview.risk_rule",
                    lang,
                    days=risk.days,
                    of=numbers.count(risk.counted),
                    left_out=numbers.count(risk.left_out),
                    since=numbers.day(risk.since, facts.zone),
                    exposure=say(f"exposure.{risk.exposure_name}", lang),
                ),
                className="quiet small",
            ),
        ],
    )
