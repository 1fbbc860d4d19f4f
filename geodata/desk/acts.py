"""The desk: posts give owners, set pins, raise and decide disputes; each act with its reason."""

from __future__ import annotations

import math
import unicodedata
from dataclasses import dataclass, replace
from typing import Literal, get_args

import numpy as np
import pandas as pd

from geodata.access.scope import Scope
from geodata.audit.log import write_entry
from geodata.city import City
from geodata.desk.decisions import Standing, hash_decision
from geodata.desk.trays import Lying, find_lying
from geodata.drawings import NOBODY, OwnerOn, find_in_force, own_point
from geodata.errors import BadSetting, Fault, NotAllowed, NotFound, Overtaken
from geodata.events.derive import refold_incidents
from geodata.events.ground import Ground, read_ground, read_ground_within
from geodata.reading.personal import find_personal
from geodata.store.database import raise_revision, read_ground_revision
from geodata.store.decisions import Decision, append_decision
from geodata.store.desk_rows import Head, read_head

What = Literal[
    "owner", "pin", "owner_withdrawn", "pin_withdrawn", "dispute", "answer", "decided",
    "dispute_withdrawn",
]  # fmt: skip
ACT, DECIDE = "act", "decide"
LONGEST_REASON = 500
NEEDS_GRID: frozenset[What] = frozenset({"owner", "dispute", "decided"})
# Beyond this from every grid a pin is a slip of the hand, not a place of the city.
FARTHEST_PIN_M = 5_000.0
_OF_DISPUTES = frozenset({"dispute", "answer", "decided", "dispute_withdrawn"})


@dataclass(frozen=True, slots=True, kw_only=True)
class Wish:
    """
    What a post asks for; nothing of it is believed before `decide` has looked.

    `seen` is the revision that the post read the incident at. `grid` is a uid, `x_mm`, `y_mm` a
    place in the city's CRS.
    """

    source: str
    incident_id: str
    what: str
    reason: str
    seen: int
    grid: int | None = None
    x_mm: float | None = None
    y_mm: float | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Made:
    """What a decision made of its incident."""

    revision: int
    head: Head


def decide(city: City, scope: Scope, wish: Wish, *, now: int) -> Made:
    """
    Write a decision, derive its incident anew and log the act, all in one transaction.

    Raises NotFound for an incident that is not there or not the account's, NotAllowed for an act or
    a target beyond it, Overtaken when someone decided on the incident since it was read, BadSetting
    for a wish that lacks something or asks for nothing. Then nothing was written.
    """
    what, reason = _check_form(wish)
    need = DECIDE if what == "decided" else ACT
    if need not in scope.permissions:
        raise NotAllowed(Fault(key="not_allowed", values={"need": need}))
    before = read_ground(city, now=now)  # and indexed, before the lock is taken
    with city.database.transaction() as connection:
        lying = find_lying(connection, scope, wish.source, wish.incident_id)
        _check_fresh(lying.standing, wish.seen)
        stands = read_ground_revision(connection) == before.ground_revision
        ground = before if stands else read_ground_within(connection, city, now=now)
        _check_turn(what, wish, lying, scope)
        _check_grid(wish, ground)
        revision = raise_revision(connection, same_ground=True)
        for row in _rows_of(what, wish, reason, lying, scope, now=now):
            append_decision(connection, replace(row, rev=revision))
        inc = lying.head.inc
        refold_incidents(connection, city, ground, [inc], revision=revision)
        head = read_head(connection, inc)
        assert head is not None
        _check_result(what, scope, head)
        write_entry(
            connection,
            account=scope,
            act=f"decision.{what}",
            target=f"{head.source}/{head.incident_id}",
            grid=None if head.owner == NOBODY else head.owner,
            at=now,
            detail={"from": lying.head.owner, "to": head.owner, "grid": wish.grid},
        )
    return Made(revision=revision, head=head)


def preview_pin(city: City, x_mm: float, y_mm: float, *, now: int) -> OwnerOn:
    """
    Return which grid a pin would fall into, by which rule, and how far from its line.

    Raises NotFound while the city has no grids, BadSetting for a place far from every grid.
    """
    with city.database.read() as connection:
        timeline = city.drawings.timeline(connection)
    (place,) = find_in_force(timeline, np.array([now], np.int64)).tolist()
    if place < 0:
        raise NotFound(Fault(key="city_without_grids"))
    found = own_point(city, timeline[place], x_mm, y_mm)
    if found is None or not found.distance_m <= FARTHEST_PIN_M:
        raise BadSetting(Fault(key="pin_far"))
    return found


