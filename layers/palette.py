"""Colours per theme: ramps in steps, states, no data; safe for colour-blind eyes (tested)."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from layers.layer import Theme

Color = Mapping[Theme, str]
Ramp = Mapping[Theme, tuple[str, ...]]

# Dark: inferno between 0.25 and 0.95. Light: yellow-orange-red, its ends moved inward so that the
# first class parts from paper and the last from black lines. A test holds every pair of one
# theme, with zero and no data, at least 12 apart (CAM02-UCS) for three colour-vision deficiencies.
RISK: Final[Ramp] = {
    "dark": ("#56106c", "#9d2962", "#db5339", "#fb9a07", "#faea76"),
    "light": ("#fff0a0", "#fec44f", "#f98432", "#dc3220", "#85002a"),
}
ZERO: Final[Color] = {"dark": "#1c2938", "light": "#e6eef3"}
NO_DATA: Final[Color] = {"dark": "#5f6a86", "light": "#b8bec8"}
GRID_LINE: Final[Color] = {"dark": "#0b1220", "light": "#ffffff"}
AREA_LINE: Final[Color] = {"dark": "#9fb0cc", "light": "#3c4a5e"}
ACCENT: Final[Color] = {"dark": "#4cc2ff", "light": "#0b6bcb"}

# Also 12 apart, all six; yet every state has a shape and a word: colour never stands alone.
STATE_COLOR: Final[Mapping[str, Color]] = {
    "done": {"dark": "#5b6a86", "light": "#a8aec0"},
    "undated": {"dark": "#a8d8ff", "light": "#0b4fc4"},
    "safe": {"dark": "#3fb68b", "light": "#0a9d77"},
    "suspended": {"dark": "#9fb0cc", "light": "#6f7090"},
    "amber": {"dark": "#ffc24a", "light": "#b97608"},
    "red": {"dark": "#ff5d4d", "light": "#a00a1c"},
}
STATE_SHAPE: Final[Mapping[str, str]] = {
    "done": "circle",
    "undated": "circle",
    "safe": "circle",
    "suspended": "diamond",
    "amber": "triangle",
    "red": "square",
}
_STATE_PX: Final = {"done": 4, "undated": 6, "safe": 7, "suspended": 10, "amber": 11, "red": 10}
CAMERA: Final[Color] = {"dark": "#7fb2ff", "light": "#2b5fb8"}
COMPONENT: Final[Color] = {"dark": "#6fd0c8", "light": "#0f7f78"}
BLOCK: Final[Color] = {"dark": "#d9b26f", "light": "#7d5a12"}
PLACE: Final[Color] = {"dark": "#c9a6ff", "light": "#7a3fb5"}
# Heat pictures lie on the map: the low end is clear, the top lets a little of the street through.
HEAT_LEVELS: Final = 64
_CLEAR_TO: Final = 0.45  # share of the tone at which the colour is as opaque as it gets
_OPAQUE: Final = 225


def interpolate_ramp(stops: tuple[str, ...], steps: int) -> list[tuple[int, int, int]]:
    """Return `steps` colours evenly along a ramp of hex stops, as 0–255 red, green, blue."""
    places = [step * (len(stops) - 1) / max(steps - 1, 1) for step in range(steps)]
    colors = []
    for place in places:
        low = min(int(place), len(stops) - 2)
        mix = place - low
        first, last = parse_color(stops[low]), parse_color(stops[low + 1])
        red, green, blue = (
            round(a * (1 - mix) + b * mix) for a, b in zip(first, last, strict=True)
        )
        colors.append((red, green, blue))
    return colors


def parse_color(text: str) -> tuple[int, int, int]:
    """Return red, green, blue (0–255) of `#rrggbb`."""
    red, green, blue = bytes.fromhex(text.removeprefix("#"))
    return red, green, blue


def style_states() -> dict[str, dict[str, Any]]:
    """Return shape, colour and size of each state as the map component takes them."""
    return {
        state: {
            "shape": STATE_SHAPE[state],
            "color": STATE_COLOR[state],
            "size": _STATE_PX[state],
            **({"edge": True} if state == "red" else {}),
        }
        for state in STATE_COLOR
    }


def heat_palette(theme: Theme) -> tuple[bytes, bytes]:
    """Return the heat picture's palette (3 bytes a level) and opacity (1 byte a level)."""
    colors = interpolate_ramp(RISK[theme], HEAT_LEVELS)
    tones = [level / (HEAT_LEVELS - 1) for level in range(HEAT_LEVELS)]
    opacity = [round(_OPAQUE * min(1.0, tone / _CLEAR_TO)) for tone in tones]
    return bytes(part for color in colors for part in color), bytes(opacity)
