"""The written page: sentences made by rules, each from figures that are kept beside it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

from geodata.briefing.briefing import WORST, Briefing
from geodata.words import Lang, join, say

_TOP = 3


@dataclass(frozen=True, slots=True, kw_only=True)
class Sentence:
    """One sentence and the keys of the figures whose numbers stand in it; never without one."""

    text: str
    figures: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Section:
    """A heading with its sentences."""

    title: str
    sentences: tuple[Sentence, ...]


def write_page(briefing: Briefing, *, further: tuple[Sentence, ...] = ()) -> tuple[Section, ...]:
    """
    Return the page: counts and changes, kinds, the worst grids and why, what is late and whose.

    Then what is uncertain, and `further`: what differs from the issue before. A sentence is written
    only where every number in it is known; a section only where it has a sentence.
    """
    writer = _Writer(briefing)
    found = (
        ("counts", writer.tell_counts()),
        ("kinds", writer.tell_kinds()),
        ("worst", writer.tell_worst()),
        ("late", writer.tell_late()),
        ("doubt", writer.tell_doubt()),
        ("changes", list(further)),
    )
    lang = briefing.wish.lang
    told = [(say(f"briefing.section.{key}", lang), lines) for key, lines in found if lines]
    numbers = say("briefing.ordinals", lang)
    return tuple(
        Section(
            title=say("briefing.heading", lang, number=number, title=title), sentences=tuple(lines)
        )
        for number, (title, lines) in zip(numbers, told, strict=False)
    )


def name_title(briefing: Briefing) -> str:
    """Return the paper's title."""
    lang = briefing.wish.lang
    return say("briefing.title", lang, area=name_area(briefing), period=name_period(briefing))


def name_area(briefing: Briefing) -> str:
    """Return the area's name, the city's for the whole."""
    return briefing.area_name or briefing.city[briefing.wish.lang]


def name_period(briefing: Briefing) -> str:
    """Return the period's days in words, a month as a month."""
    dates, lang = briefing.dates, briefing.wish.lang
    if dates.since is None:
        return say("briefing.period.all", lang)
    zone = ZoneInfo(briefing.zone)
    first = datetime.fromtimestamp(dates.since, UTC).astimezone(zone).date()
    if dates.until is None:
        return say("briefing.period.from", lang, first=first.isoformat())
    last = datetime.fromtimestamp(dates.until, UTC).astimezone(zone).date() - timedelta(days=1)
    following = last + timedelta(days=1)
    if first.day == following.day == 1 and (following - first).days <= _MONTH_DAYS:
        month = first.strftime("%B") if lang == "en" else first.month
        return say("briefing.period.month", lang, year=first.year, month=month)
    if first == last:
        return say("briefing.period.day", lang, first=first.isoformat())
    return say("briefing.period.days", lang, first=first.isoformat(), last=last.isoformat())


_MONTH_DAYS = 31


def name_days(briefing: Briefing) -> str:
    """Return the period as it stands in a file's name, such as 2026-10 or 2026-10-01_2026-10-15."""
    dates = briefing.dates
    if dates.since is None:
        return name_moment(dates.cut_off, briefing.zone)[:10]
    first = name_moment(dates.since, briefing.zone)[:10]
    if dates.until is None:
        return f"{first}_{name_moment(dates.cut_off, briefing.zone)[:10]}"
    last = name_moment(dates.until - 1, briefing.zone)[:10]
    months = first[:7] == last[:7] and first.endswith("-01")
    whole = name_moment(dates.until, briefing.zone)[8:10] == "01"
    return first[:7] if months and whole else f"{first}_{last}"


def name_moment(seconds: int, zone: str) -> str:
    """Return a moment in the city's own time."""
    return (
        datetime.fromtimestamp(seconds, UTC).astimezone(ZoneInfo(zone)).strftime("%Y-%m-%d %H:%M")
    )


