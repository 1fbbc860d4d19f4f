"""What walls and duty desks follow: alarms as they stand, and how each source does."""

from __future__ import annotations

from typing import Any

import orjson
from flask import Flask, Response, request

from dashboard.events_api import admit_stranger
from dashboard.guard import OPEN, current_scope, guarded
from dashboard.services import Services
from dashboard.trail import show
from geodata.desk.alarm_desk import alarm_json, list_alarms, note_alarm
from geodata.errors import BadSetting, Fault
from geodata.events.sources import source_states, worst_state

JSON = "application/json"
_STALE = frozenset({"mad", "out"})
_MOST_BYTES = 10_000


def add_live_api(server: Flask, services: Services) -> None:
    """Add `/live/alarms`, its notes, `/live/sources` and `/api/health` below the base path."""
    city = services.city

    @guarded("read.rows", logs="view.alarms")
    def alarms() -> Response:
        since = request.args.get("since", type=int)
        if since is not None and since == city.database.revision():
            show(n=0)
            return Response(status=204)
        found = list_alarms(city, current_scope(), now=services.now(), since=since)
        show(target="alarms", n=len(found.alarms))
        return _json(found.as_json(city.settings))

    @guarded("act", writes="alarm.*")
    def notes(alarm: int) -> Response:
        now = services.now()
        made = note_alarm(city, current_scope(), alarm, read_wish(), now=now)
        return _json(alarm_json(made, now=now, settings=city.settings))

    @guarded("read")
    def sources() -> Response:
        now = services.now()
        with city.database.read() as connection:
            states = source_states(connection, now=now, settings=city.settings)
        plain = [one.as_json() for one in states]
        return _json({"now": now, "worst": worst_state(states), "sources": plain})

    @guarded(OPEN)
    def health() -> Response:
        admit_stranger()
        with city.database.read() as connection:
            states = source_states(connection, now=services.now(), settings=city.settings)
        # Whoever asks may be a stranger: whether, never which.
        return _json({"state": "stale" if worst_state(states) in _STALE else "ok"})

    for rule, name, view, method in (
        ("/live/alarms", "alarms", alarms, "GET"),
        ("/live/alarms/<int:alarm>/notes", "alarm_notes", notes, "POST"),
        ("/live/sources", "sources", sources, "GET"),
        ("/api/health", "health", health, "GET"),
    ):
        server.add_url_rule(f"{services.base_path}{rule}", f"getu_{name}", view, methods=[method])


def read_wish() -> dict[str, Any]:
    """Return the JSON object that was sent; raises BadSetting for anything else."""
    request.max_content_length = _MOST_BYTES
    try:
        found = orjson.loads(request.get_data(cache=False))
    except orjson.JSONDecodeError as error:
        raise BadSetting(Fault(key="alarm_wish")) from error
    if request.mimetype != JSON or not isinstance(found, dict):
        raise BadSetting(Fault(key="alarm_wish"))
    return found


def _json(plain: Any) -> Response:
    response = Response(orjson.dumps(plain), mimetype=JSON)
    response.headers["Cache-Control"] = "no-store"
    return response
