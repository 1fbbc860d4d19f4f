"""The atlas: a sheet for each area of a level, with contents, changes, index and bookmarks."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any, Final

import numpy as np

from geodata.access.sight import Sight
from geodata.errors import BadSetting, Fault, GetuError, NotFound
from geodata.figures.area import AreaFigures, count_area
from geodata.figures.period import Period, find_period_before
from geodata.levels import LEVELS
from geodata.pinyin import spell_name
from geodata.words import Lang, say
from layers.print.atlas_page import ATLAS
from layers.print.lettering import print_text
from layers.print.margin import Imprint, list_imprint
from layers.print.page import Page
from layers.print.sheet import Sheet, draw_sheet
from layers.print.typesetting import compile_pages, list_leaves, tell_document
from layers.print.view import PrintView, Subject
from layers.print.wording import (
    NOT_TOLD,
    describe_period,
    name_place,
    print_count,
    print_day,
    print_rate,
)

MOST_SHEETS: Final = 300
_MOST_INDEXED = 8_000
_WORDS = ("contents", "changes", "index", "page", "page_of")

Progress = Callable[[str, float], None]


@dataclass(frozen=True, slots=True, kw_only=True)
class AtlasWish:
    """
    What an atlas holds: a view, the level whose areas get a sheet each, and the page.

    `before` is the period of the last issue; None: the period before this one, of equal length.
    """

    view: PrintView
    level: str
    page: Page
    before: Period | None = None


def draw_atlas(
    sight: Sight,
    wish: AtlasWish,
    *,
    lang: Lang,
    now: int,
    imprint: Imprint,
    progress: Progress | None = None,
    stopped: Callable[[], bool] | None = None,
) -> bytes:
    """
    Return an atlas as PDF: contents, changes since the last issue, overview, sheets, index.

    `stopped` is asked before each sheet; once it says yes GetuError is raised. Raises BadSetting
    for a level the city lacks or more than MOST_SHEETS areas, and as `draw_sheet` for the whole.
    """
    areas = find_areas_of(sight, wish)
    overview = draw_sheet(sight, wish.view, page=wish.page, lang=lang, now=now, imprint=imprint)
    tell = progress or _tell_nobody
    sheets: list[Sheet] = []
    for place, uid in enumerate(areas):
        if stopped is not None and stopped():
            raise GetuError(Fault(key="export_stopped"))
        view = replace(wish.view, area=uid, bounds=None, title="")
        sheets.append(
            draw_sheet(sight, view, page=wish.page, lang=lang, now=now, imprint=imprint, empty=True)
        )
        tell("progress.atlas", (place + 1) / (len(areas) + 1))
    subject = Subject(sight=sight, view=wish.view, now=now, lang=lang)
    leaves = [overview.leaf(), *(sheet.leaf(level=2) for sheet in sheets)]
    title = say("atlas.title", lang, place=name_place(subject))
    told: dict[str, Any] = {
        **tell_document(title=title, lang=lang, at=now),
        "sheets": list_leaves(leaves),
        "page": _tell_page(wish.page),
        "lead": describe_period(subject),
        "internal": say("sheet.internal", lang) if imprint.internal else "",
        "imprint": list_imprint(subject, imprint),
        "words": {name: say(f"atlas.{name}", lang, n="{n}", of="{of}") for name in _WORDS},
        "contents": _tell_contents(subject, overview, sheets),
        "changes": _tell_changes(subject, wish, areas),
        "index": _tell_index(sight, areas),
    }
    made = compile_pages(ATLAS, told, leaves)
    tell("progress.atlas", 1.0)
    return made


def find_areas_of(sight: Sight, wish: AtlasWish) -> list[int]:
    """Return the uids of the areas that get a sheet, by code; those a scope hides wholly do not."""
    grids = sight.grids
    if wish.level not in grids.levels or wish.level not in LEVELS[2:]:
        known = ", ".join(level for level in grids.levels if level in LEVELS[2:])
        raise BadSetting(Fault(key="atlas_level", values={"known": known}))
    frame = grids.level(wish.level).sort_values(["code", "uid"])
    found = [int(uid) for uid in frame["uid"]]
    if wish.view.area is not None:
        inside = set(grids.subtree_uids(wish.view.area).tolist())
        found = [uid for uid in found if uid in inside]
    if sight.outside is not None and sight.rows:
        uids = grids.finest()["uid"].to_numpy()
        shown = np.array([sight.shows(int(uid)) for uid in uids], np.bool_)
        found = [uid for uid in found if shown[grids.leaf_ranks(uid)].any()]
    if not found:
        raise NotFound(Fault(key="atlas_empty"))
    if len(found) > MOST_SHEETS:
        values = {"n": len(found), "most": MOST_SHEETS}
        raise BadSetting(Fault(key="atlas_too_many", values=values))
    return found


def _tell_nobody(key: str, share: float) -> None:
    del key, share


def _tell_page(page: Page) -> dict[str, float]:
    return {
        "width": page.width_mm,
        "height": page.height_mm,
        "margin": page.margin_mm,
        "text": page.text_mm,
    }


def _tell_contents(subject: Subject, overview: Sheet, sheets: list[Sheet]) -> dict[str, Any]:
    """Return the table of contents: a row a sheet with its key figures; the page is Typst's."""
    lang = subject.lang
    names = ("total", "open", "overdue")
    rows = []
    for place, sheet in enumerate([overview, *sheets]):
        figures = sheet.figures
        grid = figures.grid
        name = name_place(subject) if place == 0 or grid is None else _name(subject.sight, grid)
        rows.append(
            {
                "sheet": place,
                "name": print_text(name),
                "cells": [
                    *(print_count(getattr(figures, one)) for one in names),
                    print_rate(figures.own.closing) if figures.complete else NOT_TOLD,
                ],
            }
        )
    heads = [say("atlas.area", lang), *(say(f"figure.{name}", lang) for name in names)]
    return {"heads": [*heads, say("figure.closing", lang)], "rows": rows}


