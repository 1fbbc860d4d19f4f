"""Tiles already drawn, kept up to a number of bytes, the least lately used going first."""

from __future__ import annotations

from geodata.snapshots.byte_cache import ByteCache


class TileCache(ByteCache):
    """
    The cache of drawn pictures.

    A key names everything the picture depends on: source, z, x, y, revision or drawing, filter,
    scope, theme, and the minute where deadlines are drawn. None (an empty tile) is kept as well.
    """

    def __init__(self, *, limit_bytes: int) -> None:
        super().__init__(limit_bytes=limit_bytes, measure=lambda body: len(body or b""))
