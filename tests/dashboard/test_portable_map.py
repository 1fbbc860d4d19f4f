"""Promise: the stand-alone map opens from a folder, asks nobody, and shows every text as text."""

from __future__ import annotations

import base64
from pathlib import Path
from typing import Any

import pytest
import shapely

from geodata.city import City
from geodata.snapshots.snapshot import Filter
from layers.portable.portable_map import draw_portable
from layers.print.margin import Imprint
from layers.print.view import PrintView
from layers.registry import LAYERS
from tests.city import (
    NOW,
    grid_features,
    load_one,
    make_tiny_city,
    middle,
    square,
    write_shapes,
    write_table,
)
from tests.dashboard.conftest import DEMO_NOW
from tests.dashboard.printed import make_printed_attacks, read_portable, see
from tests.hostile_city import SCRIPT

THINGS = 30
SHOWN = (
    "base-map", "grid-risk", "grid-edges", "overdue-halos", "incident-dots", "places", "cameras",
    "grid-names",
)  # fmt: skip


@pytest.fixture
def village_of_things(tmp_path: Path) -> City:
    """Return a tiny city with components, a block and a line."""
    city = make_tiny_city(tmp_path / "things")
    rows = [[f"Q{n}", "路灯", ("正常", "破损")[n % 2], *middle(n % 3, 1)] for n in range(THINGS)]
    columns = ("id", "kind", "state", "lon", "lat")
    load_one(city, "components", write_table(tmp_path / "things.csv", columns, rows))
    block, line = (
        grid_features()[0][0],
        shapely.LineString([square(at, at).centroid for at in (0, 2)]),
    )
    for what, shape in (("blocks", block), ("lines", line)):
        file = write_shapes(tmp_path / f"{what}.geojson", [(shape, {"id": "1", "kind": "河"})])
        load_one(city, what, file)
    return city


def write_map(city: City, folder: Path, now: int, lang: str = "zh") -> Path:
    view = PrintView(filter=Filter(), shown=SHOWN)
    body = draw_portable(see(city, now), view, lang=lang, now=now, imprint=Imprint())  # type: ignore[arg-type]
    assert body == draw_portable(see(city, now), view, lang=lang, now=now, imprint=Imprint())  # type: ignore[arg-type]
    file = folder / "map.html"
    file.write_bytes(body)
    return file


def open_file(page: Any, file: Path) -> list[str]:
    """Open a file; return the list into which every request and every fault will go."""
    seen: list[str] = []
    page.on("request", lambda request: seen.append(request.url))
    page.on("pageerror", lambda error: seen.append(f"fault {error}"))
    page.on("console", lambda line: seen.append(f"console {line.text}"))
    page.on("dialog", lambda dialog: (seen.append(f"dialog {dialog.message}"), dialog.dismiss()))
    page.goto(file.as_uri())
    page.wait_for_selector("html[data-map=idle]")
    return seen


@pytest.mark.browser
def test_it_opens_without_a_network_and_answers(page, gaoshan, tmp_path):
    file = write_map(gaoshan, tmp_path, DEMO_NOW)
    seen = open_file(page, file)
    canvas = page.locator("#canvas")
    canvas.focus()
    page.keyboard.press("Enter")  # the grid in the middle
    page.wait_for_selector("#card h2")
    grids = read_portable(file.read_bytes())["grids"]
    assert page.inner_text("#card h2") in {grid["name"] for grid in grids}
    before = page.evaluate("document.getElementById('canvas').toDataURL()")
    page.click("#show-grid-risk")
    page.wait_for_function(
        "old => document.getElementById('canvas').toDataURL() !== old", arg=before
    )
    for layer in ("incident-dots", "cameras"):  # single cases from nearer on, as on screen
        page.click("#tools button:nth-child(1)")
        page.click("#tools button:nth-child(1)")
        before = page.evaluate("document.getElementById('canvas').toDataURL()")
        page.click(f"#show-{layer}")
        page.wait_for_function(
            "old => document.getElementById('canvas').toDataURL() !== old", arg=before
        )
    page.keyboard.press("Escape")
    assert page.locator("table tbody tr").count() == len(grids) + 1  # and the unowned
    assert "内部资料" in page.inner_text("header")
    assert seen == [file.as_uri()]


@pytest.mark.browser
def test_stored_markup_is_inert(page, tmp_path):
    file = write_map(make_printed_attacks(tmp_path / "city"), tmp_path, NOW)
    seen = open_file(page, file)
    page.locator("#canvas").focus()
    page.keyboard.press("Enter")
    page.wait_for_selector("#card h2")
    assert SCRIPT in page.inner_text("h1")
    assert page.locator("img").count() == 0
    assert page.locator("script").count() == 2
    assert seen == [file.as_uri()]


def test_the_file_forbids_itself_every_request_and_every_other_script(gaoshan, tmp_path):
    text = write_map(gaoshan, tmp_path, DEMO_NOW, lang="en").read_text("utf-8")
    policy = text.split('Content-Security-Policy" content="')[1].split('"')[0]
    assert policy.startswith("default-src 'none'; script-src 'sha256-")
    assert "unsafe" not in policy
    assert "http" not in policy
    assert " src=" not in text
    assert " href=" not in text
    assert len(text) < 5_000_000


def test_a_file_holds_every_layer_and_shows_the_usual_ones(village_of_things):
    view = PrintView(filter=Filter())
    page = draw_portable(see(village_of_things, NOW), view, lang="zh", now=NOW, imprint=Imprint())
    held = {layer["id"]: layer for layer in read_portable(page)["layers"]}
    assert set(held) == {layer.id for layer in LAYERS}
    assert {id for id, layer in held.items() if layer["on"]} == {
        layer.id for layer in LAYERS if layer.visible
    }
    assert {id: layer["kind"] for id, layer in held.items()} == {
        layer.id: layer.kind for layer in LAYERS
    }
    assert len(base64.b64decode(held["components"]["packed"]["at"])) == 4 * THINGS
    assert base64.b64decode(held["incident-heat"]["png"]).startswith(b"\x89PNG")
    for name in ("blocks", "lines"):
        assert held[name]["shapes"][0]["rings"]
    named = PrintView(filter=Filter(), shown=("lines",))
    page = draw_portable(see(village_of_things, NOW), named, lang="zh", now=NOW, imprint=Imprint())
    assert [layer["id"] for layer in read_portable(page)["layers"]] == ["lines"]
