"""What stands around a case: where its time went, how far its grid is, what came before."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING
from urllib.parse import quote

import numpy as np
import shapely

from geodata.access.scope import Scope
from geodata.drawings import Drawn, find_in_force
from geodata.store.database import Connection
from geodata.store.decisions import Decision, list_decided_alike, read_decisions
from geodata.store.desk_rows import Head, read_heads

if TYPE_CHECKING:
    from geodata.desk.cases import Case, CaseEvent

EARLIER_SHOWN = 5
_ENDS = frozenset({"closed", "duplicate", "void", "not_registered", "evaluated"})
# What changes nothing in who has the case now: the clock of the stage before runs on.
_ASIDE = frozenset({"extended", "escalated"})


@dataclass(frozen=True, slots=True, kw_only=True)
class Spent:
    """Seconds that a case stood in one stage with one body; `running` while it still does."""

    stage: str
    body: str
    seconds: int
    running: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Earlier:
    """A decision on another case of this kind in this grid."""

    source: str
    incident_id: str
    decision: Decision


def measure_spent(case: Case, *, now: int) -> tuple[Spent, ...]:
    """
    Return where a case's time went, by stage and body, in the order of their beginnings.

    A stage lasts until the next event; its body is the last one named. After the end nothing
    counts until a reopening. Several stays with one body in one stage are one line.
    """
    events = sorted((one for one in case.events if one.stage not in _ASIDE), key=lambda one: one.at)
    found: dict[tuple[str, str], Spent] = {}
    body = ""
    for place, event in enumerate(events):
        body = event.body or body
        if event.stage in _ENDS:
            continue
        until, running = _end_of(events, place, case, now)
        key = (event.stage, body)
        before = found[key].seconds if key in found else 0
        seconds = before + max(until - event.at, 0)
        found[key] = Spent(stage=event.stage, body=body, seconds=seconds, running=running)
    return tuple(one for one in found.values() if one.seconds or one.running)


def _end_of(events: list[CaseEvent], place: int, case: Case, now: int) -> tuple[int, bool]:
    """Return when an event's stage ended, and whether it has not."""
    if place + 1 < len(events):
        return events[place + 1].at, False
    return (now, True) if case.head.open else (events[place].at, False)


def measure_recorded(
    timeline: tuple[Drawn, ...], head: Head, recorded: str, *, at: int
) -> float | None:
    """Return the metres from a case to the grid its source recorded; None without either."""
    (place,) = find_in_force(timeline, np.array([at], np.int64)).tolist()
    if place < 0 or not recorded or head.x is None or head.y is None:
        return None
    finest = timeline[place].system.finest()
    rows = np.flatnonzero(finest["code"].to_numpy() == recorded)
    if not len(rows):
        return None
    point = shapely.Point(head.x / 1000, head.y / 1000)
    return float(shapely.distance(finest.geometry.iloc[int(rows[0])], point))


def find_earlier(connection: Connection, scope: Scope, case: Case) -> tuple[Earlier, ...]:
    """Return the newest decisions on other cases of this kind in this grid that a scope may see."""
    uid = case.owner.uid
    if uid < 0 or not (scope.everything or scope.allows(uid)):
        return ()
    incidents = list_decided_alike(connection, kind=case.head.kind, owner=uid, but=case.head.inc)
    heads = {head.inc: head for head in read_heads(connection, incidents)}
    decisions = [one for one in read_decisions(connection, only=incidents) if one.inc in heads]
    decisions.sort(key=lambda one: (-one.at, one.inc))
    return tuple(
        Earlier(source=heads[one.inc].source, incident_id=heads[one.inc].incident_id, decision=one)
        for one in decisions[:EARLIER_SHOWN]
    )


def link_case(template: str, source: str, incident_id: str) -> str:
    """
    Return the address of a case in the city's own system; empty without a template.

    `template` is a setting with {source} and {id} in it; both are escaped as parts of an address.
    """
    if not template.startswith(("http://", "https://", "/")):
        return ""
    parts = {"{source}": source, "{id}": incident_id}
    for name, text in parts.items():
        template = template.replace(name, quote(text, safe=""))
    return template
