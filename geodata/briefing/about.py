"""What a file says of itself: what it is, of when, by which rule, how many of how many, by whom."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from geodata.briefing.briefing import Briefing
from geodata.briefing.sentences import name_area, name_moment, name_period, name_title
from geodata.briefing.tables import ExportTable
from geodata.words import say

About = list[tuple[str, str]]


def describe_file(
    briefing: Briefing, *, what: str, rules: Sequence[str], head: str, by: str
) -> About:
    """Return what a file made from a briefing's dates is, as labels and values in its language."""
    lang, dates = briefing.wish.lang, briefing.dates
    rows = [
        ("title", name_title(briefing)),
        ("what", what),
        ("area", name_area(briefing)),
        ("period", name_period(briefing)),
        ("cut_off", name_moment(dates.cut_off, briefing.zone)),
        ("as_of", name_moment(briefing.as_of, briefing.zone)),
        ("revision", f"{briefing.revision}"),
        ("drawing", f"{briefing.drawing} ({say_drawing(briefing)})"),
        ("crs", say("briefing.about.lonlat", lang, crs=briefing.crs)),
        ("filter", say_filter(briefing)),
        *(("rule", rule) for rule in rules),
        ("by", by),
        ("head", head),
    ]
    return [(say(f"briefing.about.{key}", lang), value) for key, value in rows]


def describe_table(table: ExportTable, briefing: Briefing, *, head: str, by: str) -> About:
    """Return what a table is: as `describe_file`, with its rows of how many."""
    lang = briefing.wish.lang
    about = describe_file(
        briefing, what=say(f"briefing.table.{table.what}", lang), rules=table.rule, head=head, by=by
    )
    n, whole = f"{len(table.frame):,}", f"{table.whole:,}"
    told = say("briefing.about.rows_of", lang, n=n, whole=whole)
    return [*about[:2], (say("briefing.about.rows", lang), told), *about[2:]]


def say_drawing(briefing: Briefing) -> str:
    """Return since when the drawing is in force."""
    lang = briefing.wish.lang
    if briefing.drawing_from is None:
        return say("briefing.from_start", lang)
    day = name_moment(briefing.drawing_from, briefing.zone)[:10]
    return say("briefing.valid_from", lang, day=day)


def say_filter(briefing: Briefing) -> str:
    """Return what the figures are narrowed to besides area and period."""
    wish = briefing.wish
    state = say(f"briefing.state.{wish.state}", wish.lang)
    return f"{wish.category} · {state}" if wish.category else state


def say_caption(briefing: Briefing) -> str:
    """Return the line under every page and slide: as of when, which revision and drawing."""
    return say(
        "briefing.caption",
        briefing.wish.lang,
        at=name_moment(briefing.dates.cut_off, briefing.zone),
        as_of=name_moment(briefing.as_of, briefing.zone),
        revision=briefing.revision,
        drawing=briefing.drawing,
        drawing_from=say_drawing(briefing),
        crs=briefing.crs,
    )


def carry(briefing: Briefing, *, head: str, issue: int | None, **more: Any) -> dict[str, Any]:
    """Return what travels inside a file: the briefing, the log's head, the issue's number."""
    return {**briefing.as_json(), "head": head, "issue": issue, "digest": briefing.digest, **more}
