"""Owners for a stream of Arrow batches: what `mapInArrow` of Spark and its like ask for."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from functools import partial

import numpy as np
import pyarrow as pa

from geodata.coordinates import parse_crs, to_metric
from geodata.ownership import RULES, to_millimetres
from geodata.ownership.grid_files import GridFiles, open_drawing
from geodata.ownership.result_files import OWNER_COLUMNS

OWNER_DDL = "grid_code string, rule string, distance_m float, near_line boolean"
Batches = Iterable[pa.RecordBatch]


def make_mapper(
    grids: GridFiles,
    *,
    x: str,
    y: str,
    crs: str,
    near_m: float = 0.0,
    near_line_m: float = 15.0,
) -> Callable[[Batches], Iterator[pa.RecordBatch]]:
    """
    Return a function from batches with the columns `x` and `y` to the same with their owners.

    It is pickled by name and builds its index once in each worker, which must see the grids' files
    and have this program on its path. With Spark:
    `frame.mapInArrow(make_mapper(...), f"{ddl_of_frame}, {OWNER_DDL}")`.
    """
    return partial(
        _own_batches, grids=grids, x=x, y=y, crs=crs, near_m=near_m, near_line_m=near_line_m
    )


def _own_batches(
    batches: Batches,
    *,
    grids: GridFiles,
    x: str,
    y: str,
    crs: str,
    near_m: float,
    near_line_m: float,
) -> Iterator[pa.RecordBatch]:
    drawing, source = open_drawing(grids), parse_crs(crs)
    codes, rules = pa.array([*drawing.codes.tolist(), None], pa.string()), pa.array(RULES)
    for batch in batches:
        place_x, place_y = (
            np.asarray(batch[name].cast(pa.float64()).fill_null(np.nan)) for name in (x, y)
        )
        x_m, y_m = to_metric(place_x, place_y, source, drawing.metric)
        owned = drawing.index.own(
            to_millimetres(x_m), to_millimetres(y_m), near_m=near_m, near_line_m=near_line_m
        )
        owner = np.where(owned.owner < 0, len(codes) - 1, owned.owner)
        added = (
            codes.take(pa.array(owner)),
            rules.take(pa.array(owned.rule)),
            pa.array(np.round(owned.distance_m, 3), from_pandas=True),
            pa.array(owned.near_line),
        )
        names = [*batch.schema.names, *OWNER_COLUMNS]
        yield pa.RecordBatch.from_arrays([*batch.columns, *added], names=names)
