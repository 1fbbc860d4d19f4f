"""A city: its folder, settings, store and the drawing in force."""

from __future__ import annotations

import contextlib
import fcntl
import logging
import os
from collections.abc import Iterator
from functools import cached_property
from pathlib import Path
from typing import Any

import pyproj

from geodata.coordinates import parse_crs
from geodata.drawings import Drawings
from geodata.errors import BadSetting, Busy, Fault, NotFound, StoreDamaged
from geodata.grids import GridSystem
from geodata.settings import SETTINGS_FILE, Settings, load_settings, write_settings
from geodata.store.database import STORE_FILE, Database
from geodata.store.drawings import IN_FORCE, load_drawings, read_grids
from geodata.store.event_log import clear_broken_batches
from geodata.store.incident_rows import clear_aside
from geodata.store.metric_system import fix_crs, release_crs
from geodata.words import parse_lang, say

SERVING_LOCK, LOADING_LOCK = "serving.lock", "loading.lock"
BASE_FOLDER = "base"
_LOG = logging.getLogger(__name__)


class City:
    """
    One city folder: `city.toml`, `getu.sqlite`, base map files.

    Made by `create_city`, opened by `open_city`; holds no data itself.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.settings: Settings = load_settings(folder)
        self.database = Database(folder / STORE_FILE)
        self._fixed_crs = ""

    @property
    def base_folder(self) -> Path:
        """Return where the base map's files are."""
        return self.folder / BASE_FOLDER

    @property
    def crs_text(self) -> str:
        """Return the city's metric coordinate system, empty before the first grids."""
        if not self._fixed_crs:  # once fixed it holds, and a feed asks at every post
            self._fixed_crs = self.database.meta("crs")
        return self._fixed_crs or self.settings.crs

    @cached_property
    def _crs_by_text(self) -> dict[str, pyproj.CRS]:
        return {}

    @property
    def crs(self) -> pyproj.CRS:
        """
        Return the metric coordinate system of every stored coordinate.

        Raises NotFound before the first grids or `init --crs` fixed it.
        """
        text = self.crs_text
        if not text:
            raise NotFound(Fault(key="city_without_crs"), file=str(self.folder))
        if text not in self._crs_by_text:
            self._crs_by_text[text] = pyproj.CRS.from_user_input(text)
        return self._crs_by_text[text]

    def fix_crs(self, text: str) -> None:
        """Fix the city's coordinate system; only the first call may choose."""
        with self.database.transaction() as connection:
            fix_crs(connection, text)

    def release_crs(self) -> None:
        """
        Let the next load choose the coordinate system where nothing that was loaded needs it.

        Not where the settings name it, or a base map is drawn in it.
        """
        if not self.settings.crs and not any(self.base_folder.glob("*.parquet")):
            with self.database.transaction() as connection:
                release_crs(connection)
        self.reread_crs()

    def reread_crs(self) -> None:
        """Ask the store for the coordinate system again: a withdrawal may have released it."""
        self._fixed_crs = ""

    @cached_property
    def drawings(self) -> Drawings:
        """Return the drawings over time, each read and indexed once."""
        return Drawings(self)

    @property
    def first_system(self) -> str | None:
        """Return the system of grids that owns incidents, None before the first drawing."""
        with self.database.read() as connection:
            return _first_system(load_drawings(connection))

    def drawing_in_force(self, at: int) -> int | None:
        """Return the number of the first system's drawing in force at a moment (UTC s)."""
        with self.database.read() as connection:
            row = _find_in_force(load_drawings(connection), at, None)
        return None if row is None else int(row["drawing"])

    def grids_in_force(self, at: int, *, system: str | None = None) -> GridSystem | None:
        """
        Return the drawing in force at a moment (UTC s), or None when there is none.

        Without `system` that of the city's first system: police beats loaded beside the grids do
        not take their place.
        """
        with self.database.read() as connection:
            row = _find_in_force(load_drawings(connection), at, system)
            if row is None:
                return None
            grids = read_grids(connection, row["drawing"], crs=self.crs_text)
        return GridSystem(
            system=row["system"],
            drawing=row["drawing"],
            valid_from=row["valid_from"],
            valid_to=row["valid_to"],
            grids=grids,
        )


