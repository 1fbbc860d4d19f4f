"""Nothing can be changed, taken out, put in, moved or cut off in the log without it showing."""

from __future__ import annotations

import os
import shutil
import sqlite3
import time
from collections.abc import Iterable
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from geodata.access.keys import make_key
from geodata.access.scope import Scope
from geodata.audit.check import Checked, check_log, check_rows, parse_head
from geodata.audit.log import KEY_FILE, make_entry, print_head, seal_log, write_entries
from geodata.city import City
from geodata.errors import BadSetting
from geodata.store.audit import Head, begin_chain, chain
from tests.city import NOW, make_empty_city

ROWS = 12
SEALED = 9  # the row of the seal
SLACK = 2  # a machine that shares its caches with other work is up to twice as slow
COLUMNS = (
    "at", "account", "role", "act", "target", "scope", "grid", "n", "revision", "detail", "hash",
)  # fmt: skip
DUTY = Scope(account="值班-1", grids=frozenset({7}), permissions=frozenset(), role="duty")


def fill(city: City, n: int) -> None:
    entries = [
        make_entry(
            account=DUTY, act="view.card", target=f"12345/A{number}", grid=number % 3 or None,
            n=number + 1, at=NOW + number, detail={"again": number} if number % 2 else None,
            revision=1,
        )
        for number in range(n)
    ]  # fmt: skip
    with city.database.transaction() as connection:
        write_entries(connection, entries)


@pytest.fixture(scope="module")
def original(tmp_path_factory) -> City:
    """Return a city with twelve rows in its log, sealed after the eighth."""
    city = make_empty_city(tmp_path_factory.mktemp("log") / "city")
    fill(city, SEALED - 1)
    with city.database.transaction() as connection:
        seal_log(connection, account=DUTY, at=NOW)
    fill(city, ROWS - SEALED)
    with closing(sqlite3.connect(city.database.path)) as connection:
        connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    return city


@pytest.fixture
def city(original, tmp_path) -> City:
    """Return a copy of the city, for somebody to tamper with."""
    return copy(original, tmp_path)


def copy(original: City, folder: Path) -> City:
    shutil.copytree(original.folder, folder / "city", dirs_exist_ok=True)
    return City(folder / "city")


def tamper(city: City, *statements: tuple[str, Iterable[Any]]) -> None:
    """Change the store as somebody does who has the file and no scruples."""
    with closing(sqlite3.connect(city.database.path)) as connection:
        connection.execute("PRAGMA synchronous=OFF")
        connection.execute("DROP TRIGGER audit_stays")
        connection.execute("DROP TRIGGER audit_stands")
        for statement, values in statements:
            connection.execute(statement, tuple(values))
        connection.commit()


def check(city: City, *heads: Head) -> Checked:
    with city.database.read() as connection:
        return check_log(connection, heads=heads)


def found(city: City, *heads: Head) -> tuple[str, int] | None:
    broken = check(city, *heads).broken
    return None if broken is None else (broken.kind, broken.entry)


def test_an_untouched_log_is_whole(city):
    checked = check(city)
    assert checked.whole
    assert (checked.head.entry, checked.seals) == (ROWS, 1)


def test_an_empty_log_is_whole(tmp_path):
    city = make_empty_city(tmp_path / "city")
    assert check(city).whole


def changed(value: Any, place: int, bits: int) -> Any:
    """Return a value with one byte of it changed."""
    if value is None:
        return 0
    if isinstance(value, int):
        return value ^ (bits << 8 * (place % 4))
    kind = type(value)
    data = bytearray(value if kind is bytes else value.encode())
    if not data:
        return bytes([bits]) if kind is bytes else "x"
    data[place % len(data)] ^= bits
    return bytes(data)  # a text becomes bytes, decodable or not


@settings(max_examples=150, deadline=None, suppress_health_check=list(HealthCheck))
@given(
    entry=st.integers(1, ROWS),
    column=st.sampled_from(COLUMNS),
    place=st.integers(0, 40),
    bits=st.integers(1, 255),
    as_text=st.booleans(),
)
def test_any_byte_that_is_changed_is_found_in_its_row(
    original, tmp_path_factory, entry, column, place, bits, as_text
):
    city = copy(original, tmp_path_factory.mktemp("changed"))
    with city.database.read() as connection:
        (old,) = connection.execute(
            f"SELECT {column} FROM audit WHERE entry = ?", (entry,)
        ).fetchone()
    new = changed(old, place, bits)
    cast = "CAST(? AS TEXT)" if as_text and isinstance(old, str) else "?"
    tamper(city, (f"UPDATE audit SET {column} = {cast} WHERE entry = ?", (new, entry)))
    assert found(city) == ("changed", entry)


@settings(max_examples=40, deadline=None, suppress_health_check=list(HealthCheck))
@given(entry=st.integers(1, ROWS - 1), closed_up=st.booleans())
def test_a_row_taken_out_is_found_whether_the_gap_is_closed_or_not(
    original, tmp_path_factory, entry, closed_up
):
    city = copy(original, tmp_path_factory.mktemp("out"))
    close = [
        ("UPDATE audit SET entry = ? WHERE entry = ?", (number - 1, number))
        for number in range(entry + 1, ROWS + 1)
    ]
    tamper(city, ("DELETE FROM audit WHERE entry = ?", (entry,)), *(close if closed_up else ()))
    kind, place = found(city) or ("", 0)
    assert place == entry
    # Where one row is left behind the gap, it alone is wrong.
    assert kind == ("missing" if not closed_up else "rewritten" if entry < ROWS - 1 else "changed")


