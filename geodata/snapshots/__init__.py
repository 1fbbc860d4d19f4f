"""Snapshots: a city at one revision, as columns in memory, and the figures counted from them."""
