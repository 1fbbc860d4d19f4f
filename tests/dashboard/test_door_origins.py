"""Other sites make no visitor's browser act, and only listed proxies say for whom they ask."""

from __future__ import annotations

import pytest

from dashboard.forwarding import Forwarding
from geodata.city import City
from tests.dashboard.callers import CALLBACKS, find_call, list_paths
from tests.dashboard.door_city import PASSWORD, Door

HOST = "city.example"
SITES = (
    # what the browser says, and whether it may change something
    ({"Sec-Fetch-Site": "same-origin"}, True),
    ({"Sec-Fetch-Site": "none"}, True),
    ({"Sec-Fetch-Site": "same-site"}, False),
    ({"Sec-Fetch-Site": "cross-site"}, False),
    ({"Sec-Fetch-Site": "cross-site", "Origin": f"http://{HOST}"}, False),
    ({"Sec-Fetch-Site": "nonsense"}, False),
    ({"Origin": f"http://{HOST}"}, True),
    ({"Origin": f"https://{HOST}"}, True),  # a proxy speaks for us
    ({"Origin": "http://evil.example"}, False),
    ({"Origin": f"http://{HOST}.evil.example"}, False),
    ({"Origin": f"http://evil.example/{HOST}"}, False),
    ({"Origin": f"http://{HOST}:8080"}, False),
    ({"Origin": "null"}, False),
    ({"Origin": ""}, False),
    ({"Origin": "http://["}, False),
    ({}, True),  # no browser: it has nobody's cookie by itself
)


@pytest.fixture(scope="module")
def door(tiny: City, tmp_path_factory: pytest.TempPathFactory) -> Door:
    door = Door(tiny, tmp_path_factory.mktemp("origins") / "city", sign_in_tries_address=1000)
    door.add("duty-1", role="duty")
    return door


def ids(site: object) -> str:
    return (
        ",".join(f"{name}={text}" for name, text in site.items()) if isinstance(site, dict) else ""
    )


@pytest.mark.parametrize(("site", "allowed"), SITES, ids=ids)
def test_what_changes_something_comes_from_our_own_pages(door, site, allowed):
    client = door.client("duty-1")
    call = find_call(door.app, "revision.data")
    host = {"base_url": f"http://{HOST}"}
    client.set_cookie("getu_session", client.get_cookie("getu_session").value, domain=HOST)
    answer = client.post(CALLBACKS, json=call, headers=site, **host)
    assert answer.status_code == (200 if allowed else 403), answer.text
    form = {"name": "duty-1", "password": PASSWORD}
    answer = client.post("/sign-in", data=form, headers=site, **host)
    assert answer.status_code == (303 if allowed else 403)


def test_every_route_that_takes_a_form_refuses_other_sites(door):
    client = door.client("duty-1")
    for method, path in list_paths(door.app):
        if method in {"GET", "HEAD", "OPTIONS"} or path.startswith("/api/"):
            continue
        answer = client.open(path, method=method, headers={"Sec-Fetch-Site": "cross-site"})
        assert answer.status_code in {403, 405}, (method, path)


def test_other_sites_may_link_to_a_page_and_read_nothing(door):
    client = door.client("duty-1")
    link = {"Sec-Fetch-Site": "cross-site", "Sec-Fetch-Mode": "navigate"}
    assert client.get("/", headers=link).status_code == 200
    inside = {"Sec-Fetch-Site": "cross-site", "Sec-Fetch-Mode": "no-cors"}
    assert client.get("/layers/grids.geojson", headers=inside).status_code == 403


def test_a_token_needs_no_origin_and_a_cookie_opens_no_api(door):
    client = door.client("duty-1")
    headers = {"Sec-Fetch-Site": "cross-site"}
    answer = client.post("/api/events", json=[], headers=headers)
    assert answer.status_code == 401
    assert answer.get_json()["faults"][0]["key"] == "token_needed"


def test_a_refused_request_sets_no_cookie(door):
    client = door.client()
    answer = client.post(
        "/sign-in",
        data={"name": "duty-1", "password": PASSWORD},
        headers={"Sec-Fetch-Site": "cross-site"},
    )
    assert "Set-Cookie" not in answer.headers


# --- proxies -------------------------------------------------------------------------------------

