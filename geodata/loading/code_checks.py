"""What a load says of the codes of things: components by the city's rule, cameras by GB/T 28181."""

from __future__ import annotations

import numpy as np
import pandas as pd

from geodata.city import City
from geodata.events.derive import own_places
from geodata.loading.report import LoadReport
from geodata.object_codes import (
    ComponentRule,
    check_component_codes,
    parse_camera_id,
    parse_component_rule,
)
from geodata.words import Word

EXAMPLES = 5
CODED = ("components", "cameras")  # the tables whose ids mean something
DOUBLED = "code_rows"  # where a record keeps that several rows of its file had its code
_DIVISION_DIGITS = 6


def build_codes(city: City, frame: pd.DataFrame) -> pd.Series[str] | None:
    """
    Return components' codes built from the columns of their parts; None where one is missing.

    The columns are called as the parts of the setting `component_rule`. A row whose parts do not
    fit stays without a code.
    """
    rule = parse_component_rule(city.settings.component_rule)
    names = [name for name, _ in rule.parts]
    if not set(names) <= set(map(str, frame.columns)):
        return None
    sizes = dict(rule.parts)
    fits = pd.Series(True, index=frame.index)
    code = pd.Series("", index=frame.index)
    for name in names:
        cells = frame[name].fillna("").astype(str).str.strip()
        fits &= cells.str.fullmatch(rf"[0-9]{{1,{sizes[name]}}}")
        code += cells.str.zfill(sizes[name])
    return code.where(fits, "")


def note_codes(
    city: City, kind: str, table: pd.DataFrame, key: str, report: LoadReport, *, now: int
) -> None:
    """
    Say in the report which codes of components, cameras or counts are not what they should be.

    A row whose code stands in other rows too is told of them: the store keeps one of them alone.
    """
    if kind in CODED:
        times = table[key].map(table[key].value_counts())
        table[DOUBLED] = times.astype(str).where(times > 1, "")
    if kind == "components":
        _note_components(city, table, key, report, now=now)
    elif kind == "cameras":
        _note_cameras(city, table, key, report, now=now)
    elif kind == "counts":
        _note_counts(city, table, key, report, now=now)


def _note_counts(
    city: City, table: pd.DataFrame, key: str, report: LoadReport, *, now: int
) -> None:
    system = city.grids_in_force(now)
    known = set(system.grids["code"]) if system is not None else set()
    unknown = sorted(set(table[key]) - known)
    if unknown:
        examples = tuple(unknown[:EXAMPLES])
        report.note("report.counts_unlisted", n=f"{len(unknown):,}", examples=examples)


def _note_components(
    city: City, table: pd.DataFrame, key: str, report: LoadReport, *, now: int
) -> None:
    rule = parse_component_rule(city.settings.component_rule)
    codes = table[key].tolist()
    owners = owner_codes(city, table, now=now) if "cell" in dict(rule.parts) else None
    found = check_component_codes(codes, rule, known=known_parts(city, now=now), owners=owners)
    if found.counts["misfit"] == len(codes):  # a city that codes its things in another way
        report.note("report.codes_other", rule=print_rule(rule))
        return
    for name, n in found.counts.items():
        if n:
            report.note(
                "report.codes",
                what=Word(f"code_finding.{name}"),
                n=f"{n:,}",
                examples=found.examples[name][:EXAMPLES],
            )


def _note_cameras(
    city: City, table: pd.DataFrame, key: str, report: LoadReport, *, now: int
) -> None:
    wrong: dict[str, list[str]] = {"misfit": [], "no_camera": [], "elsewhere": []}
    for code, owner in zip(table[key].tolist(), owner_codes(city, table, now=now), strict=True):
        finding = judge_camera(code, owner)
        if finding:
            wrong[finding].append(code)
    if len(wrong["misfit"]) == len(table):  # ids of the city's own, not of the standard
        return
    for name, codes in wrong.items():
        if codes:
            report.note(
                "report.codes",
                what=Word(f"code_finding.{name}"),
                n=f"{len(codes):,}",
                examples=tuple(codes[:EXAMPLES]),
            )


def judge_camera(code: str, owner: str) -> str:
    """
    Return what is wrong with a camera's id, empty for nothing.

    "misfit": no 20 digits of GB/T 28181; "no_camera": the id of another device; "elsewhere": of
    another division than the grid (by its code `owner`, empty for none) that the camera stands in.
    """
    camera = parse_camera_id(code)
    if camera is None:
        return "misfit"
    if not camera.is_camera:
        return "no_camera"
    place = owner[:_DIVISION_DIGITS]
    known = len(place) == _DIVISION_DIGITS and place.isdigit()
    return "elsewhere" if known and camera.division != place else ""


def known_parts(city: City, *, now: int) -> dict[str, frozenset[str]]:
    """Return the values that the city knows for parts of a code: its districts."""
    system = city.grids_in_force(now)
    if system is None:
        return {}
    heads = system.grids["code"].astype(str).str[:_DIVISION_DIGITS]
    districts = frozenset(heads[heads.str.fullmatch(r"[0-9]{6}")])
    return {"district": districts} if districts else {}


def print_rule(rule: ComponentRule) -> str:
    """Return a rule as the setting writes it."""
    return " ".join(f"{name}:{size}" for name, size in rule.parts)


def owner_codes(city: City, table: pd.DataFrame, *, now: int) -> list[str]:
    """Return the code of the grid that each row (x_mm, y_mm) stands in, empty for none."""
    system = city.grids_in_force(now)
    if system is None or "x_mm" not in table:
        return [""] * len(table)
    x, y = (table[name].to_numpy(float) for name in ("x_mm", "y_mm"))
    owner = own_places(city, system, x, y).owner
    codes = np.append(system.finest()["code"].astype(str).to_numpy(object), "")
    return [str(code) for code in codes[owner]]
