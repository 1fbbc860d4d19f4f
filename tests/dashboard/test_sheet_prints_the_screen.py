"""Promise: a sheet, an atlas and a stand-alone map print the numbers of the screen, any view."""

from __future__ import annotations

import random
from typing import Any

import pytest

from dashboard.parts import layer_panel, numbers, overview
from dashboard.sheet_view import read_sheet_view
from dashboard.view import View, parse_view
from geodata.access.sight import Sight
from geodata.city import City
from geodata.errors import BadSetting, GetuError, NotFound
from geodata.events.periods import PERIODS_DAYS
from layers.portable.portable_map import draw_portable
from layers.print.margin import Imprint
from layers.print.page import find_page
from layers.print.sheet import draw_sheet
from layers.registry import LAYERS
from tests.dashboard.conftest import DEMO_NOW
from tests.dashboard.printed import read_portable, see, texts_on

VIEWS = 50
STATES = ("all", "open", "overdue", "closed")
QUICK = ("grid-risk", "grid-edges", "overdue-halos", "incident-dots", "places", "cameras")


@pytest.fixture(scope="module")
def village(gaoshan: City) -> Sight:
    """Return all of the smallest demo city."""
    return see(gaoshan, DEMO_NOW)


def choose_views(sight: Sight) -> list[dict[str, Any]]:
    chance = random.Random(7)
    return [
        {
            "days": chance.choice(PERIODS_DAYS),
            "state": chance.choice(STATES),
            "category": chance.choice([None, *range(len(sight.categories))]),
            "lang": chance.choice(["zh", "en"]),
            "shown": sorted(chance.sample(QUICK, 4), key=QUICK.index),
        }
        for _ in range(VIEWS)
    ]


def words_of(component: Any) -> list[str]:
    """Return every text of a page's part."""
    if isinstance(component, str):
        return [component]
    if isinstance(component, list | tuple):
        return [text for item in component for text in words_of(item)]
    return words_of(getattr(component, "children", None) or [])


def read_screen(sight: Sight, view: View) -> tuple[list[str], list[dict[str, Any]]]:
    """Return what the map page says beside the map, and its legends."""
    picture = view.picture(sight, DEMO_NOW)
    shown = [layer for layer in LAYERS if view.shown and layer.id in view.shown]
    said = words_of(overview.draw(sight, picture, view))
    said += words_of(layer_panel.legends(shown, picture))
    return said, [layer.describe_legend(picture) for layer in shown]


def test_fifty_views_print_what_the_screen_shows(village):
    drawn = 0
    for raw in choose_views(village):
        view = parse_view(raw)
        asked = read_sheet_view(
            f"?days={view.days}&state={view.state}&shown={','.join(raw['shown'])}"
            + (f"&category={view.category}" if view.category is not None else ""),
            village,
            now=DEMO_NOW,
        )
        assert asked.filter == view.filter(village, DEMO_NOW)
        screen, legends = read_screen(village, view)
        try:
            sheet = draw_sheet(village, asked, page=find_page("A4"), lang=view.lang, now=DEMO_NOW)
        except NotFound:
            assert screen.count("0") >= 4, raw
            continue
        drawn += 1
        printed = [one.text for one in texts_on(sheet)]
        own = sheet.figures.own
        for count in (own.total, own.open, own.overdue, own.due_soon):
            assert numbers.count(count) in screen, raw
            assert numbers.count(count) in printed, raw
        for rate in (own.completion, own.closing, own.on_time):
            assert numbers.rate(rate) in screen, raw
            assert numbers.rate(rate) in printed, raw
        keys = {key.title: key for key in sheet.keys}
        for legend in legends:
            wanted = {(one["label"], one["n"]) for one in legend["entries"] if one["n"]}
            key = keys.get(legend["title"])
            told = set() if key is None else {(one.label, one.n) for one in key.entries}
            lines = {(label, n) for label, n in wanted if legend["id"] != "grid-edges"}
            assert lines <= told, (raw, legend["id"])
    assert drawn > VIEWS / 2


def test_the_stand_alone_map_has_the_screens_numbers_too(village):
    for raw in choose_views(village)[:2]:
        view = parse_view(raw)
        asked = read_sheet_view(f"?days={view.days}&shown=grid-risk", village, now=DEMO_NOW)
        page = draw_portable(village, asked, lang="zh", now=DEMO_NOW, imprint=Imprint())
        shown = parse_view({**raw, "state": "all", "category": None, "lang": "zh"})
        screen, _ = read_screen(village, shown)
        text = page.decode()
        sheet = draw_sheet(village, asked, page=find_page("A4"), lang="zh", now=DEMO_NOW)
        assert f"<b>{sheet.figures.own.total:,}</b>" in text
        assert numbers.rate(sheet.figures.own.closing) in text
        assert numbers.rate(sheet.figures.own.closing) in screen
        grids = read_portable(page)["grids"]
        totals = sum(int(grid["facts"][3].replace(",", "")) for grid in grids)
        unowned = sheet.figures.children[-1]
        assert unowned.uid is None
        assert totals + unowned.own.total == sheet.figures.own.total


def test_an_address_and_the_same_as_json_are_one_view(village):
    area = int(village.grids.finest()["uid"].iloc[0])
    code = str(village.grids.finest()["code"].iloc[0])
    address = f"http://host:8050/?lang=en&theme=dark&days=28&state=open&grid={area}&shown=grid-risk"
    plain = f'{{"days": 28, "state": "open", "area": "{code}", "shown": ["grid-risk"]}}'
    first, second = (read_sheet_view(text, village, now=DEMO_NOW) for text in (address, plain))
    assert first == second
    assert first.area == area
    street = read_sheet_view(f"/getu/street/{code}?days=28&state=open", village, now=DEMO_NOW)
    assert (street.area, street.filter) == (area, first.filter)
    moved = read_sheet_view("/?days=28#15.00/32.31000/119.60000", village, now=DEMO_NOW)
    assert moved.bounds is not None
    west, south, east, north = moved.bounds
    assert west < 119.6 < east
    assert south < 32.31 < north
    assert (east - west) * 111_319 * 0.845 == pytest.approx(1280 * 2.02, rel=0.03)
    assert read_sheet_view("", village, now=DEMO_NOW).filter.since is not None


@pytest.mark.parametrize(
    "text",
    [
        "{", '{"days": 1, "colour": 2}', '{"shown": "grid-risk"}', '{"shown": ["no-such"]}',
        '{"bounds": [1, 2, 3]}', '{"bounds": [3, 2, 1, 4]}', '{"bounds": [1, 2, true, 4]}',
        '{"bounds": [-200, 2, 3, 4]}', '{"area": "999"}', "?grid=99999999", "/street/nowhere",
        "?shown=no-such",
    ],
)  # fmt: skip
def test_a_view_that_does_not_exist_is_told(village, text):
    with pytest.raises((BadSetting, NotFound)) as told:
        read_sheet_view(text, village, now=DEMO_NOW)
    assert isinstance(told.value, GetuError)
    assert told.value.sentence("en")
