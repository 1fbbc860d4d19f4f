"""The lists of the desk: what waits, the oldest first, each row a button."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from dash import html

from dashboard.desk.ground import DeskGround
from dashboard.parts import numbers
from geodata.access.scope import Scope
from geodata.desk.trays import TRAYS, Lying, Tray, TrayName
from geodata.ownership import RULES
from geodata.words import Lang, say

_MARKS: Mapping[str, str] = {"unplaced": "▲", "disputed": "◆", "near": "●"}


def options(counts: Mapping[TrayName, int], lang: Lang) -> list[dict[str, Any]]:
    """Return the trays to choose from, each with how many wait in it."""
    return [
        {
            "value": name,
            "label": html.Span(
                [say(f"desk.tray_{name}", lang), html.B(numbers.count(counts[name]))]
            ),
        }
        for name in TRAYS
    ]


def draw(tray: Tray, ground: DeskGround, *, scope: Scope) -> list[Any]:
    """Return the rows of a tray, or a sentence where it is empty."""
    if not tray.rows:
        key = "empty_scope" if tray.name == "unplaced" and not scope.everything else "empty"
        return [
            html.Div(
                [
                    html.Strong(say(f"desk.{key}_{tray.name}", ground.lang)),
                    html.P(say(f"desk.about_{tray.name}", ground.lang)),
                ],
                className="desk-empty",
            )
        ]
    return [
        html.P(say(f"desk.about_{tray.name}", ground.lang), className="quiet small desk-about"),
        *(_row(lying, tray.name, ground) for lying in tray.rows),
    ]


def count_of(tray: Tray, lang: Lang) -> str:
    """Return how many rows of how many are listed."""
    shown, of = numbers.count(len(tray.rows)), numbers.count(tray.count)
    return say("page.n_of_n", lang, n=shown, of=of)


def _row(lying: Lying, tray: TrayName, ground: DeskGround) -> html.Button:
    head, lang = lying.head, ground.lang
    return html.Button(
        id={"open": head.inc},
        className="desk-row",
        children=[
            html.Span(_MARKS[tray], className=f"mark-{tray}", **{"aria-hidden": "true"}),
            html.Span(ground.kind(head.kind), className="name"),
            html.Span(ground.age(lying.since), className="n"),
            html.Span(_why(lying, ground), className="why"),
            html.Span(
                [
                    html.Span(head.source, className="source"),
                    html.Code(head.incident_id),
                    *([] if head.open else [html.Span(say("filter.closed", lang))]),
                ],
                className="from",
            ),
        ],
    )


def _why(lying: Lying, ground: DeskGround) -> str:
    """Return what the row is about: its address, the parties, or how near the line it lies."""
    head, lang, dispute = lying.head, ground.lang, lying.standing.dispute
    if dispute is not None:
        held, proposed = ground.code(dispute.raised.held), ground.code(dispute.proposed)
        return say("desk.why_dispute", lang, held=held, proposed=proposed)
    rule = say(f"rule.{RULES[head.rule]}", lang)
    if lying.address:
        return say("desk.why_address", lang, rule=rule, address=lying.address)
    line_m = ground.line_m(head)
    if line_m is not None:
        return say("desk.why_line", lang, rule=rule, metres=numbers.decimal(line_m))
    if head.distance_mm > 0:
        metres = numbers.decimal(head.distance_mm / 1000, 0)
        return say("desk.why_outside", lang, rule=rule, metres=metres)
    return rule
