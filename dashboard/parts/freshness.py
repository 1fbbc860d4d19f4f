"""How fresh the figures of a screen are: the newest data, when lateness was judged, who lags."""

from __future__ import annotations

from collections.abc import Sequence

from dashboard.parts import numbers
from geodata.access.sight import Sight
from geodata.events.sources import SourceState, find_laggard, name_source, report_sources
from geodata.words import Lang, say


def tell_as_of(sight: Sight, *, now: int, lang: Lang) -> str:
    """Return as of when the figures are, by when lateness was judged, and which source lags."""
    if not sight.as_of:
        return say("page.as_of_nothing", lang)
    told = say(
        "page.as_of",
        lang,
        at=numbers.moment(sight.as_of, sight.zone),
        age=numbers.span(max(now - sight.as_of, 0), lang),
        judged=numbers.moment(now, sight.zone, with_day=False),
    )
    return told + tell_laggard(report_sources(sight.city, now=now).sources, sight, lang)


def tell_laggard(sources: Sequence[SourceState], sight: Sight, lang: Lang) -> str:
    """Return which source that is alive was heard longest ago; "" where none lags behind."""
    found = find_laggard(sources, stale_after_s=sight.city.settings.stale_after_s)
    if found is None:
        return ""
    age = numbers.span(found.age_s, lang)
    return say("page.as_of_oldest", lang, source=name_source(found.source, lang), age=age)
