"""Benchmark of the ways in: encodings, datums, the inverse shift, a million incidents."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

import geopandas
import numpy as np
import pandas as pd
import shapely
from numpy.typing import NDArray

from bench.encodings import judge_sample, make_corpus
from geodata.city import City, create_city, writing
from geodata.coordinates import (
    gcj02_to_wgs84,
    to_lonlat,
    wgs84_to_bd09,
    wgs84_to_gcj02,
)
from geodata.demo import make_city
from geodata.loading.demo_city import demo_settings, save_demo
from geodata.loading.fixtures import save_base
from geodata.loading.trusted_layer import TrustedLayers

Places = NDArray[np.float64]
ROOT = Path(__file__).resolve().parents[1]
NOW = 1_780_000_000
NOISE_M = 8.0
POINTS, TRIALS = 50, 200
SHIFTS: dict[str, Callable[..., Any]] = {
    "WGS 84": lambda lon, lat: (lon, lat),
    "GCJ-02": wgs84_to_gcj02,
    "BD-09": wgs84_to_bd09,
}
_KINDS = ("暴露垃圾", "占道经营", "井盖破损", "路灯不亮", "积水", "违章搭建")
_STEPS = ("立案时间", "派遣时间", "处置时间", "结案时间")
_MB = 1e6
_METRES_A_DEGREE = 111_320.0  # at most


def run_ways_in(*, points: int, data: Path | None) -> Iterator[dict[str, Any]]:
    """
    Measure the ways in; yield a row for each.

    `points` is how many incidents are loaded and shifted; `data` the folder of real data sets,
    without which only the demo city's datum is measured. `equal` tells whether the bar was reached.
    """
    yield _measure_encodings()
    yield _measure_inverse(points)
    with tempfile.TemporaryDirectory(prefix="getu-bench-") as home:
        folder = Path(home)
        city = _make_demo(folder / "city")
        yield from _measure_datums(city, folder, data)
        for ending in ("csv", "gpkg"):
            yield _measure_load(city, write_incidents(folder, points, ending=ending), points)


def _row(case: str, *, n: int, seconds: float, equal: bool, note: str) -> dict[str, Any]:
    return {
        "work": "ways in",
        "case": case,
        "n": n,
        "ours_s": round(seconds, 3),
        "equal": equal,
        "note": f"{note}; load {os.getloadavg()[0]:.1f}",
    }


def _measure_encodings() -> dict[str, Any]:
    begun = time.perf_counter()
    outcomes = [judge_sample(sample) for sample in make_corpus()]
    seconds = time.perf_counter() - begun
    read = sum(one.read for one in outcomes)
    wrong = sum(not one.right for one in outcomes)
    lost = sum(one.lost for one in outcomes)
    note = f"{read} read, {len(outcomes) - read} refused, {wrong} wrong, {lost} characters lost"
    good = len(outcomes) >= 40 and not wrong and not lost
    return _row("encodings", n=len(outcomes), seconds=seconds, equal=good, note=note)


def _measure_inverse(points: int) -> dict[str, Any]:
    dice = np.random.default_rng(3)
    lon, lat = dice.uniform(75, 130, points), dice.uniform(20, 50, points)
    shifted = wgs84_to_gcj02(lon, lat)
    gcj02_to_wgs84(*(axis[:10] for axis in shifted))
    begun, cpu = time.perf_counter(), time.process_time()
    back = gcj02_to_wgs84(*shifted)
    seconds, cpu = time.perf_counter() - begun, time.process_time() - cpu
    again = wgs84_to_gcj02(*back)
    off_m = float(max(np.abs(one - other).max() for one, other in zip(again, shifted, strict=True)))
    off_m *= _METRES_A_DEGREE
    good = off_m <= 1e-6 and cpu <= 3  # of the processor: the machine is shared
    note = f"{off_m:.1e} m off, processor {cpu:.1f} s"
    return _row("GCJ-02 inverse", n=points, seconds=seconds, equal=good, note=note)


def _make_demo(folder: Path) -> City:
    def say_nothing(_key: str, _share: float) -> None: ...

    demo = make_city("jiangdu", seed=7, now=NOW, progress=say_nothing)
    city = create_city(folder, demo_settings(demo))
    with writing(city):
        save_demo(city, demo, now=NOW, progress=say_nothing)
    return city


def _measure_datums(city: City, folder: Path, data: Path | None) -> Iterator[dict[str, Any]]:
    with city.database.read() as connection:
        rows = connection.execute("SELECT x, y FROM incident WHERE x IS NOT NULL").fetchall()
    metres = np.array(rows, float) / 1000
    yield _measure_datum("demo city, 8 m of noise", city, metres, noise_m=NOISE_M)
    if data is None:
        return
    for name, read in (("Shanghai", _read_shanghai), ("Taiwan", _read_taiwan)):
        trusted, asked = read(data)
        made = create_city(
            folder / name, {"crs": "EPSG:4549" if name == "Shanghai" else "EPSG:3826"}
        )
        shapes = geopandas.GeoSeries(shapely.points(trusted), crs=4326).to_crs(made.crs)
        save_base(made.base_folder, {"buildings": geopandas.GeoDataFrame(geometry=shapes)})
        places = geopandas.GeoSeries(shapely.points(asked), crs=4326).to_crs(made.crs)
        metres = np.column_stack([places.x, places.y])
        yield _measure_datum(f"{name}, against its own places", made, metres, noise_m=0)


def _measure_datum(case: str, city: City, metres: Places, *, noise_m: float) -> dict[str, Any]:
    """Shift samples of 50 places on purpose, declare each as each, and count the right answers."""
    layers, dice = TrustedLayers(city), np.random.default_rng(11)
    right = told = switched = 0
    begun = time.perf_counter()
    for trial in range(TRIALS):
        chosen = metres[dice.choice(len(metres), POINTS, replace=False)]
        lon, lat = to_lonlat(*(chosen + dice.normal(0, noise_m or 1e-9, chosen.shape)).T, city.crs)
        truth = list(SHIFTS)[trial % len(SHIFTS)]
        for declared in SHIFTS:
            found = layers.measure(*SHIFTS[truth](lon, lat), declared=declared)
            assert found is not None, "there is a base map"
            told += 1
            right += found.better == (None if truth == declared else truth)
            switched += found.declared != declared
    seconds = time.perf_counter() - begun
    note = f"{right / told:.2%} right with {POINTS} points, {switched} switched silently"
    good = right >= 0.99 * told and not switched
    return _row(f"datum: {case}", n=told, seconds=seconds, equal=good, note=note)


def _read_shanghai(data: Path) -> tuple[Places, Places]:
    """Return four fifths of the city's places as what is trusted, and the others."""
    files = sorted((data / "shanghai_poi" / "poi").glob("shanghai_*.csv"))
    table = pd.concat([pd.read_csv(file)[["lon", "lat"]] for file in files])
    places = table.drop_duplicates().to_numpy(float)
    np.random.default_rng(1).shuffle(places)
    cut = len(places) * 4 // 5
    return places[:cut], places[cut:]


