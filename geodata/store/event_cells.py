"""Cells of events as the store takes them, made ready while others are written."""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from geodata.store.event_rows import NO_PLACE, NO_TEXT, EventRows


@dataclass(frozen=True, slots=True, kw_only=True)
class EventCells:
    """The cells of some rows as the store takes them, but for their incidents and terms."""

    part: NDArray[np.int64]
    event: dict[str, Any]
    told: NDArray[np.int64]  # which of the rows carry a payload
    payload: dict[str, Any]


def make_cells(rows: EventRows, part: NDArray[np.int64]) -> EventCells:
    """Return the cells of these rows."""
    told = np.flatnonzero(rows.has_payload_in(part))
    telling = part[told]
    reasons = (rows.reason.code[part] != NO_TEXT).any()
    return EventCells(
        part=part,
        event={
            **{name: getattr(rows, name)[part].tolist() for name in ("seq", "at", "hash", "stage")},
            "version": rows.version[part].tolist() if rows.version[part].any() else 0,
            "due": or_none(rows.due[part], 0),
            "reason": rows.reason.cells(part) if reasons else None,
        },
        told=told,
        payload={
            "hash": rows.hash[telling].tolist(),
            "x": or_none(rows.x[telling], NO_PLACE),
            "y": or_none(rows.y[telling], NO_PLACE),
            "attributes": rows.attributes.cells(telling),
        },
    )


def make_ahead(rows: EventRows, parts: list[NDArray[np.int64]]) -> Iterator[EventCells]:
    """Yield the cells of each part; the next are made while one is written to the disk."""
    with ThreadPoolExecutor(1) as pool:
        coming = [pool.submit(make_cells, rows, part) for part in parts[:1]]
        for after in [*parts[1:], None]:
            if not coming:
                return
            cells = coming.pop().result()
            if after is not None:
                coming.append(pool.submit(make_cells, rows, after))
            yield cells


def or_none(values: NDArray[np.int64], empty: int) -> list[int | None]:
    """Return whole numbers as cells, None where they are the one that means none."""
    cells: list[int | None]
    none = values == empty
    if none.any():
        held = values.astype(object)
        held[none] = None
        cells = held.tolist()
    else:
        cells = values.tolist()
    return cells
