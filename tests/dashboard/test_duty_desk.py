"""Promise: the alarm desk shows who may act what waits and lies around, and steers the wall."""

from __future__ import annotations

import shutil

import pytest

from dashboard.server import FEED, make_app
from geodata.access.source_tokens import change_tokens
from geodata.city import City
from geodata.events.sources import plan_source
from geodata.store.database import read_terms
from geodata.store.records import read_records
from tests.city import load_one, middle, write_table
from tests.dashboard.conftest import DEMO_NOW
from tests.dashboard.door_city import Door

HEADERS = {"Origin": "http://localhost"}


class Desk(Door):
    """A city with a duty post, a wall, a school, and a source that posts."""

    def __init__(self, tiny, folder) -> None:
        super().__init__(tiny, folder)
        for role in ("duty", "wall", "viewer", "administrator"):
            self.add(f"{role}-1", role=role)
        lon, lat = middle(0, 0)
        places = [
            ["S1", "school", "第一小学", lon + 0.001, lat],
            ["H1", "hazmat_site", "油库", lon, lat + 0.003],
        ]
        file = write_table(folder / "p.csv", ("id", "kind", "name", "lon", "lat"), places)
        load_one(self.city, "places", file)
        self._secret = change_tokens(self.city.folder, "add", "iot", now=self.clock.now).secret
        self.duty = self.client("duty-1")

    def post(self, number: str, **said) -> None:
        event = {
            "incident_id": number,
            "stage": "reported",
            "at": self.clock.now,
            "kind": "烟感",
            **said,
        }
        headers = {"Authorization": f"Bearer {self._secret}"}
        assert self.client().post("/api/events", json=event, headers=headers).status_code == 200

    def news(self, **query):
        return self.duty.get("/duty/news", query_string={"lang": "zh", **query})


@pytest.fixture
def desk(tiny, tmp_path):
    made = Desk(tiny, tmp_path / "city")
    yield made
    made.app.server.extensions[FEED].close()
    shutil.rmtree(tmp_path / "city", ignore_errors=True)


def test_the_queue_is_in_the_order_to_take_them_and_says_when_one_escalates(desk):
    lon, lat = middle(0, 0)
    desk.post("A1", alarm_level=3, lon=lon, lat=lat)
    desk.post("A2", alarm_level=1, lon=lon, lat=lat)
    desk.post("A3", alarm_level=1, lon=lon, lat=lat, drill=True)
    news = desk.news().json
    assert [one["level"] for one in news["waiting"]] == [1, 3, 1]
    queue = news["parts"]["queue"]
    assert [queue.count(mark) for mark in ("■", "▲", "<em>演练</em>")] == [2, 1, 1]
    assert queue.index("■") < queue.index("▲") < queue.index("<em>演练</em>")
    assert "300 秒后升级" in queue
    assert desk.news(since=news["stamp"]).status_code == 204
    desk.clock.now += desk.city.settings.alarm_escalate_s
    assert "无人接警，已升级" in desk.news(since=news["stamp"]).json["parts"]["queue"]


def test_an_alarm_opens_with_its_rings_and_an_act_is_written_and_logged(desk):
    lon, lat = middle(0, 0)
    desk.post("B1", alarm_level=2, lon=lon, lat=lat)
    number = desk.news().json["waiting"][0]["alarm"]
    found = desk.duty.get(f"/duty/alarms/{number}?lang=zh").json
    assert "第一小学" in found["card"]
    assert "户数（估）" in found["card"]
    lists = found["card"].split("<details>")[1:]
    assert ["第一小学" in one for one in lists] == [True, True, True]
    assert ["油库" in one for one in lists] == [False, False, True]  # 334 m away
    assert [one.split(" 米内的名单")[0][-3:] for one in lists] == ["100", "300", "500"]
    assert found["card"].index("duty-rings") < found["card"].index(lists[0])
    assert 'data-verdict="false"' in found["acts"]
    for wish in ({"what": "ack", "text": "已派人"}, {"what": "verdict", "verdict": "false"}):
        answer = desk.duty.post(f"/live/alarms/{number}/notes", json=wish, headers=HEADERS)
        assert answer.status_code == 200
    assert desk.news().json["waiting"] == []
    log = desk.duty.get("/duty/log?lang=zh").text
    assert "已派人" in log
    assert "误报" in log
    assert "没有未了的告警" in log
    earlier = desk.duty.get("/duty/log?lang=zh&from=2020-01-01T00:00&until=2020-01-02T00:00").text
    assert "本班告警（0）" in earlier


