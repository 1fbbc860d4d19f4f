"""Names are text wherever they stand, whatever their file called things."""

from __future__ import annotations

import io

import pytest

from dashboard.server import FEED, make_app
from geodata.city import City
from tests.city import NOW, middle
from tests.dashboard.door_city import Door
from tests.dashboard.page_browser import CityPage
from tests.hostile_city import BRACES, IMAGE, SCRIPT, make_hostile_city

CITY = f'A {{b}} "c" & <d> {SCRIPT}'


@pytest.fixture(scope="module")
def hostile(tmp_path_factory: pytest.TempPathFactory) -> City:
    """Make a city whose grids, kinds, cameras, places, bodies and own name are attacks."""
    folder = tmp_path_factory.mktemp("hostile")
    return make_hostile_city(folder, (IMAGE, SCRIPT, BRACES), zh=CITY, en=CITY)


def test_names_that_are_markup_stay_text_in_every_part_of_the_page(open_page, page, hostile):
    dialogs: list[str] = []
    page.on("dialog", lambda dialog: (dialogs.append(dialog.message), dialog.dismiss()))
    city = open_page(make_app(hostile, now=lambda: NOW))
    assert city.page.title().startswith(CITY)
    assert city.text("#bar-words h1") == CITY
    for name in ("cameras", "places"):
        city.click(f"#shown label:has([data-layer={name}])")
    for column in range(3):
        for row in range(3):
            city.page.mouse.move(*city.spot(*middle(column, row)))
            city.page.wait_for_timeout(60)
            tip = city.page.locator(".gridmap-tip")
            if tip.is_visible():
                assert any(name in tip.inner_text() for name in (IMAGE, SCRIPT, BRACES))
    city.click(".top-row")
    city.wait_for(".card h2")
    assert any(name in city.text(".card h2") for name in (IMAGE, SCRIPT, BRACES))
    assert any(name in city.text(".card .path") for name in (IMAGE, SCRIPT, BRACES))
    city.click("#lang-switch")
    city.page.locator("#category").click()
    city.wait_for(".dash-dropdown-content")
    assert_inert(city)
    assert dialogs == []
    assert city.problems == []


def assert_inert(city: CityPage) -> None:
    """Check that no element of the page came out of a name."""
    made = city.page.evaluate(
        """() => [...document.querySelectorAll("img, script, d, [onerror]")]
            .map(node => node.outerHTML)
            .filter(text => text.includes("alert") || text.startsWith("<d"))"""
    )
    assert made == []


def test_names_that_are_markup_stay_text_on_every_page(hostile, tmp_path):
    door = Door(hostile, tmp_path / "city")
    looked = set()
    try:
        pages = [
            rule.rule
            for rule in door.app.server.url_map.iter_rules()
            if "GET" in (rule.methods or ()) and not rule.arguments
        ]
        pages += [f"/case/incidents/A{n:04d}" for n in range(3)]
        for role in ("auditor", "duty", "clerk", None):
            client = door.client(None if role is None else door.add(role, role=role))
            bring = {"file": (io.BytesIO(f"body,{IMAGE}\n1,{SCRIPT}\n".encode()), "a<b>.csv")}
            client.post("/data/upload", data={**bring, "kind": "bodies", "source": IMAGE})
            for page in pages:
                answer = client.get(page)
                if answer.mimetype == "text/html" and answer.status_code == 200:
                    text = answer.get_data(as_text=True)
                    looked.add(page)
                    for raw in (IMAGE, SCRIPT, "<d>"):
                        assert raw not in text, (role, page, raw)
    finally:
        door.app.server.extensions[FEED].close()
    assert {"/", "/desk/", "/data", "/audit", "/sign-in", "/case/incidents/A0000"} <= looked, looked
