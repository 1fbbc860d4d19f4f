"""Loading: from a file to the store, with a report of what was taken, repaired and refused."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from geodata.city import City
from geodata.errors import BadSetting, Fault, GetuError
from geodata.loading.fixtures import RECORD_KINDS, load_base_layer, load_fixtures
from geodata.loading.grids import load_grids
from geodata.loading.incidents import load_events, load_incidents
from geodata.loading.report import LoadReport
from geodata.loading.request import LoadRequest, Progress

Loader = Callable[[City, Path, LoadRequest, Progress], LoadReport]
_ONE_BY_ONE: dict[str, Loader] = {
    "incidents": load_incidents,
    "events": load_events,
    "basemap": load_base_layer,
}
KINDS = ("grids", *_ONE_BY_ONE, *RECORD_KINDS)


def load_files(
    city: City, kind: str, files: list[Path], request: LoadRequest, *, progress: Progress
) -> tuple[list[LoadReport], list[GetuError]]:
    """
    Load files of one kind; return a report a file and the errors of refused files.

    Several grid files are one level of one drawing and go in together or not at all.
    Raises BadSetting for an unknown kind.
    """
    if kind not in KINDS:
        raise BadSetting(
            Fault(key="kind_unknown", values={"kind": kind, "known": ", ".join(KINDS)})
        )
    if kind == "grids":
        return [load_grids(city, files, request, progress)], []
    reports: list[LoadReport] = []
    errors: list[GetuError] = []
    for path in files:
        try:
            if kind in RECORD_KINDS:
                reports.append(load_fixtures(city, kind, path, request, progress))
            else:
                reports.append(_ONE_BY_ONE[kind](city, path, request, progress))
        except GetuError as error:
            errors.append(error)
    return reports, errors
