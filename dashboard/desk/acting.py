"""The callbacks of the desk that act: a place picked, its grid said beforehand, a wish saved."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, get_args

import numpy as np
from dash import ALL, Dash, Input, Output, State, ctx, html, no_update

from dashboard.desk import act_form
from dashboard.desk.ground import DeskGround, read_desk_ground
from dashboard.desk.readings import (
    Picked,
    Place,
    Seen,
    measure_pixel,
    read_lang,
    read_picked,
    read_place,
    read_seen,
    read_text,
)
from dashboard.guard import current_scope, guarded
from dashboard.services import Services
from geodata.access.scope import Scope
from geodata.coordinates import lonlat_crs, to_metric
from geodata.desk.acts import NEEDS_GRID, What, Wish, decide, preview_pin
from geodata.desk.trays import Lying, open_lying
from geodata.errors import BadSetting, Fault, GetuError
from geodata.words import Lang, say

LONGEST_CODE, LONGEST_TEXT = 40, 5_000


@dataclass(frozen=True, slots=True, kw_only=True)
class _Foreseen:
    """What an act would do: in words, which grid the map outlines, and whether it may be saved."""

    said: list[Any]
    selected: int
    ready: bool


def add_callbacks(app: Dash, services: Services) -> None:
    """Give the desk the callbacks of its form."""
    _add_picking(app, services)
    _add_preview(app, services)
    _add_saving(app, services)


def _add_picking(app: Dash, services: Services) -> None:
    @app.callback(
        Output("pin", "data"),
        Output("code", "value"),
        Input("map", "clicked"),
        Input({"take": ALL}, "n_clicks"),
        Input("seen", "data"),
        State("what", "value"),
        State("pin", "data"),
        State("map", "viewport"),
        prevent_initial_call=True,
    )
    @guarded("read.rows", logs="")
    def pick(*raw: Any) -> tuple[Any, Any]:
        clicked, clicks, seen, what, held, viewport = raw
        case, by = read_seen(seen), ctx.triggered_id
        if case is None:
            return None, ""
        if by == "map":
            pixel_m = measure_pixel(viewport)
            return _take_place(services, case, read_place(clicked), what, pixel_m=pixel_m)
        if isinstance(by, dict):
            took = any(isinstance(n, int) and n > 0 for n in clicks or [])
            return no_update, read_text(by.get("take"), LONGEST_CODE) if took else no_update
        return _begin(case, read_picked(held))


def _take_place(
    services: Services, case: Seen, place: Place | None, what: Any, *, pixel_m: float | None
) -> tuple[Any, Any]:
    """Return the pin, or the code of the grid, at a place that was clicked."""
    if place is None:
        return no_update, no_update
    if what == "pin":
        picked = Picked(inc=case.inc, place=place, revision=case.revision, pixel_m=pixel_m)
        return picked.as_json(), no_update
    try:
        found = preview_pin(services.city, *_to_mm(services, place), now=services.now())
    except GetuError:
        return no_update, ""
    return no_update, found.code


def _begin(case: Seen, held: Picked | None) -> tuple[Any, Any]:
    """Return an empty pin and code for a case just opened or decided; else what is there."""
    if held is not None and (held.inc, held.revision) == (case.inc, case.revision):
        return no_update, no_update
    return Picked(inc=case.inc, place=None, revision=case.revision).as_json(), ""


def _add_preview(app: Dash, services: Services) -> None:
    @app.callback(
        Output("hint", "children"),
        Output("preview", "children"),
        Output("marks", "data"),
        Output("map", "selected"),
        Output("save", "disabled"),
        Output("code-row", "hidden"),
        Input("what", "value"),
        Input("pin", "data"),
        Input("code", "value"),
        Input("seen", "data"),
        Input("lang", "data"),
        prevent_initial_call=True,
    )
    @guarded("read.rows", logs="")
    def preview(what: Any, pin: Any, code: Any, seen: Any, lang: Any) -> tuple[Any, ...]:
        case, spoken, scope = read_seen(seen), read_lang(lang), current_scope()
        picked = read_picked(pin)
        if case is None:
            return "", [], {"now": None, "pin": None}, None, True, True
        place = picked.place if picked is not None and picked.inc == case.inc else None
        marks = {"now": case.place, "pin": place if what == "pin" else None}
        with services.city.database.read() as connection:
            ground = read_desk_ground(connection, services.city, lang=spoken, now=services.now())
            lying = open_lying(connection, scope, case.inc)
        if what not in get_args(What):
            return "", [], marks, lying.head.owner, True, True
        if what == "pin":
            pixel_m = picked.pixel_m if picked else None
            found = _foresee_pin(services, place, lying, ground, scope, pixel_m=pixel_m)
        elif what in NEEDS_GRID:
            found = _foresee_grid(what, read_text(code, LONGEST_CODE), lying, ground, scope)
        else:
            found = _Foreseen(said=[], selected=lying.head.owner, ready=True)
        hint = say(f"desk.hint_{what}", spoken)
        return hint, found.said, marks, found.selected, not found.ready, what not in NEEDS_GRID


def _foresee_pin(
    services: Services,
    place: Place | None,
    lying: Lying,
    ground: DeskGround,
    scope: Scope,
    *,
    pixel_m: float | None,
) -> _Foreseen:
    if place is None:
        return _Foreseen(said=[], selected=lying.head.owner, ready=False)
    try:
        found = preview_pin(services.city, *_to_mm(services, place), now=services.now())
    except GetuError as error:
        said = [html.Span(error.sentence(ground.lang), className="warn")]
        return _Foreseen(said=said, selected=lying.head.owner, ready=False)
    allowed = scope.everything or scope.allows(found.uid)
    said = act_form.draw_pin(found, ground, allowed=allowed, pixel_m=pixel_m)
    return _Foreseen(said=said, selected=found.uid, ready=allowed)


def parties_of(lying: Lying) -> set[int]:
    """Return the uids of the grids of a dispute that is open; none without one."""
    dispute = lying.standing.dispute
    return set() if dispute is None else {lying.head.owner, dispute.proposed}


def _foresee_grid(
    what: str, code: str, lying: Lying, ground: DeskGround, scope: Scope
) -> _Foreseen:
    uid = ground.find(code)
    said = act_form.draw_choices(lying.standing, lying.head.owner, ground, chosen=uid)
    if uid is not None:
        allowed = what == "dispute" or scope.allows(uid)
        if uid not in parties_of(lying):
            said += act_form.draw_grid(uid, ground, what=what, allowed=allowed)
        return _Foreseen(said=said, selected=uid, ready=allowed)
    if code:
        fault = Fault(key="decision_code_unknown", values={"code": code})
        said.append(html.Span(fault.sentence(ground.lang), className="warn"))
    return _Foreseen(said=said, selected=lying.head.owner, ready=False)


def _add_saving(app: Dash, services: Services) -> None:
    @app.callback(
        Output("said", "children"),
        Output("said", "className"),
        Output("saved", "data"),
        Output("reason", "value"),
        Input("save", "n_clicks"),
        State("what", "value"),
        State("pin", "data"),
        State("code", "value"),
        State("reason", "value"),
        State("seen", "data"),
        State("lang", "data"),
        prevent_initial_call=True,
    )
    @guarded("read.rows", writes="decision")  # `decide` asks for the permission of the act
    def save(clicks: Any, *raw: Any) -> tuple[Any, ...]:
        lang = read_lang(raw[-1])
        if not clicks:
            return "", "", no_update, no_update
        try:
            wish = _read_wish(services, *raw[:-1], lang=lang)
            made = decide(services.city, current_scope(), wish, now=services.now())
        except GetuError as error:
            return error.sentence(lang), "warn", no_update, no_update
        with services.city.database.read() as connection:
            ground = read_desk_ground(connection, services.city, lang=lang, now=services.now())
        done = say(f"desk.done_{wish.what}", lang, grid=ground.grid(made.head.owner))
        return done, "done", made.revision, ""


def _read_wish(
    services: Services, what: Any, pin: Any, code: Any, reason: Any, seen: Any, *, lang: Lang
) -> Wish:
    """Return what the form asks for; raises BadSetting for what is no case and no grid."""
    case, picked, typed = read_seen(seen), read_picked(pin), read_text(code, LONGEST_CODE)
    if case is None:
        raise BadSetting(Fault(key="decision_unknown"))
    x_mm = y_mm = grid = None
    if what == "pin" and picked is not None and picked.place and picked.inc == case.inc:
        x_mm, y_mm = _to_mm(services, picked.place)
    if what in get_args(What) and what in NEEDS_GRID and typed:
        with services.city.database.read() as connection:
            ground = read_desk_ground(connection, services.city, lang=lang, now=services.now())
        grid = ground.find(typed)
        if grid is None:
            raise BadSetting(Fault(key="decision_code_unknown", values={"code": typed}))
    return Wish(
        source=case.source,
        incident_id=case.incident_id,
        what=read_text(what, LONGEST_CODE),
        reason=read_text(reason, LONGEST_TEXT),
        seen=case.revision,
        grid=grid,
        x_mm=x_mm,
        y_mm=y_mm,
    )


def _to_mm(services: Services, place: Place) -> tuple[float, float]:
    """Return a place in degrees as millimetres of the city's plane."""
    x_m, y_m = to_metric([place[0]], [place[1]], lonlat_crs(), services.city.crs)
    return float(np.rint(x_m[0] * 1000)), float(np.rint(y_m[0] * 1000))
