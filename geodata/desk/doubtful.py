"""Places found by an address that are not sure: they wait for a post to confirm or to pin them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from geodata.access.scope import Scope
from geodata.city import City
from geodata.desk.acts import Made, Wish, decide
from geodata.desk.decisions import fold_decisions
from geodata.errors import Fault, NotFound
from geodata.loading.addressed import GUESS_MARK
from geodata.store.addressed_rows import AddressedRow, list_addressed
from geodata.store.database import Connection
from geodata.store.decisions import read_decisions
from geodata.store.reference_rows import find_row

# Levels at which the library holds the very door, house or place that was named.
SURE_LEVELS = frozenset({"number", "building", "place"})
Where = Literal["here", "guess"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Doubtful:
    """What waits: the incidents, the least sure first, and how many were asked of the library."""

    rows: tuple[AddressedRow, ...]
    asked: int


def find_doubtful(connection: Connection, scope: Scope, *, sure: float) -> Doubtful:
    """
    Return the open incidents of a scope whose place is unsure: unplaced ones with guesses first.

    Sure is a door, building or place of the library with a score of at least `sure`. What a post
    has pinned is settled.
    """
    rows = list_addressed(connection, scope, between=GUESS_MARK)
    unsure = [row for row in rows if row.level not in SURE_LEVELS or row.score < sure]
    standings = fold_decisions(read_decisions(connection, only=[row.inc for row in unsure]))
    pinned = {inc for inc, one in standings.items() if one.pin is not None}
    waiting = sorted(
        (row for row in unsure if row.inc not in pinned),
        key=lambda row: (row.x is not None, not row.guesses, row.score, row.reported_at, row.inc),
    )
    return Doubtful(rows=tuple(waiting), asked=len(rows))


def confirm_place(
    city: City,
    scope: Scope,
    source: str,
    incident_id: str,
    *,
    guess: int | None,
    reason: str,
    seen: int,
    now: int,
) -> Made:
    """
    Pin an incident where its address was found, or at one of its guesses (by place in the list).

    Raises NotFound for an incident that does not wait, or a guess that the library has no more;
    else as `decide`.
    """
    with city.database.read() as connection:
        waiting = find_doubtful(connection, scope, sure=city.settings.address_sure_score).rows
        row = next(
            (one for one in waiting if (one.source, one.incident_id) == (source, incident_id)), None
        )
        if row is None:
            raise NotFound(Fault(key="address_settled"))
        x, y, standard = row.x, row.y, row.standard
        if guess is not None:
            if not 0 <= guess < len(row.guesses):
                raise NotFound(Fault(key="address_guess"))
            standard = row.guesses[guess]
            found = find_row(connection, "addresses", standard, at=now)
            x, y = (None, None) if found is None else (found.x, found.y)
    if x is None or y is None:
        raise NotFound(Fault(key="address_guess"))
    wish = Wish(
        source=source, incident_id=incident_id, what="pin", seen=seen, x_mm=x, y_mm=y,
        reason=f"{reason} {standard}".strip(),
    )  # fmt: skip
    return decide(city, scope, wish, now=now)
