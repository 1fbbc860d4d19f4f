"""A clerk changes the city's tables on a page: dated, checked, logged, and says what words mean."""

from __future__ import annotations

import io
import re
from urllib.parse import quote

import pandas as pd
import pytest

from dashboard.server import INTAKE, make_app
from geodata.city import City
from geodata.snapshots.facts import load_facts
from geodata.store.records import read_records
from tests.city import NOW, load_one, make_tiny_city

MOBILE = "13812345678"


@pytest.fixture(scope="module")
def city(tmp_path_factory) -> City:
    return make_tiny_city(tmp_path_factory.mktemp("tables") / "city")


@pytest.fixture(scope="module")
def client(city):
    server = make_app(city, now=lambda: NOW).server
    yield server.test_client()
    server.extensions[INTAKE].close()


def text_of(answer) -> str:
    return answer.get_data(as_text=True)


def seen_on(page: str) -> str:
    return re.search(r'name="seen" value="(\d+)"', page)[1]


def records(city, table):
    with city.database.read() as connection:
        return read_records(connection, table, at=NOW).set_index("id")


def test_every_table_is_named_and_what_did_not_match_is_listed_with_its_cases(client):
    page = text_of(client.get("/tables?lang=zh"))
    for told in ("事件类别", "工作日历", "类别别名", "部件", "积水", "12 件"):
        assert told in page
    assert "路面破损</td>" not in page
    assert f"/tables/kinds/row?lang=zh&amp;theme=dark&amp;set.code={quote('积水')}" in page


def test_a_word_that_did_not_match_gets_its_meaning_and_leaves_the_list(city, client):
    answer = client.post(
        "/tables/alias?lang=zh", data={"of": "kind", "alias": "积水", "means": "路面破损"}
    )
    assert answer.status_code == 303
    assert 'value="积水"' not in text_of(client.get(answer.location))
    facts = load_facts(city, now=NOW)
    counted = pd.Series(facts.snapshot.kind).map(facts.kind_terms).value_counts()
    assert "积水" not in counted
    assert counted["路面破损"] >= 24


def test_a_word_gets_its_meaning_by_a_name_or_becomes_a_row_itself(city, client):
    form = {"cell.code": "K7", "cell.name_zh": "内涝", "cell.category": "市政", "seen": "0"}
    assert client.post("/tables/kinds/row?lang=zh", data=form).status_code == 303
    client.post("/tables/alias?lang=zh", data={"of": "kind", "alias": "积水", "means": "内涝"})
    assert records(city, "kind_aliases").at["积水", "kind"] == "K7"
    page = text_of(client.get("/tables/bodies/row?lang=zh&set.body=城管局&set.name_zh=城管局"))
    assert page.count('value="城管局"') == 2


def test_a_row_is_changed_from_a_day_on_and_its_history_is_shown(city, client):
    page = text_of(client.get("/tables/kinds/row?lang=zh&id=路面破损"))
    form = {"id": "路面破损", "seen": seen_on(page), "cell.limit": "24", "since": "2026-06-01"}
    answer = client.post("/tables/kinds/row?lang=zh", data=form)
    assert answer.status_code == 303
    assert "已保存" in text_of(client.get(answer.location))
    assert records(city, "kinds").at["路面破损", "limit"] == "24"
    again = text_of(client.get("/tables/kinds/row?lang=zh&id=路面破损"))
    assert "2026-06-01" in again
    assert "时限 48" in again
    stale = client.post("/tables/kinds/row?lang=zh", data=form)
    assert stale.status_code == 409


def test_a_wrong_row_comes_back_with_what_was_typed_and_every_reason(city, client):
    before = len(records(city, "kinds"))
    form = {"cell.code": "K9", "cell.name_zh": MOBILE, "cell.limit": "很快", "seen": "0"}
    answer = client.post("/tables/kinds/row?lang=zh", data=form)
    page = text_of(answer)
    assert answer.status_code == 422
    for told in ("K9", "很快", "这里不是数字", "必填", "不记个人"):
        assert told in page
    assert len(records(city, "kinds")) == before


def test_a_row_is_added_found_and_ended(city, client):
    form = {"cell.body": "CG", "cell.name_zh": "=1+1 城管<b>", "seen": "0"}
    assert client.post("/tables/bodies/row?lang=zh", data=form).status_code == 303
    page = text_of(client.get("/tables/bodies?lang=zh&q=城管"))
    assert "城管&lt;b&gt;" in page
    seen = seen_on(text_of(client.get("/tables/bodies/row?id=CG")))
    sheet = text_of(client.get("/tables/bodies.csv"))
    assert "'=1+1" in sheet
    assert client.post("/tables/bodies/end", data={"id": "CG", "seen": seen}).status_code == 303
    assert "没有相符的行" in text_of(client.get("/tables/bodies?lang=zh&q=城管"))


def test_what_is_exported_can_be_loaded_again_as_it_was(city, client, tmp_path):
    before = records(city, "cameras")
    book = client.get("/tables/cameras.xlsx")
    path = tmp_path / "cameras.xlsx"
    path.write_bytes(book.get_data())
    assert pd.read_excel(io.BytesIO(book.get_data()), dtype=str, engine="calamine")[
        "camera_id"
    ].tolist() == sorted(before.index)
    load_one(city, "cameras", path)
    again = records(city, "cameras")
    assert again["name"].tolist() == before["name"].tolist()
    assert (again[["x_mm", "y_mm"]] - before[["x_mm", "y_mm"]]).abs().to_numpy().max() <= 10


def test_what_is_no_table_is_not_found(client):
    for path in ("/tables/incident", "/tables/kinds/row?id=x", "/tables/kinds.pdf"):
        assert client.get(path).status_code == 404, path
