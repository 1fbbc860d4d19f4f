"""Promise: a load that is stopped leaves nothing, and one stopped too late is loaded whole."""

from __future__ import annotations

import io
import threading
from contextlib import closing
from pathlib import Path

import pytest

from geodata.access.scope import Scope
from geodata.city import City
from geodata.intake.jobs import IntakeJobs
from geodata.intake.shelf import Shelf
from geodata.loading import appending
from geodata.reference.edits import plan_row
from geodata.store.dump import canonical_dump
from geodata.store.records import ALWAYS
from geodata.store.reference_rows import list_versions
from tests.city import INCIDENT_COLUMNS, NOW, incident_rows, make_tiny_city, write_table

ROWS = 600
# What a stopped load may leave: numbers given to texts are never given anew.
KEPT = {"term", "audit", "audit_seal", "sqlite_sequence"}


@pytest.fixture
def city(tmp_path: Path) -> City:
    return make_tiny_city(tmp_path / "city")


def counts(city: City) -> dict[str, int]:
    with city.database.read() as connection:
        names = connection.execute("SELECT name FROM sqlite_master WHERE type = 'table'")
        return {
            name: connection.execute(f'SELECT count(*) FROM "{name}"').fetchone()[0]
            for (name,) in names.fetchall()
            if name not in KEPT
        }


def state(city: City) -> tuple[str, int, dict[str, int]]:
    with city.database.read() as connection:
        dump = canonical_dump(connection)
    return dump, city.database.revision(), counts(city)


def files(folder: Path) -> dict[str, bytes]:
    return {
        str(path.relative_to(folder)): path.read_bytes()
        for path in folder.rglob("*")
        if path.is_file()
    }


class Steps:
    """Lets a test wait for a step of a load, and holds the load there meanwhile."""

    def __init__(self, jobs: IntakeJobs, step: str, *, share: float, monkeypatch) -> None:
        self.reached, self.on = threading.Event(), threading.Event()
        note = jobs._note

        def held(slot, **changes):
            note(slot, **changes)
            if changes.get("step") == step and changes.get("share", -1) >= share:
                self.reached.set()
                assert self.on.wait(60)

        monkeypatch.setattr(jobs, "_note", held)


def begin(city: City, tmp_path: Path):
    shelf = Shelf(city)
    table = write_table(tmp_path / "more.csv", INCIDENT_COLUMNS, incident_rows(ROWS, seed=9))
    upload = shelf.keep(
        [("more.csv", io.BytesIO(table.read_bytes()))],
        kind="incidents",
        source="s",
        account="clerk",
        now=NOW,
    )
    return shelf, upload


@pytest.mark.parametrize(
    ("step", "share"),
    [("progress.read", 0.0), ("progress.append", 0.1), ("progress.derive", 0.0),
     ("progress.derive", 0.5)],
)  # fmt: skip
def test_a_load_stopped_on_the_page_leaves_the_city_as_it_was(
    city, tmp_path, monkeypatch, step, share
):
    monkeypatch.setattr(appending, "INCIDENTS_AT_ONCE", 100)
    monkeypatch.setattr("geodata.events.derive.FEW_INCIDENTS", 1)  # as of a large file
    monkeypatch.setattr("geodata.events.derive.INCIDENTS_A_TRANSACTION", 50)
    monkeypatch.setattr("geodata.store.incident_rows.INCIDENTS_A_TRANSACTION", 50)
    shelf, upload = begin(city, tmp_path)
    before, kept = state(city), files(shelf.folder)
    with closing(IntakeJobs(City(city.folder), shelf, now=lambda: NOW)) as jobs:
        steps = Steps(jobs, step, share=share, monkeypatch=monkeypatch)
        jobs.start(upload, dry_run=False)
        assert steps.reached.wait(60)
        jobs.cancel(upload)
        steps.on.set()
    assert jobs.find(upload.id).state == "cancelled"
    assert state(city) == before
    assert files(shelf.folder) == kept


def test_a_load_stopped_when_it_is_shown_already_stays_whole(city, tmp_path, monkeypatch):
    shelf, upload = begin(city, tmp_path)
    before = state(city)
    with closing(IntakeJobs(City(city.folder), shelf, now=lambda: NOW)) as jobs:
        steps = Steps(jobs, "progress.derive", share=1.0, monkeypatch=monkeypatch)
        jobs.start(upload, dry_run=False)
        assert steps.reached.wait(60)
        jobs.cancel(upload)
        steps.on.set()
    assert jobs.find(upload.id).state == "done"
    after = state(city)
    assert after[2]["incident"] == after[2]["incident_key"] == before[2]["incident"] + ROWS
    assert after[1] == before[1] + 1


def test_a_change_of_a_table_waits_for_a_load_and_follows_it(city, tmp_path, monkeypatch):
    monkeypatch.setattr("geodata.intake.jobs._PATIENCE_S", 0.0)
    shelf, upload = begin(city, tmp_path)
    change = plan_row(
        city, "kinds", "路面破损", {"limit": "24"},
        valid_from=ALWAYS, seen=newest(city), scope=clerk(), now=NOW,
    )  # fmt: skip
    with closing(IntakeJobs(City(city.folder), shelf, now=lambda: NOW)) as jobs:
        steps = Steps(jobs, "progress.append", share=0.1, monkeypatch=monkeypatch)
        jobs.start(upload, dry_run=False)
        assert steps.reached.wait(60)
        assert jobs.change(change).busy
        steps.on.set()
        jobs._worker.submit(lambda: None).result(60)
        assert jobs.find(upload.id).state == "done"
        assert jobs.find("kinds/路面破损").state == "done"


def newest(city: City) -> int:
    with city.database.read() as connection:
        found = list_versions(connection, "kinds", "路面破损")
    return max(row.batch for row in found)


def clerk() -> Scope:
    return Scope.whole_city("clerk", ("read", "read.rows", "load"))
