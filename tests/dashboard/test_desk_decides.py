"""Promise: at the desk a post sees where a case would fall before it saves, and loses nothing."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from dashboard.server import make_app
from geodata.access.scope import Scope
from geodata.city import City
from geodata.desk.acts import Wish, decide
from geodata.store.decisions import find_incident
from geodata.store.desk_rows import read_head
from tests.city import NOW, grid_code, load_one, lonlat, make_gridded_city, middle, write_table
from tests.dashboard.page_browser import CityPage

COLUMNS = ("incident_id", "reported_at", "kind", "lon", "lat", "address")
SOURCE = "incidents"
POST = Scope.whole_city("安宁街道值班岗", ("read", "read.rows", "act", "decide"), role="duty")


@pytest.fixture
def city(tmp_path) -> City:
    city = make_gridded_city(tmp_path / "city")
    rows = [
        ["A1", "2026-05-20 08:00:00", "积水", *middle(0, 0), "东街 1 号"],
        ["A2", "2026-05-21 08:00:00", "积水", "", "", "西街 2 号<b>"],
        ["A3", "2026-05-22 08:00:00", "积水", *middle(9, 0), "城外"],
        ["A4", "2026-05-23 08:00:00", "积水", *lonlat(203, 100), "界边"],
    ]
    load_one(city, "incidents", write_table(tmp_path / "incidents.csv", COLUMNS, rows))
    return city


@pytest.fixture
def open_desk(city, open_page, monkeypatch) -> Callable[..., CityPage]:
    def open_it(tail: str = "", *, scope: Scope = POST) -> CityPage:
        monkeypatch.setattr("dashboard.server._local_account", lambda _: scope)
        return open_page(make_app(city, now=lambda: NOW), f"/desk/?lang=zh{tail}")

    return open_it


def head_of(city: City, incident_id: str) -> Any:
    with city.database.read() as connection:
        return read_head(connection, find_incident(connection, SOURCE, incident_id))


def uid_of(city: City, column: int, row: int) -> int:
    return city.grids_in_force(NOW).find_uid(grid_code(column, row))


def click_middle(desk: CityPage) -> None:
    """Click the middle of the map, which is the middle of the city's ninth-part grid (1, 1)."""
    box = desk.page.locator(".maplibregl-canvas").bounding_box()
    desk.page.mouse.click(box["x"] + box["width"] / 2, box["y"] + box["height"] / 2)
    desk.stir()
    desk.settle()


def says(desk: CityPage, selector: str, words: str) -> str:
    """Wait until a part of the page says something; a busy machine takes its time."""
    desk.until(lambda: words in (desk.texts(selector) or [""])[0], what=words)
    desk.settle()
    return desk.text(selector)


def type_code(desk: CityPage, code: str, *, told: str) -> None:
    """Type a grid's code and wait until the form says what it means."""
    desk.page.fill("#code", code)
    says(desk, "#preview", told)


def rows_of(desk: CityPage) -> list[str]:
    return desk.texts(".desk-row code")


def test_a_pin_shows_its_grid_before_it_is_saved_and_the_case_leaves_the_tray(city, open_desk):
    desk = open_desk()
    assert rows_of(desk) == ["A2", "A3"]
    assert desk.texts(".desk-row .why")[0].endswith("西街 2 号<b>")  # markup stays text
    desk.click(".desk-row")
    assert desk.page.locator("#save").is_disabled()
    click_middle(desk)
    said = says(desk, "#preview", grid_code(1, 1))
    assert "位于网格内" in said
    metres = float(said.rpartition("距边线 ")[2].partition(" 米")[0])
    assert metres == pytest.approx(100, abs=1)  # the grid's sides are 200 m
    assert head_of(city, "A2").x is None
    desk.click("#save")
    says(desk, "#said", "没有写理由")
    assert head_of(city, "A2").x is None
    desk.page.fill("#reason", "电话核实")
    desk.click("#save")
    says(desk, "#said", grid_code(1, 1))
    assert head_of(city, "A2").owner == uid_of(city, 1, 1)
    assert rows_of(desk) == ["A3"]
    assert desk.page.input_value("#reason") == ""
    says(desk, ".desk-decisions", "电话核实")
    assert desk.problems == []


