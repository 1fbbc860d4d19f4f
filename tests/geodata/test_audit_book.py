"""What a screen shows is in the log first; what is seen again within a minute is only counted."""

from __future__ import annotations

import os
import resource
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path

import pytest

from geodata.access.scope import Scope
from geodata.audit.book import AuditBook
from geodata.audit.check import check_log
from geodata.city import City
from geodata.errors import Busy, GetuError, StoreFull
from tests.city import NOW, make_empty_city

DUTY = Scope.whole_city("duty-1", ("read", "read.rows"), role="duty")
STREET = Scope.whole_city("street-1", ("read", "read.rows"), role="staff")


@pytest.fixture
def city(tmp_path) -> City:
    return make_empty_city(tmp_path / "city")


@pytest.fixture
def make_book(city) -> Iterator[Callable[[float], AuditBook]]:
    books: list[AuditBook] = []

    def make(minute_s: float) -> AuditBook:
        books.append(AuditBook(city.database, now=lambda: NOW, minute_s=minute_s))
        return books[-1]

    yield make
    for book in books:
        book.close()


def read_log(city: City) -> list[tuple[str, str, str, int]]:
    """Return account, act, target and n of every row, in order."""
    with city.database.read() as connection:
        return connection.execute(
            "SELECT account, act, target, n FROM audit ORDER BY entry"
        ).fetchall()


def wait_for_rows(city: City, n: int) -> list[tuple[str, str, str, int]]:
    end = time.monotonic() + 10
    while len(rows := read_log(city)) < n and time.monotonic() < end:
        time.sleep(0.02)
    return rows


def test_a_view_is_in_the_log_before_note_returns(city, make_book):
    book = make_book(60)
    for number in range(5):
        book.note(DUTY, "view.card", target=f"12345/A{number}", n=number + 1)
        assert read_log(city)[-1] == ("duty-1", "view.card", f"12345/A{number}", number + 1)


def test_what_is_seen_again_within_the_minute_is_one_row_with_its_count(city, make_book):
    book = make_book(0.3)
    for _ in range(5):
        book.note(DUTY, "view.tiles", target="dots", n=2)
    assert read_log(city) == [("duty-1", "view.tiles", "dots", 2)]
    rows = wait_for_rows(city, 2)
    assert rows[1:] == [("duty-1", "view.tiles", "dots", 8)]
    with city.database.read() as connection:
        (detail,) = connection.execute("SELECT detail FROM audit WHERE entry = 2").fetchone()
    assert detail == f'{{"again":4,"since":{NOW}}}'


def test_a_new_minute_is_told_again(city, make_book):
    book = make_book(0.05)
    book.note(DUTY, "view.card", target="a")
    time.sleep(0.1)
    book.note(DUTY, "view.card", target="a")
    assert len(read_log(city)) == 2


def test_other_accounts_acts_targets_and_grids_are_rows_of_their_own(city, make_book):
    book = make_book(60)
    book.note(DUTY, "view.card", target="a")
    book.note(STREET, "view.card", target="a")
    book.note(DUTY, "view.list", target="a")
    book.note(DUTY, "view.card", target="b")
    book.note(DUTY, "view.card", target="a", grid=4)
    assert len(read_log(city)) == 5


def test_closing_writes_what_is_still_counted_and_takes_no_more(city, make_book):
    book = make_book(60)
    for _ in range(4):
        book.note(DUTY, "view.card", target="a")
    book.close()
    assert [row[3] for row in read_log(city)] == [1, 3]
    with pytest.raises(Busy):
        book.note(DUTY, "view.card", target="a")


def test_views_of_many_threads_are_all_there_and_counted_right(city, make_book):
    book = make_book(60)
    with ThreadPoolExecutor(16) as pool:
        list(pool.map(lambda i: book.note(DUTY, "view.card", target=str(i % 40)), range(400)))
    book.close()
    rows = read_log(city)
    assert len({row[2] for row in rows}) == 40
    assert sum(row[3] for row in rows) == 400
    assert len(rows) <= 80


@contextmanager
def full_disk() -> Iterator[None]:
    """Let no file of this process grow, as on a full disk."""
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (512, hard))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))


def test_a_full_disk_refuses_every_view_and_recovers_without_a_restart(city, make_book):
    book = make_book(0.1)
    book.note(DUTY, "view.card", target="a")
    book.note(DUTY, "view.card", target="a")
    with full_disk():
        time.sleep(0.4)  # the minute of the first ends, and its count cannot be written
        for target in ("a", "b", "b"):
            with pytest.raises(StoreFull) as refusal:
                book.note(DUTY, "view.card", target=target)
            assert "full" in refusal.value.sentence("en")
    book.note(DUTY, "view.card", target="c")
    wait_for_rows(city, 3)
    assert sorted(read_log(city)) == [
        ("duty-1", "view.card", "a", 1),
        ("duty-1", "view.card", "a", 1),
        ("duty-1", "view.card", "c", 1),
    ]


def test_a_lost_key_refuses_views_and_its_return_lets_them_go_on(city, make_book):
    book = make_book(60)
    book.note(DUTY, "view.card", target="a")
    key = city.folder / "audit.key"
    key.rename(key.with_name("away"))
    with pytest.raises(GetuError, match=r"audit\.key"):
        book.note(DUTY, "view.card", target="b")
    key.with_name("away").rename(key)
    book.note(DUTY, "view.card", target="b")
    assert [row[2] for row in read_log(city)] == ["a", "b"]


VIEWER = """
import sys
from pathlib import Path
from geodata.audit.book import AuditBook
from geodata.city import open_city
from geodata.access.scope import Scope

city = open_city(Path(sys.argv[1]))
book = AuditBook(city.database, now=lambda: 1)
duty = Scope.whole_city("duty-1", ("read",))
number = 0
while True:
    book.note(duty, "view.card", target=str(number))
    sys.stdout.write(f"{number}\\n")
    sys.stdout.flush()
    number += 1
"""


def kill_while_viewing(city: City, after_s: float) -> list[str]:
    """Return what a process had shown when it was killed."""
    viewer = subprocess.Popen(
        [sys.executable, "-c", VIEWER, str(city.folder)], stdout=subprocess.PIPE, text=True
    )
    assert viewer.stdout
    shown = [viewer.stdout.readline().strip()]
    time.sleep(after_s)
    os.kill(viewer.pid, signal.SIGKILL)
    shown += viewer.stdout.read().split()
    viewer.stdout.close()
    viewer.wait()
    return shown


@pytest.mark.parametrize("after_s", [0.0, 0.013, 0.05])
def test_a_kill_at_any_instant_leaves_every_answered_view_in_the_log(city, after_s):
    shown = kill_while_viewing(city, after_s)
    logged = [row[2] for row in read_log(city)]
    assert set(shown) <= set(logged)
    assert len(logged) - len(shown) <= 1  # the one that was on its way
    assert Path(city.folder / "audit.key").exists()


@pytest.mark.long
def test_a_hundred_kills_in_a_row_lose_no_answered_view_and_leave_the_chain_whole(city):
    shown: list[str] = []
    for kill in range(100):
        shown += kill_while_viewing(city, kill / 100 * 0.05)
    with city.database.read() as connection:
        assert check_log(connection).whole
    assert set(shown) <= {row[2] for row in read_log(city)}
