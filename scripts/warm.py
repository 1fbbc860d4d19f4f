"""Compile every kernel once, so that no request and no command waits for the compiler."""

from __future__ import annotations

import re
import sys
import time
from importlib import import_module
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
ROOMS = ("geodata", "layers")
WARM = re.compile(r"^def warm\(", re.MULTILINE)


def find_modules() -> list[str]:
    """Return the modules that have a `warm()` function."""
    paths = sorted(path for room in ROOMS for path in (ROOT / room).rglob("*.py"))
    warm = (path for path in paths if WARM.search(path.read_text(encoding="utf-8")))
    return [".".join(path.relative_to(ROOT).with_suffix("").parts) for path in warm]


def main() -> None:
    """Call every `warm()` and say how long each took."""
    for name in find_modules():
        start = time.monotonic()
        import_module(name).warm()
        print(f"{name} {time.monotonic() - start:.1f} s")


if __name__ == "__main__":
    sys.path.insert(0, str(ROOT))
    main()
