"""A city's own coordinate system, fitted to points that are known in both: a plane on a plane."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from geodata.errors import BadSetting, Fault

Floats = NDArray[np.float64]
Affine = tuple[float, float, float, float, float, float]
FitKind = Literal["similarity", "affine"]
FEWEST = {"similarity": 3, "affine": 4}  # one more than needed: else nothing could be judged
WORST_M = 3.0  # a point further off was mistaken for another, or mistyped
SCALE_WITHIN = 0.02  # metres on both sides: a scale further from 1 is another unit
_THIN = 0.02  # points closer to one line than this share of their extent hold no plane
_NUMBER = r"[-+]?\d{1,12}(?:\.\d{1,15})?(?:[eE][-+]?\d{1,3})?"
_TEXT = re.compile(rf"\s*FIT\s+(EPSG:\d{{4,6}})((?:\s+{_NUMBER}){{6}})\s*", re.IGNORECASE)


@dataclass(frozen=True, slots=True, kw_only=True)
class Fit:
    """
    A fit of a plane system to a metric one: east = a0 + a1 x + a2 y, north = b0 + b1 x + b2 y.

    `residuals_m` is how far each point comes to lie from where it is known, in the order given.
    """

    crs: str  # the metric system, as EPSG:n
    affine: Affine
    residuals_m: tuple[float, ...]
    scale: float
    turn_deg: float

    @property
    def text(self) -> str:
        """Return it as `--crs` and the data page take it."""
        return f"FIT {self.crs} " + " ".join(f"{value:.12g}" for value in self.affine)

    @property
    def rms_m(self) -> float:
        """Return the root of the mean square of the residuals."""
        return float(np.sqrt(np.mean(np.square(self.residuals_m))))


def parse_fit(text: str) -> tuple[str, Affine] | None:
    """Return the metric system and the numbers of a fit that stands as text; None for others."""
    found = _TEXT.fullmatch(text)
    if found is None:
        return None
    a0, a1, a2, b0, b1, b2 = map(float, found[2].split())
    return found[1].upper(), (a0, a1, a2, b0, b1, b2)


def apply_affine(affine: Affine, x: Floats, y: Floats) -> tuple[Floats, Floats]:
    """Return where points of the fitted system lie in the metric one."""
    a0, a1, a2, b0, b1, b2 = affine
    return a0 + a1 * x + a2 * y, b0 + b1 * x + b2 * y


def fit_points(own: Floats, known_m: Floats, *, crs: str, kind: FitKind) -> Fit:
    """
    Fit points (n, 2) of an own system in metres to their known places (n, 2) in metres of `crs`.

    By least squares about the middle of the points; a similarity shifts, turns and scales, an
    affine fit scales both axes by themselves. Raises BadSetting, with every fault at once, for too
    few points, points on one line, a mirror image (axes swapped), another unit, or a point more
    than 3 m off: which one, by its place in the list.
    """
    n = len(own)
    if n < FEWEST[kind]:
        raise BadSetting(Fault(key="fit_few", values={"need": FEWEST[kind]}))
    from_m, to_m = own - own.mean(axis=0), known_m - known_m.mean(axis=0)
    spread = np.linalg.svd(from_m, compute_uv=False)
    if not np.isfinite(spread).all() or spread[1] <= _THIN * spread[0]:
        raise BadSetting(Fault(key="fit_line"))
    plain, *_ = np.linalg.lstsq(from_m, to_m, rcond=None)
    if np.linalg.det(plain) <= 0:
        raise BadSetting(Fault(key="fit_mirror"))
    matrix = plain.T if kind == "affine" else _turn_and_scale(from_m, to_m)
    scale = float(np.sqrt(abs(np.linalg.det(matrix))))
    shift = known_m.mean(axis=0) - matrix @ own.mean(axis=0)
    off = own @ matrix.T + shift - known_m
    residuals = np.hypot(off[:, 0], off[:, 1])
    faults = []
    if abs(scale - 1) > SCALE_WITHIN:
        faults.append(Fault(key="fit_scale", values={"scale": f"{scale:.4g}"}))
    worst = int(residuals.argmax())
    if residuals[worst] > WORST_M:
        values = {"point": worst + 1, "off": f"{residuals[worst]:,.1f}", "most": WORST_M}
        faults.append(Fault(key="fit_worst", row=worst + 1, values=values))
    if faults:
        raise BadSetting(faults)
    affine = (
        float(shift[0]), float(matrix[0, 0]), float(matrix[0, 1]),
        float(shift[1]), float(matrix[1, 0]), float(matrix[1, 1]),
    )  # fmt: skip
    return Fit(
        crs=crs,
        affine=affine,
        residuals_m=tuple(residuals.tolist()),
        scale=scale,
        turn_deg=float(np.degrees(np.arctan2(matrix[1, 0], matrix[0, 0]))),
    )


def _turn_and_scale(from_m: Floats, to_m: Floats) -> Floats:
    """Return the matrix [[p, -q], [q, p]] that brings points nearest to others (Helmert, 2D)."""
    size = float((from_m**2).sum())
    p = float((from_m * to_m).sum()) / size
    q = float((from_m[:, 0] * to_m[:, 1] - from_m[:, 1] * to_m[:, 0]).sum()) / size
    return np.array([[p, -q], [q, p]])
