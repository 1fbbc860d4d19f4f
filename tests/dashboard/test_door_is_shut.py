"""Without a session in force nothing of the city leaves the server, whatever is asked."""

from __future__ import annotations

from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest

from dashboard.server import check_host
from dashboard.sessions import COOKIE, IDLE_HEADER
from geodata.access.account_changes import renew_password, switch_account
from geodata.city import City
from geodata.errors import BadSetting
from tests.city import community_code
from tests.dashboard.callers import CALLBACKS, list_paths
from tests.dashboard.door_city import Door, is_file_path, list_all_calls, says_nothing, sign_in

KINDS = ("占道",)
DOOR_PATHS = ("/sign-in", "/sign-out")
MINUTE_S, HOUR_S, DAY_S = 60, 3_600, 86_400


@pytest.fixture(scope="module")
def door(tiny: City, tmp_path_factory: pytest.TempPathFactory) -> Door:
    door = Door(tiny, tmp_path_factory.mktemp("door") / "city", sign_in_tries_address=1000)
    door.add_every_role()
    return door


LOST = {
    "anonymous": lambda door: door.client(),
    "made up": lambda door: with_cookie(door, "A" * 43),
    "endless": lambda door: with_cookie(door, "A" * 4_000),
    "not text": lambda door: with_cookie(door, "%ff%00"),
    "disabled": lambda door: lose(door, "disabled", lambda name: change(door, name, "disable")),
    "revoked": lambda door: lose(door, "revoked", lambda name: change(door, name, "revoke")),
    "signed out": lambda door: lose(door, "out", lambda _: None, last="/sign-out"),
    "idle": lambda door: lose(door, "idle", lambda _: pass_time(door, 31 * MINUTE_S)),
    "old": lambda door: lose(door, "old", lambda _: pass_time(door, 13 * HOUR_S)),
    "other password": lambda door: lose(door, "renewed", lambda name: renew(door, name)),
    "wall elsewhere": lambda door: move_wall(door.client("wall", address="10.0.0.8")),
}


@pytest.mark.parametrize("how", LOST)
def test_who_has_no_session_gets_nothing_from_any_route_or_callback(door, how):
    began = door.clock.now
    client = LOST[how](door)
    try:
        assert_shut(door, client)
    finally:
        door.clock.now = began


def assert_shut(door: Door, client: Any) -> None:
    for method, path in list_paths(door.app):
        answer = client.open(path, method=method)
        if path.startswith(DOOR_PATHS):
            assert answer.status_code in {200, 303, 400, 401, 405, 429}, (method, path)
        elif is_file_path(path):
            assert answer.status_code in {200, 404, 405}, path
        elif path.startswith(("/healthz", "/api/")):
            assert answer.status_code in {200, 400, 401, 403, 404, 405}, path
            # What may be reported is public by GeoReport v2; nothing that was reported is.
            assert says_nothing(answer, but=KINDS if "/services" in path else ()), (method, path)
        else:
            assert answer.status_code == 401, (method, path)
            assert says_nothing(answer), (method, path)
            assert answer.mimetype == "text/plain"
        answer.close()
    for path, call in list_all_calls(door.app):
        answer = client.post(path, json=call)
        assert answer.status_code == 401, (path, call["output"])
        assert says_nothing(answer)


def with_cookie(door: Door, secret: str) -> Any:
    client = door.client()
    client.set_cookie(COOKIE, secret)
    return client


def lose(door: Door, name: str, end: Any, *, last: str | None = None) -> Any:
    """Sign in, see that it is a session, and lose it."""
    client = door.client(door.add(name))
    assert client.get("/changes").status_code == 200
    secret = client.get_cookie(COOKIE).value
    end(name)
    if last:
        client.post(last)
        client.set_cookie(COOKIE, secret)  # who kept it has nothing
    return client


def change(door: Door, name: str, act: str) -> None:
    switch_account(door.city, name, act, now=door.clock.now)


