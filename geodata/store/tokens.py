"""Tokens: what a source shows to post its events; only the hash of each secret is kept."""

from __future__ import annotations

import hashlib
import hmac
import secrets
import sqlite3
from dataclasses import dataclass

from geodata.errors import BadSetting, Fault, NotFound

LONGEST_SOURCE = 60
_SECRET_BYTES = 32
_MARK = "getu"
_NOBODY = bytes(hashlib.sha256().digest_size)


@dataclass(frozen=True, slots=True, kw_only=True)
class Token:
    """One token without its secret; `made_at` and `revoked_at` are UTC seconds."""

    token: int
    source: str
    made_at: int
    used_day: str | None
    revoked_at: int | None


def add_token(connection: sqlite3.Connection, source: str, *, now: int) -> str:
    """
    Make a token for a source inside the caller's transaction; return its secret, this once.

    A second token of the same source stands beside the first, so that it can be changed without a
    gap. Raises BadSetting for a name that no source can have.
    """
    name = clean_source(source)
    cursor = connection.execute(
        "INSERT INTO token (source, digest, made_at) VALUES (?, ?, ?)", (name, _NOBODY, now)
    )
    secret = f"{_MARK}_{cursor.lastrowid}_{secrets.token_urlsafe(_SECRET_BYTES)}"
    connection.execute(
        "UPDATE token SET digest = ? WHERE token = ?", (_digest(secret), cursor.lastrowid)
    )
    return secret


def clean_source(source: str) -> str:
    """Return a source's name, trimmed; raises BadSetting for one that no source can have."""
    name = source.strip()
    if not name or len(name) > LONGEST_SOURCE or not name.isprintable():
        raise BadSetting(Fault(key="token_source", values={"limit": LONGEST_SOURCE}))
    return name


def find_token(connection: sqlite3.Connection, secret: str) -> Token | None:
    """Return the token in use that has this secret, or None; takes as long either way."""
    number = secret.split("_", 2)[1] if secret.count("_") >= 2 else ""
    row = None
    if number.isascii() and number.isdigit() and len(number) < 18:
        row = connection.execute(
            "SELECT digest, token, source, made_at, used_day, revoked_at FROM token"
            " WHERE token = ?",
            (int(number),),
        ).fetchone()
    known = hmac.compare_digest(_NOBODY if row is None else row[0], _digest(secret))
    if row is None or not known or row[5] is not None:
        return None
    return _token(row[1:])


def list_tokens(connection: sqlite3.Connection) -> list[Token]:
    """Return every token that was ever made, oldest first."""
    rows = connection.execute(
        "SELECT token, source, made_at, used_day, revoked_at FROM token ORDER BY token"
    )
    return [_token(row) for row in rows]


def revoke_tokens(connection: sqlite3.Connection, source: str, *, now: int) -> int:
    """
    Revoke every token of a source inside the caller's transaction; return how many that were.

    Raises NotFound when the source has none in use.
    """
    gone = connection.execute(
        "UPDATE token SET revoked_at = ? WHERE source = ? AND revoked_at IS NULL",
        (now, source.strip()),
    ).rowcount
    if not gone:
        raise NotFound(Fault(key="token_missing", values={"source": source}))
    return gone


def note_use(connection: sqlite3.Connection, token: int, *, day: str) -> None:
    """Note the day (ISO) on which a token was last used, inside the caller's transaction."""
    connection.execute(
        "UPDATE token SET used_day = ? WHERE token = ? AND used_day IS NOT ?", (day, token, day)
    )


def _token(row: tuple[int, str, int, str | None, int | None]) -> Token:
    token, source, made_at, used_day, revoked_at = row
    return Token(
        token=token, source=source, made_at=made_at, used_day=used_day, revoked_at=revoked_at
    )


def _digest(secret: str) -> bytes:
    return hashlib.sha256(secret.encode("utf-8", "replace")).digest()
