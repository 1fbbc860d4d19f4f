"""Who answers for a kind of case in an area, and what says so."""

from __future__ import annotations

from collections.abc import Iterable

from flask import render_template

from geodata.access.sight import Sight
from geodata.desk.responsibility import find_responsible
from geodata.figures.area import AreaFigures
from geodata.store.database import Connection
from geodata.store.records import read_records
from geodata.words import Lang, say

_KINDS_SHOWN = 6


def describe_frequent(
    sight: Sight, area: AreaFigures, connection: Connection, lang: Lang
) -> list[dict[str, str]]:
    """Return who answers here for the kinds that come most."""
    grid = None if area.is_city else area.grid
    kinds = (sight.kind_terms.get(part.code, "") for part in area.kinds[:_KINDS_SHOWN])
    return _describe(sight, grid, kinds, connection, lang=lang, now=area.now)


def draw_one(
    sight: Sight, grid: int | None, kind: str, connection: Connection, *, lang: Lang, now: int
) -> str:
    """Return as HTML who answers for one kind in an area, None for the city; empty: no such one."""
    known = kind in set(sight.kind_terms.values()) | set(sight.kinds.index)
    rows = _describe(sight, grid, [kind] if known else [], connection, lang=lang, now=now)
    return render_template("street_whose.html", rows=rows, open=True)


def _describe(
    sight: Sight,
    grid: int | None,
    kinds: Iterable[str],
    connection: Connection,
    *,
    lang: Lang,
    now: int,
) -> list[dict[str, str]]:
    matrix = read_records(connection, "matrix", at=now)
    names = {sight.kind_terms[code]: name for code, name in sight.kind_names(lang).items()}
    rows = []
    for kind in kinds:
        if not kind:
            continue
        found = find_responsible(sight.grids, grid, kind, matrix=matrix, kinds=sight.kinds)
        rows.append(
            {
                "kind": names.get(kind, kind),
                "body": sight.body_name(found.body, lang) or say("desk.nobody", lang),
                "why": say(f"street.why_{found.why}", lang, by=found.by),
            }
        )
    return rows
