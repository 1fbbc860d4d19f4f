"""What is new for a wall: only the parts that changed, nothing while nothing did."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from hashlib import blake2b
from pathlib import Path
from typing import Any

import orjson
from flask import Flask, Response, request

from dashboard import trail
from dashboard.guard import current_scope, guarded
from dashboard.parts import numbers
from dashboard.services import Services
from dashboard.wall import parts, shows, stage, today_rows
from geodata.access.sight import Sight
from geodata.demo.trial import is_trial
from geodata.desk.alarm_desk import AlarmList, find_alarm, list_alarms
from geodata.errors import NotFound
from geodata.events.alarms import Alarm
from geodata.events.periods import local_hour
from geodata.events.sources import report_sources
from geodata.settings import Settings
from geodata.wall.around import Ring, look_around
from geodata.wall.film import REELS
from geodata.wall.scenes import (
    AGAINST,
    Hold,
    Scene,
    SceneList,
    find_scene,
    find_turn,
    read_hold,
    read_scenes,
)
from geodata.words import Lang, parse_lang, say
from layers.layer import THEMES, Theme

JSON = "application/json"
_MARK_BYTES = 4
_LONGEST_HAVE, _MOST_SCENES = 600, 1000
_WAITING = frozenset({"new", "escalated"})
_PLAIN = orjson.OPT_SORT_KEYS | orjson.OPT_SERIALIZE_NUMPY
_KEPT = ("wall", "figures")
_SCRIPT = Path(__file__).parents[1] / "assets" / "wall.js"


@dataclass(frozen=True, slots=True, kw_only=True)
class Asked:
    """What a wall asks for: in which words, of which scene, and what it holds already."""

    lang: Lang
    theme: Theme
    scene: int
    since: str
    have: Mapping[str, str]
    film: str = ""


def add_news(server: Flask, services: Services) -> None:
    """Add `/wall/news` and `/wall/alarms/<alarm>` below the base path."""
    city, base = services.city, services.base_path
    program = mark_of(_SCRIPT.read_bytes())
    shelf = shows.FilmShelf()

    @guarded("read.rows", logs="view.wall")
    def news() -> Response:
        asked, now = read_asked(request.args), services.now()
        scenes, hold = read_scenes(city, asked.lang), read_hold(city, now=now)
        pictures = services.pictures
        stamp = ".".join(
            str(one)
            for one in (
                *(pictures.keeper.revision(now), city.database.revision(), now // 60),
                *(scenes.version, hold.hold if hold else 0),
                *(asked.scene, asked.lang, asked.theme, program),
            )
        )
        trail.show(n=0)
        if stamp == asked.since:
            return Response(status=204)
        sight = pictures.newest(current_scope())
        found = list_alarms(city, current_scope(), now=now) if sight else None
        scene = scenes.scenes[asked.scene % len(scenes.scenes)]
        drawn = _draw_parts(services, sight, found, asked, now=now)
        screening = None
        if sight is not None and scene.show in REELS:
            screening = shows.screen_film(shelf, sight, scene, now=now, lang=asked.lang)
            drawn["film"] = parts.draw_piece("wall_film.html", asked.lang, **screening.chart)
        drawn |= _draw_legend(sight, scene, asked, screening, now=now)
        fresh = {
            name: text for name, text in drawn.items() if asked.have.get(name) != mark_of(text)
        }
        if "alarms" in fresh and found is not None and found.alarms:
            trail.show(target="wall", n=len(found.alarms[: parts.ALARMS_SHOWN]))
        if "ticker" in fresh and sight is not None and sight.snapshot.n:
            trail.show(target="newest", n=today_rows.NEWEST_SHOWN)
        return send_json(
            {
                "stamp": stamp,
                "program": program,
                "marks": {name: mark_of(text) for name, text in drawn.items()},
                "parts": fresh,
                "map": _fresh_map(sight, scene, asked, now=now),
                "film": _tell_film(screening, asked),
                "scenes": [{"name": one.name, "dwell_s": one.dwell_s} for one in scenes.scenes],
                "hold": hold and tell_hold(hold, scenes, _mark_held(services, hold, now=now)),
                "where": stage.name_place(sight, scene.place, now=now) if sight else "",
                "alarms": _list_waiting(found, now=now, settings=city.settings),
                "alarm_s": city.settings.wall_alarm_s,
                "dim": _is_dim(services, now),
            }
        )

    @guarded("read.rows", logs="view.alarm")
    def alarm(alarm: int) -> Response:
        lang, now = parse_lang(request.args.get("lang")), services.now()
        sight = services.pictures.newest(current_scope())
        found = find_alarm(city, current_scope(), alarm)
        trail.show(target=f"{found.source}/{found.incident_id}", grid=max(found.owner, 0) or None)
        if sight is None:
            return send_json({"card": "", "place": None})
        return send_json(describe_alarm(found, sight, lang, now=now, services=services))

    server.add_url_rule(f"{base}/wall/news", "getu_wall_news", news)
    server.add_url_rule(f"{base}/wall/alarms/<int:alarm>", "getu_wall_alarm", alarm)


def describe_alarm(
    alarm: Alarm,
    sight: Sight,
    lang: Lang,
    *,
    now: int,
    services: Services,
    response: Sequence[str] = (),
    rings: Sequence[Ring] = (),
) -> dict[str, Any]:
    """
    Return an alarm's card, where the map looks for it, and the address of its mark.

    `response` are the steps of its kind's response card and `rings` what lies around, for who acts.
    """
    place = None if alarm.lon is None or alarm.lat is None else (alarm.lon, alarm.lat)
    around = look_around(sight, uid=alarm.owner, kind=alarm.kind, place=place, lang=lang)
    taken = alarm.acknowledged
    card = parts.draw_piece(
        "wall_card.html",
        lang,
        alarm=alarm,
        around=around,
        response=response,
        rings=rings,
        mark=parts.ALARM_MARK[alarm.run.level],
        name=parts.name_alarm(alarm, sight, lang),
        grid=parts.name_grid(sight, alarm.owner, lang),
        level=say(f"alarm_level.{alarm.run.level}", lang),
        state=parts.name_state(alarm, now, services.city.settings, lang),
        at=numbers.moment(alarm.run.last_at, sight.zone),
        taken=taken,
        taken_at=numbers.moment(taken.at, sight.zone, with_day=False) if taken else "",
        placed=place is not None,
    )
    view = None
    if place is not None:
        view = {"bounds": stage.bounds_around(place)}
    elif alarm.owner >= 0:
        view = {"bounds": stage.bounds_of(sight, alarm.owner)}
    where = "" if place is None else f"{place[0]:.6f},{place[1]:.6f}"
    selected = alarm.owner if alarm.owner >= 0 else None
    return {"card": card, "view": view, "where": where, "selected": selected}


def tell_hold(hold: Hold, scenes: SceneList, mark: str = "") -> dict[str, Any]:
    """Return what is held on the wall, a scene by its place too; `mark` is of an alarm's card."""
    scene = find_scene(scenes, hold.target) if hold.what == "scene" else None
    return {"what": hold.what, "target": hold.target, "scene": scene, "mark": mark}


