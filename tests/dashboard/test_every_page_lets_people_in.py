"""Promise: axe-core finds nothing on any page that keeps people out, whoever may open it."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import pytest

from dashboard.parts.pages import PAGES
from dashboard.server import FEED
from geodata.access.accounts import ROLES
from tests.dashboard.page_browser import CityPage, PageServer
from tests.dashboard.test_page_keys import AXE, check
from tests.dashboard.test_wall_in_browser import Town, become

LOOKS = ("lang=zh&theme=dark", "lang=en&theme=light")
STANDS = "html[data-map=idle], html[data-map=none]"
# Beside those of the menu: what one comes to by a link, and what a dead one leads to.
MORE = {
    "demo-role": "viewer",
    "sign-in": "viewer",
    "street/404": "viewer",
    "case/nowhere/404": "viewer",
    "nowhere": "viewer",
    "area/rows": "viewer",
    "duty/log": "duty",
    "audit/late_extension": "auditor",
}

# What has a check of its own, in more of its states: here in the long run only.
CHECKED = {"", "street/", "street/404", "wall/", "duty/", "duty/log", "scenes"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Opened:
    """A page's address below the base path, and a role that may open it."""

    path: str
    role: str


def list_pages() -> list[Opened]:
    """Return every page of the menu, each as the first role that may open it, and MORE."""
    found = []
    for page in PAGES:
        able = [role for role, permissions in ROLES.items() if permissions & set(page.needs)]
        found.append(Opened(path=page.path, role=able[0]))
    return [*found, *(Opened(path=path, role=role) for path, role in MORE.items())]


def find_case(page: Any, server: PageServer) -> str:
    """Return the address of a case that the street leads to."""
    panel = page.context.request.get(f"{server.address}/area/panel.json?days=0").json()["html"]
    return re.findall(r'href="/(case/[^"?]*)', panel)[0]


@pytest.fixture
def town(gaoshan, tmp_path) -> Iterator[Town]:
    """A copy of the city: trying a role writes its key."""
    made = Town(gaoshan, tmp_path / "city")
    yield made
    made.app.server.extensions[FEED].close()


@pytest.mark.parametrize("turn", [0, pytest.param(1, marks=pytest.mark.long)])
def test_nothing_on_any_page_keeps_people_out(page, serve_page, town, turn):
    if not AXE.is_file():
        pytest.skip("no axe-core: make setup")
    server: PageServer = serve_page(town.app)
    city = CityPage(page, f"{server.address}/sign-in", wait=False)
    axe = AXE.read_text("utf-8")
    pages = [one for one in list_pages() if turn or one.path not in CHECKED]
    become(page, server, "viewer")
    pages.append(Opened(path=find_case(page, server), role="viewer"))
    faults: dict[str, list[str]] = {}
    for place, one in enumerate(pages):
        become(page, server, one.role)
        # Each page in one look here, in the other one in the long run.
        page.goto(f"{server.address}/{one.path}?{LOOKS[(place + turn) % 2]}")
        page.wait_for_selector(STANDS)
        page.evaluate(axe)
        found = check(city)
        if found:
            faults[one.path] = found
    assert faults == {}
    assert len(pages) > len(MORE)
    assert city.problems == []
