"""Promise: every page there is stands in the menu of every bar, for whoever may open it."""

from __future__ import annotations

from typing import Any

import pytest

from dashboard.parts.pages import PAGES, list_pages
from dashboard.server import make_app
from dashboard.sessions import Visit
from geodata.access.accounts import ROLES
from geodata.access.scope import Scope
from tests.city import NOW

# Ways to a page, not pages of the work itself.
DOOR = {"sign-in", "password", "demo-role", "sign-out"}


def scope_of(permissions: frozenset[str], role: str = "auditor") -> Scope:
    return Scope(account=role, grids=None, permissions=permissions, role=role)


@pytest.fixture
def open_as(tiny, monkeypatch):
    def open_it(permissions: frozenset[str]) -> Any:
        scope = scope_of(permissions)
        monkeypatch.setattr("dashboard.server._local_account", lambda _: scope)
        return make_app(tiny, now=lambda: NOW).server

    return open_it


def test_every_page_of_the_server_is_in_the_menu_and_every_entry_opens(open_as):
    server = open_as(frozenset().union(*ROLES.values()))
    client = server.test_client()
    listed = {page.path for page in PAGES}
    for path in listed:
        answer = client.get(f"/{path}?lang=zh")
        assert (answer.status_code, answer.mimetype) == (200, "text/html"), path
    for rule in server.url_map.iter_rules():
        path = rule.rule.lstrip("/")
        first_level = "/" not in path.rstrip("/") and not rule.arguments and path not in DOOR
        if first_level and "GET" in (rule.methods or ()) and path not in listed:
            answer = client.get(rule.rule)
            page = answer.mimetype == "text/html" and answer.status_code == 200
            assert not page or f"{path}/" in listed, path


@pytest.mark.parametrize("role", [role for role, rights in ROLES.items() if "read" in rights])
def test_no_entry_leads_where_the_role_is_refused(open_as, role):
    client = open_as(ROLES[role]).test_client()
    visit = Visit(kind="local", scope=scope_of(ROLES[role], role), account=None)
    pages = list_pages(visit)
    assert pages
    for page in pages:
        assert client.get(f"/{page.path}?lang=en").status_code == 200, page.path


def test_the_menu_marks_where_one_is_and_keeps_the_language(open_as):
    client = open_as(frozenset({"read", "load", "act", "admin", "export", "audit"})).test_client()
    text = client.get("/data?lang=en&theme=light").get_data(as_text=True)
    assert '<a href="/data?lang=en&amp;theme=light" aria-current="page">Bring data</a>' in text
    assert '<a href="/wall/?lang=en&amp;theme=light">Wall</a>' in text
