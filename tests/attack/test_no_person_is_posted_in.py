"""Promise: an event that carries personal data is refused in words, and none of it is kept."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from geodata.city import City
from geodata.errors import BadFile
from geodata.loading.posted_events import read_posted
from tests.attack.persons import KINDS, NAMES, Personal
from tests.city import NOW, make_gridded_city, middle


@pytest.fixture(scope="module")
def city(tmp_path_factory: pytest.TempPathFactory) -> City:
    return make_gridded_city(tmp_path_factory.mktemp("posted") / "city")


def refusal(city: City, **more: Any) -> BadFile:
    lon, lat = middle(1, 1)
    event = {"incident_id": "P1", "stage": "reported", "at": NOW - 60, "lon": lon, "lat": lat}
    body = json.dumps({**event, **more}).encode()
    with pytest.raises(BadFile) as refused:
        read_posted(body, lines=False, city=city, source="hotline", now=NOW, most=10)
    return refused.value


@pytest.mark.parametrize("personal", KINDS, ids=lambda one: one.kind)
def test_each_kind_is_refused_by_header_and_by_content(city: City, personal: Personal):
    tries = [{header: personal.cells[0]} for header in personal.headers]
    if personal.alone:
        tries.append({"f7": personal.cells[0]})
    tries.append({"联系人": NAMES[0], "f7": personal.cells[0]})
    for more in tries:
        error = refusal(city, **more)
        assert {fault.key for fault in error.faults} == {"post_personal"}, more
        for lang in ("zh", "en"):
            said = error.sentence(lang)
            assert not [text for text in more.values() if text in said]


def test_the_folder_holds_none_of_it(city: City):
    raw = b"".join(path.read_bytes() for path in Path(city.folder).rglob("*") if path.is_file())
    texts = [text for personal in KINDS for text in personal.cells]
    assert [text for text in texts if text.encode() in raw] == []
