"""What a street page shows, as plain data that is also its address."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import date, datetime, time, timedelta
from typing import Any, Literal, get_args
from urllib.parse import urlencode
from zoneinfo import ZoneInfo

from dashboard.view import View, find_codes, parse_view
from geodata.events.incidents import STAGES
from geodata.figures.period import Period, choose_period
from geodata.snapshots.facts import Facts
from geodata.snapshots.snapshot import Filter
from geodata.words import say

Measure = Literal["total", "open", "overdue", "change"]
_LONGEST = 120
SHORT_DAYS = ("1", "7")  # outside a scope nothing is told of these
TEXTS = ("kind", "source", "body", "stage")
SPAN, AGAINST = ("from", "to"), ("vs_from", "vs_to")  # a span's days in an address
_YEARS = range(1970, 2201)


@dataclass(frozen=True, slots=True, kw_only=True)
class DaySpan:
    """Days that somebody chose, the first and the last of them both included."""

    first: date
    last: date

    def period(self, zone: str) -> Period:
        """Return the reports from the first local midnight up to the one after the last day."""
        local = ZoneInfo(zone)
        days = (self.first, self.last + timedelta(days=1))
        since, until = (int(datetime.combine(day, time(), local).timestamp()) for day in days)
        return Period(since=since, until=until)

    def __str__(self) -> str:
        """Return both days as people write them."""
        return str(self.first) if self.first == self.last else f"{self.first} – {self.last}"


@dataclass(frozen=True, slots=True, kw_only=True)
class StreetView:
    """
    One street page. `view` has language, theme, days, state and category; the rest are texts.

    Texts and no codes: what a link calls a kind by outlives the numbers of a store. `span` takes
    the place of the last `days`; `against` that of the period before, wherever two are compared.
    """

    view: View
    kind: str = ""
    source: str = ""
    body: str = ""
    stage: str = ""
    measure: Measure = "open"
    span: DaySpan | None = None
    against: DaySpan | None = None

    def period(self, facts: Facts, now: int) -> Period:
        """Return the days that were chosen, else the period that ends with the newest data."""
        if self.span is not None:
            return self.span.period(facts.zone)
        return choose_period(facts, days=self.view.days, now=now)

    def name_period(self) -> str:
        """Return in words when the cases that count were reported."""
        days, lang = self.view.days, self.view.lang
        if self.span is not None:
            return say("street.period_span", lang, days=str(self.span))
        if not days:
            return say("street.period_all", lang)
        return say("street.period_days", lang, n=days)

    def name_measure(self) -> str:
        """Return in words what the map is coloured by."""
        chosen = self.measure == "change" and self.against is not None
        return say(
            "street.measure_against" if chosen else f"street.measure_{self.measure}", self.view.lang
        )

    def filter(self, facts: Facts, now: int) -> Filter:
        """Return the filter; a text that is unknown lets nothing through."""
        period = self.period(facts, now)
        return replace(
            self.view.filter(facts, now),
            since=period.since,
            until=period.until,
            kinds=find_codes(facts.kind_terms, self.kind),
            sources=find_codes(facts.source_terms, self.source),
            bodies=find_codes(facts.body_terms, self.body),
            stages=find_codes(dict(enumerate(STAGES)), self.stage),
        )

    def query(self, facts: Facts, now: int) -> str:
        """Return the query that every filtered picture of this page carries."""
        more: dict[str, Any] = {name: getattr(self, name) for name in TEXTS if getattr(self, name)}
        if self.span is None:
            own = self.view.query(facts, now)
        else:
            period = self.span.period(facts.zone)
            own = replace(self.view, days=0).query(facts, now)
            more |= {"since": period.since, "until": period.until}
        return "&".join(part for part in (own, urlencode(more)) if part)

    def link(self) -> str:
        """Return what an address of this page carries after its question mark."""
        view = self.view
        parts: dict[str, Any] = {"lang": view.lang, "theme": view.theme, "days": view.days}
        parts |= {"state": view.state} if view.state != "all" else {}
        parts |= {"category": view.category} if view.category is not None else {}
        parts |= {name: getattr(self, name) for name in TEXTS if getattr(self, name)}
        for names, span in ((SPAN, self.span), (AGAINST, self.against)):
            if span is not None:
                parts |= dict(zip(names, (span.first, span.last), strict=True))
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
        span=_read_span(raw, SPAN),
        against=_read_span(raw, AGAINST),
        **{name: read_text(raw.get(name)) for name in TEXTS},
    )


def read_text(value: Any, longest: int = _LONGEST) -> str:
    """Return a text of at most so many characters; anything else is empty."""
    return value.strip()[:longest] if isinstance(value, str) else ""


def _read_span(raw: Mapping[str, Any], names: tuple[str, str]) -> DaySpan | None:
    """Return the days of an address in their order; one alone is a single day, nonsense is none."""
    days = [_read_day(raw.get(name)) for name in names]
    known = sorted(day for day in days if day is not None)
    return DaySpan(first=known[0], last=known[-1]) if known else None


def _read_day(value: Any) -> date | None:
    try:
        day = date.fromisoformat(read_text(value))
    except ValueError:
        return None
    return day if day.year in _YEARS else None
