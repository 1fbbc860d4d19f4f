"""One layer descriptor of every kind, as `layers/` would send them."""

from __future__ import annotations

from typing import Any

SOURCE_WORDS = "底图：虚构城市自有数据"
CODES = {"zh": {"red": "超期"}, "en": {"red": "late"}}


def make_state(shape: str, size: int, dark: str, light: str) -> dict[str, Any]:
    color = {"dark": dark, "light": light}
    return {"shape": shape, "size": size, "edge": shape == "square", "color": color}


def describe_layers(lang: str = "zh") -> list[dict[str, Any]]:
    """Return one descriptor of every kind."""
    zh = lang == "zh"
    grids, areas = "layers/grids.geojson?v=1", "layers/areas.geojson?v=1"
    tile = "{z}/{x}/{y}"
    return [
        {
            "id": "base", "kind": "base", "title": "底图" if zh else "Base map", "visible": True,
            "source": {"type": "vector", "url": f"base/{tile}.mvt", "minzoom": 8, "maxzoom": 15},
            "attribution": SOURCE_WORDS if zh else "Base map: the made-up city's own data",
        },
        {
            "id": "grid-risk", "kind": "choropleth", "title": "网格风险" if zh else "Grid risk",
            "visible": True, "source": {"type": "geojson", "url": grids},
            "style": {
                "ramp": {
                    "dark": ["#56106c", "#9d2962", "#db5339", "#fb9a07", "#faea76"],
                    "light": ["#fff0a0", "#fec44f", "#f98432", "#dc3220", "#85002a"],
                },
                "zero": {"dark": "#1c2938", "light": "#e6eef3"},
                "nodata": {"dark": "#5f6a86", "light": "#b8bec8"},
            },
            "fields": ["name", "code", {
                "name": "$value", "title": "28 天预计事件" if zh else "Expected in 28 days",
                "format": "number", "digits": 1,
            }],
        },
        {
            "id": "areas", "kind": "outline", "title": "街道与社区界" if zh else "Borders",
            "visible": True, "source": {"type": "geojson", "url": areas},
            "style": {"levels": {"street": {"width": 2.2}, "community": {"width": 1.2}}},
        },
        {
            "id": "names", "kind": "labels", "title": "名称" if zh else "Names", "visible": True,
            "source": {"type": "geojson", "url": [areas, grids]},
        },
        {
            "id": "halos", "kind": "halos", "title": "超期" if zh else "Overdue", "visible": False,
            "source": {"type": "geojson", "url": grids}, "maxzoom": 15,
            "style": {"color": {"dark": "#ff5d4d", "light": "#ab031b"}, "radius": [6, 24]},
        },
        {
            "id": "heat", "kind": "heat", "title": "事件热力" if zh else "Heat", "visible": False,
            "maxzoom": 16,
            "source": {
                "type": "raster", "url": f"layers/heat/{tile}.png", "tileSize": 512,
                "minzoom": 8, "maxzoom": 16, "filtered": True, "themed": True,
            },
        },
        {
            "id": "dots", "kind": "dots", "title": "事件" if zh else "Incidents", "visible": True,
            "minzoom": 14,
            "source": {
                "type": "vector", "url": f"layers/dots/{tile}.mvt", "minzoom": 14, "maxzoom": 16,
                "filtered": True,
            },
            "style": {"field": "state", "states": {
                "done": make_state("circle", 4, "#5b6a86", "#8792a2"),
                "safe": make_state("circle", 7, "#3fb68b", "#1aa179"),
                "suspended": make_state("diamond", 10, "#9fb0cc", "#5f55a5"),
                "amber": make_state("triangle", 11, "#ffc24a", "#c47208"),
                "red": make_state("square", 10, "#ff5d4d", "#ab031b"),
            }},
            "fields": [
                {"name": "state", "title": "状态" if zh else "State", "codes": CODES[lang]},
                {
                    "name": "at", "title": "上报" if zh else "Reported",
                    "format": "time", "zone": "Asia/Shanghai",
                },
            ],
        },
        {
            "id": "cameras", "kind": "clusters", "title": "摄像机" if zh else "Cameras",
            "visible": True, "source": {"type": "geojson", "url": "layers/cameras.geojson?v=1"},
            "style": {
                "color": {"dark": "#7fb2ff", "light": "#2b5fb8"}, "icon": "camera",
                "bearing": "bearing", "maxzoom": 14,
            },
            "fields": ["name", {"name": "camera_id", "title": "编号" if zh else "Id"}],
        },
    ]  # fmt: skip
