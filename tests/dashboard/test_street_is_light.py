"""Promise: a poll without news is a few hundred bytes, and a step of the street costs little."""

from __future__ import annotations

import os
import socket
import statistics
import sys
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import numpy as np
import pytest

from dashboard.server import make_app
from dashboard.street.panel import find_late, find_rows
from geodata.access.scope import ROWS, Scope
from geodata.access.sight import SightKeeper
from geodata.city import open_city
from geodata.events.clock import RED
from geodata.figures.area import count_area
from geodata.figures.period import Period
from geodata.snapshots.facts import FactsKeeper
from geodata.snapshots.snapshot import Filter
from tests.city import NOW
from tests.dashboard.conftest import DEMO_NOW
from tests.dashboard.page_browser import CityPage, PageServer

POLL_BYTES = 500
STEPS = 20
READY = "() => !document.querySelector('#side[aria-busy]') && document.querySelector('.area-head')"


def ask_raw(address: str, path: str) -> bytes:
    """Every byte of the answer to a plain request, its headers among them."""
    parts = urlsplit(address)
    with socket.create_connection((parts.hostname, parts.port)) as wire:
        wire.sendall(
            f"GET {path} HTTP/1.1\r\nHost: {parts.netloc}\r\nConnection: close\r\n\r\n".encode()
        )
        return b"".join(iter(lambda: wire.recv(65_536), b""))


def test_a_poll_with_no_news_is_small(serve_page, tiny_app):
    server: PageServer = serve_page(tiny_app)
    panel = tiny_app.server.test_client().get("/area/panel.json?days=0").get_json()
    answer = ask_raw(server.address, f"/changes?since={panel['revision']}")
    assert answer.startswith(b"HTTP/1.1 204")
    assert len(answer) <= POLL_BYTES
    assert b" 200 " in ask_raw(server.address, "/changes?since=0").split(b"\r\n")[0]


def test_the_longest_overdue_are_found_among_the_late(tiny):
    keeper = FactsKeeper(tiny)
    sight = SightKeeper().narrow(keeper.current(NOW), Scope.whole_city("", ("read", ROWS)), now=NOW)
    seen = 0
    for grid in (None, *sight.grids.grids["uid"].tolist()):
        for chosen in (Filter(), Filter(state="open"), Filter(since=NOW - 86_400 * 20)):
            area = count_area(
                sight,
                grid=grid,
                period=Period(since=chosen.since, until=None),
                filter=chosen,
                now=NOW,
            )
            rows = find_rows(sight, area)
            late = rows[sight.snapshot.open[rows] & (sight.states(NOW)[rows] == RED)]
            found = find_late(sight, area)
            assert set(found) == set(late)
            assert (np.diff(sight.snapshot.due_at[found]) >= 0).all()
            seen += len(found)
    assert seen > 0


class Meter:
    """The processor's time that the page's main thread spent on tasks: others' work is no part."""

    def __init__(self, page: Any) -> None:
        self.session = page.context.new_cdp_session(page)
        self.session.send("Performance.enable", {"timeDomain": "threadTicks"})

    def read_ms(self) -> float:
        found = self.session.send("Performance.getMetrics")["metrics"]
        return 1000 * next(one["value"] for one in found if one["name"] == "TaskDuration")


def measure(city: CityPage, meter: Meter, act: Any) -> float:
    """Return the task time of one step, from the hand to the figures and the painted map."""
    city.settle()
    before = meter.read_ms()
    act()
    city.stir()
    city.page.wait_for_function(READY)
    city.page.wait_for_selector("html[data-map=idle]")
    return meter.read_ms() - before


def list_acts(city: CityPage) -> dict[str, Any]:
    page = city.page

    def drill() -> None:
        rows = page.locator("#children a")
        (rows.first if rows.count() else page.locator("#crumbs a").first).click()

    def narrow() -> None:
        page.locator("[data-pick=kind]").first.click()

    return {"drill": drill, "filter": narrow}


@pytest.mark.long
@pytest.mark.parametrize(("name", "most_ms"), [("jiangdu", 150), ("worst", 400)])
def test_a_step_costs_the_main_thread_little(page, serve_page, request, name, most_ms):
    made = Path(os.environ.get("GETU_DEMO_CITIES", "")) / name
    if name != "jiangdu" and not (made / "city.toml").is_file():
        pytest.skip(f"no city {name} in GETU_DEMO_CITIES")
    if (made / "city.toml").is_file():
        app = make_app(open_city(made))
    else:
        app = make_app(request.getfixturevalue(name), now=lambda: DEMO_NOW)
    server: PageServer = serve_page(app)
    city = CityPage(page, f"{server.address}/street/?lang=zh&days=90")
    city.wait_for("#children a")
    meter = Meter(page)
    for what, act in list_acts(city).items():
        mark = len(server.sent)
        spent = [measure(city, meter, act) for _ in range(STEPS)]
        sizes = [one.size for one in server.since(mark) if one.path.endswith("panel.json")]
        median = statistics.median(spent)
        sys.stderr.write(
            f"\n{name} {what}: median {median:.0f} ms, most {max(spent):.0f} ms of main thread; "
            f"{statistics.median(sizes):,.0f} bytes; load {os.getloadavg()[0]:.1f}\n"
        )
        assert median <= most_ms
    assert city.problems == []
