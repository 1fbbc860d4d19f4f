"""
Promise: on a full disk what cannot be kept is refused in words, what is there is shown, and when
room returns all goes on without a restart.

On a small disk of its own (tmpfs; needs root) at 64 amounts of free room.
"""

from __future__ import annotations

import os
import shutil
import subprocess
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from geodata.city import open_city
from tests.city import (
    INCIDENT_COLUMNS,
    incident_rows,
    load_one,
    make_gridded_city,
    write_table,
)
from tests.hardship.served_city import ServedCity
from tests.hardship.test_killed_at_any_instant import content
from tests.hardship.writers import add_token, event_of

MIB = 1 << 20
DISK_MIB = 96
POINTS = 64
EVENTS, NOTE = 300, "x" * 1_900
ROWS = 2_000


@pytest.fixture
def disk(tmp_path: Path) -> Iterator[Path]:
    """Return an empty disk of 96 MiB."""
    folder = tmp_path / "disk"
    folder.mkdir()
    size = f"size={DISK_MIB}m"
    mount = ["mount", "-t", "tmpfs", "-o", size, "getu", str(folder)]
    if os.geteuid() or subprocess.run(mount, capture_output=True, check=False).returncode:
        pytest.skip("no small disk can be mounted here (needs root and tmpfs)")
    yield folder
    subprocess.run(["umount", "-l", str(folder)], check=True)


@contextmanager
def room_left(disk: Path, left: int) -> Iterator[None]:
    """Fill the disk but for so many bytes."""
    ballast = disk / "ballast"
    with ballast.open("wb") as opened:
        size = shutil.disk_usage(disk).free - left
        if size > 0:
            os.posix_fallocate(opened.fileno(), 0, size)
    try:
        yield
    finally:
        ballast.unlink()


def points(count: int, most: int) -> list[int]:
    """Amounts of room from none to enough, closer where there is little."""
    return [int(most * (n / (count - 1)) ** 2) for n in range(count)]


def events_from(number: int) -> list[dict[str, Any]]:
    return [{**event_of(number * EVENTS + n), "note": NOTE} for n in range(EVENTS)]


def ids_in(folder: Path) -> set[str]:
    with open_city(folder).database.read() as connection:
        return {found for (found,) in connection.execute("SELECT ext_id FROM incident_key")}


@pytest.mark.parametrize("count", [16, pytest.param(POINTS, marks=pytest.mark.long)])
def test_posts_on_a_full_disk_are_refused_in_words_and_taken_when_room_returns(disk, count):
    city = make_gridded_city(disk / "city")
    rows = write_table(disk / "a.csv", INCIDENT_COLUMNS, incident_rows(40))
    load_one(city, "incidents", rows)
    served = ServedCity(city.folder, secret=add_token(city))
    taken: set[str] = set()
    answers = {200: 0, 507: 0}
    try:
        assert served.post([{**event_of(-1)}]).status == 200  # what the first post loads
        for number, left in enumerate(points(count, 2 * MIB)):
            events = events_from(number)
            ids = {str(one["incident_id"]) for one in events}
            with room_left(disk, left):
                answer = served.post(events)
                assert answer.status in answers, answer.body
                answers[answer.status] += 1
                if answer.status == 507:
                    (fault,) = answer.json()["faults"]
                    assert fault["cause"]
                    assert fault["remedy"]
                for path in ("/changes?since=0", "/layers/grids.geojson", "/"):
                    assert served.get(path).status == 200, path
            if answer.status == 507:
                assert not ids & ids_in(city.folder)
                assert served.post(events[:1]).status == 200
                taken.add(str(events[0]["incident_id"]))
            else:
                taken |= ids
        assert answers[507] >= count // 8, answers
        assert answers[200] >= count // 8, answers
        assert taken <= ids_in(city.folder)
        assert "Traceback" not in served.said()
    finally:
        served.stop()
    assert content(city.folder) is not None  # and sound


WRITES: dict[str, Callable[[Path, Path], list[object]]] = {
    "load": lambda disk, city: ["load", "incidents", disk / "cases.csv", "--city", city],
    "backup": lambda disk, city: ["backup", disk / "copy", "--city", city],
    "restore": lambda disk, _: ["restore", disk / "kept", "--city", disk / "copy"],
}


@pytest.mark.parametrize("count", [12, pytest.param(POINTS, marks=pytest.mark.long)])
@pytest.mark.parametrize("name", WRITES)
def test_a_command_on_a_full_disk_does_nothing_in_words(disk, nursery, name, count):
    base = disk.with_name("base")
    city = make_gridded_city(base)
    load_one(city, "incidents", write_table(base / "a.csv", INCIDENT_COLUMNS, incident_rows(40)))
    write_table(disk / "cases.csv", INCIDENT_COLUMNS, incident_rows(ROWS, seed=2))
    if name == "restore":
        assert nursery.run("backup", disk / "kept", "--city", base).code == 0
    folder = disk / "city"
    codes = []
    for left in points(count, 8 * MIB):
        shutil.rmtree(folder, ignore_errors=True)
        shutil.rmtree(disk / "copy", ignore_errors=True)
        shutil.copytree(base, folder)
        before = content(folder)
        argv = WRITES[name](disk, folder)
        with room_left(disk, left):
            run = nursery.run(*argv, "--lang", "en")
            codes.append(run.code)
            assert "Traceback" not in run.said, run.said
            if run.code:
                assert run.code == 1
                assert "disk" in run.err or "room" in run.err, run.err
        if run.code:
            assert content(folder) == before
            assert not (disk / "copy").exists()
            assert not list(disk.rglob("*.part"))
            assert nursery.run(*argv).code == 0
    assert 0 < codes.count(1) < count, codes
