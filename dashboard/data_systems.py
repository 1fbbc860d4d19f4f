"""The coordinate system of a file on the data page: what to choose from, and what speaks for it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from geodata.city import City
from geodata.errors import BadFile, BadSetting, GetuError
from geodata.intake.looking import Looks, Preview
from geodata.intake.shelf import Upload
from geodata.intake.systems import list_systems, name_system
from geodata.loading.datums import ReadAs
from geodata.loading.outside import name_reading
from geodata.words import Lang, Word, say

_PLAIN = {"WGS 84": "EPSG:4326"}  # as a choice writes what a report calls by its name
_SWAPPED = "swapped:"


@dataclass(frozen=True, slots=True, kw_only=True)
class ReadingRow:
    """One way to read a file, as a row of the evidence; None for what was not measured."""

    name: str
    pick: str  # what its button sends; empty for the way it is read now
    best: bool
    outside: int | None
    off_m: float | None
    median_m: float | None


def list_choices(city: City, upload: Upload, lang: Lang, *, now: int) -> list[tuple[str, str]]:
    """Return the coordinate systems to choose from, each with its name; what is set among them."""
    systems = list_systems(city, now=now)
    own = upload.options.get("crs", "")
    if own and own not in systems:
        systems.append(own)
    return [(text, _speak(name_system(text), lang)) for text in systems]


def read_system(form: Mapping[str, str]) -> dict[str, Any]:
    """Return the options `crs` and `swapped` of a form; a system written out goes first."""
    crs = form.get("crs_own", "").strip() or form.get("crs", "").strip()
    return _write_options(crs, swapped=form.get("swapped") == "yes")


def pick_system(options: Mapping[str, Any], pick: str) -> dict[str, Any]:
    """Return an upload's options with the way of reading that a button names."""
    kept = {name: value for name, value in options.items() if name not in ("crs", "swapped")}
    crs = pick.removeprefix(_SWAPPED) or options.get("crs", "")
    return kept | _write_options(crs, swapped=pick.startswith(_SWAPPED))


def list_readings(preview: Preview, lang: Lang) -> list[ReadingRow]:
    """Return the ways in which a file was read for evidence, the present one first."""
    outline, layer = preview.outline, preview.evidence
    if outline is None and layer is None:
        return []
    ways = list(outline.outside) if outline else []
    if layer is not None:
        named = [ReadAs(crs=name) for name in layer.median_m]
        ways += [one for one in named if one not in ways]
    declared = outline.declared if outline else ReadAs(crs=layer.declared if layer else "")
    likely = outline.likely if outline else ()
    better = layer.better if layer else None
    return [
        ReadingRow(
            name=_speak(name_reading(one), lang),
            pick="" if one == declared else _write_pick(one, own=declared.crs),
            best=one in likely or (not one.swapped and one.crs == better),
            outside=outline.outside.get(one) if outline else None,
            off_m=outline.off_m[one] if outline and outline.outside.get(one) else None,
            median_m=layer.median_m.get(one.crs) if layer and not one.swapped else None,
        )
        for one in ways
    ]


def list_offers(
    looks: Looks, paths: list[Path], upload: Upload, error: GetuError, lang: Lang, *, now: int
) -> list[dict[str, Any]]:
    """Return ways out for a file whose coordinate system or axes were refused, each a button."""
    if not isinstance(error, BadFile | BadSetting):
        return []
    return [
        {
            "name": _name_way(one.how, lang),
            "pick": _write_pick(one.how),
            "inside": one.inside,
            "points": one.points,
        }
        for one in looks.list_offers(paths, upload, error, now=now)
    ]


def _write_options(crs: str, *, swapped: bool) -> dict[str, Any]:
    return ({"crs": crs} if crs else {}) | ({"swapped": True} if swapped else {})


def _name_way(one: ReadAs, lang: Lang) -> str:
    if not one.crs:
        return say("datum_page.exchanged", lang)
    name = name_system(one.crs)
    return _speak(Word("report.read_swapped", {"crs": name}) if one.swapped else name, lang)


def _write_pick(one: ReadAs, *, own: str = "") -> str:
    """Return what a button sends; the system that is set stays as it is written, WKT or a fit."""
    crs = "" if one.crs == own else _PLAIN.get(one.crs, one.crs)
    return f"{_SWAPPED if one.swapped else ''}{crs}"


def _speak(name: Word | str, lang: Lang) -> str:
    return say(name.key, lang, **name.values) if isinstance(name, Word) else name