class _Writer:
    def __init__(self, briefing: Briefing) -> None:
        self._of = briefing
        self._lang: Lang = briefing.wish.lang

    def tell_counts(self) -> list[Sentence]:
        """Tell how many came in and how that compares, what is open, and the rates."""
        of = self._of
        area, period = name_area(of), name_period(of)
        at = name_moment(of.dates.cut_off, of.zone)
        if "total" in of.figures:
            told = [self._say("total", {"total": "total"}, area=area, period=period)]
        else:
            told = [self._say("own", {"total": "own"}, area=area, period=period)]
        for key in ("previous", "last_year"):
            told.append(self._say(f"{key}.{self._way(key)}", {"change": key}))
        told += [
            self._say("open", {"open": "open", "overdue": "overdue"}, at=at),
            self._say("open", {"open": "own_open", "overdue": "own_overdue"}, at=at),
            self._say("soon", {"soon": "due_soon", "suspended": "suspended"}),
            self._say("rates", {"completion": "completion", "closing": "closing"}),
            self._say("on_time", {"on_time": "on_time"}),
            self._say("again", {"returned": "returned", "reopened": "reopened"}),
        ]
        return _only(told)

    def tell_kinds(self) -> list[Sentence]:
        """Tell which categories were most, and which of them are late."""
        keys = [
            key.removesuffix(".total")
            for key in self._of.figures
            if key.startswith("category.") and key.endswith(".total")
        ]
        told = [self._list("most", [(key, f"{key}.total") for key in keys[:_TOP]])]
        late = [key for key in keys if self._number(f"{key}.overdue")]
        late.sort(key=lambda key: -self._number(f"{key}.overdue"))
        told.append(self._list("most_late", [(key, f"{key}.overdue") for key in late[:_TOP]]))
        return _only(told)

    def tell_worst(self) -> list[Sentence]:
        """Tell the three worst grids and why: how many are late, of what, since when."""
        told = []
        for place in range(1, WORST + 1):
            key = f"worst.{place}"
            name, main = (self._of.names.get(part, "") for part in (key, f"{key}.main"))
            of = {"total": f"{key}.total", "open": f"{key}.open", "overdue": f"{key}.overdue",
                  "n": f"{key}.main"}  # fmt: skip
            if self._number(f"{key}.overdue"):
                of["days"] = f"{key}.oldest_days"
                told.append(self._say("worst", of, place=place, name=name, main=main))
            else:
                of.pop("overdue")
                told.append(self._say("worst_open", of, place=place, name=name, main=main))
        return _only(told)

    def tell_late(self) -> list[Sentence]:
        """Tell how old what is overdue is, and whose it is."""
        if not (self._number("overdue") or self._number("own_overdue")):
            return []
        ages = {f"age{place}": f"ageing.{place}" for place in range(5)}
        bodies = [key.removesuffix(".overdue") for key in self._of.figures
                  if key.startswith("body.")]  # fmt: skip
        told = [
            self._say("ageing", ages),
            self._say("oldest", {"days": "oldest_days"}),
            self._list("whose", [(key, f"{key}.overdue") for key in bodies], n="late_bodies"),
        ]
        return _only(told)

    def tell_doubt(self) -> list[Sentence]:
        """Tell what the figures leave open."""
        told = []
        if self._number("unowned.total"):
            told.append(self._say("unowned", {"n": "unowned.total", "total": "total"}))
        if self._number("near_line"):
            told.append(self._say("near_line", {"n": "near_line", "total": "own"}))
        if self._number("hidden_grids"):
            told.append(self._say("hidden", {"n": "hidden_grids"}))
        if "total" in self._of.figures and self._of.figures["total"].kind == "bounds":
            told.append(self._say("bounds", {"total": "total"}))
        told.append(
            self._say("known", {"n": "sources", "total": "whole"},
                      at=name_moment(self._of.as_of, self._of.zone))
        )  # fmt: skip
        return _only(told)

    def _number(self, key: str) -> int:
        figure = self._of.figures.get(key)
        return 0 if figure is None else (figure.b if figure.kind == "bounds" else figure.a) or 0

    def _way(self, key: str) -> str:
        figure = self._of.figures.get(key)
        if figure is None or figure.a is None or figure.b is None or figure.a == figure.b:
            return "same"
        return "more" if figure.a > figure.b else "less"

    def _say(self, key: str, of: Mapping[str, str], **words: object) -> Sentence | None:
        """Return a sentence, None where one of its figures is not told."""
        figures = [self._of.figures.get(name) for name in of.values()]
        if not all(figure is not None and figure.told for figure in figures):
            return None
        numbers = {  # a change says up or down in words
            name: figure.text.lstrip("+-")
            for name, figure in zip(of, figures, strict=True)
            if figure
        }
        text = say(f"briefing.say.{key}", self._lang, **numbers, **words)
        return Sentence(text=text, figures=tuple(of.values()))

    def _list(self, key: str, rows: list[tuple[str, str]], **of: str) -> Sentence | None:
        """Return a sentence with a list of names and their numbers."""
        rows = [row for row in rows if row[1] in self._of.figures]
        if not rows:
            return None
        listed = join(
            [
                say("briefing.say.item", self._lang, name=self._of.names.get(name, ""),
                    n=self._of.figures[figure].text)
                for name, figure in rows
            ],
            self._lang,
        )  # fmt: skip
        found = self._say(key, of, list=listed)
        if found is None:
            return None
        return Sentence(text=found.text, figures=(*found.figures, *(row[1] for row in rows)))


def _only(told: list[Sentence | None]) -> list[Sentence]:
    return [one for one in told if one is not None]
