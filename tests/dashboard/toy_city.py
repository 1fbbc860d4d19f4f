"""A made-up town of some 300 grids behind the map component's routes, for its tests only."""

from __future__ import annotations

import io
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

import numpy as np
import orjson
import shapely
from dash import Dash, Input, Output, html
from flask import Flask, Response, abort, request
from PIL import Image
from scipy.spatial import Voronoi

from dashboard.gridmap import GridMap, map_words
from layers.vector_tile import LINE, POINT, POLYGON, Shapes, encode_layer, make_column
from tests.dashboard.toy_layers import describe_layers

WEST, SOUTH, SIDE = 119.50, 32.40, 0.06
CELLS = 300
EXTENT = 4096


@dataclass
class ToyCity:
    """What the routes serve; `broken` names routes that answer with an error status."""

    seed: int = 7
    broken: dict[str, int] = field(default_factory=dict)
    asked: list[str] = field(default_factory=list)

    @cached_property
    def cells(self) -> list[shapely.Polygon]:
        rng = np.random.default_rng(self.seed)
        side = int(np.sqrt(CELLS)) + 1
        at = (
            np.stack(np.meshgrid(np.arange(side), np.arange(side)), -1).reshape(-1, 2) + 0.5
        ) / side
        at = at[:CELLS] + rng.normal(0, 0.25 / side, (CELLS, 2))
        far = np.array([[-9, -9], [-9, 9], [9, -9], [9, 9]])
        diagram = Voronoi(np.vstack([at, far]))
        rim = (
            shapely.Point(0.5, 0.5).buffer(0.56, quad_segs=40).intersection(shapely.box(0, 0, 1, 1))
        )
        out = []
        for region in diagram.point_region[:CELLS]:
            cell = shapely.Polygon(diagram.vertices[diagram.regions[region]]).intersection(rim)
            if cell.area > 1e-5:
                out.append(shapely.transform(cell, to_lonlat))
        return out

    @property
    def size(self) -> int:
        return len(self.cells)

    def grids(self) -> dict[str, Any]:
        return collect(
            (
                i,
                cell,
                {
                    "uid": 1000 + i,
                    "code": f"321012{i:09d}",
                    "name": f"仙女镇第{i:03d}网格",
                    "level": "grid",
                    "kind": "general",
                    "lp": list(cell.representative_point().coords[0]),
                },
            )
            for i, cell in enumerate(self.cells)
        )

    def areas(self) -> dict[str, Any]:
        rows = []
        for level, parts, names in (
            ("street", 2, ["仙女镇", "双沟街道", "龙川街道", "引江街道"]),
            ("community", 4, [f"{a}{b}社区" for a in "东西南北" for b in "园桥塘庄"]),
        ):
            groups: dict[int, list[shapely.Polygon]] = {}
            for cell in self.cells:
                x, y = (np.array(cell.centroid.coords[0]) - (WEST, SOUTH)) / (SIDE, SIDE * 0.85)
                groups.setdefault(int(x * parts) * parts + int(y * parts), []).append(cell)
            for k, cells in sorted(groups.items()):
                area = shapely.union_all(shapely.set_precision(cells, 1e-9))
                spot = list(area.representative_point().coords[0])
                uid = 10 + len(rows)
                about = {"uid": uid, "code": str(uid), "name": names[k], "level": level, "lp": spot}
                rows.append((uid, area, about))
        return collect(rows)

    def cameras(self) -> dict[str, Any]:
        rng = np.random.default_rng(3)
        at = np.column_stack([WEST + SIDE * rng.random(260), SOUTH + 0.85 * SIDE * rng.random(260)])
        return collect(
            (
                i + 1,
                shapely.Point(*p),
                {
                    "name": f"东方红路<b>{i}</b>号杆",
                    "camera_id": f"3210120000{i:010d}",
                    "class": 1 + i % 3,
                    "bearing": int(rng.integers(360)),
                },
            )
            for i, p in enumerate(at)
        )

    def dots(self, z: int, x: int, y: int) -> bytes:
        rng = np.random.default_rng(5)
        n = 4000
        lon = WEST + SIDE * (0.5 + rng.normal(0, 0.2, n))
        lat = SOUTH + 0.85 * SIDE * (0.5 + rng.normal(0, 0.2, n))
        px, py = to_tile(np.column_stack([lon, lat]), z, x, y).T
        here = (px >= -64) & (px < EXTENT + 64) & (py >= -64) & (py < EXTENT + 64)
        names = np.array(["done", "safe", "amber", "red", "suspended"])
        state = names[rng.choice(5, n, p=[0.7, 0.15, 0.05, 0.06, 0.04])]
        xy = np.column_stack([px[here], py[here]]).astype(np.int32)
        one_each = np.arange(len(xy) + 1, dtype=np.int64)
        shapes = Shapes(kind=POINT, xy=xy, starts=one_each, parts=one_each)
        columns = {
            "state": make_column(state[here]),
            "at": make_column(np.full(len(xy), 1_764_000_000)),
        }
        return encode_layer("dots", shapes, columns=columns, ids=np.flatnonzero(here) + 1)

    def heat(self, z: int, x: int, y: int, *, size: int = 512) -> bytes:
        steps = (np.arange(size) + 0.5) / size * EXTENT
        px, py = np.meshgrid(steps, steps)
        spot = to_tile(np.array([[WEST + SIDE / 2, SOUTH + 0.42 * SIDE]]), z, x, y)[0]
        reach = EXTENT * SIDE / 360 * 2**z / 5
        tone = np.exp(-(((px - spot[0]) ** 2 + (py - spot[1]) ** 2) / (2 * reach**2)))
        pixels = np.zeros((size, size, 4), np.uint8)
        pixels[..., 0], pixels[..., 1] = 255, (200 * tone).astype(np.uint8)
        pixels[..., 3] = (220 * np.clip(tone * 1.5 - 0.2, 0, 1)).astype(np.uint8)
        out = io.BytesIO()
        Image.fromarray(pixels).save(out, "PNG")
        return out.getvalue()

    @cached_property
    def ground(self) -> dict[str, list[tuple[shapely.Geometry, dict[str, Any]]]]:
        rng = np.random.default_rng(11)
        river = shapely.LineString([(0, 0.72), (0.2, 0.66), (0.45, 0.74), (0.7, 0.6), (1, 0.66)])
        ground: dict[str, list[Any]] = {
            "water": [(river.segmentize(0.02).buffer(0.018), {"name": "盐邵河"})],
            "green": [
                (shapely.Point(0.3, 0.35).buffer(0.06), {"name": "龙川公园"}),
                (shapely.box(0.62, 0.2, 0.74, 0.28), {"name": "体育公园"}),
            ],
            "roads": [],
            "buildings": [],
        }
        names = ["龙川路", "东方红路", "文昌东路", "新都路", "华山路", "长江路", "舜天路", "工农路"]
        for k in range(17):
            at = (k + 0.5) / 17
            kind = "primary" if k % 8 == 4 else "secondary" if k % 4 == 2 else "residential"
            bend = rng.normal(0, 0.004, (12, 2)).cumsum(0)
            along = np.linspace(-0.02, 1.02, 12)
            for flip in (False, True):
                line = np.column_stack([along, np.full(12, at)]) + bend
                line = line[:, ::-1] if flip else line
                about = {"class": kind, "name": names[(k + 3 * flip) % 8]}
                ground["roads"].append((shapely.LineString(line), about))
        for _ in range(2500):
            x, y, w, h = *rng.random(2), *(0.0015 + 0.004 * rng.random(2))
            house = shapely.box(x, y, x + w, y + h)
            ground["buildings"].append((house, {"floors": int(rng.integers(1, 30))}))
        return {
            name: [(shapely.transform(shape, to_lonlat), about) for shape, about in rows]
            for name, rows in ground.items()
        }

    def base(self, z: int, x: int, y: int) -> bytes:
        out = b""
        frame = shapely.box(-64, -64, EXTENT + 64, EXTENT + 64)
        for name, rows in self.ground.items():
            if name == "buildings" and z < 15:
                continue
            kept, about = [], []
            for shape, row in rows:
                local = shapely.transform(shape, lambda p: to_tile(p, z, x, y))
                cut = shapely.intersection(local, frame)
                for part in getattr(cut, "geoms", [cut]):
                    if not part.is_empty and part.geom_type in {"LineString", "Polygon"}:
                        kept.append(part)
                        about.append(row)
            if kept:
                out += encode_layer(
                    name,
                    make_shapes(kept),
                    columns={key: make_column([row.get(key) for row in about]) for key in about[0]},
                )
        return out


