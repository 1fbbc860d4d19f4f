"""The commands `backup`, `restore` and `rebuild`: what keeps a city's facts safe and proved."""

from __future__ import annotations

import argparse
import time
from pathlib import Path

from commands.options import Commands, read_clock
from commands.output import Output

_MB = 1024 * 1024


def add_commands(commands: Commands) -> None:
    """Add `backup`, `restore` and `rebuild`."""
    backup = commands.add("backup", run_backup, commands.city)
    backup.add_argument("folder", type=Path, metavar="FOLDER", help="a new one; made here")
    restore = commands.add("restore", run_restore, commands.city)
    restore.add_argument("folder", type=Path, metavar="FOLDER", help="what `backup` wrote")
    commands.add("rebuild", run_rebuild, commands.city)


def run_backup(arguments: argparse.Namespace, out: Output) -> int:
    """Copy a city to a new folder while it is served and fed."""
    from geodata.audit.log import CONSOLE, write_entry
    from geodata.backup import back_up
    from geodata.city import open_city

    begin_s = time.monotonic()
    city = open_city(arguments.city)
    with city.database.transaction() as connection:  # the copy holds the row that tells of it
        target = arguments.folder.name
        write_entry(
            connection, account=CONSOLE, act="export.backup", target=target, at=read_clock()
        )
    made = back_up(city, arguments.folder, progress=out.progress)
    seconds = time.monotonic() - begin_s
    out.line(
        "backup.copied",
        folder=str(made.folder),
        mb=f"{made.size / _MB:,.0f}",
        revision=made.revision,
        seconds=f"{seconds:.1f}",
    )
    if not made.head.startswith("0:"):
        out.line("backup.head", head=made.head)
    if made.has_keys:
        out.line("backup.keys")
    out.result({"backup": str(made.folder), "seconds": round(seconds, 2), **made.as_json()})
    return 0


def run_restore(arguments: argparse.Namespace, out: Output) -> int:
    """Make a city of a backup, in a new folder."""
    from geodata.backup import restore

    made = restore(arguments.folder, arguments.city, progress=out.progress)
    out.line(
        "backup.restored",
        folder=str(made.folder),
        mb=f"{made.size / _MB:,.0f}",
        revision=made.revision,
    )
    if not made.head.startswith("0:"):
        out.line("backup.head", head=made.head)
    out.line("backup.sessions")
    out.result({"city": str(made.folder), **made.as_json()})
    return 0


def run_rebuild(arguments: argparse.Namespace, out: Output) -> int:
    """Derive every incident anew from the events; say whether the store held just that."""
    from geodata.city import open_city, writing
    from geodata.events.rebuild import rebuild

    city = open_city(arguments.city)
    with writing(city):
        found = rebuild(city, now=read_clock())
    if found.equal:
        out.line("rebuild.equal", n=f"{found.incidents:,}", digest=found.after)
    else:
        out.line("rebuild.changed", n=f"{found.changed:,}", before=found.before, after=found.after)
    out.result(found.as_json())
    return 0 if found.equal else 1
