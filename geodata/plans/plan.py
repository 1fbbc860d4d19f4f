"""The life of a plan: opened, submitted, returned or approved by a second account, dropped."""

from __future__ import annotations

import unicodedata
from collections.abc import Sequence
from datetime import date, datetime, time
from typing import Any

from geodata.access.scope import Scope
from geodata.audit.log import write_entry
from geodata.city import City
from geodata.errors import BadSetting, Fault, NotAllowed, NotFound, Overtaken
from geodata.plans.base_lines import read_roads, read_water
from geodata.plans.blocks import cut_blocks, weigh_blocks
from geodata.plans.points import PointsKeeper
from geodata.plans.workshop import find_plan, read_drawn
from geodata.store.database import Connection
from geodata.store.drawings import load_drawings
from geodata.store.plan_ground import save_plan_ground
from geodata.store.plans import (
    APPROVED,
    DRAFT,
    DROPPED,
    OPEN_STATES,
    REVIEW,
    SCHEDULED,
    Plan,
    add_plan,
    append_act,
    change_plan,
    count_edits,
    read_edits,
)
from geodata.store.takeover import read_used_codes, retire_drawing

PLAN, APPROVE = "plan", "approve"
# What can be done to a plan as a whole; each stands in its history and in the log.
PLAN_ACTS = (
    *("opened", "submitted", "returned", "approved", "published", "rolled_back"),
    *("dropped", "merged"),
)
LONGEST_NAME = 80


def make_plan(
    city: City,
    scope: Scope,
    *,
    name: str,
    start: int | None = None,
    reason: str = "",
    document: str = "",
    points: PointsKeeper | None = None,
    now: int,
) -> Plan:
    """
    Open a plan from the drawing in force, or from `start`.

    That may be a scheduled drawing, one that came as a file, an old one. `points` are a workshop's,
    so that a large city is not read once more. Raises NotAllowed, NotFound for a drawing there is
    not, BadSetting for a name that is none.
    """
    need(scope, PLAN)
    name = clean_text(name, "plan_name", LONGEST_NAME)
    with city.database.read() as connection:
        base, start = _find_base(connection, city, start, now=now)
        drawn = read_drawn(connection, city, base)
        begun = drawn if start == base else read_drawn(connection, city, start)
        placed = (points or PointsKeeper(city)).current(connection, drawn, now=now)
    roads = read_roads(city)
    blocks = cut_blocks(begun.system, roads, read_water(city))
    loads, band = weigh_blocks(blocks, placed)
    with city.database.transaction() as connection:
        plan = add_plan(
            connection,
            name=name,
            system=drawn.system.system,
            base=base,
            start=start,
            author=scope.account,
            at=now,
            reason=clean_text(reason, "plan_reason", 500, empty=True),
            document=clean_text(document, "plan_document", 80, empty=True),
        )
        save_plan_ground(connection, plan.plan, blocks=blocks, loads=loads, band=band, roads=roads)
        note(connection, scope, plan.plan, "opened", now=now, base=base, start=start)
    return plan


def submit_plan(
    city: City,
    scope: Scope,
    number: int,
    *,
    codes: Sequence[tuple[int, str, str]] = (),
    seen: int | None = None,
    now: int,
) -> Plan:
    """
    Hand over a draft that the caller has checked: from now on nobody edits it.

    `codes` (uid, level, code) are kept for its new grids. `seen` is the last line of its log that
    was checked. Raises NotAllowed, BadSetting for a plan without an edit, Overtaken where its log
    has gone on, another plan has just taken one of the codes, or its base was retired.
    """
    need(scope, PLAN)
    with city.database.transaction() as connection:
        plan = find_plan(connection, number)
        _expect(plan, DRAFT)
        _check_base(connection, plan)
        if not count_edits(connection, number) and plan.start == plan.base:
            raise BadSetting(Fault(key="plan_empty"))
        used = read_used_codes(connection) if codes else {}
        if (seen is not None and count_edits(connection, number) != seen) or any(
            used.get((level, code), {uid}) != {uid} for uid, level, code in codes
        ):
            raise Overtaken(Fault(key="plan_overtaken"))
        change_plan(connection, number, state=REVIEW)
        note(connection, scope, number, "submitted", now=now, **({"codes": codes} if codes else {}))
        return find_plan(connection, number)


def return_plan(city: City, scope: Scope, number: int, *, reason: str, now: int) -> Plan:
    """Give a plan back to its author with a reason; it is a draft again."""
    if not (scope.has(APPROVE) or scope.has(PLAN)):
        need(scope, APPROVE)
    reason = clean_text(reason, "plan_reason", 500)
    with city.database.transaction() as connection:
        plan = find_plan(connection, number)
        _expect(plan, REVIEW, APPROVED)
        change_plan(connection, number, state=DRAFT, approver=None, effective_from=None)
        note(connection, scope, number, "returned", now=now, reason=reason)
        return find_plan(connection, number)


