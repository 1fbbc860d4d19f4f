"""Names are text wherever they stand, whatever their file called things."""

from __future__ import annotations

import io
from pathlib import Path

import pytest

from dashboard.server import FEED, make_app
from geodata.city import City, create_city
from tests.city import (
    EPSG,
    INCIDENT_COLUMNS,
    NOW,
    community_features,
    grid_features,
    incident_rows,
    load_one,
    middle,
    write_shapes,
    write_table,
)
from tests.dashboard.door_city import Door
from tests.dashboard.page_browser import CityPage

IMAGE = "<img src=x onerror=alert(1)>"
SCRIPT = "</script><script>alert(2)</script>"
BRACES = "{{%css%}} ${alert(3)} {0} %s"
CITY = f'A {{b}} "c" & <d> {SCRIPT}'


@pytest.fixture(scope="module")
def hostile(tmp_path_factory: pytest.TempPathFactory) -> City:
    """Make a city whose grids, kinds, cameras, places, bodies and own name are attacks."""
    folder: Path = tmp_path_factory.mktemp("hostile")
    city = create_city(folder / "city", {"name_zh": CITY, "name_en": CITY, "crs": f"EPSG:{EPSG}"})
    names = (IMAGE, SCRIPT, BRACES)
    features = [
        (shape, {**about, "name": f"{names[n % 3]} {n}", "body": names[(n + 1) % 3]})
        for n, (shape, about) in enumerate([*community_features(), *grid_features()])
    ]
    load_one(city, "grids", write_shapes(folder / "grids.geojson", features))
    rows = [[*row[:2], names[n % 3], *row[3:]] for n, row in enumerate(incident_rows(90))]
    load_one(city, "incidents", write_table(folder / "incidents.csv", INCIDENT_COLUMNS, rows))
    cameras = [[f"C{n}", names[n], *middle(n, 1)] for n in range(3)]
    columns = ("camera_id", "name", "lon", "lat")
    load_one(city, "cameras", write_table(folder / "cameras.csv", columns, cameras))
    places = [[f"P{n}", names[n], names[n], *middle(n, 0)] for n in range(3)]
    columns = ("id", "kind", "name", "lon", "lat")
    load_one(city, "places", write_table(folder / "places.csv", columns, places))
    return city


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
