"""Aliases: what departments write for a kind or a body of the city's own tables."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from geodata.city import City

# Table -> what its rows name, and the column that says so.
_OF = {
    "kind_aliases": ("kind", "kind"),
    "body_aliases": ("body", "body"),
    "kinds": ("kind", "name_zh"),
    "bodies": ("body", "name_zh"),
}


def number_aliases(
    city: City, sort: str, said: Sequence[str], table: Mapping[str, Sequence[str]]
) -> None:
    """
    Give the texts of aliases, and what they stand for, their numbers; likewise codes and names.

    Events that come later then find what is meant by the number of what they say. Does nothing for
    any other table.
    """
    if sort in _OF:
        of, column = _OF[sort]
        with city.database.transaction() as connection:
            city.database.intern(connection, of, [*said, *table.get(column, ())])
