"""Promise: what a plan hands over can be walked along, on paper, with nothing left out."""

from __future__ import annotations

import dataclasses
import re

import pytest

from dashboard.server import make_app
from geodata.errors import NotAllowed, NotFound
from geodata.plans.plan import make_plan
from geodata.plans.walks import list_walks
from geodata.plans.workshop import Workshop
from layers.print.walk import Walking, draw_walks
from tests.city import NOW
from tests.dashboard.printed import EVERYTHING, read_pdf_text, see
from tests.planned_city import MERGE, PLANNER, SPLIT, make_planned_city, place


@pytest.fixture(scope="module")
def city(tmp_path_factory):
    folder = tmp_path_factory.mktemp("walked") / "city"
    folder.mkdir()
    return make_planned_city(folder)


def test_a_sheet_a_community_with_every_piece_by_number(city):
    shop, plan = Workshop(city), make_plan(city, PLANNER, name="春季 <b>", now=NOW)
    piece = shop.open(plan.plan, now=NOW)
    walking = Walking(
        plan=plan.plan, name=plan.name, sight=see(city, NOW, EVERYTHING), lang="zh", now=NOW
    )
    with pytest.raises(NotFound):
        draw_walks(walking, list_walks(piece))
    other = {"op": "split", "grid": 10, "line": [place(0.5, 1.9), place(0.5, 3.1)]}
    piece, _ = shop.edit(plan.plan, [SPLIT, MERGE, other], scope=PLANNER, now=NOW)
    walks = list_walks(piece)
    body = draw_walks(walking, walks)
    text = read_pdf_text(body)
    assert count_pages(body) == len(walks) == 2
    assert "春季 <b>" in text
    for walk in walks:
        assert walk.name in text
        for one in walk.pieces:
            assert one.old_code in text
            assert f"{one.area_m2:,.0f}" in text
    assert draw_walks(walking, walks) == body
    # More pieces than a page has room for go on overleaf.
    many = dataclasses.replace(walks[0], pieces=walks[0].pieces * 40)
    assert count_pages(draw_walks(walking, [many])) > 1
    blind = dataclasses.replace(EVERYTHING, permissions=frozenset({"read"}))
    with pytest.raises(NotAllowed):
        draw_walks(dataclasses.replace(walking, sight=see(city, NOW, blind)), walks)


def test_the_map_numbers_the_pieces_as_the_sheets_of_each_community_do(city):
    shop, plan = Workshop(city), make_plan(city, PLANNER, name="图", now=NOW).plan
    other = {"op": "split", "grid": 10, "line": [place(0.5, 1.9), place(0.5, 3.1)]}
    piece, _ = shop.edit(plan, [SPLIT, MERGE, other], scope=PLANNER, now=NOW)
    sheets = [
        (walk.name, one.number, one.old_code, one.new_code)
        for walk in list_walks(piece)
        for one in walk.pieces
    ]
    assert [number for _, number, *_ in sheets].count(1) == 2  # each community begins anew
    city.settings = dataclasses.replace(city.settings, demo=True)
    client = make_app(city, now=lambda: NOW).server.test_client()
    client.post("/demo-role", data={"role": "planner"}, headers={"Origin": "http://localhost"})
    told = client.get(f"/planner/plans/{plan}/pieces").get_json()["features"]
    shown = [tuple(one["properties"][name] for name in ("area", "n", "from", "to")) for one in told]
    assert shown == sheets


def count_pages(body: bytes) -> int:
    return len(re.findall(rb"/Type\s*/Page\b", body))
