"""What a street page shows, as plain data that is also its address."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any, Literal, get_args
from urllib.parse import urlencode

from dashboard.view import View, find_codes, parse_view
from geodata.events.incidents import STAGES
from geodata.figures.period import Period, choose_period
from geodata.snapshots.facts import Facts
from geodata.snapshots.snapshot import Filter

Measure = Literal["total", "open", "overdue", "change"]
_LONGEST = 120
SHORT_DAYS = ("1", "7")  # outside a scope nothing is told of these
TEXTS = ("kind", "source", "body", "stage")


@dataclass(frozen=True, slots=True, kw_only=True)
class StreetView:
    """
    One street page. `view` has language, theme, days, state and category; the rest are texts.

    Texts and no codes: what a link calls a kind by outlives the numbers of a store.
    """

    view: View
    kind: str = ""
    source: str = ""
    body: str = ""
    stage: str = ""
    measure: Measure = "open"

    @property
    def period_days(self) -> int:
        """Return how many local days count, 0 for all."""
        return self.view.days

    def period(self, facts: Facts, now: int) -> Period:
        """Return the period that ends with the newest data."""
        return choose_period(facts, days=self.view.days, now=now)

    def filter(self, facts: Facts, now: int) -> Filter:
        """Return the filter; a text that is unknown lets nothing through."""
        return replace(
            self.view.filter(facts, now),
            kinds=find_codes(facts.kind_terms, self.kind),
            sources=find_codes(facts.source_terms, self.source),
            bodies=find_codes(facts.body_terms, self.body),
            stages=find_codes(dict(enumerate(STAGES)), self.stage),
        )

    def query(self, facts: Facts, now: int) -> str:
        """Return the query that every filtered picture of this page carries."""
        more = {name: getattr(self, name) for name in TEXTS if getattr(self, name)}
        own = self.view.query(facts, now)
        return "&".join(part for part in (own, urlencode(more)) if part)

    def link(self) -> str:
        """Return what an address of this page carries after its question mark."""
        view = self.view
        parts: dict[str, Any] = {"lang": view.lang, "theme": view.theme, "days": view.days}
        parts |= {"state": view.state} if view.state != "all" else {}
        parts |= {"category": view.category} if view.category is not None else {}
        parts |= {name: getattr(self, name) for name in TEXTS if getattr(self, name)}
        return urlencode(parts | ({"measure": self.measure} if self.measure != "open" else {}))


def parse_street(raw: Mapping[str, Any], *, start: View) -> StreetView:
    """Return a view from anything a browser may send: a wrong part falls back."""
    measure = raw.get("measure")
    view = parse_view(raw, start=start)
    if str(raw.get("days")) in SHORT_DAYS:
        view = replace(view, days=int(raw["days"]))
    return StreetView(
        view=view,
        measure=measure if measure in get_args(Measure) else "open",
        **{name: read_text(raw.get(name)) for name in TEXTS},
    )


def read_text(value: Any, longest: int = _LONGEST) -> str:
    """Return a text of at most so many characters; anything else is empty."""
    return value.strip()[:longest] if isinstance(value, str) else ""
