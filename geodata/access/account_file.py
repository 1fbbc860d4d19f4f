"""A file of accounts: one post a row, its role and areas, read with every fault at once."""

from __future__ import annotations

import re
from pathlib import Path

from geodata.access.account_changes import NewAccount
from geodata.access.accounts import ROLES, WALL
from geodata.errors import BadFile, Fault
from geodata.reading.archives import OWNER_LIMITS, check_size
from geodata.reading.delimited import check_is_text, parse_delimited
from geodata.reading.encodings import to_utf8
from geodata.words import LANGS, say

# What a column may be called. Any other is refused: it would be about somebody, or misspelt.
COLUMNS = {
    "name": ("name", "account", "岗位", "账号", "账号名"),
    "role": ("role", "角色"),
    "areas": ("areas", "area", "区域", "网格", "辖区"),
    "device": ("device", "设备", "大屏"),
    "address": ("address", "地址"),
}
_NEEDED = ("name", "role")
_YES = {"yes", "true", "1", "y", "是"}
_BETWEEN = re.compile(r"[\s;；、，|]+")


def read_account_file(path: Path) -> list[NewAccount]:
    """
    Return the accounts of a CSV file, not yet checked against the city.

    Columns: name, role; optional areas (codes with spaces or semicolons between), device, address.
    Roles may stand in Chinese or English. Raises BadFile.
    """
    check_size(path, OWNER_LIMITS)
    raw = path.read_bytes()
    check_is_text(raw, path.name)
    text, _ = to_utf8(raw, encoding=None, file=path.name)
    parsed = parse_delimited(text, file=path.name)
    names = {spelt: column for column, spellings in COLUMNS.items() for spelt in spellings}
    faults = list(parsed.faults)
    held: dict[str, list[str]] = {}
    for header in parsed.table.column_names:
        column = names.get(header.strip().casefold())
        if column is None:
            faults.append(
                Fault(key="account_column", field=header, values={"known": tuple(COLUMNS)})
            )
            continue
        held[column] = parsed.table.column(header).to_pylist()
    faults += [
        Fault(key="missing_column", values={"name": need, "need": need, "have": tuple(held)})
        for need in _NEEDED
        if need not in held
    ]
    if faults:
        raise BadFile(faults, file=path.name)
    rows = range(parsed.table.num_rows)
    return [_read_row({name: cells[row] for name, cells in held.items()}, row + 1) for row in rows]


def _read_row(cells: dict[str, str], row: int) -> NewAccount:
    role = _role_of(cells["role"])
    device = cells.get("device", "").strip().casefold() in _YES
    return NewAccount(
        name=cells["name"].strip(),
        # A device of another role is refused as a role that no one has.
        role=role if not device or role == WALL else f"{role} + {WALL}",
        areas=tuple(part for part in _BETWEEN.split(cells.get("areas", "")) if part),
        address=cells.get("address", "").strip(),
        row=row,
    )


def _role_of(text: str) -> str:
    """Return the role that a text names in either language; an unknown one as it is."""
    plain = text.strip().casefold()
    spoken = {say(f"role.{role}", lang).casefold(): role for role in ROLES for lang in LANGS}
    return spoken.get(plain, plain)
