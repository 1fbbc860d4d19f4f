"""The page is usable by keyboard alone and by ear."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import pytest

from tests.conftest import ROOT

AXE = ROOT / "node_modules" / "axe-core" / "axe.min.js"
READ_FOCUS = """() => {
    const node = document.activeElement;
    const shown = node.closest("label") || node;
    const outlined = [node, shown].some(one => {
        const style = getComputedStyle(one);
        return style.outlineStyle !== "none" && parseFloat(style.outlineWidth) >= 2;
    });
    return {
        id: node.id || (node.closest("[id]") || {}).id,
        tag: node.tagName,
        class: node.className,
        inside: ["bar", "map-box", "side"].find(id => node.closest("#" + id)) || "",
        outlined,
    };
}"""


def walk(city: Any, *, most: int = 60) -> list[dict[str, Any]]:
    """Press Tab through the page once; return where the focus was."""
    stops = []
    for _ in range(most):
        city.press("Tab")
        stop = city.page.evaluate(READ_FOCUS)
        if stop["tag"] == "BODY":
            return stops
        stops.append(stop)
    raise AssertionError("the focus never came round")


def test_tab_reaches_filters_map_layers_legend_and_list_in_that_order_and_shows_where(
    open_page, tiny_app
):
    city = open_page(tiny_app)
    stops = walk(city)
    assert [stop for stop in stops if not stop["outlined"]] == []
    ids = [stop["id"] for stop in stops]
    order = ["days", "state", "category", "who", "lang-switch", "theme-switch"]
    assert ids[: len(order)] == order
    assert [stop["inside"] for stop in stops] == sorted(
        (stop["inside"] for stop in stops), key=("bar", "map-box", "side").index
    )
    tags = {stop["tag"] for stop in stops if stop["inside"] == "map-box"}
    assert {"CANVAS", "BUTTON", "SUMMARY", "INPUT"} <= tags
    assert "legend" in ids
    assert any("top-row" in stop["class"] for stop in stops)


def test_filters_change_by_arrow_and_layers_by_space(open_page, tiny_app):
    city = open_page(tiny_app)
    city.press("Tab", "ArrowRight")
    city.settle()
    assert city.query()["days"] == "365"
    city.page.locator("#shown label:nth-of-type(1) input").focus()
    city.press("Space")
    city.settle()
    assert "base-map" not in city.query()["shown"]
    assert city.problems == []


def test_a_grid_is_picked_and_left_by_keys_alone(open_page, tiny_app):
    city = open_page(tiny_app)
    city.click("#shown label:has([data-layer=incident-dots])")
    city.page.locator(".maplibregl-canvas").focus()
    city.press("ArrowRight")
    city.settle()
    city.press("Enter")
    city.wait_for(".card h2")
    assert city.text(".card h2") == "第5网格"
    city.press("Escape")
    city.wait_for(".card", gone=True)


def test_the_focus_goes_into_the_card_and_back_to_where_it_was_opened(open_page, gaoshan_app):
    city = open_page(gaoshan_app)
    city.page.locator(".top-row").nth(1).focus()
    opener = city.page.evaluate("document.activeElement.id")
    city.press("Enter")
    city.until(lambda: city.page.evaluate(READ_FOCUS)["class"] == "tool close", what="the card")
    assert city.page.evaluate(READ_FOCUS)["outlined"]
    city.press("Enter")
    city.until(lambda: city.page.evaluate("document.activeElement.id") == opener, what="the list")
    assert city.problems == []


@pytest.mark.parametrize("look", ["?lang=zh&theme=dark", "?lang=en&theme=light"])
def test_a_check_for_accessibility_finds_nothing(open_page, gaoshan_app, look):
    if not AXE.is_file():
        pytest.skip("no axe-core: make setup")
    city = open_page(gaoshan_app, f"/{look}")
    city.page.evaluate(AXE.read_text("utf-8"))
    assert check(city) == []
    city.click(".top-row")
    city.wait_for(".card")
    assert check(city) == []
    city.click(".card .close")
    city.page.locator("#category").click()
    city.wait_for(".dash-dropdown-content")
    # What Dash puts into its own open box is Dash's.
    assert check(city, ignore=[".dash-dropdown-content"]) == []
    assert city.problems == []


def check(city: Any, *, ignore: Sequence[str] = ()) -> list[str]:
    """Return what axe-core finds that keeps people out, in a line each."""
    scope = {"include": ["body"], "exclude": list(ignore)}
    found = city.page.evaluate("scope => axe.run(scope)", scope)["violations"]
    return [
        f"{one['impact']} {one['id']}: {node['html'][:150]}"
        for one in found
        for node in one["nodes"]
        if one["impact"] in {"moderate", "serious", "critical"}
    ]
