"""Submission: a draft is checked, new grids get the codes they keep, and it is handed in."""

from __future__ import annotations

from contextlib import suppress
from typing import Any

import geopandas as gpd

from geodata.access.scope import Scope
from geodata.city import City
from geodata.errors import BadSetting, Overtaken
from geodata.plans.checks import find_faults
from geodata.plans.codes import is_new
from geodata.plans.plan import PLAN, need, submit_plan
from geodata.plans.publish import finish_drawing
from geodata.plans.workshop import Workshop
from geodata.store.plans import Plan


def hand_in(city: City, scope: Scope, number: int, *, workshop: Workshop, now: int) -> Plan:
    """
    Check a draft, give its new grids their codes as lines of its log, and submit it.

    From then on those codes are kept for these grids: every table tells them, and no other grid
    gets one even where the plan is dropped. Raises BadSetting with the faults of the drawing,
    NotFound, NotAllowed, Overtaken where somebody changed the plan meanwhile.
    """
    need(scope, PLAN)
    piece = workshop.open(number, now=now)
    with piece.lock:
        grids = finish_drawing(city, piece).grids
        faults = find_faults(city, piece, grids)
        edits = _describe_new(piece.draft.grids, grids)
        made = set(piece.draft.grids) - set(piece.base)
        seq = piece.seq
    if faults:
        raise BadSetting(faults)
    # The codes are the city's to give, wherever the account may draw.
    giver = Scope.whole_city(scope.account, (PLAN,), role=scope.role)
    if edits:
        piece, _ = workshop.edit(number, edits, scope=giver, seen=seq, now=now)
        seq += len(edits)
    rows = zip(grids["uid"], grids["level"], grids["code"], strict=True)
    codes = [(int(uid), str(level), str(code)) for uid, level, code in rows if int(uid) in made]
    try:
        return submit_plan(city, scope, number, codes=codes, seen=seq, now=now)
    except (BadSetting, Overtaken):
        # Another plan may have taken a code meanwhile: the next try seeks anew.
        if edits:
            with suppress(Overtaken):  # somebody draws on: his head stands
                back = [{"op": "undo"}] * len(edits)
                workshop.edit(number, back, scope=giver, seen=seq, now=now)
        raise


def _describe_new(drawn: Any, grids: gpd.GeoDataFrame) -> list[dict[str, Any]]:
    """Return edits that give grids of a draft without a code the ones of its finished drawing."""
    return [
        {"op": "describe", "grid": int(uid), "code": str(code), "name": str(name)}
        for uid, code, name in zip(grids["uid"], grids["code"], grids["name"], strict=True)
        if int(uid) in drawn and is_new(drawn[int(uid)].code)
    ]
