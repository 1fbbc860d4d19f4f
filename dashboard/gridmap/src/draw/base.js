// The city's own ground: water, green, buildings, roads by class, and their names along the lines.
import { pick, textFont, THEMES } from "../themes.js";
import { tiles } from "./needs.js";

// Road classes from great to small: [classes, colour name, first zoom, widths at z10, z14, z18].
const ROADS = [
  { id: "rail", classes: ["rail"], tone: "major", from: 10, widths: [0.7, 1.6, 5], dash: [6, 4] },
  { id: "path", classes: ["path"], tone: "path", from: 15, widths: [0, 0.7, 3], dash: [2, 1.5] },
  { id: "service", classes: ["service"], tone: "minor", from: 14.5, widths: [0, 0.9, 7], casing: true },
  { id: "tertiary", classes: ["tertiary"], tone: "minor", from: 11, widths: [0.5, 2.4, 16], casing: true },
  { id: "secondary", classes: ["secondary"], tone: "middle", from: 9, widths: [0.9, 3.2, 20], casing: true },
  { id: "primary", classes: ["primary", "trunk"], tone: "major", from: 7, widths: [1.2, 4, 24], casing: true },
  { id: "motorway", classes: ["motorway"], tone: "major", from: 6, widths: [1.5, 4.6, 26], casing: true },
];
const NAMED = ["motorway", "trunk", "primary", "secondary", "tertiary", "residential"];
// Whatever class is not listed is drawn as a residential street, so that no road is lost.
const OTHER = { id: "residential", tone: "minor", from: 12.5, widths: [0.3, 1.5, 11], casing: true };
const LISTED = ROADS.reduce((all, road) => all.concat(road.classes), []);

export const base = {
  needs: (layer) => ({ tiles: tiles(layer) }),

  draw(layer, scene, sources) {
    const source = sources.tiles.id;
    if (layer.source.type === "raster") return [drawPicture(layer, scene, source)];
    const tone = THEMES[scene.theme];
    return [
      ...drawLand(tone, source),
      ...drawBuildings(tone, source),
      ...drawRoads(tone, source),
      ...drawNames(tone, scene, source),
    ];
  },
};

function drawPicture(layer, scene, source) {
  return {
    id: "picture",
    slot: "picture",
    type: "raster",
    source,
    paint: {
      "raster-fade-duration": 0,
      "raster-opacity": pick((layer.style || {}).opacity, scene.theme, 1),
    },
  };
}

function drawLand(tone, source) {
  const polygon = ["==", ["geometry-type"], "Polygon"];
  const line = ["==", ["geometry-type"], "LineString"];
  // Water lies over the grids' colours: a river is what people find their way by.
  const ground = { slot: "water", source };
  return [
    {
      id: "green",
      slot: "ground",
      type: "fill",
      source,
      "source-layer": "green",
      paint: { "fill-color": tone.green },
    },
    {
      ...ground,
      id: "water",
      type: "fill",
      "source-layer": "water",
      filter: polygon,
      paint: { "fill-color": tone.water },
    },
    {
      ...ground,
      id: "shore",
      type: "line",
      "source-layer": "water",
      filter: polygon,
      paint: { "line-color": tone.waterLine, "line-width": 1 },
    },
    {
      ...ground,
      id: "stream",
      type: "line",
      "source-layer": "water",
      filter: line,
      layout: { "line-cap": "round", "line-join": "round" },
      paint: { "line-color": tone.water, "line-width": widths([0.8, 2, 8]) },
    },
  ];
}

function drawBuildings(tone, source) {
  const floors = ["to-number", ["get", "floors"], 1];
  return [
    {
      id: "building",
      slot: "building",
      type: "fill",
      source,
      "source-layer": "buildings",
      minzoom: 15,
      paint: {
        "fill-color": tone.building,
        "fill-outline-color": tone.buildingEdge,
        // Taller reads as more solid: enough to tell a tower from a shed, no more.
        "fill-opacity": ["interpolate", ["linear"], floors, 1, 0.55, 30, 0.9],
      },
    },
  ];
}

function drawRoads(tone, source) {
  const roads = [...ROADS];
  roads.splice(3, 0, OTHER);
  const casings = roads.filter((road) => road.casing).map((road) => drawRoad(road, tone, source, true));
  return [...casings, ...roads.map((road) => drawRoad(road, tone, source, false))];
}

function drawRoad(road, tone, source, casing) {
  const filter = road.classes
    ? ["in", ["get", "class"], ["literal", road.classes]]
    : ["!", ["in", ["get", "class"], ["literal", LISTED]]];
  const paint = {
    "line-color": casing ? tone.roadCasing : tone.roads[road.tone],
    "line-width": widths(casing ? road.widths.map((width, i) => width + [0.8, 1.6, 2.5][i]) : road.widths),
    "line-opacity": casing ? tone.roadOpacity * 0.8 : tone.roadOpacity,
  };
  if (road.dash) paint["line-dasharray"] = road.dash;
  return {
    id: casing ? `${road.id}-casing` : road.id,
    slot: "road",
    type: "line",
    source,
    "source-layer": "roads",
    minzoom: road.from,
    filter,
    layout: { "line-cap": casing ? "butt" : "round", "line-join": "round" },
    paint,
  };
}

function drawNames(tone, scene, source) {
  const name = {
    slot: "road-name",
    type: "symbol",
    source,
    filter: ["has", "name"],
  };
  const paint = { "text-halo-color": tone.halo, "text-halo-width": 1.4 };
  return [
    {
      ...name,
      id: "road-name",
      "source-layer": "roads",
      minzoom: 14,
      filter: ["all", ["has", "name"], ["in", ["get", "class"], ["literal", NAMED]]],
      layout: {
        "symbol-placement": "line",
        "symbol-spacing": 380,
        "text-field": ["get", "name"],
        "text-font": textFont(scene),
        "text-size": ["interpolate", ["linear"], ["zoom"], 14, 10.5 * scene.scale, 18, 14 * scene.scale],
        "text-letter-spacing": 0.12,
        "text-padding": 12,
        "text-max-angle": 35,
      },
      paint: { ...paint, "text-color": tone.roadName },
    },
    {
      ...name,
      id: "water-name",
      "source-layer": "water",
      minzoom: 12,
      layout: {
        "symbol-placement": "point",
        "text-field": ["get", "name"],
        "text-font": textFont(scene),
        "text-size": 12 * scene.scale,
        "text-letter-spacing": 0.2,
        "text-padding": 40,
      },
      paint: { ...paint, "text-color": tone.waterName },
    },
  ];
}

function widths([far, middle, near]) {
  return ["interpolate", ["exponential", 1.6], ["zoom"], 10, far, 14, middle, 18, near];
}
