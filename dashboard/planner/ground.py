"""What the planner's page holds from the start: words, the map's ground, the account's rights."""

from __future__ import annotations

from typing import Any

from dashboard.gridmap import map_words
from dashboard.guard import current_scope
from dashboard.services import Services
from geodata.words import Lang, load_words, say
from layers.registry import LAYERS

_GROUND = ("base", "outline", "labels")
_OTHERS = ("plan_state.", "plan.column_")


def draw_frame(services: Services, lang: Lang) -> dict[str, Any]:
    """Return the page's words and the map's layers that are no figures."""
    scope, settings = current_scope(), services.city.settings
    sight = services.pictures.newest(scope)
    drawn = [one for one in LAYERS if scope.has(one.source.needs)]
    layers = (
        []
        if sight is None
        else [one.descriptor(lang, sight, version=sight.version) for one in drawn]
    )
    ground = [one for one in layers if one["kind"] in _GROUND]
    return {
        "words": read_words(lang),
        "map": {
            "layers": ground,
            "shown": [one["id"] for one in ground],
            "words": map_words(lang),
            "bounds": None if sight is None else [float(one) for one in sight.bounds],
        },
        "title": say("planner.title", lang),
        "city": settings.name_zh if lang == "zh" else settings.name_en,
        "account": scope.account,
        "may": [name for name in ("plan", "approve") if scope.has(name)],
        "whole": scope.everything,
        "now": services.now(),
    }


def read_words(lang: Lang) -> dict[str, str]:
    """Return what the page's script says, by key, places to fill in left open."""
    known = load_words(lang)
    own = [key.removeprefix("planner.") for key in known if key.startswith("planner.")]
    return {
        **{f"planner.{name}": known[f"planner.{name}"] for name in own},
        **{key: text for key, text in known.items() if key.startswith(_OTHERS)},
    }
