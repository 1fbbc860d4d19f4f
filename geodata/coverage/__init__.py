"""Coverage: what is wrong with boundaries, and their repair to an exact tiling."""

from __future__ import annotations

from geodata.coverage.check import (
    check_coverage,
    check_frame,
    coverage_rows,
)

__all__ = ["check_coverage", "check_frame", "coverage_rows"]
