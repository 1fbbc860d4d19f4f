"""Lists of single cases on a street page: the oldest overdue, and those nobody owns or disputes."""

from __future__ import annotations

from typing import Any

import numpy as np

from dashboard import trail
from dashboard.parts import numbers
from dashboard.parts.overview import full_name
from geodata.access.sight import Sight
from geodata.desk.marks import mark_owners
from geodata.desk.trays import TrayName, list_seen, read_tray
from geodata.events.clock import AMBER, RED, SUSPENDED
from geodata.events.sources import name_source
from geodata.figures.area import AreaFigures
from geodata.figures.asked_shape import find_oldest_late
from geodata.store.database import Connection
from geodata.words import Lang, say

OLDEST_SHOWN = 5
_WAITING_SHOWN = 5
_STATE_OF = {"overdue": RED, "due_soon": AMBER, "suspended": SUSPENDED}
_WAITING: tuple[TrayName, ...] = ("unplaced", "disputed")


def list_oldest(
    sight: Sight,
    connection: Connection,
    rows: Any,
    *,
    lang: Lang,
    now: int,
    most: int = OLDEST_SHOWN,
) -> list[dict[str, Any]]:
    """Return the cases longest past their deadline with the address of each one's page."""
    if not sight.rows:
        return []
    late = find_oldest_late(sight, rows, now=now, most=most)
    trail.show(n=len(late))
    return describe_cases(sight, connection, late, lang=lang, now=now)


def describe_cases(
    sight: Sight, connection: Connection, rows: list[int], *, lang: Lang, now: int
) -> list[dict[str, Any]]:
    """Return cases by the rows of the snapshot, in this order: kind, grid, time, and their page."""
    snapshot = sight.snapshot
    incidents = [int(snapshot.incident[row]) for row in rows]
    heads = {head.inc: head for head in list_seen(connection, sight.scope, incidents)}
    marks = mark_owners(connection, sight.scope, incidents)
    kinds = sight.kind_names(lang)
    finest = sight.grids.finest()
    found = []
    for row in rows:
        head = heads.get(int(snapshot.incident[row]))
        if head is None:  # derived anew since: the next picture has it
            continue
        owner, due = int(snapshot.owner[row]), int(snapshot.due_at[row])
        late = now - due if due and snapshot.open[row] else 0
        found.append(
            {
                "source": head.source,
                "source_name": name_source(head.source, lang),
                "id": head.incident_id,
                "kind": kinds.get(int(snapshot.kind[row])) or say("desk.no_kind", lang),
                "grid": full_name(sight, int(finest["uid"].iat[owner]))
                if owner >= 0
                else say("figure.unowned", lang),
                "reported": numbers.moment(int(snapshot.reported_at[row]), sight.zone),
                "due": numbers.moment(due, sight.zone) if due else "",
                "late": numbers.span(late, lang) if late > 0 else "",
                "open": bool(snapshot.open[row]),
                "marks": [say(f"card.mark_{mark}", lang) for mark in marks.get(head.inc, ())],
            }
        )
    return found


def list_waiting(
    sight: Sight, connection: Connection, area: AreaFigures, *, lang: Lang
) -> list[dict[str, Any]]:
    """Return the cases of the whole scope that nobody owns or that are disputed, by age."""
    if not sight.rows or not any(child.uid is None for child in area.children):
        return []
    found = []
    for name in _WAITING:
        tray = read_tray(connection, sight.scope, name, most=_WAITING_SHOWN)
        trail.show(n=len(tray.rows))
        found.append(
            {
                "name": say(f"desk.tray_{name}", lang),
                "tray": name,
                "count": tray.count,
                "rows": [
                    {
                        "source": one.head.source,
                        "id": one.head.incident_id,
                        "age": numbers.span(max(area.now - one.since, 0), lang),
                    }
                    for one in tray.rows
                ],
            }
        )
    return found


def rows_of_figure(sight: Sight, rows: Any, figure: str, *, now: int) -> Any:
    """Return those of an area's rows that one of its figures counts, the newest report first."""
    snapshot, states = sight.snapshot, sight.states(now)
    if figure == "open":
        rows = rows[snapshot.open[rows]]
    elif figure in _STATE_OF:
        rows = rows[snapshot.open[rows] & (states[rows] == _STATE_OF[figure])]
    elif figure == "near_line":
        rows = rows[snapshot.near_line[rows]]
    return rows[np.argsort(-snapshot.reported_at[rows], kind="stable")]
