"""The command `watch`: files that appear in the watched folder are loaded."""

from __future__ import annotations

import argparse
import time

from commands.options import Commands, read_clock
from commands.output import Output


def add_commands(commands: Commands) -> None:
    """Add `watch`."""
    watch = commands.add("watch", run_watch, commands.city)
    watch.add_argument("--once", action="store_true", help="look once and end")


def run_watch(arguments: argparse.Namespace, out: Output) -> int:
    """Load what appears in the watched folder; return 1 when a file of a single look is refused."""
    from geodata.city import open_city
    from geodata.intake.watched import Watch

    city = open_city(arguments.city)
    watch = Watch(city)
    handled = watch.look(now=read_clock())
    if arguments.once and watch.waiting():  # seen for the first time just now
        time.sleep(city.settings.watched_settle_s)
        handled += watch.look(now=read_clock())
    while True:
        for one in handled:
            out.line(
                "watched.took" if one.taken else "watched.refused",
                name=one.name,
                kept=str(one.kept),
            )
        if arguments.once:
            break
        time.sleep(city.settings.watched_every_s)
        handled = watch.look(now=read_clock())
    if not handled:
        out.line("watched.nothing", n=watch.waiting())
    out.result(
        {"files": [{"taken": one.taken, "kept": str(one.kept), **one.report} for one in handled]}
    )
    return int(any(not one.taken for one in handled))
