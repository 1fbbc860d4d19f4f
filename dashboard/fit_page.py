"""A city's own coordinate system: control points in, residuals and a text for `--crs` out."""

from __future__ import annotations

from typing import Any

import numpy as np
from flask import Flask, Response, request
from numpy.typing import NDArray

from dashboard.guard import guarded
from dashboard.plain import draw_plain, find_page_lang
from dashboard.services import Services
from dashboard.trail import show
from geodata.city import City
from geodata.coordinates import lonlat_crs, to_metric
from geodata.coordinates.fit import FEWEST, Fit, FitKind, fit_points
from geodata.errors import BadSetting, Fault, GetuError, http_status

LOAD = "load"  # the permission
MOST_POINTS = 200
_FORM_BYTES = 32_000
_KINDS: tuple[FitKind, ...] = ("similarity", "affine")


def add_fit_page(server: Flask, services: Services) -> None:
    """Add `/fit`: a calculation, nothing is kept."""
    city, base = services.city, services.base_path

    @guarded(LOAD, logs="view.fit")
    def show_fit() -> Response:
        show(n=0)
        return _draw(city, "", "similarity")

    @guarded(LOAD, logs="fit.try")
    def try_fit() -> Response:
        request.max_content_length = _FORM_BYTES
        text = request.form.get("points", "")
        kind: FitKind = "affine" if request.form.get("kind") == "affine" else "similarity"
        show(n=1)
        try:
            names, own, known = read_points(city, text)
            fit = fit_points(own, known, crs=city.crs_text, kind=kind)
        except GetuError as error:
            return _draw(city, text, kind, error=error)
        return _draw(city, text, kind, fit=fit, names=names)

    server.add_url_rule(f"{base}/fit", "getu_fit", show_fit)
    server.add_url_rule(f"{base}/fit", "getu_fit_try", try_fit, methods=["POST"])


def read_points(
    city: City, text: str
) -> tuple[list[str], NDArray[np.float64], NDArray[np.float64]]:
    """
    Return names, own coordinates and known places in metres of lines "[name] x y lon lat".

    The known ones may be metres of the city's system too. Raises BadSetting with every line that
    cannot be read.
    """
    names, rows, faults = [], [], []
    lines = [line for line in text.splitlines() if line.strip()]
    for number, line in enumerate(lines[: MOST_POINTS + 1], start=1):
        cells = line.replace(",", " ").replace("，", " ").split()
        try:
            values = [float(cell) for cell in cells[-4:]]
        except ValueError:
            values = []
        if len(values) != 4 or not np.isfinite(values).all():
            faults.append(Fault(key="fit_row", row=number))
            continue
        names.append(" ".join(cells[:-4]) or str(number))
        rows.append(values)
    if len(lines) > MOST_POINTS:
        faults.append(Fault(key="fit_many", values={"most": MOST_POINTS}))
    if faults:
        raise BadSetting(faults)
    table = np.array(rows, float).reshape(-1, 4)
    own, known = table[:, :2], table[:, 2:]
    degrees = (np.abs(known[:, 0]) <= 180) & (np.abs(known[:, 1]) <= 90)
    if degrees.any():
        x, y = to_metric(known[degrees, 0], known[degrees, 1], lonlat_crs(), city.crs)
        known[degrees] = np.column_stack([x, y])
    return names, own, known


def _draw(
    city: City,
    text: str,
    kind: FitKind,
    *,
    fit: Fit | None = None,
    names: list[str] | None = None,
    error: GetuError | None = None,
) -> Response:
    lang = find_page_lang()
    rows: list[tuple[str, str]] = []
    if fit is not None and names is not None:
        rows = [(name, f"{off:.3f}") for name, off in zip(names, fit.residuals_m, strict=True)]
    values: dict[str, Any] = {} if fit is None else {
        "text": fit.text, "rms": f"{fit.rms_m:.3f}", "worst": f"{max(fit.residuals_m):.3f}",
        "scale": f"{fit.scale:.7f}", "turn": f"{fit.turn_deg:.5f}",
    }  # fmt: skip
    return draw_plain(
        "fit.html",
        status=http_status(error) if error else 200,
        points=text,
        kind=kind,
        kinds=_KINDS,
        fewest=FEWEST,
        rows=rows,
        fit=values,
        crs=city.crs_text,
        faults=[fault.sentence(lang) for fault in error.faults] if error else [],
    )
