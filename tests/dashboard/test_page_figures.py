"""What the page says is what the facts say: on the card, in the overview, in the legends."""

from __future__ import annotations

import re
from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from dashboard.server import make_app
from dashboard.view import View
from geodata.events.incidents import SIX_STEPS
from geodata.snapshots.facts import Facts, load_facts
from geodata.words import say
from layers.registry import find_source
from tests.city import NOW
from tests.dashboard.conftest import DEMO_NOW
from tests.dashboard.page_browser import CityPage
from tests.plain_figures import PlainFigures, count_by_grid, count_figures


@pytest.fixture(scope="module")
def facts(gaoshan) -> Facts:
    found = load_facts(gaoshan, now=DEMO_NOW)
    assert found
    return found


def figures_of(facts: Facts, view: View, row: int | None = None) -> PlainFigures:
    """Count the incidents of a view, of one grid or of all."""
    mask = facts.select(view.filter(facts, DEMO_NOW), DEMO_NOW)
    if row is not None:
        mask = mask & (facts.snapshot.owner == row)
    return count_figures(facts.snapshot, mask, states=facts.states(DEMO_NOW))


def read_keys(city: CityPage, box: str) -> list[str]:
    return city.texts(f"{box} .key strong")


def read_steps(city: CityPage, box: str) -> list[str]:
    return city.texts(f"{box} .step .n")


def said(*values: int) -> list[str]:
    return [f"{value:,}" for value in values]


def inside(facts: Facts, row: int) -> tuple[float, float]:
    """Return a place well inside a grid, in degrees."""
    point = facts.grids.finest().to_crs(4326).geometry.iloc[row].representative_point()
    return point.x, point.y


def test_a_click_on_a_grid_opens_its_card_with_the_figures_of_the_facts(
    open_page, gaoshan_app, facts
):
    city = open_page(gaoshan_app)
    for name in ("incident-dots", "overdue-halos"):  # only grids answer the click
        city.click(f"#shown label:has([data-layer={name}])")
    finest = facts.grids.finest()
    for row in range(len(finest)):
        city.click_map(*inside(facts, row))
        grid = finest.iloc[row]
        city.until(lambda name=grid["name"]: city.text(".card h2") == name, what="the card")
        figures = figures_of(facts, View(), row)
        assert city.text(".card .badges code") == grid["code"]
        assert facts.body_name(grid["body"], "zh") in city.text(".card .pairs")
        assert read_keys(city, ".card") == said(
            figures.overdue, figures.due_soon, figures.open, figures.total
        )
        assert read_steps(city, ".card") == said(*(figures.steps[name] for name in SIX_STEPS))
        rules = city.texts(".card .rule")
        assert rules == [
            f"{say(f'rule.{name}', 'zh')}\n{count:,}" for name, count in figures.rules.items()
        ]
        assert city.query()["grid"] == str(grid["uid"])
        late = city.texts(".card .late-row")
        assert len(late) == min(figures.overdue, 5)
    assert city.problems == []


def test_the_overview_says_what_the_facts_say_under_every_filter(open_page, gaoshan_app, facts):
    city = open_page(gaoshan_app)
    for place, days in enumerate((28, 90, 365, 0), start=1):
        city.click(f"#days label:nth-of-type({place})")
        figures = figures_of(facts, View(days=days))
        assert read_keys(city, "#overview") == said(
            figures.overdue, figures.due_soon, figures.open, figures.total
        )
        assert read_steps(city, "#overview") == said(*(figures.steps[name] for name in SIX_STEPS))
        assert numbers_in(city.text("#as-of .figure")) == [figures.total, facts.snapshot.n]
    for place, state in enumerate(("all", "open", "overdue", "closed"), start=1):
        city.click(f"#state label:nth-of-type({place})")
        figures = figures_of(facts, View(days=0, state=state))
        assert read_keys(city, "#overview")[3] == f"{figures.total:,}"


def numbers_in(text: str) -> list[int]:
    return [int(part.replace(",", "")) for part in re.findall(r"\d[\d,]*", text)]


