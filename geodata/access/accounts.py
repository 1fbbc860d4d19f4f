"""Accounts: posts with a role and the areas they answer for, and what each role may do."""

from __future__ import annotations

import ipaddress
import re
import unicodedata
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from geodata.access.scope import Scope
from geodata.errors import BadSetting, Fault
from geodata.grids import LEVELS, GridSystem

# What each role may do. Who draws the grids never publishes them, and who keeps the accounts sees
# no single incident.
ROLES: dict[str, frozenset[str]] = {
    "viewer": frozenset({"read", "read.rows"}),
    "staff": frozenset({"read", "read.rows", "act"}),
    "duty": frozenset({"read", "read.rows", "act", "export"}),
    "planner": frozenset({"read", "read.rows", "plan", "export"}),
    "approver": frozenset({"read", "read.rows", "approve", "decide", "export"}),
    "clerk": frozenset({"read", "load"}),
    "administrator": frozenset({"read", "admin", "load"}),
    "auditor": frozenset({"read", "read.rows", "audit"}),
    "analyst": frozenset({"read", "export"}),
    "wall": frozenset({"read", "read.rows"}),
}
DUTY = "duty"  # the role of the posts that take alarms
WALL = "wall"  # the role of devices: a screen that nobody sits at, pinned to its address
LONGEST_NAME = 40
_BETWEEN = ":"  # a level and a code, where the code alone would be two grids
# An account is a post. A mobile or identity number in its name would make it somebody.
_SOMEBODY = re.compile(r"(?<!\d)1[3-9]\d{9}(?!\d)|(?<!\d)\d{17}[\dXx](?![\dXx])|@")


@dataclass(frozen=True, slots=True, kw_only=True)
class Account:
    """
    One account without its password; times are UTC seconds.

    `areas` are codes of grids of any level, each "code" or "level:code"; none is the whole city.
    `address` is the one a wall signs in from, empty for any.
    """

    account: int
    name: str
    role: str
    areas: tuple[str, ...]
    address: str
    one_time: bool
    password_at: int
    made_at: int
    used_day: str | None
    disabled_at: int | None

    @property
    def device(self) -> bool:
        """Tell whether this is a wall: it stays signed in, at one address, and only reads."""
        return self.role == WALL


@dataclass(frozen=True, slots=True, kw_only=True)
class Reach:
    """The finest grids of some areas by uid, and the areas that the drawing does not have."""

    grids: frozenset[int] | None
    retired: tuple[str, ...] = ()


def scope_of(account: Account, reach: Reach) -> Scope:
    """Return what an account may see and do."""
    return Scope(
        account=account.name,
        role=account.role,
        grids=reach.grids,
        permissions=ROLES[account.role],
    )


def find_reach(areas: Sequence[str], grids: GridSystem | None) -> Reach:
    """
    Return the finest grids in some areas' subtrees in one drawing.

    A code that the drawing no longer has stands for nothing, never for more. No areas are all.
    """
    if not areas:
        return Reach(grids=None)
    found: set[int] = set()
    retired = []
    for area in areas:
        uids = [] if grids is None else _find_uids(area, grids)
        if grids is None or not uids:
            retired.append(area)
            continue
        # Of two grids with one code the inner: an account made before the second came gets less.
        found |= {int(uid) for uid in grids.subtree_uids(uids[-1])}
    leaves = set() if grids is None else set(grids.finest()["uid"].tolist())
    return Reach(grids=frozenset(found & leaves), retired=tuple(retired))


def find_area_faults(areas: Sequence[str], grids: GridSystem | None) -> list[Fault]:
    """Return what is wrong with the areas of a new account: no such code, or one of two grids."""
    faults = []
    for area in areas:
        uids = [] if grids is None else _find_uids(area, grids)
        if not uids:
            faults.append(Fault(key="area_unknown", values={"area": area}))
        elif len(uids) > 1 and grids is not None:
            levels = grids.grids.set_index("uid")["level"]
            known = tuple(f"{levels[uid]}{_BETWEEN}{area}" for uid in uids)
            faults.append(Fault(key="area_twice", values={"area": area, "known": known}))
    return faults


def find_name_faults(name: str) -> list[Fault]:
    """Return what is wrong with the name of a new account."""
    if not name or len(name) > LONGEST_NAME or not name.isprintable() or name != name.strip():
        return [Fault(key="account_name", values={"limit": LONGEST_NAME})]
    if _SOMEBODY.search(unicodedata.normalize("NFKC", name)):
        return [Fault(key="account_somebody")]
    return []


def find_role_faults(role: str, address: str) -> list[Fault]:
    """Return what is wrong with a role and the address its device is pinned to."""
    faults = []
    if role not in ROLES:
        faults.append(Fault(key="role_unknown", values={"role": role, "known": tuple(ROLES)}))
    if address and not _is_address(address):
        faults.append(Fault(key="address_wrong"))
    elif address and role != WALL:
        faults.append(Fault(key="address_of_wall"))
    return faults


def plain_name(name: str) -> str:
    """Return a name as it is looked up: what looks the same and differs in case is one account."""
    return unicodedata.normalize("NFKC", name).strip().casefold()


def plain_address(text: str) -> str:
    """Return an IP address in its one form, IPv4 within IPv6 as IPv4; another text unchanged."""
    try:
        address = ipaddress.ip_address(text.partition("%")[0])
    except ValueError:
        return text
    return str(getattr(address, "ipv4_mapped", None) or address)


def raise_faults(faults: Iterable[Fault]) -> None:
    """Raise BadSetting with every fault at once, where there are any."""
    found = list(faults)
    if found:
        raise BadSetting(found)


def _find_uids(area: str, grids: GridSystem) -> list[int]:
    """Return the uids of an area's code, the outermost level first."""
    level, between, code = area.rpartition(_BETWEEN)
    frame = grids.grids
    hit = frame["code"] == (code if level in LEVELS or not between else area)
    if level in LEVELS:
        hit &= frame["level"] == level
    rows = frame[hit]
    order = sorted(
        zip(rows["uid"].tolist(), rows["level"].tolist(), strict=True),
        key=lambda row: LEVELS.index(row[1]) if row[1] in LEVELS else len(LEVELS),
    )
    return [int(uid) for uid, _ in order]


def _is_address(text: str) -> bool:
    try:
        return bool(ipaddress.ip_address(text))
    except ValueError:
        return False
