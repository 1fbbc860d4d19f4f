"""The card of a grid: what it is, who is responsible, its incidents, and why they are its own."""

from __future__ import annotations

from typing import Any
from urllib.parse import quote

import numpy as np
from dash import html

from dashboard import trail
from dashboard.parts import numbers, totals
from dashboard.parts.overview import key_figures, name_keys, six_steps
from dashboard.view import View
from geodata.access.outside import Outside
from geodata.access.sight import Sight
from geodata.desk.marks import read_marks
from geodata.events.clock import RED
from geodata.figures.area import AreaFigures, count_area
from geodata.figures.period import Period
from geodata.snapshots.snapshot import Filter
from geodata.words import Lang, has_words, say

OLDEST_SHOWN = 5
CLOSE = -1  # the pick that lets go of the grid


def draw(facts: Sight, view: View, *, now: int) -> html.Div:
    """
    Return the card of the view's grid, or a sentence where there is none to show.

    Of a grid outside the scope it says what and whose it is, and counts in bounds.
    """
    lang = view.lang
    uid = view.grid
    finest = facts.grids.finest()
    rows = np.flatnonzero(finest["uid"].to_numpy() == uid)
    if uid is None or not len(rows) or not (facts.outside or facts.shows(uid)):
        return html.Div([_close(lang), html.P(say("card.missing", lang))], className="card")
    row = int(rows[0])
    grid = finest.iloc[row]
    chosen = view.filter(facts, now)
    head = [
        _close(lang),
        html.Div(_path(facts, uid), className="path quiet small"),
        html.H2(str(grid["name"])),
        html.Div(
            [
                html.Span(_kind(str(grid["kind"]), lang), className=f"badge {grid['kind']}"),
                html.Code(str(grid["code"])),
                _street(facts, grid, lang),
            ],
            className="badges",
        ),
        _facts(facts, grid, lang),
    ]
    if facts.outside is not None and not facts.shows(uid):
        told = _outside(facts, facts.outside, uid, chosen, lang)
        return html.Div([*head, *told, _band(facts, row, lang)], className="card")
    mask = facts.select(chosen, now) & (facts.snapshot.owner == row)
    period = Period(since=chosen.since, until=chosen.until)
    area = count_area(facts, grid=uid, period=period, filter=chosen, now=now)
    return html.Div(
        className="card",
        children=[
            *head,
            key_figures(name_keys(area.own), lang),
            six_steps(area.own.steps, lang),
            _rules(area, lang),
            _risk(facts, row, lang),
            _oldest(facts, mask, grid, lang, now),
        ],
    )


def _street(facts: Sight, grid: Any, lang: Lang) -> html.A:
    """Return the way to the grid's own page."""
    base = facts.city.settings.base_path
    href = f"{base}/street/{quote(str(grid['code']), safe='')}?lang={lang}"
    return html.A(say("card.street", lang), href=href, className="to-street")


def _outside(facts: Sight, outside: Outside, uid: int, chosen: Filter, lang: Lang) -> list[Any]:
    """Return the key figures in bounds, and why there is no more."""
    notes = [say("scope.card", lang, at=totals.as_of(outside, facts))]
    if chosen.categories is not None:
        notes.append(say("scope.no_category", lang))
    return [
        key_figures(totals.count_keys(outside, uid, chosen), lang),
        html.P(" ".join(notes), className="quiet small"),
    ]


def _band(facts: Sight, row: int, lang: Lang) -> html.Div:
    """Return the risk of a grid whose record is only known in a band."""
    risk = facts.risk
    if risk is None:
        return html.Div()
    low, high = (numbers.decimal(end[row]) for end in (risk.low, risk.high))
    return html.Div(
        className="risk",
        children=[
            html.H3(say("scope.top", lang, days=risk.days)),
            html.P(say("scope.risk_band", lang, low=low, high=high)),
        ],
    )


def _close(lang: Lang) -> html.Button:
    return html.Button(
        "×", id={"pick": CLOSE}, className="tool close", title=say("card.close", lang)
    )


def _path(facts: Sight, uid: int) -> str:
    return " › ".join(facts.grids.path_names(uid)[:-1])


def _kind(kind: str, lang: Lang) -> str:
    return say(f"grid_kind.{kind}", lang) if has_words(f"grid_kind.{kind}") else kind


