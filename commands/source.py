"""The command `source`: what is expected of each source, and how they do."""

from __future__ import annotations

import argparse

from commands.options import Commands, read_clock
from commands.output import Output
from geodata.errors import BadSetting, Fault


def add_commands(commands: Commands) -> None:
    """Add `source`."""
    source = commands.add("source", run_source, commands.city)
    source.add_argument("action", choices=("set", "list"))
    source.add_argument("source", nargs="?", metavar="NAME")
    source.add_argument("--every", metavar="15m", help="the interval it is expected at, or none")
    source.add_argument("--kind", help="report, patrol, device or system")


def run_source(arguments: argparse.Namespace, out: Output) -> int:
    """Say what is expected of a source, or list them all."""
    from geodata.city import open_city
    from geodata.events.sources import plan_source, report_sources

    now = read_clock()
    if arguments.action == "list":
        report = report_sources(open_city(arguments.city), now=now)
    else:
        if arguments.every is None:
            raise BadSetting(Fault(key="source_every"))
        report = plan_source(
            arguments.city, arguments.source or "", every=arguments.every, kind=arguments.kind,
            now=now,
        )  # fmt: skip
    out.text("\n".join(report.lines(out.lang)))
    out.result(report.as_json())
    return 0
