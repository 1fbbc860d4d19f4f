"""
Promise: a writer killed at any instant has done all of its work or none, and lost nothing promised.

Each kind of write is killed (SIGKILL) at random instants, 20 times in each run and 1,000 times by
`make test-long`, always on a fresh copy of the same city. What is left must be sound and one of two
things: the city as it was, or as an unhurt run leaves it; writers that acknowledge as they go must
have kept every word of it. Then the same work is asked for again, and must end as if nothing was.
"""

from __future__ import annotations

import os
import random
import shutil
import signal
import sqlite3
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from geodata.backup import back_up
from geodata.city import open_city, writing
from geodata.events.derive import derive_incidents
from geodata.store import database
from geodata.store.dump import canonical_dump
from geodata.store.records import count_records
from geodata.store.schema import STEPS
from tests.city import (
    INCIDENT_COLUMNS,
    NOW,
    grid_features,
    incident_rows,
    load_one,
    make_empty_city,
    make_gridded_city,
    middle,
    write_grids,
    write_shapes,
    write_table,
)
from tests.cli.processes import Run
from tests.hardship import writers
from tests.planned_city import approve_edits, publish_edits

KILLS = [20, pytest.param(1_000, marks=pytest.mark.long)]
AGAIN_EACH = 5  # the work is asked for again after every so manieth kill
ROWS, CAMERAS = 1_500, 12_000
RELEASED_STEPS = 3


@dataclass(frozen=True)
class World:
    """The cities and files that all kinds of work begin with, made once."""

    folder: Path

    def city(self, name: str, make: Callable[[Path], None]) -> Path:
        """Return a city of this name, made by the first who asks."""
        folder = self.folder / name
        if not folder.exists():
            make(folder)
        return folder

    def table(self, name: str, columns: tuple[str, ...], rows: list[list[Any]]) -> Path:
        """Return a table of this name."""
        file = self.folder / name
        return file if file.exists() else write_table(file, columns, rows)


@dataclass(frozen=True, kw_only=True)
class Work:
    """One kind of write: what it begins with and how it is called with the city's folder."""

    begin: Callable[[World], Path]
    argv: Callable[[World, Path], list[object]]
    call: str = ""
    result: str = ""  # beside the city's folder, where it makes something new


def with_cases(folder: Path) -> None:
    city = make_gridded_city(folder)
    load_one(city, "incidents", write_table(folder / "a.csv", INCIDENT_COLUMNS, incident_rows(40)))


def with_an_approved_plan(folder: Path) -> None:
    with_much(folder)
    approve_edits(open_city(folder), [{"op": "merge", "grids": [2, 3]}])


def with_a_published_plan(folder: Path) -> None:
    with_much(folder)
    publish_edits(open_city(folder), [{"op": "merge", "grids": [2, 3]}])


def without_grids(folder: Path) -> None:
    city = make_empty_city(folder)
    load_one(city, "incidents", write_table(folder / "a.csv", INCIDENT_COLUMNS, incident_rows(40)))
    write_grids(folder / "grids.geojson")


def with_much(folder: Path) -> None:
    with_cases(folder)
    rows = incident_rows(ROWS, seed=2)
    load_one(open_city(folder), "incidents", write_table(folder / "b.csv", INCIDENT_COLUMNS, rows))


def with_watch(folder: Path) -> None:
    with_cases(folder)
    with (folder / "city.toml").open("a", encoding="utf-8") as opened:
        opened.write('\nwatched_folder = "in"\n')
    place = folder / "in" / "incidents" / "hotline"
    place.mkdir(parents=True)
    write_table(place / "cases.csv", INCIDENT_COLUMNS, incident_rows(ROWS, seed=2))


def of_an_older_program(folder: Path) -> None:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(database, "STEPS", STEPS[:RELEASED_STEPS])
        city = make_empty_city(folder)
        with city.database.transaction() as connection:
            rows = [("kind", f"小类{n}") for n in range(20_000)]
            connection.executemany("INSERT INTO term (sort, text) VALUES (?, ?)", rows)


def cases_of(world: World) -> Path:
    return world.table("cases.csv", INCIDENT_COLUMNS, incident_rows(ROWS, seed=2))


def cameras_of(world: World) -> Path:
    rows = [[f"K{n}", *middle(n % 3, n % 2)] for n in range(CAMERAS)]
    return world.table("cameras.csv", ("camera_id", "lon", "lat"), rows)


def redrawn(world: World) -> Path:
    features = [(shape, {**about, "name": "新"}) for shape, about in grid_features()]
    return write_shapes(world.folder / "redrawn.geojson", features)