@settings(max_examples=40, deadline=None, suppress_health_check=list(HealthCheck))
@given(first=st.integers(1, ROWS), other=st.integers(1, ROWS))
def test_rows_that_changed_places_are_found(original, tmp_path_factory, first, other):
    city = copy(original, tmp_path_factory.mktemp("moved"))
    move = "UPDATE audit SET entry = ? WHERE entry = ?"
    tamper(city, (move, (-1, first)), (move, (first, other)), (move, (other, -1)))
    broken = found(city)
    assert (broken is None) is (first == other)
    if broken is not None:
        assert broken[1] == min(first, other)


@pytest.mark.parametrize("entry", [-3, 0, 1, 5, ROWS, ROWS + 1])
def test_a_row_put_in_is_found(city, entry):
    make_room = [
        ("UPDATE audit SET entry = ? WHERE entry = ?", (number + 1, number))
        for number in range(ROWS, entry - 1, -1)
        if entry >= 1
    ]
    values = (entry, NOW, "forger", "", "view.card", "", "city", None, 1, 1, None, bytes(32))
    tamper(city, *make_room, (f"INSERT INTO audit VALUES ({', '.join('?' * 12)})", values))
    broken = found(city)
    assert broken is not None
    assert broken[1] == entry


@pytest.mark.parametrize("left", range(ROWS))
def test_a_tail_cut_off_is_found_against_the_seal_and_any_printed_head(city, left):
    printed = parse_head(print_head(check(city).head))
    tamper(city, ("DELETE FROM audit WHERE entry > ?", (left,)))
    assert found(city, printed) == ("cut", left + 1)
    # Without the printed head only a cut below the seal shows.
    assert found(city) == (("cut", left + 1) if left < SEALED else None)


def test_a_tail_cut_off_stays_found_when_the_log_goes_on(city):
    printed = parse_head(print_head(check(city).head))
    tamper(city, ("DELETE FROM audit WHERE entry > ?", (SEALED - 2,)))
    fill(city, 40)
    assert found(city) == ("rewritten", SEALED)
    assert found(city, printed) == ("rewritten", SEALED)


def test_a_whole_log_rewritten_without_the_key_is_found(city):
    keyed, before = begin_chain(bytes(32)), b""
    statements = []
    with city.database.read() as connection:
        rows = connection.execute("SELECT * FROM audit ORDER BY entry").fetchall()
    for row in rows:
        before = chain(row[:-1], before=before, keyed=keyed)
        statements.append(("UPDATE audit SET hash = ? WHERE entry = ?", (before, row[0])))
    tamper(city, *statements, ("DELETE FROM audit_seal", ()))
    assert found(city) == ("rewritten", 1)


def test_a_whole_log_rewritten_with_the_stolen_key_is_found_by_a_printed_head(city):
    printed = parse_head(print_head(check(city).head))
    keyed, before = begin_chain(make_key(city.folder / KEY_FILE)), b""
    statements: list[tuple[str, tuple[Any, ...]]] = [("DELETE FROM audit_seal", ())]
    with city.database.read() as connection:
        rows = connection.execute("SELECT * FROM audit ORDER BY entry").fetchall()
    for row in rows:
        forged = (*row[:2], "somebody-else", *row[3:-1])
        before = chain(forged, before=before, keyed=keyed)
        update = "UPDATE audit SET account = ?, hash = ? WHERE entry = ?"
        statements.append((update, (forged[2], before, row[0])))
    tamper(city, *statements)
    assert found(city) is None
    assert found(city, printed) == ("rewritten", ROWS)


def test_a_missing_key_and_another_key_are_told_apart(city):
    (city.folder / KEY_FILE).unlink()
    assert found(city) == ("key_missing", 1)
    make_key(city.folder / KEY_FILE)
    assert found(city) == ("rewritten", 1)


def test_a_check_in_pieces_finds_what_a_whole_one_finds(city):
    tamper(city, ("UPDATE audit SET n = 99 WHERE entry = 7", ()))
    head, steps = Head(entry=0, hash=b"", at=0), 0
    with city.database.read() as connection:
        while (checked := check_rows(connection, after=head, most=2)).whole:
            head, steps = checked.head, steps + 1
    assert steps == 3
    assert checked.broken == check(city).broken
    assert checked.head.entry == 6


@pytest.mark.long
def test_a_million_rows_are_checked_at_six_microseconds_each(tmp_path):
    """Processor time, so that what else the machine does is not counted; printed with the load."""
    city = make_empty_city(tmp_path / "city")
    rows = 1_000_000
    for _ in range(rows // 20_000):
        fill(city, 20_000)
    begin_s = time.process_time()
    checked = check(city)
    each_us = (time.process_time() - begin_s) / rows * 1e6
    print(f"{each_us:.2f} us a row, load {os.getloadavg()}")
    assert checked.whole
    assert checked.head.entry == rows
    assert each_us <= 6 * SLACK


@pytest.mark.parametrize("text", ["", "12", "12:", "12:xyz", "12:9f86", "-1:" + "a" * 16, "1:é"])
def test_what_is_no_head_is_refused(text):
    with pytest.raises(BadSetting):
        parse_head(text)


def test_a_head_is_read_as_it_is_printed():
    head = Head(entry=1024, hash=bytes(range(32)), at=NOW)
    assert parse_head(print_head(head)).hash == head.hash[:8]
    assert parse_head(f" 1024:{head.hash.hex().upper()}\n").hash == head.hash
