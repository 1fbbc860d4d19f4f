"""The planner's routes: a gesture in, the grids it changed out; the same readings for approvers."""

from __future__ import annotations

from datetime import date
from typing import Any

from flask import Flask, Response, request

from dashboard.guard import current_scope, guarded
from dashboard.planner.answering import (
    APPROVE,
    PLAN,
    Handler,
    answering,
    as_json,
    read_body,
    read_lang,
    read_text,
)
from dashboard.planner.arrivals import make_arrival
from dashboard.planner.bench import Bench, tell_changes, tell_plan
from dashboard.planner.cuts import make_preview
from dashboard.planner.ground import draw_frame
from dashboard.planner.handed import make_pieces
from dashboard.planner.papers import make_papers
from dashboard.planner.past import make_past_readings, make_roll_back
from dashboard.services import Services
from dashboard.trail import show
from geodata.errors import BadSetting, Fault, NotAllowed
from geodata.plans.blocks import USUAL_WEIGHTS
from geodata.plans.checks import find_faults
from geodata.plans.city_walls import list_walls, raise_walls
from geodata.plans.history import list_drawings
from geodata.plans.impact import measure_impact
from geodata.plans.merging import merge_plans
from geodata.plans.plan import (
    approve_plan,
    drop_plan,
    make_plan,
    parse_effective,
    return_plan,
)
from geodata.plans.publish import finish_drawing, publish_plan
from geodata.plans.renumber import make_renumbering
from geodata.plans.submission import hand_in
from geodata.plans.workshop import Workpiece, find_plan
from geodata.redraw.drafting import propose_for_draft, write_edits
from geodata.redraw.proposals import KINDS, Proposals
from geodata.store.plans import list_plans, read_acts, read_edits
from geodata.words import say

_MOST_EDITS = 50
_DIGITS = 16  # of a grid's uid


def add_planner(server: Flask, services: Services) -> None:
    """Add `/planner/plans…` for planners, `/planner/review…` for approvers, below the base path."""
    bench = Bench(services)
    base = services.base_path
    readings = {**_make_readings(bench), **make_past_readings(bench), **make_papers(bench)}
    for wanted, prefix in ((PLAN, "plans"), (APPROVE, "review")):
        for name, (rule, handler) in readings.items():
            view = answering(guarded(wanted, logs="view.plan")(handler))
            server.add_url_rule(
                f"{base}/planner/{prefix}{rule}", f"getu_planner_{prefix}_{name}", view
            )
        act = answering(guarded(wanted, writes="plan.act")(_make_act(bench)))
        server.add_url_rule(
            f"{base}/planner/{prefix}/<int:number>/act", f"getu_planner_{prefix}_act", act,
            methods=["POST"],
        )  # fmt: skip
        back = answering(guarded(APPROVE, writes="plan.act")(make_roll_back(bench)))
        server.add_url_rule(
            f"{base}/planner/{prefix}/rollback", f"getu_planner_{prefix}_rollback", back,
            methods=["POST"],
        )  # fmt: skip
    for name, (rule, handler, acts) in _make_writings(bench).items():
        declared = {"writes": acts} if acts else {"logs": "view.plan"}
        view = answering(guarded(PLAN, **declared)(handler))
        server.add_url_rule(
            f"{base}/planner/plans{rule}", f"getu_planner_{name}", view, methods=["POST"]
        )


