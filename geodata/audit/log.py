"""The log: who saw, did or exported what, in rows that cannot be changed without it showing."""

from __future__ import annotations

import functools
import hashlib
from collections.abc import Mapping
from typing import Any

import orjson

from geodata.access.keys import make_key, read_key
from geodata.access.scope import Scope
from geodata.errors import Fault, StoreDamaged
from geodata.store.audit import Entry, Head, append_entries, find_folder, read_head, save_seal
from geodata.store.database import Connection, read_revision

KEY_FILE = "audit.key"
CONSOLE = "console"  # who works at the command line of the city's own machine
EVERYWHERE = "city"
LONGEST_TARGET = 200
_CANONICAL = orjson.OPT_SORT_KEYS
_HEAD_DIGITS = 16  # of the hash that people read: 64 bits


def write_entry(
    connection: Connection,
    *,
    account: Scope | str,
    act: str,
    target: str = "",
    grid: int | None = None,
    n: int = 1,
    at: int,
    detail: Mapping[str, Any] | None = None,
) -> Head:
    """
    Write one row of the log inside the caller's transaction; return the log's new head.

    Give the `Scope` of who acts: it says the role and what that account may see. A name alone is
    for what no account does: `CONSOLE`, or a source. `act` is a noun and a verb, such as
    "owner.set"; `target` what it was done to: "source/incident id", a grid's code, a file's hash;
    `grid` the uid of the grid it lies in; `n` how many rows; `at` UTC seconds; `detail` what else
    an auditor needs, never a cell of a row. Raises StoreDamaged where the key of a log is lost.
    """
    entry = make_entry(
        account=account, act=act, target=target, grid=grid, n=n, at=at, detail=detail,
        revision=read_revision(connection),
    )  # fmt: skip
    return write_entries(connection, [entry])


def write_entries(connection: Connection, entries: list[Entry]) -> Head:
    """Write rows of the log inside the caller's transaction; return the log's new head."""
    return append_entries(connection, entries, key=log_key(connection))


def make_entry(
    *,
    account: Scope | str,
    act: str,
    target: str = "",
    grid: int | None = None,
    n: int = 1,
    at: int,
    detail: Mapping[str, Any] | None = None,
    revision: int,
) -> Entry:
    """Return a row of the log, not yet written; arguments as `write_entry` takes them."""
    who = Scope.whole_city(account, ()) if isinstance(account, str) else account
    return Entry(
        at=at,
        account=_clean(who.account),
        role=who.role,
        act=act,
        target=_clean(target),
        scope=describe_scope(who),
        grid=grid,
        n=n,
        revision=revision,
        detail=None if detail is None else orjson.dumps(detail, option=_CANONICAL).decode(),
    )


def audit_head(connection: Connection) -> str:
    """Return the log's head as people print it: row and hash, e.g. "1024:9f86d081884c7d65"."""
    return print_head(read_head(connection))


def seal_log(connection: Connection, *, account: Scope | str, at: int) -> Head:
    """
    Seal the log inside the caller's transaction: keep its head, to be printed; return it.

    The seal is a row itself, so that the log says who sealed it and when.
    """
    head = write_entry(connection, account=account, act="audit.seal", at=at)
    save_seal(connection, head, at=at)
    return head


def print_head(head: Head) -> str:
    """Return a head as people read and print it: the row's number and 16 digits of its hash."""
    return f"{head.entry}:{head.hash.hex()[:_HEAD_DIGITS]}"


def describe_scope(scope: Scope) -> str:
    """Return which grids a scope holds: "city", or how many and a hash that tells them apart."""
    return EVERYWHERE if scope.grids is None else _describe_grids(scope.grids)


@functools.lru_cache(maxsize=1_000)
def _describe_grids(grids: frozenset[int]) -> str:
    listed = ",".join(str(uid) for uid in sorted(grids)).encode()
    return f"{len(grids)}:{hashlib.sha256(listed).hexdigest()[:8]}"


def log_key(connection: Connection) -> bytes:
    """
    Return the key of the log behind a connection, made at the first row.

    Raises StoreDamaged where rows exist and the key does not: another one would break the chain.
    """
    key = find_key(connection)
    if key is not None:
        return key
    if read_head(connection).entry:
        raise StoreDamaged(Fault(key="audit_key_missing"), file=KEY_FILE)
    return make_key(find_folder(connection) / KEY_FILE)


def find_key(connection: Connection) -> bytes | None:
    """Return the key of the log behind a connection, None where there is none."""
    return read_key(find_folder(connection) / KEY_FILE)


def _clean(text: str) -> str:
    """Return a text that can be stored and printed on one line, cut where it would be endless."""
    if text.isprintable() and text.isascii():
        return text[:LONGEST_TARGET]
    kept = text.encode("utf-8", "replace").decode()
    return "".join(sign if sign.isprintable() else "�" for sign in kept)[:LONGEST_TARGET]