def approve_plan(city: City, scope: Scope, number: int, *, effective: date, now: int) -> Plan:
    """
    Approve a submitted plan for a day, as a second account: never its author, nor an editor of it.

    Raises NotAllowed, BadSetting for a day that is past, Overtaken where its base was retired.
    """
    need(scope, APPROVE)
    begin = find_begin(city, effective, now=now)
    with city.database.transaction() as connection:
        plan = find_plan(connection, number)
        _expect(plan, REVIEW)
        _check_base(connection, plan)
        if scope.account in _hands(connection, plan):
            raise NotAllowed(Fault(key="plan_own"))
        change_plan(
            connection, number, state=APPROVED, approver=scope.account, effective_from=begin
        )
        note(
            connection, scope, number, "approved", now=now, effective=effective.isoformat(),
            edits=count_edits(connection, number),
        )  # fmt: skip
        return find_plan(connection, number)


def drop_plan(city: City, scope: Scope, number: int, *, now: int) -> Plan:
    """Give a plan up, or take a scheduled one back before it takes effect; nothing is deleted."""
    with city.database.transaction() as connection:
        plan = find_plan(connection, number)
        need(scope, APPROVE if plan.state in (APPROVED, SCHEDULED) else PLAN)
        _expect(plan, *OPEN_STATES)
        if plan.drawing is not None:
            retire_drawing(connection, plan.drawing)
        change_plan(connection, number, state=DROPPED)
        note(connection, scope, number, "dropped", now=now)
        return find_plan(connection, number)


def find_begin(city: City, effective: date, *, now: int) -> int:
    """
    Return when a drawing of a day takes effect (UTC s): as that local day begins, today at once.

    Raises BadSetting for a day that is past: what was owned then stays owned so.
    """
    zone = city.settings.zone
    today = datetime.fromtimestamp(now, zone).date()
    if effective < today:
        raise BadSetting(
            Fault(key="plan_past", field="effective", values={"day": effective.isoformat()})
        )
    if effective == today:
        return now
    return int(datetime.combine(effective, time(), zone).timestamp())


def parse_effective(text: str | None, city: City, *, now: int) -> date:
    """Return a day as people write it, today for none. Raises BadSetting."""
    if not text:
        return datetime.fromtimestamp(now, city.settings.zone).date()
    try:
        return date.fromisoformat(text.strip())
    except ValueError:
        raise BadSetting(Fault(key="plan_day", field="effective")) from None


def need(scope: Scope, permission: str) -> None:
    """Raise NotAllowed where the account has not this permission."""
    if not scope.has(permission):
        raise NotAllowed(Fault(key="not_allowed", values={"need": permission}))


def need_all(scope: Scope) -> None:
    """Raise NotAllowed for an account that sees a part of the city."""
    if not scope.everything:
        raise NotAllowed(Fault(key="plan_outside"))


def note(
    connection: Connection, scope: Scope, number: int, what: str, *, now: int, **detail: Any
) -> None:
    """Write an act on a plan, one of PLAN_ACTS, into its own history and into the log."""
    assert what in PLAN_ACTS
    append_act(connection, number, what, account=scope.account, at=now, **detail)
    write_entry(
        connection, account=scope, act=f"plan.{what}", target=str(number), at=now, detail=detail
    )


def clean_text(text: str, key: str, longest: int, *, empty: bool = False) -> str:
    """Return a text as it is kept. Raises BadSetting where it is empty, too long or not plain."""
    plain = " ".join(unicodedata.normalize("NFC", text).split())
    signs = any(unicodedata.category(sign) in ("Cc", "Cs") for sign in plain)
    if (not plain and not empty) or len(plain) > longest or signs:
        raise BadSetting(Fault(key=key, values={"limit": longest}))
    return plain


def _expect(plan: Plan, *states: str) -> None:
    if plan.state not in states:
        raise NotAllowed(Fault(key="plan_closed", values={"state": plan.state}))


def _check_base(connection: Connection, plan: Plan) -> None:
    """Raise Overtaken where another drawing has taken the place of the one this plan replaces."""
    for row in load_drawings(connection):
        if row["drawing"] == plan.base and row["valid_to"] is None:
            return
    raise Overtaken(Fault(key="plan_base_retired", values={"drawing": plan.base}))


def _hands(connection: Connection, plan: Plan) -> set[str]:
    """Return every account that made or edited a plan."""
    return {plan.author, *(line.account for line in read_edits(connection, plan.plan))}


def _find_base(
    connection: Connection, city: City, start: int | None, *, now: int
) -> tuple[int, int]:
    """Return the drawing that a new plan replaces and the one it starts from."""
    timeline = city.drawings.timeline(connection)
    force = next((one for one in reversed(timeline) if one.system.in_force(now)), None)
    if force is None:
        raise NotFound(Fault(key="city_without_grids"))
    current = force.system.drawing
    if start is None or start == current:
        return current, current
    row = next((one for one in load_drawings(connection) if one["drawing"] == start), None)
    if row is None or row["system"] != force.system.system:
        raise NotFound(Fault(key="drawing_unknown", values={"drawing": start}))
    return (start if row["state"] == SCHEDULED else current), start
