"""Cut the interface's font into dashboard/assets/fonts/, from the sentences it has to show."""

from __future__ import annotations

import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
FOLDER = ROOT / "dashboard" / "assets" / "fonts"
FILE = FOLDER / "getu-sans-sc.woff2"


def main() -> None:
    """Write the font and its licence."""
    from geodata.fonts import cut_font, interface_characters, read_license

    characters = interface_characters()
    lacking = cut_font(characters, FILE)
    (FOLDER / "OFL.txt").write_text(read_license(), encoding="utf-8")
    missing = f", not in the source: {''.join(sorted(lacking))}" if lacking else ""
    print(f"{len(characters)} characters, {FILE.stat().st_size / 1000:.0f} kB{missing}")


if __name__ == "__main__":
    sys.path.insert(0, str(ROOT))
    main()