def test_the_cards_of_all_grids_and_the_unowned_sum_to_the_overview(facts):
    for view in (View(), View(days=0), View(days=28, state="open")):
        whole = figures_of(facts, view)
        parts = [figures_of(facts, view, row) for row in range(len(facts.grids.finest()))]
        assert sum(part.total for part in parts) + whole.unowned == whole.total
        mask = facts.select(view.filter(facts, DEMO_NOW), DEMO_NOW)
        counts = count_by_grid(facts.snapshot, mask, grids=len(parts))
        assert counts.tolist() == [*(part.total for part in parts), whole.unowned]


def test_the_top_list_flies_to_its_grid_and_the_card_closes_again(open_page, gaoshan_app, facts):
    city = open_page(gaoshan_app)
    before = city.query()["place"]
    top = int(np.argmax(np.where(facts.risk.thin, -1, facts.risk.value)))
    name = facts.grids.finest()["name"].iloc[top]
    assert name in city.text(".top-row .name")
    city.click(".top-row")
    city.wait_for(".card")
    assert city.text(".card h2") == name
    assert city.query()["place"] != before
    x, y = city.spot(*inside(facts, top))
    box = city.page.locator(".maplibregl-canvas").bounding_box()
    assert box["x"] < x < box["x"] + box["width"]
    assert box["y"] < y < box["y"] + box["height"]
    assert city.page.locator("#overview").is_hidden()
    city.click(".card .close")
    city.wait_for(".card", gone=True)
    assert city.page.locator("#overview").is_visible()
    assert "grid" not in city.query()
    city.click(".top-row")
    city.wait_for(".card")
    city.press("Escape")
    city.wait_for(".card", gone=True)
    city.settle()
    assert "grid" not in city.query()
    assert city.problems == []


def test_an_address_with_a_grid_that_is_gone_says_so(open_page, gaoshan_app):
    city = open_page(gaoshan_app, "/?grid=987654")
    assert city.text(".card p") == say("card.missing", "zh")
    city.click(".card .close")
    city.wait_for(".card", gone=True)


def test_layers_go_on_and_off_and_a_legend_hides_where_its_layer_does(open_page, tiny_app):
    city = open_page(tiny_app)
    for name in ("places", "cameras", "incident-heat"):
        switch = f"#shown label:has([data-layer={name}])"
        legend = f".legend[data-layer={name}]"
        assert city.page.locator(legend).count() == 0
        city.click(switch)
        assert name in city.query()["shown"].split(",")
        assert city.page.locator(legend).count() == 1
        city.click(switch)
        assert city.page.locator(legend).count() == 0
    # So near the rings are not drawn: their legend is hidden, and the switch says which way.
    assert city.page.locator(".legend[data-layer=overdue-halos]").is_hidden()
    switch = "#shown label:has([data-layer=overdue-halos])"
    assert say("map.state_zoom_farther", "zh") in city.text(switch)
    for _ in range(2):
        city.click(".gridmap-buttons button:nth-of-type(2)")
    assert city.page.locator(".legend[data-layer=overdue-halos]").is_visible()
    assert say("map.state_zoom_farther", "zh") not in city.text(switch)
    assert city.problems == []


def test_a_failing_layer_is_named_with_its_reason_while_the_rest_stays(
    open_page, tiny, monkeypatch
):
    def fail(_: Any) -> None:
        raise OSError("the disk is gone")

    broken = replace(find_source("places"), read=fail)
    monkeypatch.setattr(
        "dashboard.routes.find_source",
        lambda name: broken if name == "places" else find_source(name),
    )
    city = open_page(make_app(tiny, now=lambda: NOW))
    places = "#shown label:has([data-layer=places])"
    city.page.locator(places).click()
    city.stir()
    city.settle("failed")
    states = city.page.evaluate(
        "[...document.querySelectorAll('#shown [data-layer]')]"
        ".map(node => [node.dataset.layer, node.dataset.state])"
    )
    assert dict(states)["places"] == "failed"
    assert {state for name, state in states if name != "places"} <= {"idle", "off", "zoom", "empty"}
    assert say("map.state_failed", "zh") in city.text(places)
    assert city.page.evaluate("document.documentElement.dataset.reason") == "places:http-500"
    assert "500" in city.text(".gridmap-notice")
    assert "disk" not in city.page.content()
    city.click(places)
    assert city.page.locator(".gridmap-notice").is_hidden()