def backup_of(world: World) -> Path:
    made = world.folder / "kept"
    if not made.exists():
        folder = world.city("much", with_much)
        back_up(open_city(folder), made, progress=lambda _key, _share: None)
    return made


WORKS = {
    "load incidents": Work(
        begin=lambda world: world.city("cases", with_cases),
        argv=lambda world, city: ["load", "incidents", cases_of(world), "--city", city],
    ),
    "load cameras": Work(
        begin=lambda world: world.city("cases", with_cases),
        argv=lambda world, city: ["load", "cameras", cameras_of(world), "--city", city],
    ),
    "the first drawing": Work(
        begin=lambda world: world.city("bare", without_grids),
        argv=lambda _, city: ["load", "grids", city / "grids.geojson", "--city", city],
    ),
    "a draft of the next drawing": Work(
        begin=lambda world: world.city("cases", with_cases),
        argv=lambda world, city: ["load", "grids", redrawn(world), "--city", city],
    ),
    "withdraw": Work(
        begin=lambda world: world.city("much", with_much),
        argv=lambda _, city: [city, "b.csv"],
        call="tests.hardship.writers:withdraw",
    ),
    "publish a plan": Work(
        begin=lambda world: world.city("approved", with_an_approved_plan),
        argv=lambda _, city: [city],
        call="tests.hardship.writers:publish",
    ),
    "roll a drawing back": Work(
        begin=lambda world: world.city("published", with_a_published_plan),
        argv=lambda _, city: [city],
        call="tests.hardship.writers:take_back",
    ),
    "rebuild": Work(
        begin=lambda world: world.city("much", with_much),
        argv=lambda _, city: ["rebuild", "--city", city],
    ),
    "watched folder": Work(
        begin=lambda world: world.city("watched", with_watch),
        argv=lambda _, city: [city],
        call="tests.hardship.writers:watch",
    ),
    "backup": Work(
        begin=lambda world: world.city("much", with_much),
        argv=lambda _, city: ["backup", city.with_name("copy"), "--city", city],
        result="copy",
    ),
    "restore": Work(
        begin=backup_of,
        argv=lambda _, city: ["restore", city, "--city", city.with_name("copy")],
        result="copy",
    ),
}


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> World:
    """Return where the cities are made."""
    return World(tmp_path_factory.mktemp("hardship"))


def content(folder: Path) -> tuple[Any, ...] | None:
    """What a reader sees of a city, None where there is none; its file must be sound."""
    if not (folder / "getu.sqlite").exists():
        return None
    city = open_city(folder)
    with city.database.read() as connection:
        assert connection.execute("PRAGMA quick_check").fetchall() == [("ok",)]
        drawings = connection.execute(
            "SELECT d.system, d.state, d.valid_from, d.valid_to, count(g.uid) FROM drawing d"
            " LEFT JOIN grid g ON g.drawing = d.drawing GROUP BY d.drawing"
        ).fetchall()
        for table in ("plan", "lineage", "case_transfer"):
            drawings += connection.execute(f"SELECT * FROM {table} ORDER BY 1, 2, 3").fetchall()
        counts = {name: n for name, n in count_records(connection).items() if n}
        return canonical_dump(connection), counts, drawings


@pytest.mark.parametrize("kills", KILLS)
@pytest.mark.parametrize("name", WORKS)
def test_a_killed_writer_has_done_all_or_nothing(tmp_path, nursery, world, name, kills):
    work = WORKS[name]
    base = work.begin(world)
    chance = random.Random(f"{name} {kills}")

    def attempt(number: int, wait_s: float | None) -> tuple[Path, Run]:
        place = tmp_path / f"{number}"
        folder = place / "city"
        shutil.copytree(base, folder)
        return folder, run(folder, wait_s)

    def run(folder: Path, wait_s: float | None) -> Run:
        pid = nursery.start(*work.argv(world, folder), call=work.call)
        if wait_s is not None:
            time.sleep(wait_s)
            os.kill(pid, signal.SIGKILL)
        return nursery.wait()

    def results(folder: Path) -> tuple[Any, ...]:
        return tuple(content(folder.with_name(one)) for one in (folder.name, work.result) if one)

    def begun(folder: Path) -> tuple[Any, ...]:
        return (content(folder), None) if work.result else (content(folder),)

    untouched = tmp_path / "untouched" / "city"
    shutil.copytree(base, untouched)
    before = begun(untouched)
    attempt(-1, None)  # the first of its kind loads what the next ones find loaded
    started = time.perf_counter()
    folder, run_through = attempt(0, None)
    took_s = time.perf_counter() - started
    assert run_through.code == 0, run_through.said
    after = results(folder)

    untouched_after = 0
    for number in range(1, kills + 1):
        folder, killed = attempt(number, chance.uniform(0, took_s))
        found = results(folder)
        assert found in (before, after), number
        assert killed.code in (0, -signal.SIGKILL), killed.said
        assert killed.code != 0 or found == after
        untouched_after += found == before
        if killed.code == 0:
            took_s *= 0.9  # the first ones had much to load, or the machine was busy
        if number % AGAIN_EACH == 0 and found == before:
            again = run(folder, None)
            assert again.code == 0, again.said
            assert results(folder) == after
            strays = [one.name for one in folder.parent.rglob("*.part")]
            assert strays == [], strays
        shutil.rmtree(folder.parent)
    if before != after:
        assert untouched_after > 0, took_s


