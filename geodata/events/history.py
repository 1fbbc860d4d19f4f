"""The history of incidents: events as columns, folded, each with the place and kind it has."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from itertools import pairwise
from typing import Any

import numpy as np
from numpy.typing import NDArray

from geodata.compiled import compile_kernel
from geodata.events.incidents import KIND, PLACE, Folded, fold_events
from geodata.store.event_rows import NO_PLACE

_Whole = NDArray[np.int64]
_TWO_HALVES = 1_000_000  # events from which two threads fold faster than one


def fold_columns(
    events: dict[str, NDArray[np.int64]], payloads: dict[str, NDArray[np.int64]]
) -> tuple[Folded, dict[str, NDArray[np.float64]]]:
    """
    Fold the columns that `store.event_columns` returns; return the fold, and x, y (mm) and kind.

    The place is that of the newest event that has one (NaN for none), the kind likewise (0 for
    none): a later step that says nothing of either leaves both as they are.
    """
    threads = 1 if len(events["inc"]) < _TWO_HALVES else 2
    carries = np.zeros(len(events["inc"]), np.uint8)
    told = (payloads["x"] != NO_PLACE) * np.uint8(PLACE) | (payloads["kind"] != 0) * np.uint8(KIND)
    cuts = np.linspace(0, len(carries), threads + 1).astype(np.int64)

    def mark(part: slice) -> None:
        _mark_carriers(
            events["inc"][part], events["hash"][part], payloads["inc"], payloads["hash"], told,
            carries[part],
        )  # fmt: skip

    with ThreadPoolExecutor(threads) as pool:
        list(pool.map(mark, [slice(begin, end) for begin, end in pairwise(cuts.tolist())]))
    names = ("seq", "at", "hash", "stage", "due", "version", "body")
    folded = fold_events(
        events["inc"], **{name: events[name] for name in names}, carries=carries, threads=threads
    )
    return folded, _places_of(folded, payloads)


def _places_of(
    folded: Folded, payloads: dict[str, NDArray[np.int64]]
) -> dict[str, NDArray[np.float64]]:
    """Return x and y (mm, NaN for none) and kind (0 for none) of each incident."""
    n = len(folded.incident)
    place = {"x": np.full(n, np.nan), "y": np.full(n, np.nan), "kind": np.zeros(n)}
    where = find_payloads(folded.incident, folded.payload, payloads)
    what = find_payloads(folded.incident, folded.kind_payload, payloads)
    _take(payloads["x"], where, place["x"])
    _take(payloads["y"], where, place["y"])
    _take(payloads["kind"], what, place["kind"])
    return place


def find_payloads(
    incident: NDArray[np.int64], hash: NDArray[np.int64], payloads: dict[str, NDArray[np.int64]]
) -> NDArray[np.int64]:
    """
    Return the row of each event's payload, -1 for none.

    `incident` ascends, as do the payloads by incident and hash.
    """
    found = np.empty(len(incident), np.int64)
    _find_payloads(incident, hash, payloads["inc"], payloads["hash"], found)
    return found


@compile_kernel
def _skip_to(p_inc: _Whole, begin: int, incident: int) -> int:
    """Return the first row from `begin` on whose incident is not before this one."""
    while begin < len(p_inc) and p_inc[begin] < incident:
        begin += 1
    return begin


@compile_kernel
def _find_hash(p_hash: _Whole, begin: int, end: int, hash_: int) -> int:
    """Return the row of a hash among those from `begin` to before `end`, -1 for none."""
    low, high = begin, end
    while low < high:
        middle = (low + high) // 2
        if p_hash[middle] < hash_:
            low = middle + 1
        else:
            high = middle
    return low if low < end and p_hash[low] == hash_ else -1


@compile_kernel
def _find_payloads(
    inc: _Whole, hash_: _Whole, p_inc: _Whole, p_hash: _Whole, found: _Whole
) -> None:
    """Write the row of each event's payload, -1 for none."""
    begin = end = np.searchsorted(p_inc, inc[0]) if len(inc) else 0
    for i in range(len(inc)):
        if i == 0 or inc[i] != inc[i - 1]:
            begin = _skip_to(p_inc, end, inc[i])
            end = _skip_to(p_inc, begin, inc[i] + 1)
        found[i] = _find_hash(p_hash, begin, end, hash_[i])


@compile_kernel
def _mark_carriers(
    inc: _Whole, hash_: _Whole, p_inc: _Whole, p_hash: _Whole, told: Any, carries: Any
) -> None:
    """Write what the payload of each event tells, 0 for none."""
    begin = end = np.searchsorted(p_inc, inc[0]) if len(inc) else 0
    for i in range(len(inc)):
        if i == 0 or inc[i] != inc[i - 1]:
            begin = _skip_to(p_inc, end, inc[i])
            end = _skip_to(p_inc, begin, inc[i] + 1)
        row = _find_hash(p_hash, begin, end, hash_[i])
        carries[i] = told[row] if row >= 0 else 0


@compile_kernel
def _take(values: _Whole, rows: _Whole, taken: Any) -> None:
    """Write the value of each row; what has none, and what is no place, stays as it is."""
    for i in range(len(rows)):
        if rows[i] >= 0 and values[rows[i]] != NO_PLACE:
            taken[i] = values[rows[i]]


def warm() -> None:
    """Compile the kernels."""
    one = np.ones(1, np.int64)
    columns = ("inc", "seq", "at", "hash", "stage", "version", "due", "body")
    events = dict.fromkeys(columns, one)
    fold_columns(events, dict.fromkeys(("inc", "hash", "x", "y", "kind"), one))
