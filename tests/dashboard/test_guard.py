"""Nothing leaves the server for who may not see it, and nothing is served undeclared."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import Any

import pytest
from dash import Dash, Input, Output, _callback, callback
from flask import Flask

from dashboard import guard, server
from dashboard.guard import UnguardedError, check_guards, guarded
from dashboard.server import make_app
from geodata.access.scope import Scope
from geodata.city import City
from geodata.snapshots.facts import load_facts
from geodata.words import say
from layers.registry import find_source
from tests.city import NOW
from tests.dashboard.callers import (
    CALLBACKS,
    find_call,
    is_open,
    list_calls,
    list_every_call,
    list_paths,
)

STRANGERS = (
    {"REMOTE_ADDR": "203.0.113.9"},
    {"REMOTE_ADDR": "2001:db8::1"},
    {"REMOTE_ADDR": ""},
    {"REMOTE_ADDR": "not an address"},
    # A name of another site that points at this machine, in the visitor's own browser.
    {"HTTP_HOST": "evil.example"},
    {"HTTP_HOST": "evil.example:8050"},
    {"HTTP_HOST": "127.0.0.1.evil.example"},
    {"HTTP_HOST": "[::1"},
)
NEIGHBOURS = (
    {"REMOTE_ADDR": "127.0.0.1", "HTTP_HOST": "127.0.0.1:8050"},
    {"REMOTE_ADDR": "127.0.0.1", "HTTP_HOST": "localhost:8050"},
    {"REMOTE_ADDR": "::1", "HTTP_HOST": "[::1]:8050"},
)


def test_there_are_routes_and_callbacks_to_guard(tiny_app):
    paths = {path for _, path in list_paths(tiny_app)}
    assert {"/", "/layers/grids.geojson", "/changes", "/healthz", CALLBACKS} <= paths
    assert len(list_calls(tiny_app)) >= 5


@pytest.mark.parametrize("who", STRANGERS, ids=lambda who: "".join(who.values()) or "nobody")
def test_a_stranger_gets_403_and_no_data_from_every_route_and_callback(tiny_app, who):
    client = tiny_app.server.test_client()
    for method, path in list_paths(tiny_app):
        answer = client.open(path, method=method, environ_overrides=who)
        if is_open(tiny_app, path):
            assert answer.status_code in {200, 302, 400, 401, 403, 404, 405, 422}, path
        else:
            assert answer.status_code == 403, (method, path)
            assert_says_nothing(answer)
        answer.close()
    for call in list_every_call(tiny_app):
        answer = client.post(call.path, json=call.body, environ_overrides=who)
        assert answer.status_code == 403, call.name
        assert_says_nothing(answer)


def assert_says_nothing(answer: Any) -> None:
    """Check that an answer is the refusal and has no word of the city in it."""
    assert answer.mimetype == "text/plain"
    assert len(answer.data) < 200
    for word in ("小城", "网格", "3210"):
        assert word not in answer.get_data(as_text=True)


@pytest.mark.parametrize("who", NEIGHBOURS, ids=lambda who: who["HTTP_HOST"])
def test_the_machines_own_user_is_let_in_by_each_of_its_names(tiny_app, who):
    client = tiny_app.server.test_client()
    assert client.get("/layers/grids.geojson", environ_overrides=who).status_code == 200


def test_an_account_without_the_permission_gets_403_from_every_data_route(tiny, monkeypatch):
    monkeypatch.setattr("dashboard.server._local_account", lambda _: Scope.whole_city("guest", ()))
    app = make_app(tiny)
    client = app.server.test_client()
    for path in ("/layers/grids.geojson", "/layers/dots/14/13648/6662.mvt", "/changes"):
        assert client.get(path).status_code == 403, path
    for call in list_calls(app).values():
        assert client.post(CALLBACKS, json=call).status_code == 403, call["output"]


def test_a_source_that_needs_more_is_refused_to_who_has_less(tiny_app, monkeypatch):
    stricter = replace(find_source("cameras"), needs="read.cameras")
    monkeypatch.setattr("dashboard.routes.find_source", lambda _: stricter)
    answer = tiny_app.server.test_client().get("/layers/cameras.geojson")
    assert answer.status_code == 403


def bare_app() -> Dash:
    app = Dash("bare", server=Flask("bare", static_folder=None))
    app.server.extensions[guard.APPS] = (app,)
    return app


def test_a_route_that_declares_no_permission_is_not_served():
    app = bare_app()
    app.server.add_url_rule("/leak", endpoint="leak", view_func=lambda: "everything")
    with pytest.raises(UnguardedError, match="/leak"):
        check_guards(app.server)


def test_a_callback_that_declares_no_permission_is_not_served():
    app = bare_app()
    app.callback(Output("a", "children"), Input("b", "value"))(lambda value: value)
    with pytest.raises(UnguardedError, match=r"a\.children"):
        check_guards(app.server)


def test_a_callback_declared_outside_the_app_is_checked_too(monkeypatch):
    monkeypatch.setattr("dash._callback.GLOBAL_CALLBACK_LIST", [])
    monkeypatch.setattr("dash._callback.GLOBAL_CALLBACK_MAP", {})
    monkeypatch.setattr("dashboard.guard.GLOBAL_CALLBACK_MAP", _callback.GLOBAL_CALLBACK_MAP)
    callback(Output("a", "children"), Input("b", "value"))(lambda value: value)
    with pytest.raises(UnguardedError, match=r"a\.children"):
        check_guards(bare_app().server)


def test_a_declared_route_and_callback_are_served():
    app = bare_app()
    app.server.add_url_rule("/fine", endpoint="fine", view_func=guarded("read")(lambda: "yes"))
    app.callback(Output("a", "children"), Input("b", "value"))(guarded("read")(lambda value: value))
    check_guards(app.server)
    assert {rule.rule for rule in app.server.url_map.iter_rules()} >= {"/fine"}
    assert "a.children" in app.callback_map


@pytest.mark.parametrize("kind", ["route", "callback"])
def test_the_application_is_not_made_with_anything_undeclared(tiny, monkeypatch, kind):
    real = server.add_routes

    def add_more(flask_app: Any, pictures: Any, *, base_path: str) -> None:
        real(flask_app, pictures, base_path=base_path)
        if kind == "route":
            flask_app.add_url_rule("/leak", endpoint="leak", view_func=lambda: "everything")

    monkeypatch.setattr(server, "add_routes", add_more)
    if kind == "callback":
        monkeypatch.setattr("dashboard.map_page.guarded", lambda *_, **__: lambda handler: handler)
    with pytest.raises(UnguardedError):
        make_app(tiny)


def test_outside_a_request_with_an_account_nothing_is_allowed(tiny_app):
    with tiny_app.server.test_request_context():
        scope = guard.current_scope()
    assert not scope.permissions
    assert not scope.allows(1)


def test_a_scope_of_one_grid_sees_the_cases_of_its_own_card_and_bounds_on_others(
    tiny: City, monkeypatch
):
    facts = load_facts(tiny, now=NOW)
    assert facts
    frame = facts.grids.finest()
    mine, other = int(frame["uid"].iloc[0]), int(frame["uid"].iloc[-1])
    rights = frozenset({"read", "read.rows"})
    scope = Scope(account="post", grids=frozenset({mine}), permissions=rights)
    monkeypatch.setattr("dashboard.server._local_account", lambda _: scope)
    app = make_app(tiny, now=lambda: NOW)
    client = app.server.test_client()
    drawn = client.get("/layers/grids.geojson").get_json()["features"]
    assert len(drawn) == len(frame)  # the drawing is no secret: what happened in it is
    call = find_call(app, "card.children")
    for grid, shown in ((mine, True), (other, False)):
        call["inputs"][0]["value"] = grid
        answer = json.dumps(client.post(CALLBACKS, json=call).get_json(), ensure_ascii=False)
        assert frame.loc[frame["uid"] == grid, "code"].item() in answer
        assert (say("overview.steps") in answer) is shown
        assert ("不在您的可见范围内" in answer) is not shown
