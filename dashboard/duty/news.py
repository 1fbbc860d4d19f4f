"""What is new for the duty desk, the alarm it has open, and what it holds on the wall."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import orjson
from flask import Flask, Response, request

from dashboard import trail
from dashboard.desk import desk_map
from dashboard.guard import current_scope, guarded
from dashboard.live_api import read_wish
from dashboard.parts import numbers
from dashboard.parts.totals import sees_nothing
from dashboard.services import Services
from dashboard.wall import parts, stage
from dashboard.wall.news import Asked, describe_alarm, mark_of, read_asked, send_json, tell_hold
from geodata.access.sight import Sight
from geodata.demo.trial import is_trial
from geodata.desk.alarm_desk import AlarmList, find_alarm, list_alarms
from geodata.desk.takers import list_takers
from geodata.events.alarms import VERDICTS, Alarm
from geodata.settings import Settings
from geodata.wall.around import ring_around
from geodata.wall.scenes import hold_wall, read_hold, read_scenes
from geodata.words import Lang, parse_lang, say

MOST_SHOWN = 200
ALARMS = "duty-alarms"
MARKS = 2  # of the case desk, which stand last among its layers
_ACT = "act"
_WAITING = frozenset({"new", "escalated"})


def add_news(server: Flask, services: Services) -> None:
    """Add `/duty/news`, `/duty/alarms/<alarm>`, the alarms' places, and what holds the wall."""
    _add_reading(server, services)
    _add_steering(server, services)


def _add_reading(server: Flask, services: Services) -> None:
    city, base = services.city, services.base_path

    @guarded(_ACT, logs="view.duty")
    def news() -> Response:
        asked, now = read_asked(request.args), services.now()
        hold = read_hold(city, now=now)
        scenes = read_scenes(city, asked.lang)
        minute = now // 10  # an escalation is told within seconds
        parted = (city.database.revision(), minute, hold.hold if hold else 0, scenes.version)
        stamp = ".".join(map(str, (*parted, asked.lang)))
        trail.show(n=0)
        if stamp == asked.since:
            return Response(status=204)
        sight = services.pictures.newest(current_scope())
        found = list_alarms(city, current_scope(), now=now)
        drawn = {} if sight is None else _draw_parts(services, sight, found, asked.lang, now=now)
        fresh = {
            name: text for name, text in drawn.items() if asked.have.get(name) != mark_of(text)
        }
        if "queue" in fresh and found.alarms:
            trail.show(target="queue", n=len(found.alarms[:MOST_SHOWN]))
        return send_json(
            {
                "stamp": stamp,
                "marks": {name: mark_of(text) for name, text in drawn.items()},
                "parts": fresh,
                "map": _fresh_ground(sight, asked),
                "places": mark_of(orjson.dumps([(one.alarm, one.lon) for one in found.alarms])),
                "waiting": _list_waiting(found, now=now, settings=city.settings),
                "scenes": [one.name for one in scenes.scenes],
                "steers": current_scope().everything,
                "hold": hold and tell_hold(hold, scenes),
            }
        )

    @guarded(_ACT, logs="view.alarm")
    def alarm(alarm: int) -> Response:
        lang, now = parse_lang(request.args.get("lang")), services.now()
        found = find_alarm(city, current_scope(), alarm)
        trail.show(target=f"{found.source}/{found.incident_id}", grid=max(found.owner, 0) or None)
        sight = services.pictures.newest(current_scope())
        if sight is None:
            return send_json({"card": "", "acts": "", "view": None, "where": "", "selected": None})
        response = _read_response(sight, found.kind, lang)
        place = None if found.lon is None or found.lat is None else (found.lon, found.lat)
        plain = describe_alarm(
            found,
            sight,
            lang,
            now=now,
            services=services,
            response=response,
            rings=() if place is None else ring_around(sight, place),
        )
        plain["card"] += draw_more(found, sight, lang)
        with city.database.read() as connection:
            takers = list_takers(
                connection, city, owner=found.owner, now=now, but=current_scope().account
            )
        plain["acts"] = draw_acts(found, takers, lang, steers=current_scope().everything)
        return send_json(plain)

    @guarded(_ACT, logs="view.duty")
    def places() -> Response:
        found = list_alarms(city, current_scope(), now=services.now())
        features = [
            {
                "type": "Feature",
                "id": one.alarm,
                "properties": {"alarm": one.alarm, "level": one.run.level},
                "geometry": {"type": "Point", "coordinates": [one.lon, one.lat]},
            }
            for one in found.alarms
            if one.lon is not None
        ]
        trail.show(target="places", n=len(features))
        body = orjson.dumps({"type": "FeatureCollection", "features": features})
        return Response(body, mimetype="application/geo+json")

    for rule, name, view in (
        ("/duty/news", "news", news),
        ("/duty/alarms/<int:alarm>", "alarm", alarm),
        (f"/duty/{ALARMS}.geojson", "places", places),
    ):
        server.add_url_rule(f"{base}{rule}", f"getu_duty_{name}", view)


