"""
Compile every kernel once, so that no request and no command waits for the compiler.

Modules with a `warm()` are called by it. The rest is rehearsed: the smallest demo city is made
aside and every picture of it asked once. Nothing of the rehearsal is kept but the machine code.
"""

from __future__ import annotations

import re
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from importlib import import_module
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[1]
ROOMS = ("geodata", "layers")
WARM = re.compile(r"^def warm\(", re.MULTILINE)
SMALLEST = "gaoshan"
FILTERS = ("", "?state=open", "?since=0&category=0&theme=dark")


def find_modules() -> list[str]:
    """Return the modules that have a `warm()` function."""
    paths = sorted(path for room in ROOMS for path in (ROOT / room).rglob("*.py"))
    warm = (path for path in paths if WARM.search(path.read_text(encoding="utf-8")))
    return [".".join(path.relative_to(ROOT).with_suffix("").parts) for path in warm]


def make_smallest_city(folder: Path) -> bool:
    """Make the demo city in its own process, as a user would; tell whether it worked."""
    command = [sys.executable, str(ROOT / "app.py"), "demo", SMALLEST, "--city", str(folder)]
    answer = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    if answer.returncode:
        print(answer.stderr)
    return answer.returncode == 0


def list_addresses(sources: Any, tile_at: Any) -> Iterator[str]:
    """Return the address of every picture: whole ones, and one tile a zoom level."""
    for source in sources:
        if not source.tiled:
            yield f"layers/{source.name}.{source.format}"
            continue
        for zoom in range(source.minzoom, source.maxzoom + 1):
            x, y = tile_at(zoom)
            yield f"layers/{source.name}/{zoom}/{x}/{y}.{source.format}"


def ask_every_picture(folder: Path) -> tuple[int, int]:
    """Ask the routes for every picture under several filters; return how many came of how many."""
    from dashboard.server import make_app
    from geodata.city import open_city
    from geodata.snapshots.facts import FactsKeeper
    from layers.registry import LAYERS

    city = open_city(folder)
    facts = FactsKeeper(city).current(int(time.time()))
    if facts is None:
        return 0, 0
    middle = len(facts.snapshot.tile_x) // 2
    world_x, world_y = int(facts.snapshot.tile_x[middle]), int(facts.snapshot.tile_y[middle])
    sources = {s.name: s for layer in LAYERS for s in (layer.source, *layer.more_sources)}
    addresses = list_addresses(
        sources.values(), lambda zoom: (world_x >> (32 - zoom), world_y >> (32 - zoom))
    )
    client = make_app(city).server.test_client()
    paths = [f"{city.settings.base_path}/{item}{end}" for item in addresses for end in FILTERS]
    return sum(client.get(path).status_code in {200, 204} for path in paths), len(paths)


def main() -> int:
    """Compile what has a `warm()`, then rehearse; return 1 where a picture did not come."""
    for name in find_modules():
        start = time.monotonic()
        import_module(name).warm()
        print(f"{name} {time.monotonic() - start:.1f} s")
    start = time.monotonic()
    with tempfile.TemporaryDirectory() as folder:
        city = Path(folder) / "city"
        came, asked = ask_every_picture(city) if make_smallest_city(city) else (0, 0)
    print(f"rehearsal {time.monotonic() - start:.1f} s, {came} of {asked} pictures")
    return 0 if asked and came == asked else 1


if __name__ == "__main__":
    sys.path.insert(0, str(ROOT))
    sys.exit(main())
