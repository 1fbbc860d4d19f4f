"""How much one file that comes from elsewhere may cost: the same by the page and by a folder."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from pathlib import Path

from geodata.reading import UPLOAD_LIMITS, Limits
from geodata.settings import Settings

MEGABYTE = 1 << 20


def limits_of(settings: Settings) -> Limits:
    """Return how much one file may cost by a city's settings."""
    file_bytes = settings.upload_mb * MEGABYTE
    return replace(
        UPLOAD_LIMITS,
        file_bytes=file_bytes,
        parsed_bytes=settings.upload_objects_mb * MEGABYTE,
        unpacked_bytes=max(file_bytes, UPLOAD_LIMITS.unpacked_bytes or 0),
        memory_bytes=settings.child_memory_mb * MEGABYTE,
        cpu_s=settings.child_seconds,
        wall_s=settings.child_seconds,
    )


def is_large(files: Iterable[Path], settings: Settings) -> bool:
    """Tell whether files are to be read in a process of their own by a city's settings."""
    size = sum(path.stat().st_size for path in files if path.exists())
    return size > settings.upload_apart_mb * MEGABYTE
