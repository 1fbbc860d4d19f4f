"""Saving a made-up city by the same steps as a loaded one."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd

from geodata.city import City
from geodata.coordinates import lonlat_crs, to_metric
from geodata.demo.city import DemoCity
from geodata.events.derive import derive_incidents
from geodata.grids import build_tree
from geodata.loading.aliases import number_aliases
from geodata.loading.events import rows_from_events
from geodata.loading.fixtures import save_base
from geodata.loading.request import Progress
from geodata.store.drawings import IN_FORCE, save_drawing
from geodata.store.event_log import append_events, close_batch, filling
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
        "name_zh": f"{demo.name_zh}（演示）",
        "name_en": f"{demo.name_en} (demo)",
        "crs": f"EPSG:{demo.crs}",
        "timezone": "Asia/Shanghai",
        "demo": True,
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
    _save_events(city, demo, now=now, progress=progress)


def _save_events(city: City, demo: DemoCity, *, now: int, progress: Progress) -> None:
    """Append the events portion by portion, so that a large city fits in memory; derive once."""
    rows, done = 0, 0
    with filling(city.database, "incidents", file=demo.scenario, at=now) as batch:
        for events in demo.all_events():
            placed = _with_mm(events, city)
            for name, part in placed.groupby("source", sort=True):
                columns = rows_from_events(part, source=str(name))
                for _ in append_events(city.database, columns, batch=batch, received=now):
                    progress("progress.append", min(0.99, done / max(demo.incidents, 1)))
            rows += len(placed)
            done += int((placed["stage"] == "reported").sum())
        progress("progress.append", 1.0)
        progress("progress.derive", 0.0)
        derive_incidents(city, now=now, batch=batch, rows=rows, report={"file": demo.scenario})
        progress("progress.derive", 1.0)


def _save_table(city: City, name: str, frame: pd.DataFrame, *, key: str, now: int) -> None:
    with filling(city.database, name, file="demo", at=now) as batch:
        rows = save_records(city.database, name, _with_mm(frame, city), key=key, batch=batch)
        number_aliases(city, name, frame[key].tolist(), frame.to_dict("list"))
        close_batch(city.database, batch, rows=rows, report={})


def _with_mm(frame: pd.DataFrame, city: City) -> pd.DataFrame:
    """Return the table with its place as whole millimetres instead of degrees."""
    if "lon" not in frame or "x_mm" in frame:
        return frame.drop(columns=["lon", "lat"], errors="ignore")
    x_m, y_m = to_metric(frame["lon"], frame["lat"], lonlat_crs(), city.crs)
    plain = pd.DataFrame(frame.drop(columns=["lon", "lat", "geometry"], errors="ignore"))
    return plain.assign(x_mm=np.rint(x_m * 1000), y_mm=np.rint(y_m * 1000))
