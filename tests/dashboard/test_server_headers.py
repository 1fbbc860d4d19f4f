"""Every answer carries its headers, every error is a plain sentence, and limits hold."""

from __future__ import annotations

import json
import socket
import subprocess
import sys
from typing import Any

import pytest

from dashboard.server import MAX_BODY_BYTES, check_host, check_port, make_app, serve
from geodata.city import create_city
from geodata.errors import BadSetting, Busy
from tests.conftest import ROOT
from tests.dashboard.callers import CALLBACKS, find_call, list_calls, list_paths

MARKUP = "<img src=x onerror=alert(1)>"
ERRORS = (
    ("GET", f"/layers/{MARKUP}.geojson", 404),
    ("GET", f"/layers/{MARKUP}/1/0/0.png", 404),
    ("GET", "/layers/grids.png", 404),
    ("GET", f"/layers/grids.{MARKUP}", 404),
    ("GET", "/layers/dots/99/0/0.mvt", 422),
    ("GET", "/layers/dots/14/0/99999.mvt", 422),
    ("GET", "/layers/dots/3/0/0.mvt", 404),
    ("GET", "/layers/dots.mvt", 404),
    ("GET", f"/_dash-component-suites/{MARKUP}/x.js", 404),
    ("GET", f"/_dash-component-suites/dash/{MARKUP}.js", 404),
    ("GET", f"/assets/{MARKUP}", 404),
    ("GET", "/assets/../../city.toml", 404),
    ("POST", "/layers/grids.geojson", 405),
    ("DELETE", "/changes", 405),
    ("POST", CALLBACKS, 415),
)


@pytest.mark.parametrize(("method", "path", "status"), ERRORS, ids=lambda one: str(one)[:40])
def test_an_error_is_a_plain_sentence_without_markup(tiny_app, method, path, status):
    answer = tiny_app.server.test_client().open(path, method=method)
    assert answer.status_code == status
    assert answer.mimetype == "text/plain"
    text = answer.get_data(as_text=True)
    assert "<" not in text
    assert ">" not in text
    assert 8 < len(text) < 300


def test_an_error_speaks_the_language_that_is_asked_for(tiny_app):
    client = tiny_app.server.test_client()
    english = client.get("/layers/none.geojson", headers={"Accept-Language": "en-GB"})
    chinese = client.get("/layers/none.geojson?lang=zh", headers={"Accept-Language": "en-GB"})
    assert english.text.isascii() or "“" in english.text
    assert "图层" in chinese.text


def test_a_defect_of_ours_is_said_without_its_details(tiny, monkeypatch, caplog):
    app = make_app(tiny)

    def fail(*_: Any) -> None:
        raise RuntimeError(f"secret {MARKUP}")

    monkeypatch.setattr("dashboard.routes.find_source", fail)
    answer = app.server.test_client().get("/layers/grids.geojson")
    assert answer.status_code == 500
    assert answer.mimetype == "text/plain"
    assert "secret" not in answer.text
    assert "secret" in caplog.text


def test_every_answer_carries_the_security_headers(tiny_app):
    client = tiny_app.server.test_client()
    asked = [(method, path) for method, path in list_paths(tiny_app)]
    asked += [(method, path) for method, path, _ in ERRORS]
    for method, path in asked:
        answer = client.open(path, method=method)
        assert_guarded(answer, path)
        answer.close()
    for call in list_calls(tiny_app).values():
        assert_guarded(client.post(CALLBACKS, json=call), call["output"])
    refused = client.get("/changes", environ_overrides={"REMOTE_ADDR": "203.0.113.9"})
    assert_guarded(refused, "refused")


def assert_guarded(answer: Any, what: str) -> None:
    assert answer.headers["X-Content-Type-Options"] == "nosniff", what
    if answer.status_code == 204:  # nothing that a policy could speak of, and polls are many
        assert not answer.data, what
        return
    policy = dict(
        part.split(" ", 1) for part in answer.headers["Content-Security-Policy"].split("; ")
    )
    assert policy["default-src"] == "'self'", what
    assert "unsafe" not in policy["script-src"], what
    assert policy["object-src"] == "'none'", what
    assert policy["frame-ancestors"] == "'self'", what
    assert answer.headers["Referrer-Policy"] == "same-origin", what


def test_a_body_over_the_limit_is_refused(tiny_app):
    client = tiny_app.server.test_client()
    call = find_call(tiny_app, "card.children")
    call["padding"] = "x" * MAX_BODY_BYTES
    answer = client.post(CALLBACKS, json=call)
    assert answer.status_code == 413
    assert answer.mimetype == "text/plain"


def test_a_host_that_other_machines_can_reach_is_refused(tiny_app):
    for host in ("0.0.0.0", "::", "192.0.2.1", "example.org", ""):
        with pytest.raises(BadSetting) as caught:
            check_host(host)
        assert caught.value.exit_code == 2
        with pytest.raises(BadSetting):
            serve(tiny_app, host=host, port=0, threads=1)
    for host in ("127.0.0.1", "localhost", "::1", "127.5.5.5"):
        check_host(host)


def test_the_command_says_why_it_refuses_a_host(tiny):
    ran = run_serve(tiny.folder, "--host", "0.0.0.0")
    assert ran.returncode == 2
    assert "0.0.0.0" in ran.stderr
    assert "Traceback" not in ran.stderr


def test_a_taken_port_is_said_before_anything_is_loaded(tiny):
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        with pytest.raises(Busy):
            check_port("127.0.0.1", port)
        ran = run_serve(tiny.folder, "--port", str(port))
    assert ran.returncode != 0
    assert str(port) in ran.stderr
    assert "Traceback" not in ran.stderr


def run_serve(folder: Any, *options: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "app.py", "serve", "--city", str(folder), *options],
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )


def test_the_health_check_answers_in_a_word(tiny_app):
    answer = tiny_app.server.test_client().get("/healthz")
    assert answer.data == b'{"ok":true}'
    assert "Server" not in answer.headers


@pytest.mark.parametrize(
    "name", ["A {city} & <b>'\"</b> {%css%}", "{", "}}", "</title><script>alert(1)</script>"]
)
def test_a_citys_name_is_text_in_the_page_whatever_it_holds(tmp_path, name):
    city = create_city(tmp_path / "city", {"name_zh": name})
    page = make_app(city).server.test_client().get("/").text
    title = page.partition("<title>")[2].partition("</title>")[0]
    assert "<" not in title
    assert page.count("</title>") == 1
    assert "alert(1)</script>" not in page
    assert page.count("_dash-config") == 1


@pytest.mark.parametrize("base_path", ["", "/getu", "/a/b"])
def test_every_address_lies_under_the_base_path(tmp_path, base_path):
    app = make_app(create_city(tmp_path / "city", {"base_path": base_path}))
    paths = [path for _, path in list_paths(app)]
    client = app.server.test_client()
    page = client.get(f"{base_path}/").text
    assert all(path.startswith(f"{base_path}/") for path in paths)
    config = page.partition('id="_dash-config" type="application/json">')[2].partition("<")[0]
    assert json.loads(config)["requests_pathname_prefix"] == f"{base_path}/"
    assert "<title>" in client.get(base_path or "/", follow_redirects=True).text
