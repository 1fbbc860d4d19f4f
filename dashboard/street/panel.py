"""The right side of a street page: one area's figures in words, every number with its entry."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import replace
from typing import Any

import numpy as np
from flask import render_template

from dashboard.parts import numbers, totals
from dashboard.parts.freshness import tell_as_of
from dashboard.street.charts import draw_days
from dashboard.street.choices import category_names, source_names
from dashboard.street.compared import (
    change_of_child,
    count_chosen,
    count_ever,
    describe_changes,
    describe_ranks,
    describe_worst,
    name_ever,
)
from dashboard.street.lists import find_grid_names, list_oldest, list_waiting
from dashboard.street.responsible import describe_frequent
from dashboard.street.view import StreetView
from geodata.access.sight import Sight
from geodata.access.suppression import Span
from geodata.events.incidents import SIX_STEPS
from geodata.figures.area import AreaFigures, ChildFigures, Part
from geodata.figures.counts import Rate
from geodata.figures.hot_places import HotPlace, find_hot_places
from geodata.figures.tally import AGEING_DAYS, order_leaves
from geodata.snapshots.snapshot import Filter
from geodata.store.database import Connection
from geodata.words import Lang, say

RATES = ("completion", "closing", "on_time", "returned", "reopened")
_PARTS_SHOWN = 8


def draw_panel(sight: Sight, area: AreaFigures, street: StreetView, connection: Connection) -> str:
    """Return the panel as HTML; every value is escaped by the template."""
    lang = street.view.lang

    def speak(key: str, **named: Any) -> str:
        return say(key, lang, **named)

    # Late is late whenever it was reported; days that somebody chose narrow this list, too.
    ever = area if street.span else replace(area, filter=_forget_period(area.filter))
    rows, against = find_late(sight, ever), count_chosen(sight, area, street)
    in_all = name_ever(count_ever(sight, area), lang)
    return render_template(
        "street_panel.html",
        say=speak,
        base=sight.city.settings.base_path,
        lang=lang,
        link=street.link(),
        **describe_head(sight, area, lang),
        period=street.name_period(),
        keys=_describe_keys(area, in_all, lang),
        ranks=describe_ranks(sight, area, street, lang),
        rates=[_describe_rate(name, getattr(area.own, name), lang) for name in RATES],
        changes=describe_changes(area, against, street, lang),
        against=str(street.against or ""),
        trend=draw_days(area.days, sight.zone),
        steps=_describe_steps(area, lang),
        stages=_describe_stages(area, lang),
        ageing=_describe_ageing(area, lang),
        worst=describe_worst(sight, area, lang),
        children=[
            _describe_child(child, change_of_child(child, area, against, street), lang)
            for child in area.children
        ],
        child_level=_child_level(area, lang),
        parts={
            "category": _name_parts(area.categories, category_names(sight, lang)),
            "kind": _name_parts(area.kinds, sight.kind_names(lang), sight.kind_terms),
            "body": _name_parts(area.bodies, _body_names(sight, lang), sight.body_terms),
            "source": _name_parts(area.sources, source_names(sight, lang), sight.source_terms),
        },
        chosen={
            "category": street.view.category,
            **{name: getattr(street, name) for name in ("kind", "body", "source", "stage")},
        },
        things=_count_things(sight, area),
        responsible=describe_frequent(sight, area, connection, lang),
        oldest=list_oldest(sight, connection, rows, lang=lang, now=area.now),
        oldest_of=street.name_period() if street.span else say("street.period_all", lang),
        waiting=list_waiting(sight, connection, area, lang=lang),
        visible=numbers.count(area.own.total),
        notes=_describe_notes(sight, area, lang),
        blind=is_blind(sight, area),
        may_export=sight.scope.has("export"),
        may_act=sight.scope.has("act") or sight.scope.has("decide"),
    )


def find_rows(sight: Sight, area: AreaFigures) -> np.ndarray[Any, np.dtype[np.int64]]:
    """Return the rows of the snapshot that an area's figures count."""
    mask = sight.select(area.filter, area.now)
    if not area.is_city:
        mask = mask & _mark_owners(sight, area)[sight.snapshot.owner]
    return np.flatnonzero(mask)


def find_late(sight: Sight, area: AreaFigures) -> np.ndarray[Any, np.dtype[np.int64]]:
    """Return the rows of an area's late incidents, the longest first: few are looked at for it."""
    late = sight.late_rows(area.now)
    if area.filter != Filter():
        late = late[sight.select(area.filter, area.now)[late]]
    return late if area.is_city else late[_mark_owners(sight, area)[sight.snapshot.owner[late]]]


