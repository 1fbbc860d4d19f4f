"""The map of a paper: on a sheet, alone, or as a file of its own, from the sight of the cut-off."""

from __future__ import annotations

from dataclasses import dataclass, replace

from geodata.briefing.sentences import name_period
from geodata.briefing.tables import find_area, find_category
from geodata.errors import BadSetting, Fault
from geodata.snapshots.snapshot import Filter
from layers.office.paper import Paper
from layers.portable.portable_map import draw_portable
from layers.print.margin import Imprint
from layers.print.page import Page
from layers.print.sheet import Sheet, draw_map, draw_sheet
from layers.print.view import PrintView
from layers.print.wording import print_count
from layers.registry import LAYERS

PICTURE_DPI = 220


def find_view(paper: Paper) -> PrintView:
    """Return the view of a paper's map. Raises BadSetting for a layer that does not exist."""
    briefing, wish = paper.briefing, paper.briefing.wish
    known = [layer.id for layer in LAYERS]
    if wish.layer and wish.layer not in known:
        raise BadSetting(Fault(key="briefing_layer", values={"known": ", ".join(known)}))
    chosen = find_category(paper.sight, wish.category)
    return PrintView(
        filter=replace(
            Filter(categories=chosen.categories, state=wish.state),
            since=briefing.dates.since,
            until=briefing.dates.until,
        ),
        shown=(*_GROUND, wish.layer) if wish.layer else None,
        area=find_area(paper.sight, wish.area),
        period=name_period(briefing),
    )


_GROUND = ("base-map", "grid-edges", "grid-names")


@dataclass(frozen=True, slots=True, kw_only=True)
class LegendRow:
    """One line of the map's legend; a heading has no color. `round_` marks are points and rings."""

    text: str
    color: str = ""
    round_: bool = False


def list_legend(sheet: Sheet) -> list[LegendRow]:
    """Return the map's legend as lines, each class with how many there are."""
    rows = []
    for key in sheet.keys:
        rows.append(LegendRow(text=f"{key.title} {key.unit} {key.shown}".strip()))
        for entry in key.entries:
            color = entry.color["light"]
            n = "" if entry.n is None else f"  {print_count(entry.n)}"
            rows.append(
                LegendRow(
                    text=f"{entry.label}{n}",
                    color=(color if isinstance(color, str) else color[-1]).lstrip("#")[:6],
                    round_=not entry.shape.startswith(_FLAT),
                )
            )
    return rows


_FLAT = ("fill", "hatch", "line", "ramp")


def draw_picture(paper: Paper, *, width_mm: float, height_mm: float) -> Sheet:
    """Return the map alone, of a size, for a slide or the page."""
    return draw_map(
        paper.sight,
        find_view(paper),
        width_mm=width_mm,
        height_mm=height_mm,
        lang=paper.briefing.wish.lang,
        now=paper.briefing.dates.cut_off,
    )


def draw_map_sheet(paper: Paper, page: Page) -> Sheet:
    """Return the map sheet of a paper, the log's head on it."""
    return draw_sheet(
        paper.sight,
        find_view(paper),
        page=page,
        lang=paper.briefing.wish.lang,
        now=paper.briefing.dates.cut_off,
        imprint=Imprint(head=paper.head),
    )


def draw_html(paper: Paper) -> bytes:
    """Return the stand-alone map of a paper, the log's head on it."""
    return draw_portable(
        paper.sight,
        find_view(paper),
        lang=paper.briefing.wish.lang,
        now=paper.briefing.dates.cut_off,
        imprint=Imprint(head=paper.head),
    )
