// Rings whose area grows with a figure: where the late ones are, whatever the fill says.
import { pick, THEMES } from "../themes.js";
import { points } from "./needs.js";

export const halos = {
  needs: (layer) => ({ points: points(layer) }),

  draw(layer, scene, sources) {
    const [least, most] = (layer.style.radius || [6, 28]).map((px) => px * scene.scale);
    const color = pick(layer.style.color, scene.theme, THEMES[scene.theme].accent);
    const size = ["coalesce", ["feature-state", layer.id], 0];
    const shown = (opacity) => ["case", [">", size, 0], opacity, 0];
    const radius = ["+", least, ["*", most - least, size]];
    return [
      {
        // A rim in the ground's colour keeps the ring legible over a fill as red as itself.
        id: "rim",
        slot: "halo",
        type: "circle",
        source: sources.points.id,
        paint: {
          "circle-radius": ["-", radius, scene.scale],
          "circle-opacity": 0,
          "circle-stroke-color": THEMES[scene.theme].halo,
          "circle-stroke-width": 4 * scene.scale,
          "circle-stroke-opacity": shown(0.8),
        },
      },
      {
        id: "ring",
        slot: "halo",
        type: "circle",
        source: sources.points.id,
        paint: {
          "circle-radius": radius,
          "circle-color": color,
          "circle-opacity": shown(0.14),
          "circle-stroke-color": color,
          "circle-stroke-width": 2 * scene.scale,
          "circle-stroke-opacity": shown(0.95),
        },
      },
    ];
  },
};
