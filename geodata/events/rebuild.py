"""The proof that what the store derived is what follows from its events."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from geodata.city import City
from geodata.events.derive import derive_again, derive_incidents
from geodata.store.database import read_revision
from geodata.store.dump import IncidentDigest
from geodata.store.incident_rows import changed_since, read_incident_columns


@dataclass(frozen=True, slots=True, kw_only=True)
class Rebuilt:
    """Digests of the derived incidents `before` and `after`; `changed` is how many differed."""

    revision: int
    incidents: int
    changed: int
    before: str
    after: str

    @property
    def equal(self) -> bool:
        """Tell whether the store held what follows from its events."""
        return self.before == self.after

    def as_json(self) -> dict[str, Any]:
        """Return what `--json` prints."""
        return {
            "revision": self.revision,
            "incidents": self.incidents,
            "changed": self.changed,
            "before": self.before,
            "after": self.after,
            "equal": self.equal,
        }


def rebuild(city: City, *, now: int) -> Rebuilt:
    """
    Derive every incident anew from the events and compare; set right what differs.

    Where nothing differs nothing is written. What a feed writes meanwhile is left out of the
    comparison: it is newer than both.
    """
    derived = derive_again(city, now=now)
    with city.database.read() as connection:
        held = read_incident_columns(connection)
        fed = np.array(changed_since(connection, derived.seen), np.int64)
        digest = IncidentDigest(connection)
        revision = read_revision(connection)
        tables = [
            {name: values[~np.isin(table["inc"], fed)] for name, values in table.items()}
            for table in (held, derived.columns)
        ]
        before, after = (digest.of(table) for table in tables)
    changed = 0 if before == after else _count_changes(*tables)
    if changed:
        revision = derive_incidents(city, now=now)
    return Rebuilt(
        revision=revision,
        incidents=len(derived.columns["inc"]),
        changed=changed,
        before=before,
        after=after,
    )


def _count_changes(held: dict[str, Any], derived: dict[str, Any]) -> int:
    both, at, of = np.intersect1d(held["inc"], derived["inc"], return_indices=True)
    differs = np.zeros(len(both), np.bool_)
    for name in set(derived) - {"rev"}:
        one, other = held[name][at], derived[name][of]
        same = one == other
        if one.dtype.kind == "f":
            same |= np.isnan(one) & np.isnan(other)
        differs |= ~same
    alone = len(held["inc"]) + len(derived["inc"]) - 2 * len(both)
    return int(differs.sum()) + alone
