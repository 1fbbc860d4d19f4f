"""The command `load`: files into a city."""

from __future__ import annotations

import argparse
from pathlib import Path

from commands.interrupts import STOPPED, ending_by_interrupt
from commands.options import Commands, read_clock
from commands.output import Output


def add_commands(commands: Commands) -> None:
    """Add `load`."""
    load = commands.add("load", run_load, commands.city, commands.files)
    load.add_argument("kind", metavar="KIND", help="grids, incidents, events, cameras, places, ...")
    load.add_argument("files", nargs="+", type=Path, metavar="FILE")
    load.add_argument("--source", metavar="NAME")
    load.add_argument("--system", default="grid", metavar="NAME")
    load.add_argument("--valid-from", metavar="DATE")
    load.add_argument("--swapped", action="store_true")
    load.add_argument("--recorded", metavar="COLUMN")
    load.add_argument("--overlaps", choices=("refuse", "cut"), default="refuse")
    load.add_argument("--dry-run", action="store_true")
    load.add_argument("--strict", action="store_true")


def run_load(arguments: argparse.Namespace, out: Output) -> int:
    """Load files; return 0 when anything was committed. Stopped, it takes back what it wrote."""
    from geodata.allocator import settle_allocator
    from geodata.audit.settings_log import log_settings
    from geodata.city import open_city, writing
    from geodata.loading import load_files
    from geodata.loading.report import LoadReport, merge_reports
    from geodata.loading.request import LoadRequest, parse_day, parse_mapping

    settle_allocator()  # what a step has let go does not stand beside the next one's
    city = open_city(arguments.city)
    request = LoadRequest(
        now=read_clock(),
        crs=arguments.crs,
        swapped=arguments.swapped,
        encoding=arguments.encoding,
        layer=arguments.layer,
        mapping=parse_mapping(arguments.map),
        source=arguments.source,
        level=arguments.level,
        parent=arguments.parent,
        parent_level=arguments.parent_level,
        system=arguments.system,
        valid_from=parse_day(arguments.valid_from, city.settings.zone),
        recorded=arguments.recorded,
        overlaps=arguments.overlaps,
        dry_run=arguments.dry_run,
        strict=arguments.strict,
    )
    try:
        with ending_by_interrupt(), writing(city):
            log_settings(city, now=request.now)
            reports, errors = load_files(
                city, arguments.kind, arguments.files, request, progress=out.progress
            )
    except KeyboardInterrupt:
        out.line("command.load_stopped")
        return STOPPED
    for report in reports:
        for line in report.lines(out.lang):
            out.text(line)
    for error in errors:
        if not out.as_json:
            out.error(error)
    nothing = [LoadReport(file=error.file or "", faults=error.faults) for error in errors]
    out.result(merge_reports([*reports, *nothing], out.lang))
    if any(report.accepted for report in reports):
        return 0
    return max(error.exit_code for error in errors)