def test_a_demo_city_has_an_alarm_to_try_with_its_response_card_and_a_real_one_has_not(
    gaoshan, tmp_path, desk
):
    shutil.copytree(gaoshan.folder, tmp_path / "demo", ignore=shutil.ignore_patterns("*.lock"))
    app = make_app(City(tmp_path / "demo"), now=lambda: DEMO_NOW)
    client = app.server.test_client()
    client.post("/demo-role", data={"role": "duty"}, headers=HEADERS)
    assert client.post("/duty/trial", json={}, headers=HEADERS).status_code == 200
    waiting = client.get("/duty/news?lang=zh").json["waiting"]
    assert len(waiting) == 1
    for lang, words in (("zh", ("处置卡", "<li>到场后")), ("en", ("Response card", "<li>Report"))):
        card = client.get(f"/duty/alarms/{waiting[0]['alarm']}?lang={lang}").json["card"]
        assert all(word in card for word in words)
        assert f"<em>{'演练' if lang == 'zh' else 'drill'}</em>" in card.lower()
    assert client.get("/wall/news?lang=zh").json["alarms"][0]["alarm"] == waiting[0]["alarm"]
    app.server.extensions[FEED].close()
    refused = desk.duty.post("/duty/trial", json={}, headers=HEADERS)
    assert refused.status_code == 404
    assert "演示" in refused.get_data(as_text=True)
    assert "duty-trial" not in desk.duty.get("/duty/_dash-layout").text


def test_a_made_up_city_knows_its_kinds_and_bodies_by_the_names_that_sources_write(gaoshan):
    with City(gaoshan.folder).database.read() as connection:
        for of, table in (("kind", "kinds"), ("body", "bodies")):
            numbered = set(read_terms(connection, of).values())
            names = read_records(connection, table, at=DEMO_NOW)["name_zh"].tolist()
            assert names
            assert set(names) <= numbered


def test_the_desk_offers_posts_to_hand_an_alarm_to_and_says_whom_it_waits_for(desk):
    desk.add("duty-2", role="duty")
    desk.post("H9", alarm_level=2, device_id="D9", lon=middle(1, 1)[0], lat=middle(1, 1)[1])
    (row,) = desk.news().json["waiting"]
    offered = desk.duty.get(f"/duty/alarms/{row['alarm']}?lang=zh").json["acts"]
    assert 'value="duty-2"' in offered
    assert 'value="duty-1"' not in offered  # oneself
    assert 'value="viewer-1"' not in offered  # who may not act
    wish = {"what": "hand_over", "to": "duty-2"}
    address = f"/live/alarms/{row['alarm']}/notes"
    assert desk.duty.post(address, json=wish, headers=HEADERS).status_code == 200
    assert "已移交duty-2，待接" in desk.news().json["parts"]["queue"]


def test_the_desk_holds_a_scene_or_an_alarm_on_every_wall_and_lets_go(desk):
    wall = desk.client("wall-1")
    name = wall.get("/wall/news?lang=zh").json["scenes"][1]["name"]
    for what, target in (("scene", name), ("alarm", "1")):
        wish = {"what": what, "target": target}
        assert desk.duty.post("/duty/hold", json=wish, headers=HEADERS).status_code == 200
        for lang in ("zh", "en"):  # a wall of another language holds the same scene
            held = wall.get(f"/wall/news?lang={lang}").json["hold"]
            mark = "" if what == "scene" else held["mark"]
            assert held == {**wish, "scene": 1 if what == "scene" else None, "mark": mark}
    assert desk.duty.post("/duty/hold", json={}, headers=HEADERS).status_code == 200
    assert wall.get("/wall/news?lang=zh").json["hold"] is None
    wrong = desk.duty.post("/duty/hold", json={"what": "film", "target": "x"}, headers=HEADERS)
    assert wrong.status_code == 422


