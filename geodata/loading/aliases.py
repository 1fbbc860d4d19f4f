"""Aliases: what departments write for a kind or a body of the city's own tables."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import pandas as pd

from geodata.city import City
from geodata.errors import Fault
from geodata.loading.report import LoadReport
from geodata.store.records import read_records

# Table -> what its rows name, and the column that says so.
_OF = {
    "kind_aliases": ("kind", "kind"),
    "body_aliases": ("body", "body"),
    "kinds": ("kind", "name_zh"),
    "bodies": ("body", "name_zh"),
}


_TABLE_OF = {"kind_aliases": "kinds", "body_aliases": "bodies"}
_NAMED = 5


def settle_aliases(
    city: City, sort: str, table: pd.DataFrame, report: LoadReport, *, now: int
) -> None:
    """
    Put, in place, codes for the Chinese names that a table of aliases says its words stand for.

    A name that one row alone has stands for its code; what is neither is loaded and named. A row
    that stands for nothing is refused. Does nothing for any other table.
    """
    if sort not in _TABLE_OF:
        return
    column = _OF[sort][1]
    with city.database.read() as connection:
        rows = read_records(connection, _TABLE_OF[sort], at=now)
    named = rows.drop_duplicates("name_zh", keep=False) if "name_zh" in rows else rows.iloc[:0]
    codes = dict(zip(named.get("name_zh", ()), named["id"], strict=True))
    known = set(rows["id"])
    empty = (table[column] == "").to_numpy(bool)
    report.faults += [
        Fault(key="alias_empty", row=int(row), field=column, value_kind="empty")
        for row in table.index[empty]
    ]
    table[column] = [said if said in known else codes.get(said, said) for said in table[column]]
    unknown = sorted(set(table[column]) - known - {""})
    if unknown:
        more = ("…",) if len(unknown) > _NAMED else ()
        report.note("report.alias_unknown", n=len(unknown), names=(*unknown[:_NAMED], *more))


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
