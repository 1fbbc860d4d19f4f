"""Addresses: a standard address library, and texts matched to its places, offline."""

from __future__ import annotations

from geodata.addresses.library import AddressLibrary, build_library
from geodata.addresses.matching import LEVELS, PLACED, Match, match_addresses

__all__ = ["LEVELS", "PLACED", "AddressLibrary", "Match", "build_library", "match_addresses"]
