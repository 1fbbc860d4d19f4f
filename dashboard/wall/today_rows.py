"""What the wall says of today: hour by hour, kind by kind, what came last, and what grids have."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from dashboard.parts import numbers
from dashboard.parts.overview import full_name
from dashboard.view import first_day
from geodata.access.sight import Sight
from geodata.wall.lately import find_lately
from geodata.wall.newest import list_newest
from geodata.wall.usual import HOURS, GroupToday, Today, compare_groups
from geodata.words import Lang, say

CATEGORIES_SHOWN, NEWEST_SHOWN = 6, 4
MOSTLY_DAYS, _MOSTLY = 28, 2
_WORTH = 1 / 3  # of the most, below which a second is not worth a word
_HEADROOM = 1.15  # over the tallest bar, for its mark


def describe_hours(today: Today) -> list[dict[str, Any]]:
    """Return 24 bars in percent of the tallest of today and usual; later hours have none."""
    tall = _HEADROOM * max([*today.hours, *(high for _, _, high in today.usual), 1])
    rows = []
    for hour in range(HOURS):
        n = today.hours[hour] if hour < len(today.hours) else None
        row: dict[str, Any] = {"hour": hour, "n": n, "now": hour == len(today.hours) - 1}
        if n is not None:
            row["bar"] = 100 * n / tall
        if today.usual:
            low, mid, high = today.usual[hour]
            row |= {"low": 100 * low / tall, "mid": 100 * mid / tall, "high": 100 * high / tall}
            row["above"] = n is not None and n > high
        rows.append(row)
    return rows


def describe_categories(sight: Sight, now: int, lang: Lang) -> list[dict[str, Any]]:
    """Return the categories of today, the unusual ones first, each with what is usual by now."""
    lately = find_lately(sight, now=now)
    found = compare_groups(
        sight.snapshot.category[lately.rows], lately.steps[0], now=now, zone=sight.zone
    )
    names = sight.category_names(lang)
    return [
        {
            "name": names.get(one.group) or say("desk.no_kind", lang),
            "n": one.n,
            "above": one.excess > 0,
            "usual": _name_usual(one, lang),
        }
        for one in found[:CATEGORIES_SHOWN]
    ]


def _name_usual(one: GroupToday, lang: Lang) -> str:
    if one.usual is None:
        return ""
    low, high = (round(edge) for edge in one.usual)
    return say("wall.usual" if low < high else "wall.usual_one", lang, low=low, high=high)


def describe_newest(sight: Sight, now: int, lang: Lang) -> list[dict[str, Any]]:
    """Return the newest steps of cases: when, which, of what kind, in which grid."""
    uids = sight.grids.finest()["uid"].to_numpy()
    names = sight.kind_names(lang)
    return [
        {
            "at": numbers.moment(one.at, sight.zone, with_day=False),
            "step": say(f"stage.{one.step}", lang),
            "kind": names.get(one.kind) or say("desk.no_kind", lang),
            "grid": full_name(sight, int(uids[one.owner]))
            if one.owner >= 0
            else say("wall.alarm_nowhere", lang),
        }
        for one in list_newest(sight, now=now, most=NEWEST_SHOWN)
    ]


def name_mostly(sight: Sight, rows: Sequence[int], *, now: int, lang: Lang) -> dict[int, str]:
    """Return by grid row what most of its last MOSTLY_DAYS days were about, with counts."""
    snapshot = sight.snapshot
    since = first_day(sight, MOSTLY_DAYS, now)
    names = sight.category_names(lang)
    lately = find_lately(sight, now=now)
    found = lately.rows[lately.steps[0] >= since]
    found = found[np.isin(snapshot.owner[found], rows)]
    told = {}
    for row in rows:
        groups, counts = np.unique(
            snapshot.category[found[snapshot.owner[found] == row]], return_counts=True
        )
        most = np.argsort(-counts, kind="stable")[:_MOSTLY]
        most = most[counts[most] >= _WORTH * counts.max(initial=0)].tolist()
        parts = [
            f"{names.get(int(groups[k])) or '–'} {numbers.count(int(counts[k]))}" for k in most
        ]
        told[row] = say("wall.mostly", lang, kinds=tuple(parts)) if parts else ""
    return told
