"""Wording: numbers, moments and filters as a sheet prints them, to the screen's last digit."""

from __future__ import annotations

from datetime import UTC, datetime
from zoneinfo import ZoneInfo

from geodata.access.sight import Sight
from geodata.access.suppression import Span
from geodata.events.incidents import STAGES
from geodata.figures.counts import Rate
from geodata.snapshots.facts import UNMATCHED
from geodata.words import Lang, join, say
from layers.print.view import Subject

NOT_TOLD = "–"
_NAMES_SHOWN = 4


def print_count(count: int | Span | None) -> str:
    """Return a count with thousands apart, bounds as `<3` or `12–14`, a dash for what is hidden."""
    if count is None:
        return NOT_TOLD
    return count.text if isinstance(count, Span) else f"{count:,}"


def print_rate(rate: Rate) -> str:
    """Return a rate as 97.29 % (1,106/1,137)."""
    percent = rate.percent()
    return f"{percent} % ({rate.part:,}/{rate.of:,})" if percent else NOT_TOLD


def print_moment(at: int, zone: str) -> str:
    """Return a moment to the minute in the city's own time."""
    return _local(at, zone).strftime("%Y-%m-%d %H:%M")


def print_day(at: int, zone: str) -> str:
    """Return the local day of a moment."""
    return _local(at, zone).strftime("%Y-%m-%d")


def describe_period(subject: Subject) -> str:
    """Return the period in dates: first and last local day, whatever was chosen relatively."""
    if subject.view.period:
        return subject.view.period
    sight, filter = subject.sight, subject.view.filter
    last = min(sight.risk_from, subject.now) if filter.until is None else filter.until - 1
    end = print_day(last, sight.zone)
    if filter.since is None:
        return say("sheet.period_until", subject.lang, end=end)
    begin = print_day(filter.since, sight.zone)
    return say("sheet.period", subject.lang, begin=begin, end=end)


def describe_filter(subject: Subject) -> str:
    """Return in words what else the filter lets through; empty where it is everything."""
    lang, filter = subject.lang, subject.view.filter
    parts = []
    if filter.categories is not None:
        names = subject.sight.category_names(lang)
        shown = [names.get(number, "") for number in filter.categories]
        shown = [say("filter.unmatched", lang) if name == UNMATCHED else name for name in shown]
        parts.append(join(shown, lang))
    for codes, terms in (
        (filter.kinds, subject.sight.kind_names(lang)),
        (filter.sources, subject.sight.source_terms),
        (filter.bodies, _body_names(subject)),
    ):
        if codes is not None:
            parts.append(join([terms.get(code, NOT_TOLD) for code in codes] or [NOT_TOLD], lang))
    if filter.stages is not None:
        parts.append(join([say(f"stage.{STAGES[code]}", lang) for code in filter.stages], lang))
    if filter.state != "all":
        parts.append(say(f"filter.{filter.state}", lang))
    return say("sheet.only", lang, what=join(parts, lang)) if parts else ""


def _body_names(subject: Subject) -> dict[int, str]:
    sight = subject.sight
    return {code: sight.body_name(text, subject.lang) for code, text in sight.body_terms.items()}


def describe_scope(sight: Sight, lang: Lang) -> str:
    """Return whose eyes the sheet is for; empty where they see everything."""
    if sight.outside is None:
        return ""
    names = sight.names() or (say("scope.nowhere", lang),)
    shown = join(names[:_NAMES_SHOWN], lang)
    if len(names) > _NAMES_SHOWN:
        shown = say("scope.and_more", lang, names=shown, n=len(names))
    return say("scope.narrowed" if sight.rows else "scope.aggregates", lang, names=shown)


def name_place(subject: Subject) -> str:
    """Return the name of what the sheet is about: the city, or the area with the one above it."""
    sight, area = subject.sight, subject.view.area
    settings = sight.city.settings
    city = settings.name_zh if subject.lang == "zh" else settings.name_en
    if area is None:
        return city
    *above, name = sight.grids.path_names(area)
    if not above or above[-1] == city or name.startswith(above[-1]):
        return name
    return say("sheet.place", subject.lang, above=above[-1], name=name)


def _local(at: int, zone: str) -> datetime:
    return datetime.fromtimestamp(at, UTC).astimezone(ZoneInfo(zone))
