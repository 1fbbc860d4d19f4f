"""The ground that incidents stand on: drawings, kinds with their limits, the calendar."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from typing import Any, TypeVar

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from geodata.city import City
from geodata.drawings import Drawn, find_in_force
from geodata.events.incidents import Folded
from geodata.grids import GridSystem
from geodata.store.database import (
    Connection,
    read_ground_revision,
    read_revision,
    read_terms,
)
from geodata.store.event_log import NO_BATCH
from geodata.store.records import read_records, read_versions

Kept = TypeVar("Kept")
_TABLE_OF = {"kind": "kinds", "body": "bodies"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Ground:
    """
    What stands still while events come in: the drawings, the kinds' limits, the calendar.

    True at `revision` and until `good_until` (UTC s), when a dated record or drawing takes over.
    """

    revision: int
    ground_revision: int
    good_until: float
    now: int
    timeline: tuple[Drawn, ...]  # every drawing, the oldest first
    current: int  # the place in it of the drawing in force, -1 for none
    kinds: pd.DataFrame  # every version, as `read_versions` gives them
    aliases: dict[str, dict[int, int]]  # of kinds and bodies: the number said -> the number meant
    calendar_rows: pd.DataFrame
    kept: dict[Any, Any] = field(default_factory=dict)  # what follows from all this

    def keep(self, key: tuple[Any, ...], make: Callable[[], Kept]) -> Kept:
        """Return what follows from the ground, made once while it stands and asked for alike."""
        if key not in self.kept:
            for old in [other for other in self.kept if other[0] == key[0]]:
                del self.kept[old]
            self.kept[key] = make()
        found: Kept = self.kept[key]
        return found

    @property
    def drawn(self) -> Drawn | None:
        """Return the drawing in force with its index, None before the first."""
        return self.timeline[self.current] if self.current >= 0 else None


def read_ground(city: City, *, now: int) -> Ground:
    """Read what stands still while events come in, and build the ownership index."""
    with city.database.read() as connection:
        return read_ground_within(connection, city, now=now)


def read_ground_within(
    connection: Connection,
    city: City,
    *,
    now: int,
    with_batch: int = NO_BATCH,
    grids: GridSystem | None = None,
) -> Ground:
    """
    Read what stands still inside the caller's transaction: nothing can change beneath it.

    `with_batch` is seen although it is not visible yet; `grids` take the place of the drawing that
    begins with them.
    """
    timeline = city.drawings.timeline(connection, with_grids=grids)
    next_one = connection.execute(
        "SELECT min(at) FROM (SELECT valid_from AS at FROM record WHERE sort IN"
        " ('kinds', 'bodies', 'calendar', 'kind_aliases', 'body_aliases')"
        " UNION ALL SELECT valid_from FROM drawing"
        " UNION ALL SELECT valid_to FROM drawing) WHERE at > ?",
        (now,),
    ).fetchone()[0]
    return Ground(
        revision=read_revision(connection),
        ground_revision=read_ground_revision(connection),
        good_until=math.inf if next_one is None else next_one,
        now=now,
        timeline=timeline,
        current=int(find_in_force(timeline, np.array([now], np.int64))[0]),
        kinds=read_versions(connection, "kinds", with_batch=with_batch),
        aliases={
            of: _read_aliases(connection, of, now=now, with_batch=with_batch)
            for of in ("kind", "body")
        },
        calendar_rows=read_records(connection, "calendar", at=now, with_batch=with_batch),
    )


def _read_aliases(connection: Connection, of: str, *, now: int, with_batch: int) -> dict[int, int]:
    """
    Return what each alias of a kind or a body stands for, by the numbers of their texts.

    The Chinese name of one row alone stands for its code, unless it is a code or an alias itself:
    departments write names where tables have codes.
    """
    rows = read_records(connection, f"{of}_aliases", at=now, with_batch=with_batch)
    meant = {} if rows.empty or of not in rows else dict(zip(rows["id"], rows[of], strict=True))
    named = read_records(connection, _TABLE_OF[of], at=now, with_batch=with_batch)
    if "name_zh" in named:
        alone = named.dropna(subset="name_zh").drop_duplicates("name_zh", keep=False)
        known = set(named["id"])
        for name, code in zip(alone["name_zh"], alone["id"], strict=True):
            if name and name not in known:
                meant.setdefault(name, code)
    if not meant:
        return {}
    number = {text: term for term, text in read_terms(connection, of).items()}
    return {
        number[said]: number[code]
        for said, code in meant.items()
        if said in number and code in number
    }


def name_as_meant(
    folded: Folded, place: Mapping[str, NDArray[np.float64]], aliases: Mapping[str, dict[int, int]]
) -> tuple[Folded, dict[str, NDArray[np.float64]]]:
    """Return a fold and its places with the kinds and bodies that the city's aliases stand for."""
    return (
        replace(folded, body=_follow(folded.body, aliases["body"])),
        {**place, "kind": _follow(place["kind"], aliases["kind"])},
    )


def _follow(numbers: NDArray[Any], aliases: dict[int, int]) -> NDArray[Any]:
    """Return the numbers of texts with each alias replaced by what it stands for."""
    if not aliases:
        return numbers
    said = np.array(sorted(aliases), np.int64)
    meant = np.array([aliases[one] for one in said.tolist()], np.int64)
    rows = np.searchsorted(said, numbers).clip(max=len(said) - 1)
    followed: NDArray[Any] = np.where(said[rows] == numbers, meant[rows], numbers)
    return followed.astype(numbers.dtype)
