"""The city at a glance: what is open and late, the six steps, and the grids at most risk."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import numpy as np
from dash import html

from dashboard.parts import numbers, totals
from dashboard.view import View
from geodata.access.outside import WHOLE, Outside
from geodata.access.sight import Sight
from geodata.access.suppression import Span
from geodata.figures.period import Period
from geodata.figures.tally import Tallies, Tally, tally_areas
from geodata.risk import GridRisk
from geodata.snapshots.snapshot import Filter
from geodata.words import Lang, say
from layers.layer import Picture

TOP_GRIDS = 8
KEYS = {"overdue": "red", "due_soon": "amber", "open": "plain", "total": "plain"}


Count = int | Span | None


def draw(facts: Sight, picture: Picture, view: View) -> list[Any]:
    """Return the side panel: the account's own grids, and in bounds what is outside."""
    if facts.outside is not None and not facts.rows:
        return _draw_totals(facts, facts.outside, picture, view)
    tallies = count_view(facts, picture.filter, now=picture.now)
    figures = tallies.of_all()
    title = say("overview.title", view.lang)
    standing = replace(picture.filter, since=None, state="all")
    ever = count_view(facts, standing, now=picture.now).of_all()
    nothing = say("map_page.nothing", view.lang)
    return [
        html.H2(title if facts.outside is None else totals.scope_names(facts, view.lang)),
        *([html.P(say("scope.empty", view.lang), className="thin")] * totals.sees_nothing(facts)),
        html.P(_name_period(view, ever), className="quiet small"),
        *([html.P(nothing, className="thin")] if facts.snapshot.n and not figures.total else []),
        key_figures(name_keys(figures), view.lang),
        six_steps(figures.steps, view.lang),
        _rates(figures, view),
        _owned(facts, tallies, figures, view.lang),
        _top_grids(facts, picture, view.lang),
        *totals.draw(facts, picture.filter, view.lang),
        _lead_on(facts, view),
    ]


def _name_period(view: View, ever: Tally) -> str:
    """
    Return whose reports are counted, and how many are open and late whenever they were reported.

    The wall counts what is open of any age: both numbers must be on one page.
    """
    if not view.days:
        return say("map_page.all_time", view.lang)
    counts = {name: numbers.count(getattr(ever, name)) for name in ("open", "overdue")}
    return say("map_page.period", view.lang, n=view.days, **counts)


def _lead_on(facts: Sight, view: View) -> html.P:
    """Return the line that says where to look for what this page does not draw."""
    link = f"{facts.city.settings.base_path}/street/?lang={view.lang}&theme={view.theme}"
    way = html.A(say("map_page.to_street", view.lang), href=link, className="tool")
    return html.P([say("map_page.more", view.lang), " ", way], className="quiet small")


def count_view(facts: Sight, chosen: Filter, *, now: int) -> Tallies:
    """Return the tallies of all areas under a map's filter, its own period included."""
    period = Period(since=chosen.since, until=chosen.until)
    return tally_areas(facts, period=period, filter=chosen, now=now)


def _draw_totals(facts: Sight, outside: Outside, picture: Picture, view: View) -> list[Any]:
    """Return the side panel of an account that sees no single incident."""
    steps = outside.count_steps(picture.filter)
    return [
        html.H2(totals.scope_names(facts, view.lang)),
        key_figures(totals.count_keys(outside, WHOLE, picture.filter), view.lang),
        *([six_steps(steps, view.lang)] if steps else []),
        _top_grids(facts, picture, view.lang),
        *totals.draw(facts, picture.filter, view.lang),
    ]


def draw_nothing(lang: Lang) -> list[Any]:
    """Return the side panel of a city that has no grids yet: what is missing, and what to do."""
    return [
        html.H2(say("overview.title", lang)),
        html.P(say("fault.city_without_grids.cause", lang)),
        html.P(say("fault.city_without_grids.remedy", lang), className="quiet"),
    ]


def name_keys(figures: Tally) -> dict[str, Count]:
    """Return the four figures the eye should land on: late first."""
    return {name: getattr(figures, name) for name in KEYS}


