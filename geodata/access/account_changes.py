"""What `app.py user` and the page of accounts do: make, list, change and disable accounts."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import Any

from geodata.access.accounts import (
    WALL,
    Account,
    find_area_faults,
    find_name_faults,
    find_role_faults,
    plain_address,
    plain_name,
    raise_faults,
)
from geodata.access.passwords import find_weakness, hash_password, make_password
from geodata.access.scope import Scope
from geodata.audit.log import CONSOLE, write_entry
from geodata.city import City
from geodata.errors import BadFile, BadSetting, Fault
from geodata.store.accounts import (
    add_account,
    change_account,
    end_sessions,
    get_account,
    list_accounts,
    set_disabled,
    set_password,
)
from geodata.store.database import Connection
from geodata.words import Lang, say


@dataclass(frozen=True, slots=True, kw_only=True)
class NewAccount:
    """One account as it is asked for; `row` is its row in a file."""

    name: str
    role: str
    areas: tuple[str, ...] = ()
    address: str = ""
    row: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class AccountReport:
    """What became of the accounts; `passwords` by name are shown this once."""

    act: str
    names: tuple[str, ...]
    passwords: Mapping[str, str]
    ended: int = 0

    def lines(self, lang: Lang) -> list[str]:
        """Return the report as sentences for a terminal."""
        names = tuple(self.names)
        lines = [say(f"account.done.{self.act}", lang, names=names, n=self.ended)]
        if self.passwords:
            lines.append(say("account.once", lang))
            lines += [f"  {name}  {password}" for name, password in self.passwords.items()]
        return lines

    def as_json(self) -> dict[str, Any]:
        """Return the object that `--json` prints."""
        return {
            "done": self.act,
            "accounts": list(self.names),
            "passwords": dict(self.passwords),
            "sessions_ended": self.ended,
        }


def add_accounts(
    city: City,
    wanted: Sequence[NewAccount],
    *,
    password: str | None,
    now: int,
    file: str = "",
    by: Scope | str = CONSOLE,
) -> AccountReport:
    """
    Add accounts, all or none; without a password each gets a one-time one, returned this once.

    A one-time password opens once, to choose one's own; a wall keeps it. Raises BadSetting or, for
    a file, BadFile with the faults of every row at once.
    """
    faults = _find_faults(city, wanted, now)
    if password is not None:
        weak = find_weakness(password, names=_names(city, wanted[0].name), least=_least(city))
        faults += [weak] if weak else []
    if faults:
        raise BadFile(faults, file=file) if file else BadSetting(faults)
    passwords = {one.name: password or make_password() for one in wanted}
    hashes = {name: hash_password(text) for name, text in passwords.items()}
    with city.database.transaction() as connection:
        for one in wanted:
            add_account(
                connection,
                one.name,
                role=one.role,
                areas=one.areas,
                address=plain_address(one.address),
                password=hashes[one.name],
                one_time=password is None and one.role != WALL,
                now=now,
            )
            detail = {"role": one.role, "areas": list(one.areas)}
            _note(connection, "account.add", one.name, by, now=now, detail=detail)
    return AccountReport(
        act="add",
        names=tuple(passwords),
        passwords=passwords if password is None else {},
    )


def alter_account(
    city: City,
    name: str,
    *,
    role: str | None,
    areas: Sequence[str] | None,
    address: str | None,
    now: int,
    by: Scope | str = CONSOLE,
) -> AccountReport:
    """Change the role, areas or address of an account; None leaves it as it is."""
    with city.database.read() as connection:
        old = get_account(connection, name)
    new = NewAccount(
        name=old.name,
        role=old.role if role is None else role,
        areas=old.areas if areas is None else tuple(areas),
        address=old.address if address is None else plain_address(address),
    )
    grids = city.grids_in_force(now) if new.areas else None
    raise_faults([*find_role_faults(new.role, new.address), *find_area_faults(new.areas, grids)])
    with city.database.transaction() as connection:
        change_account(connection, old.account, role=new.role, areas=new.areas, address=new.address)
        if (old.role == WALL) != (new.role == WALL):
            end_sessions(connection, old.account)  # a wall's sessions live by other rules
        detail = {"role": new.role, "areas": list(new.areas)}
        _note(connection, "account.change", old.name, by, now=now, detail=detail)
    return AccountReport(act="change", names=(old.name,), passwords={})


def switch_account(
    city: City, name: str, act: str, *, now: int, by: Scope | str = CONSOLE
) -> AccountReport:
    """
    Disable, enable, or revoke the sessions of an account; holds from its next request.

    Raises NotFound for an account that is not there.
    """
    with city.database.transaction() as connection:
        account = get_account(connection, name)
        ended = 0
        if act != "enable":
            ended = end_sessions(connection, account.account)
        if act != "revoke":
            set_disabled(connection, account.account, now if act == "disable" else None)
        detail = {"sessions": ended}
        _note(connection, f"account.{act}", account.name, by, now=now, detail=detail)
    return AccountReport(act=act, names=(account.name,), passwords={}, ended=ended)


def renew_password(
    city: City, name: str, *, password: str | None, now: int, by: Scope | str = CONSOLE
) -> AccountReport:
    """Set an account's password, or make a one-time one; its sessions end."""
    with city.database.read() as connection:
        account = get_account(connection, name)
    if password is not None:
        weak = find_weakness(password, names=_names(city, account.name), least=_least(city))
        raise_faults([weak] if weak else [])
    made = password or make_password()
    hashed = hash_password(made)
    one_time = password is None and not account.device
    with city.database.transaction() as connection:
        set_password(connection, account.account, hashed, one_time=one_time, now=now)
        detail = {"one_time": one_time}
        _note(connection, "account.password", account.name, by, now=now, detail=detail)
    shown = {account.name: made} if password is None else {}
    return AccountReport(act="password", names=(account.name,), passwords=shown)


