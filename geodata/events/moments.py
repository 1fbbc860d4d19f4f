"""Moments as people write them, read into UTC seconds."""

from __future__ import annotations

import re
import unicodedata
from dataclasses import dataclass, replace
from zoneinfo import ZoneInfo

import numpy as np
import pandas as pd
from numpy.typing import NDArray

BAD = np.iinfo(np.int64).min
PRECISIONS = ("second", "day", "month")
_TEXTS_AT_ONCE = 200_000

# Tried in turn on what the earlier ones left; the first that fits a cell wins.
_FORMS: tuple[tuple[str, str, str], ...] = (
    (r"\d{4}-\d{1,2}-\d{1,2} \d{1,2}:\d{1,2}:\d{1,2}", "%Y-%m-%d %H:%M:%S", "second"),
    (r"\d{4}-\d{1,2}-\d{1,2} \d{1,2}:\d{1,2}", "%Y-%m-%d %H:%M", "second"),
    (r"\d{4}-\d{1,2}-\d{1,2}", "%Y-%m-%d", "day"),
    (r"\d{4}-\d{1,2}", "%Y-%m", "month"),
    (r"\d{8}", "%Y%m%d", "day"),
    (r"\d{14}", "%Y%m%d%H%M%S", "second"),
)
_HALF_DAY = re.compile(r"\s*(上午|下午|晚上)\s*(\d{1,2})(?=[时点:])")
_HALF_DAY_HOURS = 12
_ZONED = r"\d{4}-\d{2}-\d{2} \d{2}:\d{2}:\d{2} ?(Z|[+-]\d{2}:?\d{2})"


@dataclass(frozen=True, slots=True, kw_only=True)
class Moments:
    """UTC seconds of each text (BAD where none fits, 0 where empty) and the coarsest precision."""

    seconds: NDArray[np.int64]
    precision: str

    @property
    def bad(self) -> NDArray[np.bool_]:
        """Return which texts are no moment."""
        return np.equal(self.seconds, BAD)

    def without(self, rows: NDArray[np.bool_]) -> Moments:
        """Return the same moments with none in some rows."""
        return replace(self, seconds=np.where(rows, 0, self.seconds))


def parse_moments(texts: pd.Series[str], zone: ZoneInfo, *, day_ends: bool = False) -> Moments:
    """
    Read times as text: ISO 8601, 2026.3.5, 2026/3/5, 2024年1月1日 8时5分, 20240101, month only.

    Naive times are the city's own (`zone`); an ambiguous hour at the end of summer time is its
    first occurrence, an hour that does not exist moves forward. With `day_ends` a day alone is its
    end, the midnight after it: what is due on a day is not late while it lasts.
    """
    # Some at a time: while they are read, texts take many times the room of their seconds.
    parts = [
        _parse_some(texts.iloc[start : start + _TEXTS_AT_ONCE], zone, day_ends)
        for start in range(0, max(len(texts), 1), _TEXTS_AT_ONCE)
    ]
    coarsest = max(place for _, place in parts)
    return Moments(
        seconds=np.concatenate([seconds for seconds, _ in parts]), precision=PRECISIONS[coarsest]
    )


def _parse_some(
    texts: pd.Series[str], zone: ZoneInfo, day_ends: bool
) -> tuple[NDArray[np.int64], int]:
    """Return the seconds of each text, and the place of the coarsest precision."""
    plain = _plain(texts)
    seconds = np.full(len(plain), BAD, np.int64)
    seconds[(plain == "").to_numpy()] = 0
    coarsest = 0
    open_rows = seconds == BAD
    zoned = open_rows & plain.str.fullmatch(_ZONED).to_numpy(bool)
    if zoned.any():
        parsed = pd.to_datetime(plain[zoned], utc=True, errors="coerce")
        seconds[zoned] = _to_seconds(parsed)
        open_rows &= ~zoned
    for pattern, form, precision in _FORMS:
        if not open_rows.any():
            break
        rows = open_rows & plain.str.fullmatch(pattern).to_numpy(bool)
        if not rows.any():
            continue
        parsed = pd.to_datetime(plain[rows], format=form, errors="coerce")
        if day_ends and precision == "day":
            parsed += pd.Timedelta(days=1)
        local = parsed.dt.tz_localize(
            zone, ambiguous=np.ones(int(rows.sum()), bool), nonexistent="shift_forward"
        )
        seconds[rows] = _to_seconds(local)
        open_rows &= ~rows
        coarsest = max(coarsest, PRECISIONS.index(precision))
    return seconds, coarsest


def _tell_hour(found: re.Match[str]) -> str:
    """Return an hour of the day for 上午8, 下午3; what is no hour of a half day stays unread."""
    hour, later = int(found[2]), found[1] in ("下午", "晚上")
    if hour > _HALF_DAY_HOURS or (found[1] == "晚上" and hour == _HALF_DAY_HOURS):
        return found[0]
    return f" {hour % 12 + 12 * later}"


def _plain(texts: pd.Series[str]) -> pd.Series[str]:
    """Bring dates to one writing: half-width, dashes, colons, a single space."""
    one = texts.fillna("").astype(str)
    if not one.map(str.isascii).all():
        one = one.map(lambda text: unicodedata.normalize("NFKC", text))
        one = one.str.replace(_HALF_DAY, _tell_hour, regex=True)
        one = one.str.replace(r"[年月]", "-", regex=True).str.replace(r"[日号]", " ", regex=True)
        one = one.str.replace(r"[时点分]", ":", regex=True).str.replace("秒", "")
    one = one.str.strip().str.replace(r"[./]", "-", regex=True).str.replace("T", " ")
    one = one.str.replace(r"(:\d{2})-\d+", r"\1", regex=True)  # fractions of a second
    return one.str.replace(r"\s+", " ", regex=True).str.strip(" :-")


def _to_seconds(values: pd.Series[pd.Timestamp]) -> NDArray[np.int64]:
    utc = values.dt.tz_convert("UTC").dt.tz_localize(None).to_numpy("datetime64[s]")
    seconds = utc.astype(np.int64)
    return np.where(np.isnat(utc), BAD, seconds)