def to_lonlat(unit: Any) -> Any:
    return np.asarray(unit) * (SIDE, SIDE * 0.85) + (WEST, SOUTH)


def to_tile(lonlat: Any, z: int, x: int, y: int) -> Any:
    """Place lon/lat within a tile, in its units."""
    lonlat = np.asarray(lonlat)
    merc = np.log(np.tan(np.pi / 4 + np.radians(lonlat[:, 1]) / 2))
    world = np.column_stack([lonlat[:, 0] / 360 + 0.5, 0.5 - merc / (2 * np.pi)])
    return (world * 2**z - (x, y)) * EXTENT


def make_shapes(shapes: list[Any]) -> Shapes:
    kind = LINE if shapes[0].geom_type == "LineString" else POLYGON
    xy, starts, parts = [], [0], [0]
    for shape in shapes:
        rings = [shape] if kind == LINE else [shapely.orient_polygons(shape).exterior]
        for ring in rings:
            # Clockwise on screen: y grows downward, so counter-clockwise as shapely counts.
            points = np.asarray(ring.coords)[: None if kind == LINE else -1]
            xy.append(np.rint(points).astype(np.int32))
            starts.append(starts[-1] + len(points))
        parts.append(parts[-1] + len(rings))
    return Shapes(
        kind=kind,
        xy=np.vstack(xy),
        starts=np.array(starts, np.int64),
        parts=np.array(parts, np.int64),
    )


