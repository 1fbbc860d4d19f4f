"""The check of the log: whether every row is as it was written, in its place and still there."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any, Literal

from geodata.audit.log import find_key
from geodata.errors import BadSetting, Fault
from geodata.store.audit import NO_HASH, Head, begin_chain, chain, list_seals, read_chain, read_head
from geodata.store.database import Connection

Kind = Literal["changed", "rewritten", "missing", "cut", "key_missing"]
_HEAD_TEXT = re.compile(r"(\d{1,18}):([0-9a-f]{16,64})")
Row = tuple[Any, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Break:
    """
    Where the log is not what was written, and how.

    "changed": this row alone. "rewritten": this row and those after it, or all under another key.
    "missing": rows were taken out before this one. "cut": the log ends before a sealed head.
    "key_missing": the key file is gone, so nothing can be said.
    """

    kind: Kind
    entry: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Checked:
    """What a check found: the last row that is as written, seals that hold, the first break."""

    head: Head
    seals: int
    broken: Break | None

    @property
    def whole(self) -> bool:
        """Tell whether the log is all there and unchanged."""
        return self.broken is None


def parse_head(text: str) -> Head:
    """
    Return a head as it was printed, "row:hash"; its hash may be the first 16 digits alone.

    Raises BadSetting for anything else.
    """
    found = _HEAD_TEXT.fullmatch(text.strip().lower())
    if found is None or len(found[2]) % 2:
        raise BadSetting(Fault(key="audit_head"))
    return Head(entry=int(found[1]), hash=bytes.fromhex(found[2]), at=0)


def check_log(connection: Connection, *, heads: Iterable[Head] = ()) -> Checked:
    """
    Check the whole log against its key, its own seals and printed heads.

    Some 5 µs a row.
    """
    return check_rows(connection, after=Head(entry=0, hash=NO_HASH, at=0), heads=heads)


def check_rows(
    connection: Connection, *, after: Head, heads: Iterable[Head] = (), most: int = -1
) -> Checked:
    """
    Check the rows after one that was found good, `most` of them or all.

    A seal of a row beyond those is looked at only when the log ends before it.
    """
    known = [*list_seals(connection), *heads]
    key = find_key(connection)
    if key is None:
        there = read_head(connection).entry
        broken = Break(kind="key_missing", entry=1) if there or known else None
        return Checked(head=after, seals=0, broken=broken)
    wanted = _by_entry(known)
    head, broken = _walk(connection, after=after, most=most, wanted=wanted, key=key)
    last = read_head(connection).entry
    if broken is None and (last < head.entry or max(wanted, default=0) > head.entry == last):
        broken = Break(kind="cut", entry=last + 1)
    seals = sum(len(hashes) for entry, hashes in wanted.items() if entry <= head.entry)
    return Checked(head=head, seals=seals, broken=broken)


def _walk(
    connection: Connection, *, after: Head, most: int, wanted: dict[int, list[bytes]], key: bytes
) -> tuple[Head, Break | None]:
    """Return the last row that is as written, and what is wrong with the one after it."""
    keyed = begin_chain(key)
    entry, before, at = after.entry, after.hash, after.at
    broken = None
    rows = read_chain(connection, after=entry, most=most)
    for row in rows:
        digest = _hash(row, before, keyed)
        if digest is None or digest != row[-1] or row[0] != entry + 1:
            broken = _judge(row, digest, next(rows, None), after=entry, keyed=keyed)
            break
        if row[0] in wanted and not all(digest.startswith(seal) for seal in wanted[row[0]]):
            broken = Break(kind="rewritten", entry=row[0])
            break
        entry, before, at = row[0], digest, row[1]
    return Head(entry=entry, hash=before, at=at), broken


def _by_entry(heads: Sequence[Head]) -> dict[int, list[bytes]]:
    wanted: dict[int, list[bytes]] = {}
    for head in heads:
        wanted.setdefault(head.entry, []).append(head.hash)
    return wanted


def _judge(
    row: Row, digest: bytes | None, following: Row | None, *, after: int, keyed: Any
) -> Break:
    """Return how a row that is not as expected was broken, by what follows it."""
    if row[0] > after + 1:
        return Break(kind="missing", entry=after + 1)
    # If the next row goes on from what this one carries, or should, then only this one is wrong.
    alone = following is None or any(
        _hash(following, before, keyed) == following[-1] for before in (row[-1], digest)
    )
    return Break(kind="changed" if alone else "rewritten", entry=row[0])


def _hash(row: Row, before: Any, keyed: Any) -> bytes | None:
    """Return the hash a row should have, None where it or `before` is of a form never written."""
    try:
        return chain(row[:-1], before=before, keyed=keyed)
    except TypeError:
        return None
