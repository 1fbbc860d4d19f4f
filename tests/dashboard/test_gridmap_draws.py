"""The map draws what it is told, in the place and colour it is told, and tells what is clicked."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from dashboard.gridmap import BUILT, map_words
from tests.dashboard.map_browser import MapPage
from tests.dashboard.toy_city import ToyCity, make_app, make_values
from tests.dashboard.toy_layers import describe_layers

pytestmark = pytest.mark.skipif(not BUILT.is_dir(), reason="the map is not built: make setup")
ONLY_GRIDS = ["base", "grid-risk"]


@pytest.fixture
def city() -> ToyCity:
    return ToyCity()


@pytest.fixture
def open_map(page: Any, served: Callable[[Any], str], city: ToyCity) -> Callable[..., MapPage]:
    def open_it(**props: Any) -> MapPage:
        toy = MapPage(page, served(make_app(city, **props)))
        toy.wait()
        return toy

    return open_it


def middle_of(city: ToyCity, row: int) -> tuple[float, float]:
    return city.grids()["features"][row]["properties"]["lp"]


def brightness(color: tuple[int, int, int]) -> float:
    return float(np.dot(color, (0.3, 0.59, 0.11)))


def test_everything_is_painted_before_the_page_says_idle(open_map, city):
    toy = open_map(shown=[layer["id"] for layer in describe_layers()])
    status = toy.told("status", where="value => value && value.state === 'idle'")
    assert toy.html("data-map") == "idle"
    assert toy.html("data-revision") == "1"
    assert {name: one["state"] for name, one in status["layers"].items()} == {
        "base": "idle", "grid-risk": "idle", "areas": "idle", "names": "idle", "halos": "idle",
        "heat": "idle", "dots": "zoom", "cameras": "idle",
    }  # fmt: skip
    # Three layers name the same grids: they are fetched once.
    assert sum("grids.geojson" in path for path in city.asked) == 1
    assert toy.problems == []


def test_new_values_repaint_their_grid_without_fetching_anything(open_map, city):
    toy = open_map(shown=ONLY_GRIDS)
    row = 150
    values = make_values(city.size)
    values["grid-risk"]["values"][row] = 0
    toy.set(values=values, revision=2)
    low = toy.color(*middle_of(city, row))
    asked = len(city.asked)
    values["grid-risk"]["values"][row] = 99
    values["grid-risk"]["revision"] = 3
    toy.set(values=values, revision=3)
    high = toy.color(*middle_of(city, row))
    assert brightness(high) > brightness(low) + 100
    assert toy.html("data-revision") == "3"
    assert city.asked[asked:] == []


def test_no_data_zero_and_thin_look_different(open_map, city):
    values = make_values(city.size)
    figures = values["grid-risk"]
    figures["values"] = [5.0] * city.size
    figures["values"][150], figures["values"][151] = None, 0
    figures["thin"] = [152]
    toy = open_map(shown=["grid-risk"], values=values)
    x, y = (round(v) for v in toy.spot(*middle_of(city, 152)))
    thin = toy.pixels()[y - 8 : y + 8, x - 8 : x + 8].reshape(-1, 3)
    colors = {toy.color(*middle_of(city, row)) for row in (149, 150, 151)}
    assert len(colors) == 3
    # Hatched: no single colour fills the square.
    assert len(np.unique(thin, axis=0)) > 4


def test_a_click_tells_the_uid_and_the_code_of_the_grid_under_it(open_map, city):
    toy = open_map(shown=ONLY_GRIDS)
    toy.page.mouse.click(*toy.spot(*middle_of(city, 42)))
    clicked = toy.told("clicked", where="value => value && value.id")
    assert (clicked["layer"], clicked["id"]) == ("grid-risk", 1042)
    assert clicked["properties"]["code"] == "321012000000042"


def test_a_click_beside_everything_tells_an_empty_place(open_map):
    toy = open_map(shown=ONLY_GRIDS)
    toy.page.mouse.click(30, 30)
    clicked = toy.told("clicked", where="value => value")
    assert clicked["layer"] is None
    assert clicked["id"] is None


def test_a_second_click_on_the_same_spot_is_told_too(open_map, city):
    toy = open_map(shown=ONLY_GRIDS)
    spot = toy.spot(*middle_of(city, 42))
    toy.page.mouse.click(*spot)
    first = toy.told("clicked", where="value => value && value.id")
    toy.page.wait_for_timeout(400)  # not a double click
    toy.page.mouse.click(*spot)
    second = toy.told("clicked", where=f"value => value && value.n > {first['n']}")
    assert second["id"] == first["id"]


def test_a_clicked_cluster_opens_instead(open_map, city):
    features = city.cameras()["features"][:12]
    for i, feature in enumerate(features):
        feature["geometry"]["coordinates"] = [119.53 + i * 1e-5, 32.425]
    city.cameras = lambda: {"type": "FeatureCollection", "features": features}
    toy = open_map(shown=["base", "cameras"])
    before = toy.told("viewport", where="value => value")["zoom"]
    toy.page.mouse.click(*toy.spot(119.530055, 32.425))
    toy.told("viewport", where=f"value => value.zoom > {before} + 1")
    assert toy.told("clicked") is None


def test_the_selected_grid_is_outlined_until_escape(open_map):
    def count_accent() -> int:
        inside = toy.pixels()[8:-8, 8:-8].astype(int)  # within the canvas's own focus ring
        return int((np.abs(inside - (0x4C, 0xC2, 0xFF)).max(axis=2) < 12).sum())

    toy = open_map(shown=ONLY_GRIDS)
    assert count_accent() == 0
    toy.set(selected=1042)
    assert count_accent() > 60
    toy.page.locator(".maplibregl-canvas").focus()
    toy.page.keyboard.press("Escape")
    assert toy.told("selected", where="value => value === null") is None
    toy.wait()
    assert count_accent() < 40  # the cross in the middle


def test_keys_move_the_map_and_enter_picks_the_middle(open_map):
    toy = open_map(shown=ONLY_GRIDS)
    start = toy.told("viewport", where="value => value")
    toy.page.locator(".maplibregl-canvas").focus()
    toy.page.keyboard.press("Equal")
    nearer = toy.told("viewport", where=f"value => value.zoom > {start['zoom']} + 0.5")
    toy.page.keyboard.press("ArrowRight")
    toy.told("viewport", where=f"value => value.center[0] > {nearer['center'][0]} + 1e-5")
    toy.wait()
    toy.page.keyboard.press("Enter")
    assert toy.told("clicked", where="value => value && value.id")["layer"] == "grid-risk"


def test_the_theme_changes_colours_and_fetches_only_pictures_drawn_for_it(open_map, city):
    toy = open_map(shown=["base", "grid-risk", "areas", "names", "heat", "cameras"])
    dark = toy.pixels()[40:60, 40:60].mean()
    asked = len(city.asked)
    toy.set(theme="light")
    assert toy.pixels()[40:60, 40:60].mean() > dark + 150
    fetched = [path for path in city.asked[asked:] if path != "callback"]
    assert fetched
    assert all("/heat/" in path and "theme=light" in path for path in fetched)


def test_a_filter_fetches_only_what_is_filtered_with_its_revision(open_map, city):
    toy = open_map(shown=["base", "grid-risk", "heat", "names"])
    asked = len(city.asked)
    toy.set(filter="state=open&since=1700000000", revision=9)
    fetched = city.asked[asked:]
    assert fetched
    assert all("/heat/" in path for path in fetched)
    assert all("state=open&since=1700000000" in path and "v=9" in path for path in fetched)
    assert toy.html("data-revision") == "9"


def test_layers_switch_off_and_on_again_without_fetching(open_map, city):
    toy = open_map(shown=ONLY_GRIDS)
    spot = middle_of(city, 152)
    values = make_values(city.size)
    values["grid-risk"]["values"] = [99.0] * city.size
    toy.set(values=values)
    on = toy.color(*spot)
    toy.set(shown=["base"])
    off = toy.color(*spot)
    asked = len(city.asked)
    toy.set(shown=ONLY_GRIDS)
    assert brightness(off) < brightness(on) - 60
    assert toy.color(*spot) == on
    assert city.asked[asked:] == []


def test_the_hover_box_shows_named_fields_as_text_only(open_map, city):
    toy = open_map(shown=["cameras"], view={"center": [119.53, 32.4255], "zoom": 16.5})
    camera = min(
        city.cameras()["features"],
        key=lambda one: np.hypot(*(np.array(one["geometry"]["coordinates"]) - (119.53, 32.4255))),
    )
    toy.set(view={"center": camera["geometry"]["coordinates"], "zoom": 17})
    toy.page.mouse.move(*toy.spot(*camera["geometry"]["coordinates"]))
    tip = toy.page.locator(".gridmap-tip")
    tip.wait_for(state="visible")
    assert camera["properties"]["name"] in tip.inner_text()  # its <b> is shown, not obeyed
    assert "编号" in tip.inner_text()
    assert tip.locator("b").count() == 0


def test_dots_appear_from_their_zoom_on(open_map, city):
    toy = open_map(shown=["base", "dots"])
    assert not any("/dots/" in path for path in city.asked)
    toy.set(view={"center": [119.53, 32.4255], "zoom": 15})
    assert any("/dots/" in path for path in city.asked)
    red = np.array([0xFF, 0x5D, 0x4D])
    assert (np.abs(toy.pixels().astype(int) - red).max(axis=2) < 25).sum() > 100


def test_words_follow_the_language(open_map):
    toy = open_map(shown=ONLY_GRIDS)
    toy.set(lang="en", words=map_words("en"), layers=describe_layers("en"))
    names = toy.page.locator(".gridmap-buttons button").evaluate_all(
        "all => all.map(one => one.getAttribute('aria-label'))"
    )
    assert names == ["Zoom in", "Zoom out", "Whole city"]
    assert "made-up city" in toy.page.locator(".gridmap-source").inner_text()


def test_a_view_by_uid_goes_to_the_area_and_the_button_goes_back(open_map, city):
    toy = open_map(shown=ONLY_GRIDS)
    start = toy.told("viewport", where="value => value")
    toy.set(view={"uid": 1042})
    near = toy.told("viewport", where=f"value => value.zoom > {start['zoom']} + 1")
    west, south, east, north = near["bounds"]
    lon, lat = middle_of(city, 42)
    assert west < lon < east
    assert south < lat < north
    toy.page.get_by_role("button", name="回到全貌").click()
    toy.told("viewport", where=f"value => Math.abs(value.zoom - {start['zoom']}) < 0.01")


def test_a_new_version_of_the_grids_takes_their_place_and_keeps_figures_and_selection(
    open_map, city
):
    toy = open_map(shown=ONLY_GRIDS, selected=1042)
    before = toy.color(*middle_of(city, 150))
    asked = len(city.asked)
    layers = describe_layers()
    layers[1]["source"]["url"] = "layers/grids.geojson?v=2"
    toy.set(layers=layers)
    assert city.asked[asked:] == ["/layers/grids.geojson?v=2"]
    assert toy.color(*middle_of(city, 150)) == before
    layers = describe_layers()
    layers[1]["source"]["url"] = "layers/grids.geojson?only=all"
    toy.set(layers=layers)
    assert toy.color(*middle_of(city, 150)) == before
    assert toy.problems == []


def test_the_picture_at_idle_is_the_last_one(open_map):
    toy = open_map(shown=["base", "grid-risk", "areas", "names", "cameras"])
    at_idle = toy.pixels().astype(int)
    toy.page.wait_for_timeout(1500)
    assert (np.abs(toy.pixels() - at_idle).max(axis=2) > 8).sum() == 0