def _mark_held(services: Services, hold: Hold, *, now: int) -> str:
    """Return what changes when the card of a held alarm does; "" where there is none to see."""
    if hold.what != "alarm":
        return ""
    try:
        found = find_alarm(services.city, current_scope(), int(hold.target))
    except (NotFound, ValueError):
        return ""
    return f"{found.rev}.{found.state(now=now, escalate_s=services.city.settings.alarm_escalate_s)}"


def read_asked(query: Mapping[str, str]) -> Asked:
    """Return what a wall asks for; nonsense asks for the beginning of everything."""
    theme = query.get("theme", "")
    scene = query.get("scene", "0")
    pairs = (one.partition(":") for one in query.get("have", "")[:_LONGEST_HAVE].split(","))
    known = scene.isascii() and scene.isdigit() and len(scene) < len(str(_MOST_SCENES))
    return Asked(
        lang=parse_lang(query.get("lang")),
        theme="light" if theme == THEMES[1] else "dark",
        scene=int(scene) if known else 0,
        since=query.get("since", ""),
        have={name: mark for name, _, mark in pairs},
        film=query.get("film", ""),
    )


def _draw_parts(
    services: Services, sight: Sight | None, found: AlarmList | None, asked: Asked, *, now: int
) -> dict[str, str]:
    if sight is None:
        return parts.draw_nothing(asked.lang)
    moment = parts.WallMoment(
        sight=sight,
        alarms=found,
        sources=list(report_sources(services.city, now=now).sources),
        settings=services.city.settings,
        lang=asked.lang,
        now=now,
    )
    key = (*_KEPT, asked.lang)
    minute, figures = sight.kept.get(key, (None, {}))
    if minute != now // 60:
        figures = parts.draw_figures(moment)
        sight.kept[key] = (now // 60, figures)
    return {**figures, **parts.draw_news(moment)}


def _draw_legend(
    sight: Sight | None,
    scene: Scene,
    asked: Asked,
    screening: shows.Screening | None,
    *,
    now: int,
) -> dict[str, str]:
    if sight is None:
        return {}
    lang, theme = asked.lang, asked.theme
    legends = stage.draw_legends(sight, scene, now=now, lang=lang, theme=theme)
    period = say("filter.days", lang, n=scene.days) if scene.days else say("filter.all_time", lang)
    if screening is not None:
        legends.insert(0, shows.describe_film(screening, lang=lang, theme=theme))
        period = screening.chart["window"]
    elif scene.show == AGAINST:
        change = shows.describe_change(sight, scene, now=now, lang=lang, theme=theme)
        legends.insert(0, change)
        period = change.get("period", period)
    values = {"legends": legends, "theme": theme, "period": period}
    return {"legend": parts.draw_piece("wall_legend.html", lang, **values)}


def _tell_film(screening: shows.Screening | None, asked: Asked) -> dict[str, Any] | None:
    """Return the film to play: its frames only where the wall does not hold them."""
    if screening is None:
        return None
    return {"mark": screening.mark} if asked.film == screening.mark else screening.plain


def begin_map(services: Services, sight: Sight, asked: Asked, *, now: int) -> dict[str, Any]:
    """
    Return what a wall opens with: `place` of its scene, `props` of its map, and their `marks`.

    So the map paints while the first question is on its way, and that one need not bring it.
    """
    scenes = read_scenes(services.city, asked.lang).scenes
    fixed = 0 < asked.scene <= len(scenes)  # as an address counts, from 1
    place = asked.scene - 1 if fixed else find_turn(scenes, now=now)
    fresh = _fresh_map(sight, scenes[place], replace(asked, have={}), now=now)
    assert fresh is not None
    return {"place": place, **fresh}


def _fresh_map(
    sight: Sight | None, scene: Scene, asked: Asked, *, now: int
) -> dict[str, Any] | None:
    """Return what the map is given anew, with its marks; None where it holds all of it."""
    if sight is None:
        return None
    shown = stage.draw_scene(sight, scene, now=now, lang=asked.lang, theme=asked.theme)
    ground = stage.draw_ground(sight, asked.lang)
    marks = {"scene": _mark_plain(shown), "ground": _mark_plain(ground)}
    fresh: dict[str, Any] = {}
    if asked.have.get("ground") != marks["ground"]:
        fresh |= ground
    if asked.have.get("scene") != marks["scene"]:
        fresh |= shown
    return {"marks": marks, "props": fresh} if fresh else None


def _list_waiting(found: AlarmList | None, *, now: int, settings: Settings) -> list[dict[str, Any]]:
    """
    Return the alarms that nobody took, as the wall queues them.

    Drills never take it over but one: a demo city's, raised to see just that.
    """
    if found is None:
        return []
    escalate_s = settings.alarm_escalate_s
    rows = [(one, one.state(now=now, escalate_s=escalate_s)) for one in found.alarms]
    return [
        {"alarm": one.alarm, "level": one.run.level, "state": state}
        for one, state in rows
        if state in _WAITING and (not one.drill or is_trial(one.source, settings))
    ]


def _is_dim(services: Services, now: int) -> bool:
    settings = services.city.settings
    begin, end = settings.wall_dim_from, settings.wall_dim_until
    hour = local_hour(now, settings.timezone)
    return begin <= hour < end if begin <= end else hour >= begin or hour < end


def _mark_plain(plain: Any) -> str:
    return mark_of(orjson.dumps(plain, option=_PLAIN))


def mark_of(content: str | bytes) -> str:
    """Return the mark of a part: another for every content."""
    raw = content.encode() if isinstance(content, str) else content
    return blake2b(raw, digest_size=_MARK_BYTES).hexdigest()


def send_json(plain: Any) -> Response:
    """Return an answer of plain data that nobody may keep."""
    response = Response(orjson.dumps(plain, option=_PLAIN), mimetype=JSON)
    response.headers["Cache-Control"] = "no-store"
    return response
