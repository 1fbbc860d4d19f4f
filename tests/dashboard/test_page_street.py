"""Promise: from the city to a grid's oldest overdue case in four clicks, by row, map or key."""

from __future__ import annotations

from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest

from tests.dashboard.page_browser import CityPage, PageServer
from tests.dashboard.test_page_keys import AXE, check

PHONE = {"width": 390, "height": 844}


@pytest.fixture
def street(open_page, gaoshan_app):
    return open_page(gaoshan_app, "/street/?lang=en&days=0")


def stand(city: Any, name: str) -> None:
    """Wait until the page stands on an area: its panel there, nothing under way."""
    city.page.wait_for_function(
        "name => { const head = document.querySelector('.area-head h2');"
        " return head && head.textContent.startsWith(name)"
        " && !document.querySelector('#side[aria-busy]'); }",
        arg=name,
    )


def path_of(city: Any) -> str:
    return urlsplit(city.page.url).path


def test_rows_crumbs_and_the_back_button_lead_down_and_up_again(street):
    city = street
    stand(city, "Whole city")
    clicks = 0
    while city.page.locator("#children a").count():
        name = city.page.locator("#children a").first.inner_text()
        city.page.locator("#children a").first.click()
        stand(city, name)
        clicks += 1
    case = city.page.locator(".cases a").first
    assert clicks + 1 <= 4
    code = path_of(city).removeprefix("/street/")
    assert code
    assert case.get_attribute("href").startswith("/case/")
    city.page.locator("#crumbs a").first.click()
    stand(city, "Whole city")
    assert path_of(city) == "/street/"
    city.page.go_back()
    stand(city, name)
    assert path_of(city) == f"/street/{code}"
    assert city.problems == []


def test_a_filter_from_a_list_narrows_map_panel_and_address_together(street):
    city = street
    stand(city, "Whole city")
    total = city.page.locator("[data-def=total] strong").inner_text()
    bar = city.page.locator("[data-pick=kind]").first
    n = bar.locator(".n").inner_text().split()[0]
    bar.click()
    city.page.wait_for_function(
        "n => document.querySelector('[data-def=total] strong').textContent === n", arg=n
    )
    assert parse_qs(urlsplit(city.page.url).query)["kind"]
    assert n != total
    city.settle()
    city.page.locator("[data-pick=kind][aria-pressed=true]").first.click()
    city.page.wait_for_function(
        "n => document.querySelector('[data-def=total] strong').textContent === n", arg=total
    )
    assert "kind" not in parse_qs(urlsplit(city.page.url).query)
    assert city.problems == []


def test_a_number_opens_its_entry_and_escape_gives_the_focus_back(street):
    city = street
    stand(city, "Whole city")
    city.page.locator(".key.red").focus()
    city.press("Enter")
    city.wait_for("#street-popover[data-open]")
    said = city.page.locator("#street-popover").inner_text()
    assert "Open and past the deadline" in said
    assert "Window" in said
    city.press("Escape")
    assert "overdue" in city.page.evaluate("document.activeElement.dataset.def")
    city.press("/")
    city.wait_for("#find:focus")
    city.page.keyboard.type("321012101001001")
    city.wait_for("#found [role=option][aria-selected=true]")
    city.page.locator("#find").press("Enter")
    stand(city, "第001网格")
    assert path_of(city) == "/street/321012101001001"
    assert city.problems == []


def test_the_map_is_clicked_asked_and_played(street):
    city = street
    stand(city, "Whole city")
    city.settle()
    box = city.page.locator("#map-box").bounding_box()
    middle = {"x": box["width"] / 2, "y": box["height"] / 2}
    city.page.locator("[data-ask=circle]").click()
    city.page.locator("#map-box").click(position=middle)
    city.wait_for(".asked")
    assert "Within 300 m" in city.page.locator(".asked").inner_text()
    city.page.locator("[data-unask]").click()
    city.press("Escape")
    city.page.locator("#map-box").click(position=middle)
    city.page.wait_for_function("() => location.pathname.length > '/street/'.length")
    city.page.locator("#play").click()
    city.page.wait_for_function(
        "() => document.getElementById('frame-name').textContent.startsWith('20')"
    )
    city.page.locator("#play").click()
    assert city.problems == []


