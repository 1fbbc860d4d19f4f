"""The works of the benchmark by their letters, and how each is run."""

from __future__ import annotations

import importlib
from collections.abc import Callable, Iterator, Sequence

from bench.contest import Row

POINTS = 1_000_000
ROUNDS = 5
# Work: the modules that measure it; each has `run(points, rounds)`.
WORKS: dict[str, tuple[str, ...]] = {
    "A": ("ownership",),
    "B": ("counting",),
    "C": ("density",),
    "D": ("nearest",),
    "E": ("loading",),
    "F": ("streams",),
}


def run_works(letters: Sequence[str], *, points: int, rounds: int) -> Iterator[Row]:
    """Run the works named, or all; yield each row as soon as it is measured."""
    for letter in letters or WORKS:
        for name in WORKS[letter]:
            run: Callable[..., Iterator[Row]] = importlib.import_module(f"bench.{name}").run
            yield from run(points=points, rounds=rounds)