ACKNOWLEDGED = {
    "a live feed": ("post_events", "hotline"),
    "decisions": ("decide_owners", "a"),
}


@pytest.mark.parametrize("kills", KILLS)
@pytest.mark.parametrize("name", ACKNOWLEDGED)
def test_what_was_acknowledged_before_a_kill_is_there(tmp_path, nursery, world, name, kills):
    writer, source = ACKNOWLEDGED[name]
    folder = tmp_path / "city"
    shutil.copytree(world.city("cases", with_cases), folder)
    writers.add_token(open_city(folder))
    chance = random.Random(f"{name} {kills}")
    promised: set[str] = set()
    took_s = 0.0
    for number in range(kills + 1):
        acknowledgements = tmp_path / f"{number}"
        first = number * writers.POSTS * writers.EVENTS_A_POST if writer == "post_events" else 0
        started = time.perf_counter()
        pid = nursery.start(
            folder, acknowledgements, first, call=f"tests.hardship.writers:{writer}"
        )
        if took_s:
            time.sleep(chance.uniform(0, took_s))
            os.kill(pid, signal.SIGKILL)
        run = nursery.wait()
        if not took_s:
            assert run.code == 0, run.said
            took_s = time.perf_counter() - started
        if acknowledgements.exists():
            # A line that the kill cut short was promised to nobody.
            promised |= set(acknowledgements.read_text().split("\n")[:-1])
        kept = kept_by(folder, writer, source)
        assert promised - kept == set(), number
    assert len(promised) > (40 if writer == "post_events" else 39)
    city = open_city(folder)
    before = content(folder)
    with writing(city):
        derive_incidents(city, now=NOW)
    assert content(folder) == before  # what the feed derived is what follows from its events


def kept_by(folder: Path, writer: str, source: str) -> set[str]:
    """The ids of incidents that the store holds a decision on, or an event and its incident."""
    table = "incident" if writer == "post_events" else "decision"
    with open_city(folder).database.read() as connection:
        assert connection.execute("PRAGMA quick_check").fetchall() == [("ok",)]
        rows = connection.execute(
            f"SELECT DISTINCT k.ext_id FROM incident_key k JOIN term t ON t.term = k.source"
            f" JOIN {table} d ON d.inc = k.inc WHERE t.text = ?",
            (source,),
        )
        return {found for (found,) in rows}


@pytest.mark.parametrize("kills", KILLS)
def test_a_step_of_the_store_killed_midway_leaves_the_old_or_the_new(
    tmp_path, nursery, world, kills
):
    base = world.city("old", of_an_older_program)
    chance = random.Random(kills)
    took_s = 0.0
    for number in range(kills + 1):
        folder = tmp_path / f"{number}"
        shutil.copytree(base, folder)
        started = time.perf_counter()
        pid = nursery.start("info", "--city", folder)
        if took_s:
            time.sleep(chance.uniform(0, took_s))
            os.kill(pid, signal.SIGKILL)
        run = nursery.wait()
        if not took_s:
            assert run.code == 0, run.said
            took_s = time.perf_counter() - started
        with sqlite3.connect(folder / "getu.sqlite") as connection:
            assert connection.execute("PRAGMA quick_check").fetchall() == [("ok",)]
            (step,) = connection.execute("PRAGMA user_version").fetchone()
        connection.close()
        assert step in (RELEASED_STEPS, len(STEPS))
        assert nursery.run("info", "--city", folder).code == 0
        assert len(open_city(folder).database.terms("kind")) == 20_000
        shutil.rmtree(folder)