@pytest.mark.parametrize("look", ["lang=zh&theme=dark", "lang=en&theme=light"])
def test_nothing_of_it_keeps_people_out(open_page, gaoshan_app, look):
    if not AXE.is_file():
        pytest.skip("no axe-core: make setup")
    city = open_page(gaoshan_app, f"/street/?{look}&days=0")
    city.wait_for(".area-head")
    city.wait_for("#hot > *")
    city.page.evaluate(AXE.read_text("utf-8"))
    assert check(city) == []
    city.page.locator("#filter-box summary").click()
    city.page.locator(".key.red").click()
    city.wait_for("#street-popover[data-open]")
    assert check(city) == []
    assert city.problems == []


def test_a_phone_shows_all_of_it_in_one_column(page, serve_page, gaoshan_app):
    page.set_viewport_size(PHONE)
    page.goto(serve_page(gaoshan_app).address + "/street/?lang=zh&days=0")
    page.wait_for_selector("#children a")
    wide = page.evaluate("document.documentElement.scrollWidth")
    assert wide <= PHONE["width"]
    assert page.locator("#map-box").bounding_box()["width"] == PHONE["width"]
    name = page.locator("#children a").first
    name.scroll_into_view_if_needed()
    assert name.bounding_box()["height"] >= 24


def put_corners(city: Any, *places: tuple[float, float]) -> None:
    """Click the map at shares of its width and height, each corner once the last one stands."""
    box = city.page.locator("#map-box").bounding_box()
    for n, (right, down) in enumerate(places):
        city.wait_for("#ask-hint:not(:empty)")
        city.page.wait_for_function(
            "n => document.getElementById('ask-hint').textContent.startsWith(n)", arg=str(n)
        )
        city.page.mouse.click(box["x"] + box["width"] * right, box["y"] + box["height"] * down)


def test_a_polygon_is_drawn_by_hand_and_its_answer_is_a_link(street):
    city = street
    stand(city, "Whole city")
    city.settle()
    city.page.locator("[data-ask=polygon]").click()
    put_corners(city, (0.4, 0.4), (0.6, 0.4), (0.6, 0.6))
    box = city.page.locator("#map-box").bounding_box()
    middle = (box["x"] + box["width"] * 0.4, box["y"] + box["height"] * 0.6)
    city.page.mouse.dblclick(*middle)
    city.wait_for(".asked")
    assert "Within the shape" in city.text(".asked")
    assert path_of(city) == "/street/"
    (asked,) = parse_qs(urlsplit(city.page.url).query)["ask"]
    assert asked.startswith("ring=")
    assert asked.count("_") == 3
    answer = city.text(".asked")
    city.page.reload()
    city.wait_for(".asked")
    assert city.text(".asked") == answer
    assert city.problems == []


def test_a_circle_and_a_polygon_are_asked_by_keys_alone(street):
    city = street
    stand(city, "Whole city")
    city.settle()
    city.page.locator("[data-ask=circle]").focus()
    city.press("Enter")
    city.wait_for("#map-box canvas:focus")
    city.press("Enter")
    city.wait_for(".asked")
    assert "Within 300 m" in city.text(".asked")
    city.press("Escape", "Escape")
    city.wait_for(".asked", gone=True)
    city.page.locator("[data-ask=polygon]").focus()
    city.press("Enter")
    city.wait_for("#map-box canvas:focus")
    for n, key in enumerate(("ArrowRight", "ArrowDown", "ArrowLeft")):
        city.press("Enter")
        city.wait_for("[data-corner=undo]:enabled")
        city.page.wait_for_function(
            "n => document.getElementById('ask-hint').textContent.startsWith(n)", arg=str(n + 1)
        )
        city.press(key)
        city.settle()
    city.page.locator("[data-corner=finish]").focus()
    city.press("Enter")
    city.wait_for(".asked")
    assert "Within the shape" in city.text(".asked")
    assert city.problems == []


def test_a_finger_asks_too(chromium, serve_page, gaoshan_app):
    address = serve_page(gaoshan_app).address
    context = chromium.new_context(viewport=PHONE, has_touch=True, is_mobile=True)
    city = CityPage(context.new_page(), f"{address}/street/?lang=zh&days=0")
    city.page.set_viewport_size(PHONE)
    stand(city, "全市")
    city.settle()
    city.page.locator("[data-ask=circle]").tap()
    city.wait_for("#ask-acts")
    box = city.page.locator("#map-box").bounding_box()
    city.page.touchscreen.tap(box["x"] + box["width"] / 2, box["y"] + box["height"] / 2)
    city.page.wait_for_selector(".asked", state="attached")
    assert "半径 300 米以内" in city.page.locator(".asked").inner_text()
    assert city.problems == []
    context.close()


