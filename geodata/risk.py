"""Risk of a grid: expected incidents in the next days, from a rate shrunk to the city's."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.special import gammaincinv

DAY_S = 86_400
THIN_BELOW = 3  # fewer incidents than this is not enough to judge a grid by its own record
BAND = 0.8


@dataclass(frozen=True, slots=True, kw_only=True)
class GridRisk:
    """
    One row a grid; every term of the figure, so that it can be shown as a sum.

    value = own + borrowed: expected incidents in `days`. `low` and `high` bound it with 80 %
    probability. `n` incidents were counted as they are, `weighted` with their age's weight.
    """

    days: int
    exposure_name: str
    value: NDArray[np.float64]
    own: NDArray[np.float64]
    borrowed: NDArray[np.float64]
    low: NDArray[np.float64]
    high: NDArray[np.float64]
    n: NDArray[np.int64]
    weighted: NDArray[np.float64]
    exposure: NDArray[np.float64]
    weight_own: NDArray[np.float64]
    thin: NDArray[np.bool_]
    counted: int
    left_out: int  # found by patrols: counting what patrols find feeds on itself
    since: int


def choose_exposure(
    name: str,
    *,
    households: NDArray[np.float64],
    population: NDArray[np.float64],
    area_m2: NDArray[np.float64],
) -> tuple[str, NDArray[np.float64]]:
    """
    Return the denominator's name and its value a grid: households, else population, else area.

    A grid whose value is unknown or zero gets the least known one: a rate needs a denominator, and
    too small a one shows the grid as thin rather than as safe.
    """
    options = {"households": households, "population": population, "area": area_m2 / 1e6}
    names = [name] if name in options else list(options)
    for option in names:
        values = options[option]
        known = np.isfinite(values) & (values > 0)
        if known.mean() > 0.5 or option == names[-1]:
            least = values[known].min() if known.any() else 1.0
            return option, np.where(known, values, least)
    raise AssertionError("the last option always returns")


def estimate_risk(
    owner: NDArray[np.int32],
    reported_at: NDArray[np.int64],
    *,
    patrol: NDArray[np.bool_],
    exposure: NDArray[np.float64],
    exposure_name: str,
    now: int,
    days: int,
    half_life_weeks: float,
) -> GridRisk:
    """
    Estimate each grid's expected incidents in the next `days`.

    An incident of age t counts 0.5 ** (t / half-life). The prior of the rate per exposure and day
    is a gamma fitted by moments over all grids (Marshall 1991, global empirical Bayes), so
    rate = (alpha + n) / (beta + E) = w * n/E + (1 - w) * mean with w = E / (beta + E).
    `owner` is -1 for unowned; incidents after `now` are left out.
    """
    grids = len(exposure)
    usable = (owner >= 0) & (reported_at <= now) & (reported_at > 0)
    kept = usable & ~patrol
    half_life_s = half_life_weeks * 7 * DAY_S
    since = int(reported_at[usable].min()) if usable.any() else now
    weight = 0.5 ** ((now - reported_at[kept]) / half_life_s)
    return rate_grids(
        np.bincount(owner[kept], weights=weight, minlength=grids).astype(float),
        n=np.bincount(owner[kept], minlength=grids).astype(np.int64),
        exposure=exposure,
        exposure_name=exposure_name,
        weighted_days=weigh_days(since, now=now, half_life_weeks=half_life_weeks),
        days=days,
        left_out=int((usable & patrol).sum()),
        since=since,
    )


def weigh_days(since: int, *, now: int, half_life_weeks: float) -> float:
    """Return the days from `since` to `now`, each with its age's weight."""
    decay = math.log(2) / (half_life_weeks * 7)
    return (1 - math.exp(-decay * max((now - since) / DAY_S, 1.0))) / decay


def rate_grids(
    weighted: NDArray[np.float64],
    *,
    n: NDArray[np.int64],
    exposure: NDArray[np.float64],
    exposure_name: str,
    weighted_days: float,
    days: int,
    left_out: int,
    since: int,
) -> GridRisk:
    """Return the risk of grids by their weighted incidents; see `estimate_risk`."""
    observed = exposure * weighted_days
    mean, alpha, beta = fit_gamma_prior(weighted, observed)

    ahead = exposure * days
    weight_own = observed / (beta + observed)
    rate = (alpha + weighted) / (beta + observed)
    low, high = (
        gammaincinv(alpha + weighted, tail) / (beta + observed) * ahead
        for tail in ((1 - BAND) / 2, (1 + BAND) / 2)
    )
    return GridRisk(
        days=days,
        exposure_name=exposure_name,
        value=rate * ahead,
        own=weight_own * weighted / observed * ahead,
        borrowed=(1 - weight_own) * mean * ahead,
        low=low,
        high=high,
        n=n,
        weighted=weighted,
        exposure=exposure,
        weight_own=weight_own,
        thin=n < THIN_BELOW,
        counted=int(n.sum()),
        left_out=left_out,
        since=since,
    )


def fit_gamma_prior(
    counts: NDArray[np.float64], observed: NDArray[np.float64]
) -> tuple[float, float, float]:
    """
    Return mean, alpha and beta of the gamma prior of a rate, by weighted moments.

    Where grids differ no more than chance would make them, the prior is as tight as the whole
    city's record: then every grid borrows nearly all.
    """
    total = float(observed.sum())
    mean = max(float(counts.sum()) / total, 0.5 / total)
    spread = float((observed * (counts / observed - mean) ** 2).sum()) / total
    variance = spread - mean / float(observed.mean())
    tightest = mean**2 / max(float(counts.sum()), 1.0)
    variance = max(variance, tightest)
    return mean, mean**2 / variance, mean / variance
