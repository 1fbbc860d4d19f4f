"""The page of a case: its whole story on one sheet, for the screen and for paper."""

from __future__ import annotations

from itertools import pairwise
from typing import Any

import pandas as pd
from flask import Flask, Response

from dashboard import trail
from dashboard.desk.case_panel import describe_decision
from dashboard.desk.ground import DeskGround, read_desk_ground
from dashboard.guard import current_scope, guarded
from dashboard.parts import numbers
from dashboard.plain import draw_plain, find_page_lang
from dashboard.services import Services
from geodata.desk.case_context import Earlier, find_earlier, link_case, measure_spent
from geodata.desk.cases import Case, Deadline, Owner, read_case
from geodata.desk.responsibility import find_responsible
from geodata.errors import NotFound
from geodata.events.clock import STATES, UNITS
from geodata.events.sources import name_source
from geodata.store.database import Connection
from geodata.store.records import read_records
from geodata.words import Lang, say

_MINUTE_S, _HOUR_S, _DAY_S = 60, 3_600, 86_400
# What we hear of later than this after it happened stands out in the story.
LATE_S = 600


def add_case_page(server: Flask, services: Services) -> None:
    """Add `/case/<source>/<incident_id>` below the base path."""
    city = services.city

    @guarded("read.rows", logs="view.case")
    def case(source: str, incident_id: str) -> Response:
        lang, scope, now = find_page_lang(), current_scope(), services.now()
        with city.database.read() as connection:
            ground = read_desk_ground(connection, city, lang=lang, now=now)
            try:
                found = read_case(connection, city, scope, source, incident_id, now=now)
            except NotFound as error:
                trail.show(n=0)
                trail.note_refusal(scope)
                said = error.sentence(lang)
                return draw_plain("case_missing.html", status=404, said=said)
            earlier = find_earlier(connection, scope, found)
            kinds = read_records(connection, "kinds", at=now).set_index("id")
            answering = _describe_answering(connection, found, ground, kinds)
        uid = None if found.owner.uid < 0 else found.owner.uid
        trail.show(target=f"{source}/{incident_id}", grid=uid)
        return draw_plain(
            "case.html",
            **describe_case(found, ground),
            limit=_name_limit(kinds, found, lang),
            answering=answering,
            spent=_describe_spent(found, ground),
            earlier=[_describe_earlier(one, ground) for one in earlier],
            link=link_case(city.settings.case_link, source, incident_id),
        )

    server.add_url_rule(f"{services.base_path}/case/<source>/<path:incident_id>", "getu_case", case)


def describe_case(case: Case, ground: DeskGround) -> dict[str, Any]:
    """Return what the page says, in words and in the city's own time."""
    lang, head = ground.lang, case.head
    place = ground.lonlat(head)
    return {
        "source": head.source,
        "source_name": name_source(head.source, lang),
        "incident_id": head.incident_id,
        "kind": case.kind_names.get(lang, head.kind) or say("desk.no_kind", lang),
        "state": STATES[case.deadline.state] if head.open else "closed",
        "state_name": _name_state(case, lang),
        "address": case.address or say("desk.no_address", lang),
        "place": "" if place is None else f"{place[0]:.6f}, {place[1]:.6f}",
        "notes": [say(f"case.{name}", lang) for name in _notes(case)],
        "owners": _describe_owners(case, ground),
        "rule": say(f"rule.{case.rule}", lang),
        "rule_why": say(f"rule_why.{case.rule}", lang),
        "agrees": case.agrees,
        "differs": _explain_difference(case, lang),
        "deadline": _describe_deadline(case.deadline, ground),
        "legs": _describe_legs(case, lang),
        "story": _tell(case, ground),
        "as_of": say("case.as_of", lang, at=ground.moment(ground.now), revision=case.revision),
    }


