"""Renumbering: every grid's code anew by its place, as a dated act of its own."""

from __future__ import annotations

from geodata.access.scope import Scope
from geodata.city import City
from geodata.plans.codes import number_by_place
from geodata.plans.plan import make_plan
from geodata.plans.workshop import Workshop
from geodata.store.plans import Plan
from geodata.store.takeover import read_used_codes


def make_renumbering(city: City, scope: Scope, *, name: str, now: int) -> Plan:
    """
    Open a plan that changes nothing but codes: west to east, north to south in each community.

    A code stands for its grid, so it cannot follow the map by itself; the order of the standard
    comes back by this act, with serials that no grid ever had. It is approved and published like
    any other, and its lineage says "recoded".
    """
    plan = make_plan(city, scope, name=name, now=now)
    workshop = Workshop(city)
    piece = workshop.open(plan.plan, now=now)
    with city.database.read() as connection:
        used = read_used_codes(connection)
    codes = number_by_place(piece.draft.base, used)
    edits = [{"op": "describe", "grid": uid, "code": code} for uid, code in sorted(codes.items())]
    workshop.edit(plan.plan, edits, scope=scope, now=now)
    return plan
