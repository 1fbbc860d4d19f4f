"""Scope: which grids and which permissions an account has; a required argument of every read."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

ROWS = "read.rows"  # without it an account sees no single incident anywhere


@dataclass(frozen=True, slots=True, kw_only=True)
class Scope:
    """
    What a read may return.

    `grids` holds the uids of every finest grid in the account's subtrees, or None for all of them.
    There is no default scope on purpose: who reads must say for whom.
    """

    account: str
    grids: frozenset[int] | None
    permissions: frozenset[str]
    role: str = ""  # what the bar and the log call it; what it may do is in `permissions`

    @classmethod
    def whole_city(
        cls, account: str, permissions: Iterable[str] = ("read",), *, role: str = ""
    ) -> Scope:
        """Return the scope of an account that may see every grid."""
        return cls(account=account, grids=None, permissions=frozenset(permissions), role=role)

    def has(self, permission: str) -> bool:
        """Tell whether the account may do what this permission stands for."""
        return permission in self.permissions

    @property
    def everything(self) -> bool:
        """Tell whether no grid is hidden."""
        return self.grids is None

    def allows(self, uid: int) -> bool:
        """Tell whether the grid with this uid may be seen."""
        return self.grids is None or uid in self.grids
