"""Batches taken back: hidden in one moment, removed in small steps after it."""

from __future__ import annotations

from geodata.access.scope import Scope
from geodata.audit.log import CONSOLE, write_entry
from geodata.city import City
from geodata.events.derive import derive_incidents
from geodata.store.database import Connection
from geodata.store.event_log import drop_batch


def withdraw_batch(city: City, batch: int, *, now: int, account: Scope | str = CONSOLE) -> int:
    """
    Take back a loaded batch as a whole; return the new revision.

    It vanishes in one transaction and is removed in small ones after it; what is left of it after
    a kill, the next load clears. Events that another batch brought too stay.
    """

    def log(connection: Connection) -> None:
        write_entry(connection, account=account, act="batch.withdraw", target=str(batch), at=now)

    revision = derive_incidents(city, now=now, without=batch, also=log)
    drop_batch(city.database, batch)
    return revision
