"""The form of a decision: what may be done with a case, for whom, and where it would fall."""

from __future__ import annotations

from typing import Any

from dash import dcc, html

from dashboard.desk.ground import DeskGround
from dashboard.parts import numbers
from geodata.access.scope import Scope
from geodata.desk.acts import ACT, DECIDE, LONGEST_REASON, What
from geodata.desk.decisions import Standing
from geodata.desk.trays import Lying
from geodata.drawings import NOBODY, OwnerOn
from geodata.words import Lang, say

COARSE_PIXEL_M = 2.0  # a hand that shakes by a few pixels may then set the pin across a street


def draw() -> html.Form:
    """Return the form, its words still empty; it keeps what is typed while the case is redrawn."""
    return html.Form(
        id="form",
        hidden=True,
        children=[
            html.H3(id="form-title"),
            dcc.RadioItems(id="what", className="segments"),
            html.P(id="hint", className="quiet small"),
            html.Div(
                id="code-row",
                children=[
                    html.Label(id="code-title", htmlFor="code"),
                    dcc.Input(id="code", type="text", debounce=0.4, maxLength=40, value=""),
                ],
            ),
            html.Div(id="preview", role="status"),
            html.Label(id="reason-title", htmlFor="reason"),
            dcc.Textarea(id="reason", maxLength=LONGEST_REASON, value=""),
            html.Div(
                className="desk-save",
                children=[
                    html.Button(id="save", className="tool strong", type="button", disabled=True),
                    html.Span(id="said", role="alert"),
                ],
            ),
        ],
    )


def list_acts(lying: Lying, scope: Scope) -> list[What]:
    """Return what an account may do with a case, the likeliest first."""
    head, standing = lying.head, lying.standing
    own = scope.everything if head.owner == NOBODY else scope.allows(head.owner)
    may_act = ACT in scope.permissions
    if standing.dispute is not None:
        return _list_dispute_acts(lying, scope)
    acts: list[What] = []
    if not (own and may_act):
        return acts
    if head.owner == NOBODY:
        acts += ["pin", "owner"]
    else:
        acts += ["owner", "pin", "dispute"]
    if standing.owner is not None:
        acts.append("owner_withdrawn")
    if standing.pin is not None:
        acts.append("pin_withdrawn")
    return acts


def _list_dispute_acts(lying: Lying, scope: Scope) -> list[What]:
    dispute = lying.standing.dispute
    assert dispute is not None
    owner = lying.head.owner
    decides = owner != NOBODY and scope.allows(owner) and scope.allows(dispute.proposed)
    acts: list[What] = []
    if DECIDE in scope.permissions and decides:
        acts.append("decided")
    if ACT in scope.permissions:
        if scope.allows(dispute.proposed):
            acts.append("answer")
        if scope.allows(dispute.raised.held):
            acts.append("dispute_withdrawn")
    return acts


def options(acts: list[What], lang: Lang) -> list[dict[str, Any]]:
    """Return the acts to choose from."""
    return [{"value": what, "label": say(f"desk.act_{what}", lang)} for what in acts]


def draw_choices(
    standing: Standing, owner: int, ground: DeskGround, *, chosen: int | None
) -> list[Any]:
    """Return a button for each party of a dispute: who decides need type no code."""
    dispute = standing.dispute
    if dispute is None:
        return []
    parties = (("held", owner), ("proposed", dispute.proposed))
    return [
        html.Button(
            say(f"desk.choose_{name}", ground.lang, grid=ground.grid(uid)),
            id={"take": ground.code(uid)},
            className="tool desk-choice",
            type="button",
            **{"aria-pressed": "true" if uid == chosen else "false"},
        )
        for name, uid in parties
    ]


def draw_pin(
    found: OwnerOn, ground: DeskGround, *, allowed: bool, pixel_m: float | None
) -> list[Any]:
    """
    Return which grid a pin would fall into, by which rule, and how far from the line.

    `pixel_m` is how many metres one pixel of the map was when it was clicked, None where unknown.
    """
    lang = ground.lang
    if found.uid == NOBODY:
        metres = numbers.decimal(found.distance_m, 0)
        return [html.Strong(say("desk.pin_nobody", lang, metres=metres), className="warn")]
    lines: list[Any] = [
        html.Span(say("desk.pin_falls", lang)),
        html.Strong(ground.grid(found.uid)),
        html.Span(ground.path(found.uid), className="quiet small"),
        html.Span(
            say(
                "desk.pin_why",
                lang,
                rule=say(f"rule.{found.rule}", lang),
                metres=numbers.decimal(found.line_m),
            ),
            className="quiet",
        ),
    ]
    if pixel_m is not None and pixel_m > COARSE_PIXEL_M:
        metres = numbers.decimal(pixel_m, 0)
        lines.append(html.Span(say("desk.pin_coarse", lang, metres=metres), className="warn"))
    if found.near_line:
        limit = numbers.decimal(ground.city.settings.near_line_m, 0)
        lines.append(html.Span(say("desk.pin_near", lang, metres=limit), className="warn"))
    if not allowed:
        lines.append(html.Span(say("desk.pin_outside", lang), className="warn"))
    return lines


def draw_grid(uid: int, ground: DeskGround, *, what: str, allowed: bool) -> list[Any]:
    """Return which grid is chosen, and a warning where it is another's."""
    lang = ground.lang
    lines: list[Any] = [
        html.Span(say("desk.grid_chosen", lang)),
        html.Strong(ground.grid(uid)),
        html.Span(ground.path(uid), className="quiet"),
    ]
    if not allowed and what != "dispute":
        lines.append(html.Span(say("desk.pin_outside", lang), className="warn"))
    return lines
