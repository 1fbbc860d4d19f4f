"""
Promise: a hostile file is refused in words, with nothing written, or it is read right.

2,000 files and more by `make test-long`, an even sample of them in each run. Each is handed to the
real `load` in a process of its own, in both languages, and boundaries to the reader of uploads too:
no traceback, no connection, no process or file left behind, at most 60 s and 1 GB.
"""

from __future__ import annotations

import hashlib
import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest

from geodata.city import open_city
from tests.attack import (
    archive_attacks,
    drawing_attacks,
    geopackage_attacks,
    innocent_attacks,
    json_attacks,
    shapefile_attacks,
    table_attacks,
    workbook_attacks,
)
from tests.attack.beacon import visitors
from tests.attack.corpus import READ, REFUSED, Attack
from tests.attack.mutations import mutated
from tests.attack.proving import LONGEST_S, MOST_BYTES, ProvingGround
from tests.city import make_empty_city

MUTATIONS, MORE_MUTATIONS, SEED = 1_500, 400, 20_261_122
MADE_BY_LOADS = {"getu.sqlite-shm", "getu.sqlite-wal", "loading.lock", "audit.key"}
EACH = 12  # every so manieth file is tried in each run
FAMILIES = (
    json_attacks,
    table_attacks,
    workbook_attacks,
    shapefile_attacks,
    geopackage_attacks,
    archive_attacks,
    innocent_attacks,
)
HAND_MADE = [attack for family in FAMILIES for attack in family.attacks()]
DRAWINGS = drawing_attacks.attacks()  # beside the others: their mutations stay what they were
ATTACKS = [
    *HAND_MADE,
    *mutated(HAND_MADE, MUTATIONS, seed=SEED),
    *DRAWINGS,
    *mutated(DRAWINGS, MORE_MUTATIONS, seed=SEED + 1),
]


def marked(attack: Attack, number: int) -> object:
    marks = () if number % EACH == 0 else (pytest.mark.long,)
    return pytest.param(attack, id=attack.name, marks=marks)


@pytest.fixture(scope="module")
def ground() -> Iterator[ProvingGround]:
    """Return where files are tried."""
    made = ProvingGround()
    yield made
    made.close()


@pytest.fixture(scope="module")
def city(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a city without anything in it, to be copied for each file."""
    made = make_empty_city(tmp_path_factory.mktemp("attack") / "city")
    return made.folder


def names_in(folder: Path) -> set[str]:
    return {path.name for path in folder.iterdir()}


def digest(city: Path) -> str:
    """Return what the store holds: every table, row by row, but the settings a load has found."""
    with open_city(city).database.read() as connection:
        lines = [line for line in connection.iterdump() if "settings_seen" not in line]
    return hashlib.sha256("\n".join(lines).encode()).hexdigest()


@pytest.mark.parametrize("attack", [marked(one, number) for number, one in enumerate(ATTACKS)])
def test_a_hostile_file_is_refused_in_words_or_read_right(attack, ground, city, tmp_path):
    folder, temporary = tmp_path / "city", tmp_path / "tmp"
    shutil.copytree(city, folder)
    temporary.mkdir()
    file = tmp_path / attack.file
    file.write_bytes(attack.bytes())
    before, listing = digest(folder), names_in(folder)

    trial = ground.put(
        file, kind=attack.kind, city=folder, options=attack.options, temporary=temporary
    )

    assert "Traceback" not in trial.said, trial.said
    assert "Warning" not in trial.said, trial.said
    if attack.expect == REFUSED:
        assert trial.code in (1, 2), trial.said
    if attack.expect == READ:
        assert trial.code == 0, trial.said
    if trial.code:
        assert digest(folder) == before
        assert file.name in trial.said or trial.code == 2, trial.said
        assert trial.plain["faults"], trial.plain
        for fault in trial.plain["faults"]:
            assert fault["cause"]
            assert fault["remedy"]
    else:
        assert trial.plain["accepted"] > 0
        assert len(trial.plain["faults"]) >= trial.plain["refused"]
    # The reader of uploads is no more trusting than the owner's.
    assert trial.code == 0 or attack.kind != "grids" or trial.upload
    assert trial.outside == []
    assert visitors() == 0
    assert trial.took_s <= LONGEST_S
    assert trial.peak_bytes <= MOST_BYTES
    assert list(temporary.iterdir()) == []
    assert names_in(folder) - listing <= MADE_BY_LOADS
    assert not Path("/tmp/getu-was-here").exists()
    assert not Path("/tmp/getu-was-here.geojson").exists()


def test_the_corpus_is_as_large_as_promised():
    assert len({attack.name for attack in ATTACKS}) == len(ATTACKS)
    assert len(HAND_MADE) >= 400
    assert len(ATTACKS) >= 2_000
    assert len(ATTACKS) // EACH >= 200 - len(ATTACKS) % EACH