def test_the_keyboard_alone_sets_a_pin(city, open_desk):
    desk = open_desk()
    page = desk.page
    page.focus(".desk-row")
    desk.press("ArrowDown", "ArrowUp", "Enter")
    desk.settle()
    says(desk, ".desk-card", "A2")
    page.focus(".maplibregl-canvas")
    desk.press("Enter")
    says(desk, "#preview", grid_code(1, 1))
    page.focus("#reason")
    page.keyboard.type("值班员核实")
    desk.press("Control+Enter")
    says(desk, "#said", grid_code(1, 1))
    assert head_of(city, "A2").owner == uid_of(city, 1, 1)
    desk.press("Escape")
    desk.settle()
    assert page.evaluate("document.activeElement.className") == "desk-row"
    assert desk.problems == []


def test_who_comes_second_is_told_and_keeps_what_was_typed(city, open_desk):
    desk = open_desk("&tray=near")
    assert rows_of(desk) == ["A4"]
    desk.click(".desk-row")
    type_code(desk, grid_code(0, 0), told=grid_code(0, 0))
    desk.page.fill("#reason", "我方现场核实")
    wish = Wish(
        source=SOURCE, incident_id="A4", what="owner", reason="先到", seen=10**6,
        grid=uid_of(city, 2, 2),
    )  # fmt: skip
    decide(city, Scope.whole_city("duty-2", ("act",)), wish, now=NOW)
    desk.click("#save")
    says(desk, "#said", "duty-2")
    assert desk.page.input_value("#reason") == "我方现场核实"
    assert desk.page.input_value("#code") == grid_code(0, 0)
    assert head_of(city, "A4").owner == uid_of(city, 2, 2)
    assert desk.problems == []


def test_a_dispute_is_raised_and_decided(city, open_desk):
    desk = open_desk(f"&source={SOURCE}&id=A1")
    says(desk, ".desk-card", "A1")  # an address opens its case
    desk.page.get_by_text("提出争议", exact=True).click()
    says(desk, "#hint", "不归本网格管")
    type_code(desk, "99", told="没有编码为“99”")
    type_code(desk, grid_code(1, 0), told=grid_code(1, 0))
    desk.page.fill("#reason", "不归我管")
    desk.click("#save")
    says(desk, "#said", "裁定之前")
    assert desk.texts("#tray b") == ["2", "1", "1"]
    desk.page.get_by_text("裁定", exact=True).click()
    says(desk, ".desk-choice", grid_code(0, 0))
    desk.click(".desk-choice >> nth=1")
    desk.until(lambda: desk.page.input_value("#code") == grid_code(1, 0), what="the choice")
    desk.settle()
    desk.page.fill("#reason", "以路为界")
    desk.click("#save")
    says(desk, "#said", "已裁定")
    assert head_of(city, "A1").owner == uid_of(city, 1, 0)
    assert desk.texts("#tray b") == ["2", "0", "1"]
    desk.click("#tray label >> nth=1")
    says(desk, "#list", "没有未决的争议")
    assert desk.problems == []


def test_a_switch_of_language_and_theme_keeps_the_case_and_what_was_typed(open_desk):
    desk = open_desk()
    desk.click(".desk-row")
    desk.page.fill("#reason", "电话核实")
    desk.click("#lang-switch")
    desk.click("#theme-switch")
    says(desk, "#what", "Set pin")
    says(desk, ".desk-card", "A2")
    assert desk.page.input_value("#reason") == "电话核实"
    assert desk.query()["id"] == "A2"
    assert desk.problems == []


def test_who_may_only_look_is_offered_nothing_to_do(open_desk):
    desk = open_desk(scope=Scope.whole_city("viewer", ("read", "read.rows")))
    desk.click(".desk-row")
    says(desk, ".desk-card", "A2")
    assert desk.page.locator("#form").is_hidden()


def test_a_post_of_some_grids_sees_their_cases_alone(city, open_desk):
    grids = frozenset({uid_of(city, 1, 0)})
    desk = open_desk(
        scope=Scope(account="east", grids=grids, permissions=POST.permissions, role="staff")
    )
    says(desk, "#list", "由能看全市的岗位处理")
    desk.click("#tray label >> nth=2")
    assert rows_of(desk) == ["A4"]
    desk.click(".desk-row")
    type_code(desk, grid_code(0, 0), told="不在您的管辖范围内")
    assert desk.page.locator("#save").is_disabled()
