"""The rows of the log, each chained to the one before it by a keyed hash."""

from __future__ import annotations

import hashlib
import hmac
import sqlite3
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import orjson

NO_HASH = b""  # what stands before the first row
_FIELDS = "entry, at, account, role, act, target, scope, grid, n, revision, detail, hash"
_ROWS_A_FETCH = 20_000


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


def append_entries(connection: sqlite3.Connection, entries: Iterable[Entry], *, key: bytes) -> Head:
    """Append rows to the log inside the caller's transaction; return its new head."""
    head = read_head(connection)
    for entry in entries:
        values = (
            head.entry + 1, entry.at, entry.account, entry.role, entry.act, entry.target,
            entry.scope, entry.grid, entry.n, entry.revision, entry.detail,
        )  # fmt: skip
        digest = chain(values, before=head.hash, key=key)
        connection.execute(
            f"INSERT INTO audit ({_FIELDS}) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",  # noqa: S608
            (*values, digest),
        )
        head = Head(entry=values[0], hash=digest, at=entry.at)
    return head


def chain(values: tuple[Any, ...], *, before: bytes, key: bytes) -> bytes:
    """
    Return the hash of a row: HMAC-SHA-256 over the hash before it and its values as JSON.

    `values` are the columns in order, the row's number first and without its hash.
    """
    return hmac.digest(key, before + orjson.dumps(values), hashlib.sha256)


def read_chain(connection: sqlite3.Connection) -> Iterator[tuple[Any, ...]]:
    """Yield every row of the log in order, its columns as `chain` takes them and then its hash."""
    cursor = connection.execute(f"SELECT {_FIELDS} FROM audit ORDER BY entry")  # noqa: S608
    cursor.arraysize = _ROWS_A_FETCH
    while rows := cursor.fetchmany():
        yield from rows


def find_folder(connection: sqlite3.Connection) -> Path:
    """Return the folder of the store behind a connection."""
    for _, name, file in connection.execute("PRAGMA database_list"):
        if name == "main":
            return Path(file).parent
    raise AssertionError("a connection always has a main database")
