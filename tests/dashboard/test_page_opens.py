"""The page opens, says everything in one language at a time, and is its address."""

from __future__ import annotations

import os
import re
import shutil

import pytest

from dashboard.gridmap import map_words
from dashboard.server import make_app
from geodata.city import create_city
from geodata.snapshots.facts import load_facts
from tests.city import NOW, load_one, make_gridded_city, write_grids
from tests.conftest import BROWSER_FLAGS, BROWSERS
from tests.dashboard.conftest import DEMO_NOW, make_demo
from tests.dashboard.page_browser import CityPage

# What stays as its owner wrote it: names of places and bodies, the switch of languages itself.
NAMES = "#bar-words .mark, #lang-switch, .name, .card h2, .card .path, .card .pairs dd"
READ_TEXTS = """skip => {
    const found = [document.title];
    const walker = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
    while (walker.nextNode()) {
        const node = walker.currentNode.parentElement;
        if (!node.closest(skip) && node.checkVisibility() && !node.closest("script, style")) {
            found.push(walker.currentNode.data);
        }
    }
    for (const node of document.querySelectorAll("[title], [aria-label], [placeholder]")) {
        if (node.closest(skip) || !node.checkVisibility()) continue;
        for (const name of ["title", "aria-label", "placeholder"]) {
            found.push(node.getAttribute(name) || "");
        }
    }
    return found.map(text => text.trim()).filter(Boolean);
}"""
HAN = re.compile(r"[\u3400-\u9fff]")
LATIN = re.compile(r"[A-Za-z]{2,}")
KEYS_ON_THE_KEYBOARD = {"Esc"}


def read_everything(city: CityPage) -> list[str]:
    """Return every text of the page with a card and the box of categories open."""
    city.click(".top-row")
    city.wait_for(".card")
    texts = city.page.evaluate(READ_TEXTS, NAMES)
    city.click(".card .close")
    city.page.locator("#category").click()
    city.wait_for(".dash-dropdown-content")
    texts += city.page.evaluate(READ_TEXTS, NAMES)
    city.press("Escape")
    return texts


def test_the_page_speaks_chinese_first_and_each_language_whole(open_page, gaoshan_app):
    city = open_page(gaoshan_app)
    assert city.page.evaluate("document.documentElement.lang") == "zh-CN"
    chinese = read_everything(city)
    assert len(chinese) > 60
    foreign = [text for text in chinese if set(LATIN.findall(text)) - KEYS_ON_THE_KEYBOARD]
    assert foreign == []
    city.click("#lang-switch")
    assert city.page.evaluate("document.documentElement.lang") == "en"
    english = read_everything(city)
    assert len(english) > 60
    assert [text for text in english if HAN.search(text.replace("格图", ""))] == []
    assert city.problems == []


def test_a_theme_restyles_without_fetching_any_data(open_page, gaoshan_app):
    city = open_page(gaoshan_app)
    dark = city.page.evaluate("getComputedStyle(document.body).color")
    asked: list[str] = []
    city.page.on("request", lambda request: asked.append(request.url))
    city.click("#theme-switch")
    assert city.page.evaluate("document.documentElement.dataset.theme") == "light"
    assert city.page.evaluate("getComputedStyle(document.body).color") != dark
    assert [url for url in asked if "/layers/" in url] == []
    city.click("#theme-switch")
    assert city.page.evaluate("document.documentElement.dataset.theme") == "dark"
    assert city.problems == []


def test_the_address_is_the_view_and_a_reload_restores_it(open_page, gaoshan_app):
    city = open_page(gaoshan_app)
    city.click("#lang-switch")
    city.click("#theme-switch")
    city.click("#days label:nth-of-type(3)")
    city.click("#state label:nth-of-type(2)")
    city.page.locator("#category").click()
    city.page.locator(".dash-dropdown-content label").nth(1).click()
    city.settle()
    city.click("#shown label:nth-of-type(1)")
    city.click(".top-row:nth-of-type(2)")
    city.wait_for(".card")
    city.click(".gridmap-buttons button:nth-of-type(1)")
    view = city.query()
    seen = {name: city.text(name) for name in ("#as-of .figure", ".card h2", ".card .keys")}
    assert view["lang"] == "en"
    assert view["theme"] == "light"
    assert view["days"] == "365"
    assert view["state"] == "open"
    assert int(view["category"]) >= 0
    assert int(view["grid"]) > 0
    assert "base-map" not in view["shown"]
    zoom = float(view["place"][1:].split("/")[0])
    city.page.reload()
    city.settle()
    assert city.query() == view
    assert {name: city.text(name) for name in seen} == seen
    assert city.page.evaluate("document.documentElement.dataset.theme") == "light"
    assert float(city.query()["place"][1:].split("/")[0]) == zoom
    assert city.problems == []


