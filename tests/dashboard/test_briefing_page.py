"""Promise: the briefing page shows the sheet, gives its files to who may export, and logs each."""

from __future__ import annotations

import io
from typing import Any

import docx
import pytest

from dashboard.server import make_app
from geodata.city import City
from layers.office.sealing import read_carried
from tests.city import NOW, make_tiny_city

BASE = "/briefing"
PNG = b"\x89PNG"


@pytest.fixture(scope="module")
def city(tmp_path_factory: pytest.TempPathFactory) -> City:
    """Return a tiny city of its own: this page writes."""
    return make_tiny_city(tmp_path_factory.mktemp("briefing") / "city")


@pytest.fixture(scope="module")
def client(city: City) -> Any:
    return make_app(city, now=lambda: NOW).server.test_client()


def test_the_page_shows_the_sentences_the_sheet_and_its_files(client):
    page = client.get(f"{BASE}?lang=zh&period=90d").get_data(as_text=True)
    assert "共受理事件" in page
    assert "sheet.png?period=90d" in page
    for paper in ("page.docx", "page.pdf", "slides.pptx", "map.pdf", "incidents.xlsx"):
        assert f"/briefing/file/{paper}?" in page
    assert client.get(f"{BASE}/sheet.png?period=90d").data.startswith(PNG)


def test_a_file_of_the_page_says_what_the_page_says(client):
    answer = client.get(f"{BASE}/file/page.docx?lang=zh&period=90d")
    assert answer.status_code == 200
    assert "attachment" in answer.headers["Content-Disposition"]
    assert "no-store" in answer.headers["Cache-Control"]
    figures = read_carried(answer.data)["figures"]
    total = f"{figures['total'][1]:,}"
    text = "".join(one.text for one in docx.Document(io.BytesIO(answer.data)).paragraphs)
    assert f"共受理事件 {total} 件" in text
    page = client.get(f"{BASE}?lang=zh&period=90d").get_data(as_text=True)
    assert f"共受理事件 {total} 件" in page


def test_what_cannot_be_shown_is_a_sentence(client):
    for query, word in (
        ("period=soon", "看不懂"),
        ("area=404", "404"),
        ("period=2019", "没有事件"),
    ):
        answer = client.get(f"{BASE}?lang=zh&{query}")
        assert answer.status_code == 200
        assert word in answer.get_data(as_text=True)
        assert client.get(f"{BASE}/file/page.pdf?lang=zh&{query}").status_code in (404, 422)
    assert client.get(f"{BASE}/file/residents.xlsx").status_code == 404
    script = client.get(f"{BASE}?lang=zh&area=<script>").get_data(as_text=True)
    assert "<script>" not in script


def test_a_recipe_is_saved_issued_once_a_revision_and_dropped(client):
    kept = {"name": "月报", "period": "2026-05"}
    assert client.post(f"{BASE}/recipe?lang=zh", data=kept).status_code == 303
    for _ in range(2):
        assert client.post(f"{BASE}/issue?lang=zh", data={"name": "月报"}).status_code == 303
    page = client.get(f"{BASE}?lang=zh&period=2026-05").get_data(as_text=True)
    assert page.count("/briefing/issue/1/page.docx") == 1
    assert "/briefing/issue/2/" not in page
    one, other = (client.get(f"{BASE}/issue/1/page.docx").data for _ in range(2))
    assert one == other
    assert read_carried(one)["issue"] == 1
    assert client.get(f"{BASE}/issue/9/page.docx").status_code == 404
    assert client.post(f"{BASE}/recipe/drop?lang=zh", data={"name": "月报"}).status_code == 303
    assert client.post(f"{BASE}/issue?lang=zh", data={"name": "月报"}).status_code == 404
    assert client.post(f"{BASE}/recipe?lang=zh", data={"name": ""}).status_code == 422


def test_every_export_is_in_the_log_and_prints_its_head(client, city):
    answer = client.get(f"{BASE}/file/slides.pptx?lang=zh&period=90d")
    entry, digest = read_carried(answer.data)["head"].split(":")
    with city.database.read() as connection:
        act, whole = connection.execute(
            "SELECT act, hash FROM audit WHERE entry = ?", (int(entry),)
        ).fetchone()
    assert act == "export.slides"
    assert whole.hex().startswith(digest)
