"""The command that hands decisions back to their source: `decisions export`."""

from __future__ import annotations

import argparse
from pathlib import Path

from commands.options import Commands, read_clock
from commands.output import Output


def add_commands(commands: Commands) -> None:
    """Add `decisions` with its action."""
    decisions = commands.add("decisions", run_decisions, commands.city)
    decisions.add_argument("action", choices=("export",))
    decisions.add_argument("--source", required=True, metavar="NAME")
    decisions.add_argument(
        "--since", type=int, default=0, metavar="REVISION", help="what was decided after it"
    )
    decisions.add_argument("--out", type=Path, required=True, metavar="FILE.csv|FILE.json")


def run_decisions(arguments: argparse.Namespace, out: Output) -> int:
    """Write the decisions on one source's incidents to a file, and the export into the log."""
    import orjson

    from geodata.access.scope import Scope
    from geodata.audit.log import CONSOLE, write_entry
    from geodata.city import open_city
    from geodata.desk.decision_list import list_decisions
    from geodata.errors import BadSetting, Fault

    form = arguments.out.suffix.lower()
    if form not in (".csv", ".json"):
        raise BadSetting(Fault(key="decisions_form"), file=arguments.out.name)
    city = open_city(arguments.city)
    machine = Scope.whole_city(CONSOLE, ("export",))
    with city.database.transaction() as connection:
        found = list_decisions(connection, city, machine, arguments.source, since=arguments.since)
        write_entry(
            connection,
            account=CONSOLE,
            act="export.decisions",
            target=arguments.source,
            n=len(found.rows),
            at=read_clock(),
            detail={"since": arguments.since},
        )
    made = found.as_csv() if form == ".csv" else orjson.dumps(found.as_json())
    arguments.out.write_bytes(made)
    out.line(
        "command.decisions_done",
        n=len(found.rows),
        file=str(arguments.out),
        revision=found.revision,
    )
    out.result({"rows": len(found.rows), "revision": found.revision, "out": str(arguments.out)})
    return 0
