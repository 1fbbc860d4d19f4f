// Cameras and places: gathered with their count where they are dense, single pictures where not.
import { makePicture, makeWedge, WEDGES } from "../icons.js";
import { pick, textFont, THEMES } from "../themes.js";
import { gathered } from "./needs.js";

const WEDGE_ZOOM = 16;
const WEDGE_ANGLE = 60;

export const clusters = {
  needs(layer) {
    const style = layer.style || {};
    const maxzoom = style.maxzoom === undefined ? 15 : style.maxzoom;
    return { points: gathered(layer, { radius: style.radius || 60, maxzoom }) };
  },

  images(layer, scene) {
    const { style } = layer;
    const color = pick(style.color, scene.theme, THEMES[scene.theme].accent);
    const { panel } = THEMES[scene.theme];
    const images = {};
    for (const icon of iconsOf(style)) {
      images[nameOf(layer, icon)] = {
        key: [icon, color, scene.theme, scene.scale].join(),
        make: () => makePicture({ icon, color, panel, scale: scene.scale }),
      };
    }
    if (style.bearing) {
      for (const angle of WEDGES) {
        images[nameOf(layer, `wedge${angle}`)] = {
          key: [angle, color, scene.scale].join(),
          make: () => makeWedge({ angle, color, scale: scene.scale }),
        };
      }
    }
    return images;
  },

  draw(layer, scene, sources) {
    const source = sources.points.id;
    const drawings = [drawDiscs(layer, scene, source), drawCounts(layer, scene, source)];
    if (layer.style.bearing) drawings.unshift(drawWedges(layer, source));
    drawings.push(drawSingles(layer, source));
    return drawings;
  },
};

const nameOf = (layer, part) => `${layer.id}:${part}`;
const mainIcon = (style) => style.icon || "dot";
const iconsOf = (style) => [...new Set([mainIcon(style), ...Object.values(style.icons || {})])];

function drawDiscs(layer, scene, source) {
  const color = pick(layer.style.color, scene.theme, THEMES[scene.theme].accent);
  const radius = ["step", ["get", "point_count"], 12, 10, 14, 50, 17, 200, 20, 1000, 24];
  return {
    id: "disc",
    slot: "cluster",
    type: "circle",
    source,
    filter: ["has", "point_count"],
    interactive: true,
    paint: {
      "circle-color": THEMES[scene.theme].panel,
      "circle-opacity": 0.92,
      "circle-radius": ["*", scene.scale, radius],
      "circle-stroke-color": color,
      "circle-stroke-width": 1.5 * scene.scale,
    },
  };
}

function drawCounts(layer, scene, source) {
  return {
    id: "count",
    slot: "cluster",
    type: "symbol",
    source,
    filter: ["has", "point_count"],
    layout: {
      "text-field": ["to-string", ["get", "point_count"]],
      "text-font": textFont(scene),
      "text-size": 12 * scene.scale,
      // Always there, and names make room for it.
      "text-allow-overlap": true,
      "text-padding": 9 * scene.scale,
    },
    paint: { "text-color": pick(layer.style.color, scene.theme, THEMES[scene.theme].text) },
  };
}

function drawSingles(layer, source) {
  const { style } = layer;
  let image = nameOf(layer, mainIcon(style));
  if (style.field && style.icons && Object.keys(style.icons).length > 0) {
    image = ["match", ["to-string", ["get", style.field]]];
    for (const [value, icon] of Object.entries(style.icons)) image.push(value, nameOf(layer, icon));
    image.push(nameOf(layer, mainIcon(style)));
  }
  return {
    id: "single",
    slot: "single",
    type: "symbol",
    source,
    filter: ["!", ["has", "point_count"]],
    interactive: true,
    layout: {
      "icon-image": image,
      "icon-size": ["interpolate", ["linear"], ["zoom"], 12, 0.75, 16, 1],
      // Five thousand places would leave no room for a single name.
      "icon-allow-overlap": true,
      "icon-ignore-placement": true,
    },
    paint: {},
  };
}

function drawWedges(layer, source) {
  const { bearing, angle } = layer.style;
  const width = angle ? ["to-number", ["get", angle], WEDGE_ANGLE] : WEDGE_ANGLE;
  const image = ["step", width, nameOf(layer, `wedge${WEDGES[0]}`)];
  for (const one of WEDGES.slice(1)) image.push(one - 10, nameOf(layer, `wedge${one}`));
  return {
    id: "wedge",
    slot: "single",
    type: "symbol",
    source,
    minzoom: WEDGE_ZOOM,
    filter: ["all", ["!", ["has", "point_count"]], ["!=", ["typeof", ["get", bearing]], "null"]],
    layout: {
      "icon-image": image,
      "icon-rotate": ["to-number", ["get", bearing], 0],
      "icon-rotation-alignment": "map",
      "icon-size": ["interpolate", ["exponential", 2], ["zoom"], 16, 0.5, 18, 1.6],
      "icon-allow-overlap": true,
      "icon-ignore-placement": true,
    },
    paint: {},
  };
}
