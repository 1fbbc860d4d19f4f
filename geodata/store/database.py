"""Connections, transactions, revisions and interned texts of one city's SQLite file."""

from __future__ import annotations

import contextlib
import sqlite3
import sys
import time
from collections.abc import Iterable, Iterator
from contextlib import closing, contextmanager
from functools import lru_cache
from itertools import chain
from pathlib import Path
from typing import Any

import orjson

from geodata.errors import Busy, Fault, NotAllowed, StoreDamaged, StoreFull
from geodata.store.schema import STEPS

Connection = sqlite3.Connection  # for those who pass one on without being a store
STORE_FILE = "getu.sqlite"
BUSY_S = 5  # how long a writer waits for another's transaction before it says so
# SQLite's own waiting sleeps up to 0.1 s between two looks and misses the short pauses of a load;
# a look each millisecond finds them.
_LOOK_S = 0.001
# So often, and so long, a series of transactions pauses for others who wait to write.
_BREATH_EVERY_S, _BREATH_S = 0.06, 0.003
_CACHE_KB = 65_536
_WAL_LIMIT_BYTES = 32 * 1024 * 1024
_WAL_PAUSE_S = 10.0  # a series waits so long for readers that keep its log from being emptied
_PAGE_BYTES = 4096
_CHECKPOINT_PAGES = 4_000  # a page written in many transactions is then copied back once
ROWS_A_STATEMENT = 100  # twice as fast as row by row, see bench/store.py


