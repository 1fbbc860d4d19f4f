"""Saving a made-up city by the same steps as a loaded one."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import geopandas
import numpy as np
import pandas as pd

from geodata.city import City
from geodata.demo.city import DemoCity
from geodata.grids import build_tree
from geodata.loading.incidents import append_and_derive
from geodata.loading.report import LoadReport
from geodata.loading.request import Progress
from geodata.store.drawings import IN_FORCE, save_drawing
from geodata.store.event_log import close_batch, open_batch
from geodata.store.records import save_records

_TABLES = {
    "kinds": "code",
    "bodies": "body",
    "cameras": "camera_id",
    "places": "id",
    "components": "id",
    "calendar": "date",
}


def demo_settings(demo: DemoCity) -> dict[str, Any]:
    """Return the settings that a made-up city's `city.toml` starts with."""
    return {
        "name_zh": demo.name_zh,
        "name_en": demo.name_en,
        "crs": f"EPSG:{demo.crs}",
        "timezone": "Asia/Shanghai",
    }


def save_demo(city: City, demo: DemoCity, *, now: int, progress: Progress) -> None:
    """Save the grids, the reference tables, the base map and the incidents of a made-up city."""
    progress("progress.grids", 0.0)
    save_drawing(
        city.database,
        build_tree(demo.grids, crs=city.crs).grids,
        system="grid",
        state=IN_FORCE,
        valid_from=None,
        note={"demo": demo.scenario},
    )
    progress("progress.grids", 1.0)
    save_base(city.base_folder, demo.base)
    for place, (name, key) in enumerate(_TABLES.items()):
        progress("progress.records", place / len(_TABLES))
        _save_table(city, name, getattr(demo, name), key=key, now=now)
    progress("progress.records", 1.0)
    append_and_derive(
        city,
        _with_mm(demo.events, city),
        source=demo.scenario,
        extra=["attributes"] if "attributes" in demo.events else [],
        report=LoadReport(file=demo.scenario, rows=len(demo.events)),
        file=None,
        now=now,
        progress=progress,
    )


def save_base(folder: Path, layers: dict[str, geopandas.GeoDataFrame]) -> None:
    """Write each base map layer as a GeoParquet file: new, then renamed."""
    folder.mkdir(exist_ok=True)
    for name, frame in layers.items():
        part = folder / f"{name}.part"
        frame.to_parquet(part, index=False)
        part.replace(folder / f"{name}.parquet")


def _save_table(city: City, name: str, frame: pd.DataFrame, *, key: str, now: int) -> None:
    batch = open_batch(city.database, name, file="demo", at=now)
    rows = save_records(city.database, name, _with_mm(frame, city), key=key, batch=batch)
    close_batch(city.database, batch, rows=rows, report={})


def _with_mm(frame: pd.DataFrame, city: City) -> pd.DataFrame:
    """Return the table with its place as whole millimetres instead of a geometry."""
    if isinstance(frame, geopandas.GeoDataFrame):
        metric = frame.geometry.to_crs(city.crs)
        plain = pd.DataFrame(frame.drop(columns=frame.geometry.name))
        return plain.assign(x_mm=np.rint(metric.x * 1000), y_mm=np.rint(metric.y * 1000))
    return frame
