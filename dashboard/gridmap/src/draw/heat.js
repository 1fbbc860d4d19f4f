// A density picture drawn by the server, tile by tile.
import { pick } from "../themes.js";
import { tiles } from "./needs.js";

export const heat = {
  needs: (layer) => ({ tiles: tiles(layer) }),

  draw: (layer, scene, sources) => [
    {
      id: "picture",
      slot: "heat",
      type: "raster",
      source: sources.tiles.id,
      paint: {
        "raster-fade-duration": 0,
        "raster-opacity": pick((layer.style || {}).opacity, scene.theme, 0.85),
        "raster-resampling": "linear",
      },
    },
  ],
};
