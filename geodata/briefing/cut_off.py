"""The facts as they were known at a moment, although events have come in since."""

from __future__ import annotations

from dataclasses import fields
from typing import Any

import numpy as np
from numpy.typing import NDArray

from geodata.access.scope import Scope
from geodata.access.sight import Sight, SightKeeper
from geodata.errors import Fault, NotFound
from geodata.events.derive import derive_columns
from geodata.events.ground import read_ground_within
from geodata.events.incidents import FLAG_DRILL
from geodata.snapshots.counted import count_later
from geodata.snapshots.facts import KEPT_WITH_DRAWING, Facts, make_cache
from geodata.snapshots.newest import make_snapshot
from geodata.snapshots.patch import leave_out, patch_snapshot
from geodata.snapshots.rating import rate_later
from geodata.store.alarms import read_said
from geodata.store.briefings import find_later
from geodata.store.database import Connection, read_terms
from geodata.store.decisions import read_decisions
from geodata.store.event_columns import read_event_columns, read_payloads, read_sources


def see_at(facts: Facts, scope: Scope, *, cut_off: int) -> Sight:
    """Return what a scope sees of the facts as they were known at the cut-off (UTC s)."""
    return SightKeeper().narrow(look_back(facts, cut_off), scope, now=cut_off)


def look_back(facts: Facts, cut_off: int) -> Facts:
    """
    Return the facts without what was received or decided after the cut-off (UTC s).

    The rule. An event counts if it was received at or before the cut-off, whenever it happened; a
    decision if it was made by then. Incidents that are told of later are folded anew from what was
    known; the others stay as they are, so the cost is that of what has come in since. The drawing
    of the grids and the reference tables are those of the facts, and what was withdrawn since is
    not seen: figures that were issued are kept for that (docs/briefing.md).

    Raises NotFound where the city had no events by then.
    """
    city = facts.city
    with city.database.read() as connection:
        later = find_later(connection, cut_off)
        if not later:
            return facts
        columns = _derive(connection, facts, later, cut_off)
        terms = read_terms(connection, "kind")
    category_of = _categories_of(facts, terms)
    known = np.array(columns["inc"], np.int64)
    snapshot = leave_out(facts.snapshot, np.setdiff1d(np.array(later, np.int64), known))
    if len(known):
        changed = make_snapshot(
            city, facts.grids, columns, category_of, revision=facts.snapshot.revision
        )
        snapshot = patch_snapshot(snapshot, changed)
    if not snapshot.n:
        raise NotFound(Fault(key="briefing_before_data"))
    rated = rate_later(city, facts.grids, snapshot, facts.source_terms, now=cut_off)
    given = {item.name: getattr(facts, item.name) for item in fields(Facts)}
    kept = {key: value for key, value in facts.kept.items() if key[0] in KEPT_WITH_DRAWING}
    return Facts(
        **given
        | {
            "snapshot": snapshot,
            "counted": count_later(snapshot, grids=len(facts.grids.finest()), zone=facts.zone),
            "as_of": min(facts.as_of, cut_off),
            "rated": rated,
            "kept": kept,
            "_answers": make_cache(city),
        }
    )


def _derive(
    connection: Connection, facts: Facts, incidents: list[int], cut_off: int
) -> dict[str, NDArray[Any]]:
    """Return the derived columns of incidents as known at a moment; drills count nowhere."""
    city = facts.city
    events = read_event_columns(connection, only=incidents, received_until=cut_off)
    if not len(events["inc"]):
        return {"inc": events["inc"]}
    columns = derive_columns(
        city,
        read_ground_within(connection, city, now=facts.risk_made),
        events,
        read_payloads(connection, only=incidents),
        read_sources(connection, only=incidents),
        decisions=[one for one in read_decisions(connection, only=incidents) if one.at <= cut_off],
        said=read_said(connection, only=incidents),
        kind_codes=read_terms(connection, "kind"),
    )
    counts = (columns["flags"] & FLAG_DRILL) == 0
    return {name: values[counts] for name, values in columns.items()}


def _categories_of(facts: Facts, terms: dict[int, str]) -> dict[int, int]:
    """Return the number of the category of each kind, as the facts number them."""
    number_of = {text: number for number, text in enumerate(facts.categories)}
    if "category" not in facts.kinds:
        return {term: number_of.get(text, 0) for term, text in terms.items()} | {0: number_of[""]}
    known = facts.kinds["category"].fillna("").to_dict()
    return {0: number_of[""]} | {
        term: number_of.get(str(known.get(text, "")), number_of[""]) for term, text in terms.items()
    }