def _make_readings(bench: Bench) -> dict[str, tuple[str, Handler]]:
    city = bench.city

    def frame() -> Response:
        show(n=0)
        return as_json(draw_frame(bench.services, read_lang()))

    def plans() -> Response:
        told = _tell_plans(bench)
        show(n=max(len(told["plans"]), 1))
        return as_json(told)

    def draft(number: int) -> Response:
        piece = bench.open(number)
        show(target=str(number), n=len(piece.draft.grids))
        with piece.lock:
            told = bench.describe(piece, current_scope(), read_lang())
        with city.database.read() as connection:
            acts = read_acts(connection, number)
        told["walls"] = list_walls(city, now=bench.services.now())
        told["acts"] = [
            {"at": one.at, "account": one.account, "what": say(f"plan.did_{one.what}", read_lang())}
            for one in acts
        ]
        return as_json(told)

    def news(number: int) -> Response:
        piece = bench.open(number)
        show(n=0)
        return as_json(_tell_news(bench, piece, seen=_whole_number("after")))

    def blocks(number: int) -> Response:
        piece = bench.open(number)
        show(n=0)
        shapes = [] if piece.draft.blocks is None else list(piece.draft.blocks.shapes)
        features = [
            {"type": "Feature", "id": row, "properties": {}, "geometry": shape.__geo_interface__}
            for row, shape in enumerate(bench.to_degrees(shapes) if shapes else [])
        ]
        return as_json({"type": "FeatureCollection", "features": features})

    def impact(number: int) -> Response:
        piece = bench.open(number)
        with piece.lock:
            found = measure_impact(piece.draft, piece.holdings, piece.base)
            faults = find_faults(city, piece, finish_drawing(city, piece).grids)
        scope, told = current_scope(), found.as_json()
        told["flows"] = [
            flow.as_json()
            for flow in found.flows
            if bench.sees(piece, flow.from_uid, scope) or bench.sees(piece, flow.to_uid, scope)
        ]
        if not scope.everything:
            told["total"] = None
        told["faults"] = [fault.sentence(read_lang()) for fault in faults]
        show(target=str(number), n=max(len(found.flows), 1))
        return as_json(told)

    def kinds(number: int) -> Response:
        piece, scope = bench.open(number), current_scope()
        uid = _whole_number("grid")
        with piece.lock:
            if uid not in piece.draft.grids or not bench.sees(piece, uid, scope):
                raise NotAllowed(Fault(key="plan_outside"))
            found = piece.holdings.count_kinds(uid)
        show(target=str(number), n=len(found))
        sight = bench.services.pictures.newest(scope)
        names = {} if sight is None else sight.kind_names(read_lang())
        most = sorted(found.items(), key=lambda one: (-one[1][0], one[0]))
        rows = [
            {"name": names.get(kind) or "–", "cases": cases, "open_cases": still}
            for kind, (cases, still) in most
        ]
        return as_json({"grid": uid, "kinds": rows})

    return {
        "kinds": ("/<int:number>/kinds", kinds),
        "frame": ("/frame", frame),
        "list": ("", plans),
        "draft": ("/<int:number>/draft", draft),
        "news": ("/<int:number>/news", news),
        "blocks": ("/<int:number>/blocks", blocks),
        "impact": ("/<int:number>/impact", impact),
        "pieces": ("/<int:number>/pieces", make_pieces(bench)),
    }


def _tell_plans(bench: Bench) -> dict[str, Any]:
    """Return every plan, and the drawings beside the one in force that a new one may start from."""
    with bench.city.database.read() as connection:
        found = list_plans(connection)
    force = bench.services.grids()
    starts = [
        {"drawing": row.drawing, "state": row.state, "since": row.valid_from}
        for row in list_drawings(bench.city)
        if force and row.system == force.system and row.drawing != force.drawing
    ]
    return {"plans": [tell_plan(plan) for plan in found], "starts": starts}


def _tell_news(bench: Bench, piece: Workpiece, *, seen: int) -> dict[str, Any]:
    """Return where a plan stands: who drew what on it since a line, and what other plans touch."""
    came = []
    if 0 <= seen < piece.seq:
        with bench.city.database.read() as connection:
            came = read_edits(connection, piece.plan.plan, after=seen)
    return {
        "seq": piece.seq,
        "state": piece.plan.state,
        "others": bench.others(piece),
        "by": sorted({line.account for line in came}),
        "uids": sorted({uid for line in came for uid in line.touched}),
    }


def _make_writings(bench: Bench) -> dict[str, tuple[str, Handler, str]]:
    def new() -> Response:
        body = read_body()
        start = body.get("from")
        plan = make_plan(
            bench.city,
            current_scope(),
            name=read_text(body, "name"),
            start=start if isinstance(start, int) and not isinstance(start, bool) else None,
            reason=read_text(body, "reason"),
            document=read_text(body, "document"),
            points=bench.workshop.points,
            now=bench.services.now(),
        )
        return as_json(tell_plan(plan))

    def edit(number: int) -> Response:
        body = read_body()
        given = body.get("edits") if isinstance(body.get("edits"), list) else [body.get("edit")]
        if not given or len(given) > _MOST_EDITS:
            raise BadSetting(Fault(key="plan_line"))
        edits = [bench.to_metres(one) for one in given]
        return as_json(_edit(bench, number, edits, body.get("seen")))

    def propose(number: int) -> Response:
        body = read_body()
        piece = bench.open(number)
        show(n=0)
        with piece.lock:
            found = _propose(bench, piece, body)
        told = found.as_json()
        for plan in told["plans"]:
            plan["title"] = say(f"plan.proposal_{plan['kind']}", read_lang())
        return as_json(told)

    def take(number: int) -> Response:
        body = read_body()
        kind = body.get("kind")
        if kind not in KINDS:
            raise BadSetting(Fault(key="plan_line"))
        piece = bench.open(number)
        with piece.lock:
            found = _propose(bench, piece, body)
            piece.draft.next_uid = piece.own_uid
            edits = write_edits(piece.draft, found.plan(kind))
        return as_json(_edit(bench, number, edits, piece.seq))

    def merge(number: int) -> Response:
        other = read_body().get("other")
        if not isinstance(other, int) or isinstance(other, bool):
            raise BadSetting(Fault(key="plan_line"))
        merged = merge_plans(
            bench.city, bench.workshop, current_scope(), number, other, now=bench.services.now()
        )
        return as_json(
            {
                "applied": merged.applied,
                "both": len(merged.both),
                "refused": [
                    {
                        "op": one["edit"]["op"],
                        "faults": [fault.sentence(read_lang()) for fault in one["faults"]],
                    }
                    for one in merged.refused
                ],
            }
        )

    def renumber() -> Response:
        name = read_text(read_body(), "name")
        plan = make_renumbering(bench.city, current_scope(), name=name, now=bench.services.now())
        return as_json(tell_plan(plan))

    return {
        "merge": ("/<int:number>/merge", merge, "plan.merged"),
        "renumber": ("/renumber", renumber, "plan.opened"),
        "new": ("/new", new, "plan.opened"),
        "edit": ("/<int:number>/edit", edit, "plan.edit"),
        "propose": ("/<int:number>/propose", propose, ""),
        "cut": ("/<int:number>/cut", make_preview(bench), ""),
        "take": ("/<int:number>/take", take, "plan.edit"),
        "arrival": ("/<int:number>/import", make_arrival(bench), "plan.edit"),
    }


