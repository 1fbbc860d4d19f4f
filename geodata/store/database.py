"""Connections, transactions, revisions and interned texts of one city's SQLite file."""

from __future__ import annotations

import contextlib
import math
import os
import sqlite3
import threading
import time
from collections.abc import Iterable, Iterator
from contextlib import ExitStack, closing, contextmanager
from pathlib import Path

import orjson

from geodata.errors import Busy, Fault, NotAllowed, StoreDamaged, StoreFull
from geodata.store.room import check_room, clear_parts, make_private, sync
from geodata.store.schema import STEPS, split_statements

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
_CHECKPOINT_PAGES = 6_000  # a page written in many transactions is then copied back once


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

    def create(self) -> Path | None:
        """
        Make the file, or bring an older one to the newest step; return the old one's copy.

        The steps are taken in one transaction: whatever interrupts them leaves the old store as it
        was. Raises StoreDamaged for a file that is no store, or that a newer program made,
        StoreFull where there is no room for the copy and the work.
        """
        make_private(self.path)
        with self._explained(), closing(self._connect(read_only=False)) as connection:
            connection.execute("PRAGMA journal_mode=WAL")
            done = connection.execute("PRAGMA user_version").fetchone()[0]
        copy = self._keep_old(done) if 0 < done < len(STEPS) else None
        with self.transaction() as connection:
            # Asked inside the lock: another process may have taken the steps in the meantime.
            done = connection.execute("PRAGMA user_version").fetchone()[0]
            if done > len(STEPS):
                raise StoreDamaged(Fault(key="store_newer"), file=self.path.name)
            for number, step in enumerate(STEPS[done:], start=done + 1):
                for statement in split_statements(step):
                    connection.execute(statement)
                connection.execute(f"PRAGMA user_version={number}")
        return copy

    def _keep_old(self, step: int) -> Path:
        """Copy the store as it is before it is brought on; return where to."""
        check_room(self.path.parent, self.path)
        copy = self.path.with_name(f"{self.path.stem}-step{step}{self.path.suffix}")
        clear_parts(copy)
        part = copy.with_suffix(f".{os.getpid()}-{threading.get_ident()}.part")
        try:
            self.copy_to(part)
            part.replace(copy)
        finally:
            part.unlink(missing_ok=True)
        sync(copy.parent)
        return copy

    def check(self) -> None:
        """Raise StoreDamaged where the file is not sound or not of this program's making."""
        with self.read() as connection:
            (found,) = connection.execute("PRAGMA quick_check(1)").fetchone()
            (step,) = connection.execute("PRAGMA user_version").fetchone()
        if found != "ok" or not step:
            raise StoreDamaged(Fault(key="store_damaged"), file=self.path.name)
        if step > len(STEPS):
            raise StoreDamaged(Fault(key="store_newer"), file=self.path.name)

    def settle(self) -> None:
        """Make a copied store ready for a place of its own: its sessions end with the old one."""
        with self._explained(), closing(self._connect(read_only=False)) as connection:
            connection.execute("PRAGMA journal_mode=WAL")
            if connection.execute("SELECT 1 FROM sqlite_master WHERE name = 'session'").fetchone():
                connection.execute("DELETE FROM session")
        sync(self.path)

    def copy_to(self, path: Path) -> None:
        """
        Write one moment of the store to a new file, checked and on the disk for good.

        Nobody waits for it: it reads as any reader does. SQLite's stepwise copying would begin anew
        at each commit of a feed. Raises StoreDamaged where the copy is not sound.
        """
        with self._explained():
            with closing(self._connect(read_only=True)) as connection:
                connection.execute("PRAGMA query_only=OFF")  # the copy is no part of this store
                connection.execute("VACUUM INTO ?", (str(path),))
            path.chmod(0o600)
            Database(path).check()
        sync(path)

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
        Yield a connection for many transactions: SQLite empties its log when the last one closes.

        A load that opens one for each of its transactions waits for the disk twice as long.
        """
        with self._explained(), closing(self._connect(read_only=False)) as connection:
            yield Series(self, connection)

    def hold(self) -> sqlite3.Connection:
        """Return a connection that nobody works with: while it is open, SQLite keeps its log."""
        with self._explained():
            return self._connect(read_only=False, one_thread=False)

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

    def _connect(self, *, read_only: bool, one_thread: bool = True) -> _StoreConnection:
        mode = "ro" if read_only else "rwc"
        # isolation_level None: we say BEGIN ourselves, the module's own rules hide commits.
        connection = sqlite3.connect(
            f"{self.path.absolute().as_uri()}?mode={mode}",
            uri=True,
            timeout=BUSY_S,
            isolation_level=None,
            factory=_StoreConnection,
            check_same_thread=one_thread,
        )
        terms = [f"cache_size=-{_CACHE_KB}", "trusted_schema=OFF"]
        if read_only:
            terms += ["query_only=ON"]
        else:
            terms += ["synchronous=FULL", f"journal_size_limit={_WAL_LIMIT_BYTES}"]
            terms += [f"wal_autocheckpoint={_CHECKPOINT_PAGES}"]
        for term in terms:
            connection.execute(f"PRAGMA {term}")
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
        with ExitStack() as undo:
            undo.callback(_roll_back, connection)
            _begin(connection)
            yield connection
            connection.execute("COMMIT")
            undo.pop_all()
        self._database.keep_terms(connection.fresh)

    @contextmanager
    def read(self) -> Iterator[sqlite3.Connection]:
        """Yield the connection as it sees one moment of the store; nobody waits for it."""
        self._connection.execute("BEGIN")
        try:
            yield self._connection
        finally:
            _roll_back(self._connection)

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


def _roll_back(connection: sqlite3.Connection) -> None:
    if connection.in_transaction:  # a full disk may have ended it already
        connection.execute("ROLLBACK")


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
    """Return the revision at which every incident was last derived; later ones marked each row."""
    facts = dict(
        connection.execute(
            "SELECT name, value FROM meta WHERE name IN ('derived_at', 'derived_whole')"
        ).fetchall()
    )
    if "derived_at" not in facts:
        return read_ground_revision(connection)
    at, _, whole = facts.get("derived_whole", "").partition(":")
    return int(whole) if whole and at == facts["derived_at"] else int(facts["derived_at"])


def carry_derived(connection: sqlite3.Connection, *, before: int, until: float) -> None:
    """
    Say that what was derived at ground `before` holds on the newest ground, inside a transaction.

    The caller has derived anew, and marked, every incident that the change of the ground touches;
    `until` is when the next dated one comes (UTC s, infinity for never).
    """
    row = connection.execute("SELECT value FROM meta WHERE name = 'derived_at'").fetchone()
    if row is None or int(row[0]) != before:
        return  # it did not hold before: all is to be derived anyway
    whole, revision = read_derived_revision(connection), read_revision(connection)
    facts = {
        "derived_at": str(revision),
        "derived_whole": f"{revision}:{whole}",
        "derived_until": "0" if until == math.inf else str(int(until)),
    }
    connection.executemany("INSERT OR REPLACE INTO meta VALUES (?, ?)", list(facts.items()))


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
