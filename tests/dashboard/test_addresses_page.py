"""A place found by a doubtful address waits for a post, who confirms it, chooses, or pins it."""

from __future__ import annotations

import re

import pytest

from dashboard.server import INTAKE
from geodata.snapshots.facts import load_facts
from tests.city import NOW, load_one, middle, write_table
from tests.dashboard.door_city import Door

LIBRARY = [
    ["江苏省扬州市江都区仙女镇龙川社区新都路1号", *middle(0, 0)],
    ["江苏省扬州市江都区仙女镇龙川社区新都路9号", *middle(2, 0)],
    ["江苏省扬州市江都区大桥镇白沙村和平路5号", *middle(0, 1)],
    ["江苏省扬州市江都区邵伯镇双沟村和平路5号", *middle(1, 1)],
]
CASES = [
    ["SURE", "2026-05-30 08:00", "新都路1号"],
    ["BETWEEN", "2026-05-30 09:00", "新都路5号"],
    ["TWO", "2026-05-30 10:00", "和平路5号"],
    ["NOWHERE", "2026-05-30 07:00", "不详"],
    ["ROAD", "2026-05-30 11:00", "新都路"],
]


@pytest.fixture(scope="module")
def door(tiny, tmp_path_factory) -> Door:
    door = Door(tiny, tmp_path_factory.mktemp("addresses") / "city")
    door.add_every_role()
    folder = door.city.folder
    columns = ("标准地址", "经度", "纬度")
    load_one(door.city, "addresses", write_table(folder / "library.csv", columns, LIBRARY))
    columns = ("案件编号", "上报时间", "地址")
    cases = write_table(folder / "cases.csv", columns, CASES)
    load_one(door.city, "incidents", cases, source="热线")
    yield door
    door.app.server.extensions[INTAKE].close()


def page(door: Door) -> str:
    answer = door.client("duty").get("/addresses?lang=zh")
    assert answer.status_code == 200
    return answer.get_data(as_text=True)


def press(door: Door, incident_id: str, **more):
    seen = re.search(r'name="seen" value="(\d+)"', page(door))[1]
    form = {"source": "热线", "incident_id": incident_id, "seen": seen, **more}
    return door.client("duty").post("/addresses/confirm?lang=zh", data=form)


def owner_of(door: Door, incident_id: str):
    with door.city.database.read() as connection:
        return connection.execute(
            "SELECT i.owner, i.x, i.y FROM incident i JOIN incident_key k ON k.inc = i.inc"
            " WHERE k.ext_id = ?",
            (incident_id,),
        ).fetchone()


def test_only_unsure_places_wait_with_their_level_and_score(door):
    text = page(door)
    assert "BETWEEN" in text
    assert "按相邻门牌推算" in text
    assert "TWO" in text
    assert "是 江苏省扬州市江都区大桥镇白沙村和平路5号" in text
    assert ">SURE<" not in text
    assert "只说到这条路，取它的中段：江苏省扬州市江都区仙女镇龙川社区新都路" in text
    assert door.client("clerk").get("/addresses").status_code == 403


def test_what_can_be_chosen_comes_before_what_nothing_is_known_of(door):
    text = page(door)
    assert text.index(">TWO<") < text.index(">NOWHERE<") < text.index(">BETWEEN<")


def test_a_confirmed_place_stays_where_it_was_found_and_leaves_the_list(door):
    before = owner_of(door, "BETWEEN")
    assert press(door, "BETWEEN").status_code == 303
    assert owner_of(door, "BETWEEN") == before
    assert ">BETWEEN<" not in page(door)
    assert press(door, "BETWEEN").status_code == 404


def test_one_of_two_addresses_alike_is_chosen_and_the_case_finds_its_grid(door):
    assert owner_of(door, "TWO")[1] is None
    assert press(door, "TWO", guess="7").status_code == 404
    assert press(door, "TWO", guess="1").status_code == 303
    owner, x, y = owner_of(door, "TWO")
    assert owner > 0
    assert x is not None
    assert y is not None
    facts = load_facts(door.city, now=NOW)
    assert owner in facts.grids.finest()["uid"].tolist()
    with door.city.database.read() as connection:
        (reason,) = connection.execute(
            "SELECT reason FROM decision ORDER BY decision DESC LIMIT 1"
        ).fetchone()
    assert "和平路5号" in reason


def test_a_page_that_a_role_may_not_open_says_whose_it_is_and_where_to_go(door):
    seen = {"Accept": "text/html"}
    zh = door.client("clerk").get("/addresses?lang=zh", headers=seen)
    assert (zh.status_code, zh.mimetype) == (403, "text/html")
    for told in ("数据员", "值班", "网格值守", "退出，换账号登录", 'href="/?lang=zh'):
        assert told in zh.text
    en = door.client("clerk").get("/addresses?lang=en", headers=seen).text
    assert "Roles that may" in en
    assert not re.search("[一-鿿]", en.split("<main")[1])
    plain = door.client("clerk").get("/addresses?lang=zh")  # a script is answered in plain text
    assert plain.mimetype == "text/plain"
    duty = door.client("duty").get("/addresses?lang=zh", headers=seen)
    assert duty.status_code == 200
