"""Files that offices send, written for the tests of reading, and how one is refused."""

from __future__ import annotations

import sqlite3
import warnings
import zipfile
from pathlib import Path

import geopandas as gpd
import pytest
import shapely

from geodata.errors import BadFile, BadSetting
from geodata.reading import read_geometries

NAMES = ["仙女镇龙川社区第一网格", "大桥镇白沙村第二网格", "邵伯镇甘棠社区第三网格"]
PARTS = (".shp", ".shx", ".dbf", ".prj", ".cpg")
BOTH = pytest.mark.parametrize("isolated", [False, True], ids=["here", "in a child"])


def grids(crs=4490, **columns):
    cells = [shapely.box(119.5 + i / 100, 32.4, 119.51 + i / 100, 32.41) for i in range(3)]
    given = {"code": ["001", "002", "003"], "网格名": NAMES, **columns}
    return gpd.GeoDataFrame(given, geometry=cells, crs=crs)


def write_shapefile(folder, frame, *, name="grid", encoding="UTF-8", without=()):
    path = Path(folder) / f"{name}.shp"
    with warnings.catch_warnings():
        # GDAL tells of names and values that it cuts: that is what some tests are about.
        warnings.simplefilter("ignore")
        frame.to_file(path, encoding=encoding, engine="pyogrio")
    for suffix in without:
        path.with_suffix(suffix).unlink(missing_ok=True)
    return path


def zip_folder(folder, target, names=None):
    with zipfile.ZipFile(target, "w", zipfile.ZIP_DEFLATED) as archive:
        for part in sorted(Path(folder).iterdir()):
            name = (names or {}).get(part.name, part.name)
            archive.writestr(zipfile.ZipInfo(name), part.read_bytes())
    return target


def only_fault(error):
    (fault,) = error.value.faults
    assert error.value.sentence("zh")
    assert error.value.sentence("en")
    return fault


def refuse(path, **options):
    """Return the one fault that a file is refused for."""
    with pytest.raises((BadFile, BadSetting)) as error:
        read_geometries(path, **options)
    return only_fault(error)


def edit(path, *statements, values=()):
    """Change a GeoPackage behind its back, without the triggers that ask for spatial functions."""
    with sqlite3.connect(path) as base:
        triggers = base.execute("SELECT name FROM sqlite_master WHERE type = 'trigger'").fetchall()
        for (name,) in triggers:
            base.execute(f'DROP TRIGGER "{name}"')
        for statement in statements:
            base.execute(statement, values)
    base.close()


TABLES = ("gpkg_contents", "gpkg_geometry_columns")
