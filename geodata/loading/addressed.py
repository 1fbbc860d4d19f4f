"""Incidents with an address alone: placed by the city's address library, and saying so."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from weakref import WeakKeyDictionary

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from geodata.addresses import LEVELS, AddressLibrary, build_library, match_addresses
from geodata.addresses.writing import normalise
from geodata.city import City
from geodata.loading.report import LoadReport
from geodata.reference.kept import KeptWithTables
from geodata.store.records import read_records, read_tables_version
from geodata.words import Word

GUESS_MARK = " | "
UNSURE = "report.address_unsure"  # the note on addresses that nothing was sure enough of


@dataclass(frozen=True, slots=True, kw_only=True)
class Addressed:
    """
    Places found for rows by their address; arrays of the rows' length.

    `x_mm`, `y_mm` are whole millimetres of the city's system, NaN where nothing was sure enough.
    `attributes` tell of each row by which standard address, at which level and how surely, or what
    it might be. `unsure` counts why the others have no place.
    """

    x_mm: NDArray[np.float64]
    y_mm: NDArray[np.float64]
    attributes: pd.DataFrame
    levels: dict[str, int]
    unsure: dict[str, int]


# One for each city that a process has open: a watched folder brings many small files one by one.
_KEPT: WeakKeyDictionary[City, KeptWithTables[AddressLibrary | None]] = WeakKeyDictionary()


def load_library(city: City, *, now: int) -> AddressLibrary | None:
    """
    Return the city's standard addresses in force (places in mm); None where it has none.

    Built once for as long as no table of the city changes.
    """
    with city.database.read() as connection:

        def build() -> AddressLibrary | None:
            version = read_tables_version(connection)
            records = read_records(connection, "addresses", at=now)
            placed = records[np.isfinite(records["x_mm"].to_numpy(float))]
            if placed.empty:
                return None
            ids = placed["id"].tolist()
            return build_library(ids, placed["x_mm"], placed["y_mm"], version=str(version))

        return _KEPT.setdefault(city, KeptWithTables()).find(connection, build, now=now)


def place_by_address(library: AddressLibrary, addresses: pd.Series[str]) -> Addressed:
    """Place addresses by the library; those it is not sure of stay without a place."""
    texts = addresses.tolist()
    match = match_addresses(library, texts)
    level = pd.Series([LEVELS[code] for code in match.level], index=addresses.index)
    sure = np.isfinite(match.x)
    attributes = pd.DataFrame(
        {
            "place_level": level.where(addresses != "", ""),
            "place_score": [f"{score:.2f}" if score else "" for score in match.score],
            "place_address": [library.texts[row] if row >= 0 else "" for row in match.row],
            "place_guesses": [
                GUESS_MARK.join(match.guesses.get(i, ())) for i in range(len(addresses))
            ],
        },
        index=addresses.index,
    )
    return Addressed(
        x_mm=np.rint(match.x),
        y_mm=np.rint(match.y),
        attributes=attributes,
        levels={
            name: int((level[sure] == name).sum()) for name in LEVELS if (level[sure] == name).any()
        },
        unsure=dict(
            Counter(
                _name_doubt(level.iloc[row], texts[row], row in match.guesses)
                for row in np.flatnonzero(~sure)
            )
        ),
    )


def _name_doubt(level: str, text: str, guessed: bool) -> str:
    """Return why an address has no place: no such road, no number, not that number, or several."""
    if level == "road":
        return "number" if any(map(str.isdigit, normalise(text))) else "no_number"
    return "several" if guessed else "no_road"


def fill_places(
    city: City, table: pd.DataFrame, addresses: pd.Series[str], report: LoadReport, *, now: int
) -> pd.DataFrame | None:
    """
    Give rows without a place the one of their address, in place.

    Returns the attributes that say how, for the rows that were asked; None where the city has no
    address library or no row needs it.
    """
    nowhere = pd.Series(True, index=table.index)
    if "x_mm" in table:
        nowhere = ~np.isfinite(table["x_mm"].astype(float))
    asked = nowhere & (addresses != "")
    library = load_library(city, now=now) if asked.any() and city.crs_text else None
    if library is None:
        return None
    found = place_by_address(library, addresses[asked])
    for name, values in (("x_mm", found.x_mm), ("y_mm", found.y_mm)):
        if name not in table:
            table[name] = np.nan
        table.loc[asked, name] = values
    counts = tuple(
        Word("report.placed_level", {"level": Word(f"place_level.{name}"), "n": f"{n:,}"})
        for name, n in found.levels.items()
    )
    n = sum(found.levels.values())
    report.note(
        "report.placed_by_address", n=f"{n:,}", of=f"{int(asked.sum()):,}", counts=counts or ("–",)
    )
    if found.unsure:
        why = tuple(
            Word("report.unsure", {"why": Word(f"place_doubt.{name}"), "n": f"{n:,}"})
            for name, n in sorted(found.unsure.items(), key=lambda one: (-one[1], one[0]))
        )
        report.note(UNSURE, n=f"{sum(found.unsure.values()):,}", why=why)
    return found.attributes
