"""Two plans made one: the edits of the second on the head of the first, conflicts shown."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from geodata.access.scope import Scope
from geodata.city import City
from geodata.errors import BadGrid, Fault, NotAllowed
from geodata.plans.plan import note
from geodata.plans.workshop import Workshop, find_plan, standing_lines
from geodata.store.plans import read_edits


@dataclass(frozen=True, slots=True, kw_only=True)
class Merged:
    """
    What became of the second plan's edits.

    `both` are the uids that either plan changed: what stands there now is the second one's word on
    the first one's. `refused` says of each edit that could not follow why; it stays in its own
    plan, which nothing changes.
    """

    applied: int
    both: tuple[int, ...]
    refused: tuple[dict[str, Any], ...]

    def as_json(self) -> dict[str, Any]:
        """Return plain values."""
        return {
            "applied": self.applied,
            "both": list(self.both),
            "refused": [
                {"seq": one["seq"], "edit": one["edit"], "faults": one["keys"]}
                for one in self.refused
            ],
        }


def merge_plans(
    city: City, shop: Workshop, scope: Scope, number: int, other: int, *, now: int
) -> Merged:
    """
    Draw what stands of plan `other` on the head of plan `number`; every edit proves itself again.

    New grids keep the uids that `other` gave them. Raises NotFound, NotAllowed for a plan that is
    no draft or is merged with itself.
    """
    if number == other:
        raise NotAllowed(Fault(key="plan_itself"))
    with city.database.read() as connection:
        find_plan(connection, other)
        lines = standing_lines(read_edits(connection, other))
    mine = set(shop.open(number, now=now).touched)
    applied, theirs = 0, set[int]()
    refused: list[dict[str, Any]] = []
    for line in lines:
        try:
            _, changes = shop.edit(number, [line.edit], scope=scope, now=now)
        except BadGrid as error:
            keys = [fault.key for fault in error.faults]
            refused.append(
                {"seq": line.seq, "edit": line.edit, "keys": keys, "faults": error.faults}
            )
            continue
        applied += 1
        theirs |= {uid for change in changes for uid in change.uids}
    with city.database.transaction() as connection:
        note(connection, scope, other, "merged", now=now, into=number, refused=len(refused))
    return Merged(applied=applied, both=tuple(sorted(mine & theirs)), refused=tuple(refused))
