"""The command about the log: `audit seal`, `audit verify`, `audit list`."""

from __future__ import annotations

import argparse

from commands.options import Commands, read_clock
from commands.output import Output

LISTED = 50  # rows that `audit list` prints where it is not told


def add_commands(commands: Commands) -> None:
    """Add `audit` with its actions."""
    audit = commands.add("audit", run_audit, commands.city)
    audit.add_argument("action", choices=("seal", "verify", "list"))
    audit.add_argument(
        "--head", action="append", default=[], metavar="ROW:HASH", help="a head that was printed"
    )
    audit.add_argument("--account", help="whose rows")
    audit.add_argument("--act", help="an act or its beginning, e.g. view.")
    audit.add_argument("--target", help="what it was done to")
    audit.add_argument("--grid", metavar="CODE", help="a grid's code")
    audit.add_argument("--from", dest="from_day", metavar="DAY", help="from this day on")
    audit.add_argument("--to", dest="to_day", metavar="DAY", help="until the end of this day")
    audit.add_argument("--last", type=int, default=LISTED, metavar="N", help="the newest N")


def run_audit(arguments: argparse.Namespace, out: Output) -> int:
    """Seal, check or list the log; a check that finds a break exits with 1."""
    actions = {"seal": _seal, "verify": _verify, "list": _list}
    return actions[arguments.action](arguments, out)


def _seal(arguments: argparse.Namespace, out: Output) -> int:
    from geodata.audit.log import CONSOLE, seal_log
    from geodata.audit.report import SealReport
    from geodata.city import open_city

    city = open_city(arguments.city)
    with city.database.transaction() as connection:
        head = seal_log(connection, account=CONSOLE, at=read_clock())
    report = SealReport(head=head, zone=city.settings.zone)
    out.text("\n".join(report.lines(out.lang)))
    out.result(report.as_json())
    return 0


def _verify(arguments: argparse.Namespace, out: Output) -> int:
    from geodata.audit.check import check_log, parse_head
    from geodata.audit.report import CheckReport
    from geodata.city import open_city

    city = open_city(arguments.city)
    heads = [parse_head(text) for text in arguments.head]
    with city.database.read() as connection:
        checked = check_log(connection, heads=heads)
    report = CheckReport(checked=checked, zone=city.settings.zone)
    out.text("\n".join(report.lines(out.lang)))
    out.result(report.as_json())
    return 0 if checked.whole else 1


def _list(arguments: argparse.Namespace, out: Output) -> int:
    from geodata.access.scope import Scope
    from geodata.audit.log import CONSOLE
    from geodata.audit.report import LogReport, wish_rows
    from geodata.city import open_city
    from geodata.store.audit_rows import count_log, find_grids, read_codes, read_log

    city = open_city(arguments.city)
    scope = Scope.whole_city(CONSOLE)
    with city.database.read() as connection:
        wanted = wish_rows(
            account=arguments.account,
            act=arguments.act,
            target=arguments.target,
            grids=find_grids(connection, arguments.grid) if arguments.grid else None,
            from_day=arguments.from_day,
            to_day=arguments.to_day,
            zone=city.settings.zone,
        )
        report = LogReport(
            rows=read_log(connection, scope, wanted, most=max(arguments.last, 0)),
            total=count_log(connection, scope, wanted),
            codes=read_codes(connection),
            zone=city.settings.zone,
        )
    out.text("\n".join(report.lines(out.lang)))
    out.result(report.as_json())
    return 0
