"""The commands without a city: `check` a boundary file, `own` points by grids."""

from __future__ import annotations

import argparse
from pathlib import Path

from commands.options import Commands, read_clock
from commands.output import Output


def add_commands(commands: Commands) -> None:
    """Add `check` and `own`."""
    check = commands.add("check", run_check, commands.city, commands.files)
    check.add_argument("files", nargs="*", type=Path, metavar="FILE")
    check.set_defaults(refused=1)

    own = commands.add("own", run_own, commands.files)
    own.set_defaults(refused=1)
    own.add_argument("--grids", nargs="+", type=Path, required=True, metavar="FILE")
    own.add_argument("--points", nargs="+", type=Path, required=True, metavar="FILE")
    own.add_argument("--out", type=Path, required=True, metavar="FILE")
    own.add_argument("--grids-crs", help="where it differs from the points' --crs")
    own.add_argument("--grid-code", metavar="COLUMN")
    own.add_argument("--recorded", metavar="COLUMN")
    own.add_argument("--near", type=float, default=0.0, metavar="M")
    own.add_argument("--near-line", type=float, default=15.0, metavar="M")
    own.add_argument("--engine", default="local", metavar="NAME", help="local or dask")
    own.add_argument("--workers", type=int, default=2, metavar="N")
    own.add_argument("--scheduler", metavar="ADDRESS", help="of a Dask cluster that is there")


def run_check(arguments: argparse.Namespace, out: Output) -> int:
    """Check boundaries; return 1 when they have faults."""
    from geodata.boundary import check_files
    from geodata.loading.request import parse_mapping

    checked = check_files(
        arguments.files,
        city=arguments.city if not arguments.files else None,
        crs=arguments.crs,
        encoding=arguments.encoding,
        layer=arguments.layer,
        mapping=parse_mapping(arguments.map),
        level=arguments.level,
        parent=arguments.parent,
        now=read_clock(),
    )
    for line in checked.lines(out.lang):
        out.text(line)
    out.result(checked.as_json(out.lang))
    return 1 if checked.has_faults else 0


def run_own(arguments: argparse.Namespace, out: Output) -> int:
    """Write each point with the grid that owns it."""
    from geodata.loading.request import parse_mapping
    from geodata.ownership.assignment import OwnRequest, own_files
    from geodata.ownership.engines import is_streamed, own_parts

    request = OwnRequest(
        grids=tuple(arguments.grids),
        points=tuple(arguments.points),
        out=arguments.out,
        crs=arguments.crs,
        grids_crs=arguments.grids_crs,
        encoding=arguments.encoding,
        layer=arguments.layer,
        grid_code=arguments.grid_code,
        recorded=arguments.recorded,
        near_m=arguments.near,
        near_line_m=arguments.near_line,
        mapping=parse_mapping(arguments.map),
    )
    if is_streamed(request, engine=arguments.engine):
        report = own_parts(
            request,
            engine=arguments.engine,
            workers=max(1, arguments.workers),
            scheduler=arguments.scheduler,
            progress=out.progress,
        )
    else:
        report = own_files(request, progress=out.progress)
    for line in report.lines(out.lang):
        out.text(line)
    out.result(report.as_json(out.lang))
    return 0
