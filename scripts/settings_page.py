"""Write docs/settings.md from the settings themselves, so that it never lags behind."""

from __future__ import annotations

import json
import sys
from dataclasses import Field, fields
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[1]
PAGE = ROOT / "docs" / "settings.md"
HEAD = """# Settings

A city's settings are in `city.toml` in its folder. People write the file, Getu only reads it, when
a command or the server starts. Every setting may be left out. An unknown one is refused by name,
and so is a value outside its limits. Secrets never stand in this file.

This page is written by `make docs`.

| setting | default | limits | meaning |
|---|---|---|---|
"""


def show_value(value: Any) -> str:
    """Return a value as it stands in TOML."""
    return json.dumps(value, ensure_ascii=False)


def show_limits(item: Field[Any]) -> str:
    """Return the limits of a setting, such as `0 to 100` or `from 1`."""
    low, high = item.metadata.get("low"), item.metadata.get("high")
    if low is None and high is None:
        return ""
    if high is None:
        return f"from {low}"
    return f"up to {high}" if low is None else f"{low} to {high}"


def write_page() -> str:
    """Return the page."""
    from geodata.settings import Settings

    rows = (
        f"| `{item.name}` | `{show_value(item.default)}` | {show_limits(item)} "
        f"| {item.metadata['doc']} |\n"
        for item in fields(Settings)
    )
    return HEAD + "".join(rows)


if __name__ == "__main__":
    sys.path.insert(0, str(ROOT))
    PAGE.parent.mkdir(exist_ok=True)
    PAGE.write_text(write_page(), encoding="utf-8")
