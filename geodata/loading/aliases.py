"""Aliases: what departments write for a kind or a body of the city's own tables."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from geodata.city import City

_OF = {"kind_aliases": "kind", "body_aliases": "body"}


def number_aliases(
    city: City, sort: str, said: Sequence[str], table: Mapping[str, Sequence[str]]
) -> None:
    """
    Give the texts of aliases, and what they stand for, their numbers.

    Events that come later then find the alias by the number of what they say. Does nothing for
    any other table.
    """
    of = _OF.get(sort)
    if of is not None:
        with city.database.transaction() as connection:
            city.database.intern(connection, of, [*said, *table[of]])