def measure_time(seconds: int, lang: Lang) -> str:
    """Return a length of time in its largest unit and the next: 1 day 3 h, 1 day, 4 min 10 s."""
    units = ((_DAY_S, "days"), (_HOUR_S, "hours"), (_MINUTE_S, "minutes"), (1, "seconds"))
    for (size, key), (smaller, its_key) in pairwise(units):
        n, rest = divmod(seconds, size)
        if n:
            more = rest // smaller
            return say(f"time.{key}", lang, n=n) + (
                f" {say(f'time.{its_key}', lang, n=more)}" if more else ""
            )
    return say("time.seconds" if seconds else "time.minutes", lang, n=seconds)


def _name_state(case: Case, lang: Lang) -> str:
    return say(f"case.state_{STATES[case.deadline.state]}", lang)


def _notes(case: Case) -> list[str]:
    """Return what a reader must know before believing the rest."""
    found = {
        "conflict": case.conflict,
        "disorder": case.disorder,
        "returned": case.returned > 0,
        "reopened": case.reopened > 0,
        "extended": any(event.stage == "extended" for event in case.events),
        "disputed": case.standing.dispute is not None,
    }
    return [name for name, is_so in found.items() if is_so]


def _describe_owners(case: Case, ground: DeskGround) -> list[dict[str, str]]:
    """Return the owners side by side: ours today, ours on its day, and the source's own."""
    lang = ground.lang
    rows = [_owner("now", case.owner, ground), _owner("at_event", case.owner_at_event, ground)]
    recorded = case.recorded or say("case.not_recorded", lang)
    named = {"title": say("case.owner_recorded", lang), "grid": recorded, "more": "", "code": ""}
    return [*rows, named]


def _owner(name: str, owner: Owner, ground: DeskGround) -> dict[str, str]:
    lang = ground.lang
    grid = say("desk.nobody", lang)
    more = ""
    if owner.uid >= 0:
        grid = say("desk.grid", lang, name=owner.name, code=owner.code)
        more = owner.path
        if owner.line_m is not None:
            metres = numbers.decimal(owner.line_m)
            more = say("case.owner_more", lang, path=owner.path, metres=metres)
    return {
        "title": say(f"case.owner_{name}", lang),
        "grid": grid,
        "more": more,
        "code": owner.code if name == "now" else "",  # of an older drawing's grid there is no page
    }


def _name_limit(kinds: pd.DataFrame, case: Case, lang: Lang) -> str:
    """Return what the table of kinds gives a case whose source gave a deadline; else nothing."""
    columns = {"limit", "limit_unit"}
    if case.deadline.by != "source" or case.head.kind not in kinds.index or columns - set(kinds):
        return ""
    row = kinds.loc[case.head.kind]
    if pd.isna(row["limit"]) or row["limit_unit"] not in UNITS:
        return ""
    unit = say(f"case.unit_{row['limit_unit']}", lang, n=f"{float(row['limit']):g}")
    return say("case.due_kind", lang, limit=unit)


def _describe_answering(
    connection: Connection, case: Case, ground: DeskGround, kinds: pd.DataFrame
) -> dict[str, str]:
    """Return the body that answers for this kind of case here, and what says so."""
    lang = ground.lang
    if ground.drawn is None:
        return {"body": say("desk.nobody", lang), "why": say("street.why_nobody", lang)}
    found = find_responsible(
        ground.drawn.system,
        None if case.owner.uid < 0 else case.owner.uid,
        case.head.kind,
        matrix=read_records(connection, "matrix", at=ground.now),
        kinds=kinds,
    )
    return {
        "body": ground.body(found.body) if found.body else say("desk.nobody", lang),
        "why": say(f"street.why_{found.why}", lang, by=found.by),
    }


def _describe_deadline(deadline: Deadline, ground: DeskGround) -> dict[str, Any]:
    """Return the deadline and every step of how it came about."""
    lang = ground.lang
    if deadline.by == "none":
        return {"due": say("case.due_none", lang), "steps": [], "left": ""}
    steps = [say("case.due_source", lang)]
    if deadline.by == "limit":
        unit = say(f"case.unit_{deadline.unit}", lang, n=f"{deadline.limit:g}")
        steps = [say("case.due_limit", lang, limit=unit, since=ground.moment(deadline.clock_from))]
    if deadline.suspended_s:
        span = measure_time(deadline.suspended_s, lang)
        steps.append(say("case.due_suspended", lang, span=span))
    if deadline.suspended_since:
        since = ground.moment(deadline.suspended_since)
        steps.append(say("case.due_stands", lang, since=since))
    if deadline.guessed:
        steps.append(say("case.due_guessed", lang))
    left = deadline.due_at - ground.now
    key = "case.due_left" if left >= 0 else "case.due_over"
    open_states = ("safe", "amber", "red")
    said = say(key, lang, span=measure_time(abs(left), lang))
    return {
        "due": ground.moment(deadline.due_at),
        "steps": steps,
        "left": said if STATES[deadline.state] in open_states else "",
    }


