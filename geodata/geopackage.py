"""GeoPackages written: layer by layer, the same bytes for the same content."""

from __future__ import annotations

from pathlib import Path

import geopandas
import pyogrio
from pyogrio.errors import DataLayerError, DataSourceError, FeatureError

from geodata.errors import Fault, StoreFull

_NO_HOUR = "2000-01-01T00:00:00.000Z"


def write_layer(
    table: geopandas.GeoDataFrame, path: Path, *, layer: str, append: bool = False
) -> None:
    """
    Write a table as a layer of a GeoPackage, a new one or with `append` one that is there.

    Raises StoreFull where the file could not be finished.
    """
    # The one thing in a GeoPackage that would differ from run to run is when it was written.
    pyogrio.set_gdal_config_options({"OGR_CURRENT_DATE": _NO_HOUR})
    mode = "a" if append else "w"
    try:
        table.to_file(path, driver="GPKG", layer=layer, engine="pyogrio", mode=mode)
    except (DataSourceError, DataLayerError, FeatureError) as error:
        raise StoreFull(Fault(key="store_full"), file=path.name) from error
