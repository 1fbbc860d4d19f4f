"""The corpus: every hand-made hostile file as data, and what must become of it."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass

REFUSED, READ, EITHER = "refused", "read", "refused or read"


@dataclass(frozen=True, slots=True, kw_only=True)
class Attack:
    """One file: its name and bytes, the `load` it is handed to, and what must become of it."""

    name: str
    file: str
    kind: str  # grids, incidents, events, ...
    content: bytes | Callable[[], bytes]
    expect: str = EITHER
    options: tuple[str, ...] = ()

    def bytes(self) -> bytes:
        """Return the file; made only when it is wanted, for some are large."""
        return self.content() if callable(self.content) else self.content


def all_attacks() -> list[Attack]:
    """Return the whole corpus in a fixed order, every name once."""
    from tests.attack import (
        archive_attacks,
        geopackage_attacks,
        innocent_names,
        json_attacks,
        shapefile_attacks,
        table_attacks,
    )

    parts = (
        json_attacks,
        table_attacks,
        shapefile_attacks,
        geopackage_attacks,
        archive_attacks,
        innocent_names,
    )
    found = [attack for part in parts for attack in part.attacks()]
    names = [attack.name for attack in found]
    assert len(set(names)) == len(names), sorted({n for n in names if names.count(n) > 1})
    return found


def named(prefix: str, attacks: Iterable[Attack]) -> list[Attack]:
    """Return attacks checked to carry their family's name first."""
    listed = list(attacks)
    assert all(attack.name.startswith(prefix) for attack in listed)
    return listed
