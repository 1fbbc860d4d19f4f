"""Promise: an atlas has a sheet for each area, all of them found by contents, index, bookmark."""

from __future__ import annotations

import re

import pytest

from geodata.access.scope import ROWS, Scope
from geodata.access.sight import Sight
from geodata.city import City
from geodata.errors import BadSetting, GetuError
from geodata.figures.area import count_area
from geodata.figures.period import Period, choose_period
from geodata.snapshots.snapshot import Filter
from layers.print.atlas import AtlasWish, draw_atlas, find_areas_of
from layers.print.margin import Imprint
from layers.print.page import find_page
from layers.print.view import PrintView
from tests.city import NOW
from tests.dashboard.printed import read_pdf_text, see

PAGES = re.compile(rb"/Type/Page\b")


@pytest.fixture(scope="module")
def town(tiny: City) -> Sight:
    """Return all of the tiny city."""
    return see(tiny, NOW)


def wish(sight: Sight, level: str = "community", **more: object) -> AtlasWish:
    period = choose_period(sight, days=28, now=NOW)
    view = PrintView(filter=Filter(since=period.since))
    return AtlasWish(view=view, level=level, page=find_page("A4"), **more)  # type: ignore[arg-type]


def bind(sight: Sight, asked: AtlasWish, **options: object) -> bytes:
    return draw_atlas(sight, asked, lang="zh", now=NOW, imprint=Imprint(), **options)  # type: ignore[arg-type]


def test_every_area_has_a_sheet_a_bookmark_and_a_place_in_contents_and_index(town):
    told: list[float] = []
    body = bind(town, wish(town), progress=lambda _, share: told.append(share))
    names = town.grids.level("community")["name"].tolist()
    assert len(PAGES.findall(body)) == 2 + 1 + len(names) + 1
    text = read_pdf_text(body).replace(" ", "")
    for name in names:
        assert text.count(name) >= 4, name  # contents, changes, its sheet, index
    for title in ("目录", "与上期相比", "索引"):
        assert title in text
    assert body.count(b"/Dest") > len(names)
    assert len(re.findall(rb"/Title", body)) > len(names)
    assert told == sorted(told)
    assert told[-1] == 1.0
    assert body == bind(town, wish(town))


def test_changes_are_counted_against_the_period_that_is_named(town):
    now = choose_period(town, days=28, now=NOW)
    assert now.since is not None
    before = Period(since=now.since - 62 * 86_400, until=now.since)
    text = read_pdf_text(bind(town, wish(town, before=before))).replace(" ", "")
    for uid in town.grids.level("community")["uid"].tolist():
        counts = [
            count_area(town, grid=uid, period=one, filter=Filter(), now=NOW).own.total
            for one in (now, before)
        ]
        assert f"{counts[0]}{counts[1]}{counts[0] - counts[1]:+}" in text, counts


def test_a_stopped_atlas_leaves_nothing(town):
    asked: list[bool] = []

    def stopped() -> bool:
        asked.append(True)
        return len(asked) > 1

    with pytest.raises(GetuError, match="stopped"):
        bind(town, wish(town), stopped=stopped)
    assert len(asked) == 2


def test_levels_and_sizes_that_cannot_be_bound_are_told(town):
    for level in ("street", "city", "planet"):
        with pytest.raises(BadSetting, match="community, grid"):
            bind(town, wish(town, level))


def test_a_scope_gets_the_areas_it_may_see(tiny, town):
    mine = town.grids.level("community")["uid"].iloc[0]
    leaves = frozenset(int(uid) for uid in town.grids.children(int(mine)))
    scope = Scope(account="s", grids=leaves, permissions=frozenset({"read", ROWS, "export"}))
    seen = see(tiny, NOW, scope)
    assert find_areas_of(seen, wish(seen)) == [int(mine)]
    assert len(find_areas_of(town, wish(town))) == 3
    text = read_pdf_text(bind(seen, wish(seen)))
    assert "可见范围" in text
