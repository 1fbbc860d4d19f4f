"""Promise: screens and watchdogs learn when data stop coming, and a poll costs next to nothing."""

from __future__ import annotations

from pathlib import Path

import pytest

from dashboard.map_page import POLL_MS
from dashboard.parts import source_badge
from dashboard.server import FEED, make_app
from geodata.access.source_tokens import change_tokens
from geodata.city import City
from geodata.events.sources import plan_source
from tests.city import NOW, make_tiny_city
from tests.dashboard.callers import CALLBACKS, find_call

MOST_BYTES = 500


@pytest.fixture
def city(tmp_path: Path) -> City:
    return make_tiny_city(tmp_path / "city")


@pytest.fixture
def app(city):
    made = make_app(city, now=lambda: NOW)
    yield made
    made.server.extensions[FEED].close()


def test_a_city_of_files_shows_no_badge_and_a_feed_does(city):
    assert source_badge.draw(city, now=NOW, lang="zh") == []
    plan_source(city.folder, "iot", every="15m", kind="device", now=NOW - 10_000)
    plan_source(city.folder, "hotline", every="1d", kind="report", now=NOW)
    for lang, word in (("zh", "中断"), ("en", "out")):
        (badge,) = source_badge.draw(city, now=NOW, lang=lang)
        assert word in str(badge.children[0])
        assert badge.className == "stale"
        lines = badge.children[1].children
        assert "iot" in str(lines[0])  # the worst first
        assert any("hotline" in str(line) for line in lines)


def test_a_watchdog_learns_whether_and_never_which(app, city):
    client = app.server.test_client()
    assert client.get("/api/health").get_json() == {"state": "ok"}
    plan_source(city.folder, "iot", every="15m", kind="device", now=NOW - 10_000)
    stranger = {"REMOTE_ADDR": "203.0.113.9"}
    answer = client.get("/api/health", environ_overrides=stranger)
    assert answer.status_code == 200
    assert answer.get_json() == {"state": "stale"}


def test_who_may_read_is_told_of_every_source(app, city):
    plan_source(city.folder, "iot", every="15m", kind="device", now=NOW - 10_000)
    plain = app.server.test_client().get("/live/sources").get_json()
    assert plain["worst"] == "out"
    assert {one["source"]: one["state"] for one in plain["sources"]}["iot"] == "out"


def test_a_poll_without_news_is_small_and_comes_often_enough(app, city):
    client = app.server.test_client()
    revision = client.get("/changes").get_json()["revision"]
    answer = client.get(f"/changes?since={revision}")
    assert answer.status_code == 204
    head = sum(len(name) + len(value) + 4 for name, value in answer.headers)
    assert head + len(answer.data) + len("HTTP/1.1 204 NO CONTENT") < MOST_BYTES
    call = find_call(app, "revision.data")
    call["state"] = [{**call["state"][0], "value": revision}]
    poll = client.post(CALLBACKS, json=call)
    assert len(poll.data) < MOST_BYTES
    assert POLL_MS <= 2_500  # an event is on a screen within three seconds


def test_a_post_is_told_to_the_next_poll(app, city):
    client = app.server.test_client()
    before = client.get("/changes").get_json()["revision"]
    secret = change_tokens(city.folder, "add", "iot", now=NOW).secret
    event = {"incident_id": "A1", "stage": "reported", "at": NOW - 1}
    headers = {"Authorization": f"Bearer {secret}"}
    assert client.post("/api/events", json=event, headers=headers).status_code == 200
    assert client.get(f"/changes?since={before}").get_json()["revision"] > before