def _add_steering(server: Flask, services: Services) -> None:
    city = services.city

    @guarded(_ACT, writes="wall.hold")
    def hold() -> Response:
        wish = read_wish()
        what, target = (str(wish.get(name) or "") for name in ("what", "target"))
        number = hold_wall(city, current_scope(), what=what, target=target, now=services.now())
        return send_json({"hold": number})

    rule = f"{services.base_path}/duty/hold"
    server.add_url_rule(rule, "getu_duty_hold", hold, methods=["POST"])


def draw_more(alarm: Alarm, sight: Sight, lang: Lang) -> str:
    """Return what a desk is told of an alarm beyond its card: its case and its notes."""
    return parts.draw_piece(
        "duty_more.html",
        lang,
        alarm=alarm,
        notes=[_tell(note, sight.zone, lang) for note in alarm.notes],
    )


def draw_acts(alarm: Alarm, takers: Sequence[str], lang: Lang, *, steers: bool) -> str:
    """Return what a post can do about an alarm, who can take it over, and whether walls follow."""
    verdicts = [(name, say(f"duty.verdict_{name}", lang)) for name in VERDICTS]
    return parts.draw_piece(
        "duty_acts.html", lang, alarm=alarm, verdicts=verdicts, takers=takers, steers=steers
    )


def _tell(note: Any, zone: str, lang: Lang) -> dict[str, str]:
    verdict = say(f"duty.verdict_{note.verdict}", lang) if note.verdict else ""
    what = say(f"duty.did_{note.what}", lang)
    return {
        "at": numbers.moment(note.at, zone),
        "post": note.post,
        "what": what,
        "more": " · ".join(text for text in (verdict, note.to, note.text) if text),
    }


def _read_response(sight: Sight, kind: str, lang: Lang) -> list[str]:
    """
    Return what the kinds table asks to be done: its column `response`, a step a line or ;.

    In English `response_en` where the table has one.
    """
    columns = ("response_en", "response") if lang == "en" else ("response",)
    for column in columns:
        if kind in sight.kinds.index and column in sight.kinds:
            text = sight.kinds.at[kind, column]
            if isinstance(text, str) and text:
                parted = text.replace("；", ";").replace("\n", ";").split(";")
                return [step.strip() for step in parted if step.strip()]
    return []


def _draw_parts(
    services: Services, sight: Sight, found: AlarmList, lang: Lang, *, now: int
) -> dict[str, str]:
    settings = services.city.settings
    rows = [
        {
            "number": one.alarm,
            "mark": parts.ALARM_MARK[one.run.level],
            "level": one.run.level,
            "state": one.state(now=now, escalate_s=settings.alarm_escalate_s),
            "word": parts.name_state(one, now, settings, lang),
            "drill": one.drill,
            "name": parts.name_alarm(one, sight, lang),
            "grid": parts.name_grid(sight, one.owner, lang),
            "at": numbers.moment(one.run.last_at, sight.zone, with_day=False),
            "count": one.run.count,
            "by": one.acknowledged.post if one.acknowledged else "",
            "left_s": _left(one, now=now, escalate_s=settings.alarm_escalate_s),
        }
        for one in found.alarms[:MOST_SHOWN]
    ]
    queue = parts.draw_piece(
        "duty_queue.html", lang, alarms=rows, found=found, hidden=sees_nothing(sight)
    )
    return {"queue": queue}


def _left(alarm: Alarm, *, now: int, escalate_s: int) -> int | None:
    """Return the seconds until an alarm escalates, to the next ten; None where it will not."""
    if alarm.state(now=now, escalate_s=escalate_s) != "new" or alarm.drill:
        return None
    left = alarm.waits_since + escalate_s - now
    return max(-(-left // 10) * 10, 0)


def _list_waiting(found: AlarmList, *, now: int, settings: Settings) -> list[dict[str, Any]]:
    escalate_s = settings.alarm_escalate_s
    rows = [(one, one.state(now=now, escalate_s=escalate_s)) for one in found.alarms]
    return [
        {
            "alarm": one.alarm,
            "level": one.run.level,
            "state": state,
            "silent": one.drill and not is_trial(one.source, settings),
        }
        for one, state in rows
        if state in _WAITING
    ]


def _fresh_ground(sight: Sight | None, asked: Asked) -> dict[str, Any] | None:
    """Return the map's ground with its mark; None where the desk holds it."""
    ground = draw_ground(sight, asked.lang)
    mark = mark_of(orjson.dumps(ground))
    return None if asked.have.get("ground") == mark else {"mark": mark, "props": ground}


def draw_ground(sight: Sight | None, lang: Lang) -> dict[str, Any]:
    """Return the map of the desk: the city's ground, and a layer for the places of the alarms."""
    ground = stage.draw_ground(sight, lang)
    if sight is None:
        return ground
    calm = desk_map.describe(sight, lang, marks={})[:-MARKS]  # grids to stand on, without a figure
    alarms = {
        "id": ALARMS,
        "kind": "clusters",
        "title": say("wall.alarms", lang),
        "visible": True,
        "fields": [],
        "source": {"type": "geojson", "url": f"duty/{ALARMS}.geojson?v="},
        "style": {"color": stage.ALARM_COLOR, "radius": 30, "maxzoom": 15, "icon": "hazard"},
    }
    over = [one for one in ground["layers"] if one["id"] in stage.OVER]
    return {**ground, "layers": [*calm, *over, alarms], "values": desk_map.values(sight)}
