// Borders of the levels above the grid, heavier the higher.
import { pick, THEMES } from "../themes.js";
import { areas } from "./needs.js";

export const outline = {
  needs: (layer) => ({ areas: areas(layer) }),

  draw(layer, scene, sources) {
    const tone = THEMES[scene.theme];
    const own = pick(layer.style.color, scene.theme, tone.outline);
    const levels = Object.entries(layer.style.levels).sort((a, b) => a[1].width - b[1].width);
    const lines = [];
    for (const [level, style] of levels) {
      const common = {
        slot: "outline",
        type: "line",
        source: sources.areas.id,
        filter: ["==", ["get", "level"], level],
        minzoom: style.minzoom,
        maxzoom: style.maxzoom,
        layout: { "line-join": "round", "line-cap": "round" },
      };
      const width = style.width * scene.scale;
      // A dark rim under each border keeps it legible over any fill.
      lines.push({
        ...common,
        id: `${level}-rim`,
        paint: { "line-color": tone.halo, "line-opacity": 0.55, "line-width": zoomed(width + 2.4) },
      });
      const paint = {
        "line-color": pick(style.color, scene.theme, own),
        "line-opacity": 0.95,
        "line-width": zoomed(width),
      };
      if (style.dash) paint["line-dasharray"] = style.dash;
      lines.push({ ...common, id: level, paint });
    }
    return lines;
  },
};

function zoomed(width) {
  return ["interpolate", ["linear"], ["zoom"], 9, width * 0.5, 13, width, 17, width * 1.5];
}
