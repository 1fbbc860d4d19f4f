"""A live feed of some events a second, in a process of its own, beside whatever is measured."""

from __future__ import annotations

import json
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import numpy as np
import pandas as pd

from geodata.city import open_city
from geodata.events.feed import Feed
from geodata.loading.events import rows_from_events

EVENTS_A_POST, POSTS_A_SECOND = 5, 10
STOP = "beside.stop"


@contextmanager
def feed_beside(folder: Path) -> Iterator[dict[str, float]]:
    """Run the feed while the block runs; what it measured stands in the dictionary after it."""
    stop = folder / STOP
    stop.unlink(missing_ok=True)
    command = [sys.executable, "-m", "bench.beside", str(folder)]
    root = Path(__file__).resolve().parents[1]
    measured: dict[str, float] = {}
    with subprocess.Popen(command, stdout=subprocess.PIPE, cwd=root) as process:
        assert process.stdout is not None
        process.stdout.readline()  # it has posted once
        try:
            yield measured
        finally:
            stop.touch()
            measured.update(json.loads(process.stdout.read()))
    stop.unlink(missing_ok=True)


def main(folder: Path) -> None:
    """Post until told to stop; print the commits' times and the longest log seen."""
    city = open_city(folder)
    log = city.database.path.with_name(f"{city.database.path.name}-wal")
    feed = Feed(city, now=lambda: int(time.time()))
    took: list[float] = []
    log_bytes = number = 0
    while not (folder / STOP).exists():
        now = int(time.time())
        rows = pd.DataFrame(
            {
                "incident_id": [f"live-{now}-{number + n}" for n in range(EVENTS_A_POST)],
                "stage": "reported",
                "at": now,
                "kind": "K000001",
                "x_mm": 500_100_000 + number % 1_000_000,
                "y_mm": 3_600_100_000,
            }
        )
        number += EVENTS_A_POST
        begin = time.perf_counter()
        feed.post(rows_from_events(rows, source="12345热线"), token=0)
        took.append(time.perf_counter() - begin)
        if number == EVENTS_A_POST:  # the first one reads the ground and compiles: no measure
            print("begun", flush=True)
            took.clear()
        log_bytes = max(log_bytes, log.stat().st_size if log.exists() else 0)
        time.sleep(max(1 / POSTS_A_SECOND - (time.perf_counter() - begin), 0))
    feed.close()
    times = np.array(took or [0.0]) * 1000
    found = {
        "posts": len(took),
        "p50_ms": round(float(np.percentile(times, 50)), 1),
        "p95_ms": round(float(np.percentile(times, 95)), 1),
        "max_ms": round(float(times.max()), 1),
        "wal_mb": round(log_bytes / 1e6, 1),
    }
    print(json.dumps(found), flush=True)


if __name__ == "__main__":
    main(Path(sys.argv[1]))
