"""Small charts as SVG: bars over the days of a period, drawn by the server, no script needed."""

from __future__ import annotations

from typing import Any

import numpy as np

from dashboard.parts import numbers
from geodata.figures.days import Days

WIDE, HIGH = 360, 64
_MOST_BARS = 92


def draw_days(days: Days, zone: str) -> dict[str, Any]:
    """
    Return the bars of a period: x, height and words of each, days taken together where too many.

    The most of all bars stands at the top; `step_days` says how many days one bar is, `day` and
    `last` the first and the last of them.
    """
    n = len(days.midnights)
    if not n:
        return {"bars": [], "most": 0, "step_days": 1, "first": "", "last": ""}
    step = -(-n // _MOST_BARS)
    starts = np.arange(0, n, step)
    counts = np.add.reduceat(days.counts, starts)
    most = int(counts.max(initial=0))
    wide = WIDE / len(starts)
    bars = [
        {
            "x": round(place * wide, 2),
            "wide": round(max(wide - 1, 0.6), 2),
            "high": round(HIGH * int(count) / most, 2) if most else 0,
            "day": numbers.day(int(days.midnights[start]), zone),
            "last": numbers.day(int(days.midnights[min(start + step, n) - 1]), zone),
            "at": int(days.midnights[start]),
            "n": int(count),
        }
        for place, (start, count) in enumerate(zip(starts.tolist(), counts, strict=True))
    ]
    return {
        "bars": bars,
        "most": most,
        "step_days": step,
        "first": bars[0]["day"],
        "last": numbers.day(int(days.midnights[-1]), zone),
    }
