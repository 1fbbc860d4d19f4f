"""Incidents: their stages, and the fold of append-only events into one row an incident."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, fields
from itertools import pairwise
from typing import Any

import numpy as np
from numba import njit
from numpy.typing import NDArray

# Order is identity: a stage's code is its place here, and breaks ties between equal times.
STAGES = (
    "reported",
    "registered",
    "not_registered",
    "dispatched",
    "returned",
    "suspended",
    "resumed",
    "extended",
    "escalated",
    "handled",
    "checked",
    "closed",
    "reopened",
    "duplicate",
    "void",
    "evaluated",
)
STAGE_CODE = {name: code for code, name in enumerate(STAGES)}
# The six steps of the closed loop (六步闭环), in the order the funnel shows them.
SIX_STEPS = ("reported", "registered", "dispatched", "handled", "closed", "evaluated")
NO_SEQ = -1
NO_TIME = 0

_REPORTED = STAGE_CODE["reported"]
_REGISTERED = STAGE_CODE["registered"]
_NOT_REGISTERED = STAGE_CODE["not_registered"]
_DISPATCHED = STAGE_CODE["dispatched"]
_RETURNED = STAGE_CODE["returned"]
_SUSPENDED = STAGE_CODE["suspended"]
_RESUMED = STAGE_CODE["resumed"]
_EXTENDED = STAGE_CODE["extended"]
_ESCALATED = STAGE_CODE["escalated"]
_HANDLED = STAGE_CODE["handled"]
_CLOSED = STAGE_CODE["closed"]
_REOPENED = STAGE_CODE["reopened"]
_DUPLICATE = STAGE_CODE["duplicate"]
_VOID = STAGE_CODE["void"]
_EVALUATED = STAGE_CODE["evaluated"]

FLAG_CONFLICT, FLAG_DISORDER, FLAG_EXTENDED, FLAG_ESCALATED = 1, 2, 4, 8
FLAG_DRILL = 16  # an exercise: in no figure and on no map, among the alarms alone
PLACE, KIND = 1, 2  # what an event may carry
_INSERTION_LIMIT = 48  # above this an incident's events are merge-sorted: a sensor may send 10^5


@dataclass(frozen=True, slots=True, kw_only=True)
class Folded:
    """
    One row an incident, in ascending `incident`; times are UTC seconds, 0 is "never".

    `due_at` is the source's own deadline moved on by the time suspended since it was set; 0 where
    the source gave none (then the kind's limit over the calendar decides: `geodata.events.clock`).
    """

    incident: NDArray[np.int64]
    stage: NDArray[np.uint8]
    open: NDArray[np.bool_]
    times: NDArray[np.int64]  # (n, 6): the six steps
    due_at: NDArray[np.int64]
    suspended_s: NDArray[np.int64]  # finished suspensions of the current leg
    suspended_since: NDArray[np.int64]
    clock_from: NDArray[np.int64]  # registration of the current leg, else report
    returned: NDArray[np.int32]
    reopened: NDArray[np.int32]
    flags: NDArray[np.uint8]
    payload: NDArray[np.int64]  # hash of the event whose place holds, 0 for none
    kind_payload: NDArray[np.int64]  # hash of the event whose kind holds, 0 for none
    body: NDArray[np.int64]  # the last one named, 0 for none


def fold_events(
    incident: NDArray[np.int64],
    *,
    seq: NDArray[np.int64],
    at: NDArray[np.int64],
    hash: NDArray[np.int64],
    stage: NDArray[Any],
    due: NDArray[np.int64],
    version: NDArray[np.int64],
    body: NDArray[np.int64],
    carries: NDArray[np.uint8],
    threads: int = 1,
) -> Folded:
    """
    Fold events, grouped by incident, into one row an incident (contracts.md 4 and 5).

    Order within an incident does not matter, nor do copies: the winner of several versions of one
    event is the greatest (version, at, hash), and winners are taken by
    (at, stage order, seq, hash). `carries` says of each event with PLACE and KIND, added up, what
    it tells besides: the newest of each holds.
    """
    cuts = _cut_groups(incident, threads)
    events = (incident, seq, at, hash, stage, due, version, body, carries)
    parts = [tuple(column[cut] for column in events) for cut in cuts]
    with ThreadPoolExecutor(max(len(parts), 1)) as pool:
        sizes = [0, *pool.map(_count_groups, [part[0] for part in parts])]
        ends = np.cumsum(sizes)
        out = _empty(int(ends[-1]))
        columns = [getattr(out, item.name) for item in fields(Folded)]
        written = [
            tuple(column[begin:end] for column in columns) for begin, end in pairwise(ends.tolist())
        ]
        list(pool.map(lambda part, to: _fold(*part, *to), parts, written))
    return out


def _cut_groups(incident: NDArray[np.int64], parts: int) -> list[slice]:
    """Return slices of about equal length that cut no incident in two."""
    n = len(incident)
    wanted = [n * part // parts for part in range(1, parts)]
    cuts = sorted({0, n, *(int(np.searchsorted(incident, incident[at])) for at in wanted if n)})
    return [slice(begin, end) for begin, end in pairwise(cuts)]


def _empty(n: int) -> Folded:
    whole = {
        name: np.zeros(n, np.int64)
        for name in ("incident", "due_at", "suspended_s", "suspended_since", "clock_from")
    }
    return Folded(
        **whole,
        stage=np.zeros(n, np.uint8),
        open=np.zeros(n, np.bool_),
        times=np.zeros((n, 6), np.int64),
        returned=np.zeros(n, np.int32),
        reopened=np.zeros(n, np.int32),
        flags=np.zeros(n, np.uint8),
        payload=np.zeros(n, np.int64),
        kind_payload=np.zeros(n, np.int64),
        body=np.zeros(n, np.int64),
    )


@njit(cache=True, nogil=True)
def _count_groups(incident):  # type: ignore[no-untyped-def]
    groups = 0
    for i in range(len(incident)):
        groups += i == 0 or incident[i] != incident[i - 1]
    return groups


@njit(cache=True, nogil=True)
def _same_event(i, j, seq, stage, at):  # type: ignore[no-untyped-def]
    """Two rows are versions of one event: same seq, or without seq the same stage and time."""
    if seq[i] != seq[j]:
        return False
    return seq[i] != NO_SEQ or (stage[i] == stage[j] and at[i] == at[j])


@njit(cache=True, nogil=True)
def _all_differ(lo, hi, seq, at):  # type: ignore[no-untyped-def]
    """No two rows can be versions of one event, as they lie: most incidents are of this sort."""
    for k in range(lo + 1, hi):
        unnumbered = seq[k] == NO_SEQ and seq[k - 1] == NO_SEQ
        if not (at[k] > at[k - 1] if unnumbered else seq[k] > seq[k - 1]):
            return False
    return True


@njit(cache=True, nogil=True)
def _before(i, j, seq, at, hash_, stage):  # type: ignore[no-untyped-def]
    if at[i] != at[j]:
        return at[i] < at[j]
    if stage[i] != stage[j]:
        return stage[i] < stage[j]
    if seq[i] != seq[j]:
        return seq[i] < seq[j]
    return hash_[i] < hash_[j]


@njit(cache=True, nogil=True)
def _newer(i, j, version, at, hash_):  # type: ignore[no-untyped-def]
    if version[i] != version[j]:
        return version[i] > version[j]
    if at[i] != at[j]:
        return at[i] > at[j]
    return hash_[i] > hash_[j]


@njit(cache=True, nogil=True)
def _winners(  # type: ignore[no-untyped-def]  # noqa: C901, PLR0912
    lo, hi, seq, at, hash_, stage, version, keep
):
    """Write the winning rows of [lo, hi) in order of time into `keep`; return count, conflict."""
    m = hi - lo
    rows = keep  # read only where the order of the rows is not that of the columns
    if m > _INSERTION_LIMIT:
        rows = np.arange(lo, hi)
        # Bring versions of one event together, so that each row meets only its neighbour.
        for pass_ in range(3):
            key = np.empty(m, np.int64)
            for k in range(m):
                r = rows[k]
                key[k] = at[r] if pass_ == 0 else np.int64(stage[r]) if pass_ == 1 else seq[r]
                if pass_ < 2 and seq[r] != NO_SEQ:
                    key[k] = 0
            rows = rows[np.argsort(key, kind="mergesort")]
    n = 0
    conflict = False
    if m <= _INSERTION_LIMIT and _all_differ(lo, hi, seq, at):
        for k in range(m):
            keep[k] = lo + k
        n, m = m, 0
    for k in range(m):
        r = rows[k] if m > _INSERTION_LIMIT else lo + k
        first = n - 1 if m > _INSERTION_LIMIT else 0
        hit = -1
        for q in range(max(first, 0), n):
            if _same_event(keep[q], r, seq, stage, at):
                hit = q
                break
        if hit < 0:
            keep[n] = r
            n += 1
        elif hash_[keep[hit]] != hash_[r] or at[keep[hit]] != at[r]:
            conflict = True
            if _newer(r, keep[hit], version, at, hash_):
                keep[hit] = r
    if n > _INSERTION_LIMIT:
        chosen = keep[:n].copy()
        for pass_ in range(4):
            key = np.empty(n, np.int64)
            for k in range(n):
                r = chosen[k]
                if pass_ == 0:
                    key[k] = hash_[r]
                elif pass_ == 1:
                    key[k] = seq[r]
                elif pass_ == 2:
                    key[k] = np.int64(stage[r])
                else:
                    key[k] = at[r]
            chosen = chosen[np.argsort(key, kind="mergesort")]
        keep[:n] = chosen
    else:
        for k in range(1, n):
            r = keep[k]
            q = k - 1
            while q >= 0 and _before(r, keep[q], seq, at, hash_, stage):
                keep[q + 1] = keep[q]
                q -= 1
            keep[q + 1] = r
    return n, conflict


@njit(cache=True, nogil=True)
def _fold(  # type: ignore[no-untyped-def]  # noqa: C901, PLR0912, PLR0913, PLR0915, PLR0917
    incident, seq, at, hash_, stage, due, version, body, carries,
    o_incident, o_stage, o_open, o_times, o_due, o_susp, o_since, o_from, o_ret, o_reop, o_flags,
    o_payload, o_kind, o_body,
):  # fmt: skip
    keep = np.empty(_INSERTION_LIMIT, np.int64)
    step = np.full(len(STAGES), -1, np.int64)
    step[_REPORTED] = 0
    step[_REGISTERED] = 1
    step[_DISPATCHED] = 2
    step[_HANDLED] = 3
    step[_CLOSED] = 4
    step[_EVALUATED] = 5
    end = 0
    for i in range(len(o_incident)):
        start = end
        while end < len(incident) and incident[end] == incident[start]:
            end += 1
        if end - start > len(keep):
            keep = np.empty(end - start, np.int64)
        n, conflict = _winners(start, end, seq, at, hash_, stage, version, keep)
        o_incident[i] = incident[start]
        flags = FLAG_CONFLICT if conflict else 0
        is_open = False
        ended = False
        last = stage[keep[0]]
        best = -1
        named = -1
        for k in range(n):
            r = keep[k]
            s = stage[r]
            t = at[r]
            last = s
            if carries[r] & PLACE and (best < 0 or _newer(r, best, version, at, hash_)):
                best = r
            if carries[r] & KIND and (named < 0 or _newer(r, named, version, at, hash_)):
                named = r
            if step[s] >= 0 and (o_times[i, step[s]] == NO_TIME or step[s] > 1):
                o_times[i, step[s]] = t  # first for reported and registered, last for the others
            # A step after the end without a reopening, or a closing before any report, is kept
            # and flagged: the source knows better than we what happened.
            if ended and s in (_REGISTERED, _DISPATCHED, _HANDLED, _RETURNED, _SUSPENDED):
                flags |= FLAG_DISORDER
            if k == 0 and s not in (_REPORTED, _REGISTERED):
                flags |= FLAG_DISORDER
            if s in (_REPORTED, _REGISTERED) and not ended:
                is_open = True
                if o_from[i] == NO_TIME or (s == _REGISTERED and o_times[i, 1] == t):
                    o_from[i] = t
            elif s == _SUSPENDED and o_since[i] == NO_TIME:
                o_since[i] = t
            elif s == _RESUMED and o_since[i] != NO_TIME:
                o_susp[i] += t - o_since[i]
                if o_due[i] != NO_TIME:
                    o_due[i] += t - o_since[i]
                o_since[i] = NO_TIME
            elif s == _EXTENDED:
                flags |= FLAG_EXTENDED
            elif s == _ESCALATED:
                flags |= FLAG_ESCALATED
            elif s == _RETURNED:
                o_ret[i] += 1
            elif s == _REOPENED:
                o_reop[i] += 1
                is_open = True
                ended = False
                o_from[i] = t
                o_susp[i] = 0
                o_since[i] = NO_TIME
                o_due[i] = NO_TIME
                o_times[i, 4] = NO_TIME
                o_times[i, 5] = NO_TIME
            elif s in (_CLOSED, _DUPLICATE, _VOID, _NOT_REGISTERED):
                is_open = False
                ended = True
                o_since[i] = NO_TIME
            if body[r] != 0:
                o_body[i] = body[r]
            if due[r] != NO_TIME:
                o_due[i] = due[r]
        if n and not ended and not is_open:
            is_open = True
        o_stage[i] = last
        o_open[i] = is_open
        o_flags[i] = flags
        o_payload[i] = hash_[best] if best >= 0 else 0
        o_kind[i] = hash_[named] if named >= 0 else 0
