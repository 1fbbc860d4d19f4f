"""The history of incidents: events as columns, folded, each with the place and kind it has."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from dataclasses import fields

import numpy as np
from numpy.typing import NDArray

from geodata.compiled import compile_kernel
from geodata.events.incidents import Folded, fold_events
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
    if len(events["inc"]) < _TWO_HALVES:
        return _fold_part(events, payloads)
    middle = events["inc"][len(events["inc"]) // 2]
    cuts = [np.searchsorted(table["inc"], middle) for table in (events, payloads)]
    halves = [
        [{name: values[half] for name, values in table.items()} for half in _halves(cut)]
        for table, cut in zip((events, payloads), cuts, strict=True)
    ]
    with ThreadPoolExecutor(2) as pool:
        (one, place), (other, more) = pool.map(_fold_part, *halves)
    folded = {
        item.name: np.concatenate([getattr(one, item.name), getattr(other, item.name)])
        for item in fields(Folded)
    }
    return Folded(**folded), {name: np.concatenate([place[name], more[name]]) for name in place}


def _halves(cut: int) -> tuple[slice, slice]:
    return slice(None, cut), slice(cut, None)


def _fold_part(
    events: dict[str, NDArray[np.int64]], payloads: dict[str, NDArray[np.int64]]
) -> tuple[Folded, dict[str, NDArray[np.float64]]]:
    carried = find_payloads(events["inc"], events["hash"], payloads)
    placed, named = (
        np.append(has, np.False_)[carried]
        for has in (payloads["x"] != NO_PLACE, payloads["kind"] != 0)
    )
    folded = fold_events(
        events["inc"],
        seq=events["seq"],
        at=events["at"],
        hash=events["hash"],
        stage=events["stage"].astype(np.uint8),
        due=events["due"],
        version=events["version"],
        body=events["body"],
        has_payload=placed,
        has_kind=named,
    )
    where = find_payloads(folded.incident, folded.payload, payloads)
    what = find_payloads(folded.incident, folded.kind_payload, payloads)
    place = {}
    for name in ("x", "y"):
        column = payloads[name].astype(np.float64)
        column[payloads[name] == NO_PLACE] = np.nan
        place[name] = np.append(column, np.nan)[where]
    return folded, {**place, "kind": np.append(payloads["kind"], 0)[what].astype(np.float64)}


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
def _find_payloads(
    inc: _Whole, hash_: _Whole, p_inc: _Whole, p_hash: _Whole, found: _Whole
) -> None:
    begin = end = 0
    for i in range(len(inc)):
        if i == 0 or inc[i] != inc[i - 1]:
            begin = end
            while begin < len(p_inc) and p_inc[begin] < inc[i]:
                begin += 1
            end = begin
            while end < len(p_inc) and p_inc[end] == inc[i]:
                end += 1
        low, high = begin, end
        while low < high:
            middle = (low + high) // 2
            if p_hash[middle] < hash_[i]:
                low = middle + 1
            else:
                high = middle
        found[i] = low if low < end and p_hash[low] == hash_[i] else -1


def warm() -> None:
    """Compile the kernels."""
    one = np.ones(1, np.int64)
    columns = ("inc", "seq", "at", "hash", "stage", "version", "due", "body")
    events = dict.fromkeys(columns, one)
    fold_columns(events, dict.fromkeys(("inc", "hash", "x", "y", "kind"), one))
