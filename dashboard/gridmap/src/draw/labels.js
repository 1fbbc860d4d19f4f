// Names of grids and of the levels above, each level within its own zooms.
import { pick, textFont, THEMES } from "../themes.js";
import { points } from "./needs.js";

const DEFAULT_LEVELS = {
  grid: { minzoom: 14.5, size: 13 },
  community: { minzoom: 12.5, maxzoom: 16, size: 14 },
  street: { maxzoom: 13.5, size: 16, strong: true },
};

export const labels = {
  needs: (layer) => ({ points: points(layer) }),

  draw(layer, scene, sources) {
    const tone = THEMES[scene.theme];
    const style = layer.style || {};
    const levels = Object.entries(style.levels || DEFAULT_LEVELS);
    // The largest type is drawn last and so placed first: where names collide, the higher level stays.
    levels.sort((a, b) => a[1].size - b[1].size);
    return levels.map(([level, one]) => ({
      id: level,
      slot: "name",
      type: "symbol",
      source: sources.points.id,
      minzoom: one.minzoom,
      maxzoom: one.maxzoom,
      filter: ["==", ["get", "level"], level],
      layout: {
        "text-field": ["get", style.field || "name"],
        "text-font": textFont(scene, one.strong),
        "text-size": one.size * scene.scale,
        "text-max-width": 8,
        "text-line-height": 1.25,
        "text-letter-spacing": one.strong ? 0.08 : 0.02,
        // Room around the lesser names from afar: a map full of names shows nothing else.
        "text-padding": one.strong ? 6 : ["interpolate", ["linear"], ["zoom"], 12.5, 18, 15, 4],
        // A name may step aside for a camera or a count, but stays beside its place.
        "text-variable-anchor": ["center", "top", "bottom", "left", "right"],
        "text-radial-offset": 0.9,
        "text-justify": "auto",
      },
      paint: {
        "text-color": pick(one.color, scene.theme, tone.text),
        "text-halo-color": tone.halo,
        "text-halo-width": one.strong ? 2 : 1.6,
      },
    }));
  },
};
