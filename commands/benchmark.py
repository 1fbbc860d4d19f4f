"""The command `bench`: our works beside their peers."""

from __future__ import annotations

import argparse
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

from commands.options import Commands
from commands.output import Output
from geodata.errors import BadSetting, Fault


def add_commands(commands: Commands) -> None:
    """Add `bench`."""
    bench = commands.add("bench", run_bench)
    bench.add_argument(
        "works",
        nargs="*",
        metavar="WORK",
        help="A B C D E F, or all; or one of " + ", ".join(_ALONE),
    )
    bench.add_argument("--points", type=int, default=1_000_000)
    bench.add_argument("--events", type=int, default=1_000_000, help="of `bench store`")
    bench.add_argument("--edits", type=int, default=1000, help="of `bench redraw`, each round")
    bench.add_argument("--rounds", type=int, default=5)
    bench.add_argument("--plot", type=Path, metavar="FILE", help="of `bench growth`: an SVG")
    bench.add_argument(
        "--data", type=Path, metavar="DIR", help="of `bench ways-in`: real data sets"
    )
    bench.add_argument(
        "--city", type=Path, metavar="DIR", help="of `bench papers` and `publish`; else jiangdu"
    )


def run_bench(arguments: argparse.Namespace, out: Output) -> int:
    """Run the works named, or all, and print a line for each case; 1 where answers differ."""
    from bench.works import WORKS, run_works

    alone = len(arguments.works) == 1 and _ALONE.get(arguments.works[0])
    letters = [] if alone else [work.upper() for work in arguments.works]
    unknown = sorted(set(letters) - set(WORKS))
    if unknown or min(arguments.points, arguments.rounds) < 1:
        known = ", ".join([*WORKS, *_ALONE])
        values = {"name": ", ".join(unknown) or "--points, --rounds", "known": known}
        raise BadSetting(Fault(key="bench_unknown", values=values))
    if alone:
        return alone(arguments, out)
    return _tell(run_works(letters, points=arguments.points, rounds=arguments.rounds), out)


def _run_redraw(arguments: argparse.Namespace, out: Output) -> int:
    """Measure random edits and proposals on made-up land; 1 where a proof fails."""
    from bench.redraw import run_redraw

    if min(arguments.edits, arguments.rounds) < 1:
        raise BadSetting(Fault(key="bench_unknown", values={"name": "--edits", "known": "1 …"}))
    return _tell(run_redraw(edits=arguments.edits, rounds=arguments.rounds), out)


def _run_exactness(arguments: argparse.Namespace, out: Output) -> int:
    """Hold `--points` hard places or more against GEOS; 1 where one has another owner."""
    from bench.exactness import run_exactness

    return _tell(run_exactness(points=arguments.points), out)


def _run_growth(arguments: argparse.Namespace, out: Output) -> int:
    """Measure the time per point of sizes up to `--points`, and draw it."""
    from bench.growth import run_growth

    rows = run_growth(points=arguments.points, rounds=arguments.rounds, plot=arguments.plot)
    return _tell(rows, out)


def _run_papers(arguments: argparse.Namespace, out: Output) -> int:
    """Export every paper of a city as commands; 1 where a second run gave other bytes."""
    from bench.papers import run_papers

    return _tell(run_papers(arguments.city), out)


def _run_publishing(arguments: argparse.Namespace, out: Output) -> int:
    """Publish a plan on a copy of a city and roll it back; 1 where the store is not what it was."""
    from bench.publishing import run_publishing

    return _tell(run_publishing(arguments.city), out)


def _tell(rows: Iterable[dict[str, Any]], out: Output) -> int:
    """Print each row as it comes, and how many bars were reached; 1 where answers differ."""
    from bench.contest import print_row

    results = []
    for row in rows:
        out.text(print_row(row))
        results.append(row)
    asked = [row for row in results if row["reached"] is not None]
    reached = sum(row["reached"] for row in asked)
    out.line("engine.bench_done", reached=reached, of=len(asked))
    out.result({"results": results})
    return 1 if any(row["equal"] is False for row in results) else 0


def _run_store(arguments: argparse.Namespace, out: Output) -> int:
    """Measure the store on a made-up city of `--events` events; 1 where an answer is wrong."""
    from bench.store import run_store

    if arguments.events < 1:
        raise BadSetting(Fault(key="bench_unknown", values={"name": "--events", "known": "1 …"}))
    return _list(run_store(events=arguments.events), out)


def _run_ways_in(arguments: argparse.Namespace, out: Output) -> int:
    """Measure encodings, datums and a load of `--points` incidents; 1 where a bar is missed."""
    from bench.ways_in import run_ways_in

    return _list(run_ways_in(points=arguments.points, data=arguments.data), out)


def _list(rows: Iterable[dict[str, Any]], out: Output) -> int:
    """Print each row as it comes, with its note; 1 where one is not as it must be."""
    results = []
    for row in rows:
        mark = "" if row["equal"] else "  ≠"
        out.text(f"{row['ours_s']:9.3f} s  {row['case']}, {row['n']:,}: {row['note']}{mark}")
        results.append(row)
    out.result({"results": results})
    return 0 if all(row["equal"] for row in results) else 1


# What is asked alone, each with its own arguments.
_ALONE: dict[str, Callable[[argparse.Namespace, Output], int]] = {
    "store": _run_store,
    "redraw": _run_redraw,
    "exact": _run_exactness,
    "growth": _run_growth,
    "papers": _run_papers,
    "publish": _run_publishing,
    "ways-in": _run_ways_in,
}