def collect(rows: Any) -> dict[str, Any]:
    return {
        "type": "FeatureCollection",
        "features": [
            {
                "type": "Feature",
                "id": i,
                "geometry": orjson.loads(shapely.to_geojson(shape)),
                "properties": about,
            }
            for i, shape, about in rows
        ],
    }


def make_values(size: int, *, revision: int = 1) -> dict[str, Any]:
    rng = np.random.default_rng(13)
    risk = [round(float(v), 3) for v in rng.gamma(1.2, 2.5, size)]
    for row in range(0, size, 17):
        risk[row] = 0
    for row in range(5, size, 41):
        risk[row] = None  # type: ignore[call-overload]
    late = [int(v) for v in rng.poisson(0.25, size)]
    return {
        "grid-risk": {
            "values": risk,
            "breaks": [1, 2, 4, 8],
            "thin": list(range(7, size, 23)),
            "revision": revision,
        },
        "halos": {"values": late, "revision": revision},
    }


def make_app(city: ToyCity, *, base_path: str = "/", **props: Any) -> Dash:
    """Return a Dash app with one map over the whole page, its routes, and what the map tells."""
    server = Flask("toy")
    add_routes(server, city, base_path)
    app = Dash(
        "toy", server=server, url_base_pathname=base_path, assets_folder="none", compress=True
    )
    start: dict[str, Any] = {
        "basePath": base_path,
        "bounds": [WEST, SOUTH, WEST + SIDE, SOUTH + 0.85 * SIDE],
        "layers": describe_layers(),
        "values": make_values(city.size),
        "revision": 1,
        "theme": "dark",
        "lang": "zh",
        "words": map_words("zh"),
        **props,
    }
    app.layout = html.Div(
        [
            GridMap(id="map", style={"height": "100vh", "margin": "-8px"}, **start),
            html.Pre(id="told", hidden=True),
        ]
    )

    @app.callback(
        Output("told", "children"),
        Input("map", "clicked"),
        Input("map", "status"),
        Input("map", "viewport"),
        Input("map", "selected"),
    )
    def tell(clicked: Any, status: Any, viewport: Any, selected: Any) -> str:
        told = {"clicked": clicked, "status": status, "viewport": viewport, "selected": selected}
        return orjson.dumps(told).decode()

    @server.after_request
    def add_policy(response: Response) -> Response:
        scripts = " ".join(app.csp_hashes())
        response.headers["Content-Security-Policy"] = (
            f"default-src 'self'; script-src 'self' {scripts}; style-src 'self' 'unsafe-inline'; "
            "img-src 'self' data: blob:; worker-src 'self'"
        )
        return response

    return app


def add_routes(server: Flask, city: ToyCity, base_path: str) -> None:
    def answer(name: str, body: Any, kind: str) -> Response:
        city.asked.append(request.full_path)
        if name in city.broken:
            abort(city.broken[name])
        return Response(body(), mimetype=kind) if body else Response(status=204)

    @server.get(f"{base_path}layers/<name>.geojson")
    def send_collection(name: str) -> Response:
        return answer(name, lambda: orjson.dumps(getattr(city, name)()), "application/geo+json")

    @server.get(f"{base_path}layers/<name>/<int:z>/<int:x>/<int:y>.<kind>")
    def send_tile(name: str, z: int, x: int, y: int, kind: str) -> Response:
        mime = "image/png" if kind == "png" else "application/vnd.mapbox-vector-tile"
        return answer(name, lambda: getattr(city, name)(z, x, y), mime)

    @server.get(f"{base_path}base/<int:z>/<int:x>/<int:y>.mvt")
    def send_base(z: int, x: int, y: int) -> Response:
        return answer("base", lambda: city.base(z, x, y), "application/vnd.mapbox-vector-tile")
