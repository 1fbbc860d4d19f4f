"""Promise: one writer at a time, readers never wait, and nobody meets a traceback from SQLite."""

from __future__ import annotations

import os
import sqlite3
import subprocess
import sys
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from pathlib import Path

import pytest

from geodata.city import City, open_city, serving, writing
from geodata.errors import Busy, GetuError, NotFound, StoreDamaged
from geodata.snapshots.facts import load_facts
from geodata.snapshots.inventory import describe_city
from geodata.store import database as database_module
from geodata.store.database import Database, read_revision
from geodata.store.records import count_records, read_records
from geodata.store.room import clear_parts
from geodata.store.schema import STEPS
from tests.city import NOW, make_empty_city, make_tiny_city


@pytest.fixture(scope="module")
def tiny(tmp_path_factory) -> City:
    return make_tiny_city(tmp_path_factory.mktemp("store") / "city")


@pytest.fixture
def impatient(monkeypatch):
    monkeypatch.setattr(database_module, "BUSY_S", 0.2)


def say_both(error: GetuError) -> tuple[str, str]:
    return error.sentence("zh"), error.sentence("en")


def test_the_file_is_sound_after_every_kind_of_load(tiny):
    with tiny.database.read() as connection:
        assert connection.execute("PRAGMA quick_check").fetchall() == [("ok",)]
        assert connection.execute("PRAGMA journal_mode").fetchone() == ("wal",)


def test_a_reader_does_not_wait_for_a_writer_and_sees_the_moment_before(tiny):
    with tiny.database.transaction() as connection:
        connection.execute("UPDATE meta SET value = '999' WHERE name = 'revision'")
        started = time.perf_counter()
        with tiny.database.read() as reader:
            assert read_revision(reader) != 999
        assert describe_city(tiny, now=NOW).incidents == 40
        assert time.perf_counter() - started < 2
        connection.execute("ROLLBACK")
        connection.execute("BEGIN")


def test_a_reader_sees_one_moment_while_others_write(tiny):
    with tiny.database.read() as reader:
        before = read_revision(reader)
        with tiny.database.transaction() as connection:
            connection.execute("UPDATE meta SET value = value WHERE name = 'revision'")
            connection.execute("INSERT INTO meta VALUES ('mark', '1')")
        assert read_revision(reader) == before
        assert not reader.execute("SELECT 1 FROM meta WHERE name = 'mark'").fetchone()
    assert tiny.database.meta("mark") == "1"


def test_no_reader_can_write(tiny):
    with pytest.raises(GetuError), tiny.database.read() as connection:
        connection.execute("DELETE FROM event")


def test_a_writer_that_waits_too_long_is_told_so(tiny, impatient):
    second = Database(tiny.database.path)
    with tiny.database.transaction(), pytest.raises(Busy) as refused, second.transaction():
        pass
    zh, en = say_both(refused.value)
    assert "另一个进程" in zh
    assert "Another process" in en