FORWARDED = {
    "X-Forwarded-For": "203.0.113.9",
    "X-Forwarded-Proto": "https",
    "X-Forwarded-Host": HOST,
}


def asked(trusted: tuple[str, ...], address: str, **headers: str) -> dict[str, object]:
    """What the application sees of a request that passed `Forwarding`."""
    seen: dict[str, object] = {}

    def app(environ, start_response):
        seen.update(environ)
        return ()

    environ = {"REMOTE_ADDR": address, "HTTP_HOST": "127.0.0.1:8050", "wsgi.url_scheme": "http"}
    said = {f"HTTP_{name.upper().replace('-', '_')}": text for name, text in headers.items()}
    Forwarding(app, trusted)({**environ, **said}, None)
    return seen


def test_a_listed_proxy_is_believed():
    seen = asked(("127.0.0.1",), "127.0.0.1", **FORWARDED)
    assert seen["REMOTE_ADDR"] == "203.0.113.9"
    assert seen["wsgi.url_scheme"] == "https"
    assert seen["HTTP_HOST"] == HOST


@pytest.mark.parametrize("trusted", [(), ("10.0.0.1",), ("192.168.0.0/16", "::2")])
def test_any_other_is_not_heard(trusted):
    seen = asked(trusted, "127.0.0.1", **FORWARDED)
    assert seen["REMOTE_ADDR"] == "127.0.0.1"
    assert seen["wsgi.url_scheme"] == "http"
    assert seen["HTTP_HOST"] == "127.0.0.1:8050"
    assert not [name for name in seen if name.startswith("HTTP_X_FORWARDED")]


@pytest.mark.parametrize(
    ("chain", "client"),
    [
        ("203.0.113.9", "203.0.113.9"),
        ("127.0.0.1, 203.0.113.9", "203.0.113.9"),  # the first is the client's own invention
        ("203.0.113.9, 10.0.0.7", "203.0.113.9"),
        ("1.1.1.1, 203.0.113.9, 10.0.0.7", "203.0.113.9"),
        ("203.0.113.9:5123", "203.0.113.9"),
        ("[2001:db8::1]:443", "2001:db8::1"),
        ("::ffff:203.0.113.9", "203.0.113.9"),
        ("", "10.0.0.1"),
    ],
)
def test_the_client_is_the_first_that_is_no_proxy_of_ours(chain, client):
    seen = asked(("10.0.0.0/8",), "10.0.0.1", **{"X-Forwarded-For": chain})
    assert seen["REMOTE_ADDR"] == client


@pytest.mark.parametrize("host", ["evil.example/x", "a b", "a,b c", "[", "x" * 300])
def test_a_host_that_is_none_is_not_taken(host):
    seen = asked(
        ("10.0.0.1",), "10.0.0.1", **{"X-Forwarded-Host": host, "X-Forwarded-Proto": "ftp"}
    )
    assert seen["HTTP_HOST"] == "127.0.0.1:8050"
    assert seen["wsgi.url_scheme"] == "http"


def test_behind_a_listed_proxy_the_cookie_is_secure_and_the_log_has_the_client(tiny, tmp_path):
    door = Door(tiny, tmp_path / "city", trusted_proxies='["10.0.0.1"]')
    door.add("duty-1")
    form = {"name": "duty-1", "password": PASSWORD}
    for address, secure, told in (
        ("10.0.0.1", True, "203.0.113.9"),
        ("10.0.0.2", False, "10.0.0.2"),
    ):
        client = door.client(address=address)
        answer = client.post("/sign-in", data=form, headers=FORWARDED)
        assert ("Secure" in answer.headers["Set-Cookie"]) is secure
        with door.city.database.read() as connection:
            (detail,) = connection.execute(
                "SELECT detail FROM audit ORDER BY entry DESC LIMIT 1"
            ).fetchone()
        assert told in detail


@pytest.mark.parametrize("header", [*FORWARDED, "Forwarded", "Via", "X-Real-IP"])
def test_what_came_by_a_proxy_is_not_this_machines_own(tiny_app, header):
    """A proxy on this machine, set up before any account: its strangers look local."""
    client = tiny_app.server.test_client()
    assert client.get("/changes").status_code == 200
    assert client.get("/changes", headers={header: "203.0.113.9"}).status_code == 403
