"""A clerk sees which stored codes are malformed, doubled or misplaced, and keeps the list."""

from __future__ import annotations

import csv
import io
from pathlib import Path

import pytest

from dashboard.server import INTAKE, make_app
from geodata.city import City
from geodata.intake import jobs
from geodata.reference import code_findings
from geodata.settings import SETTINGS_FILE
from tests.city import NOW, load_one, make_gridded_city, middle, write_table

COMPONENTS = [
    ["3210120101000001", "路灯", *middle(0, 0)],
    ["3210120101000002", "路灯", *middle(0, 0)],
    ["3210120101000002", "路灯", *middle(1, 1)],  # the same code again
    ["9910120101000003", "井盖", *middle(1, 0)],  # of a district the city does not have
    ["LAMP-7", "路灯", *middle(2, 2)],  # no code at all
]


@pytest.fixture(scope="module")
def city(tmp_path_factory) -> City:
    folder = tmp_path_factory.mktemp("codes") / "city"
    made = make_gridded_city(folder)
    with (folder / SETTINGS_FILE).open("a") as file:
        file.write('component_rule = "district:6 class:2 subclass:2 serial:6"\n')
    table = write_table(folder / "components.csv", ("id", "kind", "lon", "lat"), COMPONENTS)
    load_one(made, "components", table)
    cameras = [["32101200101310000001", *middle(0, 0)], ["32101200101180000002", *middle(0, 0)]]
    load_one(made, "cameras", write_table(folder / "c.csv", ("camera_id", "lon", "lat"), cameras))
    return City(folder)


@pytest.fixture(scope="module")
def client(city):
    server = make_app(city, now=lambda: NOW).server
    yield server.test_client()
    server.extensions[INTAKE].close()


def text_of(answer) -> str:
    return answer.get_data(as_text=True)


def lines(answer) -> list[list[str]]:
    return list(csv.reader(io.StringIO(answer.get_data().decode("utf-8-sig"))))


def test_every_finding_of_the_stored_codes_is_listed_with_where_it_stands(client):
    page = text_of(client.get("/tables/components/codes?lang=zh"))
    for told in ("LAMP-7", "9910120101000003", "3210120101000002", "格式不符", "重复"):
        assert told in page, told
    assert "3210120101000001" not in page
    only = text_of(client.get("/tables/components/codes?lang=zh&finding=doubled"))
    assert "3210120101000002" in only
    assert "LAMP-7" not in only
    english = text_of(client.get("/tables/cameras/codes?lang=en"))
    assert "32101200101180000002" in english
    assert "32101200101310000001" not in english


def test_the_list_can_be_kept_as_a_sheet_and_the_log_says_so(city, client):
    rows = lines(client.get("/tables/components/codes.csv?lang=en"))
    assert [row[0] for row in rows[1:]] == ["LAMP-7", "3210120101000002", "9910120101000003"]
    doubled = dict(zip(rows[0], rows[2], strict=True))
    assert doubled["Rows of the file"] == "2"
    assert doubled["Stands in grid"].startswith("321012001")
    assert client.get("/tables/components/codes.xlsx").data.startswith(b"PK")
    with city.database.read() as connection:
        acts = [row[0] for row in connection.execute("SELECT act FROM audit").fetchall()]
    assert acts.count("export.codes") == 2


def test_a_table_whose_ids_mean_nothing_has_no_such_page(client):
    for path in ("/tables/kinds/codes", "/tables/components/codes.pdf", "/tables/x/codes"):
        assert client.get(path).status_code == 404, path
    assert "/tables/components/codes" in text_of(client.get("/tables/components"))
    assert "/codes" not in text_of(client.get("/tables/places"))


def test_what_was_put_right_leaves_the_list(city, client, tmp_path: Path):
    reviews = code_findings.CodeReviews(city)
    assert reviews.find("components", now=NOW) is reviews.find("components", now=NOW)
    rows = [["3210120101000002", "路灯", *middle(0, 0)]]
    table = write_table(tmp_path / "right.csv", ("id", "kind", "lon", "lat"), rows)
    load_one(city, "components", table)
    assert "doubled" not in reviews.find("components", now=NOW).counts


def test_a_change_that_takes_long_is_followed_on_the_page(city, client, monkeypatch):
    monkeypatch.setattr(jobs, "_PATIENCE_S", 0.0)
    form = {"cell.code": "积水", "cell.name_zh": "积水", "cell.category": "市政", "seen": "0"}
    answer = client.post("/tables/kinds/row?lang=zh", data=form)
    assert answer.status_code == 303
    for _ in range(200):
        page = text_of(client.get(answer.location))
        if 'http-equiv="refresh"' not in page:
            break
    assert "已保存" in page
    assert text_of(client.get("/tables/kinds?lang=zh&change=0123456789abcdef")).count("已保存") == 0
