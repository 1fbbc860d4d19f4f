"""The view: what a screen shows, as plain data that is also its address."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any, get_args
from urllib.parse import parse_qs, urlencode

from geodata.access.sight import Sight
from geodata.events.incidents import STAGES
from geodata.events.periods import PERIODS_DAYS, begin_period
from geodata.snapshots.facts import Facts
from geodata.snapshots.snapshot import Filter, State
from geodata.words import LANGS, Lang
from layers.layer import THEMES, Picture, Theme

_OVERDUE_STEP_S = (
    600  # an overdue picture's address changes this often: time alone makes cases late
)
_MAX_GRID = 2**53


@dataclass(frozen=True, slots=True, kw_only=True)
class View:
    """
    What one screen shows. `shown` None means the layers that are on by default.

    Anything a browser sends is parsed by `parse_view` first, so these fields hold only what the
    program knows.
    """

    lang: Lang = "zh"
    theme: Theme = "dark"
    days: int = 90
    category: int | None = None
    state: State = "all"
    grid: int | None = None
    shown: tuple[str, ...] | None = None

    def filter(self, facts: Facts, now: int) -> Filter:
        """Return the filter: whole local days, ending at the newest data or now."""
        return Filter(
            since=first_day(facts, self.days, now) if self.days else None,
            categories=None if self.category is None else (self.category,),
            state=self.state,
        )

    def picture(self, sight: Sight, now: int) -> Picture:
        """Return the picture that layers draw of this view, within what the sight may see."""
        return Picture(
            facts=sight,
            scope=sight.scope,
            now=now,
            filter=self.filter(sight, now),
            lang=self.lang,
            theme=self.theme,
            heat_sigma_px=sight.city.settings.heat_sigma_px,
        )

    def query(self, facts: Facts, now: int) -> str:
        """Return the query that every filtered picture of this view carries."""
        chosen = self.filter(facts, now)
        parts: dict[str, Any] = {}
        if chosen.since is not None:
            parts["since"] = chosen.since
        if self.category is not None:
            parts["category"] = self.category
        if self.state != "all":
            parts["state"] = self.state
        if self.state == "overdue":
            parts["at"] = now - now % _OVERDUE_STEP_S
        return urlencode(parts)


def first_day(facts: Facts, days: int, now: int) -> int:
    """Return the local midnight that begins the last `days` days of the data (UTC s)."""
    return begin_period(days, end=min(facts.risk_from, now), zone=facts.zone)


def parse_view(raw: Any, *, start: View | None = None) -> View:
    """Return a view from anything: a wrong or missing part falls back to `start`'s."""
    start = start or View()
    if not isinstance(raw, Mapping):
        return start
    shown = raw.get("shown")
    return replace(
        start,
        lang=_one_of(raw.get("lang"), LANGS, start.lang),
        theme=_one_of(raw.get("theme"), THEMES, start.theme),
        days=_one_of(_whole(raw.get("days"), 0, 366), PERIODS_DAYS, start.days),
        category=_whole(raw.get("category"), 0, 2**31),
        state=_one_of(raw.get("state"), get_args(State), start.state),
        grid=_whole(raw.get("grid"), 0, _MAX_GRID),
        shown=tuple(item for item in shown if isinstance(item, str))
        if isinstance(shown, list)
        else start.shown,
    )


def parse_address(search: str | None, *, start: View | None = None) -> View:
    """Return the view that an address's query asks for."""
    parts: dict[str, Any] = {**read_query(search or "")}
    if "shown" in parts:
        parts["shown"] = [item for item in parts["shown"].split(",") if item]
    return parse_view(parts, start=start)


def read_query(search: str) -> dict[str, str]:
    """Return the texts of an address's query by name, the last of each."""
    return {name: values[-1] for name, values in parse_qs(search.lstrip("?")).items()}


def filter_from_query(query: Mapping[str, str], facts: Facts, now: int) -> Filter:
    """Return the filter that a picture's address carries; nonsense filters nothing."""
    category = _whole(query.get("category"), 0, len(facts.categories) - 1)
    return Filter(
        since=_whole(query.get("since"), 0, now + 86_400),
        until=_whole(query.get("until"), 0, now + 86_400),
        categories=None if category is None else (category,),
        state=_one_of(query.get("state"), get_args(State), "all"),
        kinds=find_codes(facts.kind_terms, query.get("kind")),
        sources=find_codes(facts.source_terms, query.get("source")),
        bodies=find_codes(facts.body_terms, query.get("body")),
        stages=find_codes(dict(enumerate(STAGES)), query.get("stage")),
    )


def find_codes(terms: Mapping[int, str], text: Any) -> tuple[int, ...] | None:
    """Return the codes of a text, none of them for one that is unknown; None without a text."""
    if not isinstance(text, str) or not text:
        return None
    return tuple(code for code, known in terms.items() if known == text)


def _one_of(value: Any, known: Any, otherwise: Any) -> Any:
    return value if isinstance(value, (str, int)) and value in known else otherwise


def _whole(value: Any, low: int, high: int) -> int | None:
    if isinstance(value, bool) or not isinstance(value, (str, int)):
        return None
    text = str(value)
    if not (text.isascii() and text.isdigit() and len(text) < 20):
        return None
    return int(text) if low <= int(text) <= high else None
