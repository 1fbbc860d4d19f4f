"""Incidents with an address alone are placed by the city's address library, and say so."""

from __future__ import annotations

from pathlib import Path

import pytest

from geodata.city import City
from geodata.loading.addressed import UNSURE
from geodata.snapshots.facts import load_facts
from geodata.words import LANGS, say
from tests.city import NOW, load_one, make_gridded_city, middle, write_table

ADDRESS = ("标准地址", "经度", "纬度")
INCIDENT = ("案卷编号", "上报时间", "地址")
REPORTED = "2026-01-05 08:00"


@pytest.fixture
def city(tmp_path: Path) -> City:
    city = make_gridded_city(tmp_path / "city")
    rows = [
        ["江苏省扬州市江都区仙女镇龙川社区新都路1号", *middle(0, 0)],
        ["江苏省扬州市江都区仙女镇龙川社区文昌街2号", *middle(1, 2)],
        ["江苏省扬州市江都区大桥镇白沙村和平路5号", *middle(0, 1)],
        ["江苏省扬州市江都区邵伯镇双沟村和平路5号", *middle(1, 1)],
    ]
    load_one(city, "addresses", write_table(city.folder / "地址库.csv", ADDRESS, rows))
    return city


def load_incidents(city: City, columns, *rows):
    return load_one(city, "incidents", write_table(city.folder / "案件.csv", columns, rows))


def notes(report):
    return {note.key: note.values for note in report.notes}


def test_an_address_gives_the_incident_its_place_and_its_grid(city):
    report = load_incidents(
        city, INCIDENT, ["1", REPORTED, "新都路1号门口"], ["2", REPORTED, "江都区文昌街二号"]
    )
    facts = load_facts(city, now=NOW)
    codes = facts.grids.finest()["code"].to_numpy()
    assert len(set(codes[facts.snapshot.owner])) == 2
    assert facts.snapshot.placed == 2
    told = notes(report)["report.placed_by_address"]
    assert (told["n"], told["of"]) == ("2", "2")
    assert "report.address_only" not in notes(report)


def test_what_the_library_is_not_sure_of_stays_unplaced_with_its_guesses(city):
    report = load_incidents(
        city, INCIDENT, ["1", REPORTED, "新都路1号"], ["2", REPORTED, "和平路5号"]
    )
    assert load_facts(city, now=NOW).snapshot.placed == 1
    assert notes(report)["report.address_only"] == {"n": 1}
    with city.database.read() as connection:
        texts = [row[0] for row in connection.execute("SELECT attributes FROM payload")]
    (unsure,) = [text for text in texts if "place_guesses" in text]
    assert "大桥镇" in unsure
    assert "邵伯镇" in unsure


def test_a_row_with_coordinates_keeps_them_whatever_its_address_says(city):
    columns = (*INCIDENT, "经度", "纬度")
    report = load_incidents(
        city,
        columns,
        ["1", REPORTED, "新都路1号", *middle(1, 2)],
        ["2", REPORTED, "新都路1号", "", ""],
    )
    facts = load_facts(city, now=NOW)
    assert len(set(facts.snapshot.owner.tolist())) == 2
    assert notes(report)["report.placed_by_address"]["of"] == "1"


def test_a_city_without_a_library_says_that_addresses_wait(tmp_path):
    city = make_gridded_city(tmp_path / "bare")
    report = load_incidents(city, INCIDENT, ["1", REPORTED, "新都路1号"])
    assert notes(report)["report.address_only"] == {"n": 1}


def test_an_address_without_a_place_says_why_and_how_many(city):
    texts = ("和平路", "新都路900号", "和平路5号", "无此大街7号", "新都路1号")
    rows = [[str(n), REPORTED, text] for n, text in enumerate(texts)]
    report = load_incidents(city, INCIDENT, *rows)
    told = notes(report)[UNSURE]
    assert told["n"] == "4"
    for lang in LANGS:
        (line,) = [text for text in report.lines(lang) if say("address_review.title", lang) in text]
        for doubt in ("no_number", "number", "several", "no_road"):
            assert f"{say(f'place_doubt.{doubt}', lang)} 1" in line
