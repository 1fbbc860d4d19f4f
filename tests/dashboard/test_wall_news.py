"""Promise: a wall is told only what is new, in few bytes, and nothing that is not its own."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from dashboard.server import FEED, make_app
from geodata.access.source_tokens import change_tokens
from geodata.city import City
from tests.city import NOW, load_one, make_tiny_city, middle, write_table

SMALL = 500  # bytes of a poll without news, its headers among them


class Wall:
    """A wall before a tiny city, with a clock that a test moves and a source that posts."""

    def __init__(self, folder: Path) -> None:
        self.now = NOW
        self.city: City = make_tiny_city(folder)
        file = write_table(folder / "d.csv", ("id", "kind", "lon", "lat"),
                           [["D1", "smoke", *middle(0, 0)]])  # fmt: skip
        load_one(self.city, "devices", file)
        self._secret = change_tokens(self.city.folder, "add", "iot", now=NOW).secret
        self.app = make_app(self.city, now=lambda: self.now)
        self.client = self.app.server.test_client()
        self.held: dict[str, str] = {}
        self.since = ""

    def ask(self, **query: Any) -> Any:
        have = ",".join(f"{name}:{mark}" for name, mark in self.held.items())
        asked = {"lang": "zh", "since": self.since, "have": have, **query}
        answer = self.client.get("/wall/news", query_string=asked)
        if answer.status_code == 200:
            self.since = answer.json["stamp"]
            self.held |= answer.json["marks"]
            self.held |= answer.json["map"]["marks"] if answer.json["map"] else {}
        return answer

    def post(self, number: str, **said: Any) -> None:
        event = {"incident_id": number, "stage": "reported", "at": self.now, "kind": "烟感", **said}
        headers = {"Authorization": f"Bearer {self._secret}"}
        assert self.client.post("/api/events", json=event, headers=headers).status_code == 200


@pytest.fixture
def wall(tmp_path):
    made = Wall(tmp_path / "city")
    yield made
    made.app.server.extensions[FEED].close()


def test_a_poll_without_news_is_small(wall):
    assert wall.ask().status_code == 200
    answer = wall.ask()
    size = len(answer.data) + sum(len(f"{name}: {text}\r\n") for name, text in answer.headers)
    assert answer.status_code == 204
    assert size <= SMALL


def test_only_the_parts_that_changed_are_sent(wall):
    first = wall.ask().json
    assert {"keys", "late", "steps", "today", "top", "kinds", "ticker", "head", "sources", "alarms",
            "legend"} == set(first["parts"])  # fmt: skip
    assert first["map"]["props"]["layers"]
    wall.now += 60  # an age grew by a minute, no figure moved
    later = wall.ask().json
    assert set(later["parts"]) <= {"head", "sources"}
    assert later["map"] is None
    other = wall.ask(scene=2).json
    props = set(other["map"]["props"])
    assert {"shown", "filter", "values", "view", "revision", "selected"} == props


def test_an_alarm_is_news_and_takes_the_wall_over_until_it_is_taken(wall):
    wall.ask()
    wall.post("A1", alarm_level=1, device_id="D1")
    news = wall.ask().json
    assert "烟感" in news["parts"]["alarms"]
    assert [(one["level"], one["state"]) for one in news["alarms"]] == [(1, "new")]
    number = news["alarms"][0]["alarm"]
    card = wall.client.get(f"/wall/alarms/{number}?lang=zh").json
    lon, lat = middle(0, 0)
    west, south, east, north = card["view"]["bounds"]
    assert west < lon < east
    assert south < lat < north
    assert "一级" in card["card"]
    assert "位置取自设备登记" in card["card"]
    wall.now += wall.city.settings.alarm_escalate_s
    assert wall.ask().json["alarms"][0]["state"] == "escalated"
    wall.now += 10
    wall.post("A1", cleared_at=wall.now, stage="closed")
    assert wall.ask().json["alarms"] == []


def test_an_alarm_without_a_place_says_what_to_do_and_a_drill_waits_in_the_list(wall):
    wall.ask()
    wall.post("B1", alarm_level=2)
    wall.post("B2", alarm_level=1, drill=True, device_id="D1")
    news = wall.ask().json
    assert [one["level"] for one in news["alarms"]] == [2]
    card = wall.client.get(f"/wall/alarms/{news['alarms'][0]['alarm']}").json
    assert (card["view"], card["where"]) == (None, "")
    assert "没有坐标" in card["card"]
    assert "演练" in news["parts"]["alarms"]


def test_today_rolls_at_the_local_midnight_without_an_event(wall):
    wall.post("T1")
    today = wall.ask().json["parts"]["today"]
    assert "<strong>0</strong>" not in today
    wall.now += 86_400  # the tiny city's clock stands at noon
    assert "<strong>0</strong>" in wall.ask().json["parts"]["today"]


def test_a_film_is_sent_once_and_a_change_says_what_it_compares(wall):
    wall.post("F1")
    names = [one["name"] for one in wall.ask().json["scenes"]]
    film = names.index("一周回放")
    news = wall.ask(scene=film).json
    assert {"wall-film", "base-map"} <= set(news["map"]["props"]["shown"])
    assert "grid-risk" not in news["map"]["props"]["shown"]
    assert len(news["film"]["frames"]) == len(news["film"]["names"]) == 28
    assert "24 小时" in news["parts"]["legend"]
    assert news["parts"]["film"].count("data-frame") == 28
    again = wall.ask(scene=film, film=news["film"]["mark"], since="").json
    assert again["film"] == {"mark": news["film"]["mark"]}
    assert "film" in again["marks"]
    change = wall.ask(scene=names.index("近 28 天比前 28 天")).json
    assert change["film"] is None
    assert "film" not in change["marks"]
    assert len(change["map"]["props"]["values"]["wall-change"]["values"]) > 0
    assert "减去" in change["parts"]["legend"]


def test_a_wall_opens_with_the_scene_whose_turn_it_is_and_is_not_sent_it_again(wall):
    for address in ("/wall/", "/wall/?scene=2&lang=en&theme=light"):
        headers = {"Referer": f"http://localhost{address}"}
        page = wall.client.get("/wall/_dash-layout", headers=headers).json["props"]
        asked = {"lang": page["data-lang"], "theme": "light" if "light" in address else "dark"}
        held = ",".join(f"{name}:{page[f'data-{name}']}" for name in ("scene", "ground"))
        news = wall.client.get(
            "/wall/news", query_string={**asked, "scene": page["data-place"], "have": held}
        ).json
        assert news["map"] is None, address
    assert page["data-place"] == "1"


def test_the_scene_of_where_most_is_late_names_and_outlines_the_area(wall):
    whole = wall.ask(scene=0).json
    assert whole["where"] == ""
    assert whole["map"]["props"]["selected"] is None
    wall.post("L1", lon=middle(1, 1)[0], lat=middle(1, 1)[1])
    wall.now += 400 * 86_400
    wall.held = {}
    late = wall.ask(scene=1).json
    chosen = late["map"]["props"]
    assert late["where"]
    assert isinstance(chosen["selected"], int)
    assert chosen["view"] != whole["map"]["props"]["view"]


def test_nonsense_asks_for_the_beginning(wall):
    for query in (
        {"scene": "99999"},
        {"scene": "x"},
        {"have": ":::,,a"},
        {"lang": "<"},
        {"since": "9"},
    ):
        assert wall.client.get("/wall/news", query_string=query).status_code == 200
    assert wall.client.get("/wall/alarms/99").status_code == 404
    for place in ("", "x", "1,2,3", "900,3", "nan,1"):
        answer = wall.client.get("/wall/wall-rings.geojson", query_string={"v": place})
        assert answer.json == {"type": "FeatureCollection", "features": []}
    lon, lat = middle(1, 1)
    rings = wall.client.get("/wall/wall-rings.geojson", query_string={"v": f"{lon},{lat}"}).json
    assert [one["properties"]["level"] for one in rings["features"]] == ["r100", "r300", "r500"]
    for lang, names in (
        ("zh", ["100 米", "300 米", "500 米"]),
        ("en", ["100 m", "300 m", "500 m"]),
    ):
        query = {"v": f"{lon},{lat}", "lang": lang}
        radii = wall.client.get("/wall/wall-radii.geojson", query_string=query).json["features"]
        assert [one["properties"]["name"] for one in radii] == names
    north = [one["geometry"]["coordinates"][1] for one in radii]
    assert np.diff([lat, *north]) * 111_000 == pytest.approx([100, 200, 200], rel=0.01)
