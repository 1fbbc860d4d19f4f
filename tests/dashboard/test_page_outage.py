"""A server that goes away is said within a poll, and the page comes back by itself."""

from __future__ import annotations

import re

import pytest

from dashboard.map_page import POLL_MS
from dashboard.server import make_app
from tests.city import NOW
from tests.dashboard.conftest import DEMO_NOW
from tests.dashboard.page_browser import CityPage, PageServer

BANNER = {
    "zh": re.compile(r"连不上服务器，画面停在 \d\d:\d\d"),
    "en": re.compile(r"cannot be reached: this is the picture as of \d\d:\d\d"),
}


def read_banner(city: CityPage) -> str:
    return city.text("#banner") if city.page.locator("#banner").is_visible() else ""


@pytest.mark.parametrize("lang", ["zh", "en"])
def test_a_stopped_server_is_said_within_a_poll_and_the_picture_stays(
    page, serve_page, tiny_app, lang
):
    server: PageServer = serve_page(tiny_app)
    city = CityPage(page, f"{server.address}/?lang={lang}")
    assert read_banner(city) == ""
    figures = city.texts("#overview .key strong")
    server.stop()
    try:
        city.until(
            lambda: BANNER[lang].search(read_banner(city)),
            what="the banner",
            timeout_s=POLL_MS / 1000 + 3,
        )
        assert city.texts("#overview .key strong") == figures
        assert city.state == "idle"
    finally:
        server.start()
    city.until(lambda: read_banner(city) == "", what="the server to be found again")
    assert city.texts("#overview .key strong") == figures


def test_what_was_asked_for_meanwhile_is_there_when_the_server_is_back(
    page, serve_page, gaoshan_app
):
    server: PageServer = serve_page(gaoshan_app)
    city = CityPage(page, server.address)
    before = city.text("#as-of .figure")
    server.stop()
    try:
        city.page.locator("#days label:nth-of-type(3)").click()
        city.until(lambda: read_banner(city), what="the banner")
    finally:
        server.start()
    city.until(lambda: city.text("#as-of .figure") not in {"", before}, what="the new figures")
    city.settle()
    assert read_banner(city) == ""
    assert city.query()["days"] == "365"
    assert city.page.locator("#days label.selected").inner_text().strip().startswith("近 365")


def test_a_defect_of_the_server_is_said_and_unsaid(open_page, tiny, monkeypatch):
    city = open_page(make_app(tiny, now=lambda: NOW))
    with monkeypatch.context() as patch:
        patch.setattr("dashboard.parts.overview.draw", lambda *_: 1 / 0)
        city.page.locator("#days label:nth-of-type(1)").click()
        city.until(lambda: "500" in read_banner(city), what="the banner")
        assert "division" not in city.page.content()
    city.page.locator("#days label:nth-of-type(2)").click()
    city.until(lambda: read_banner(city) == "", what="the banner to go")
    city.settle()


def test_time_alone_makes_the_figures_of_an_open_page_newer(open_page, gaoshan):
    clock = [DEMO_NOW]
    city = open_page(make_app(gaoshan, now=lambda: clock[0]))
    overdue = int(city.text("#overview .key strong"))
    clock[0] += 40 * 86_400
    city.page.evaluate("dash_clientside.set_props('minute', { n_intervals: 99 })")
    city.until(lambda: int(city.text("#overview .key strong")) > overdue, what="cases to fall due")
    assert "天前" in city.text("#as-of")
