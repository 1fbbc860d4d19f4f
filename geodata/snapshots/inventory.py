"""What is in a city: rows a table, unowned incidents, the drawing in force, age of each source."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from geodata.city import City
from geodata.events.incidents import FLAG_DRILL
from geodata.events.sources import list_sources
from geodata.ownership import RULES
from geodata.store.database import read_revision
from geodata.store.records import count_records
from geodata.store.sources import read_as_of
from geodata.words import Lang, join, say


@dataclass(frozen=True, slots=True, kw_only=True)
class Inventory:
    """The counts that `app.py info` prints; `rules` counts incidents by ownership rule."""

    city: str
    city_en: str
    revision: int
    as_of: int
    crs: str
    drawing: dict[str, Any] | None
    levels: dict[str, int]
    incidents: int
    open: int
    unowned: int
    near_line: int
    rules: dict[str, int]
    records: dict[str, int]
    sources: list[dict[str, Any]]

    def as_json(self) -> dict[str, Any]:
        """Return the object of contracts.md 2, `info`."""
        return {
            "city": self.city,
            "grids": sum(self.levels.values()),
            "levels": self.levels,
            "incidents": self.incidents,
            "open": self.open,
            "cameras": self.records.get("cameras", 0),
            "places": self.records.get("places", 0),
            "components": self.records.get("components", 0),
            "records": self.records,
            "unowned": self.unowned,
            "near_line": self.near_line,
            "by_rule": self.rules,
            "revision": self.revision,
            "as_of": self.as_of,
            "crs": self.crs,
            "drawing": self.drawing,
            "sources": self.sources,
        }

    def lines(self, lang: Lang) -> list[str]:
        """Return the inventory as sentences for a terminal."""
        levels, rules, records = (
            join([f"{say(f'{words}.{name}', lang)} {n:,}" for name, n in counts.items()], lang)
            for words, counts in (
                ("level", self.levels),
                ("rule", self.rules),
                ("record", dict(sorted(self.records.items()))),
            )
        )
        city = self.city if lang == "zh" else self.city_en
        return [
            say("info.city", lang, city=city, revision=self.revision, crs=self.crs or "–"),
            say("info.grids", lang, n=f"{sum(self.levels.values()):,}", levels=levels or "–"),
            say("info.incidents", lang, n=f"{self.incidents:,}", open=f"{self.open:,}",
                unowned=f"{self.unowned:,}", near=f"{self.near_line:,}"),
            say("info.rules", lang, rules=rules or "–"),
            say("info.records", lang, records=records or "–"),
            *(
                say("info.source", lang, source=row["source"], n=f"{row['incidents']:,}",
                    age=age_text(row["age_s"], lang),
                    state=say(f"source_state.{row['state']}", lang)
                    + (say(f"source_why.{row['why']}", lang) if row["why"] else ""))
                for row in self.sources
            ),
        ]  # fmt: skip


def age_text(age_s: int, lang: Lang) -> str:
    """Return a time span in the largest unit that it fills at least twice."""
    for unit, seconds in (("days", 86_400), ("hours", 3_600), ("minutes", 60)):
        if age_s >= 2 * seconds:
            return say(f"time.{unit}", lang, n=f"{age_s // seconds:,}")
    return say("time.seconds", lang, n=age_s)


def describe_city(city: City, *, now: int) -> Inventory:
    """Count what one moment of the store holds."""
    system = city.grids_in_force(now)
    with city.database.read() as connection:
        revision = read_revision(connection)
        total, opened, near = connection.execute(
            "SELECT count(*), ifnull(sum(open), 0), ifnull(sum(near_line), 0) FROM incident"
            " WHERE flags & ? = 0",
            (FLAG_DRILL,),
        ).fetchone()
        by_rule = dict(
            connection.execute(
                "SELECT rule, count(*) FROM incident WHERE flags & ? = 0 GROUP BY rule",
                (FLAG_DRILL,),
            ).fetchall()
        )
        records = count_records(connection)
        sources = list_sources(connection, now=now, settings=city.settings)
        as_of = read_as_of(connection)
    rules = {RULES[code]: n for code, n in sorted(by_rule.items())}
    levels = {}
    drawing = None
    if system is not None:
        counted = system.grids["level"].value_counts().to_dict()
        levels = {name: int(counted[name]) for name in system.levels}
        drawing = {
            "drawing": system.drawing,
            "system": system.system,
            "valid_from": system.valid_from,
            "valid_to": system.valid_to,
        }
    return Inventory(
        city=city.settings.name_zh,
        city_en=city.settings.name_en,
        revision=revision,
        as_of=as_of,
        crs=city.crs_text,
        drawing=drawing,
        levels=levels,
        incidents=int(total),
        open=int(opened),
        unowned=rules.get("none", 0) + rules.get("no_place", 0),
        near_line=int(near),
        rules=rules,
        records=records,
        sources=sources,
    )
