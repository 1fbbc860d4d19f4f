"""Promise: `app.py export` puts a briefing on paper, the same twice, and checks what it made."""

from __future__ import annotations

from typing import Any

import pytest

from geodata.city import City
from tests.city import make_tiny_city
from tests.cli.processes import Nursery, Run

PERIOD = ("--period", "2026-05")


@pytest.fixture(scope="module")
def city(tmp_path_factory: pytest.TempPathFactory) -> City:
    return make_tiny_city(tmp_path_factory.mktemp("paper") / "city")


@pytest.fixture
def export(city: City, nursery: Nursery) -> Any:
    def run(*words: object) -> Run:
        return nursery.run("export", *words, "--city", city.folder, "--lang", "zh")

    return run


def test_a_recipe_gives_a_pack_and_each_file_can_be_checked(export, tmp_path):
    assert export("recipe", "save", "月报", *PERIOD).code == 0
    ran = export("pack", "--recipe", "月报", "--out", tmp_path / "pack")
    assert ran.code == 0, ran.said
    assert "第 1 期" in ran.said
    assert len(list((tmp_path / "pack").iterdir())) == 10
    assert [path.name for path in tmp_path.iterdir()] == ["pack"]
    for suffix in (".docx", "-grids.gpkg"):
        ran = export("verify", tmp_path / "pack" / f"月报-2026-05{suffix}", "--json")
        assert ran.code == 0, ran.said
        assert ran.plain["whole"]
        assert ran.plain["issue"] == 1


@pytest.mark.long
def test_two_packs_of_one_revision_are_the_same_bytes(export, tmp_path):
    assert export("recipe", "save", "季报", *PERIOD).code == 0
    for run in ("one", "two"):
        assert export("pack", "--recipe", "季报", "--out", tmp_path / run, "--vector").code == 0
    names = sorted(path.name for path in (tmp_path / "one").iterdir())
    assert len(names) == 11
    for name in names:
        one, two = ((tmp_path / run / name).read_bytes() for run in ("one", "two"))
        assert one == two, name


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("page", "--period", "2019", "--out", "x.pdf"), "没有事件"),
        (("slides", *PERIOD, "--out", "x.pptx", "--template", "none.pptx"), "none.pptx"),
        (("page", *PERIOD, "--out", "x.pdf", "--as", "nobody"), "nobody"),
        (("verify", "none.pdf"), "none.pdf"),
    ],
)
def test_what_cannot_be_made_is_refused_in_a_sentence(export, tmp_path, words, said):
    placed = [tmp_path / word if word.startswith(("x", "none.")) else word for word in words]
    ran = export(*placed)
    assert ran.code != 0
    assert said in ran.said
    assert "Traceback" not in ran.said
    assert not list(tmp_path.iterdir())


def test_a_full_disk_leaves_no_pack_and_no_half_file(export, full_disk):
    assert export("recipe", "save", "周报", *PERIOD).code == 0
    for words in (
        ("pack", "--recipe", "周报", "--out", full_disk / "pack"),
        ("page", *PERIOD, "--out", full_disk / "x.docx"),
        ("page", *PERIOD, "--out", full_disk / "x.pdf"),
        ("slides", *PERIOD, "--out", full_disk / "x.pptx"),
        *(("table", "--out", full_disk / f"x{end}") for end in (".csv", ".xlsx", ".gpkg")),
        ("table", "--out", full_disk / "x.parquet"),
    ):
        ran = export(*words)
        assert ran.code == 1, (words, ran.said)
        assert "磁盘" in ran.err, (words, ran.said)
        assert "Traceback" not in ran.said, words
        assert [item.name for item in full_disk.iterdir()] == ["ballast"], words
