"""Posts that can take an alarm over: accounts that act in its grid, then posts and bodies there."""

from __future__ import annotations

import numpy as np

from geodata.access.accounts import find_reach, scope_of
from geodata.city import City
from geodata.drawings import find_in_force
from geodata.store.accounts import list_accounts
from geodata.store.database import Connection
from geodata.store.records import read_records

_ACT = "act"
_NAMES = ("name_zh", "name_en", "id")


def list_takers(
    connection: Connection, city: City, *, owner: int, now: int, but: str = ""
) -> tuple[str, ...]:
    """
    Return whom an alarm in a grid (uid, -1 for none) can be handed to, `but` one account.

    Accounts that may act there and are not locked come first, then the posts of the grid and of the
    areas around it, then the city's bodies by name or code.
    """
    timeline = city.drawings.timeline(connection)
    (place,) = find_in_force(timeline, np.array([now], np.int64)).tolist()
    system = timeline[place].system if place >= 0 else None
    found: list[object] = []
    for account, _ in list_accounts(connection):
        scope = scope_of(account, find_reach(account.areas, system))
        if account.disabled_at is None and scope.has(_ACT) and scope.allows(owner):
            found.append(account.name)
    if system is not None and owner >= 0:
        posts = system.grids.set_index("uid")["body"]
        found += [posts.get(uid) for uid in reversed(system.path(owner))]
    bodies = read_records(connection, "bodies", at=now)
    for column in _NAMES:
        if column in bodies:
            found += bodies[column].tolist()
    said = (name for name in found if isinstance(name, str) and name)
    return tuple(name for name in dict.fromkeys(said) if name != but)
