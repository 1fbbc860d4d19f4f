"""Promise: the wall shows an alarm at once, outlives its server, and keeps nobody out."""

from __future__ import annotations

import base64
import io
import re
import shutil
import time
from collections.abc import Iterator
from datetime import datetime
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import numpy as np
import pytest
from PIL import Image

from dashboard.map_page import ASSETS
from dashboard.server import FEED, make_app
from geodata.access.scope import Scope
from geodata.access.source_tokens import change_tokens
from geodata.city import City
from geodata.wall.scenes import hold_wall, list_own_scenes
from tests.dashboard.conftest import DEMO_NOW
from tests.dashboard.page_browser import CityPage, PageServer
from tests.dashboard.test_page_keys import AXE, check

SHOWN_S, BACK_S, SAID_S = 3.0, 10.0, 20.0
FLASH = 2.0  # of 255, the mean of the map: less is the frame of a mark, more is seen across a room
WALL = {"width": 1920, "height": 1080}


class Town:
    """A copy of the smallest demo city that a source posts alarms to."""

    def __init__(self, gaoshan: City, folder: Path) -> None:
        shutil.copytree(gaoshan.folder, folder, ignore=shutil.ignore_patterns("*.lock"))
        self.city = City(folder)
        self._secret = change_tokens(folder, "add", "iot", now=DEMO_NOW).secret
        self.app = make_app(self.city, now=lambda: DEMO_NOW)
        west, south, east, north = self._bounds()
        self.middle = ((west + east) / 2, (south + north) / 2)

    def _bounds(self) -> Any:
        grids = self.city.grids_in_force(DEMO_NOW)
        assert grids is not None
        return grids.grids.to_crs(4326).total_bounds

    def post(self, number: str, **said: Any) -> None:
        lon, lat = self.middle
        event = {"incident_id": number, "stage": "reported", "at": DEMO_NOW, "lon": lon, "lat": lat}
        answer = self.app.server.test_client().post(
            "/api/events", json=event | said, headers={"Authorization": f"Bearer {self._secret}"}
        )
        assert answer.status_code == 200, answer.text


@pytest.fixture
def town(gaoshan, tmp_path) -> Iterator[Town]:
    made = Town(gaoshan, tmp_path / "city")
    yield made
    made.app.server.extensions[FEED].close()


def open_wall(page: Any, server: PageServer, tail: str) -> CityPage:
    wall = CityPage(page, server.address + tail, wait=False)
    page.set_viewport_size(WALL)
    wall.wait_for("#part-keys strong, .duty-row, #duty-card")
    wall.settle()
    return wall


def poll_s() -> float:
    """How long after one question a wall asks the next, in seconds."""
    found = re.search(r"POLL_MS = (\d+)", (ASSETS / "live.js").read_text("utf-8"))
    assert found is not None
    return int(found[1]) / 1000


def become(page: Any, server: PageServer, role: str) -> None:
    """Try a role of the demo city in this browser."""
    headers = {"Origin": server.address}
    form = {"role": role}
    assert page.context.request.post(f"{server.address}/demo-role", form=form, headers=headers).ok


def test_an_alarm_takes_the_wall_over_within_seconds_and_gives_it_back(page, serve_page, town):
    server: PageServer = serve_page(town.app)
    wall = open_wall(page, server, "/wall/?lang=zh&scene=1")
    scene = wall.text("#wall-scene")
    assert not page.locator("#wall-card").is_visible()
    town.post("A1", alarm_level=1, kind="5001")
    mark = len(server.sent)
    wall.wait_for(".wall-alarm-row")
    asked = [one for one in server.since(mark) if one.path == "/wall/news"]
    # Seconds depend on the machine: one question may have been under way, the next one tells.
    assert len(asked) <= 2
    assert poll_s() * 2 <= SHOWN_S
    wall.wait_for("#wall-card")
    assert "一级" in wall.text("#wall-card")
    wall.settle()
    town.post("A1", stage="closed", at=DEMO_NOW + 1)
    wall.wait_for("#wall-card", gone=True)
    wall.until(lambda: wall.text("#wall-scene") == scene, what="the scene to come back")
    assert wall.problems == []


def test_a_wall_outlives_its_server_without_a_reload(page, serve_page, town):
    server: PageServer = serve_page(town.app)
    wall = open_wall(page, server, "/wall/?lang=zh")
    late = wall.text("#part-keys strong")
    page.evaluate("window.same = true")
    server.stop()
    try:
        wall.until(
            lambda: "连不上服务器" in wall.text("#live-lost"), what="the age", timeout_s=SAID_S
        )
        assert wall.text("#part-keys strong") == late
        assert page.evaluate("document.documentElement.dataset.wall") == "lost"
        town.post("B1", alarm_level=2)
    finally:
        server.start()
    begin_s = time.monotonic()
    wall.wait_for("#live-lost", gone=True)
    wall.wait_for("#wall-card")
    assert time.monotonic() - begin_s < BACK_S
    assert page.evaluate("window.same") is True


