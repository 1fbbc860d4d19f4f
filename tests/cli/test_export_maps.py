"""Promise: `app.py export map|atlas|html` writes a whole file or none, and notes what has left."""

from __future__ import annotations

import hashlib
from pathlib import Path
from typing import Any

import pytest

from geodata.access.scope import Scope
from geodata.audit.report import wish_rows
from geodata.city import City
from geodata.store.audit_rows import read_log
from geodata.whole_file import write_whole
from tests.city import make_tiny_city
from tests.cli.processes import Nursery, Run

CUT_OFF = "2026-06-01T12:00"


@pytest.fixture(scope="module")
def city(tmp_path_factory: pytest.TempPathFactory) -> City:
    return make_tiny_city(tmp_path_factory.mktemp("export") / "city")


@pytest.fixture
def export(city: City, nursery: Nursery, tmp_path: Path) -> Any:
    def run(*words: str, out: str) -> tuple[Run, Path]:
        file = tmp_path / out
        where = ("--city", city.folder, "--cut-off", CUT_OFF, "--out", file)
        return nursery.run("export", *words, *where), file

    return run


def read_exports(city: City) -> list[Any]:
    wanted = wish_rows(
        account=None, act="export.", target=None, grids=None, from_day=None, to_day=None,
        zone=city.settings.zone,
    )  # fmt: skip
    with city.database.read() as connection:
        return list(read_log(connection, Scope.whole_city("tester"), wanted, most=50))


@pytest.mark.parametrize(
    ("words", "out", "begins"),
    [
        (("map", "--period", "all"), "sheet.pdf", b"%PDF-"),
        (("map", "--view", "?days=90", "--page", "A3-portrait", "--lang", "en"), "m.svg", b"<svg"),
        (("map", "--dpi", "150", "--view", '{"days": 90}'), "m.png", b"\x89PNG"),
        (("atlas", "--level", "community", "--period", "90d"), "atlas.pdf", b"%PDF-"),
        (("html", "--view", "?days=0"), "map.html", b"<!DOCTYPE html>"),
    ],
)
def test_each_verb_writes_its_file_and_a_row_of_the_log(city, export, words, out, begins):
    ran, file = export(*words, "--json", out=out)
    assert ran.code == 0, ran.said
    body = file.read_bytes()
    assert body.startswith(begins)
    assert list(file.parent.iterdir()) == [file]
    plain = ran.plain
    assert plain["sha256"] == hashlib.sha256(body).hexdigest()
    rows = read_exports(city)
    assert plain["sha256"] in {row.entry.target for row in rows}
    assert f"export.{words[0]}" in {row.entry.act for row in rows}
    assert plain["head"].count(":") == 1


def test_two_runs_of_one_cut_off_are_the_same_bytes(export):
    first, second = (export("map", "--period", "all", out=name)[1] for name in ("a.pdf", "b.pdf"))
    assert first.read_bytes() == second.read_bytes()


def test_the_log_head_is_printed_for_people(export):
    ran, _ = export("map", "--period", "all", "--lang", "zh", out="zh.pdf")
    assert "日志链首：" in ran.out
    assert "zh.pdf" in ran.out


@pytest.mark.parametrize(
    ("words", "out", "code"),
    [
        (("map", "--page", "B5"), "x.pdf", 2),
        (("map", "--dpi", "72"), "x.png", 2),
        (("map",), "x.docx", 2),
        (("atlas",), "x.html", 2),
        (("html",), "x.pdf", 2),
        (("map", "--period", "2019-01"), "x.pdf", 1),
        (("atlas", "--period", "2019-01", "--level", "community"), "x.pdf", 1),
        (("html", "--period", "2019-01"), "x.html", 1),
        (("map", "--area", "999"), "x.pdf", 1),
        (("atlas", "--level", "planet"), "x.pdf", 2),
        (("map", "--as", "nobody"), "x.pdf", 1),
    ],
)
def test_what_cannot_be_made_is_a_sentence_and_no_file(export, words, out, code):
    ran, file = export(*words, "--lang", "en", out=out)
    assert ran.code == code, ran.said
    assert ran.err.strip()
    assert "Traceback" not in ran.said
    assert list(file.parent.iterdir()) == []


def test_a_map_can_be_drawn_as_an_account_sees_it(city, nursery, export, tmp_path):
    added = nursery.run(
        "user", "add", "值班岗-1", "--role", "duty", "--area", "321012001001",
        "--city", city.folder,
    )  # fmt: skip
    assert added.code == 0, added.said
    ran, file = export("map", "--period", "all", "--lang", "zh", "--as", "值班岗-1", out="as.svg")
    assert ran.code == 0, ran.said
    assert "可见范围：第1社区" in file.read_text("utf-8")
    account = {row.entry.account for row in read_exports(city)}
    assert "值班岗-1" in account


def test_a_folder_that_is_missing_is_told(export):
    ran, file = export("map", "--period", "all", out="missing/sheet.pdf")
    assert ran.code == 1
    assert "Traceback" not in ran.said
    assert not file.parent.exists()


def test_what_stood_there_stays_when_the_disk_is_full(city, nursery, full_disk):
    words = ("--period", "all", "--city", city.folder, "--lang", "en")
    for verb, name in (("map", "sheet.pdf"), ("atlas", "atlas.pdf"), ("html", "map.html")):
        file = full_disk / name
        write_whole(file, b"last month's")
        level = ("--level", "community") if verb == "atlas" else ()
        ran = nursery.run("export", verb, *words, *level, "--out", file)
        assert ran.code == 1, ran.said
        assert "disk" in ran.err, ran.said
        assert "Traceback" not in ran.said
        assert file.read_bytes() == b"last month's"
        assert {item.name for item in full_disk.iterdir()} == {"ballast", name}
        file.unlink()
