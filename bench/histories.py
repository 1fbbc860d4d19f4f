"""Made-up histories of incidents for the benchmarks of the store: seeded, in order of arrival."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from geodata.events.incidents import NO_SEQ, SIX_STEPS, STAGE_CODE
from geodata.store.event_rows import NO_PLACE, NO_TEXT, EventRows, Texts

EVENTS_AN_INCIDENT = 16_000_000 / 3_000_000
SOURCES = ("网格上报", "12345热线", "视频识别")
BEGIN = 1_735_689_600  # 2025-01-01 UTC
YEAR_S = 365 * 86_400
WEST_MM, SOUTH_MM, WIDE_MM = 500_000_000, 3_600_000_000, 50_000_000
KINDS, BODIES = 987, 52
_REACHED = (0.01, 0.02, 0.06, 0.06, 0.25, 0.60)  # how far an incident has got, by step
_GAPS_S = (600, 1_800, 80_000, 20_000, 200_000)
_SECOND_CONTENTS = 0.001  # of the events have two contents
_ROWS_A_PART = 1_000_000


@dataclass(frozen=True, kw_only=True)
class Histories:
    """`incidents` incidents with up to six steps each; the whole is some 200 bytes an incident."""

    incidents: int
    seed: int = 7

    @cached_property
    def times(self) -> NDArray[np.int64]:
        """Return when each incident reached each step, 0 for never, shape (incidents, 6)."""
        chance = np.random.default_rng(self.seed)
        begin = np.sort(chance.integers(0, YEAR_S, self.incidents)) + BEGIN
        gaps = chance.exponential(_GAPS_S, (self.incidents, len(_GAPS_S))).astype(np.int64) + 1
        times = begin[:, None] + np.c_[np.zeros(self.incidents, np.int64), gaps.cumsum(axis=1)]
        last = chance.choice(len(SIX_STEPS), self.incidents, p=_REACHED)
        times[np.arange(len(SIX_STEPS))[None] > last[:, None]] = 0
        return times

    @cached_property
    def arrival(self) -> NDArray[np.int64]:
        """Return the events by arrival, each as incident x 6 + step; some come twice."""
        chance = np.random.default_rng(self.seed + 1)
        told = np.flatnonzero(self.times.ravel())
        twice = chance.choice(told, int(len(told) * _SECOND_CONTENTS), replace=False)
        told = np.concatenate([told, twice])
        at = self.times.ravel()[told] + chance.integers(1, 300, len(told))
        return told[np.argsort(at, kind="stable")]

    def parts(self) -> Iterator[EventRows]:
        """Yield the events as rows of one source each, by arrival in parts of a million."""
        seen = np.zeros(self.incidents * len(SIX_STEPS), np.bool_)
        for start in range(0, len(self.arrival), _ROWS_A_PART):
            told = self.arrival[start : start + _ROWS_A_PART]
            _, first = np.unique(told, return_index=True)
            second = np.ones(len(told), np.bool_)
            second[first] = seen[told[first]]
            seen[told] = True
            for number, source in enumerate(SOURCES):
                mine = (told // len(SIX_STEPS)) % len(SOURCES) == number
                if mine.any():
                    yield self._rows(told[mine], second[mine], source)

    def _rows(self, told: NDArray[np.int64], second: NDArray[np.bool_], source: str) -> EventRows:
        inc, step = np.divmod(told, len(SIX_STEPS))
        at = self.times.ravel()[told] + second * 60
        codes = np.array([STAGE_CODE[name] for name in SIX_STEPS], np.int64)
        reported = step == 0
        numbers, code = np.unique(inc, return_inverse=True)
        ids = Texts(texts=[f"3201182025{n:08d}" for n in numbers.tolist()], code=code)
        report_code = np.where(reported, np.cumsum(reported) - 1, NO_TEXT)
        return EventRows(
            source=source,
            ids=ids,
            seq=np.where(inc % 2 == 0, step, NO_SEQ),
            at=at,
            hash=_hash(told, second),
            stage=codes[step],
            version=second.astype(np.int64),
            due=np.where(reported, at + 86_400 * (1 + inc % 7), 0),
            body=Texts(
                texts=[f"处置单位{n}" for n in range(BODIES)],
                code=np.where(step == 2, inc % BODIES, NO_TEXT),
            ),
            reason=Texts(texts=[], code=np.full(len(told), NO_TEXT)),
            x=np.where(reported, WEST_MM + _spread(inc, 1) % WIDE_MM, NO_PLACE),
            y=np.where(reported, SOUTH_MM + _spread(inc, 2) % WIDE_MM, NO_PLACE),
            kind=Texts(
                texts=[f"K{n:06d}" for n in range(KINDS)],
                code=np.where(reported, inc % KINDS, NO_TEXT),
            ),
            attributes=Texts(
                texts=[
                    f'{{"address":"文昌中路{n % 997}号","channel":"12345","severity":"{n % 4}",'
                    f'"street":"S{n % 13:03d}","村社":"第{n % 350}社区"}}'
                    for n in inc[reported].tolist()
                ],
                code=report_code,
            ),
        )


def _spread(values: NDArray[np.int64], seed: int) -> NDArray[np.int64]:
    """Return whole numbers that look like chance, the same for the same value."""
    mixed = (values.astype(np.uint64) + np.uint64(seed)) * np.uint64(0x9E3779B97F4A7C15)
    mixed ^= mixed >> np.uint64(29)
    mixed *= np.uint64(0xBF58476D1CE4E5B9)
    return (mixed >> np.uint64(2)).astype(np.int64)


def _hash(told: NDArray[np.int64], second: NDArray[np.bool_]) -> NDArray[np.int64]:
    return _spread(told * 2 + second, 3)
