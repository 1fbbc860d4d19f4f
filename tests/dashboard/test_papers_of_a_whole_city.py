"""Promise: of a whole city, any view, the screen and every paper print one and the same number."""

from __future__ import annotations

import io
import random
import re
import shutil
from itertools import pairwise
from pathlib import Path
from typing import Any

import docx
import pptx
import pytest
from python_calamine import CalamineWorkbook

from dashboard.pictures import Pictures
from dashboard.server import make_app
from geodata.briefing.wish import parse_wish
from geodata.city import City, open_city
from geodata.errors import NotFound
from geodata.events.periods import PERIODS_DAYS
from geodata.snapshots.facts import FactsKeeper
from geodata.words import say
from layers.office.bureau import Bureau
from layers.office.page_docx import set_docx
from layers.office.slides import set_slides
from layers.print.page import find_page
from layers.tile_cache import TileCache
from tests.dashboard.conftest import DEMO_NOW
from tests.dashboard.printed import EVERYTHING, texts_of

VIEWS = 50
AT = DEMO_NOW + 60 - DEMO_NOW % 60  # cut-offs are whole minutes: the first after the city was made
KEYS = ("total", "open", "overdue")
KEY = re.compile(r'data-def="(\w+)"[^>]*><span class="label">[^<]*</span><strong[^>]*>([^<]*)<')
STATES = ("all", "all", "open", "overdue", "closed")


@pytest.fixture
def city(jiangdu: City, tmp_path: Path) -> City:
    """Return a copy of the default demo city: exports write into its log."""
    shutil.copytree(jiangdu.folder, tmp_path / "city")
    return open_city(tmp_path / "city")


def choose_views(sight: Any) -> list[dict[str, str]]:
    """Return random views: an area of any level or the city, days, state, category."""
    chance = random.Random(5)
    grids = sight.grids.grids.drop_duplicates("code", keep=False)
    codes = [""]
    for level in sight.grids.levels[1:]:
        known = sorted(grids.loc[grids["level"] == level, "code"].astype(str))
        codes += chance.sample(known, min(12, len(known)))
    names = sight.category_names("zh")
    return [
        {
            "code": chance.choice(codes),
            "days": str(chance.choice(PERIODS_DAYS)),
            "state": chance.choice(STATES),
            "category": str(chance.choice(["", "", *sorted(code for code in names if code)])),
        }
        for _ in range(VIEWS)
    ]


def read_papers(bureau: Bureau, wish: Any) -> dict[str, dict[str, str]]:
    """Return the key figures that each paper prints, by the word beside each."""
    page, paper = find_page("A4"), bureau.look(wish)
    document = docx.Document(io.BytesIO(set_docx(paper, picture=None)))
    deck = pptx.Presentation(io.BytesIO(set_slides(paper, picture=None)))
    boxes = [one.text_frame for slide in deck.slides for one in slide.shapes if one.has_text_frame]
    drawn = [one.text for one in texts_of(bureau.make("map.svg", wish, page)[1])]
    html = bureau.make("map.html", wish, page)[1].decode()
    return {
        "page": {row.cells[0].text: row.cells[1].text for row in document.tables[-1].rows},
        "slides": dict(box.text.split("\n")[:2] for box in boxes if len(box.paragraphs) in (2, 3)),
        "sheet": dict(reversed(list(pairwise(drawn)))),  # key figures stand before the legend
        "html": dict(re.findall(r"<span>([^<]*)</span><b>([^<]*)</b>", html)),
    }


def read_table(bureau: Bureau, wish: Any, code: str) -> list[str]:
    """Return the figures of an area as the table of grids has them."""
    body = bureau.make("grids.xlsx", wish, find_page("A4"))[1]
    book = CalamineWorkbook.from_filelike(io.BytesIO(body))
    heads, *rows = book.get_sheet_by_index(1).to_python()
    (row,) = [row for row in rows if row[0] == code]
    return [f"{int(row[heads.index(name)]):,}" for name in ("受理", "未结", "超期")]


def compare_views(city: City, at: int) -> tuple[int, int]:
    """Hold every paper of random views against the screen; return figures compared, empty views."""
    client = make_app(city, now=lambda: at).server.test_client()
    pictures = Pictures(keeper=FactsKeeper(city), cache=TileCache(limit_bytes=0), now=lambda: at)
    sight = pictures.facts(EVERYTHING)
    facts = pictures.keeper.current(at)
    assert facts is not None
    bureau = Bureau(facts, EVERYTHING, now=at)
    names = sight.category_names("zh")
    compared = empty = 0
    for view in choose_views(sight):
        panel = client.get("/area/panel.json", query_string={**view, "lang": "zh"}).json["html"]
        screen = dict(KEY.findall(panel))
        wish = parse_wish(
            {
                "area": view["code"],
                "period": "all" if view["days"] == "0" else f"{view['days']}d",
                "state": view["state"],
                "category": names[int(view["category"])] if view["category"] else "",
            }
        )
        if screen["total"] == "0":
            with pytest.raises(NotFound):
                bureau.look(wish)
            empty += 1
            continue
        for name, printed in read_papers(bureau, wish).items():
            words = "briefing.figure" if name in ("page", "slides") else "figure"
            for key in KEYS:
                assert printed[say(f"{words}.{key}", "zh")] == screen[key], (view, name, key)
                compared += 1
        if view["code"]:
            assert read_table(bureau, wish, view["code"]) == [screen[key] for key in KEYS], view
            compared += len(KEYS)
    return compared, empty


@pytest.mark.long
def test_fifty_views_print_one_number_everywhere(city, capsys):
    compared, empty = compare_views(city, AT)
    with capsys.disabled():
        print(f"\n{VIEWS} views, {empty} of nothing: {compared:,} of {compared:,} figures the same")
    assert compared > 4 * len(KEYS) * VIEWS / 2
