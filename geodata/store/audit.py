"""The rows of the log, each chained to the one before it by a keyed hash."""

from __future__ import annotations

import hmac
import sqlite3
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import orjson

NO_HASH = b""  # what stands before the first row
_FIELDS = "entry, at, account, role, act, target, scope, grid, n, revision, detail, hash"
_ROWS_A_FETCH = 500


@dataclass(frozen=True, slots=True, kw_only=True)
class Entry:
    """
    What one row of the log says: who, as what, did which act to what, within which scope.

    `at` is UTC seconds, `grid` a grid's uid, `n` how many rows or tiles were seen, `detail`
    canonical JSON.
    """

    at: int
    account: str
    role: str
    act: str
    target: str
    scope: str
    grid: int | None
    n: int
    revision: int
    detail: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Head:
    """The last row of the log at some moment: its number (0 before the first), hash and time."""

    entry: int
    hash: bytes
    at: int


def read_head(connection: sqlite3.Connection) -> Head:
    """Return the last row's number, hash and time."""
    row = connection.execute(
        "SELECT entry, hash, at FROM audit ORDER BY entry DESC LIMIT 1"
    ).fetchone()
    entry, digest, at = row or (0, NO_HASH, 0)
    return Head(entry=entry, hash=digest, at=at)


def read_head_at(connection: sqlite3.Connection, at: int) -> Head:
    """Return the last row written before a moment (UTC s): the log's head as it stood then."""
    row = connection.execute(
        "SELECT entry, hash, at FROM audit WHERE at < ? ORDER BY entry DESC LIMIT 1", (at,)
    ).fetchone()
    entry, digest, moment = row or (0, NO_HASH, 0)
    return Head(entry=entry, hash=digest, at=moment)


def append_entries(connection: sqlite3.Connection, entries: Iterable[Entry], *, key: bytes) -> Head:
    """Append rows to the log inside the caller's transaction; return its new head."""
    head, keyed = read_head(connection), begin_chain(key)
    for entry in entries:
        values = (
            head.entry + 1, entry.at, entry.account, entry.role, entry.act, entry.target,
            entry.scope, entry.grid, entry.n, entry.revision, entry.detail,
        )  # fmt: skip
        digest = chain(values, before=head.hash, keyed=keyed)
        connection.execute(
            f"INSERT INTO audit ({_FIELDS}) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",  # noqa: S608
            (*values, digest),
        )
        head = Head(entry=values[0], hash=digest, at=entry.at)
    return head


def begin_chain(key: bytes) -> hmac.HMAC:
    """Return what `chain` hashes with; the key is worked in once, which halves the time a row."""
    return hmac.new(key, digestmod="sha256")


def chain(values: tuple[Any, ...], *, before: bytes, keyed: hmac.HMAC) -> bytes:
    """
    Return the hash of a row: HMAC-SHA-256 over the hash before it and its values as JSON.

    `values` are the columns in order, the row's number first and without its hash. Raises TypeError
    for values that no row of ours has.
    """
    one = keyed.copy()
    one.update(before + orjson.dumps(values))
    return one.digest()


def read_chain(
    connection: sqlite3.Connection, *, after: int = 0, most: int = -1
) -> Iterator[tuple[Any, ...]]:
    """
    Yield the rows of the log after one, its columns as `chain` takes them and then its hash.

    `most` rows at most, -1 for all. A text that somebody made unreadable comes with lone
    surrogates.
    """
    connection.text_factory = _read_text
    # The first check takes rows numbered below 1 too: nobody but a forger writes them.
    cursor = connection.execute(
        f"SELECT {_FIELDS} FROM audit WHERE entry > ? ORDER BY entry LIMIT ?",  # noqa: S608
        (after or -(2**62), most),
    )
    cursor.arraysize = _ROWS_A_FETCH
    while rows := cursor.fetchmany():
        yield from rows


def save_seal(connection: sqlite3.Connection, head: Head, *, at: int) -> None:
    """Keep a head inside the caller's transaction, so that a check finds a tail cut after it."""
    connection.execute(
        "INSERT INTO audit_seal (entry, hash, at) VALUES (?, ?, ?)", (head.entry, head.hash, at)
    )


def list_seals(connection: sqlite3.Connection) -> list[Head]:
    """Return every sealed head, oldest first; `at` is when it was sealed."""
    rows = connection.execute("SELECT entry, hash, at FROM audit_seal ORDER BY seal")
    return [Head(entry=entry, hash=digest, at=at) for entry, digest, at in rows]


def _read_text(text: bytes) -> str:
    return text.decode("utf-8", "surrogateescape")


def swap_meta(connection: sqlite3.Connection, name: str, value: str) -> str | None:
    """Set a named fact about the store inside the caller's transaction; return what it was."""
    row = connection.execute("SELECT value FROM meta WHERE name = ?", (name,)).fetchone()
    connection.execute("INSERT OR REPLACE INTO meta VALUES (?, ?)", (name, value))
    return None if row is None else str(row[0])


def find_folder(connection: sqlite3.Connection) -> Path:
    """Return the folder of the store behind a connection."""
    for _, name, file in connection.execute("PRAGMA database_list"):
        if name == "main":
            return Path(file).parent
    raise AssertionError("a connection always has a main database")
