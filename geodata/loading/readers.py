"""Which reader a file of a kind needs: as a table, as rows with a place, or as shapes."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from geodata.loading.contracts import RECORD_KINDS
from geodata.loading.request import LoadRequest, Progress
from geodata.reading import TABLE_SUFFIXES, Reading, read_geometries, read_rows, read_table

READ_SHARE = 0.9  # of the step that reads: the rest is what a kind makes of its columns


def read_file(
    kind: str, path: Path, request: LoadRequest, *, progress: Progress | None = None
) -> Reading:
    """
    Read a file as what its kind is kept as: a look at it and its load then see the same.

    `progress` hears of a table how far its reading is; of other files nothing. Raises what the
    readers raise: BadFile and BadSetting, with every fault at once.
    """
    how: dict[str, Any] = {
        "crs": request.crs,
        "encoding": request.encoding,
        "limits": request.limits,
        "swapped": request.swapped,
    }

    def heard(share: float) -> None:
        if progress is not None:
            progress("progress.read", share * READ_SHARE)

    if kind == "incidents":
        return read_rows(
            path,
            mapping=request.mapping,
            layer=request.layer,
            isolated=request.isolated,
            heard=heard,
            **how,
        )
    contract = RECORD_KINDS.get(kind)
    if contract is None:
        tabular = kind == "events"
    else:
        tabular = not contract.placed or path.suffix.lower() in TABLE_SUFFIXES
    if tabular:
        return read_table(path, mapping=request.mapping, sheet=request.layer, heard=heard, **how)
    return read_geometries(path, layer=request.layer, isolated=request.isolated, **how)
