"""Every row of the log is chained to the one before it, in the transaction of what it tells of."""

from __future__ import annotations

import sqlite3

import pytest

from geodata.access.scope import Scope
from geodata.audit.log import KEY_FILE, audit_head, write_entry
from geodata.audit.settings_log import log_settings
from geodata.city import City
from geodata.errors import GetuError, NotAllowed, StoreDamaged
from tests.city import (
    INCIDENT_COLUMNS,
    NOW,
    incident_rows,
    load_one,
    make_empty_city,
    make_gridded_city,
    write_table,
)

DUTY = Scope(
    account="duty-1", grids=frozenset({3, 1}), permissions=frozenset({"read"}), role="duty"
)


@pytest.fixture
def city(tmp_path) -> City:
    return make_empty_city(tmp_path / "city")


def write(city: City, n: int = 1) -> None:
    for number in range(n):
        with city.database.transaction() as connection:
            write_entry(connection, account=DUTY, act="view.card", target=str(number), at=NOW)


def act_and_fail(city: City) -> None:
    with city.database.transaction() as connection:
        write_entry(connection, account=DUTY, act="owner.set", at=NOW)
        1 / 0  # noqa: B018


def test_a_row_says_who_as_what_did_what_to_what_within_which_scope(city):
    with city.database.transaction() as connection:
        head = write_entry(
            connection, account=DUTY, act="owner.set", target="12345/A7", grid=3, n=2, at=NOW,
            detail={"why": "x", "from": 1},
        )  # fmt: skip
        row = connection.execute("SELECT * FROM audit").fetchone()
    assert row[:6] == (1, NOW, "duty-1", "duty", "owner.set", "12345/A7")
    assert row[6].startswith("2:")
    assert row[7:11] == (3, 2, 1, '{"from":1,"why":"x"}')
    assert row[11] == head.hash
    assert len(row[11]) == 32


def test_an_act_that_is_rolled_back_leaves_no_row(city):
    write(city)
    with city.database.read() as connection:
        before = audit_head(connection)
    with pytest.raises(ZeroDivisionError):
        act_and_fail(city)
    with city.database.read() as connection:
        assert audit_head(connection) == before


@pytest.mark.parametrize("statement", ["DELETE FROM audit", "UPDATE audit SET n = 0"])
def test_no_defect_of_ours_can_change_or_delete_a_row(city, statement):
    write(city, 2)
    with pytest.raises(sqlite3.IntegrityError), city.database.transaction() as connection:
        connection.execute(statement)


def test_the_key_is_made_once_and_is_its_owners_alone(city):
    write(city, 2)
    key = city.folder / KEY_FILE
    assert key.stat().st_mode & 0o777 == 0o600
    assert len(key.read_text()) == 64
    assert [file.name for file in city.folder.iterdir() if "audit" in file.name] == [KEY_FILE]


def test_a_log_whose_key_is_lost_takes_no_row_under_another_one(city):
    write(city)
    (city.folder / KEY_FILE).unlink()
    with pytest.raises(StoreDamaged, match=r"audit\.key"):
        write(city)


@pytest.mark.parametrize("text", ["", "00", "not a key", "é" * 64])
def test_a_damaged_key_is_refused_and_never_replaced(city, text):
    write(city)
    (city.folder / KEY_FILE).write_text(text, "utf-8")
    with pytest.raises(GetuError):
        write(city)
    assert (city.folder / KEY_FILE).read_text("utf-8") == text


def test_a_key_that_others_may_read_is_refused(city):
    write(city)
    (city.folder / KEY_FILE).chmod(0o644)
    with pytest.raises(NotAllowed):
        write(city)


def test_a_load_leaves_a_row_with_its_file_and_how_many_rows(tmp_path):
    city = make_gridded_city(tmp_path / "city")
    file = write_table(tmp_path / "incidents.csv", INCIDENT_COLUMNS, incident_rows(9))
    load_one(city, "incidents", file)
    with city.database.read() as connection:
        row = connection.execute(
            "SELECT account, act, target, n, at FROM audit ORDER BY entry DESC LIMIT 1"
        ).fetchone()
    assert (*row[:3], row[4]) == ("console", "batch.load", "incidents.csv", NOW)
    assert row[3] >= 9  # each incident came with the steps it had got to


def test_changed_settings_leave_a_row_when_they_are_next_used(city):
    assert not log_settings(city, now=NOW)
    assert not log_settings(city, now=NOW)
    (city.folder / "city.toml").write_text('name_zh = "小城"\nnear_m = 35.0\n', "utf-8")
    changed = City(city.folder)
    assert log_settings(changed, now=NOW)
    with city.database.read() as connection:
        target, detail = connection.execute(
            "SELECT target, detail FROM audit WHERE act = 'settings.change'"
        ).fetchone()
    assert "near_m" in target
    assert '"near_m":[20.0,35.0]' in detail


def test_a_file_system_without_rights_can_hold_a_key(city, monkeypatch):
    """What such a file system answers: every file is everybody's, whatever one asks for."""
    write(city)
    (city.folder / KEY_FILE).chmod(0o666)
    monkeypatch.setattr("geodata.access.keys._keeps_rights", lambda _: False)
    write(city)
    with city.database.read() as connection:
        (rows,) = connection.execute(
            "SELECT count(*) FROM audit WHERE act = 'view.card'"
        ).fetchone()
    assert rows == 2
