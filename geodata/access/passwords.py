"""Passwords: hashed with argon2id, never kept, and as slow to check for nobody as for somebody."""

from __future__ import annotations

import functools
import secrets
import unicodedata
from itertools import pairwise

from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError
from argon2.profiles import RFC_9106_LOW_MEMORY

from geodata.errors import Fault

LONGEST = 200  # a longer one only costs time
_LEAST_SIGNS = 4
_GROUPS, _GROUP = 4, 5
_ALPHABET = "abcdefghjkmnpqrstuvwxyz23456789"  # nothing that a printed sheet leaves in doubt


def hash_password(text: str) -> str:
    """Return the argon2id hash of a password, with its salt and costs (RFC 9106, low memory)."""
    return _hasher().hash(_plain(text))


def check_password(text: str, hashed: str | None) -> bool:
    """
    Tell whether a password fits a hash; None stands for an account that does not exist.

    Takes as long either way: who listens to the clock learns no account's name.
    """
    nobody = _hash_of_nobody()
    try:
        _hasher().verify(nobody if hashed is None else hashed, _plain(text[: LONGEST + 1]))
    except (VerificationError, InvalidHashError):
        return False
    return hashed is not None


def find_weakness(text: str, *, names: tuple[str, ...], least: int) -> Fault | None:
    """
    Return what makes a password too easy, or None.

    `names` are the texts that anybody would try first: the account's own name, the city's.
    """
    plain = _plain(text).casefold()
    if not least <= len(plain) <= LONGEST:
        return Fault(key="password_length", values={"least": least, "most": LONGEST})
    told = [_plain(name).casefold() for name in names if name]
    if any(name in plain and len(plain.replace(name, "")) < least // 2 for name in told):
        return Fault(key="password_named")
    steps = {ord(after) - ord(before) for before, after in pairwise(plain)}
    rows = steps <= {0, 1} or steps <= {0, -1}
    if len(set(plain)) < _LEAST_SIGNS or rows or plain.isdigit():  # a date, a telephone
        return Fault(key="password_plain", values={"signs": _LEAST_SIGNS})
    return None


def make_password() -> str:
    """Return a one-time password of 99 bits that can be read from paper and typed."""
    groups = ("".join(secrets.choice(_ALPHABET) for _ in range(_GROUP)) for _ in range(_GROUPS))
    return "-".join(groups)


def _plain(text: str) -> str:
    """Return the password as every keyboard and input method gives it (NFKC)."""
    return unicodedata.normalize("NFKC", text)


@functools.cache
def _hasher() -> PasswordHasher:
    return PasswordHasher.from_parameters(RFC_9106_LOW_MEMORY)


@functools.cache
def _hash_of_nobody() -> str:
    return _hasher().hash(secrets.token_hex())
