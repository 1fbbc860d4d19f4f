"""Reading: other people's files in, every row exact text, every fault named."""

from __future__ import annotations

from geodata.reading.files import (
    OWNER_LIMITS,
    TABLE_SUFFIXES,
    UPLOAD_LIMITS,
    Limits,
    Reading,
    read_geometries,
    read_table,
)

__all__ = [
    "OWNER_LIMITS",
    "TABLE_SUFFIXES",
    "UPLOAD_LIMITS",
    "Limits",
    "Reading",
    "read_geometries",
    "read_table",
]
