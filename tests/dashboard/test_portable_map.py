"""Promise: the stand-alone map opens from a folder, asks nobody, and shows every text as text."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from geodata.city import City
from geodata.snapshots.snapshot import Filter
from layers.portable.portable_map import draw_portable, plain_data
from layers.print.margin import Imprint
from layers.print.view import PrintView
from tests.city import NOW
from tests.dashboard.conftest import DEMO_NOW
from tests.dashboard.printed import SCRIPT, make_hostile_city, see

SHOWN = (
    "base-map", "grid-risk", "grid-edges", "overdue-halos", "incident-dots", "places", "cameras",
    "grid-names",
)  # fmt: skip


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
    grids = plain_data(file.read_bytes())["grids"]
    assert page.inner_text("#card h2") in {grid["name"] for grid in grids}
    before = page.evaluate("document.getElementById('canvas').toDataURL()")
    page.click("#show-grid-risk")
    page.wait_for_function(
        "old => document.getElementById('canvas').toDataURL() !== old", arg=before
    )
    page.click("#tools button:nth-child(1)")
    page.keyboard.press("Escape")
    assert page.locator("table tbody tr").count() == len(grids) + 1  # and the unowned
    assert "内部资料" in page.inner_text("header")
    assert seen == [file.as_uri()]


@pytest.mark.browser
def test_stored_markup_is_inert(page, tmp_path):
    file = write_map(make_hostile_city(tmp_path / "city"), tmp_path, NOW)
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


def test_a_layer_that_the_file_cannot_hold_is_named(gaoshan):
    view = PrintView(filter=Filter(), shown=("grid-risk", "incident-heat"))
    body = draw_portable(see(gaoshan, DEMO_NOW), view, lang="zh", now=DEMO_NOW, imprint=Imprint())
    risk, heat = plain_data(body)["legend"]
    assert risk["entries"]
    assert (heat["id"], heat["missing"]) == ("incident-heat", True)
    assert heat["notes"]
