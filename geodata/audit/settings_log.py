"""The log of settings: `city.toml` is a file, so what changed in it is noted when it is used."""

from __future__ import annotations

import dataclasses

import orjson

from geodata.audit.log import CONSOLE, write_entry
from geodata.city import City
from geodata.store.audit import swap_meta

_KNOWN = "settings_seen"


def log_settings(city: City, *, now: int) -> bool:
    """
    Note in the log what changed in the settings since they were last used; tell whether any did.

    The first use is no change.
    """
    present = orjson.loads(orjson.dumps(dataclasses.asdict(city.settings)))
    text = orjson.dumps(present, option=orjson.OPT_SORT_KEYS).decode()
    if city.database.meta(_KNOWN) == text:
        return False
    with city.database.transaction() as connection:
        before = swap_meta(connection, _KNOWN, text)
        if before is None:
            return False
        known = orjson.loads(before)
        names = [name for name in present if known.get(name) != present[name]]
        detail = {name: [known.get(name), present[name]] for name in names}
        write_entry(
            connection, account=CONSOLE, act="settings.change", target=", ".join(names),
            n=len(names), at=now, detail=detail,
        )  # fmt: skip
    return True
