"""Promise: a backup of a city that is being fed is one whole moment of it, and restores to that."""

from __future__ import annotations

import shutil
import sqlite3
import threading
import time
from contextlib import closing
from pathlib import Path

import orjson
import pytest

from geodata.audit.check import check_log, parse_head
from geodata.audit.log import KEY_FILE, audit_head, write_entry
from geodata.backup import CONTENTS_FILE, back_up, read_backup, restore
from geodata.city import City, open_city
from geodata.errors import BadFile, BadSetting, GetuError, StoreFull
from geodata.events.feed import Feed
from geodata.events.rebuild import rebuild
from geodata.store import database as database_module
from geodata.store import room
from geodata.store.database import STORE_FILE, Database
from geodata.store.dump import canonical_dump
from geodata.store.event_log import open_batch
from geodata.store.schema import STEPS
from tests.city import NOW, make_empty_city, make_tiny_city, say_nothing
from tests.geodata.test_feed_folds_alike import rows_of, story


@pytest.fixture
def city(tmp_path) -> City:
    made = make_tiny_city(tmp_path / "city")
    (made.base_folder).mkdir()
    (made.base_folder / "water.parquet").write_bytes(b"a river" * 100)
    with made.database.transaction() as connection:
        write_entry(connection, account="auditor-1", act="export", target="all", at=NOW)
    return made


def dump(city: City) -> str:
    with city.database.read() as connection:
        return canonical_dump(connection)


def listing(folder: Path) -> dict[str, bytes]:
    return {
        str(path.relative_to(folder)): path.read_bytes()
        for path in sorted(folder.rglob("*"))
        if path.is_file()
    }


# --- there and back ------------------------------------------------------------------------------


def test_a_restored_city_is_the_city(city, tmp_path):
    made = back_up(city, tmp_path / "copy", progress=say_nothing)
    again = restore(tmp_path / "copy", tmp_path / "else" / "where", progress=say_nothing)
    found = open_city(tmp_path / "else" / "where")
    assert dump(found) == dump(city)
    assert found.database.revision() == city.database.revision() == made.revision == again.revision
    assert found.settings == city.settings
    assert (found.base_folder / "water.parquet").read_bytes() == b"a river" * 100
    assert rebuild(found, now=NOW).equal
    with found.database.read() as connection:
        assert connection.execute("PRAGMA journal_mode").fetchone() == ("wal",)
        checked = check_log(connection, heads=[parse_head(made.head)])
        assert audit_head(connection) == made.head
    assert checked.whole  # the key came along
    assert not [path for path in tmp_path.rglob("*") if ".part" in path.name]


def test_nobody_else_may_read_a_backup(city, tmp_path):
    back_up(city, tmp_path / "copy", progress=say_nothing)
    modes = {path.name: path.stat().st_mode & 0o077 for path in (tmp_path / "copy").rglob("*")}
    assert KEY_FILE in modes
    assert not any(modes.values())
    assert not (tmp_path / "copy").stat().st_mode & 0o077


def test_a_backup_while_a_feed_writes_is_one_moment_of_it(city, tmp_path):
    feed = Feed(city, now=lambda: NOW)
    stop = threading.Event()
    posted: list[int] = []

    def post() -> None:
        while not stop.is_set():
            both = [story(len(posted)), story(5_000 + len(posted))]
            posted.append(feed.post(rows_of(city, both), token=0).revision)

    thread = threading.Thread(target=post)
    thread.start()
    try:
        for number in range(3):
            while len(posted) <= number and thread.is_alive():  # a post at least before each
                time.sleep(0.01)
            made = back_up(city, tmp_path / f"copy{number}", progress=say_nothing)
            restore(made.folder, tmp_path / f"city{number}", progress=say_nothing)
    finally:
        stop.set()
        thread.join()
        feed.close()
    for number in range(3):
        found = open_city(tmp_path / f"city{number}")
        assert rebuild(found, now=NOW).equal  # never an event without its incident
        with found.database.read() as connection:
            pairs = connection.execute(
                "SELECT count(*), ifnull(sum(ext_id LIKE 'S5___'), 0) FROM incident_key k"
                " JOIN term t ON t.term = k.source WHERE t.text = 'hotline'"
            ).fetchone()
        assert pairs[0] == 2 * pairs[1] > 0  # never half a post