def _propose(bench: Bench, piece: Workpiece, body: dict[str, Any]) -> Proposals:
    """Return three plans for what a page asks: grids in scope, band, walls. Raises BadSetting."""
    chosen = body.get("walls", {})
    if not isinstance(chosen, dict):
        raise BadSetting(Fault(key="plan_line"))
    walls = raise_walls(bench.city, chosen, now=bench.services.now())
    return propose_for_draft(
        piece.draft,
        scope=_scope_of(body),
        band=_band(body),
        walls=walls,
        weighed=piece.weigh(_weights(body)),
    )


def _edit(bench: Bench, number: int, edits: list[dict[str, Any]], seen: Any) -> dict[str, Any]:
    """Apply edits and return what the browser needs to draw and say of them."""
    scope = current_scope()
    before = bench.weigh_before(number)
    known = seen if isinstance(seen, int) and not isinstance(seen, bool) else None
    piece, changes = bench.workshop.edit(
        number, edits, scope=scope, seen=known, now=bench.services.now()
    )
    return tell_changes(bench, piece, changes, before, scope=scope, lang=read_lang())


def _make_act(bench: Bench) -> Handler:
    def act(number: int) -> Response:
        body, scope, now = read_body(), current_scope(), bench.services.now()
        city, what = bench.city, body.get("act")
        if what == "submit":
            plan = hand_in(city, scope, number, workshop=bench.workshop, now=now)
        elif what == "return":
            plan = return_plan(city, scope, number, reason=read_text(body, "reason"), now=now)
        elif what == "approve":
            plan = approve_plan(city, scope, number, effective=_day(body, bench), now=now)
        elif what == "drop":
            plan = drop_plan(city, scope, number, now=now)
        elif what == "publish":
            made = publish_plan(city, scope, number, workshop=bench.workshop, now=now)
            with city.database.read() as connection:
                plan = find_plan(connection, number)
            return as_json({**tell_plan(plan), "published": made.as_json()})
        else:
            raise BadSetting(Fault(key="plan_line"))
        return as_json(tell_plan(plan))

    return act


def _whole_number(name: str) -> int:
    """Return a number of the address, -1 where there is none."""
    given = request.args.get(name, "")
    return int(given) if given.isascii() and given.isdigit() and len(given) < _DIGITS else -1


def _day(body: dict[str, Any], bench: Bench) -> date:
    return parse_effective(
        read_text(body, "effective") or None, bench.city, now=bench.services.now()
    )


def _weights(body: dict[str, Any]) -> dict[str, float]:
    """Return the weights that a page's sliders show. Raises BadSetting."""
    given = body.get("weights", USUAL_WEIGHTS)
    if not isinstance(given, dict):
        raise BadSetting(Fault(key="plan_line"))
    if not all(
        isinstance(one, int | float) and not isinstance(one, bool) for one in given.values()
    ):
        raise BadSetting(Fault(key="plan_weights_read", field="weights"))
    return {str(name): float(weight) for name, weight in given.items()}


def _scope_of(body: dict[str, Any]) -> list[int] | None:
    given = body.get("scope")
    if given is None:
        return None
    plain = isinstance(given, list) and all(
        isinstance(uid, int) and not isinstance(uid, bool) for uid in given
    )
    if not plain or not given:
        raise BadSetting(Fault(key="plan_line"))
    return list(given)


def _band(body: dict[str, Any]) -> float:
    band = body.get("band", 0.1)
    return float(band) if isinstance(band, int | float) and not isinstance(band, bool) else 0.1
