// Grids filled by the class of their figure; thin data grey and hatched, the hovered one lifted.
import { makeHatch } from "../icons.js";
import { pick, THEMES } from "../themes.js";
import { areas } from "./needs.js";

const HATCH = "gridmap-hatch";

export const choropleth = {
  needs: (layer) => ({ areas: areas(layer) }),

  images: (layer, scene) => ({
    [HATCH]: { key: scene.theme, make: () => makeHatch(THEMES[scene.theme].hatch) },
  }),

  draw(layer, scene, sources) {
    const tone = THEMES[scene.theme];
    const source = sources.areas.id;
    const opacity = pick(layer.style.opacity, scene.theme, 0.85);
    const drawings = [drawFill(layer, scene, source, tone, opacity), drawEdge(layer, scene, source, tone)];
    if (hasThin(layer, scene)) drawings.push(drawHatch(layer, source));
    return drawings;
  },
};

function drawFill(layer, scene, source, tone, opacity) {
  const { style } = layer;
  const ramp = pick(style.ramp, scene.theme, []);
  const nodata = pick(style.nodata, scene.theme, tone.nodata);
  // Steps on the class (figures.js): not yet known, no data, zero, then the ramp.
  const color = ["step", ["coalesce", ["feature-state", layer.id], -2], "rgba(0,0,0,0)"];
  color.push(-1, nodata, 0, pick(style.zero, scene.theme, tone.zero));
  ramp.forEach((one, i) => color.push(i + 1, one));
  return {
    id: "fill",
    slot: "fill",
    type: "fill",
    source,
    interactive: true,
    paint: {
      "fill-antialias": false,
      "fill-color": ["case", ["boolean", ["feature-state", `${layer.id}:thin`], false], nodata, color],
      "fill-opacity": fading(opacity),
    },
  };
}

/** From afar the colour is the message; close by, the streets and houses under it are. */
function fading(opacity) {
  const at = (share) => [
    "case",
    ["boolean", ["feature-state", "hover"], false],
    Math.min(1, opacity * share + 0.2),
    opacity * share,
  ];
  return ["interpolate", ["linear"], ["zoom"], 14, at(1), 16, at(0.62), 18, at(0.4)];
}

function drawEdge(layer, scene, source, tone) {
  return {
    id: "edge",
    slot: "edge",
    type: "line",
    source,
    layout: { "line-join": "round" },
    paint: {
      "line-color": pick(layer.style.line, scene.theme, tone.gridLine),
      "line-width": ["interpolate", ["linear"], ["zoom"], 10, 0.3, 13, 0.8, 16, 1.6],
    },
  };
}

function drawHatch(layer, source) {
  return {
    id: "hatch",
    slot: "hatch",
    type: "fill",
    source,
    paint: {
      "fill-antialias": false,
      "fill-pattern": HATCH,
      "fill-opacity": ["case", ["boolean", ["feature-state", `${layer.id}:thin`], false], 1, 0],
    },
  };
}

function hasThin(layer, scene) {
  const given = scene.values[layer.id];
  return Boolean(given && given.thin && given.thin.length > 0);
}
