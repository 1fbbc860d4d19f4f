"""Places in millimetres, as the index has its grids, from metres as files have them."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike

from geodata.compiled import compile_kernel
from geodata.ownership.raster_rows import Floats
from geodata.reading.places import NOWHERE

MM_PER_M = 1000.0


def to_millimetres(metres: ArrayLike) -> Floats:
    """
    Return coordinates in millimetres: whole ones where the metres are the nearest double to one.

    So a point that stands on a grid's vertex in metres stands on it in millimetres, while a point
    between two millimetres stays where it is.
    """
    values = np.ascontiguousarray(metres, np.float64)
    out = np.empty(values.shape)
    _round_metres(values.reshape(-1), out.reshape(-1))
    return out


def round_places(x_m: Floats, y_m: Floats) -> tuple[Floats, Floats]:
    """
    Return places in millimetres, in one pass; NaN in both where there is none.

    A place is none where a number is missing or infinite, and at (0, 0), where nobody measured.
    """
    out_x, out_y = np.empty(len(x_m)), np.empty(len(x_m))
    _round_places(x_m, y_m, NOWHERE, out_x, out_y)
    return out_x, out_y


def warm() -> None:
    """Compile for arrays that may be written and for Arrow's, which may not, for set-up."""
    metres = np.linspace(0, 1, 3)
    frozen = metres.copy()
    frozen.flags.writeable = False
    for one in (metres, frozen):
        to_millimetres(one)
        round_places(one, one)


@compile_kernel
def _round_metre(metres: float) -> float:
    millimetres = metres * 1000.0
    whole = np.rint(millimetres)
    return whole if whole / 1000.0 == metres else millimetres


@compile_kernel
def _round_metres(metres: Floats, out: Floats) -> None:
    """Write millimetres for metres, in one pass."""
    for i in range(len(metres)):
        out[i] = _round_metre(metres[i])


@compile_kernel
def _round_places(x: Floats, y: Floats, nowhere: float, out_x: Floats, out_y: Floats) -> None:
    for i in range(len(x)):
        missing = not (abs(x[i]) < np.inf and abs(y[i]) < np.inf)
        missing |= abs(x[i]) < nowhere and abs(y[i]) < nowhere
        out_x[i] = np.nan if missing else _round_metre(x[i])
        out_y[i] = np.nan if missing else _round_metre(y[i])
