"""The trays of the desk: what waits for a decision, for whom, the oldest first."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from typing import Literal, get_args

from geodata.access.scope import Scope
from geodata.desk.decisions import NOTHING_DECIDED, Standing, fold_decisions
from geodata.errors import Fault, NotFound
from geodata.store.database import Connection
from geodata.store.decisions import find_incident, read_decisions
from geodata.store.desk_rows import (
    Head,
    list_disputed,
    list_near,
    list_unplaced,
    read_attributes,
    read_head,
    read_heads,
)

TrayName = Literal["unplaced", "disputed", "near"]
TRAYS: tuple[TrayName, ...] = get_args(TrayName)
MOST_ROWS = 200  # a list longer than this is worked off, not read to its end
ADDRESS, RECORDED = "address", "recorded_grid"  # attributes that loading knows by these names


@dataclass(frozen=True, slots=True, kw_only=True)
class Lying:
    """One incident in a tray: what it is, what was decided on it, and its address as text."""

    head: Head
    standing: Standing
    address: str = ""
    recorded: str = ""  # the owner that the source's own books name

    @property
    def since(self) -> int:
        """Return since when it waits (UTC s): its report, or the dispute over it."""
        dispute = self.standing.dispute
        return self.head.reported_at if dispute is None else dispute.raised.at


@dataclass(frozen=True, slots=True, kw_only=True)
class Tray:
    """What lies in one tray: the first `rows` of `count`."""

    name: TrayName
    rows: tuple[Lying, ...]
    count: int


def read_tray(
    connection: Connection,
    scope: Scope,
    name: TrayName,
    *,
    source: str | None = None,
    closed: bool = False,
    most: int = MOST_ROWS,
) -> Tray:
    """
    Return what lies in a tray for an account, the oldest first.

    `unplaced` belongs to nobody's grid: only who may see the whole city sees it. `disputed` is seen
    by the grid that has it and by the one proposed. With `closed` also what is over.
    """
    if name == "disputed":
        return _read_disputed(connection, scope, source=source, closed=closed, most=most)
    if name == "near":
        heads, count = list_near(connection, grids=scope.grids, source=source, most=most)
    elif scope.everything:
        heads, count = list_unplaced(connection, closed=closed, source=source, most=most)
    else:
        heads, count = [], 0
    decided = fold_decisions(read_decisions(connection, only=[head.inc for head in heads]))
    rows = (_lay(connection, head, decided.get(head.inc, NOTHING_DECIDED)) for head in heads)
    return Tray(name=name, rows=tuple(rows), count=count)


def find_lying(connection: Connection, scope: Scope, source: str, incident_id: str) -> Lying:
    """
    Return one incident that an account may see.

    Raises NotFound, with the same words for what does not exist and for what is not this account's.
    """
    inc = find_incident(connection, source, incident_id)
    return open_lying(connection, scope, -1 if inc is None else inc)


def open_lying(connection: Connection, scope: Scope, inc: int) -> Lying:
    """Return one incident by its number in the store, as `find_lying` does."""
    head = read_head(connection, inc)
    if head is not None:
        decided = fold_decisions(read_decisions(connection, only=[head.inc]))
        standing = decided.get(head.inc, NOTHING_DECIDED)
        if may_see(scope, head, standing):
            return _lay(connection, head, standing)
    raise NotFound(Fault(key="case_missing"))


def find_seen(connection: Connection, scope: Scope, source: str, incident_id: str) -> int | None:
    """Return an incident's number in the store; None where there is none or the scope hides it."""
    try:
        return find_lying(connection, scope, source, incident_id).head.inc
    except NotFound:  # whether it exists elsewhere is nobody's to know
        return None


def list_seen(connection: Connection, scope: Scope, incidents: Collection[int]) -> list[Head]:
    """Return some incidents by their numbers in the store: those in the account's own grids."""
    return [
        head
        for head in read_heads(connection, incidents)
        if scope.everything or (head.owner >= 0 and scope.allows(head.owner))
    ]


def may_see(scope: Scope, head: Head, standing: Standing) -> bool:
    """Tell whether a scope holds the incident: its owner's grid, or a party to its disputes."""
    parties = {head.owner}
    for dispute in standing.disputes:
        parties |= {dispute.raised.held, dispute.proposed}
    return scope.everything or any(uid >= 0 and scope.allows(uid) for uid in parties)


def _read_disputed(
    connection: Connection, scope: Scope, *, source: str | None, closed: bool, most: int
) -> Tray:
    incidents = list_disputed(connection)
    decided = fold_decisions(read_decisions(connection, only=incidents))
    asked = [inc for inc in incidents if closed or decided[inc].dispute is not None]
    heads = [
        head
        for head in read_heads(connection, asked)
        if source in (None, head.source) and may_see(scope, head, decided[head.inc])
    ]
    lying = [Lying(head=head, standing=decided[head.inc]) for head in heads]
    lying.sort(key=lambda one: (one.standing.dispute is None, one.since, one.head.inc))
    rows = tuple(_lay(connection, one.head, one.standing) for one in lying[:most])
    return Tray(name="disputed", rows=rows, count=len(lying))


def _lay(connection: Connection, head: Head, standing: Standing) -> Lying:
    told = read_attributes(connection, head.inc)
    address, recorded = (str(told.get(name, "")) for name in (ADDRESS, RECORDED))
    return Lying(head=head, standing=standing, address=address, recorded=recorded)


def count_trays(connection: Connection, scope: Scope) -> dict[TrayName, int]:
    """Return how many incidents wait in each tray for an account."""
    return {name: read_tray(connection, scope, name, most=0).count for name in TRAYS}