def show_accounts(city: City, lang: Lang) -> tuple[list[str], list[dict[str, Any]]]:
    """Return every account as lines for a terminal and as plain data."""
    with city.database.read() as connection:
        rows = list_accounts(connection)
    lines = [_line(city, account, sessions, lang) for account, sessions in rows]
    plain = [
        {
            "name": account.name,
            "role": account.role,
            "areas": list(account.areas),
            "address": account.address,
            "device": account.device,
            "one_time": account.one_time,
            "made_at": account.made_at,
            "used_day": account.used_day,
            "disabled_at": account.disabled_at,
            "sessions": sessions,
        }
        for account, sessions in rows
    ]
    return lines or [say("account.none", lang)], plain


def _line(city: City, account: Account, sessions: int, lang: Lang) -> str:
    made = datetime.fromtimestamp(account.made_at, UTC).astimezone(city.settings.zone)
    return say(
        "account.row",
        lang,
        name=account.name,
        role=say(f"role.{account.role}", lang),
        areas=account.areas or say("account.whole_city", lang),
        made=made.date().isoformat(),
        used=account.used_day or "–",
        sessions=sessions,
        state=say(f"account.{_state(account)}", lang),
    )


def _state(account: Account) -> str:
    if account.disabled_at is not None:
        return "disabled"
    return "one_time" if account.one_time else "in_use"


def _find_faults(city: City, wanted: Sequence[NewAccount], now: int) -> list[Fault]:
    """Return every fault of every wanted account, each with its row."""
    grids = city.grids_in_force(now) if any(one.areas for one in wanted) else None
    with city.database.read() as connection:
        taken = {plain_name(account.name) for account, _ in list_accounts(connection)}
    faults: list[Fault] = []
    for one in wanted:
        found = [
            *find_name_faults(one.name),
            *find_role_faults(one.role, one.address),
            *find_area_faults(one.areas, grids),
        ]
        if plain_name(one.name) in taken:
            found.append(Fault(key="account_exists", values={"name": one.name}))
        taken.add(plain_name(one.name))
        faults += [replace(fault, row=one.row) for fault in found]
    return faults


def _names(city: City, name: str) -> tuple[str, ...]:
    return (name, city.settings.name_zh, city.settings.name_en)


def _least(city: City) -> int:
    return city.settings.password_least


def _note(
    connection: Connection,
    act: str,
    name: str,
    by: Scope | str,
    *,
    now: int,
    detail: Mapping[str, Any],
) -> None:
    write_entry(connection, account=by, act=act, target=name, at=now, detail=detail)
