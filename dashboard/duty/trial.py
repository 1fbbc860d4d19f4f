"""A demo city's alarm to try the desk with; a real city has none of this."""

from __future__ import annotations

import orjson
from flask import Flask, Response

from dashboard import trail
from dashboard.guard import current_scope, guarded
from dashboard.services import Services
from dashboard.wall.news import send_json
from geodata.access.sight import Sight
from geodata.demo.trial import SOURCE, find_carded, make_alarm
from geodata.errors import Fault, NotFound
from geodata.loading.posted_events import read_posted

_NO_TOKEN = 0  # it comes by no token of a source


def is_possible(sight: Sight) -> bool:
    """Tell whether a trial has what it needs: a kind with a card, and a place that is seen."""
    return len(find_carded(sight.kinds)) > 0 and len(sight.places) > 0


def add_trial(server: Flask, services: Services) -> None:
    """Add `/duty/trial` below the base path: an alarm at one of the places of the scope."""
    city = services.city

    @guarded("act", logs="alarm.trial")
    def trial() -> Response:
        sight, now = services.pictures.newest(current_scope()), services.now()
        if not city.settings.demo or sight is None:
            raise NotFound(Fault(key="trial_impossible"))
        event = make_alarm(sight.kinds, sight.places, now=now)
        rows = read_posted(
            orjson.dumps(event), lines=False, city=city, source=SOURCE, now=now, most=1
        )
        services.feed.post(rows, token=_NO_TOKEN)
        trail.show(target=f"{SOURCE}/{event['incident_id']}")
        return send_json({"incident_id": event["incident_id"]})

    rule = f"{services.base_path}/duty/trial"
    server.add_url_rule(rule, "getu_duty_trial", trial, methods=["POST"])
