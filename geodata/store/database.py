"""Connections, transactions, revisions and interned texts of one city's SQLite file."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterable, Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any

from geodata.errors import Busy, Fault, StoreFull
from geodata.store.schema import STEPS

STORE_FILE = "getu.sqlite"
BUSY_S = 5.0  # how long a writer waits for another's transaction before it says so
_CACHE_KB = 65_536
_WAL_LIMIT_BYTES = 64 * 1024 * 1024


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
        """Make the file, or bring an older one to the newest step."""
        with closing(self._connect(read_only=False)) as connection:
            connection.execute("PRAGMA journal_mode=WAL")
            done = connection.execute("PRAGMA user_version").fetchone()[0]
            for number, step in enumerate(STEPS[done:], start=done + 1):
                connection.executescript(
                    f"BEGIN IMMEDIATE;{step};PRAGMA user_version={number};COMMIT;"
                )

    @contextmanager
    def read(self) -> Iterator[sqlite3.Connection]:
        """Yield a read-only connection that sees one moment of the store."""
        with closing(self._connect(read_only=True)) as connection:
            connection.execute("BEGIN")
            yield connection

    @contextmanager
    def transaction(self) -> Iterator[sqlite3.Connection]:
        """
        Yield a connection whose changes are all committed, or none of them.

        Raises Busy when another process keeps the lock, StoreFull when the disk has no room.
        """
        with closing(self._connect(read_only=False)) as connection:
            try:
                connection.execute("BEGIN IMMEDIATE")
                yield connection
                connection.execute("COMMIT")
            except sqlite3.OperationalError as error:
                self._rollback(connection)
                raise _explain(error, self.path.name) from error
            except BaseException:
                self._rollback(connection)
                self._terms.clear()  # a rolled-back term has no row
                raise

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
        numbers = []
        for text in texts:
            key = (sort, text)
            if key not in self._terms:
                connection.execute(
                    "INSERT INTO term (sort, text) VALUES (?, ?) ON CONFLICT DO NOTHING", key
                )
                self._terms[key] = connection.execute(
                    "SELECT term FROM term WHERE sort = ? AND text = ?", key
                ).fetchone()[0]
            numbers.append(self._terms[key])
        return numbers

    def terms(self, sort: str) -> dict[int, str]:
        """Return every text of one sort by its number."""
        with self.read() as connection:
            rows = connection.execute("SELECT term, text FROM term WHERE sort = ?", (sort,))
            return dict(rows.fetchall())

    def _connect(self, *, read_only: bool) -> sqlite3.Connection:
        mode = "ro" if read_only else "rwc"
        # isolation_level None: we say BEGIN ourselves, the module's own rules hide commits.
        connection = sqlite3.connect(
            f"{self.path.absolute().as_uri()}?mode={mode}",
            uri=True,
            timeout=BUSY_S,
            isolation_level=None,
        )
        connection.execute(f"PRAGMA cache_size=-{_CACHE_KB}")
        connection.execute("PRAGMA trusted_schema=OFF")
        if read_only:
            connection.execute("PRAGMA query_only=ON")
        else:
            connection.execute("PRAGMA synchronous=FULL")
            connection.execute(f"PRAGMA journal_size_limit={_WAL_LIMIT_BYTES}")
        return connection

    @staticmethod
    def _rollback(connection: sqlite3.Connection) -> None:
        if connection.in_transaction:
            connection.execute("ROLLBACK")


def read_revision(connection: sqlite3.Connection) -> int:
    """Return the revision that this connection's moment shows."""
    row = connection.execute("SELECT value FROM meta WHERE name = 'revision'").fetchone()
    return int(row[0])


def raise_revision(connection: sqlite3.Connection) -> int:
    """Add one to the revision inside a transaction and return it."""
    revision = read_revision(connection) + 1
    connection.execute("UPDATE meta SET value = ? WHERE name = 'revision'", (str(revision),))
    return revision


def insert_rows(
    connection: sqlite3.Connection, statement: str, rows: list[tuple[Any, ...]], *, tail: str = ""
) -> int:
    """
    Insert rows a hundred to a statement (twice as fast as one by one); return rows added.

    `statement` ends before VALUES and is a constant of the caller, never built from input.
    """
    if not rows:
        return 0
    before = connection.total_changes
    one = f"({', '.join('?' * len(rows[0]))})"
    for start in range(0, len(rows), _ROWS_A_STATEMENT):
        part = rows[start : start + _ROWS_A_STATEMENT]
        values = [value for row in part for value in row]
        connection.execute(f"{statement} VALUES {', '.join([one] * len(part))} {tail}", values)
    return connection.total_changes - before


_ROWS_A_STATEMENT = 100


def _explain(error: sqlite3.OperationalError, file: str) -> Exception:
    text = str(error)
    if "locked" in text or "busy" in text:
        return Busy(Fault(key="store_busy", values={"seconds": BUSY_S}), file=file)
    if "full" in text or "disk I/O" in text:
        return StoreFull(Fault(key="store_full"), file=file)
    return error