def _mark_owners(sight: Sight, area: AreaFigures) -> np.ndarray[Any, np.dtype[np.bool_]]:
    """Return which finest grids lie in an area; the last, where -1 points, is nobody's."""
    leaves = np.zeros(len(sight.grids.finest()) + 1, np.bool_)
    assert area.grid is not None
    leaves[order_leaves(sight).leaves(area.grid)] = True
    return leaves


def _forget_period(filter: Filter) -> Filter:
    return replace(filter, since=None, until=None)


def describe_head(sight: Sight, area: AreaFigures, lang: Lang) -> dict[str, Any]:
    """Return the area's name, its post with the duty line, and how fresh and complete it all is."""
    age = max(area.now - sight.as_of, 0)
    head: dict[str, Any] = {
        "name": say("street.whole_city", lang),
        "code": "",
        "level": "",
        "post": "",
        "duty_line": "",
        "as_of": tell_as_of(sight, now=area.now, lang=lang),
        "stale": age > sight.city.settings.stale_after_s,
        "n_of_n": say(
            "page.n_of_n",
            lang,
            n=numbers.count(area.total),
            of=numbers.count(area.own.whole) if area.complete else numbers.NOT_TOLD,
        ),
    }
    if area.grid is None:
        return head
    grids = sight.grids.grids
    row = grids.iloc[int(np.flatnonzero(grids["uid"].to_numpy() == area.grid)[0])]
    body = str(row["body"]) if isinstance(row["body"], str) else ""
    line = ""
    if body in sight.bodies.index and "duty_line" in sight.bodies:
        found = sight.bodies.at[body, "duty_line"]
        line = str(found) if isinstance(found, str) else ""
    return head | {
        "name": str(row["name"]),
        "code": str(row["code"]),
        "level": say(f"level.{row['level']}", lang),
        "post": sight.body_name(body, lang) if body else "",
        "duty_line": line,
    }


def _describe_keys(area: AreaFigures, ever: Mapping[str, str], lang: Lang) -> list[dict[str, Any]]:
    own = area.own
    counts = {
        "open": (area.open, "plain"),
        "overdue": (area.overdue, "red"),
        "due_soon": (own.due_soon if area.complete else None, "amber"),
        "suspended": (own.suspended if area.complete else None, "plain"),
        "total": (area.total, "plain"),
    }
    keys: list[dict[str, Any]] = [
        {
            "key": key,
            "label": say(f"figure.{key}", lang),
            "text": numbers.count(value),
            "tone": tone,
            "part": numbers.count(value),
            "of": "",
            "bounds": isinstance(value, Span),
            "ever": ever.get(key, ""),
        }
        for key, (value, tone) in counts.items()
    ]
    percent = own.closing.percent() if area.complete else None
    text = f"{percent} %" if percent else numbers.NOT_TOLD
    closing = {"key": "closing", "label": say("figure.closing", lang), "text": text}
    if area.complete:
        closing |= {"part": numbers.count(own.closing.part), "of": numbers.count(own.closing.of)}
    return [*keys, closing | {"tone": "plain", "bounds": True}]


def _describe_rate(key: str, rate: Any, lang: Lang) -> dict[str, Any]:
    return {
        "key": key,
        "label": say(f"figure.{key}", lang),
        "text": numbers.rate(rate),
        "part": rate.part,
        "of": rate.of,
    }


def _describe_steps(area: AreaFigures, lang: Lang) -> list[dict[str, Any]]:
    steps = [(say(f"stage.{name}", lang), area.own.steps[name], "") for name in SIX_STEPS]
    return _with_share(_bars(steps), area)


def _describe_stages(area: AreaFigures, lang: Lang) -> list[dict[str, Any]]:
    stages = [(say(f"stage.{name}", lang), n, name) for name, n in area.stages.items()]
    return _with_share(_bars(stages), area)


def _with_share(rows: list[dict[str, Any]], area: AreaFigures) -> list[dict[str, Any]]:
    """Return the bars with the share that each is of the area's visible cases, in percent."""
    for row in rows:
        row["percent"] = Rate(part=row["n"], of=area.own.total).percent()
    return rows


def _describe_ageing(area: AreaFigures, lang: Lang) -> list[dict[str, Any]]:
    names = name_ageing(lang)
    return _bars([(name, n, "") for name, n in zip(names, area.own.ageing, strict=True)])


def name_ageing(lang: Lang) -> list[str]:
    """Return the bands of days past the deadline in words."""
    limits = (0, *AGEING_DAYS)
    return [
        say("street.age_over", lang, since=limits[place])
        if place == len(AGEING_DAYS)
        else say("street.age_band", lang, since=limits[place], until=limits[place + 1])
        for place in range(len(limits))
    ]


def _bars(rows: Iterable[tuple[str, int, str]]) -> list[dict[str, Any]]:
    """Return names and counts, each with its share of the largest and the text it filters by."""
    listed = list(rows)
    most = max((n for _, n, _ in listed), default=0)
    return [
        {"name": name, "n": n, "share": round(100 * n / most) if most else 0, "pick": pick}
        for name, n, pick in listed
    ]


