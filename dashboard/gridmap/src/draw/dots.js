// Single incidents: colour and shape both say the state. Discs are drawn as circles, which is
// cheaper by far and most are discs; every other shape is a small picture.
import { makeShape } from "../icons.js";
import { pick, THEMES } from "../themes.js";
import { tiles } from "./needs.js";

export const dots = {
  needs: (layer) => ({ tiles: tiles(layer) }),

  images(layer, scene) {
    const images = {};
    for (const [state, style] of shaped(layer)) {
      const color = pick(style.color, scene.theme, THEMES[scene.theme].accent);
      const { panel } = THEMES[scene.theme];
      images[nameOf(layer, state)] = {
        key: [style.shape, style.size, color, scene.theme, scene.scale].join(),
        make: () => makeShape({ ...style, color, rim: panel, scale: scene.scale }),
      };
    }
    return images;
  },

  draw(layer, scene, sources) {
    const common = {
      slot: "dot",
      source: sources.tiles.id,
      "source-layer": layer.source.layer || layer.id,
      interactive: true,
    };
    const drawings = [];
    if (round(layer).length > 0) drawings.push(drawDiscs(layer, scene, common));
    if (shaped(layer).length > 0) drawings.push(drawShapes(layer, common));
    return drawings;
  },
};

const states = (layer) => Object.entries(layer.style.states);
const round = (layer) => states(layer).filter(([, style]) => style.shape === "circle");
const shaped = (layer) => states(layer).filter(([, style]) => style.shape !== "circle");
const nameOf = (layer, state) => `${layer.id}:${state}`;
const stateOf = (layer) => ["to-string", ["get", layer.style.field]];
const among = (layer, list) => ["in", stateOf(layer), ["literal", list.map(([state]) => state)]];

/** Choose by state: `pairs` of state and value, the last value for any other. */
function match(layer, list, valueOf) {
  const out = ["match", stateOf(layer)];
  for (const [state, style] of list) out.push(state, valueOf(style, state));
  out.push(valueOf(list[0][1], list[0][0]));
  return out;
}

function drawDiscs(layer, scene, common) {
  const list = round(layer);
  const tone = THEMES[scene.theme];
  const size = (factor) => match(layer, list, (style) => (style.size / 2) * factor * scene.scale);
  return {
    ...common,
    id: "disc",
    type: "circle",
    filter: among(layer, list),
    layout: { "circle-sort-key": match(layer, list, (style) => list.findIndex((one) => one[1] === style)) },
    paint: {
      "circle-color": match(layer, list, (style) => pick(style.color, scene.theme, tone.accent)),
      "circle-radius": ["interpolate", ["linear"], ["zoom"], 13, size(0.75), 17, size(1.25)],
      "circle-stroke-color": tone.panel,
      "circle-stroke-width": match(layer, list, (style) => (style.size >= 6 ? 1 : 0.5) * scene.scale),
    },
  };
}

function drawShapes(layer, common) {
  const list = shaped(layer);
  const all = states(layer).map(([state]) => state);
  return {
    ...common,
    id: "shape",
    type: "symbol",
    filter: among(layer, list),
    layout: {
      "icon-image": match(layer, list, (style, state) => nameOf(layer, state)),
      "icon-size": ["interpolate", ["linear"], ["zoom"], 13, 0.8, 17, 1.2],
      "icon-allow-overlap": true,
      "icon-ignore-placement": true,
      "symbol-sort-key": match(layer, list, (style, state) => all.indexOf(state)),
    },
    paint: {},
  };
}
