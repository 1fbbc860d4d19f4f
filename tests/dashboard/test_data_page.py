"""A clerk brings a file, sees what it is taken for, corrects it, loads it, takes it back."""

from __future__ import annotations

import io
import json
import re
import time

import pytest
import python_calamine
import xlsxwriter

from dashboard.server import INTAKE, make_app
from geodata.city import City, create_city
from geodata.snapshots.facts import load_facts
from tests.city import NOW, community_features, make_tiny_city, write_shapes

HEAD = ("案件编号", "上报时间", "案件类型", "经度", "纬度", "联系人电话")
MOBILE = "13812345678"
CHOSEN = '<option value="GCJ-02" selected>'
HOSTILE = ("../../city.toml", "..\\..\\x.csv", "/etc/passwd", "a\0b.csv", "." * 300)


def make_book(rows) -> io.BytesIO:
    out = io.BytesIO()
    with xlsxwriter.Workbook(out, {"in_memory": True}) as book:
        sheet = book.add_worksheet("案件")
        for line, row in enumerate((HEAD, *rows)):
            sheet.write_row(line, 0, row)
    out.seek(0)
    return out


@pytest.fixture
def city(tmp_path) -> City:
    return make_tiny_city(tmp_path / "city")


@pytest.fixture
def server(city):
    app = make_app(city, now=lambda: NOW).server
    yield app
    app.extensions[INTAKE].close()


@pytest.fixture
def client(server):
    return server.test_client()


def places(city, n):
    facts = load_facts(city, now=NOW)
    middle = facts.grids.finest().to_crs(4326).geometry.representative_point()
    return [(round(middle.iloc[0].x, 6), round(middle.iloc[0].y, 6))] * n


def rows(city, n=3):
    return [
        [f"A{i}", "2026-01-05 08:00", "暴露垃圾", *place, MOBILE]
        for i, place in enumerate(places(city, n))
    ]


def bring(client, book, *, kind="incidents", source="市政", name="六月.xlsx"):
    data = {"file": (book, name), "kind": kind, "source": source}
    return client.post("/data/upload?lang=zh", data=data, content_type="multipart/form-data")


def bring_large(client, content: bytes, *, name: str):
    """Bring a file as raw bytes: the test client itself would put them into a file of its own."""
    head = 'Content-Disposition: form-data; name="{}"'
    parts = (
        f"--x\r\n{head.format('kind')}\r\n\r\nincidents\r\n--x\r\n"
        f'{head.format("file")}; filename="{name}"\r\n\r\n'
    )
    body = parts.encode() + content + b"\r\n--x--\r\n"
    return client.post(
        "/data/upload?lang=zh", data=body, content_type="multipart/form-data; boundary=x"
    )


def settle(client, place):
    """Wait for the load behind an upload and return its page."""
    for _ in range(100):
        text = client.get(f"{place}?lang=zh").get_data(as_text=True)
        if 'http-equiv="refresh"' not in text:
            return text
        time.sleep(0.1)
    raise AssertionError("the load did not end")


def test_a_file_is_shown_before_it_is_loaded(city, client):
    answer = bring(client, make_book(rows(city)))
    assert answer.status_code == 303
    text = client.get(answer.location).get_data(as_text=True)
    for told in ("六月.xlsx", "Excel", "A0", "案件类型", "联系人电话", "<svg"):
        assert told in text
    assert MOBILE not in text
    assert load_facts(city, now=NOW).snapshot.n == load_facts(city, now=NOW).snapshot.n


def test_a_dry_run_writes_nothing_and_a_load_writes_all(city, client):
    before = load_facts(city, now=NOW)
    place = bring(client, make_book(rows(city))).location.split("?")[0]
    client.post(f"{place}/check")
    assert "没有写入" in settle(client, place)
    assert load_facts(city, now=NOW).revision == before.revision
    client.post(f"{place}/load")
    assert "接收 3" in settle(client, place)
    assert load_facts(city, now=NOW).snapshot.n == before.snapshot.n + 3


def test_refused_rows_come_back_as_a_workbook_with_their_reasons(city, client):
    bad = rows(city)
    bad[1][1] = "六月某日"
    place = bring(client, make_book(bad)).location.split("?")[0]
    client.post(f"{place}/check")
    assert "下载被拒的 1 行" in settle(client, place)
    answer = client.get(f"{place}/refused.xlsx?lang=zh")
    table = python_calamine.load_workbook(io.BytesIO(answer.data)).get_sheet_by_index(0).to_python()
    assert table[1][0] == 2
    assert "上报时间" in table[1][1]
    assert table[1][2] == "A1"
    assert MOBILE not in str(table)


