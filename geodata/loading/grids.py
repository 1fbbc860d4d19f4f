"""Loading grids: files to a checked, repaired, dated drawing."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import geopandas

from geodata.city import City
from geodata.codes import rule_of_setting
from geodata.coverage.repair import RepairReport, repair_coverage
from geodata.coverage.report import format_area, name_codes
from geodata.errors import BadFile, BadGrid, BadSetting, Fault
from geodata.events.derive import derive_incidents
from geodata.grids import LEVELS, GridSystem, Tree, add_levels, build_tree
from geodata.grids.named_levels import RaisedLevels, raise_levels
from geodata.levels import FINEST
from geodata.loading.boundaries import FILE_COLUMN, read_boundaries
from geodata.loading.report import LoadReport
from geodata.loading.request import LoadRequest, Progress, hash_file, refuse_if_strict
from geodata.loading.shifted_grids import find_shift
from geodata.store.database import Connection, raise_revision
from geodata.store.drawings import DRAFT, IN_FORCE, keep_before, write_drawing
from geodata.store.event_log import add_batch, mark_batch
from geodata.store.metric_system import fix_crs
from geodata.store.plans import next_uid
from geodata.words import Word

_AREA_WORTH_SAYING_M2 = 0.01  # below it lies what rounding to whole millimetres moves
_CHANGES_SHOWN = 5
_GRID_FIELDS = frozenset({"code", "name", "kind", "body", "households", "population"})


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Drawing:
    """A drawing as files make it: checked, repaired to an exact tiling, not yet kept anywhere."""

    frame: geopandas.GeoDataFrame  # as it was read
    grids: geopandas.GeoDataFrame
    tree: Tree
    report: LoadReport


Refuse = Callable[[Drawing], None]


def load_grids(
    city: City,
    files: Sequence[Path],
    request: LoadRequest,
    progress: Progress,
    *,
    refuse: Refuse | None = None,
) -> LoadReport:
    """
    Load one level, or a file with all levels, as the city's drawing or as a draft.

    The first drawing is in force at once; a level it lacks is added to it; anything else becomes a
    draft, with uids matched by level and code (contracts.md 3). Raises BadFile or BadGrid when
    nothing can be loaded, also by `refuse`; then nothing was written.
    """
    _check_level(request)
    current = city.grids_in_force(request.now, system=request.system)
    adding = (
        current is not None and request.level is not None and request.level not in current.levels
    )
    drawing = read_drawing(
        city, files, request, progress, current=current, next_uid=_free_uid(city)
    )
    report, grids = drawing.report, drawing.grids
    if refuse is not None:
        refuse(drawing)
    if request.dry_run:
        report.note("report.dry_run")
        return report
    # STEP 3: save, and own anew what the drawing in force changed
    if not city.crs_text:
        report.note("report.crs_chosen", crs=grids.crs.to_string())
    _save(city, files, grids, drawing.tree, request, current, report, adding=adding)
    progress("progress.grids", 1.0)
    return report


def read_drawing(
    city: City,
    files: Sequence[Path],
    request: LoadRequest,
    progress: Progress,
    *,
    current: GridSystem | None,
    next_uid: int,
) -> Drawing:
    """
    Read boundary files as one drawing, check and repair it; nothing is written.

    Grids keep the uids that their level and code have in `current`, new ones follow from
    `next_uid`. Raises BadFile for whatever cannot be a drawing.
    """
    name = ", ".join(path.name for path in files)
    # STEP 1: read
    progress("progress.read", 0.0)
    metric = city.crs if city.crs_text else None
    found = read_boundaries(
        files,
        crs=request.crs,
        encoding=request.encoding,
        layer=request.layer,
        metric=metric,
        isolated=request.isolated,
        limits=request.limits,
        swapped=request.swapped,
    )
    report = LoadReport(
        file=name,
        rows=sum(reading.rows for reading in found.readings),
        repaired=sum(reading.repaired for reading in found.readings),
        faults=found.faults,
        crs=", ".join(sorted({r.crs.label for r in found.readings if r.crs})),
        encoding=", ".join(sorted({r.encoding for r in found.readings if r.encoding})) or None,
        dropped_columns=sorted({c for r in found.readings for c in r.dropped_columns}),
        notes=[note for reading in found.readings for note in reading.notes],
        account=request.account,
    )
    progress("progress.read", 1.0)
    # STEP 2: one tree, repaired to an exact tiling
    progress("progress.grids", 0.0)
    if current is not None and request.crs is None:  # a system that is named is believed
        shifted = find_shift(found.frame, found.readings, drawn=current.grids, level=request.level)
        if shifted is not None:
            raise BadFile(shifted, file=name)
    try:
        tree = _grow(city, found.frame, request, current, next_uid, report)
        grids, repair = repair_coverage(
            tree.grids,
            min_area_m2=city.settings.gap_m2,
            hairline_m=city.settings.hairline_m,
            overlaps="cut" if request.overlaps == "cut" else "refuse",
        )
        _report_repair(report, repair, city)
    except BadGrid as error:
        raise BadFile([*error.faults, *report.faults], file=name) from error
    refuse_if_strict(report, request)
    report.accepted = len(found.frame)
    _report_tree(report, tree, grids)
    return Drawing(frame=found.frame, grids=grids, tree=tree, report=report)


def _check_level(request: LoadRequest) -> None:
    for level in (request.level, request.parent_level):
        if level is not None and level not in LEVELS:
            raise BadSetting(
                Fault(key="grid_level_unknown", values={"level": level, "known": ", ".join(LEVELS)})
            )


def _grow(
    city: City,
    frame: geopandas.GeoDataFrame,
    request: LoadRequest,
    current: GridSystem | None,
    next_uid: int,
    report: LoadReport,
) -> Tree:
    """Return the tree that the files make, alone or with the levels the city has."""
    mapping = {name: column for name, column in request.mapping.items() if name in _GRID_FIELDS}
    if request.parent:
        mapping["parent"] = request.parent
    if request.parent != FILE_COLUMN:
        frame = frame.drop(columns=FILE_COLUMN)
    frames = {request.level: frame} if request.level else frame
    how: dict[str, Any] = {
        "mapping": mapping,
        "parent_level": request.parent_level,
        "code_rule": rule_of_setting(city.settings.grid_code_rule),
        "next_uid": next_uid,
    }
    adding = request.level is not None and current is not None
    if not request.parent_level:
        known = current.levels if adding and current else ()
        raised = _raise_levels(frame, request, known=known)
        _tell_levels(report, raised)
        if raised.frames:
            frames, how["mapping"] = raised.frames, {**mapping, **raised.mapping}
    if adding and current is not None:  # a drawing is complete: its other levels stay
        return add_levels(current.grids, frames, **how)
    previous = current.grids if current is not None else None
    return build_tree(frames, crs=frame.crs, previous=previous, **how)


def _raise_levels(
    frame: geopandas.GeoDataFrame, request: LoadRequest, *, known: Sequence[str]
) -> RaisedLevels:
    """Return the levels that columns name beside each grid."""
    mapping = {name: column for name, column in request.mapping.items() if name in _GRID_FIELDS}
    return raise_levels(
        frame,
        level=request.level or FINEST,
        mapping=mapping,
        known=known,
        parent=request.parent,
    )


def _tell_levels(report: LoadReport, raised: RaisedLevels) -> None:
    if raised.left:
        report.note(
            "columns.levels_left", columns=raised.left, why=Word(f"columns.level_{raised.why}")
        )
    if raised.named:
        report.note(
            "report.levels_named",
            levels=tuple(
                Word(
                    "report.level_named",
                    {"level": Word(f"level.{one.level}"), "n": one.areas, "columns": one.columns},
                )
                for one in raised.named
            ),
        )


def _free_uid(city: City) -> int:
    """Return the first uid that no drawing and no plan of the city has ever had."""
    with city.database.read() as connection:
        return next_uid(connection)


def _save(
    city: City,
    files: Sequence[Path],
    grids: geopandas.GeoDataFrame,
    tree: Tree,
    request: LoadRequest,
    current: GridSystem | None,
    report: LoadReport,
    *,
    adding: bool,
) -> None:
    """
    Save the drawing as a batch; where it is in force at once, own every incident by it.

    All of it is one transaction: the drawing, its batch, the city's coordinate system.
    """
    in_force = current is None or adding
    digest = hash_file(files[0])
    system = GridSystem(
        system=request.system,
        drawing=0,
        valid_from=current.valid_from if current else request.valid_from,
        valid_to=None,
        grids=grids,
    )
    drawing = 0

    def write(connection: Connection) -> None:
        nonlocal drawing
        fix_crs(connection, grids.crs.to_string())
        batch = add_batch(connection, "grids", file=report.file, at=request.now, file_hash=digest)
        note: dict[str, Any] = {
            "files": report.file, "found_by": tree.report.found_by, "batch": batch,
        }  # fmt: skip
        replaced = current.drawing if adding and current is not None else None
        if replaced is not None:
            note["before"] = keep_before(connection, replaced)
        drawing = write_drawing(
            connection,
            grids,
            system=request.system,
            state=IN_FORCE if in_force else DRAFT,
            valid_from=request.valid_from,
            note=note,
            drawing=replaced,
        )
        mark_batch(connection, batch, rows=report.accepted, report=report.as_facts())

    owns = city.first_system in (None, request.system) and system.in_force(request.now)
    if in_force and owns:
        report.revision = derive_incidents(city, now=request.now, grids=system, also=write)
    else:
        with city.database.transaction() as connection:
            write(connection)
            report.revision = raise_revision(connection)
    if current is None:
        report.note("report.drawing_first")
    elif adding:
        report.note("report.drawing_level_added", level=Word(f"level.{request.level}"))
    else:
        report.note(
            "report.drawing_draft", drawing=drawing, kept=tree.report.kept, new=tree.report.new
        )


def _report_tree(report: LoadReport, tree: Tree, grids: geopandas.GeoDataFrame) -> None:
    counts = grids["level"].value_counts()
    levels = tuple(
        Word("report.drawing_level", {"level": Word(f"level.{name}"), "n": f"{counts[name]:,}"})
        for name in LEVELS
        if name in counts
    )
    report.note("report.drawing", grids=f"{len(grids):,}", levels=levels)
    columns = tree.report.columns[-1]  # of the innermost level; what we made has no column
    report.tell_columns({field: name for field, name in columns.items() if name[0] != ":"})
    for how, n in tree.report.found_by.items():
        report.note(f"report.parent_by_{how}", n=n)
    if tree.report.made:
        report.note(
            "report.parents_made", n=len(tree.report.made), codes=name_codes(tree.report.made)
        )
    if tree.report.contradicted:
        codes = name_codes(tree.report.contradicted)
        report.note("report.prefix_contradicted", n=len(tree.report.contradicted), codes=codes)


def _report_repair(report: LoadReport, repair: RepairReport, city: City) -> None:
    """Refuse overlaps above the limit; say what was repaired and which blind zones stay."""
    if repair.overlaps_left:
        named = repair.faults()
        values = {"overlaps": len(named), "limit": f"{city.settings.gap_m2:g}"}
        raise BadGrid([Fault(key="drawing_faults", values=values), *named])
    for key, tally in (("closed", repair.closed), ("settled", repair.settled)):
        if tally.count:
            report.note(f"report.{key}", n=tally.count, area=format_area(tally.area_m2))
    if repair.invalid:
        report.note("report.made_valid", n=len(repair.invalid), codes=name_codes(repair.invalid))
    if repair.cut:
        area = format_area(sum(found.area_m2 for found in repair.cut))
        report.note("report.cut", n=len(repair.cut), area=area)
    if repair.carved:
        report.note("report.carved", n=len(repair.carved))
    blind = [gap for gap in repair.gaps_left if gap.fault]
    if blind:
        area = format_area(sum(gap.area_m2 for gap in blind))
        report.note("report.blind_zones", n=len(blind), area=area)
    changed = [
        change
        for change in repair.changes
        if change.level == repair.changes[0].level
        and max(change.gained_m2, change.lost_m2) >= _AREA_WORTH_SAYING_M2
    ]
    if changed:
        most = tuple(
            f"{change.code} +{format_area(change.gained_m2)} −{format_area(change.lost_m2)}"
            for change in changed[:_CHANGES_SHOWN]
        )
        report.note("report.area_changed", n=len(changed), most=most)
