"""Coordinate systems for a person to choose from: by plain names, with what speaks for each."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from geodata.city import City
from geodata.coordinates import to_lonlat
from geodata.errors import BadFile, BadSetting
from geodata.intake.limits import limits_of
from geodata.intake.shelf import Upload
from geodata.loading.datums import OutlineEvidence, ReadAs, weigh_readings
from geodata.loading.placing import raw_places
from geodata.loading.readers import read_file
from geodata.reading import Reading
from geodata.words import Word

LONLAT = ("EPSG:4326", "GCJ-02", "BD-09")
_EPSG = re.compile(r"EPSG:(\d+)")
# CGCS2000 in zones: first code, first number (of a zone, or a meridian), step, how many.
_ZONED = {
    "system.zone3": (4513, 25, 1, 21),
    "system.meridian3": (4534, 75, 3, 21),
    "system.zone6": (4491, 13, 1, 11),
    "system.meridian6": (4502, 75, 6, 11),
}
_MERIDIANS = np.arange(75, 136, 3)  # every second one also of a zone of six degrees
_AXES, _METRES = frozenset({"shapes_swapped", "places_swapped", "crs_axes"}), "crs_degrees"
_UNKNOWN = frozenset({"crs_missing", "crs_misfit", "place_impossible"})


@dataclass(frozen=True, slots=True, kw_only=True)
class Offer:
    """A way to read a file that was refused: `inside` of its `points` then lie in the city."""

    how: ReadAs
    inside: int | None  # None where there is no city yet
    points: int


def name_system(text: str) -> Word | str:
    """Return the plain name of a coordinate system, or what it is written as."""
    if text in LONLAT:
        return Word(f"system.{text.replace(':', '').replace('-', '').lower()}")
    if not (found := _EPSG.fullmatch(text)):
        return text
    code = int(found[1])
    for key, (first, number, step, many) in _ZONED.items():
        if first <= code < first + many:
            return Word(key, {"number": number + step * (code - first), "crs": text})
    return Word("system.mercator", {"crs": text}) if code == 3857 else text


def list_systems(city: City, *, now: int) -> list[str]:
    """Return the systems a file of this city may well be in, the likeliest first."""
    return list(dict.fromkeys([*LONLAT, *_list_metric(city, now=now)]))


def find_offers(
    city: City, path: Path, upload: Upload, wrong: BadFile | BadSetting, *, now: int
) -> list[Offer]:
    """
    Return ways to read a file that was refused for its coordinate system or the order of its axes.

    Each is tried; those that leave the places nowhere near the city are left out where another does
    not. Empty where the refusal has another cause, or nothing helps.
    """
    request = upload.request(limits_of(city.settings), now=now)
    ways = list(_list_ways(city, wrong, crs=request.crs, swapped=request.swapped, now=now))
    system = city.grids_in_force(now) if ways and city.crs_text else None
    offers = []
    for one in ways:
        asked = replace(request, crs=one.crs or None, swapped=one.swapped)
        try:
            reading = read_file(upload.kind, path, asked)
            x, y, source = raw_places(reading)
        except (BadFile, BadSetting):
            continue
        found = None
        if system is not None:
            found = weigh_readings(x, y, source, city=city, system=system)
        offers.append(_offer(one, reading, found))
    near = [one for one in offers if one.inside is None or one.inside]
    return sorted(near or offers, key=lambda one: -(one.inside or 0))


def _offer(one: ReadAs, reading: Reading, found: OutlineEvidence | None) -> Offer:
    if found is None:
        return Offer(how=one, inside=None, points=reading.rows)
    inside = found.points - found.outside[found.declared]
    return Offer(how=one, inside=inside, points=found.points)


def _list_ways(
    city: City, wrong: BadFile | BadSetting, *, crs: str | None, swapped: bool, now: int
) -> Iterator[ReadAs]:
    keys = {fault.key for fault in wrong.faults}
    if keys & _AXES:
        yield ReadAs(crs=crs or "", swapped=not swapped)
    elif _METRES in keys:
        yield from (ReadAs(crs=text, swapped=swapped) for text in LONLAT)
    elif keys & _UNKNOWN:
        hints = " ".join(str(fault.values.get("hint", "")) for fault in wrong.faults)
        named = [] if "–" in hints else [f"EPSG:{code}" for code in _EPSG.findall(hints)]
        for text in dict.fromkeys([*named, *_list_metric(city, now=now)]):
            if text != crs:
                yield ReadAs(crs=text, swapped=swapped)


def _list_metric(city: City, *, now: int) -> list[str]:
    """Return systems in metres around the city, with and without the zone in the easting."""
    system = city.grids_in_force(now) if city.crs_text else None
    if system is None:
        return []
    west, south, east, north = system.grids.total_bounds
    lon, _ = to_lonlat((west + east) / 2, (south + north) / 2, city.crs)
    found = [city.crs_text] if _EPSG.fullmatch(city.crs_text) else []
    for first, _, _, many in _ZONED.values():
        wide = many == len(_MERIDIANS)
        away = np.abs(_MERIDIANS[:: 1 if wide else 2] - float(lon))
        nearest = np.argsort(away, kind="stable")[: 2 if wide else 1]
        found += [f"EPSG:{first + int(place)}" for place in nearest]
    return list(dict.fromkeys(found))