def test_a_correction_is_applied_at_once_and_the_next_time_by_itself(city, client):
    place = bring(client, make_book(rows(city))).location.split("?")[0]
    client.post(f"{place}/correct", data={"kind": "incidents", "crs": "GCJ-02"})
    assert CHOSEN in client.get(f"{place}?lang=zh").get_data(as_text=True)
    client.post(f"{place}/load")
    settle(client, place)
    again = bring(client, make_book(rows(city, 4)), name="七月.xlsx").location
    assert CHOSEN in client.get(again).get_data(as_text=True)
    other = bring(client, make_book(rows(city)), source="环卫").location
    assert CHOSEN not in client.get(other).get_data(as_text=True)


def bring_grids(client, folder, **form):
    """Bring a level of boundaries and load it with what stands in the form, as the button does."""
    book = io.BytesIO(write_shapes(folder / "grids.geojson", community_features()).read_bytes())
    place = bring(client, book, kind="grids", source="民政", name="街道.geojson").location
    seen = client.get(place).get_data(as_text=True)
    client.post(f"{place.split('?')[0]}/load", data={"kind": "grids", **form})
    return seen, settle(client, place.split("?")[0])


def test_the_first_boundaries_of_a_city_are_drawn_and_loaded_as_the_form_says(tmp_path):
    empty = create_city(tmp_path / "new", {"name_zh": "新城", "name_en": "New"})
    app = make_app(empty, now=lambda: NOW).server
    client = app.test_client()
    seen, loaded = bring_grids(client, tmp_path, level="community")
    assert "画出 3 个面" in seen
    assert "社区 3 个" in loaded
    assert "看地图" in loaded
    again = io.BytesIO((tmp_path / "grids.geojson").read_bytes())
    next_one = bring(client, again, kind="grids", source="民政", name="网格.geojson").location
    assert '<option value="community" selected>' not in client.get(next_one).get_data(as_text=True)
    app.extensions[INTAKE].close()


def test_what_a_file_needs_is_marked_and_a_file_that_cannot_be_read_asks_for_its_columns(client):
    swapped = "案件编号,上报时间,经度,纬度\n" + "1,2026-01-05,32.43,119.56\n" * 3
    place = bring(client, io.BytesIO(swapped.encode()), name="a.csv").location.split("?")[0]
    text = client.get(f"{place}?lang=zh").get_data(as_text=True)
    assert "经度和纬度整体写反了" in text
    assert 'name="map.lon"' in text
    form = {"kind": "incidents", "map.lon": "纬度", "map.lat": "经度"}
    client.post(f"{place}/correct", data=form)
    text = client.get(f"{place}?lang=zh").get_data(as_text=True)
    assert "<dt>有位置</dt><dd>3</dd>" in text
    assert "上报时间 *<select" in text


def test_a_load_is_taken_back_whole_and_the_log_says_so(city, client):
    before = load_facts(city, now=NOW).snapshot.n
    place = bring(client, make_book(rows(city))).location.split("?")[0]
    client.post(f"{place}/load")
    settle(client, place)
    page = client.get("/data?lang=zh").get_data(as_text=True)
    batch = max(map(int, re.findall(r"/data/batch/(\d+)/withdraw", page)))
    said = f"/data?lang=en&withdrawn={batch}"
    assert "was withdrawn" not in client.get(said).get_data(
        as_text=True
    )  # anybody's link may say so
    assert client.get(f"/data?withdrawn={10**20}").status_code == 200
    assert client.post(f"/data/batch/{batch}/withdraw").status_code == 303
    assert "was withdrawn" in client.get(said).get_data(as_text=True)
    assert load_facts(city, now=NOW).snapshot.n == before
    with city.database.read() as connection:
        by = dict(connection.execute("SELECT act, account FROM audit ORDER BY entry").fetchall())
    assert {"upload.load", "batch.load", "batch.withdraw"} <= set(by)
    assert by["batch.load"] == by["batch.withdraw"] == by["upload.load"] != "console"


def test_what_cannot_be_read_is_told_in_words_and_can_be_thrown_away(client):
    answer = bring(client, io.BytesIO(b"\x00\x01\x02 nothing"), name="什么.bin")
    text = client.get(answer.location).get_data(as_text=True)
    assert "还不能读" in text
    place = answer.location.split("?")[0]
    assert client.post(f"{place}/drop").status_code == 303
    assert client.get(place).status_code == 404


