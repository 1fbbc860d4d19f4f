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
    return [
      {
        id: "ring",
        slot: "halo",
        type: "circle",
        source: sources.points.id,
        paint: {
          "circle-radius": ["+", least, ["*", most - least, size]],
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