def key_figures(figures: Mapping[str, Count], lang: Lang) -> html.Div:
    """Return the key figures that there are, in their order."""
    return html.Div(
        className="keys",
        children=[
            html.Div(
                className=f"key {tone}",
                title=say(f"definition.{name}", lang),
                children=[
                    html.Span(say(f"figure.{name}", lang), className="label"),
                    html.Strong(
                        numbers.count(value), className="bounds" if isinstance(value, Span) else ""
                    ),
                ],
            )
            for name, tone in KEYS.items()
            if name in figures
            for value in [figures[name]]
        ],
    )


def six_steps(steps: Mapping[str, int] | Mapping[str, Span], lang: Lang) -> html.Div:
    """Return the funnel of the six steps; each bar is its share of the reports."""
    widths = {name: n.high if isinstance(n, Span) else n for name, n in steps.items()}
    most = max(max(widths.values(), default=0), 1)
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
                            html.I(style={"width": f"{100 * widths[name] / most:.2f}%"}),
                            className="track",
                        ),
                        html.Span(numbers.count(value), className="n"),
                    ],
                )
                for name, value in steps.items()
            ),
        ],
    )


def _rates(figures: Tally, view: View) -> html.Div:
    """Return the rates; of cases chosen by how they stand, with a word on what they are of."""
    lang = view.lang
    pairs = (
        ("completion", figures.completion),
        ("closing", figures.closing),
        ("on_time", figures.on_time),
    )
    rows = [
        item
        for name, value in pairs
        for item in (
            html.Dt(say(f"figure.{name}", lang), title=say(f"definition.{name}", lang)),
            html.Dd(numbers.rate(value)),
        )
    ]
    partial = html.P(say("map_page.rates_of_state", lang), className="quiet small")
    return html.Div([html.Dl(rows, className="pairs"), *([partial] * (view.state != "all"))])


def _owned(facts: Sight, tallies: Tallies, figures: Tally, lang: Lang) -> html.P:
    uids = facts.grids.finest()["uid"].tolist()
    counts = tallies.of_finest("total")
    text = say(
        "overview.owned",
        lang,
        owned=numbers.count(int(counts[:-1].sum())),
        unowned=numbers.count(int(counts[-1])),
        near=numbers.count(figures.near_line),
        grids=numbers.count(int((counts[:-1] > 0).sum())),
        of=numbers.count(sum(facts.shows(uid) for uid in uids)),
    )
    return html.P(text, className="quiet small")


def full_name(facts: Sight, uid: int) -> str:
    """Return a grid's name led by its community's: 第047网格 alone names a hundred grids."""
    above, name = ("", *facts.grids.path_names(uid))[-2:]
    return name if name.startswith(above) else f"{above} {name}"


def _top_grids(facts: Sight, picture: Picture, lang: Lang) -> html.Div:
    risk = facts.risk
    if risk is None:
        return html.Div()
    finest = facts.grids.finest()
    hidden = picture.hidden()
    order = np.argsort(-risk.value, kind="stable")
    rows = [row for row in order.tolist() if not hidden[row] or not facts.rows]
    rows = [row for row in rows if not risk.thin[row]][:TOP_GRIDS]
    uids = finest["uid"].to_numpy()
    top = max((risk.high[row] for row in rows), default=1.0)
    return html.Div(
        className="top",
        children=[
            html.H3(say("overview.top", lang, days=risk.days)),
            html.P(say("map_page.risk_stays", lang), className="quiet small"),
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
                        html.Span(_expected(risk, row, lang, told=facts.rows), className="n"),
                    ],
                )
                for place, row in enumerate(rows, start=1)
            ),
            *([_risk_rule(facts, risk, lang)] if facts.rows else []),
        ],
    )


def _expected(risk: GridRisk, row: int, lang: Lang, *, told: bool) -> str:
    """Return a grid's expected incidents, or their bounds where its record is not told."""
    if told:
        return numbers.decimal(risk.value[row])
    return say(
        "scope.risk_band",
        lang,
        low=numbers.decimal(risk.low[row]),
        high=numbers.decimal(risk.high[row]),
    )


def _risk_rule(facts: Sight, risk: GridRisk, lang: Lang) -> html.P:
    text = say(
        "overview.risk_rule",
        lang,
        days=risk.days,
        of=numbers.count(risk.counted),
        left_out=numbers.count(risk.left_out),
        since=numbers.day(risk.since, facts.zone),
        exposure=say(f"exposure.{risk.exposure_name}", lang),
    )
    return html.P(text, className="quiet small")