def _check_form(wish: Wish) -> tuple[What, str]:
    """Return what is asked for and the reason as it is kept; raises BadSetting naming all lacks."""
    faults = []
    if wish.what not in get_args(What):
        raise BadSetting(Fault(key="decision_unknown"))
    reason = " ".join(unicodedata.normalize("NFC", wish.reason).split())
    if not reason:
        faults.append(Fault(key="reason_missing"))
    elif len(reason) > LONGEST_REASON:
        faults.append(Fault(key="reason_long", values={"limit": LONGEST_REASON}))
    elif any(unicodedata.category(sign) in ("Cc", "Cs") for sign in reason):
        faults.append(Fault(key="reason_signs"))
    elif find_personal(pd.DataFrame({"reason": [reason]}))[0]:
        faults.append(Fault(key="reason_personal"))
    if wish.what == "pin" and not _is_place(wish.x_mm, wish.y_mm):
        faults.append(Fault(key="pin_missing"))
    if wish.what in NEEDS_GRID and wish.grid is None:
        faults.append(Fault(key="decision_no_grid"))
    if faults:
        raise BadSetting(faults)
    return wish.what, reason  # type: ignore[return-value]


def _is_place(x_mm: float | None, y_mm: float | None) -> bool:
    return x_mm is not None and y_mm is not None and math.isfinite(x_mm) and math.isfinite(y_mm)


def _check_fresh(standing: Standing, seen: int) -> None:
    """Raise Overtaken when a decision on the incident is newer than what the post has read."""
    newest = standing.newest
    if newest is not None and newest.rev > seen:
        raise Overtaken(Fault(key="decision_overtaken", values={"post": newest.post}))


def _check_turn(what: What, wish: Wish, lying: Lying, scope: Scope) -> None:
    """Raise for an act that the incident's state or its parties do not allow."""
    head, standing = lying.head, lying.standing
    dispute = standing.dispute
    if what not in _OF_DISPUTES or what == "dispute":
        _check_own(scope, head.owner)
    if what == "owner_withdrawn" and standing.owner is None:
        raise BadSetting(Fault(key="owner_not_given"))
    if what == "pin_withdrawn" and standing.pin is None:
        raise BadSetting(Fault(key="pin_not_set"))
    if what in ("owner", "pin") and dispute is not None:
        raise BadSetting(Fault(key="dispute_stands"))
    if what == "dispute":
        _check_new_dispute(wish, head, standing)
        return
    if what in _OF_DISPUTES:
        if dispute is None:
            raise BadSetting(Fault(key="dispute_none"))
        if what == "answer":
            _check_own(scope, dispute.proposed)
        elif what == "dispute_withdrawn":
            _check_own(scope, dispute.raised.held)
        else:
            for uid in (head.owner, dispute.proposed, wish.grid):
                _check_own(scope, NOBODY if uid is None else uid)


def _check_new_dispute(wish: Wish, head: Head, standing: Standing) -> None:
    if head.owner == NOBODY:
        raise BadSetting(Fault(key="dispute_unowned"))
    if standing.dispute is not None:
        raise BadSetting(Fault(key="dispute_stands"))
    if wish.grid == head.owner:
        raise BadSetting(Fault(key="dispute_same"))


def _check_own(scope: Scope, uid: int) -> None:
    """Raise NotAllowed for a grid outside the account's; nobody's is the whole city's."""
    if not (scope.everything if uid == NOBODY else scope.allows(uid)):
        raise NotAllowed(Fault(key="decision_outside"))


def _check_grid(wish: Wish, ground: Ground) -> None:
    """Raise NotFound for a grid that owns nothing in the drawing in force."""
    if wish.grid is None:
        return
    if ground.drawn is None or wish.grid not in ground.drawn.uids:
        raise NotFound(Fault(key="decision_grid_unknown"))


def _check_result(what: What, scope: Scope, head: Head) -> None:
    """Raise where an act has put an incident into hands that are not the account's to fill."""
    if what in _OF_DISPUTES - {"decided"}:
        return
    _check_own(scope, head.owner)
    far = not 0 <= head.distance_mm <= FARTHEST_PIN_M * 1000  # -1: beyond all search
    if what == "pin" and head.owner == NOBODY and far:
        raise BadSetting(Fault(key="pin_far"))


def _rows_of(
    what: What, wish: Wish, reason: str, lying: Lying, scope: Scope, *, now: int
) -> list[Decision]:
    """Return the rows to append: deciding for another owner gives the incident to it."""
    newest = lying.standing.newest
    # Strictly after the last one, so that time alone orders what posts decide here.
    at = now if newest is None else max(now, newest.at + 1)

    def row(kind: What) -> Decision:
        grid = wish.grid if kind in NEEDS_GRID else None
        pinned = kind == "pin" and wish.x_mm is not None and wish.y_mm is not None
        x = round(wish.x_mm) if pinned and wish.x_mm is not None else None
        y = round(wish.y_mm) if pinned and wish.y_mm is not None else None
        return Decision(
            inc=lying.head.inc,
            at=at,
            hash=hash_decision(kind, grid=grid, x=x, y=y, text=f"{reason}\n{scope.account}"),
            what=kind,
            held=lying.head.owner,
            grid=grid,
            x=x,
            y=y,
            reason=reason,
            post=scope.account,
        )

    gives = what == "decided" and wish.grid != lying.head.owner
    return [row(what), row("owner")] if gives else [row(what)]
