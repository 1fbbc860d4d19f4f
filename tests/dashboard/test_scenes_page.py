"""Promise: who keeps the city sets up the wall's scenes on a plain page, and the wall follows."""

from __future__ import annotations

from typing import Any

import pytest

from tests.dashboard.door_city import Door

LAYERS = {"layer-{row}-base-map": "on", "layer-{row}-grid-risk": "on"}


@pytest.fixture
def door(tiny, tmp_path) -> Door:
    made = Door(tiny, tmp_path / "city")
    for role in ("administrator", "duty", "wall"):
        made.add(f"{role}-1", role=role)
    return made


def form(*rows: dict[str, Any]) -> dict[str, Any]:
    """What the page would send: name, place, days, dwell and order of each scene."""
    sent: dict[str, Any] = {}
    for row, given in enumerate(rows):
        full = {"place": "city", "days": "28", "dwell": "30", "order": str(row + 1), **given}
        sent |= {f"{name}-{row}": value for name, value in full.items()}
        sent |= {name.format(row=row): value for name, value in LAYERS.items()}
    return sent


def test_saved_scenes_are_on_the_wall_in_the_order_of_their_numbers(door):
    keeper, wall = door.client("administrator-1"), door.client("wall-1")
    assert "风险与超期" in keeper.get("/scenes?lang=zh").text
    before = wall.get("/wall/news?lang=zh").json
    answer = keeper.post(
        "/scenes?lang=zh",
        data=form({"name": "夜班", "order": "2"}, {"name": "早班", "order": "1"},
                  {"name": "不要", "gone": "on"}, {"name": ""}),
    )  # fmt: skip
    assert answer.status_code == 303
    assert "第 1 版" in keeper.get(answer.headers["Location"]).text
    after = wall.get("/wall/news", query_string={"lang": "zh", "since": before["stamp"]}).json
    assert [one["name"] for one in after["scenes"]] == ["早班", "夜班"]
    assert set(after["map"]["props"]["shown"]) >= {"base-map", "grid-risk"}


def test_what_is_wrong_is_said_beside_what_was_typed(door):
    keeper = door.client("administrator-1")
    answer = keeper.post(
        "/scenes?lang=en", data=form({"name": "<b>Night</b>", "place": "nowhere", "dwell": "1"})
    )
    assert answer.status_code == 422
    assert "There is no such place." in answer.text
    assert "Write 5 to 3600 seconds." in answer.text
    assert "&lt;b&gt;Night&lt;/b&gt;" in answer.text
    assert "<b>Night" not in answer.text


def test_others_neither_see_nor_save_it(door):
    for name in ("duty-1", "wall-1"):
        client = door.client(name)
        assert client.get("/scenes").status_code == 403
        assert client.post("/scenes", data=form({"name": "x"})).status_code == 403
    assert door.client("wall-1").get("/wall/").status_code == 200
