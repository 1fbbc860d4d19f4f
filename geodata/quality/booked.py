"""The queue of owners: open incidents whose source books another grid than we find."""

from __future__ import annotations

from dataclasses import dataclass

from geodata.access.scope import Scope
from geodata.grids import GridSystem
from geodata.levels import NO_PARENT, find_parent_rows
from geodata.ownership import RULES
from geodata.store.database import Connection
from geodata.store.recorded_owners import Booked, list_booked


@dataclass(frozen=True, slots=True, kw_only=True)
class Differing:
    """One incident that two books give to two grids; `known` says that ours has theirs."""

    booked: Booked
    ours: str  # code of the grid it lies in, empty for none
    ours_name: str
    theirs_name: str
    known: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class BookedFigures:
    """How many open incidents name a grid, how many of these agree, and those that differ."""

    told: int
    agree: int
    differing: tuple[Differing, ...]


def find_differing(connection: Connection, scope: Scope, grids: GridSystem) -> BookedFigures:
    """
    Return the open incidents of a scope whose recorded grid is not the owner, the oldest first.

    A recorded area that the owner lies in agrees with it: a source may only know the community.
    """
    booked = list_booked(connection, scope, manual=RULES.index("manual"))
    frame = grids.grids
    codes, names = frame["code"].astype(str).tolist(), frame["name"].astype(str).tolist()
    row_of = {int(uid): row for row, uid in enumerate(frame["uid"].tolist())}
    name_of = dict(zip(codes, names, strict=True))
    above = find_parent_rows(frame)
    differing = []
    for one in booked:
        row = row_of.get(one.owner, NO_PARENT)
        path, ours = set(), row
        while row != NO_PARENT:
            path.add(codes[row])
            row = int(above[row])
        if one.recorded.strip() in path:
            continue
        theirs = one.recorded.strip()
        differing.append(
            Differing(
                booked=one,
                ours=codes[ours] if ours != NO_PARENT else "",
                ours_name=names[ours] if ours != NO_PARENT else "",
                theirs_name=name_of.get(theirs, ""),
                known=theirs in name_of,
            )
        )
    return BookedFigures(
        told=len(booked), agree=len(booked) - len(differing), differing=tuple(differing)
    )