def _first_system(drawings: list[dict[str, Any]]) -> str | None:
    return next((row["system"] for row in drawings if row["state"] == IN_FORCE), None)


def _find_in_force(
    drawings: list[dict[str, Any]], at: int, system: str | None
) -> dict[str, Any] | None:
    """Return the row of a system's drawing in force at a moment; None stands for the first."""
    wanted = system or _first_system(drawings)
    found = [
        row
        for row in drawings
        if row["state"] == IN_FORCE
        and row["system"] == wanted
        and (row["valid_from"] is None or row["valid_from"] <= at)
        and (row["valid_to"] is None or at < row["valid_to"])
    ]
    return found[-1] if found else None


def create_city(folder: Path, values: dict[str, object]) -> City:
    """
    Make an empty city folder and its store.

    Raises BadSetting when the folder already holds a city, or a value is impossible.
    """
    check_no_city(folder)
    _check_metric(str(values.get("crs") or ""))
    folder.mkdir(parents=True, exist_ok=True)
    write_settings(folder, values)
    city = City(folder)
    city.database.create()
    if city.settings.crs:
        city.fix_crs(city.settings.crs)
    return city


def check_no_city(folder: Path) -> None:
    """Raise BadSetting when the folder already holds a city."""
    if (folder / SETTINGS_FILE).exists() or (folder / STORE_FILE).exists():
        raise BadSetting(Fault(key="city_exists"), file=str(folder))


def _check_metric(crs: str) -> None:
    """Raise BadSetting for a coordinate system whose numbers are no metres on a plane."""
    if not crs:
        return
    source = parse_crs(crs)
    if source.is_lonlat or any(axis.unit_name != "metre" for axis in source.crs.axis_info):
        raise BadSetting(Fault(key="crs_not_metric", values={"crs": source.label}))


def open_city(folder: Path) -> City:
    """
    Open a city folder and bring its store to the newest step, a copy of the old one beside it.

    Raises NotFound when there is no city in it, StoreDamaged when its store cannot be read.
    """
    store = folder / STORE_FILE
    if not store.exists():
        raise NotFound(Fault(key="city_missing"), file=str(folder))
    if not store.stat().st_size:
        raise StoreDamaged(Fault(key="store_damaged"), file=store.name)
    city = City(folder)
    if not city.database.is_current():
        copy = city.database.create()
        if copy is not None:
            _LOG.warning(say("store.upgraded", parse_lang(city.settings.lang), copy=copy.name))
    return city


@contextlib.contextmanager
def serving(city: City) -> Iterator[None]:
    """
    Hold the folder's serving lock: one server a city.

    Raises Busy when another server has it. The lock falls with the process, even on kill -9.
    """
    with _locked(city.folder / SERVING_LOCK, "city_served"):
        with contextlib.suppress(Busy), writing(city):
            pass  # clears what a killed load left, unless a load is at work
        # One connection stays open: when the last one closes, SQLite empties and removes its log,
        # and on a full disk the next reader could not make it anew.
        with contextlib.closing(city.database.hold()):
            yield


@contextlib.contextmanager
def writing(city: City) -> Iterator[None]:
    """
    Hold the folder's loading lock, with what a killed load left behind cleared away.

    Raises Busy when another load has it.
    """
    with _locked(city.folder / LOADING_LOCK, "city_loading"):
        clear_broken_batches(city.database)
        clear_aside(city.database)
        city.reread_crs()
        yield


@contextlib.contextmanager
def _locked(path: Path, fault: str) -> Iterator[None]:
    with path.open("a+") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            file.seek(0)
            process = file.read().strip() or "?"
            raise Busy(
                Fault(key=fault, values={"process": process}), file=str(path.parent)
            ) from None
        file.truncate(0)
        file.write(str(os.getpid()))
        file.flush()
        yield