class Database:
    """
    One city's store: one writer at a time, any number of readers that never block it.

    Every read opens a read-only connection, so that no bug in a screen can write. Every write runs
    in `transaction()`, which takes the lock at once (BEGIN IMMEDIATE): a transaction that begins
    by reading and then upgrades fails in 9 of 10 cases when others write too.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self._terms: dict[tuple[str, str], int] = {}

    def create(self) -> None:
        """
        Make the file, or bring an older one to the newest step.

        Raises StoreDamaged for a file that is no store, or that a newer program made.
        """
        with self._explained(), closing(self._connect(read_only=False)) as connection:
            connection.execute("PRAGMA journal_mode=WAL")
        with self.transaction() as connection:
            # Asked inside the lock: another process may have taken the steps in the meantime.
            done = connection.execute("PRAGMA user_version").fetchone()[0]
            if done > len(STEPS):
                raise StoreDamaged(Fault(key="store_newer"), file=self.path.name)
            for number, step in enumerate(STEPS[done:], start=done + 1):
                for statement in _statements(step):
                    connection.execute(statement)
                connection.execute(f"PRAGMA user_version={number}")

    def is_current(self) -> bool:
        """Tell whether the file is at the newest step, without writing to it."""
        with self.read() as connection:
            return bool(connection.execute("PRAGMA user_version").fetchone()[0] == len(STEPS))

    @contextmanager
    def read(self) -> Iterator[sqlite3.Connection]:
        """Yield a read-only connection that sees one moment of the store."""
        with self._explained(), closing(self._connect(read_only=True)) as connection:
            connection.execute("BEGIN")
            yield connection

    @contextmanager
    def transaction(self) -> Iterator[sqlite3.Connection]:
        """
        Yield a connection whose changes are all committed, or none of them.

        Raises Busy when another process keeps the lock, StoreFull when the disk has no room.
        """
        with self.series() as series, series.transaction() as connection:
            yield connection

    @contextmanager
    def series(self) -> Iterator[Series]:
        """
        Yield a connection kept open for many transactions, one after another.

        SQLite empties its log when the last connection closes: a load that opens one for each of
        its transactions waits for the disk twice as long.
        """
        with self._explained(), closing(self._connect(read_only=False)) as connection:
            yield Series(self, connection)

    def revision(self) -> int:
        """Return the revision: it grows with each commit that changes what a screen shows."""
        with self.read() as connection:
            return read_revision(connection)

    def meta(self, name: str, default: str = "") -> str:
        """Return a named fact about the store itself, such as its coordinate system."""
        with self.read() as connection:
            row = connection.execute("SELECT value FROM meta WHERE name = ?", (name,)).fetchone()
        return row[0] if row else default

    def set_meta(self, name: str, value: str) -> None:
        """Set a named fact about the store."""
        with self.transaction() as connection:
            connection.execute("INSERT OR REPLACE INTO meta VALUES (?, ?)", (name, value))

    def intern(self, connection: sqlite3.Connection, sort: str, texts: Iterable[str]) -> list[int]:
        """Return the number of each text of one sort, numbering new ones."""
        wanted = list(texts)
        fresh = connection.fresh if isinstance(connection, _StoreConnection) else {}
        unknown = [
            text
            for text in dict.fromkeys(wanted)
            if (sort, text) not in self._terms and (sort, text) not in fresh
        ]
        if unknown:
            listed = orjson.dumps(unknown).decode()
            connection.execute(
                "INSERT INTO term (sort, text) SELECT ?, value FROM json_each(?) WHERE true"
                " ON CONFLICT DO NOTHING",
                (sort, listed),
            )
            found = connection.execute(
                "SELECT text, term FROM term WHERE sort = ?"
                " AND text IN (SELECT value FROM json_each(?))",
                (sort, listed),
            )
            fresh.update({(sort, text): term for text, term in found})
        return [self._terms.get((sort, text)) or fresh[sort, text] for text in wanted]

    def terms(self, sort: str) -> dict[int, str]:
        """Return every text of one sort by its number."""
        with self.read() as connection:
            return read_terms(connection, sort)

    def keep_terms(self, found: dict[tuple[str, str], int]) -> None:
        """Remember numbers that a committed transaction gave: they hold for good."""
        self._terms.update(found)

    def _connect(self, *, read_only: bool) -> _StoreConnection:
        mode = "ro" if read_only else "rwc"
        # isolation_level None: we say BEGIN ourselves, the module's own rules hide commits.
        connection = sqlite3.connect(
            f"{self.path.absolute().as_uri()}?mode={mode}",
            uri=True,
            timeout=BUSY_S,
            isolation_level=None,
            factory=_StoreConnection,
        )
        connection.execute(f"PRAGMA cache_size=-{_CACHE_KB}")
        connection.execute("PRAGMA trusted_schema=OFF")
        if read_only:
            connection.execute("PRAGMA query_only=ON")
        else:
            connection.execute("PRAGMA synchronous=FULL")
            connection.execute(f"PRAGMA journal_size_limit={_WAL_LIMIT_BYTES}")
            connection.execute(f"PRAGMA wal_autocheckpoint={_CHECKPOINT_PAGES}")
        return connection

    @contextmanager
    def _explained(self) -> Iterator[None]:
        """Turn what SQLite says of the file or its lock into an error a person understands."""
        try:
            yield
        except sqlite3.DatabaseError as error:
            raise _explain(error, self.path.name) from error


class _StoreConnection(sqlite3.Connection):
    """A connection with the numbers of texts that its open transaction has read or given."""

    fresh: dict[tuple[str, str], int]


class Series:
    """Transactions of one connection, one after another, with pauses for others who wait."""

    def __init__(self, database: Database, connection: _StoreConnection) -> None:
        self._database = database
        self._connection = connection
        self._held_since_s = time.monotonic()

    @contextmanager
    def transaction(self) -> Iterator[sqlite3.Connection]:
        """
        Yield the connection inside a transaction, committed as a whole or not at all.

        Raises Busy when another process keeps the lock, StoreFull when the disk has no room.
        """
        connection = self._connection
        connection.fresh = {}
        try:
            _begin(connection)
            yield connection
            connection.execute("COMMIT")
        except BaseException:
            if connection.in_transaction:
                connection.execute("ROLLBACK")
            raise
        self._database.keep_terms(connection.fresh)

    def breathe(self) -> None:
        """Pause between two transactions where others may wait to write or the log grows long."""
        now_s = time.monotonic()
        if now_s - self._held_since_s < _BREATH_EVERY_S:
            return
        time.sleep(_BREATH_S)
        if self._log_bytes() > _WAL_LIMIT_BYTES:
            self._wait_for_readers()
        self._held_since_s = time.monotonic()

    def _log_bytes(self) -> int:
        with contextlib.suppress(OSError):
            return self._database.path.with_name(f"{self._database.path.name}-wal").stat().st_size
        return 0

    def _wait_for_readers(self) -> None:
        """Give readers of an old moment, such as a backup, time to end: they keep the log long."""
        until_s = time.monotonic() + _WAL_PAUSE_S
        while time.monotonic() < until_s:
            _, pages, done = self._connection.execute("PRAGMA wal_checkpoint(PASSIVE)").fetchone()
            if (pages - done) * _PAGE_BYTES <= _WAL_LIMIT_BYTES:
                return
            time.sleep(0.05)


def _begin(connection: sqlite3.Connection) -> None:
    """Take the writer's lock; raises sqlite3's busy error once BUSY_S are over."""
    until_s = time.monotonic() + BUSY_S
    connection.execute("PRAGMA busy_timeout=0")
    while True:
        try:
            connection.execute("BEGIN IMMEDIATE")
        except sqlite3.OperationalError as error:
            busy = (error.sqlite_errorcode & 0xFF) in (sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED)
            if not busy or time.monotonic() > until_s:
                raise
            time.sleep(_LOOK_S)
        else:
            connection.execute(f"PRAGMA busy_timeout={int(BUSY_S * 1000)}")
            return


def _statements(script: str) -> Iterator[str]:
    """Yield the statements of a script one by one: `executescript` would commit before them."""
    held = ""
    for line in script.splitlines(keepends=True):
        held += line
        if sqlite3.complete_statement(held):
            yield held
            held = ""


def read_terms(connection: sqlite3.Connection, sort: str) -> dict[int, str]:
    """Return every text of one sort by its number, as this connection's moment shows them."""
    rows = connection.execute("SELECT term, text FROM term WHERE sort = ?", (sort,))
    return dict(rows.fetchall())