def _read_taiwan(data: Path) -> tuple[Places, Places]:
    """Return one agency's cameras as what is trusted, and another's list of them."""
    folder = data / "taiwan_cameras"
    points = geopandas.read_file(folder / "cameras.geojson").geometry
    listed = pd.read_csv(folder / "NPA_TD1.csv", skiprows=[1], encoding="utf-8-sig")
    asked = listed[["Longitude", "Latitude"]].astype(float).to_numpy()
    return np.column_stack([points.x, points.y]), asked[(asked > 1).all(axis=1)]


def write_incidents(folder: Path, n: int, *, ending: str) -> Path:
    """Write a made-up file of incidents with four steps and six further columns each."""
    dice = np.random.default_rng(1)
    reported = NOW - 86_400 - dice.integers(0, 360 * 86_400, n)

    def local(moments: NDArray[np.int64]) -> NDArray[np.object_]:
        return pd.to_datetime(moments, unit="s").strftime("%Y-%m-%d %H:%M:%S").to_numpy(object)

    def choose(*words: str) -> NDArray[np.object_]:
        return np.array(words, object)[dice.integers(0, len(words), n)]

    numbers = pd.Series(dice.integers(1, 900, n)).astype(str).to_numpy(object)
    columns: dict[str, Sequence[Any]] = {
        "案件编号": [f"JD2025{place:08d}" for place in range(n)],
        "上报时间": local(reported),
        "案件类型": choose(*_KINDS),
        "来源": choose("12345热线", "网格巡查", "视频"),
        "责任单位": choose("城管局", "住建局", "水务局"),
        "地址": choose("仙女镇龙川北路", "仙女镇文昌东路", "仙女镇工农路") + numbers + "号",
    }
    for place, name in enumerate(_STEPS):
        moments = local(reported + (place + 1) * dice.integers(600, 20_000, n))
        columns[name] = np.where(dice.random(n) < 0.9, moments, "")
    lon, lat = 119.53 + dice.random(n).round(6) * 0.08, 32.40 + dice.random(n).round(6) * 0.06
    path = folder / f"million.{ending}"
    if ending == "csv":
        pd.DataFrame({**columns, "经度": lon.round(6), "纬度": lat.round(6)}).to_csv(
            path, index=False
        )
    else:
        shapes = shapely.points(lon, lat)
        geopandas.GeoDataFrame(columns, geometry=shapes, crs=4326).to_file(path, driver="GPKG")
    return path


def _measure_load(city: City, file: Path, n: int) -> dict[str, Any]:
    """Load a file by the command in its own process; the peak is that of the largest process."""
    command = [
        sys.executable, str(ROOT / "app.py"), "load", "incidents", str(file), "--city",
        str(city.folder), "--source", file.suffix, "--json",
    ]  # fmt: skip
    begun = time.perf_counter()
    done = subprocess.run(
        [sys.executable, "-c", _TELL_PEAK, *command], capture_output=True, text=True, check=False
    )
    seconds = time.perf_counter() - begun
    peak = json.loads(done.stderr.splitlines()[-1])
    report = json.loads(done.stdout)
    good = report.get("accepted") == n and peak["kb"] * 1024 <= 1 << 30
    note = f"{report.get('accepted', 0):,} accepted, peak {peak['kb'] / 1024:,.0f} MiB"
    case = f"load incidents, {file.suffix} of {file.stat().st_size / _MB:.0f} MB"
    return _row(case, n=n, seconds=seconds, equal=good, note=note)


_TELL_PEAK = """
import json, resource, subprocess, sys
code = subprocess.run(sys.argv[1:]).returncode
kb = resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss
print("\\n" + json.dumps({"kb": kb, "code": code}), file=sys.stderr)
"""