@pytest.mark.parametrize("name", HOSTILE, ids=["up", "windows", "root", "nul", "dots"])
def test_a_hostile_name_writes_nowhere_else(city, client, name):
    settings = (city.folder / "city.toml").read_bytes()
    bring(client, io.BytesIO(b"a,b\n1,2\n"), name=name)
    uploads = city.folder / "uploads"
    inside = [path for path in uploads.rglob("*") if path.is_file()]
    assert all(uploads in path.resolve().parents for path in inside)
    assert not [
        path
        for path in city.folder.iterdir()
        if path.suffix in {".csv", ".part"}
        and (
            path.name
            not in {"kinds.csv", "incidents.csv", "events.csv", "cameras.csv", "places.csv"}
        )
    ]
    assert (city.folder / "city.toml").read_bytes() == settings


def test_too_large_a_file_is_refused_and_leaves_nothing(tmp_path):
    city = make_tiny_city(tmp_path / "small")
    object.__setattr__(city.settings, "upload_mb", 1)
    app = make_app(city, now=lambda: NOW).server
    answer = bring_large(app.test_client(), b"a" * 1_060_000, name="a.csv")
    assert answer.status_code in {400, 413, 422}
    assert not list((city.folder / "uploads").glob("*/*"))
    app.extensions[INTAKE].close()


def test_a_large_table_comes_in_where_a_file_of_objects_as_large_is_refused(tmp_path):
    city = make_tiny_city(tmp_path / "large")
    object.__setattr__(city.settings, "upload_mb", 3)
    object.__setattr__(city.settings, "upload_objects_mb", 1)
    app = make_app(city, now=lambda: NOW).server
    client = app.test_client()
    row = ",".join(str(cell) for cell in rows(city, 1)[0][:5])
    table = f"{','.join(HEAD[:5])}\n{row}\n".encode()
    padded = table + b",,,,\n" * 400_000  # 2 MB of empty rows below
    page = client.get(bring_large(client, padded, name="大表.csv").location)
    assert "大表.csv" in page.get_data(as_text=True)
    assert "A0" in page.get_data(as_text=True)
    shapes = b'{"type": "FeatureCollection", "features": [' + b" " * 2_000_000 + b"]}"
    page = client.get(bring_large(client, shapes, name="图.geojson").location)
    assert "最多 1 MB" in page.get_data(as_text=True)
    app.extensions[INTAKE].close()


def test_an_upload_of_another_account_does_not_exist(city, client):
    place = bring(client, make_book(rows(city))).location.split("?")[0]
    app = make_app(city, now=lambda: NOW).server
    assert app.test_client().get(place).status_code == 200
    assert client.get("/data/upload/0000000000000000").status_code == 404
    assert client.get("/data/upload/..").status_code in (308, 404)


def test_swapped_shapes_are_offered_exchanged_and_one_press_reads_them_so(client, city):
    features = [
        {"type": "Feature", "properties": {"名称": f"站{n}", "类别": "医疗"},
         "geometry": {"type": "Point", "coordinates": [lat, lon]}}
        for n, (lon, lat) in enumerate(places(city, 3))
    ]  # fmt: skip
    file = io.BytesIO(json.dumps({"type": "FeatureCollection", "features": features}).encode())
    answer = bring(client, file, kind="places", name="场所.geojson")
    place = answer.headers["Location"].split("?")[0]
    assert 'name="pick" value="swapped:"' in client.get(place).get_data(as_text=True)
    client.post(f"{place}/correct", data={"pick": "swapped:"})
    page = client.get(place).get_data(as_text=True)
    assert 'name="pick" value="GCJ-02"' in page
    assert '<option value="yes" selected>' in page


def test_reading_in_another_system_keeps_the_columns_chosen_beside_it(client, city):
    place = bring(client, make_book(rows(city))).headers["Location"].split("?")[0]
    page = client.get(place).get_data(as_text=True)
    assert 'form="correct" name="pick" value="GCJ-02"' in page
    chosen = {"kind": "incidents", "map.address": "案件类型", "pick": "GCJ-02"}
    client.post(f"{place}/correct", data=chosen)
    page = client.get(place).get_data(as_text=True)
    assert CHOSEN in page
    assert '<option value="案件类型" selected>' in page
