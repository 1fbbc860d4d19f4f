"""The command `bench`: our works beside their peers."""

from __future__ import annotations

import argparse

from commands.options import Commands
from commands.output import Output
from geodata.errors import BadSetting, Fault


def add_commands(commands: Commands) -> None:
    """Add `bench`."""
    bench = commands.add("bench", run_bench)
    bench.add_argument("works", nargs="*", metavar="WORK", help="A B C D E F, or all; or store")
    bench.add_argument("--points", type=int, default=1_000_000)
    bench.add_argument("--events", type=int, default=1_000_000, help="of `bench store`")
    bench.add_argument("--rounds", type=int, default=5)


def run_bench(arguments: argparse.Namespace, out: Output) -> int:
    """Run the works named, or all, and print a line for each case; 1 where answers differ."""
    from bench.contest import print_row
    from bench.works import WORKS, run_works

    if arguments.works == ["store"]:
        return _run_store(arguments, out)
    letters = [work.upper() for work in arguments.works]
    unknown = sorted(set(letters) - set(WORKS))
    if unknown or min(arguments.points, arguments.rounds) < 1:
        values = {"name": ", ".join(unknown) or "--points, --rounds", "known": ", ".join(WORKS)}
        raise BadSetting(Fault(key="bench_unknown", values=values))
    results = []
    for row in run_works(letters, points=arguments.points, rounds=arguments.rounds):
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
    rows = run_store(events=arguments.events)
    for row in rows:
        mark = "" if row["equal"] else "  ≠"
        out.text(f"{row['ours_s']:9.3f} s  {row['case']}, {row['n']:,}: {row['note']}{mark}")
    out.result({"results": rows})
    return 0 if all(row["equal"] for row in rows) else 1