def _tell_changes(subject: Subject, wish: AtlasWish, areas: list[int]) -> dict[str, Any]:
    """Return what changed since the last issue, area by area, the largest change first."""
    sight, lang, filter = subject.sight, subject.lang, subject.view.filter
    period = Period(since=filter.since, until=filter.until)
    before = wish.before or find_period_before(sight, period, now=subject.now)
    if before is None or before.since is None:
        return {"lead": say("atlas.no_before", lang), "heads": [], "rows": []}

    def count(uid: int, when: Period) -> AreaFigures:
        return count_area(sight, grid=uid, period=when, filter=filter, now=subject.now)

    found = []
    for uid in areas:
        now_, then = count(uid, period), count(uid, before)
        if now_.complete and then.complete:
            found.append((uid, now_, then))
    rows = [
        {
            "sheet": areas.index(uid) + 1,
            "name": print_text(_name(sight, uid)),
            "cells": [
                print_count(now_.own.total),
                print_count(then.own.total),
                f"{now_.own.total - then.own.total:+,}",
                print_rate(now_.own.closing),
                print_rate(then.own.closing),
            ],
        }
        for uid, now_, then in sorted(
            found,
            key=lambda one: (-abs(one[1].own.total - one[2].own.total), areas.index(one[0])),
        )
    ]
    begin, end = before.since, (before.until or subject.now) - 1
    values = {"begin": print_day(begin, sight.zone), "end": print_day(end, sight.zone)}
    return {
        "lead": say("atlas.changes_lead", lang, **values),
        "heads": [
            say("atlas.area", lang),
            *(say(f"atlas.{name}", lang) for name in ("now", "then", "difference")),
            say("atlas.closing_now", lang),
            say("atlas.closing_then", lang),
        ],
        "rows": rows,
    }


def _tell_index(sight: Sight, areas: list[int]) -> list[dict[str, Any]]:
    """Return every area that a sheet shows by name, in the order of its sounds."""
    grids = sight.grids
    names = dict(zip(grids.grids["uid"].tolist(), grids.grids["name"].tolist(), strict=True))
    found: list[tuple[str, str, int]] = []
    for place, uid in enumerate(areas, start=1):
        own = str(names[uid])
        found.append((_sound(own), own, place))
        for child in grids.children(uid):
            name = str(names[int(child)])
            found.append((_sound(name), f"{name}（{own}）", place))
    found.sort()
    return [{"name": print_text(name), "sheet": place} for _, name, place in found[:_MOST_INDEXED]]


def _name(sight: Sight, uid: int) -> str:
    return str(sight.grids.path_names(uid)[-1])


def _sound(name: str) -> str:
    return " ".join(spell_name(name, "TONE3")).lower()