def read_revision(connection: sqlite3.Connection) -> int:
    """Return the revision that this connection's moment shows."""
    row = connection.execute("SELECT value FROM meta WHERE name = 'revision'").fetchone()
    return int(row[0])


def raise_revision(connection: sqlite3.Connection, *, same_ground: bool = False) -> int:
    """
    Add one to the revision inside a transaction and return it.

    `same_ground` says that only single incidents changed, each of them marked by the new revision,
    and nothing that all of them stand on: no drawing, no reference table, no batch as a whole.
    """
    revision = read_revision(connection) + 1
    connection.execute("UPDATE meta SET value = ? WHERE name = 'revision'", (str(revision),))
    if not same_ground:
        connection.execute("INSERT OR REPLACE INTO meta VALUES ('ground', ?)", (str(revision),))
    return revision


def read_ground_revision(connection: sqlite3.Connection) -> int:
    """Return the revision at which something changed that every incident stands on."""
    row = connection.execute("SELECT value FROM meta WHERE name = 'ground'").fetchone()
    return int(row[0]) if row else 0


def read_derived_revision(connection: sqlite3.Connection) -> int:
    """Return the revision at which every incident was last derived."""
    row = connection.execute("SELECT value FROM meta WHERE name = 'derived_at'").fetchone()
    return int(row[0]) if row else read_ground_revision(connection)


def insert_rows(
    connection: sqlite3.Connection, statement: str, rows: list[tuple[Any, ...]], *, tail: str = ""
) -> int:
    """
    Insert rows a hundred to a statement; return how many were added.

    `statement` ends before VALUES and is a constant of the caller, never built from input.
    """
    if not rows:
        return 0
    before = connection.total_changes
    one = f"({', '.join('?' * len(rows[0]))})"
    for start in range(0, len(rows), ROWS_A_STATEMENT):
        part = rows[start : start + ROWS_A_STATEMENT]
        values = [value for row in part for value in row]
        connection.execute(f"{statement} VALUES {', '.join([one] * len(part))} {tail}", values)
    return connection.total_changes - before


def insert_columns(
    connection: sqlite3.Connection, table: str, columns: dict[str, Any], *, replace: bool = False
) -> int:
    """
    Insert rows given as columns a hundred to a statement; return how many were not there yet.

    A value that is no list stands for a whole column of it, and is bound once a statement. What is
    there already stays, or with `replace` is replaced.
    """
    before = connection.total_changes
    fixed = [value for value in columns.values() if not isinstance(value, list)]
    lists = [value for value in columns.values() if isinstance(value, list)]
    shape = tuple(isinstance(value, list) for value in columns.values())
    verb = "INSERT OR REPLACE" if replace else "INSERT"
    begin = f"{verb} INTO {table} ({', '.join(columns)}) VALUES "
    tail = "" if replace else " ON CONFLICT DO NOTHING"
    flat = list(chain.from_iterable(zip(*lists, strict=True)))
    step = ROWS_A_STATEMENT * len(lists)
    for start in range(0, len(flat), step):
        cells = flat[start : start + step]
        marks = _marks(shape, len(cells) // len(lists))
        connection.execute(f"{begin}{marks}{tail}", [*fixed, *cells])
    return connection.total_changes - before


@lru_cache(maxsize=512)
def _marks(shape: tuple[bool, ...], rows: int) -> str:
    """Return the numbered marks of some rows: fixed values first, then the cells row by row."""
    fixed = shape.count(False)
    lines = []
    for row in range(rows):
        shared = iter(range(1, fixed + 1))
        own = iter(range(fixed + row * shape.count(True) + 1, sys.maxsize))
        lines.append(f"({', '.join(f'?{next(own if listed else shared)}' for listed in shape)})")
    return ", ".join(lines)


def _explain(error: sqlite3.DatabaseError, file: str) -> Exception:
    """Return the error a person understands; an error of our own making as it is."""
    # The low byte is the primary result code, see https://sqlite.org/rescode.html
    code = getattr(error, "sqlite_errorcode", 0) & 0xFF
    if code in (sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED):
        return Busy(Fault(key="store_busy", values={"seconds": BUSY_S}), file=file)
    if code in (sqlite3.SQLITE_FULL, sqlite3.SQLITE_IOERR):
        return StoreFull(Fault(key="store_full"), file=file)
    if code in (sqlite3.SQLITE_NOTADB, sqlite3.SQLITE_CORRUPT):
        return StoreDamaged(Fault(key="store_damaged"), file=file)
    if code in (sqlite3.SQLITE_READONLY, sqlite3.SQLITE_CANTOPEN, sqlite3.SQLITE_PERM):
        return NotAllowed(Fault(key="store_denied"), file=file)
    return error
