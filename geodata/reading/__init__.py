"""Reading: other people's files in, every row exact text, every fault named."""

from __future__ import annotations

from geodata.reading.archives import OWNER_LIMITS, UPLOAD_LIMITS, Limits
from geodata.reading.files import Reading, read_geometries, read_points
from geodata.reading.rows import read_rows
from geodata.reading.tables import TABLE_SUFFIXES, read_table

__all__ = [
    "OWNER_LIMITS",
    "TABLE_SUFFIXES",
    "UPLOAD_LIMITS",
    "Limits",
    "Reading",
    "read_geometries",
    "read_points",
    "read_rows",
    "read_table",
]
