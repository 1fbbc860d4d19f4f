"""Quality: how each source and table does, which grids fell silent, whose books differ."""

from __future__ import annotations

from typing import Any

from flask import Flask, Response, request

from dashboard.guard import current_scope, guarded
from dashboard.parts import numbers
from dashboard.plain import draw_plain, find_page_lang
from dashboard.services import Services
from dashboard.trail import show
from geodata.access.scope import ROWS
from geodata.errors import Fault, NotFound
from geodata.events.sources import span_text
from geodata.quality.booked import find_differing
from geodata.quality.silence import find_silent_grids
from geodata.quality.sources import SourceQuality, judge_sources
from geodata.store.arrivals import Arrivals, list_by_table
from geodata.store.database import Connection
from geodata.words import Lang, has_words, say

LOAD = "load"  # only who loads files is told how many rows they had
SILENT_SHOWN = 50
ROWS_SHOWN = 200


def add_quality_page(server: Flask, services: Services) -> None:
    """Add `/quality` and the queue of owners that differ."""
    city, base = services.city, services.base_path

    @guarded("read", logs="view.quality")
    def show_quality() -> Response:
        now, lang, scope = services.now(), find_page_lang(), current_scope()
        sight = services.pictures.newest(scope)
        with city.database.read() as connection:
            sources = judge_sources(connection, sight, now=now, settings=city.settings)
            tables = _list_tables(connection, lang, now=now) if scope.has(LOAD) else []
        silent = find_silent_grids(sight, now=now) if sight is not None and sight.rows else []
        show(n=sum(one.lying.incidents for one in sources if one.lying))
        return draw_plain(
            "quality.html",
            sources=[_describe_source(one, lang, loads=scope.has(LOAD)) for one in sources],
            tables=tables,
            loads=scope.has(LOAD),
            rows=scope.has(ROWS),
            narrow=not scope.everything,
            silent=silent[:SILENT_SHOWN],
            silent_n=len(silent),
            grids_n=0 if sight is None else len(sight.grids.finest()),
        )

    @guarded(ROWS, logs="view.booked")
    def show_booked() -> Response:
        scope = current_scope()
        system = services.grids()
        if system is None:
            raise NotFound(Fault(key="quality_no_grids"))
        with city.database.read() as connection:
            found = find_differing(connection, scope, system)
        show(n=min(len(found.differing), ROWS_SHOWN))
        return draw_plain(
            "booked.html",
            found=found,
            rows=found.differing[:ROWS_SHOWN],
            may_act=scope.has("act"),
            query=request.query_string.decode(),
        )

    server.add_url_rule(f"{base}/quality", "getu_quality", show_quality)
    server.add_url_rule(f"{base}/quality/owners", "getu_quality_owners", show_booked)


def _describe_source(one: SourceQuality, lang: Lang, *, loads: bool) -> dict[str, Any]:
    state = one.state
    why = say(f"source_why.{state.why}", lang) if state.why else ""
    return {
        "name": state.source,
        "kind": say(f"source_kind.{state.kind}", lang) if state.kind else "–",
        "state": state.state,
        "state_name": say(f"source_state.{state.state}", lang) + why,
        "received_at": state.received_at,
        "age": numbers.span(state.age_s, lang) if state.received_at else "–",
        "every": span_text(state.every_s, lang) if state.every_s else "–",
        "arrivals": one.arrivals if loads else None,
        "lying": one.lying,
    }


def _list_tables(
    connection: Connection, lang: Lang, *, now: int
) -> list[tuple[str, Arrivals, str]]:
    """Return each kind of load in words, its sums, and how long ago the last one was."""
    found = list_by_table(connection)
    named = [
        (
            say(f"intake_kind.{name}", lang) if has_words(f"intake_kind.{name}") else name,
            one,
            numbers.span(max(now - one.last_at, 0), lang),
        )
        for name, one in found.items()
    ]
    return sorted(named, key=lambda row: -row[1].last_at)
