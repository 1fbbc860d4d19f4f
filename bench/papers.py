"""Benchmark: papers of a whole city as commands: seconds, processor, memory and size of each."""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from bench.contest import Row, make_row

ROOT = Path(__file__).resolve().parents[1]
SCENARIO = "jiangdu"
ROUNDS = 5  # of what has a bar in seconds: half of them take less
_MB = 1_000_000
_KB = 1024  # what Linux counts the largest memory of a process in


@dataclass(frozen=True, slots=True, kw_only=True)
class Paper:
    """
    One export and its bars: seconds, megabytes of the file, megabytes of memory; 0: none.

    `twice` runs it again with the same cut-off, for the same bytes; the others print the head of
    the log, in which the first run stands.
    """

    name: str
    words: tuple[str, ...]
    file: str
    most_s: float = 0.0
    most_mb: float = 0.0
    most_memory_mb: float = 0.0
    twice: bool = False


PAPERS = (
    Paper(name="A4 sheet", words=("map",), file="a4.pdf", most_s=3.0, most_mb=2.0, twice=True),
    Paper(
        name="A3 sheet with heat",
        words=("map", "--page", "A3", "--layers",
               "base-map,grid-risk,grid-edges,incident-heat,overdue-halos,grid-names"),
        file="a3.pdf",
        most_s=10.0,
        twice=True,
    ),
    Paper(name="A3 sheet, 200 dpi", words=("map", "--page", "A3", "--dpi", "200"), file="a3.png"),
    Paper(name="A4 sheet", words=("map",), file="a4.svg", twice=True),
    Paper(
        name="atlas by street",
        words=("atlas", "--level", "street"),
        file="atlas.pdf",
        most_s=30.0,
        most_memory_mb=1000.0,
        twice=True,
    ),
    Paper(
        name="stand-alone map, every layer",
        words=("html",),
        file="map.html",
        most_mb=5.0,
        twice=True,
    ),
    Paper(name="slides", words=("slides",), file="slides.pptx"),
    Paper(name="written page", words=("page",), file="page.docx"),
    Paper(name="written page", words=("page",), file="page.pdf"),
    Paper(name="table of grids", words=("table",), file="grids.xlsx"),
    Paper(name="table of grids", words=("table",), file="grids.gpkg"),
)  # fmt: skip


def run_papers(city: Path | None) -> Iterator[Row]:
    """
    Export every paper of a city, the default demo city without one; yield the rows of `--json`.

    Each is a command of its own, start included (the median of five where a bar is in seconds), on
    two kinds of seconds: those on the wall, which the bars are of, and the processor's, for the
    machine may be shared. `equal` tells whether a second run of one cut-off gave the same bytes.
    """
    with tempfile.TemporaryDirectory() as folder:
        if city is None:
            city = Path(folder, SCENARIO)
            run_app(["demo", SCENARIO, "--city", str(city)])
            time.sleep(62 - time.time() % 60)  # cut-offs are whole minutes, its events of this one
        for paper in PAPERS:
            yield _measure(paper, city, Path(folder))


def _measure(paper: Paper, city: Path, folder: Path) -> Row:
    moment = time.strftime("%Y-%m-%dT%H:%MZ", time.gmtime())
    words = ["export", *paper.words, "--city", str(city), "--period", "90d", "--cut-off", moment]
    first, again = folder / paper.file, folder / f"again.{paper.file}"
    runs = [run_app([*words, "--out", str(first)]) for _ in range(ROUNDS if paper.most_s else 1)]
    seconds, processor_s, memory_mb = sorted(runs)[len(runs) // 2]
    same = None
    if paper.twice:
        run_app([*words, "--out", str(again)])
        same = first.read_bytes() == again.read_bytes()
    size = first.stat().st_size
    good = (not paper.most_mb or size <= paper.most_mb * _MB) and (
        not paper.most_memory_mb or memory_mb <= paper.most_memory_mb
    )
    said = [
        f"{size / _MB:.2f} MB" + (f" of {paper.most_mb:g}" if paper.most_mb else ""),
        f"processor {processor_s:.1f} s",
        f"memory {memory_mb:.0f} MB"
        + (f" of {paper.most_memory_mb:g}" if paper.most_memory_mb else ""),
    ]
    return make_row(
        "papers", f"{paper.name}, {first.suffix[1:].upper()}", n=1, seconds=seconds,
        note=", ".join(said), equal=same, asked=paper.most_s or None,
        good=good if paper.most_mb or paper.most_memory_mb else None,
    )  # fmt: skip


def run_app(words: list[str]) -> tuple[float, float, float]:
    """Run `app.py`; return seconds on the wall, of the processor, and megabytes at the most."""
    start = time.perf_counter()
    process = subprocess.Popen(
        [sys.executable, str(ROOT / "app.py"), *words],
        stdout=subprocess.DEVNULL, stderr=subprocess.PIPE,
    )  # fmt: skip
    assert process.stderr is not None
    said = process.stderr.read()
    _, status, used = os.wait4(process.pid, 0)
    seconds = time.perf_counter() - start
    process.returncode = os.waitstatus_to_exitcode(status)
    if code := process.returncode:
        raise subprocess.CalledProcessError(code, words, stderr=said)
    return seconds, used.ru_utime + used.ru_stime, used.ru_maxrss * _KB / _MB
