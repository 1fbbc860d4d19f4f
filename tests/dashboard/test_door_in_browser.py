"""The door in a real browser: in, seen in the bar, out, and led back when the session is over."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from geodata.access.account_changes import switch_account
from geodata.city import City
from tests.dashboard.conftest import DEMO_NOW
from tests.dashboard.door_city import PASSWORD, Door
from tests.dashboard.page_browser import PageServer

IDLE = "html[data-map=idle]"
SIZES = ((1366, 768), (390, 844), (3840, 2160))
CONTRAST = """
() => {
  const light = text => {
    const [r, g, b] = text.match(/[\\d.]+/g).slice(0, 3).map(Number).map(v => v / 255)
      .map(v => v <= 0.03928 ? v / 12.92 : ((v + 0.055) / 1.055) ** 2.4);
    return 0.2126 * r + 0.7152 * g + 0.0722 * b;
  };
  const ground = node => {
    for (let at = node; at; at = at.parentElement) {
      const color = getComputedStyle(at).backgroundColor;
      if (!/, 0\\)$/.test(color)) return color;
    }
    return 'rgb(255,255,255)';
  };
  return [...document.querySelectorAll('h1, h2, p, label, button, a, span')]
    .filter(node => node.textContent.trim() && node.getClientRects().length)
    .map(node => {
      const both = [light(getComputedStyle(node).color), light(ground(node))];
      const [a, b] = both.sort((x, y) => y - x);
      return [node.textContent.trim().slice(0, 20), (a + 0.05) / (b + 0.05)];
    });
}
"""


@pytest.fixture(scope="module")
def door(gaoshan: City, tmp_path_factory: pytest.TempPathFactory) -> Door:
    door = Door(gaoshan, tmp_path_factory.mktemp("browser") / "city", sign_in_tries_address=1000)
    door.clock.now = DEMO_NOW
    door.add("值班岗-1", role="duty")
    door.add("fresh-1", one_time=True)
    return door


@pytest.fixture
def address(door: Door, serve_page: Callable[[Any], PageServer]) -> str:
    return serve_page(door.app).address


def enter(page: Any, name: str, password: str = PASSWORD) -> None:
    page.fill("#name", name)
    page.fill("#password", password)
    page.press("#password", "Enter")


def test_in_by_the_keyboard_seen_in_the_bar_and_out_again(page, address):
    faults: list[str] = []
    page.on("pageerror", lambda error: faults.append(str(error)))
    page.goto(f"{address}/?lang=zh&days=28")
    assert "/sign-in?" in page.url
    page.wait_for_selector("#name:focus")  # the first box has the focus
    page.keyboard.type("值班岗-1")
    page.keyboard.press("Tab")
    page.keyboard.type("wrong wrong wrong")
    page.keyboard.press("Enter")
    page.wait_for_selector("[role=alert]")
    assert page.input_value("#name") == "值班岗-1"
    assert page.evaluate("document.activeElement.id") == "password"
    page.keyboard.type(PASSWORD)
    page.keyboard.press("Enter")
    page.wait_for_selector(IDLE)
    assert "days=28" in page.url
    page.wait_for_selector("#who details:not(.pages) summary")
    assert "值班岗-1" in page.inner_text("#who")
    assert "值班" in page.inner_text("#who .who-role")
    page.focus("#who details:not(.pages) summary")
    page.keyboard.press("Enter")
    page.keyboard.press("Tab")
    page.keyboard.press("Tab")
    page.keyboard.press("Enter")  # sign out
    page.wait_for_selector("#name")
    assert page.url.endswith("/sign-in")
    page.goto(f"{address}/")
    assert "/sign-in?" in page.url
    assert not faults


def test_when_the_session_ends_the_page_leads_to_the_door_and_back(page, address, door):
    page.goto(f"{address}/?lang=en")
    enter(page, "值班岗-1")
    page.wait_for_selector(IDLE)
    page.click("#theme-switch")
    page.wait_for_function("location.search.includes('theme=light')")
    switch_account(door.city, "值班岗-1", "revoke", now=door.clock.now)
    page.wait_for_selector("#name")  # the page's own poll finds it out
    assert "/sign-in?next=" in page.url
    enter(page, "值班岗-1")
    page.wait_for_selector(IDLE)
    assert "theme=light" in page.url


def test_a_one_time_password_is_changed_before_anything_else(page, address):
    page.goto(f"{address}/?lang=en")
    enter(page, "fresh-1")
    page.wait_for_selector("#old")
    assert "/password" in page.url
    page.fill("#old", PASSWORD)
    page.fill("#new", "eight green frogs asleep")
    page.fill("#again", "eight green frogs asleep")
    page.press("#again", "Enter")
    page.wait_for_selector("[role=status]")
    page.click("a.primary")
    page.wait_for_selector(IDLE)
    assert "fresh-1" in page.inner_text("#who")


@pytest.mark.parametrize("size", SIZES, ids=lambda size: f"{size[0]}")
@pytest.mark.parametrize("look", ["lang=zh&theme=dark", "lang=en&theme=light"])
def test_the_form_fits_every_screen_and_can_be_read(page, address, size, look):
    page.set_viewport_size({"width": size[0], "height": size[1]})
    page.goto(f"{address}/sign-in?{look}")
    wide = page.evaluate("document.documentElement.scrollWidth")
    assert wide <= size[0]
    for name in ("#name", "#password", "button.primary"):
        box = page.locator(name).bounding_box()
        assert box["height"] >= 44
        assert 0 <= box["x"] <= box["x"] + box["width"] <= size[0]
        assert box["y"] + box["height"] <= size[1]
    weak = [found for found in page.evaluate(CONTRAST) if found[1] < 4.5]
    assert not weak


def test_each_box_has_its_name_for_who_listens(page, address):
    page.goto(f"{address}/sign-in?lang=en")
    assert page.get_by_label("Account").get_attribute("autocomplete") == "username"
    assert page.get_by_label("Password").get_attribute("autocomplete") == "current-password"
    assert page.get_by_role("button", name="Sign in").count() == 1
    assert page.title().startswith("Sign in")
    page.get_by_text("中 / EN").click()
    assert page.title().startswith("登录")