def test_a_wall_is_held_by_who_sees_the_whole_city_only(desk):
    desk.post("P1", alarm_level=1, lon=middle(1, 1)[0], lat=middle(1, 1)[1])
    desk.add("part-1", role="duty", areas=("321012001",))
    part = desk.client("part-1")
    wish = {"what": "scene", "target": "x"}
    refused = part.post("/duty/hold", json=wish, headers=HEADERS)
    assert refused.status_code == 403
    assert "全市" in refused.get_data(as_text=True)
    assert part.get("/duty/news?lang=zh").json["steers"] is False
    assert desk.news().json["steers"] is True


def test_what_was_found_real_goes_on_until_it_is_over_and_to_the_next_shift(desk):
    desk.post("R1", alarm_level=1, lon=middle(1, 1)[0], lat=middle(1, 1)[1])
    (row,) = desk.news().json["waiting"]
    address = f"/live/alarms/{row['alarm']}/notes"
    for verdict, on in (("real", True), ("false", False), ("real", True)):
        wish = {"what": "verdict", "verdict": verdict}
        assert desk.duty.post(address, json=wish, headers=HEADERS).status_code == 200
        assert (f'data-alarm="{row["alarm"]}"' in desk.news().json["parts"]["queue"]) is on
        left = desk.duty.get("/duty/log?lang=zh").get_data(as_text=True)
        assert ("没有未了的告警" not in left) is on
    desk.post("R1", stage="closed", at=desk.clock.now + 1)
    assert "data-alarm" not in desk.news().json["parts"]["queue"]
    assert "没有未了的告警" in desk.duty.get("/duty/log?lang=zh").get_data(as_text=True)


def test_a_scope_that_hides_everything_says_so_where_alarms_and_cases_would_be(desk):
    desk.post("L1", alarm_level=1)
    desk.add("lost-1", role="duty", areas=("999999",))
    lost = desk.client("lost-1")
    for lang, words in (("zh", "并不是没有"), ("en", "hidden from you, not absent")):
        assert words in lost.get(f"/duty/news?lang={lang}").json["parts"]["queue"]
        parts = lost.get(f"/wall/news?lang={lang}").json["parts"]
        assert words in parts["keys"]
        assert {"late", "alarms", "top"}.isdisjoint(parts)
        assert words not in desk.duty.get(f"/wall/news?lang={lang}").json["parts"]["keys"]


def test_a_source_that_fails_is_named_on_the_wall_with_what_to_do(desk):
    desk.post("S1", alarm_level=1)
    assert "查令牌" not in desk.duty.get("/wall/news?lang=zh").json["parts"]["sources"]
    plan_source(desk.city.folder, "iot", every="60s", kind=None, now=desk.clock.now)
    desk.clock.now += 1500  # a session without a hand ends after half an hour
    sources = desk.duty.get("/wall/news?lang=zh").json["parts"]["sources"]
    assert "iot：请管理方查上传，请管理员查令牌" in sources


def test_nobody_without_the_permission_to_act_gets_anything_of_it(desk):
    desk.post("C1", alarm_level=1)
    for name in ("wall-1", "viewer-1", "administrator-1"):
        client = desk.client(name)
        paths = ("/duty/news", "/duty/alarms/1", "/duty/log", "/duty/duty-alarms.geojson")
        assert [client.get(path).status_code for path in paths] == [403] * 4
        assert client.post("/duty/hold", json={}, headers=HEADERS).status_code == 403
        assert "duty-refused" in client.get("/duty/_dash-layout").text


def test_a_shift_without_end_or_sense_is_cut_to_one_that_can_be_read(desk):
    for query in (
        "from=x",
        "from=9999-12-31T23:59",
        "until=0001-01-01T00:00",
        "from=1800-01-01T00:00",
    ):
        answer = desk.duty.get(f"/duty/log?{query}")
        assert answer.status_code == 200, query


def test_a_quiet_night_ends_no_duty_posts_session_while_its_desk_is_open(desk):
    desk.add("staff-1", role="staff")
    staff, begin = desk.client("staff-1"), desk.clock.now
    settings = desk.city.settings

    def ask(client) -> int:
        idle_s = str(desk.clock.now - begin)  # no hand since both signed in
        return client.get("/duty/news", headers={"X-Getu-Idle": idle_s}).status_code

    for minutes in range(0, settings.session_idle_min * 3, 10):
        desk.clock.now = begin + minutes * 60
        assert ask(desk.duty) in (200, 204)
    assert ask(staff) == 401
    desk.clock.now = begin + settings.session_hours * 3600
    assert ask(desk.duty) == 401
