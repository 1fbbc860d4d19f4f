"""Accounts and their sessions in the store; only hashes of passwords and session ids are kept."""

from __future__ import annotations

import hashlib
import secrets
import sqlite3
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import orjson

from geodata.access.accounts import WALL, Account, plain_name
from geodata.errors import BadSetting, Fault, NotFound

_SECRET_BYTES = 32  # 256 bits: no one guesses a session
_LONGEST_SECRET = 100
_COLUMNS = (
    "account.account, account.name, account.role, account.areas, account.address,"
    " account.one_time, account.password_at, account.made_at, account.used_day,"
    " account.disabled_at"
)
_WIDTH = 10  # of an account among them


@dataclass(frozen=True, slots=True, kw_only=True)
class Session:
    """One open session; `digest` stands for its id, times are UTC seconds."""

    digest: bytes
    account: Account
    made_at: int
    seen_at: int
    address: str


def has_accounts(connection: sqlite3.Connection) -> bool:
    """Tell whether the city has accounts, disabled ones too: then nobody comes in without one."""
    return bool(connection.execute("SELECT EXISTS (SELECT 1 FROM account)").fetchone()[0])


def add_account(
    connection: sqlite3.Connection,
    name: str,
    *,
    role: str,
    areas: Sequence[str],
    address: str,
    password: str,
    one_time: bool,
    now: int,
) -> None:
    """
    Add an account inside the caller's transaction; `password` is its hash.

    Raises BadSetting when there is one that is called so, or looks so.
    """
    row = (
        name, plain_name(name), role, _pack(areas), address, password, one_time, now, now
    )  # fmt: skip
    done = connection.execute(
        "INSERT INTO account (name, plain, role, areas, address, password, one_time,"
        " password_at, made_at) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?) ON CONFLICT DO NOTHING",
        row,
    )
    if not done.rowcount:
        raise BadSetting(Fault(key="account_exists", values={"name": name}))


def find_account(connection: sqlite3.Connection, name: str) -> tuple[Account, str] | None:
    """Return an account and the hash of its password, or None."""
    row = connection.execute(
        f"SELECT {_COLUMNS}, account.password FROM account WHERE plain = ?",  # noqa: S608
        (plain_name(name),),
    ).fetchone()
    return None if row is None else (_account(row), row[-1])


def get_account(connection: sqlite3.Connection, name: str) -> Account:
    """Return an account by name. Raises NotFound."""
    found = find_account(connection, name)
    if found is None:
        raise NotFound(Fault(key="account_missing", values={"name": name}))
    return found[0]


def list_accounts(connection: sqlite3.Connection) -> list[tuple[Account, int]]:
    """Return every account with the number of its sessions, oldest first."""
    rows = connection.execute(
        f"SELECT {_COLUMNS}, (SELECT count(*) FROM session s"  # noqa: S608
        " WHERE s.account = account.account) FROM account ORDER BY account.account"
    )
    return [(_account(row), row[-1]) for row in rows]


def change_account(
    connection: sqlite3.Connection,
    account: int,
    *,
    role: str,
    areas: Sequence[str],
    address: str,
) -> None:
    """Change what an account may do and see; it holds from its next request."""
    connection.execute(
        "UPDATE account SET role = ?, areas = ?, address = ? WHERE account = ?",
        (role, _pack(areas), address, account),
    )


def set_disabled(connection: sqlite3.Connection, account: int, at: int | None) -> None:
    """Disable an account from a moment and end its sessions, or enable it with None."""
    connection.execute("UPDATE account SET disabled_at = ? WHERE account = ?", (at, account))
    if at is not None:
        end_sessions(connection, account)


def set_password(
    connection: sqlite3.Connection, account: int, password: str, *, one_time: bool, now: int
) -> None:
    """Set the hash of an account's password and end its sessions."""
    connection.execute(
        "UPDATE account SET password = ?, one_time = ?, password_at = ? WHERE account = ?",
        (password, one_time, now, account),
    )
    end_sessions(connection, account)


# --- sessions ------------------------------------------------------------------------------------


def open_session(
    connection: sqlite3.Connection, account: int, *, address: str, day: str, now: int
) -> str:
    """Open a session inside the caller's transaction; return its id, which only the browser has."""
    secret = secrets.token_urlsafe(_SECRET_BYTES)
    connection.execute(
        "INSERT INTO session VALUES (?, ?, ?, ?, ?)",
        (digest_of(secret), account, now, now, address),
    )
    connection.execute(
        "UPDATE account SET used_day = ? WHERE account = ? AND used_day IS NOT ?",
        (day, account, day),
    )
    return secret


def find_session(connection: sqlite3.Connection, secret: str) -> Session | None:
    """Return the session that has this id and its account, or None; one look-up by key."""
    if len(secret) > _LONGEST_SECRET:
        return None
    digest = digest_of(secret)
    row = connection.execute(
        f"SELECT {_COLUMNS}, session.made_at, session.seen_at, session.address"  # noqa: S608
        " FROM session JOIN account ON account.account = session.account WHERE digest = ?",
        (digest,),
    ).fetchone()
    if row is None:
        return None
    made_at, seen_at, address = row[-3:]
    return Session(
        digest=digest, account=_account(row), made_at=made_at, seen_at=seen_at, address=address
    )


def touch_sessions(connection: sqlite3.Connection, seen: Mapping[bytes, int]) -> None:
    """Note when sessions were last used, all in the caller's transaction."""
    connection.executemany(
        "UPDATE session SET seen_at = max(seen_at, ?) WHERE digest = ?",
        [(at, digest) for digest, at in seen.items()],
    )


def end_session(connection: sqlite3.Connection, digest: bytes) -> None:
    """End one session; its next request is nobody's."""
    connection.execute("DELETE FROM session WHERE digest = ?", (digest,))


def end_sessions(connection: sqlite3.Connection, account: int) -> int:
    """End every session of an account; return how many that were."""
    return connection.execute("DELETE FROM session WHERE account = ?", (account,)).rowcount


def clear_sessions(
    connection: sqlite3.Connection, *, made_before: int, seen_before: int, walls_before: int
) -> None:
    """Remove sessions that have ended by their age or without a hand; a wall's by its age alone."""
    connection.execute(
        "DELETE FROM session WHERE made_at < ? OR ((made_at < ? OR seen_at < ?)"
        " AND account IN (SELECT account FROM account WHERE role <> ?))",
        (walls_before, made_before, seen_before, WALL),
    )


def digest_of(secret: str) -> bytes:
    """Return what the store keeps of a session's id."""
    return hashlib.sha256(secret.encode("utf-8", "replace")).digest()


def _account(row: Sequence[Any]) -> Account:
    number, name, role, areas, address, one_time, password_at, made_at, used_day, disabled_at = row[
        :_WIDTH
    ]
    return Account(
        account=number,
        name=name,
        role=role,
        areas=tuple(orjson.loads(areas)),
        address=address,
        one_time=bool(one_time),
        password_at=password_at,
        made_at=made_at,
        used_day=used_day,
        disabled_at=disabled_at,
    )


def _pack(areas: Sequence[str]) -> str:
    return orjson.dumps(list(areas)).decode()
