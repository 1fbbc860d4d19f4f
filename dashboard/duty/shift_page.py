"""The log of a shift on a plain page that prints: what began, what was done, what is left."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from flask import Flask, Response, request

from dashboard.guard import current_scope, guarded
from dashboard.parts import numbers
from dashboard.plain import draw_plain, find_page_lang
from dashboard.services import Services
from dashboard.trail import show
from dashboard.wall import parts
from geodata.access.sight import Sight
from geodata.desk.shift_log import find_shift, read_shift
from geodata.events.alarms import Alarm
from geodata.words import Lang, say

_ACT = "act"
_FORM = "%Y-%m-%dT%H:%M"
_LONGEST = 20


def add_shift_page(server: Flask, services: Services) -> None:
    """Add `/duty/log` below the base path."""
    city = services.city

    @guarded(_ACT, logs="view.shift")
    def shift() -> Response:
        lang, now, scope = find_page_lang(), services.now(), current_scope()
        since, until = find_shift(now, city.settings)
        since = _read_moment(request.args.get("from"), services, otherwise=since)
        until = max(_read_moment(request.args.get("until"), services, otherwise=until), since)
        log = read_shift(city, scope, since=since, until=until)
        sight = services.pictures.newest(scope)
        show(target="shift", n=len(log.alarms))

        def tell(alarm: Alarm) -> dict[str, Any]:
            return _tell(alarm, sight, services, lang, now=now)

        return draw_plain(
            "duty_log.html",
            since=numbers.moment(log.since, city.settings.timezone),
            until=numbers.moment(log.until, city.settings.timezone),
            printed=numbers.moment(now, city.settings.timezone),
            form={"from": _write(log.since, services), "until": _write(log.until, services)},
            account=scope.account,
            alarms=[tell(one) for one in log.alarms],
            left=[tell(one) for one in log.left],
            acts=[
                {
                    "at": numbers.moment(note.at, city.settings.timezone),
                    "post": note.post,
                    "what": say(f"duty.did_{note.what}", lang),
                    "verdict": say(f"duty.verdict_{note.verdict}", lang) if note.verdict else "",
                    "to": note.to,
                    "text": note.text,
                    "alarm": tell(alarm)["name"],
                }
                for note, alarm in log.acts
            ],
            more=log.more,
        )

    server.add_url_rule(f"{services.base_path}/duty/log", "getu_duty_log", shift)


def _tell(
    alarm: Alarm, sight: Sight | None, services: Services, lang: Lang, *, now: int
) -> dict[str, Any]:
    taken = alarm.seen
    waited = taken.at - alarm.run.received if taken else None
    zone = services.city.settings.timezone
    return {
        "at": numbers.moment(alarm.run.first_at, zone),
        "level": say(f"alarm_level.{alarm.run.level}", lang),
        "name": alarm.kind if sight is None else parts.name_alarm(alarm, sight, lang),
        "grid": "" if sight is None else parts.name_grid(sight, alarm.owner, lang),
        "state": parts.name_state(alarm, now, services.city.settings, lang),
        "drill": alarm.drill,
        "taken": f"{taken.post} {numbers.moment(taken.at, zone, with_day=False)}" if taken else "",
        "waited": "" if waited is None else numbers.span(max(waited, 0), lang),
        "verdict": say(f"duty.verdict_{alarm.verdict}", lang) if alarm.verdict else "",
    }


def _read_moment(text: str | None, services: Services, *, otherwise: int) -> int:
    """Return the moment that a form's local time names; anything else is the one given."""
    try:
        local = datetime.strptime((text or "")[:_LONGEST], _FORM)
    except ValueError:
        return otherwise
    return int(local.replace(tzinfo=services.city.settings.zone).timestamp())


def _write(at: int, services: Services) -> str:
    return datetime.fromtimestamp(at, services.city.settings.zone).strftime(_FORM)
