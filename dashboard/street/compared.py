"""An area compared: with the period before, a year before, days of one's choice, its siblings."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from dashboard.parts import numbers
from dashboard.parts.overview import full_name
from dashboard.street.view import StreetView
from geodata.access.sight import Sight
from geodata.figures.area import AreaFigures, ChildFigures
from geodata.figures.comparison import Against, count_against, find_worst, rank_area
from geodata.figures.counts import Change, Rate
from geodata.figures.period import Period
from geodata.figures.tally import Tally, tally_areas
from geodata.words import Lang, say


def count_chosen(sight: Sight, area: AreaFigures, street: StreetView) -> Against | None:
    """Return the reports in the days that were chosen to compare with; None without any."""
    if street.against is None:
        return None
    return count_against(sight, area, period=street.against.period(sight.zone))


def count_ever(sight: Sight, area: AreaFigures) -> Tally | None:
    """Return the area's tally whenever its cases were reported; None where that is no other."""
    if not area.complete or area.period == Period():
        return None
    tallies = tally_areas(sight, period=Period(), filter=area.filter, now=area.now)
    return tallies.of_all() if area.grid is None or area.is_city else tallies.of(area.grid)


def describe_changes(
    area: AreaFigures, against: Against | None, street: StreetView, lang: Lang
) -> list[dict[str, Any]]:
    """Return each comparison in words: percent, both counts, and which way it goes."""
    rows = [
        _describe_change("before", say("figure.before", lang), area.previous, lang),
        _describe_change("last_year", say("figure.last_year", lang), area.last_year, lang),
    ]
    if not area.complete:
        told = say("street.hidden_comparison", lang)
        rows = [row | {"text": told} if not row["tone"] else row for row in rows]
    if street.against is not None:
        change = against and Change(now=area.own.total, before=against.total)
        label = say("street.against", lang, days=str(street.against))
        rows.append(_describe_change("against", label, change, lang))
    return rows


def _describe_change(key: str, label: str, change: Change | None, lang: Lang) -> dict[str, Any]:
    if change is None:
        return {"key": key, "label": label, "text": say("street.no_comparison", lang), "tone": ""}
    percent, both = change.percent(), f"{change.now:,} / {change.before:,}"
    tone = "" if change.now == change.before else "up" if change.now > change.before else "down"
    text = f"{percent} % ({both})" if percent else both
    return {"key": key, "label": label, "text": text, "tone": tone}


def change_of_child(
    child: ChildFigures, area: AreaFigures, against: Against | None, street: StreetView
) -> str | None:
    """Return a child's change in percent with its sign; None where nothing is told of one."""
    before = child.own.before
    if street.against is not None:
        before = None if against is None else against.children[child.uid]
    if not before or child.hidden or not area.complete:
        return None
    return Change(now=child.own.total, before=before).percent()


def describe_ranks(sight: Sight, area: AreaFigures, street: StreetView, lang: Lang) -> Any:
    """Return the area's places among its siblings; empty where it has none, or counts nothing."""
    if not area.own.total:
        return []
    against = None if street.against is None else street.against.period(sight.zone)
    return [
        {
            "key": rank.figure,
            "label": say(f"figure.{rank.figure}", lang),
            "place": say("street.rank", lang, n=rank.place, of=rank.of),
            "value": _name_value(rank.value),
            "then": say("street.rank_then", lang, n=rank.then) if rank.then else "",
        }
        for rank in rank_area(sight, area, against=against)
    ]


def describe_worst(sight: Sight, area: AreaFigures, lang: Lang) -> list[dict[str, Any]]:
    """Return the areas deeper than the table by child with most that is overdue, by name."""
    return [
        {
            "uid": one.uid,
            "code": one.code,
            "name": full_name(sight, one.uid),
            "level": say(f"level.{one.level}", lang),
            "open": numbers.count(one.open),
            "overdue": numbers.count(one.overdue),
        }
        for one in find_worst(sight, area)
    ]


def _name_value(value: int | Rate) -> str:
    return f"{value.percent()} %" if isinstance(value, Rate) else numbers.count(value)


def name_ever(ever: Tally | None, lang: Lang) -> Mapping[str, str]:
    """
    Return what stands below a key figure beside its period: how many there are in all.

    The wall counts what is open whenever it was reported: both numbers must be on one page.
    """
    if ever is None:
        return {}
    return {
        name: say("street.key_ever", lang, n=numbers.count(getattr(ever, name)))
        for name in ("open", "overdue", "due_soon", "suspended")
    }