def test_a_dead_link_says_so_and_leaves_the_map_of_the_city(open_page, gaoshan_app):
    city = open_page(gaoshan_app, "/street/404?lang=en&days=0")
    assert "No grid has the code 404" in city.text("#side")
    city.page.locator(".missing [data-go]").click()
    stand(city, "Whole city")
    assert path_of(city) == "/street/"
    assert city.problems == []


def test_days_drawn_over_the_trend_narrow_the_whole_page(street):
    city = street
    stand(city, "Whole city")
    city.page.locator(".trend svg").scroll_into_view_if_needed()
    box = city.page.locator(".trend svg").bounding_box()
    row = box["y"] + box["height"] / 2
    total = city.page.locator("[data-def=total] strong").inner_text()
    city.page.mouse.move(box["x"] + box["width"] * 0.5, row)
    city.page.mouse.down()
    city.page.mouse.move(box["x"] + box["width"] * 0.7, row)
    city.page.mouse.up()
    city.page.wait_for_function(
        "n => document.querySelector('[data-def=total] strong').textContent !== n", arg=total
    )
    query = parse_qs(urlsplit(city.page.url).query)
    assert query["from"] < query["to"]
    said = " ".join(city.texts("[data-def=overdue] small"))
    assert said.startswith(f"reported {query['from'][0]} – {query['to'][0]}")
    assert "of all time" in said
    city.page.locator("[data-drop='from to']").click()
    city.page.wait_for_function(
        "n => document.querySelector('[data-def=total] strong').textContent === n", arg=total
    )
    assert city.problems == []


def test_a_server_that_goes_away_is_said_and_the_figures_stay(page, serve_page, gaoshan_app):
    server: PageServer = serve_page(gaoshan_app)
    city = CityPage(page, f"{server.address}/street/?lang=en&days=0")
    stand(city, "Whole city")
    total = city.text("[data-def=total] strong")
    with page.expect_request("**/changes?*") as poll:  # it says how long no hand was seen:
        city.press("Tab")
    assert int(poll.value.headers["x-getu-idle"]) < 60  # polls alone keep no session open
    server.stop()
    try:
        city.wait_for("#banner")
        assert "cannot be reached" in city.text("#banner")
        assert city.text("[data-def=total] strong") == total
    finally:
        server.start()
    city.wait_for("#banner", gone=True)
    stand(city, "Whole city")
    assert city.text("[data-def=total] strong") == total


def test_a_slow_answer_is_waited_for_and_opens_nothing_anew(page, serve_page, gaoshan_app):
    server: PageServer = serve_page(gaoshan_app)
    # What counts as slow comes at once here; how often the page was opened is counted.
    page.add_init_script(
        "const late = window.setTimeout;"
        "window.setTimeout = (act, ms, ...more) => late(act, ms === 15000 ? 20 : ms, ...more);"
        "sessionStorage.opened = Number(sessionStorage.opened || 0) + 1;"
    )
    held: list[Any] = []

    def hold(route: Any) -> None:
        held.append(route)

    page.route("**/area/panel.json*", hold)
    page.goto(f"{server.address}/street/?lang=en&days=0")
    page.wait_for_selector("#side > p")  # what comes is said until it comes
    page.wait_for_selector("#banner:not([hidden])")
    page.wait_for_selector("#banner", state="hidden")  # the server answers: it is only slow
    for route in list(held):
        route.continue_()
    page.wait_for_selector(".area-head")
    assert page.evaluate("sessionStorage.opened") == "1"


def test_keys_go_on_where_a_step_has_led_and_a_date_that_is_none_filters_nothing(
    open_page, gaoshan_app
):
    city = open_page(gaoshan_app, "/street/?lang=en&days=0&from=2026-13-45")
    stand(city, "Whole city")
    assert city.page.locator("#chips").inner_text() == ""
    row = city.page.locator("#children a").first
    name = row.inner_text()
    row.focus()
    city.press("Enter")
    stand(city, name)
    city.wait_for(".area-head h2:focus")
    city.page.locator("#filter-box summary").click()
    city.press("Escape")
    city.page.wait_for_function("() => !document.getElementById('filter-box').open")
    assert city.problems == []