def test_writers_that_meet_wait_for_each_other(tiny):
    def raise_mark() -> None:
        store = Database(tiny.database.path)
        for _ in range(20):
            with store.transaction() as connection:
                value = connection.execute("SELECT value FROM meta WHERE name='n'").fetchone()[0]
                connection.execute("UPDATE meta SET value=? WHERE name='n'", (int(value) + 1,))

    tiny.database.set_meta("n", "0")
    threads = [threading.Thread(target=raise_mark) for _ in range(3)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert tiny.database.meta("n") == "60"


def test_a_second_server_is_refused_while_the_first_runs_and_welcome_after(tiny):
    with serving(tiny):
        with pytest.raises(Busy) as refused, serving(open_city(tiny.folder)):
            pass
        with writing(tiny):  # a load beside a server is no second server
            pass
    zh, en = say_both(refused.value)
    assert "已有另一个服务" in zh
    assert "Another server (process " in en
    assert str(tiny.folder) in zh
    with serving(tiny):
        pass


def test_a_second_load_is_refused_while_the_first_runs_and_welcome_after(tiny):
    with writing(tiny):
        with pytest.raises(Busy) as refused, writing(open_city(tiny.folder)):
            pass
        with serving(tiny):  # a server that starts beside a load waits for nothing
            pass
    assert "另一个装入任务" in say_both(refused.value)[0]
    with writing(tiny):
        pass


def test_a_text_interned_in_a_transaction_that_fails_is_interned_anew(tiny):
    def fail() -> None:
        with tiny.database.transaction() as connection:
            tiny.database.intern(connection, "kind", ["新类别"])
            connection.execute("SELECT nonsense")

    with pytest.raises(sqlite3.OperationalError):
        fail()
    with tiny.database.transaction() as connection:
        (number,) = tiny.database.intern(connection, "kind", ["新类别"])
    assert tiny.database.terms("kind")[number] == "新类别"


# --- files that are no store, or another's -------------------------------------------------------


@pytest.mark.parametrize("content", [b"", b"no database at all" * 500])
def test_a_file_that_is_no_store_is_refused_in_words(tmp_path, content):
    city = make_empty_city(tmp_path / "city")
    for name in ("getu.sqlite-wal", "getu.sqlite-shm"):
        (city.folder / name).unlink(missing_ok=True)
    city.database.path.write_bytes(content)
    with pytest.raises(StoreDamaged) as refused:
        open_city(city.folder).database.revision()
    assert "备份" in say_both(refused.value)[0]
    assert city.database.path.read_bytes() == content


def test_a_store_of_a_newer_program_is_refused_and_left_alone(tmp_path):
    city = make_empty_city(tmp_path / "city")
    with closing(sqlite3.connect(city.database.path)) as connection:
        connection.execute(f"PRAGMA user_version={len(STEPS) + 1}")
    with pytest.raises(StoreDamaged) as refused:
        open_city(city.folder)
    assert "升级" in say_both(refused.value)[0]


def test_a_store_of_an_older_step_is_brought_on_with_what_it_holds(tmp_path):
    city = make_empty_city(tmp_path / "city")
    for path in city.folder.glob("getu.sqlite*"):
        path.unlink()
    with closing(sqlite3.connect(city.database.path)) as connection:
        connection.executescript(f"BEGIN;{STEPS[0]};PRAGMA user_version=1;COMMIT;")
        connection.execute(
            "INSERT INTO record VALUES ('cameras', 'C1', 0, 1, 1, 2, '{\"name\":\"old\"}')"
        )
        connection.execute(
            "INSERT INTO batch (batch, what, file, at, state) VALUES (1,'c','f',0,1)"
        )
        connection.commit()
    opened = open_city(city.folder)
    with opened.database.read() as connection:
        assert read_records(connection, "cameras", at=NOW)["name"].tolist() == ["old"]
        assert count_records(connection) == {"cameras": 1}
    assert open_city(city.folder).database.is_current()


def test_two_processes_that_open_an_old_store_at_once_do_not_trip_over_each_other(tmp_path):
    path = tmp_path / "getu.sqlite"
    with closing(sqlite3.connect(path)) as connection:
        connection.executescript(f"BEGIN;{STEPS[0]};PRAGMA user_version=1;COMMIT;")
    with ThreadPoolExecutor(4) as pool:
        created = [pool.submit(Database(path).create) for _ in range(4)]
    assert all(one.exception() is None for one in created)
    assert Database(path).is_current()


def test_a_folder_without_a_city_is_refused_in_words(tmp_path):
    with pytest.raises(NotFound) as refused:
        open_city(tmp_path)
    assert "app.py init" in say_both(refused.value)[0]


def test_the_store_is_closed_after_every_use(tiny):
    here = Path("/proc/self/fd")
    if not here.exists():
        pytest.skip("no /proc on this system")
    describe_city(tiny, now=NOW)
    open_files = [path.resolve() for path in here.iterdir() if path.exists()]
    assert tiny.database.path.resolve() not in open_files  # other tests' stores are theirs to close


def test_nobody_else_may_read_what_a_city_keeps(tmp_path):
    before = os.umask(0o022)
    try:
        city = make_tiny_city(tmp_path / "city")
        load_facts(city, now=NOW)
    finally:
        os.umask(before)
    with city.database.series() as series, series.transaction():
        kept = [*city.folder.glob("getu.sqlite*"), *city.folder.glob("snapshot-*")]
        modes = {path.name: path.stat().st_mode & 0o777 for path in kept}
    assert len(modes) >= 4, modes
    assert set(modes.values()) == {0o600}, modes


def test_what_killed_processes_left_of_a_copy_goes(tmp_path):
    copy = tmp_path / "getu-step3.sqlite"
    alive = tmp_path / f"getu-step3.{os.getpid()}-1.part"
    dead = subprocess.run(
        [sys.executable, "-c", "import os; print(os.getpid())"],
        capture_output=True,
        text=True,
        check=True,
    ).stdout.strip()
    left = [tmp_path / f"getu-step3.{dead}-1.part", tmp_path / f"getu-step3.{dead}-1.part-journal"]
    for path in (copy, alive, *left):
        path.write_bytes(b"half")
    clear_parts(copy)
    assert copy.exists()
    assert alive.exists()
    assert [path for path in left if path.exists()] == []