def renew(door: Door, name: str) -> None:
    renew_password(door.city, name, password=None, now=door.clock.now)


def pass_time(door: Door, seconds: int) -> None:
    door.clock.now += seconds


def move_wall(client: Any) -> Any:
    assert client.get("/changes").status_code == 200
    client.environ_base["REMOTE_ADDR"] = "10.0.0.9"
    return client


def test_a_browser_that_asks_for_a_page_is_led_to_the_door_and_back(door):
    client = door.client()
    page = {"Accept": "text/html"}
    led = client.get("/?lang=en&days=28", headers=page)
    assert led.status_code == 302
    assert says_nothing(led)
    place = urlsplit(led.headers["Location"])
    assert place.path == "/sign-in"
    assert parse_qs(place.query) == {"next": ["/?lang=en&days=28"], "lang": ["en"]}
    form = client.get(led.headers["Location"]).get_data(as_text=True)
    assert "next=/%3Flang%3Den%26days%3D28" in form
    answer = client.post(
        "/sign-in?next=/%3Flang%3Den%26days%3D28",
        data={"name": "viewer", "password": "seven grey herons waiting"},
    )
    assert answer.headers["Location"] == "/?lang=en&days=28"
    assert client.get("/sign-in").headers["Location"] == "/"


@pytest.mark.parametrize(
    "target",
    ["//evil.example", "https://evil.example", "/\\evil.example", "\\\\evil.example", "evil", "",
     "/\t/evil.example", "javascript:alert(1)", "/sign-out", "/sign-in?next=/sign-in", "///evil"],
)  # fmt: skip
def test_after_signing_in_no_one_is_sent_to_another_site(door, target):
    answer = door.client().post(
        "/sign-in",
        data={"name": "viewer", "password": "seven grey herons waiting", "next": target},
    )
    assert answer.status_code == 303
    assert answer.headers["Location"] == "/"


def test_each_request_keeps_a_session_only_while_a_hand_is_at_the_screen(door):
    began = door.clock.now
    client = door.client(door.add("hand"))
    for _ in range(4):
        door.clock.now += 20 * MINUTE_S
        assert client.get("/changes", headers={IDLE_HEADER: "5"}).status_code == 200
    door.clock.now += 20 * MINUTE_S
    assert client.get("/changes", headers={IDLE_HEADER: "1200"}).status_code == 200
    door.clock.now += 11 * MINUTE_S
    assert client.get("/changes", headers={IDLE_HEADER: "5"}).status_code == 401
    door.clock.now = began


def test_a_wall_stays_signed_in_for_months_without_a_hand(door):
    began = door.clock.now
    client = door.client("wall")
    door.clock.now += 300 * DAY_S
    assert client.get("/changes").status_code == 200
    door.clock.now += 100 * DAY_S
    assert client.get("/changes").status_code == 401
    door.clock.now = began


def test_a_pinned_wall_signs_in_from_its_address_alone(door):
    door.add("pinned", role="wall", address="10.0.0.8")
    assert sign_in(door.client(address="10.0.0.9"), "pinned").status_code == 401
    assert sign_in(door.client(address="::ffff:10.0.0.8"), "pinned").status_code == 303


def test_a_wall_can_do_nothing_but_read(door):
    client = door.client("wall")
    for method, path in list_paths(door.app):
        if method in {"GET", "HEAD", "OPTIONS"} or path.startswith("/api/"):
            continue
        answer = client.open(path, method=method)
        allowed = {"/sign-in": {401, 429}, "/sign-out": {303}}
        if path.endswith(CALLBACKS):
            allowed[path] = {405, 415}
        assert answer.status_code in allowed.get(path, {403, 404, 405}), (method, path)
        if path == "/sign-out":
            client = door.client("wall")


