"""The case that is open on the desk: where it lies, whose it is and why, what was decided on it."""

from __future__ import annotations

from typing import Any
from urllib.parse import quote

from dash import html

from dashboard.desk.ground import DeskGround
from dashboard.parts import numbers
from geodata.desk.decisions import Dispute
from geodata.desk.trays import Lying
from geodata.drawings import NOBODY
from geodata.events.incidents import STAGES
from geodata.ownership import RULES
from geodata.store.decisions import Decision
from geodata.words import say


def draw(lying: Lying, decisions: list[Decision], ground: DeskGround) -> html.Div:
    """Return the card of one case; `decisions` are all that were ever made on it."""
    lang, head = ground.lang, lying.head
    dispute = lying.standing.dispute
    return html.Div(
        className="card desk-card",
        children=[
            html.Button(
                "×",
                id={"shut": head.inc},
                className="tool close",
                title=say("card.close", lang),
            ),
            html.Div(ground.path(head.owner), className="path quiet small"),
            html.H2(ground.kind(head.kind)),
            html.Div(
                [
                    html.Span(head.source, className="badge"),
                    html.Code(head.incident_id),
                    html.A(
                        say("desk.case_page", lang),
                        href=case_address(ground, head.source, head.incident_id),
                    ),
                ],
                className="badges",
            ),
            *([_dispute(dispute, ground)] if dispute is not None else []),
            _facts(lying, ground),
            _decisions(decisions, ground),
        ],
    )


def draw_nothing(ground: DeskGround) -> html.Div:
    """Return what stands there while no case is open."""
    lang = ground.lang
    keys = [html.Li(say(f"desk.key_{name}", lang)) for name in ("rows", "open", "pin", "save")]
    return html.Div(
        [html.H2(say("desk.none_open", lang)), html.P(say("desk.how", lang)), html.Ul(keys)],
        className="card desk-card desk-none",
    )


def case_address(ground: DeskGround, source: str, incident_id: str) -> str:
    """Return where the page of a case is."""
    parts = "/".join(quote(part, safe="") for part in (source, incident_id))
    return f"{ground.city.settings.base_path}/case/{parts}?lang={ground.lang}"


def _facts(lying: Lying, ground: DeskGround) -> html.Dl:
    lang, head = ground.lang, lying.head
    stage = say(f"stage.{STAGES[head.stage]}", lang)
    place = ground.lonlat(head)
    at = say("desk.no_place", lang) if place is None else f"{place[0]:.6f}, {place[1]:.6f}"
    pairs = [
        ("reported", say("desk.ago", lang, at=ground.moment(head.reported_at),
                         age=ground.age(head.reported_at))),
        ("stage", stage),
        ("address", lying.address or say("desk.no_address", lang)),
        ("place", at),
        ("owner", ground.grid(head.owner)),
        ("rule", say(f"rule.{RULES[head.rule]}", lang)),
        *([("recorded", lying.recorded)] if lying.recorded else []),
    ]  # fmt: skip
    line_m = ground.line_m(head)
    if line_m is not None:
        pairs.append(("line", say("desk.metres", lang, n=numbers.decimal(line_m))))
    if head.distance_mm > 0:
        key = "nearest" if head.owner == NOBODY else "distance"
        pairs.append((key, say("desk.metres", lang, n=numbers.decimal(head.distance_mm / 1000))))
    if head.owner_at_event != head.owner:
        pairs.append(("owner_at_event", ground.grid(head.owner_at_event)))
    return html.Dl(
        className="pairs",
        children=[
            item
            for key, text in pairs
            for item in (html.Dt(say(f"desk.fact_{key}", lang)), html.Dd(text))
        ],
    )


def _dispute(dispute: Dispute, ground: DeskGround) -> html.Section:
    lang, raised = ground.lang, dispute.raised
    lines: list[Any] = [
        html.H3(say("desk.dispute_open", lang, age=ground.age(raised.at))),
        html.P(
            say(
                "desk.dispute_between",
                lang,
                held=ground.grid(raised.held),
                proposed=ground.grid(dispute.proposed),
            )
        ),
        _said(raised, ground),
    ]
    if dispute.answer is not None:
        lines.append(_said(dispute.answer, ground))
    return html.Section(lines, className="desk-dispute")


def _said(one: Decision, ground: DeskGround) -> html.Blockquote:
    who = say("desk.said", ground.lang, post=one.post, at=ground.moment(one.at))
    return html.Blockquote([html.P(one.reason), html.Footer(who)])


def _decisions(decisions: list[Decision], ground: DeskGround) -> html.Div:
    lang = ground.lang
    if not decisions:
        return html.Div(html.P(say("desk.no_decisions", lang), className="quiet small"))
    return html.Div(
        [
            html.H3(say("desk.decisions", lang, n=len(decisions))),
            html.Ol(
                [
                    html.Li(
                        [html.Strong(describe_decision(one, ground)), _said(one, ground)],
                    )
                    for one in reversed(decisions)
                ],
                className="desk-decisions",
            ),
        ]
    )


def describe_decision(one: Decision, ground: DeskGround) -> str:
    """Return a decision as one line: what, and for which grid."""
    grid = "" if one.grid is None else ground.grid(one.grid)
    return say(f"decision.{one.what}", ground.lang, grid=grid)
