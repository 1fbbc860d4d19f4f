"""The cities that the page is tested on, each made once a session, and their apps."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from dash import Dash

from dashboard.server import make_app
from geodata.city import City, create_city, open_city, writing
from geodata.demo import make_city
from geodata.loading.demo_city import demo_settings, save_demo
from geodata.settings import SETTINGS_FILE
from tests.city import NOW, make_tiny_city, say_nothing
from tests.dashboard.door_city import ASKED_AT_MOST
from tests.dashboard.page_browser import CityPage, PageServer
from tests.dashboard.planner_desk import make_desk_city

DEMO_NOW = 1_780_000_000  # a Friday in May 2026


def make_demo(scenario: str, folder: Path, **settings: str) -> City:
    """Make a demo city as `app.py demo` does, at one moment for ever."""
    demo = make_city(scenario, seed=7, now=DEMO_NOW, progress=say_nothing)
    city = create_city(folder, {**demo_settings(demo), **settings})
    with writing(city):
        save_demo(city, demo, now=DEMO_NOW, progress=say_nothing)
    return city


@pytest.fixture(scope="session")
def tiny(tmp_path_factory: pytest.TempPathFactory) -> City:
    """Return the tiny city of tests/city.py, where nobody is too hasty: tests ask every route."""
    folder = tmp_path_factory.mktemp("tiny") / "city"
    make_tiny_city(folder)
    with (folder / SETTINGS_FILE).open("a") as file:
        file.write(f"requests_burst = {ASKED_AT_MOST}\n")
    return open_city(folder)


@pytest.fixture(scope="session")
def tiny_app(tiny: City) -> Dash:
    """Return the application of the tiny city, its clock standing still."""
    return make_app(tiny, now=lambda: NOW)


@pytest.fixture(scope="session")
def gaoshan(tmp_path_factory: pytest.TempPathFactory) -> City:
    """Return the smallest demo city: 5 grids with streets, houses, cameras and posts."""
    return make_demo("gaoshan", tmp_path_factory.mktemp("gaoshan") / "city")


@pytest.fixture(scope="session")
def gaoshan_app(gaoshan: City) -> Dash:
    """Return the application of the smallest demo city, its clock standing still."""
    return make_app(gaoshan, now=lambda: DEMO_NOW)


@pytest.fixture(scope="session")
def jiangdu(tmp_path_factory: pytest.TempPathFactory) -> City:
    """Return the default demo city: 1,101 grids, 47,269 incidents. It takes half a minute."""
    return make_demo("jiangdu", tmp_path_factory.mktemp("jiangdu") / "city")


@pytest.fixture(scope="session")
def desk_made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return the folder of a city to plan in, which nobody writes to: tests copy it."""
    folder = tmp_path_factory.mktemp("desk") / "city"
    make_desk_city(folder, tmp_path_factory.mktemp("desk-files"))
    return folder


@pytest.fixture
def serve_page() -> Iterator[Callable[[Any], PageServer]]:
    """Return a function that serves an app on a counting server until the test ends."""
    servers: list[PageServer] = []

    def serve(app: Any) -> PageServer:
        servers.append(PageServer(app))
        return servers[-1]

    yield serve
    for server in servers:
        server.stop()


@pytest.fixture
def open_page(page: Any, serve_page: Callable[[Any], PageServer]) -> Callable[..., CityPage]:
    """Return a function that serves an app and opens its page; `tail` follows the address."""

    def open_it(app: Any, tail: str = "/", **options: Any) -> CityPage:
        return CityPage(page, serve_page(app).address + tail, **options)

    return open_it