def test_a_one_time_password_opens_nothing_but_the_page_to_change_it(door):
    client = door.client()
    door.add("fresh", one_time=True)
    assert sign_in(client, "fresh").headers["Location"] == "/password"
    for path in ("/layers/grids.geojson", "/changes", "/_dash-layout"):
        answer = client.get(path)
        assert answer.status_code == 403, path
        assert says_nothing(answer)
    page = client.get("/", headers={"Accept": "text/html"})
    assert page.headers["Location"] == "/password"
    form = {"old": "seven grey herons waiting", "new": "eight green frogs asleep"}
    secret = client.get_cookie(COOKIE).value
    assert client.post("/password", data={**form, "again": "else"}).status_code == 403
    changed = client.post("/password", data={**form, "again": form["new"]})
    assert changed.status_code == 200
    assert client.get("/changes").status_code == 200
    assert client.get_cookie(COOKIE).value != secret
    assert with_cookie(door, secret).get("/changes").status_code == 401


def test_a_one_time_password_is_void_after_its_days(door):
    began = door.clock.now
    door.add("late", one_time=True)
    door.clock.now += 15 * DAY_S
    assert sign_in(door.client(), "late").status_code == 401
    door.clock.now = began


def test_an_area_is_resolved_in_the_drawing_in_force(door):
    code = community_code(0)
    client = door.client(door.add("street", areas=(code,)))
    sessions = door.app.server.extensions["getu_sessions"]
    reach = sessions.reach_of((code,))
    facts = door.city.grids_in_force(door.clock.now)
    inside = {int(row.uid) for row in facts.finest().itertuples() if str(row.code).startswith(code)}
    assert reach.grids == frozenset(inside)
    assert len(inside) == 3
    assert sessions.reach_of(("999",)).grids == frozenset()
    assert sessions.reach_of(("999",)).retired == ("999",)
    assert client.get("/changes").status_code == 200


def test_the_first_account_shuts_this_machines_own_way_in_at_once(tiny, tmp_path):
    door = Door(tiny, tmp_path / "city")
    client = door.client()
    assert client.get("/layers/grids.geojson").status_code == 200
    door.add("first")
    assert client.get("/layers/grids.geojson").status_code == 401
    change(door, "first", "disable")
    assert client.get("/layers/grids.geojson").status_code == 401
    check_host("0.0.0.0", has_accounts=True)
    with pytest.raises(BadSetting):
        check_host("0.0.0.0")


def test_a_city_folder_of_another_program_gives_no_session(door, tmp_path: Path):
    """A session belongs to one store: the same cookie elsewhere is a stranger's."""
    client = door.client("viewer")
    other = Door(door.city, tmp_path / "city")
    with other.city.database.transaction() as connection:
        connection.execute("DELETE FROM session")
    stranger = with_cookie(other, client.get_cookie(COOKIE).value)
    assert stranger.get("/changes").status_code == 401


def test_sessions_that_have_ended_are_cleared_and_walls_are_not(tiny, tmp_path: Path):
    door = Door(tiny, tmp_path / "city")
    door.add("duty-1")
    door.add("wall", role="wall")
    wall = door.client("wall")
    door.client("duty-1")
    door.clock.now += 13 * HOUR_S
    door.client("duty-1")
    with door.city.database.read() as connection:
        assert connection.execute("SELECT count(*) FROM session").fetchone() == (2,)
    assert wall.get("/changes").status_code == 200


def test_a_session_ends_after_its_hours_however_busy(door):
    began = door.clock.now
    client = door.client(door.add("busy"))
    for _ in range(36):
        assert client.get("/changes", headers={IDLE_HEADER: "1"}).status_code == 200
        door.clock.now += 20 * MINUTE_S
    assert client.get("/changes", headers={IDLE_HEADER: "1"}).status_code == 401
    door.clock.now = began


def test_a_disabled_account_is_shut_out_even_where_a_session_was_left(door):
    client = door.client(door.add("left"))
    with door.city.database.transaction() as connection:
        connection.execute("UPDATE account SET disabled_at = 1 WHERE name = 'left'")
    assert client.get("/changes").status_code == 401