def test_an_address_of_nonsense_opens_the_first_view(open_page, gaoshan_app):
    tail = (
        "/?lang=xx&theme=pink&days=-3&grid=%3Cb%3E&shown=nothing,grid-risk&state=;&category=x#a/b/c"
    )
    city = open_page(gaoshan_app, tail)
    assert city.query()["lang"] == "zh"
    assert city.query()["days"] == "90"
    assert city.query()["shown"] == "grid-risk"
    assert city.problems == []


def test_the_page_works_whole_under_a_base_path(open_page, tmp_path):
    app = make_app(make_demo("gaoshan", tmp_path / "city", base_path="/getu"), now=lambda: DEMO_NOW)
    city = open_page(app, "/getu")
    asked: list[str] = []
    city.page.on("request", lambda request: asked.append(request.url))
    city.click("#days label:nth-of-type(1)")
    city.click("#shown label:nth-of-type(4)")
    city.click(".top-row")
    city.wait_for(".card")
    assert asked
    assert all(url.startswith(f"{city.address}/") for url in asked)
    assert city.page.url.startswith(f"{city.address}/?")
    assert city.problems == []


def test_without_webgl_the_map_says_so_and_the_figures_are_there(
    chromium, serve_page, gaoshan, gaoshan_app
):
    path = os.environ.get("GETU_CHROMIUM") or next(filter(None, map(shutil.which, BROWSERS)))
    flags = [*BROWSER_FLAGS, "--disable-3d-apis"]
    browser = chromium.browser_type.launch(executable_path=path, args=flags)
    try:
        address = serve_page(gaoshan_app).address
        city = CityPage(browser.new_page(), address, wait=False)
        city.settle("failed")
        assert map_words("zh")["no_webgl"] in city.text(".gridmap-notice")
        facts = load_facts(gaoshan, now=DEMO_NOW)
        assert facts
        assert f"{facts.snapshot.n:,}" in city.text("#as-of .figure")
        city.page.locator(".top-row").first.click()
        city.wait_for(".card h2")
        assert city.problems == []
        city = CityPage(browser.new_page(), f"{address}/street/?lang=zh&days=0", wait=False)
        city.settle("failed")
        assert map_words("zh")["no_webgl"] in city.text(".gridmap-notice")
        assert f"{facts.snapshot.n:,}" in city.text("[data-def=total] strong")
        assert city.problems == []
    finally:
        browser.close()


def test_a_city_without_incidents_is_idle_and_says_there_are_none(open_page, tmp_path):
    city = open_page(make_app(make_gridded_city(tmp_path / "city"), now=lambda: NOW))
    assert city.text("#as-of .figure").startswith("0 / 0")
    assert "还没有数据" in city.text("#as-of")
    assert city.texts("#overview .key strong") == ["0"] * 4
    assert city.problems == []


def test_a_city_without_grids_says_what_to_do_and_follows_when_they_come(open_page, tmp_path):
    empty = create_city(tmp_path / "city", {"name_zh": "空城"})
    city = open_page(make_app(empty, now=lambda: NOW))
    assert "load grids" in city.text("#overview")
    assert city.page.locator("#banner").is_hidden()
    load_one(empty, "grids", write_grids(tmp_path / "grids.geojson"))
    city.until(lambda: city.page.locator(".key").count(), what="the poll to see the grids")
    city.settle()
    assert "9" in city.text(".legend")
    assert city.problems == []


@pytest.mark.parametrize("size", [(3840, 2160), (1000, 700), (390, 844)], ids=str)
def test_nothing_lies_beyond_the_edge_of_any_screen(open_page, tiny_app, size):
    city = open_page(tiny_app, wait=False)
    city.page.set_viewport_size({"width": size[0], "height": size[1]})
    city.page.reload()
    city.settle()
    assert city.page.evaluate("document.documentElement.scrollWidth") <= size[0]
    beyond = city.page.evaluate(
        """() => [...document.querySelectorAll("#bar *, #side *, #panels *")]
            .filter(node => node.checkVisibility() && !node.matches("input, i"))
            .filter(node => node.getBoundingClientRect().right > window.innerWidth + 1)
            .map(node => node.outerHTML.slice(0, 120))"""
    )
    assert beyond == []
