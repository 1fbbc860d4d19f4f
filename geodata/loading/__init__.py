"""Loading: from a file to the store, with a report of what was taken, repaired and refused."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from geodata.city import City
from geodata.errors import BadSetting, Fault, GetuError, explain_system
from geodata.loading.contracts import RECORD_KINDS
from geodata.loading.event_files import load_events
from geodata.loading.fixtures import load_base_layer, load_fixtures
from geodata.loading.grids import load_grids
from geodata.loading.incidents import load_incidents
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

    Several grid files are one level of one drawing and go in together or not at all; of other
    kinds each file stands for itself. Raises BadSetting for a kind that cannot be loaded.
    """
    if kind not in KINDS:
        raise BadSetting(
            Fault(key="kind_unknown", values={"kind": kind, "known": ", ".join(KINDS)})
        )
    reports: list[LoadReport] = []
    errors: list[GetuError] = []
    for part in [files] if kind == "grids" else [[path] for path in files]:
        try:
            reports.append(_load(city, kind, part, request, progress))
        except GetuError as error:
            errors.append(error)
        except OSError as error:
            errors.append(explain_system(error, file=", ".join(path.name for path in part)))
    return reports, errors


def _load(
    city: City, kind: str, files: list[Path], request: LoadRequest, progress: Progress
) -> LoadReport:
    if kind == "grids":
        return load_grids(city, files, request, progress)
    if kind in RECORD_KINDS:
        return load_fixtures(city, kind, files[0], request, progress)
    return _ONE_BY_ONE[kind](city, files[0], request, progress)
