"""The way back for sources: `GET /api/decisions`, what was decided on their own incidents."""

from __future__ import annotations

from flask import Flask, Response, request

from dashboard.events_api import PERMISSION, answering, as_json, refuse
from dashboard.guard import current_scope, guarded
from dashboard.services import Services
from dashboard.trail import show
from geodata.desk.decision_list import MOST_ROWS, list_decisions
from geodata.errors import Fault

_LARGEST = 2**53


def add_decisions_api(server: Flask, services: Services) -> None:
    """Add `/api/decisions` below the base path."""
    city = services.city

    @answering
    @guarded(PERMISSION, logs="export.decisions")
    def decisions() -> Response:
        since = _read_since(request.args.get("since", "0"))
        if since is None:
            show(n=0)
            return refuse(422, [Fault(key="since_unknown", field="since")])
        scope = current_scope()
        source = scope.account
        with city.database.read() as connection:
            found = list_decisions(connection, city, scope, source, since=since, most=MOST_ROWS)
        show(target=source, n=len(found.rows))
        return as_json(found.as_json())

    server.add_url_rule(f"{services.base_path}/api/decisions", "getu_decisions", decisions)


def _read_since(text: str) -> int | None:
    plain = text.isascii() and text.isdigit() and len(text) < len(str(_LARGEST))
    return int(text) if plain else None
