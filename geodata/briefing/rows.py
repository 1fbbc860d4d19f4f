"""The tables of a paper: key figures, areas below, categories, bodies, days; from its figures."""

from __future__ import annotations

from calendar import monthrange
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from itertools import groupby
from zoneinfo import ZoneInfo

from geodata.briefing.briefing import NOT_TOLD, Briefing, Figure
from geodata.words import say

KEY_FIGURES = (
    "total", "open", "overdue", "own", "own_open", "own_overdue", "closing", "previous",
    "last_year",
)  # fmt: skip
ALL_FIGURES = (
    "total", "open", "overdue", "own", "own_open", "own_overdue", "due_soon", "suspended",
    "completion", "closing", "on_time", "returned", "reopened", "previous", "last_year",
    "near_line", "unowned.total", "whole",
)  # fmt: skip
CHILD_COLUMNS = ("total", "open", "overdue", "closing")


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """One row: its name, its figures as printed, and the key that each was taken from."""

    name: str
    cells: tuple[str, ...]
    keys: tuple[str, ...]
    values: tuple[int | None, ...]  # for charts: exact counts, None where only bounds are told


def list_key_figures(briefing: Briefing, keys: tuple[str, ...] = ALL_FIGURES) -> list[Row]:
    """Return the figures of the area itself that are told, each with its name."""
    lang = briefing.wish.lang
    found = []
    for key in keys:
        if key == "own" and "total" in briefing.figures:  # the same, or part of its bounds
            continue
        if key in briefing.figures and briefing.figures[key].told:
            name = say(f"briefing.figure.{key.removesuffix('.total')}", lang)
            found.append(_row(briefing, name, (key,)))
    return found


def list_children(briefing: Briefing) -> list[Row]:
    """Return the areas below with their figures, the largest first, the unowned last."""
    lang = briefing.wish.lang
    keys = [key for key in _starts(briefing, "child.") if briefing.names.get(key)]
    rows = [
        _row(briefing, briefing.names[key], tuple(f"{key}.{name}" for name in CHILD_COLUMNS))
        for key in keys
    ]
    rows.sort(key=lambda row: -_size(briefing, row.keys[0]))
    if "unowned.total" in briefing.figures:
        name = say("briefing.figure.unowned", lang)
        rows.append(_row(briefing, name, tuple(f"unowned.{name}" for name in CHILD_COLUMNS)))
    return rows


def list_categories(briefing: Briefing) -> list[Row]:
    """Return the categories with their counts, the largest first."""
    return [
        _row(briefing, briefing.names[key], (f"{key}.total", f"{key}.overdue"))
        for key in _starts(briefing, "category.")
    ]


def list_bodies(briefing: Briefing) -> list[Row]:
    """Return the bodies that have overdue incidents, the most first."""
    return [
        _row(briefing, briefing.names[key], (f"{key}.overdue",))
        for key in _starts(briefing, "body.")
    ]


def list_days(briefing: Briefing) -> tuple[str, list[tuple[str, int]]]:
    """
    Return the reports of each day, of each month where there are many days, and the title's key.

    A month of which the period holds a part says its days: nobody takes it for a quiet one.
    """
    zone = ZoneInfo(briefing.zone)
    dates = [(datetime.fromtimestamp(at, UTC).astimezone(zone), n) for at, n in briefing.days]
    if len(dates) <= _MOST_DAYS:
        return "by_day", [(day.strftime("%m-%d"), n) for day, n in dates]
    found = []
    for (year, month), days in groupby(dates, key=lambda one: (one[0].year, one[0].month)):
        held = list(days)
        first, last = held[0][0].day, held[-1][0].day
        whole = (first, last) == (1, monthrange(year, month)[1])
        name = f"{year}-{month:02}" + ("" if whole else f" ({first}–{last})")
        found.append((name, sum(n for _, n in held)))
    return "by_month", found


_MOST_DAYS = 62


def _starts(briefing: Briefing, start: str) -> Iterator[str]:
    """Yield the beginnings of the keys of a list's rows, in their order, each once."""
    seen = set()
    for key in briefing.figures:
        of = key.rpartition(".")[0]
        if key.startswith(start) and of not in seen:
            seen.add(of)
            yield of


def _row(briefing: Briefing, name: str, keys: tuple[str, ...]) -> Row:
    figures = [briefing.figures.get(key) for key in keys]
    return Row(
        name=name,
        cells=tuple(NOT_TOLD if figure is None else figure.text for figure in figures),
        keys=keys,
        values=tuple(_exact(figure) for figure in figures),
    )


def _exact(figure: Figure | None) -> int | None:
    return figure.a if figure is not None and figure.kind == "count" else None


def _size(briefing: Briefing, key: str) -> int:
    figure = briefing.figures.get(key)
    return 0 if figure is None else figure.a or 0
