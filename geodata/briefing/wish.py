"""What a briefing is asked to be, and the dates that its relative parts become when it runs."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import asdict, dataclass, fields
from datetime import UTC, date, datetime, timedelta
from typing import Any, get_args
from zoneinfo import ZoneInfo

from geodata.errors import BadSetting, Fault
from geodata.events.periods import PERIODS_DAYS, begin_period
from geodata.figures.period import Period
from geodata.snapshots.snapshot import State
from geodata.words import LANGS, Lang

AT_RUN = "run"  # the cut-off of a briefing that is computed as of the minute it is made
ALL = "all"
LAST = ("last-month", "last-week", "last-quarter", "last-year")
THIS = ("this-month", "this-quarter", "this-year")
PERIODS = (*LAST, *THIS, *(f"{days}d" for days in PERIODS_DAYS if days), ALL)
_LONGEST_TEXT = 200
_QUARTER_MONTHS = 3
_MINUTE_S = 60


@dataclass(frozen=True, slots=True, kw_only=True)
class Wish:
    """
    What a briefing is asked to be, as a recipe keeps it.

    `area` is a grid's code of any level, empty for the whole city; `period` one of PERIODS, a year,
    a month (2026-10), a quarter (2026-Q3), a day, or two days (2026-10-01..2026-10-15, both
    included); `cut_off` "run", a moment, or "+N": N days after the period's end. `category` is a
    category's own name, empty for all. `layer` is what the map shows.
    """

    area: str = ""
    period: str = "last-month"
    cut_off: str = AT_RUN
    category: str = ""
    state: State = "all"
    layer: str = ""
    lang: Lang = "zh"

    def as_json(self) -> dict[str, Any]:
        """Return the wish as plain data; `parse_wish` reads it back."""
        return asdict(self)


@dataclass(frozen=True, slots=True, kw_only=True)
class Dates:
    """A period and a cut-off as moments (UTC s): reports in [since, until), known at `cut_off`."""

    since: int | None
    until: int | None
    cut_off: int

    @property
    def period(self) -> Period:
        """Return the period as the figures take it."""
        return Period(since=self.since, until=self.until)


def parse_wish(raw: Mapping[str, Any]) -> Wish:
    """Return a wish from anything that a form, an address or a file brings; raises BadSetting."""
    known = {item.name: str(item.default) for item in fields(Wish)}
    values: dict[str, Any] = {}
    for name, default in known.items():
        value = raw.get(name) or default
        if not isinstance(value, str) or len(value) > _LONGEST_TEXT or not value.isprintable():
            raise BadSetting(Fault(key="briefing_text", values={"name": name}))
        values[name] = value.strip()
    if values["lang"] not in LANGS:
        raise BadSetting(Fault(key="briefing_lang"))
    if values["state"] not in get_args(State):
        known_states = ", ".join(get_args(State))
        raise BadSetting(Fault(key="briefing_state", values={"known": known_states}))
    wish = Wish(**values)
    _parse_days(wish.period, today=date(2000, 1, 1))
    return wish


def find_dates(wish: Wish, *, now: int, zone: str, newest: int) -> Dates:
    """
    Return the dates that a wish means when it runs at `now` (UTC s).

    `newest` is when the newest data end: the lengths that screens offer ("28d") end there. Raises
    BadSetting for a period or a cut-off that cannot be read, or lies ahead.
    """
    local = ZoneInfo(zone)
    today = datetime.fromtimestamp(now, UTC).astimezone(local).date()
    days = _parse_days(wish.period, today=today)
    since: int | None
    until: int | None
    if isinstance(days, int):
        since = begin_period(days, end=min(newest, now), zone=zone) if days else None
        until = None
    else:
        if days[0] > today:
            raise BadSetting(Fault(key="briefing_ahead"))
        # Of a period that is not over, the days until today: what is compared must be as long.
        end = min(days[1], today + timedelta(days=1))
        since, until = _midnight(days[0], local), _midnight(end, local)
    return Dates(since=since, until=until, cut_off=_find_cut_off(wish, until, now, local))


def _find_cut_off(wish: Wish, until: int | None, now: int, zone: ZoneInfo) -> int:
    text, minute = wish.cut_off, now - now % _MINUTE_S
    if text == AT_RUN:
        return minute
    try:
        if text.startswith("+"):
            end = datetime.fromtimestamp(now if until is None else until, UTC).astimezone(zone)
            moment = _midnight(end.date() + timedelta(days=int(text[1:])), zone)
        else:
            asked = datetime.fromisoformat(text)
            moment = int((asked if asked.tzinfo else asked.replace(tzinfo=zone)).timestamp())
    except (ValueError, OverflowError) as error:
        raise BadSetting(Fault(key="briefing_cut_off", values={"text": text})) from error
    if moment > now:
        raise BadSetting(Fault(key="briefing_cut_off_ahead"))
    return moment - moment % _MINUTE_S


_MONTH = re.compile(r"(\d{4})-(\d{2})")
_QUARTER = re.compile(r"(\d{4})-?[Qq]([1-4])")
_YEAR = re.compile(r"\d{4}")


def _parse_days(text: str, *, today: date) -> tuple[date, date] | int:
    """Return the first day and the one after the last, or how many days of the newest data."""
    if text == ALL:
        return 0
    if text in PERIODS and text.endswith("d"):
        return int(text[:-1])
    try:
        if text in (*LAST, *THIS):
            return _relative_days(text, today)
        return _absolute_days(text)
    except ValueError as error:
        known = ", ".join(PERIODS)
        raise BadSetting(
            Fault(key="briefing_period", values={"text": text, "known": known})
        ) from error


def _relative_days(text: str, today: date) -> tuple[date, date]:
    if text == "last-week":
        monday = today - timedelta(days=today.weekday())
        return monday - timedelta(days=7), monday
    months = {"month": 1, "quarter": _QUARTER_MONTHS, "year": 12}[text.partition("-")[2]]
    first = date(today.year, (today.month - 1) // months * months + 1, 1)
    if text in THIS:
        return first, _add_months(first, months)
    return _add_months(first, -months), first


def _absolute_days(text: str) -> tuple[date, date]:
    if matched := _MONTH.fullmatch(text):
        first = date(int(matched[1]), int(matched[2]), 1)
        return first, _add_months(first, 1)
    if matched := _QUARTER.fullmatch(text):
        first = date(int(matched[1]), (int(matched[2]) - 1) * _QUARTER_MONTHS + 1, 1)
        return first, _add_months(first, _QUARTER_MONTHS)
    if _YEAR.fullmatch(text):
        return date(int(text), 1, 1), date(int(text) + 1, 1, 1)
    begin, _, end = text.partition("..")
    first, last = date.fromisoformat(begin), date.fromisoformat(end or begin)
    if last < first:
        raise ValueError(text)
    return first, last + timedelta(days=1)


def _add_months(day: date, months: int) -> date:
    number = day.year * 12 + day.month - 1 + months
    return date(number // 12, number % 12 + 1, 1)


def _midnight(day: date, zone: ZoneInfo) -> int:
    return int(datetime(day.year, day.month, day.day, tzinfo=zone).timestamp())
