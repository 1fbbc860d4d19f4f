"""The auditor's page reads well in both languages and themes, on a desk and on a phone."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from dashboard.server import make_app
from geodata.access.scope import Scope
from geodata.audit.log import write_entry
from geodata.city import City
from tests.city import NOW, make_gridded_city
from tests.dashboard.page_browser import PageServer

AUDITOR = Scope.whole_city("auditor-1", ("audit", "read", "read.rows"), role="auditor")
OVERFLOW = "document.documentElement.scrollWidth - document.documentElement.clientWidth"


@pytest.fixture(scope="module")
def city(tmp_path_factory: pytest.TempPathFactory) -> City:
    city = make_gridded_city(tmp_path_factory.mktemp("looks") / "city")
    with city.database.transaction() as connection:
        for number in range(120):
            write_entry(
                connection, account=AUDITOR, act="view.case", at=NOW - number,
                target=f"12345/{'9' * 40}-{number}", detail={"again": 3, "since": NOW},
            )  # fmt: skip
    return city


@pytest.mark.parametrize("lang", ["zh", "en"])
@pytest.mark.parametrize("theme", ["dark", "light"])
def test_the_page_and_a_finding_open_without_a_word_from_the_browser(
    city: City, page: Any, serve_page: Callable[[Any], PageServer], monkeypatch, lang, theme
):
    monkeypatch.setattr("dashboard.server._local_account", lambda _: AUDITOR)
    server = serve_page(make_app(city, now=lambda: NOW))
    said: list[str] = []
    page.on("console", lambda message: said.append(message.text))
    page.set_viewport_size({"width": 1366, "height": 768})
    page.goto(f"{server.address}/audit?lang={lang}&theme={theme}")
    assert page.get_attribute("html", "lang") == lang
    assert page.locator(".audit-state").get_attribute("data-kind") == "whole"
    # The head of the table stays in sight however far one reads.
    page.evaluate("window.scrollTo(0, document.documentElement.scrollHeight)")
    assert page.locator(".audit-table.log th").first.bounding_box()["y"] == 0
    for width in (1366, 390):
        page.set_viewport_size({"width": width, "height": 768})
        assert page.evaluate(OVERFLOW) == 0, width
    page.click(".audit-cards a >> nth=0")
    page.wait_for_selector(".audit-back")
    assert "/audit/late_extension?" in page.url
    assert page.locator(".audit-empty").is_visible()
    assert page.get_attribute("html", "data-theme") == theme
    assert not said
    assert {sent.status for sent in server.sent} <= {200, 304}