def _facts(facts: Sight, grid: Any, lang: Lang) -> html.Dl:
    area_m2 = float(grid.geometry.area)
    pairs = [
        ("card.post", facts.body_name(str(grid["body"]), lang) or say("card.unknown", lang)),
        ("card.area", say("card.hectares", lang, n=numbers.decimal(area_m2 / 10_000))),
    ]
    pairs += [
        (f"card.{name}", numbers.count(int(grid[name])))
        for name in ("households", "population")
        if np.isfinite(grid[name])
    ]
    seen = facts.scope.allows(int(grid["uid"]))  # of other grids' cameras and places, nothing
    inside = {
        name: int((table["owner"].to_numpy() == facts_row(facts, int(grid["uid"]))).sum())
        for name, table in (("cameras", facts.cameras), ("places", facts.places))
        if seen and len(table)
    }
    pairs += [(f"card.{name}", numbers.count(value)) for name, value in inside.items()]
    return html.Dl(
        className="pairs",
        children=[item for key, text in pairs for item in (html.Dt(say(key, lang)), html.Dd(text))],
    )


def facts_row(facts: Sight, uid: int) -> int:
    """Return the row of a finest grid by its uid."""
    return int(np.flatnonzero(facts.grids.finest()["uid"].to_numpy() == uid)[0])


def _rules(area: AreaFigures, lang: Lang) -> html.Div:
    return html.Div(
        className="rules",
        children=[
            html.H3(say("card.why", lang)),
            *(
                html.Div(
                    [
                        html.Span(say(f"rule.{name}", lang), title=say(f"rule_why.{name}", lang)),
                        html.Span(numbers.count(value), className="n"),
                    ],
                    className="rule",
                )
                for name, value in area.rules.items()
            ),
            html.P(
                say("card.near_line", lang, n=numbers.count(area.own.near_line)),
                className="quiet small",
            ),
        ],
    )


def _risk(facts: Sight, row: int, lang: Lang) -> html.Div:
    risk = facts.risk
    if risk is None:
        return html.Div()
    terms = (
        ("own", risk.own[row]),
        ("borrowed", risk.borrowed[row]),
        ("value", risk.value[row]),
    )
    own, borrowed, whole = (round(float(value), 2) for _, value in terms)
    rounded = round(own + borrowed, 2) != whole
    return html.Div(
        className="risk",
        children=[
            html.H3(say("card.risk", lang, days=risk.days)),
            html.Dl(
                className="pairs",
                children=[
                    item
                    for name, value in terms
                    for item in (
                        html.Dt(say(f"risk.{name}", lang), title=say(f"risk_why.{name}", lang)),
                        html.Dd(numbers.decimal(value, 2)),
                    )
                ],
            ),
            html.P(
                say(
                    "card.risk_band",
                    lang,
                    low=numbers.decimal(risk.low[row], 1),
                    high=numbers.decimal(risk.high[row], 1),
                    n=numbers.count(int(risk.n[row])),
                ),
                className="quiet small",
            ),
            *([html.P(say("map_page.rounded", lang), className="quiet small")] * rounded),
            *([html.P(say("card.thin", lang), className="thin small")] if risk.thin[row] else []),
        ],
    )


def _oldest(facts: Sight, mask: Any, grid: Any, lang: Lang, now: int) -> html.Div:
    snapshot = facts.snapshot
    late = np.flatnonzero(mask & snapshot.open & (facts.states(now) == RED))
    if not len(late):
        return html.Div(html.P(say("card.none_late", lang), className="quiet small"))
    names = facts.kind_names(lang)
    order = late[np.argsort(snapshot.due_at[late], kind="stable")]
    shown = min(len(order), OLDEST_SHOWN)
    incidents = [int(one) for one in snapshot.incident[order[:OLDEST_SHOWN]]]
    marks = read_marks(facts.city, facts.scope, incidents)
    trail.show(target=str(grid["code"]), grid=int(grid["uid"]), n=shown)
    return html.Div(
        className="late",
        children=[
            html.H3(
                say("card.oldest", lang, n=shown, of=len(order)),
            ),
            *(
                html.Div(
                    [
                        html.Span("■", className="red"),
                        html.Span(
                            [
                                names.get(int(snapshot.kind[row]), "–"),
                                *(
                                    html.Span(say(f"card.mark_{mark}", lang), className="badge")
                                    for mark in marks.get(int(snapshot.incident[row]), ())
                                ),
                            ],
                            className="name",
                        ),
                        html.Span(
                            numbers.span(now - int(snapshot.due_at[row]), lang), className="n"
                        ),
                    ],
                    className="late-row",
                )
                for row in order[:OLDEST_SHOWN].tolist()
            ),
        ],
    )
