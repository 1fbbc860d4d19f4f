"""Numbers and moments as a person reads them."""

from __future__ import annotations

from datetime import UTC, datetime
from zoneinfo import ZoneInfo

from geodata.access.suppression import Span
from geodata.figures.counts import Rate
from geodata.words import Lang, say

_MINUTE_S, _HOUR_S, _DAY_S = 60, 3600, 86_400


NOT_TOLD = "–"


def count(value: int | Span | None) -> str:
    """Return a whole number with thousands apart; bounds as <3 or 12–14; None as a dash."""
    if value is None:
        return NOT_TOLD
    return value.text if isinstance(value, Span) else f"{value:,}"


def decimal(value: float, digits: int = 1) -> str:
    """Return a number with so many digits after the point."""
    return f"{value:,.{digits}f}"


def rate(value: Rate) -> str:
    """Return a share as 97.29 % (1,106/1,137), or a dash where there is nothing to divide by."""
    percent = value.percent()
    return f"{percent} % ({value.part:,}/{value.of:,})" if percent else NOT_TOLD


def moment(seconds: int, zone: str, *, with_day: bool = True) -> str:
    """Return a moment in the city's own time."""
    local = datetime.fromtimestamp(seconds, UTC).astimezone(ZoneInfo(zone))
    return local.strftime("%Y-%m-%d %H:%M" if with_day else "%H:%M")


def day(seconds: int, zone: str) -> str:
    """Return the local day of a moment."""
    return datetime.fromtimestamp(seconds, UTC).astimezone(ZoneInfo(zone)).strftime("%Y-%m-%d")


def span(seconds: int, lang: Lang) -> str:
    """Return a length of time in its largest whole unit."""
    for size, key in ((_DAY_S, "days"), (_HOUR_S, "hours"), (_MINUTE_S, "minutes")):
        if seconds >= size:
            return say(f"time.{key}", lang, n=seconds // size)
    return say("time.minutes", lang, n=0)


def plain(value: int | Span | None) -> int | str:
    """Return a count as a cell of a sheet: a number where it is exact, else its bounds in words."""
    return value if isinstance(value, int) else count(value)