def test_sessions_end_where_a_backup_is_restored(city, tmp_path):
    with city.database.transaction() as connection:
        connection.execute("INSERT INTO session VALUES (x'01', 1, 2, 3, '127.0.0.1')")
    back_up(city, tmp_path / "copy", progress=say_nothing)
    restore(tmp_path / "copy", tmp_path / "new", progress=say_nothing)
    with Database(tmp_path / "new" / STORE_FILE).read() as connection:
        assert connection.execute("SELECT count(*) FROM session").fetchone() == (0,)


# --- refused, and nothing left -------------------------------------------------------------------


def test_nothing_is_overwritten(city, tmp_path):
    back_up(city, tmp_path / "copy", progress=say_nothing)
    whole = listing(tmp_path / "copy")
    with pytest.raises(BadFile):
        back_up(city, tmp_path / "copy", progress=say_nothing)
    with pytest.raises(BadSetting):
        restore(tmp_path / "copy", city.folder, progress=say_nothing)
    (tmp_path / "empty").mkdir()
    with pytest.raises(BadFile):
        restore(tmp_path / "copy", tmp_path / "empty", progress=say_nothing)
    assert listing(tmp_path / "copy") == whole


def change_byte(folder: Path) -> None:
    path = folder / STORE_FILE
    whole = bytearray(path.read_bytes())
    whole[len(whole) // 2] ^= 1
    path.write_bytes(whole)


def cut_store(folder: Path) -> None:
    path = folder / STORE_FILE
    path.write_bytes(path.read_bytes()[:-100])


def lose_settings(folder: Path) -> None:
    (folder / "city.toml").unlink()


def lead_out(folder: Path) -> None:
    path = folder / CONTENTS_FILE
    plain = orjson.loads(path.read_bytes())
    plain["files"]["../../secret"] = {"bytes": 0, "sha256": ""}
    path.write_bytes(orjson.dumps(plain))


def lead_out_by_link(folder: Path) -> None:
    (folder / "base" / "water.parquet").unlink()
    (folder / "base" / "water.parquet").symlink_to("/etc/hostname")


def another_revision(folder: Path) -> None:
    path = folder / CONTENTS_FILE
    path.write_bytes(orjson.dumps(orjson.loads(path.read_bytes()) | {"revision": 3}))


def no_list(folder: Path) -> None:
    (folder / CONTENTS_FILE).write_bytes(b"[1, 2]")


@pytest.mark.parametrize(
    "damage",
    [change_byte, cut_store, lose_settings, lead_out, lead_out_by_link, another_revision, no_list],
    ids=lambda one: one.__name__,
)
def test_a_backup_that_is_not_whole_restores_nothing(city, tmp_path, damage):
    back_up(city, tmp_path / "copy", progress=say_nothing)
    damage(tmp_path / "copy")
    with pytest.raises(BadFile) as refused:
        restore(tmp_path / "copy", tmp_path / "new", progress=say_nothing)
    assert "恢复" in refused.value.sentence("zh") or "备份" in refused.value.sentence("zh")
    assert sorted(path.name for path in tmp_path.iterdir()) == ["city", "copy"]


def test_a_folder_that_is_no_backup_is_refused(city, tmp_path):
    with pytest.raises(BadFile) as refused:
        read_backup(city.folder)
    assert "no backup" in refused.value.sentence("en")


def test_without_room_nothing_is_begun(city, tmp_path, monkeypatch):
    size = city.database.path.stat().st_size
    usage = shutil.disk_usage(tmp_path)
    monkeypatch.setattr(room.shutil, "disk_usage", lambda _: usage._replace(free=2 * size - 1))
    for begin in (
        lambda: back_up(city, tmp_path / "copy", progress=say_nothing),
        lambda: open_batch(city.database, "incidents", file="x", at=NOW),
    ):
        with pytest.raises(StoreFull) as refused:
            begin()
        assert "MB" in refused.value.sentence("en")
    assert not (tmp_path / "copy").exists()
    with city.database.read() as connection:
        assert connection.execute("SELECT count(*) FROM batch WHERE state <> 1").fetchone() == (0,)


# --- stores of earlier steps ---------------------------------------------------------------------


def make_old(folder: Path, step: int) -> Path:
    """A store as the program of a released step left it, with an event and a table."""
    city = make_empty_city(folder)
    for path in folder.glob("getu.sqlite*"):
        path.unlink()
    with closing(sqlite3.connect(city.database.path, isolation_level=None)) as connection:
        connection.execute("PRAGMA journal_mode=WAL")
        for number, script in enumerate(STEPS[:step], start=1):
            connection.executescript(script)
            connection.execute(f"PRAGMA user_version={number}")
        connection.executescript(
            """
            INSERT INTO term VALUES (1, 'source', 'hotline'), (2, 'kind', '积水');
            INSERT INTO batch VALUES (1, 'incidents', 'f', NULL, 100, 1, 2, '{}');
            INSERT INTO incident_key VALUES (1, 1, 'A1');
            INSERT INTO event VALUES (1, -1, 1770000000, 7, 0, 100, 1, 0, NULL, NULL, NULL),
              (1, -1, 1770000600, 8, 1, 100, 0, 0, NULL, NULL, NULL);
            INSERT INTO payload VALUES (1, 7, 500100000, 3600100000, 2, '{"a":"b"}');
            INSERT INTO record VALUES ('cameras', 'C1', 0, 1, 1, 2, '{"name":"old"}');
            """
        )
    return city.database.path


@pytest.mark.parametrize("step", [1, 2, 3])
def test_a_store_of_each_released_step_opens_with_all_it_held(tmp_path, step, caplog):
    path = make_old(tmp_path / "old", step)
    old = sqlite3.connect(path)
    with closing(old):
        before = old.execute("SELECT * FROM event ORDER BY 1, 2, 3").fetchall()
    city = open_city(tmp_path / "old")
    copy = city.folder / f"getu-step{step}.sqlite"
    assert copy.name in caplog.text
    with closing(sqlite3.connect(copy)) as kept:
        assert kept.execute("PRAGMA user_version").fetchone() == (step,)
        assert kept.execute("SELECT * FROM event ORDER BY 1, 2, 3").fetchall() == before
    found = rebuild(city, now=NOW)
    assert (found.incidents, found.changed) == (1, 1)
    assert rebuild(city, now=NOW).equal
    with city.database.read() as connection:
        events = connection.execute("SELECT * FROM event ORDER BY 1, 2, 3").fetchall()
        assert connection.execute("PRAGMA integrity_check").fetchall() == [("ok",)]
        assert connection.execute("SELECT count(*) FROM record").fetchone() == (1,)
    assert events == before
    made = back_up(city, tmp_path / "copy", progress=say_nothing)
    restore(made.folder, tmp_path / "new", progress=say_nothing)
    assert dump(open_city(tmp_path / "new")) == dump(city)


def test_steps_that_fail_leave_the_old_store_as_it_was(tmp_path, monkeypatch):
    path = make_old(tmp_path / "old", 3)
    broken = (*STEPS, "CREATE TABLE half (n INTEGER);\nINSERT INTO nowhere VALUES (1);")
    monkeypatch.setattr(database_module, "STEPS", broken)
    with pytest.raises(sqlite3.OperationalError):
        open_city(tmp_path / "old")
    with closing(sqlite3.connect(path)) as connection:
        assert connection.execute("PRAGMA user_version").fetchone() == (3,)
        names = {row[0] for row in connection.execute("SELECT name FROM sqlite_master")}
    assert "half" not in names
    assert "account" not in names
    monkeypatch.undo()
    assert open_city(tmp_path / "old").database.is_current()


def test_an_upgrade_without_room_is_refused_and_the_old_store_stays(tmp_path, monkeypatch):
    path = make_old(tmp_path / "old", 2)
    usage = shutil.disk_usage(tmp_path)
    monkeypatch.setattr(room.shutil, "disk_usage", lambda _: usage._replace(free=10))
    with pytest.raises(GetuError) as refused:
        open_city(tmp_path / "old")
    assert isinstance(refused.value, StoreFull)
    with closing(sqlite3.connect(path)) as connection:
        assert connection.execute("PRAGMA user_version").fetchone() == (2,)
