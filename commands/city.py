"""The commands about a whole city: `init`, `info`, `token`."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import Any

from commands.options import Commands, read_clock
from commands.output import Output


def add_commands(commands: Commands) -> None:
    """Add `init`, `info` and `token`."""
    init = commands.add("init", run_init)
    init.add_argument("folder", type=Path, metavar="DIR")
    init.add_argument("--crs", help="the metric CRS, e.g. EPSG:4549")
    init.add_argument("--name", help="the city's name in Chinese")
    init.add_argument("--name-en", help="the city's name in English")
    init.add_argument("--timezone", help="IANA name, e.g. Asia/Shanghai")

    commands.add("info", run_info, commands.city)
    token = commands.add("token", run_token, commands.city)
    token.add_argument("action", choices=("add", "list", "revoke"))
    token.add_argument("source", nargs="?", metavar="SOURCE")


def run_init(arguments: argparse.Namespace, out: Output) -> int:
    """Make an empty city folder."""
    from geodata.city import create_city

    english = arguments.name_en or arguments.name
    values: dict[str, Any] = {"name_zh": arguments.name, "name_en": english}
    values = {name: value for name, value in values.items() if value}
    if arguments.timezone:
        values["timezone"] = arguments.timezone
    if arguments.crs:
        values["crs"] = arguments.crs
    create_city(arguments.folder, values)
    out.line("command.init_done", folder=str(arguments.folder))
    out.result({"city": str(arguments.folder)})
    return 0


def run_info(arguments: argparse.Namespace, out: Output) -> int:
    """Print what is in a city."""
    from geodata.city import open_city
    from geodata.snapshots.inventory import describe_city

    inventory = describe_city(open_city(arguments.city), now=read_clock())
    out.text("\n".join(inventory.lines(out.lang)))
    out.result(inventory.as_json())
    return 0


def run_token(arguments: argparse.Namespace, out: Output) -> int:
    """Add, list or revoke the tokens of sources."""
    from geodata.access.source_tokens import change_tokens

    report = change_tokens(arguments.city, arguments.action, arguments.source, now=read_clock())
    out.text("\n".join(report.lines(out.lang)))
    out.result(report.as_json())
    return 0
