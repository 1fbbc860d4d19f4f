"""The command `bench`: our works beside their peers."""

from __future__ import annotations

import argparse

from commands.options import Commands
from commands.output import Output


def add_commands(commands: Commands) -> None:
    """Add `bench`."""
    bench = commands.add("bench", run_bench)
    bench.add_argument("works", nargs="*", metavar="WORK")
    bench.add_argument("--points", type=int, default=1_000_000)
    bench.add_argument("--rounds", type=int, default=5)


def run_bench(arguments: argparse.Namespace, out: Output) -> int:
    """Run the works named, or all, and print a line for each case."""
    from bench.ownership import run_ownership

    results = run_ownership(points=arguments.points, rounds=arguments.rounds)
    for row in results:
        out.text("  ".join(f"{name}={value}" for name, value in row.items()))
    out.result({"results": results})
    return 0
