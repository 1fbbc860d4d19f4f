"""Promise: each screen loads what all share and its own assets, and nothing of another's."""

from __future__ import annotations

import re

import pytest

from dashboard.map_page import ASSETS
from dashboard.screens import SCREENS, Screen

SHARED = {"getu.css", "who.css", "contact.js", "pages.js"}


def loaded_by(tiny_app, screen: Screen) -> set[str]:
    page = tiny_app.server.test_client().get(f"/{screen.path}").get_data(as_text=True)
    return set(re.findall(r"assets/([a-z_]+\.(?:css|js))\?", page))


@pytest.mark.parametrize("screen", SCREENS, ids=lambda screen: screen.path or "map")
def test_a_screen_loads_what_all_share_and_its_own(tiny_app, screen):
    assert loaded_by(tiny_app, screen) == SHARED | set(screen.own)
    assert all((ASSETS / name).is_file() for name in screen.own)


def test_every_script_is_loaded_by_a_screen(tiny_app):
    scripts = {path.name for path in ASSETS.glob("*.js")}
    assert scripts == {
        name for one in SCREENS for name in loaded_by(tiny_app, one) if name.endswith(".js")
    }
