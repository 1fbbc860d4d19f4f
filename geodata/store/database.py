"""Connections, transactions, revisions and interned texts of one city's SQLite file."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterable, Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any

from geodata.errors import Busy, Fault, NotAllowed, StoreDamaged, StoreFull
from geodata.store.schema import STEPS

Connection = sqlite3.Connection  # for those who pass one on without being a store
STORE_FILE = "getu.sqlite"
BUSY_S = 5  # how long a writer waits for another's transaction before it says so
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
        with self._explained(), closing(self._connect(read_only=False)) as connection:
            try:
                connection.execute("BEGIN IMMEDIATE")
                yield connection
                connection.execute("COMMIT")
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
            return read_terms(connection, sort)

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

    @contextmanager
    def _explained(self) -> Iterator[None]:
        """Turn what SQLite says of the file or its lock into an error a person understands."""
        try:
            yield
        except sqlite3.DatabaseError as error:
            raise _explain(error, self.path.name) from error

    @staticmethod
    def _rollback(connection: sqlite3.Connection) -> None:
        if connection.in_transaction:
            connection.execute("ROLLBACK")


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
