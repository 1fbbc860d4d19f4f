"""Whatever breaks, the map says so in words, in `data-map`, and keeps drawing the rest."""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable
from typing import Any

import pytest

from dashboard import gridmap
from dashboard.gridmap import BUILT, GridMap, NotBuilt, map_words
from geodata.words import LANGS
from tests.conftest import BROWSER_FLAGS, BROWSERS
from tests.dashboard.map_browser import MapPage
from tests.dashboard.toy_city import ToyCity, make_app

built = pytest.mark.skipif(not BUILT.is_dir(), reason="the map is not built: make setup")


@pytest.fixture
def city() -> ToyCity:
    return ToyCity()


@pytest.fixture
def open_map(page: Any, served: Callable[[Any], str], city: ToyCity) -> Callable[..., MapPage]:
    def open_it(address_tail: str = "", **props: Any) -> MapPage:
        return MapPage(page, served(make_app(city, **props)) + address_tail)

    return open_it


@built
@pytest.mark.parametrize(("route", "status"), [("heat", 503), ("heat", 404), ("areas", 500)])
def test_a_failing_layer_is_named_while_the_others_stay_painted(open_map, city, route, status):
    city.broken[route] = status
    toy = open_map(shown=["base", "grid-risk", "areas", "heat"])
    toy.wait("failed")
    assert toy.html("data-reason") == f"{route}:http-{status}"
    layers = toy.told("status", where="value => value && value.state === 'failed'")["layers"]
    assert layers[route] == {"state": "failed", "reason": f"http-{status}"}
    assert {one["state"] for name, one in layers.items() if name != route} == {"idle"}
    assert str(status) in toy.page.locator(".gridmap-notice").inner_text()
    assert toy.problems == []


@built
def test_a_failing_layer_comes_back_by_itself_or_by_the_button(open_map, city):
    city.broken["areas"] = 503
    toy = open_map(shown=["base", "grid-risk", "areas"])
    toy.wait("failed")
    city.broken.clear()
    toy.page.get_by_role("button", name="重试").click()
    toy.wait("idle")
    assert toy.page.locator(".gridmap-notice").is_hidden()


@built
def test_a_failing_base_map_leaves_the_grids(open_map, city):
    city.broken["base"] = 500
    toy = open_map(shown=["base", "grid-risk"])
    toy.wait("failed")
    lon, lat = city.grids()["features"][150]["properties"]["lp"]
    assert toy.color(lon, lat) != toy.color(119.5005, 32.4005)


@built
def test_a_collection_that_is_no_geojson_fails_its_layer(open_map, city):
    city.areas = lambda: {"error": "none"}  # type: ignore[method-assign]
    toy = open_map(shown=["grid-risk", "areas"])
    toy.wait("failed")
    assert toy.html("data-reason") == "areas:broken"


@built
def test_an_empty_city_is_idle_and_its_layers_say_empty(open_map, city):
    city.cells = []
    values = {"grid-risk": {"values": [], "breaks": [], "thin": [], "revision": 1}}
    toy = open_map(shown=["grid-risk", "names"], values=values)
    toy.wait()
    layers = toy.told("status", where="value => value && value.state === 'idle'")["layers"]
    assert {one["state"] for one in layers.values()} == {"empty"}


@built
def test_the_map_waits_for_its_layers_and_figures_before_it_says_idle(open_map, city):
    toy = open_map(layers=None, values=None)
    toy.page.wait_for_timeout(1500)
    assert toy.html("data-map") == "loading"


@built
def test_everything_works_under_a_base_path(open_map, city):
    toy = open_map("/getu/", base_path="/getu/", shown=["base", "grid-risk", "heat", "cameras"])
    toy.wait()
    asked = [path for path in city.asked if path != "callback"]
    assert asked
    assert all(path.startswith("/getu/") for path in asked)
    assert toy.problems == []


@built
def test_a_lost_graphics_card_is_said_and_the_map_comes_back_painted(open_map, city):
    toy = open_map(shown=["base", "grid-risk"])
    toy.wait()
    lon, lat = city.grids()["features"][150]["properties"]["lp"]
    before = toy.color(lon, lat)
    toy.page.evaluate(
        """() => {
            const gl = document.querySelector(".maplibregl-canvas").getContext("webgl2");
            window.lost = gl.getExtension("WEBGL_lose_context");
            window.lost.loseContext();
        }"""
    )
    toy.wait("failed")
    assert toy.html("data-reason") == "webgl_lost"
    assert map_words("zh")["webgl_lost"] in toy.page.locator(".gridmap-notice").inner_text()
    toy.page.evaluate("() => window.lost.restoreContext()")
    toy.wait("idle")
    assert toy.color(lon, lat) == before


@built
def test_without_webgl_a_sentence_stands_in_the_map_and_the_page_lives(
    chromium, served, city, tmp_path
):
    path = os.environ.get("GETU_CHROMIUM") or next(filter(None, map(shutil.which, BROWSERS)))
    flags = [*BROWSER_FLAGS, "--disable-3d-apis"]
    browser = chromium.browser_type.launch(executable_path=path, args=flags)
    try:
        toy = MapPage(browser.new_page(), served(make_app(city)))
        toy.wait("failed")
        assert toy.html("data-reason") == "no_webgl"
        assert map_words("zh")["no_webgl"] in toy.page.locator(".gridmap-notice").inner_text()
        assert toy.told("status", where="value => value")["state"] == "failed"
    finally:
        browser.close()


@built
def test_a_browser_that_cannot_read_the_bundle_gets_a_sentence(page, served, city):
    page.route("**/gridmap.v*.js*", lambda route: route.fulfill(body="let #broken = 1;"))
    page.goto(served(make_app(city)))
    page.wait_for_selector("html[data-map=failed]")
    text = page.locator("#gridmap-old-browser").inner_text()
    assert map_words("zh")["old_browser"] in text
    assert map_words("en")["old_browser"] in text


@built
def test_a_missing_worker_is_said_in_words(page, served, city):
    page.route("**/gridmap-worker.js*", lambda route: route.fulfill(status=404, body=""))
    toy = MapPage(page, served(make_app(city, shown=["grid-risk"])))
    toy.wait("failed", timeout_s=60)
    assert toy.html("data-reason") == "worker"


@built
def test_software_graphics_draw_fewer_pixels_and_say_so(open_map):
    toy = open_map(shown=["grid-risk"])
    toy.wait()
    status = toy.told("status", where="value => value && value.state === 'idle'")
    assert status["software"] is True
    assert 0.5 <= status["pixelRatio"] < 1


def test_a_missing_bundle_names_the_remedy(monkeypatch, tmp_path):
    monkeypatch.setattr(gridmap, "BUILT", tmp_path)
    with pytest.raises(NotBuilt, match="make setup"):
        GridMap(id="map")


def test_the_map_has_its_words_in_both_languages():
    assert set(map_words("zh")) == set(map_words("en"))
    for lang in LANGS:
        assert all(map_words(lang).values())
