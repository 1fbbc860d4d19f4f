"""Lists of single cases on a street page: the oldest overdue, and those nobody owns or disputes."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import shapely

from dashboard import trail
from dashboard.parts import numbers
from dashboard.parts.overview import full_name
from geodata.access.scope import Scope
from geodata.access.sight import Sight
from geodata.coordinates import lonlat_crs, to_metric
from geodata.desk.marks import mark_owners
from geodata.desk.trays import TrayName, list_seen, read_tray
from geodata.events.clock import AMBER, RED, SUSPENDED
from geodata.events.sources import name_source
from geodata.figures.area import AreaFigures
from geodata.figures.asked_shape import find_oldest_late
from geodata.figures.tally import order_leaves
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
    finest, states = sight.grids.finest(), sight.states(now)
    found = []
    for row in rows:
        head = heads.get(int(snapshot.incident[row]))
        if head is None:  # derived anew since: the next picture has it
            continue
        owner, due = int(snapshot.owner[row]), int(snapshot.due_at[row])
        late = now - due if snapshot.open[row] and states[row] == RED else 0  # else it stands still
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
                "stands": say("layer.state.suspended", lang)
                if snapshot.open[row] and states[row] == SUSPENDED
                else "",
                "open": bool(snapshot.open[row]),
                "marks": [say(f"card.mark_{mark}", lang) for mark in marks.get(head.inc, ())],
            }
        )
    return found


def list_waiting(
    sight: Sight, connection: Connection, area: AreaFigures, *, lang: Lang
) -> list[dict[str, Any]]:
    """Return the area's cases that nobody owns or that are disputed, by age, whenever reported."""
    if not sight.rows:
        return []
    scope, kinds = narrow_scope(sight, area), sight.kind_names(lang)
    names = {sight.kind_terms[code]: name for code, name in kinds.items()}
    found = []
    for name in _WAITING:
        tray = read_tray(connection, scope, name, most=_WAITING_SHOWN)
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
                        "kind": names.get(one.head.kind) or say("desk.no_kind", lang),
                        "grid": full_name(sight, one.head.owner)
                        if one.head.owner >= 0
                        else one.address or say("figure.unowned", lang),
                        "age": numbers.span(max(area.now - one.since, 0), lang),
                    }
                    for one in tray.rows
                ],
            }
        )
    return found


def find_grid_names(sight: Sight, places: list[tuple[float, float]]) -> dict[int, str]:
    """Return the names of the grids that places in degrees lie in, by their number in the list."""
    if not places:
        return {}
    x, y = to_metric(*np.array(places).T, lonlat_crs(), sight.grids.crs)
    finest = sight.grids.finest()
    points, rows = finest.sindex.query(shapely.points(x, y), predicate="within")
    uids = finest["uid"].to_numpy()[rows].tolist()
    return {point: full_name(sight, uid) for point, uid in zip(points.tolist(), uids, strict=True)}


def narrow_scope(sight: Sight, area: AreaFigures) -> Scope:
    """Return the account's scope within an area: what it may see of the area's own grids."""
    if area.is_city:
        return sight.scope
    assert area.grid is not None
    finest = sight.grids.finest()["uid"].to_numpy()
    within = frozenset(int(uid) for uid in finest[order_leaves(sight).leaves(area.grid)])
    held = sight.scope.grids
    return replace(sight.scope, grids=within if held is None else within & held)


def rows_of_figure(sight: Sight, rows: Any, figure: str, *, now: int) -> Any:
    """
    Return those of an area's rows that one of its figures counts, the newest report first.

    What is late or soon will be comes by its deadline, the one longest past first.
    """
    snapshot, states = sight.snapshot, sight.states(now)
    if figure == "open":
        rows = rows[snapshot.open[rows]]
    elif figure in _STATE_OF:
        rows = rows[snapshot.open[rows] & (states[rows] == _STATE_OF[figure])]
    elif figure == "near_line":
        rows = rows[snapshot.near_line[rows]]
    if figure in ("overdue", "due_soon"):
        return rows[np.argsort(snapshot.due_at[rows], kind="stable")]
    return rows[np.argsort(-snapshot.reported_at[rows], kind="stable")]