def _describe_child(child: ChildFigures, percent: str | None, lang: Lang) -> dict[str, Any]:
    closing = child.own.closing
    return {
        "uid": child.uid,
        "code": child.code,
        "name": child.name or say("figure.unowned", lang),
        "counts": [
            {"text": numbers.count(value), "sort": _sort_value(value)}
            for value in (child.total, child.open, child.overdue)
        ],
        # Bounds that begin at none are no sign that anything is late.
        "late": (child.overdue.low if isinstance(child.overdue, Span) else child.overdue or 0) > 0,
        "closing": {
            "text": f"{closing.percent()} %"
            if closing.of and not child.hidden
            else numbers.NOT_TOLD,
            "title": f"{closing.part:,}/{closing.of:,}",
            "sort": closing.part / closing.of if closing.of else -1,
        },
        "change": {
            "text": f"{percent} %" if percent else numbers.NOT_TOLD,
            "sort": float(percent) if percent else -1e9,
        },
    }


def _sort_value(value: int | Span | None) -> float:
    if value is None:
        return -1
    return float(value) if isinstance(value, int) else (value.low + value.high) / 2


def _child_level(area: AreaFigures, lang: Lang) -> str:
    levels = {child.level for child in area.children if child.level}
    return say(f"level.{levels.pop()}", lang) if len(levels) == 1 else say("street.parts", lang)


def _name_parts(parts: tuple[Part, ...], names: Any, texts: Any = None) -> dict[str, Any]:
    """Return the largest parts by name with what they filter by, and how many more there are."""
    shown = parts[:_PARTS_SHOWN]
    rows = _bars(
        (
            names.get(part.code) or "–",
            part.total,
            str(part.code) if texts is None else str(texts.get(part.code, "")),
        )
        for part in shown
    )
    for row, part in zip(rows, shown, strict=True):
        row["late"] = part.overdue
    return {
        "rows": rows,
        "more": len(parts) - len(shown),
        "rest": sum(p.total for p in parts[_PARTS_SHOWN:]),
    }


def _body_names(sight: Sight, lang: Lang) -> dict[int, str]:
    return {code: sight.body_name(text, lang) for code, text in sight.body_terms.items()}


def draw_hot(sight: Sight, area: AreaFigures, lang: Lang) -> str:
    """Return the hot places of an area as HTML: asked for after the panel, for it takes longer."""
    found = find_hot_places(sight, find_rows(sight, area), now=area.now)
    return render_template("street_hot.html", hot=_describe_hot(sight, found, lang))


def _describe_hot(sight: Sight, found: tuple[HotPlace, ...], lang: Lang) -> dict[str, Any]:
    grids = find_grid_names(sight, [(one.lon, one.lat) for one in found])
    return {
        "rows": [
            {
                "name": one.name
                or say(
                    f"street.hot_nameless_{one.kind}"
                    if one.near or one.kind != "building"
                    else "street.hot_nameless",
                    lang,
                    near=one.near,
                ),
                "kind": say(f"street.hot_{one.kind}", lang),
                "grid": grids.get(place, ""),
                "n": one.total,
                "late": one.overdue,
                "lon": one.lon,
                "lat": one.lat,
            }
            for place, one in enumerate(found)
        ],
        "note": say("street.hot_rule" if found else "street.hot_none", lang),
    }


def _count_things(sight: Sight, area: AreaFigures) -> dict[str, int]:
    """Return how many cameras and places lie in the area, of those the scope shows."""
    found = {}
    inside = np.ones(len(sight.grids.finest()) + 1, np.bool_)
    if not area.is_city:
        inside = _mark_owners(sight, area)
    for name, table in (("cameras", sight.cameras), ("places", sight.places)):
        found[name] = int(inside[table["owner"].to_numpy(np.int64)].sum())
    return found


def is_blind(sight: Sight, area: AreaFigures) -> bool:
    """Tell whether nothing of an area may be seen but bounds: noughts would read as figures."""
    if area.complete:
        return False
    finest = sight.grids.finest()["uid"].to_numpy()
    leaves = slice(None) if area.is_city else order_leaves(sight).leaves(area.grid or 0)
    return not any(sight.shows(int(uid)) for uid in finest[leaves])


def _describe_notes(sight: Sight, area: AreaFigures, lang: Lang) -> list[str]:
    """Return what narrows the page: the scope, and an area with nothing that may be seen."""
    notes = []
    if sight.outside is not None and not area.complete:
        at = totals.as_of(sight.outside, sight)
        notes.append(say("street.partly_hidden", lang, n=area.hidden_grids, at=at))
    if not area.own.total and area.complete:
        notes.append(say("street.nothing_here", lang))
    return notes
