"""The command `user`: the accounts of a city, from the machine it runs on."""

from __future__ import annotations

import argparse
import getpass
import sys
from pathlib import Path
from typing import TYPE_CHECKING

from commands.options import Commands, read_clock
from commands.output import Output
from geodata.errors import BadSetting, Fault
from geodata.words import say

if TYPE_CHECKING:
    from geodata.access.account_changes import AccountReport
    from geodata.city import City

ACTIONS = ("add", "list", "change", "disable", "enable", "password", "import", "revoke")


def add_commands(commands: Commands) -> None:
    """Add `user`."""
    account = commands.add("user", run_account, commands.city)
    account.add_argument("action", choices=ACTIONS)
    account.add_argument("name", nargs="?", metavar="NAME", help="or FILE.csv, for import")
    account.add_argument("--role", help="viewer, staff, duty, planner, approver, ...")
    account.add_argument("--area", action="append", metavar="CODE", help="of a grid of any level")
    account.add_argument("--whole-city", action="store_true", help="change: no areas any more")
    account.add_argument("--device", action="store_true", help="a wall: stays signed in, reads")
    account.add_argument("--address", metavar="IP", help="the only one a wall signs in from")


def run_account(arguments: argparse.Namespace, out: Output) -> int:
    """Add, list or change accounts."""
    from geodata.access.account_changes import show_accounts
    from geodata.city import open_city

    city = open_city(arguments.city)
    if arguments.action == "list":
        lines, plain = show_accounts(city, out.lang)
        out.text("\n".join(lines))
        out.result({"accounts": plain})
        return 0
    if not arguments.name:
        raise BadSetting(Fault(key="account_unnamed"))
    report = _change(arguments, city, out)
    out.text("\n".join(report.lines(out.lang)))
    out.result(report.as_json())
    return 0


def _change(arguments: argparse.Namespace, city: City, out: Output) -> AccountReport:
    from geodata.access.account_changes import (
        NewAccount,
        add_accounts,
        alter_account,
        renew_password,
        switch_account,
    )
    from geodata.access.account_file import read_account_file

    now, name = read_clock(), arguments.name
    if arguments.action == "import":
        file = Path(name)
        return add_accounts(city, read_account_file(file), password=None, now=now, file=file.name)
    if arguments.action == "add":
        wanted = NewAccount(
            name=name.strip(),
            role=_role(arguments) or "",
            areas=tuple(arguments.area or ()),
            address=arguments.address or "",
        )
        return add_accounts(city, [wanted], password=_read_password(out), now=now)
    if arguments.action == "password":
        return renew_password(city, name, password=_read_password(out), now=now)
    if arguments.action == "change":
        return alter_account(
            city,
            name,
            role=_role(arguments),
            areas=() if arguments.whole_city else arguments.area,
            address=arguments.address,
            now=now,
        )
    return switch_account(city, name, arguments.action, now=now)


def _role(arguments: argparse.Namespace) -> str | None:
    """Return the role asked for; `--device` alone asks for a wall's."""
    from geodata.access.accounts import WALL

    if arguments.device and arguments.role not in (None, WALL):
        raise BadSetting(Fault(key="device_role"))
    return WALL if arguments.device else arguments.role


def _read_password(out: Output) -> str | None:
    """
    Return the password that is typed or piped in, None where there is none: then one is made.

    Never an argument: every program on the machine can read those.
    """
    if not sys.stdin.isatty():
        return sys.stdin.readline().rstrip("\r\n") or None
    first = getpass.getpass(say("account.prompt", out.lang))
    if first and getpass.getpass(say("account.prompt_again", out.lang)) != first:
        raise BadSetting(Fault(key="password_differs"))
    return first or None