def _explain_difference(case: Case, lang: Lang) -> str:
    """Return why the source's grid may differ from ours; empty where they agree."""
    if case.agrees is not False:
        return ""
    if case.head.x is None:
        return say("case.differs_no_place", lang)
    if case.recorded_m is None:
        return say("case.differs_unknown", lang, code=case.recorded)
    metres = numbers.decimal(case.recorded_m)
    key = "near" if case.head.near_line else "moved" if _has_moved(case) else "far"
    return say(f"case.differs_{key}", lang, metres=metres)


def _has_moved(case: Case) -> bool:
    """Tell whether the lines were drawn anew since: the source's grid was ours on that day."""
    return case.recorded == case.owner_at_event.code


def _describe_spent(case: Case, ground: DeskGround) -> list[dict[str, Any]]:
    """Return where the time went by stage and body, each with its share of the longest."""
    spent = measure_spent(case, now=ground.now)
    longest = max((one.seconds for one in spent), default=0)
    return [
        {
            "stage": say(f"stage.{one.stage}", ground.lang),
            "body": ground.body(one.body) if one.body else "–",
            "span": measure_time(one.seconds, ground.lang),
            "share": round(100 * one.seconds / longest) if longest else 0,
            "running": one.running,
        }
        for one in spent
    ]


def _describe_earlier(one: Earlier, ground: DeskGround) -> dict[str, str]:
    return {
        "source": one.source,
        "id": one.incident_id,
        "at": ground.moment(one.decision.at),
        "what": describe_decision(one.decision, ground),
        "reason": one.decision.reason,
        "post": one.decision.post,
    }


def _describe_legs(case: Case, lang: Lang) -> list[dict[str, Any]]:
    """Return the time used between the steps, each with its share of the longest."""
    longest = max((leg.seconds for leg in case.legs), default=0)
    return [
        {
            "name": say(
                "case.leg",
                lang,
                since=say(f"stage.{leg.since}", lang),
                until=say(f"stage.{leg.until}", lang),
            ),
            "span": measure_time(leg.seconds, lang),
            "share": round(100 * leg.seconds / longest) if longest else 0,
        }
        for leg in case.legs
    ]


def _tell(case: Case, ground: DeskGround) -> list[dict[str, Any]]:
    """Return events and decisions as one story, by time."""
    lang = ground.lang
    rows: list[tuple[int, int, dict[str, Any]]] = []
    for place, event in enumerate(case.events):
        more = [event.reason]
        if event.due_at:
            more.append(say("case.told_due", lang, at=ground.moment(event.due_at)))
        if event.live and event.late_s > LATE_S:
            more.append(say("case.told_late", lang, span=measure_time(event.late_s, lang)))
        if event.rivals:
            more.append(say("case.told_rivals", lang, n=event.rivals, version=event.version))
        told = {
            "at": ground.moment(event.at),
            "heard": say("case.told_heard", lang, at=ground.moment(event.received_at)),
            "what": say(f"stage.{event.stage}", lang),
            "who": ground.body(event.body),
            "more": [text for text in more if text],
            "ours": False,
        }
        rows.append((event.at, place, told))
    for place, one in enumerate(case.decisions, start=len(rows)):
        told = {
            "at": ground.moment(one.at),
            "heard": "",
            "what": describe_decision(one, ground),
            "who": one.post,
            "more": [one.reason],
            "ours": True,
        }
        rows.append((one.at, place, told))
    return [told for _, _, told in sorted(rows, key=lambda row: row[:2])]