def test_a_wrong_clock_of_the_walls_own_machine_shows_nowhere(page, serve_page, town):
    hours = 5
    page.add_init_script(
        f"const right = Date.now; Date.now = () => right() - {hours} * 3600e3;"
        f"const Clock = Date; window.Date = class extends Clock {{"
        f"  constructor(...said) {{ if (said.length) super(...said); else super(Date.now()); }} }};"
    )
    wall = open_wall(page, serve_page(town.app), "/wall/?lang=zh&scene=1")
    wall.until(lambda: re.search(r"\d\d:\d\d:\d\d", wall.text("#wall-clock")), what="the clock")
    hour, minute, _ = re.findall(r"\d\d(?=:)|(?<=:)\d\d", wall.text("#wall-clock"))
    right = datetime.now(ZoneInfo("Asia/Shanghai"))
    off = abs((right.hour - int(hour)) * 60 + right.minute - int(minute))
    assert min(off, 24 * 60 - off) <= 2  # minutes: the server's own clock, read across midnight too
    assert not page.locator("#live-lost").is_visible()


def test_the_desk_takes_an_alarm_and_holds_it_on_the_wall(page, serve_page, town):
    server = serve_page(town.app)
    become(page, server, "duty")
    town.post("C1", alarm_level=2, kind="5001")
    desk = open_wall(page, server, "/duty/?lang=zh")
    page.set_viewport_size({"width": 1366, "height": 768})
    desk.wait_for("#who .pages")
    page.locator(".duty-row").click()
    desk.wait_for(".duty-rings")
    page.locator('[data-act="hold"]').click()
    desk.wait_for("#duty-hold .held")
    page.locator("#duty-text").fill("已派人")
    page.locator('[data-act="ack"]').click()
    desk.wait_for(".duty-notes")
    assert "已派人" in desk.text(".duty-notes")
    desk.wait_for(".duty-row.acknowledged")
    other = page.context.new_page()
    wall = open_wall(other, server, "/wall/?lang=zh")
    wall.wait_for("#wall-card")
    assert "接警" in wall.text("#wall-card")
    page.locator('[data-verdict="real"]').click()
    wall.until(
        lambda: "已核定：属实" in wall.text("#wall-card"), what="the card to tell the verdict"
    )
    told = other.evaluate("window.dash_component_api.getLayout('map').props")
    kinds = {one["id"]: one["kind"] for one in told["layers"]}
    assert {kinds[one] for one in told["shown"]} <= {"base", "outline", "labels", "clusters"}
    page.locator("#duty-hold .held").click()
    wall.wait_for("#wall-card", gone=True)
    assert desk.problems + wall.problems == []


@pytest.mark.parametrize(
    "look", ["lang=zh", pytest.param("lang=en&theme=light", marks=pytest.mark.long)]
)
def test_a_check_for_accessibility_finds_nothing(page, serve_page, town, look):
    if not AXE.is_file():
        pytest.skip("no axe-core: make setup")
    server = serve_page(town.app)
    town.post("D1", alarm_level=3)
    wall = open_wall(page, server, f"/wall/?{look}&scene=6")  # a film
    wall.wait_for("#part-film .hour.now")
    wall.wait_for("#wall-card")
    page.evaluate(AXE.read_text("utf-8"))
    assert check(wall) == []
    become(page, server, "duty")
    desk = open_wall(page, server, f"/duty/?alarm=1&{look}")
    desk.wait_for(".duty-rings")
    page.evaluate(AXE.read_text("utf-8"))
    assert check(desk) == []
    for role, path in (("duty", "duty/log"), ("administrator", "scenes")):
        become(page, server, role)
        page.goto(f"{server.address}/{path}?{look}")
        page.evaluate(AXE.read_text("utf-8"))
        assert check(desk) == []


def watch_light(page: Any, wait: Any) -> list[float]:
    """Return how bright the map was in every picture the browser showed until `wait` returned."""
    seen: list[bytes] = []
    tools = page.context.new_cdp_session(page)

    def keep(frame: dict[str, Any]) -> None:
        seen.append(base64.b64decode(frame["data"]))
        tools.send("Page.screencastFrameAck", {"sessionId": frame["sessionId"]})

    tools.on("Page.screencastFrame", keep)
    tools.send("Page.startScreencast", {"format": "jpeg", "quality": 60, "maxWidth": 960})
    wait()
    tools.send("Page.stopScreencast")
    pictures = [np.asarray(Image.open(io.BytesIO(one)).convert("L"), float) for one in seen]
    return [float(one[60:320, 260:690].mean()) for one in pictures]  # within the map's box


@pytest.mark.long
def test_no_picture_between_two_scenes_is_darker_or_lighter_than_both(page, serve_page, town):
    server = serve_page(town.app)
    scope = Scope.whole_city("duty-1", ("read", "read.rows", "act"), role="duty")
    names = [one.name for one in list_own_scenes("zh")]
    hold_wall(town.city, scope, what="scene", target=names[0], now=DEMO_NOW)
    wall = open_wall(page, server, "/wall/?lang=zh")
    wall.until(lambda: wall.text("#wall-scene") == names[0], what="the first scene")
    wall.settle()

    def go_on() -> None:
        hold_wall(town.city, scope, what="scene", target=names[2], now=DEMO_NOW)
        wall.until(lambda: wall.text("#wall-scene") == names[2], what="the other scene")
        wall.settle()

    light = watch_light(page, go_on)
    before, after = light[0], light[-1]
    assert len(light) > 2
    assert abs(before - after) > FLASH, "two scenes that look alike prove nothing"
    assert min(light) >= min(before, after) - FLASH
    assert max(light) <= max(before, after) + FLASH
