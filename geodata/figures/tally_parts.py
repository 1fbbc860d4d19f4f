"""Counts of one area by kind, category, body, source, stage, rule and day, in one pass."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from geodata.compiled import compile_kernel
from geodata.events.incidents import STAGES
from geodata.ownership import RULES
from geodata.snapshots.snapshot import Snapshot

CODED = ("kind", "category", "body", "source", "stage", "rule")
_DAY_S = 86_400


def count_parts(
    snapshot: Snapshot,
    mask: NDArray[np.bool_],
    *,
    inside: NDArray[np.bool_],
    late: NDArray[np.bool_],
    midnights: NDArray[np.int64],
) -> dict[str, NDArray[np.int64]]:
    """
    Return for each of CODED and for `day` the counts (codes, 3): total, open, overdue.

    `inside` says of each finest grid, and last of nobody, whether it belongs to the area; `late`
    which incidents are overdue. Days count the reports; what has no day counts in none.
    """
    columns = [getattr(snapshot, name) for name in CODED]
    least = {"stage": len(STAGES), "rule": len(RULES)}
    counts = [
        np.zeros((max(int(column.max(initial=0)) + 1, least.get(name, 1)), 3), np.int64)
        for name, column in zip(CODED, columns, strict=True)
    ]
    by_day = np.zeros((max(len(midnights), 1), 3), np.int64)
    _count_rows(
        tuple(columns),
        (snapshot.owner, snapshot.open, late, mask, snapshot.reported_at),
        inside,
        midnights,
        tuple(counts),
        by_day,
    )
    return dict(zip(CODED, counts, strict=True)) | {"day": by_day}


@compile_kernel
def _count_rows(
    columns: Any, rows: Any, inside: Any, midnights: Any, by_code: Any, by_day: Any
) -> None:
    """Add each incident of the area to its codes: `by_code` in the order of `columns`."""
    kind, category, body, source, stage, rule = columns
    owner, open_, late, mask, at = rows
    by_kind, by_category, by_body, by_source, by_stage, by_rule = by_code
    nobody = len(inside) - 1
    days = len(midnights)
    for i in range(len(owner)):
        if not mask[i] or not inside[owner[i] if owner[i] >= 0 else nobody]:
            continue
        o, d = open_[i], late[i]
        for counts, code in (
            (by_kind, kind[i]), (by_category, category[i]), (by_body, body[i]),
            (by_source, source[i]), (by_stage, np.int32(stage[i])), (by_rule, np.int32(rule[i])),
        ):  # fmt: skip
            counts[code, 0] += 1
            counts[code, 1] += o
            counts[code, 2] += d
        if days and at[i] >= midnights[0]:
            day = min((at[i] - midnights[0]) // _DAY_S, days - 1)
            # Where the clocks are changed the guess is a day off at most.
            while day and at[i] < midnights[day]:
                day -= 1
            while day + 1 < days and at[i] >= midnights[day + 1]:
                day += 1
            by_day[day, 0] += 1
            by_day[day, 1] += o
            by_day[day, 2] += d


def warm() -> None:
    """Compile the kernel and keep the machine code on disk, for set-up."""
    for writeable, steps_writeable in ((True, True), (False, False), (False, True)):
        columns = [np.zeros(1, kind) for kind in (*[np.int32] * 4, *[np.uint8] * 2)]
        owner, open_, late = np.zeros(1, np.int32), np.zeros(1, np.bool_), np.zeros(1, np.bool_)
        steps = np.zeros((1, 6), np.int64)
        steps.flags.writeable = steps_writeable
        for column in (*columns, owner, open_):
            column.flags.writeable = writeable
        counts = tuple(np.zeros((1, 3), np.int64) for _ in CODED)
        rows = (owner, open_, late, np.ones(1, np.bool_), steps[:, 0])
        nothing = np.zeros(1, np.int64)
        _count_rows(tuple(columns), rows, np.ones(2, np.bool_), nothing, counts, counts[0].copy())
