"""A tiny city whose every name is an attack on what shows it: HTML, SVG, Typst, a template."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from geodata.city import City, create_city
from tests.city import (
    EPSG,
    INCIDENT_COLUMNS,
    community_features,
    grid_features,
    incident_rows,
    load_one,
    middle,
    write_shapes,
    write_table,
)

IMAGE = "<img src=x onerror=alert(1)>"
SCRIPT = "</script><script>alert(2)</script>"
BRACES = "{{%css%}} ${alert(3)} {0} %s"
TYPST = '#panic("read") $x$ @label *b* \\" `raw` {{0}} %s'
FORMULA = '=HYPERLINK("http://evil")'


def make_hostile_city(folder: Path, attacks: Sequence[str], *, zh: str, en: str) -> City:
    """Make a city of these two names; grids, bodies, kinds, cameras and places take the attacks."""
    folder.mkdir(parents=True, exist_ok=True)
    city = create_city(folder / "city", {"name_zh": zh, "name_en": en, "crs": f"EPSG:{EPSG}"})
    names = [attacks[n % len(attacks)] for n in range(90)]
    features = [
        (shape, {**about, "name": f"{names[n]} {n}", "body": names[n + 1]})
        for n, (shape, about) in enumerate([*community_features(), *grid_features()])
    ]
    load_one(city, "grids", write_shapes(folder / "grids.geojson", features))
    rows = [[*row[:2], names[n], *row[3:]] for n, row in enumerate(incident_rows(len(names)))]
    load_one(city, "incidents", write_table(folder / "incidents.csv", INCIDENT_COLUMNS, rows))
    cameras = [[f"C{n}", names[n], *middle(n, 1)] for n in range(3)]
    columns = ("camera_id", "name", "lon", "lat")
    load_one(city, "cameras", write_table(folder / "cameras.csv", columns, cameras))
    places = [[f"P{n}", names[n], names[n], *middle(n, 0)] for n in range(3)]
    columns = ("id", "kind", "name", "lon", "lat")
    load_one(city, "places", write_table(folder / "places.csv", columns, places))
    return city
