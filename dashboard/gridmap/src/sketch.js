// A drawing that is being redrawn: its grids on the map, repainted grid by grid, and the gestures.
import { bordersOf } from "./borders.js";
import { Gestures } from "./gestures.js";
import { textFont, THEMES } from "./themes.js";

const GRIDS = "sketch-grids";
const BLOCKS = "sketch-blocks";
const LINES = "sketch-lines";
const GUIDE = "sketch-guide";
const PIECES = "sketch-pieces";
const NONE = { type: "FeatureCollection", features: [] };
// Too little, in the band, too much; grey where the account does not see, hatched never: no guess.
const STATES = {
  dark: ["#38598c", "#5f86bf", "#22304b", "#c98a2b", "#e0603f"],
  light: ["#5b83b8", "#a9c1dd", "#eef1f5", "#eeb765", "#d9603a"],
};
const UNSEEN = { dark: "#2a3346", light: "#d5dae2" };

export class Sketch {
  constructor(map, painter, scene, tell) {
    this.map = map;
    this.theme = scene.theme === "light" ? "light" : "dark";
    this.font = textFont(scene, true);
    this.scale = scene.scale;
    this.features = new Map();
    this.classes = new Map();
    this.picked = [];
    this.locked = new Set();
    this.others = new Map();
    this.borders = bordersOf(this.features);
    map.addSource(GRIDS, { type: "geojson", data: NONE, promoteId: "uid", tolerance: 0.1 });
    map.addSource(BLOCKS, { type: "geojson", data: NONE });
    for (const id of [LINES, GUIDE, PIECES]) map.addSource(id, { type: "geojson", data: NONE });
    const layers = this.layers();
    const before = painter.slide(layers[0].id);
    for (const layer of layers) map.addLayer(layer, before);
    this.gestures = new Gestures(map, this, tell);
  }

  layers() {
    const { theme } = this;
    const tone = THEMES[theme];
    const { accent } = tone;
    const other = theme === "light" ? "#8a2be2" : "#d7a6ff";
    const handed = theme === "light" ? "#c2187f" : "#ff7ad1";
    const road = theme === "light" ? "#f0b400" : "#ffd24a";
    const state = (name) => ["boolean", ["feature-state", name], false];
    const level = ["coalesce", ["feature-state", "level"], -1];
    const fill = ["match", level];
    STATES[theme].forEach((color, i) => fill.push(i, color));
    return [
      {
        id: "sketch/fill", type: "fill", source: GRIDS,
        paint: {
          "fill-color": [...fill, UNSEEN[theme]],
          "fill-opacity": this.guided ? 0.3 : ["case", state("picked"), 0.8, 0.58],
        },
      },
      {
        id: "sketch/line", type: "line", source: GRIDS,
        paint: {
          "line-color": theme === "light" ? "#6b7a92" : "#9fb0cc",
          "line-width": ["interpolate", ["linear"], ["zoom"], 11, 0.4, 15, 1.2],
        },
      },
      {
        id: "sketch/locked", type: "line", source: GRIDS,
        paint: {
          "line-color": theme === "light" ? "#3c4a5e" : "#c9d6ee",
          "line-width": ["case", state("locked"), 3, 0],
          "line-dasharray": [1, 1.5],
        },
      },
      {
        id: "sketch/other", type: "line", source: GRIDS,
        paint: {
          "line-color": other, "line-dasharray": [3, 2], "line-offset": 2,
          "line-width": ["match", ["coalesce", ["feature-state", "other"], 0], 1, 2, 2, 4, 0],
        },
      },
      {
        id: "sketch/new", type: "line", source: GRIDS,
        paint: { "line-color": accent, "line-width": ["case", state("changed"), 2, 0] },
      },
      {
        id: "sketch/blocks", type: "line", source: BLOCKS, layout: { visibility: "none" },
        paint: {
          "line-color": tone.text, "line-opacity": 0.35, "line-width": 0.8, "line-dasharray": [2, 2],
        },
      },
      {
        id: "sketch/brush", type: "fill", source: BLOCKS, layout: { visibility: "none" },
        paint: { "fill-color": accent, "fill-opacity": ["case", state("brushed"), 0.5, 0] },
      },
      {
        id: "sketch/picked", type: "line", source: GRIDS,
        paint: {
          "line-color": theme === "light" ? "#101828" : "#ffffff",
          "line-width": ["case", state("picked"), 3.5, 0],
        },
      },
      {
        id: "sketch/area", type: "fill", source: LINES, filter: ["==", ["geometry-type"], "Polygon"],
        paint: { "fill-color": accent, "fill-opacity": 0.25 },
      },
      {
        id: "sketch/pieces", type: "fill", source: PIECES,
        paint: { "fill-color": handed, "fill-opacity": 0.35, "fill-outline-color": handed },
      },
      {
        id: "sketch/piece-edges", type: "line", source: PIECES,
        paint: { "line-color": handed, "line-width": 2 },
      },
      {
        id: "sketch/piece-names", type: "symbol", source: PIECES,
        layout: { "text-field": ["to-string", ["get", "n"]], "text-font": this.font, "text-size": 14 * this.scale },
        paint: { "text-color": tone.text, "text-halo-color": tone.halo, "text-halo-width": 2 },
      },
      {
        id: "sketch/guide", type: "line", source: GUIDE,
        layout: { "line-cap": "round", "line-join": "round" },
        paint: {
          "line-color": ["match", ["get", "role"], "road", road, tone.halo],
          "line-width": ["match", ["get", "role"], "road", 11, 7],
          "line-opacity": 0.9,
        },
      },
      {
        id: "sketch/cut", type: "line", source: GUIDE, filter: ["==", ["get", "role"], "cut"],
        layout: { "line-cap": "round", "line-join": "round" },
        paint: { "line-color": accent, "line-width": 4 },
      },
      {
        id: "sketch/drawn", type: "line", source: LINES,
        layout: { "line-cap": "round", "line-join": "round" },
        paint: { "line-color": accent, "line-width": this.guided ? 1.5 : 3 },
      },
      {
        id: "sketch/corner", type: "circle", source: LINES,
        filter: ["==", ["geometry-type"], "Point"],
        paint: {
          "circle-radius": 6, "circle-color": accent, "circle-stroke-width": 2,
          "circle-stroke-color": theme === "light" ? "#ffffff" : "#0b1220",
        },
      },
    ];
  }

  /** Take the page's colours, which may come after the map. */
  dress(theme) {
    if (this.theme === theme) return;
    this.theme = theme;
    for (const { id, paint } of this.layers()) {
      for (const [name, value] of Object.entries(paint)) this.map.setPaintProperty(id, name, value);
    }
  }

  /** Take a whole drawing. */
  open(features) {
    this.features.clear();
    for (const one of features) this.features.set(one.properties.uid, one);
    this.map.getSource(GRIDS).setData({ type: "FeatureCollection", features });
    this.classes.clear();
    this.map.removeFeatureState({ source: GRIDS });
    for (const one of features) this.mark(one);
    this.locked = new Set();
    this.others = new Map();
    this.pick(this.picked); // what is picked stays so where it is still there
  }

  /** Take the grids that an edit changed; the others are not touched. */
  patch(features, gone) {
    for (const uid of gone) this.features.delete(uid);
    for (const one of features) this.features.set(one.properties.uid, one);
    this.map.getSource(GRIDS).updateData({ remove: gone, add: features });
    for (const one of features) this.mark(one);
    this.pick(this.picked.filter((uid) => this.features.has(uid)));
  }

  mark(feature) {
    const { uid, new: changed } = feature.properties;
    this.map.setFeatureState({ source: GRIDS, id: uid }, { changed: Boolean(changed) });
  }

  /** Colour grids by class 0 … 4 (2 is the band), null for what the account does not see. */
  paint(classes) {
    for (const [uid, level] of classes) {
      if (this.classes.get(uid) === level) continue;
      this.classes.set(uid, level);
      this.map.setFeatureState({ source: GRIDS, id: uid }, { level: level === null ? -1 : level });
    }
  }

  lock(uids) {
    const wanted = new Set(uids);
    for (const uid of new Set([...wanted, ...this.locked])) {
      this.map.setFeatureState({ source: GRIDS, id: uid }, { locked: wanted.has(uid) });
    }
    this.locked = wanted;
  }

  /** Mark the grids that others draw on: 1 theirs alone, 2 drawn on here as well. */
  mind(others) {
    for (const uid of new Set([...others.keys(), ...this.others.keys()])) {
      this.map.setFeatureState({ source: GRIDS, id: uid }, { other: others.get(uid) || 0 });
    }
    this.others = others;
  }

  pick(uids) {
    const wanted = uids.filter((uid) => this.features.has(uid));
    for (const uid of this.picked) this.map.setFeatureState({ source: GRIDS, id: uid }, { picked: false });
    for (const uid of wanted) this.map.setFeatureState({ source: GRIDS, id: uid }, { picked: true });
    this.picked = wanted;
  }

  /** Fly to a grid. */
  show(uid) {
    const feature = this.features.get(uid);
    if (feature) this.frame([feature]);
  }

  /** Fly to features, all of them in view. */
  frame(features) {
    let [west, south, east, north] = [180, 90, -180, -90];
    for (const { geometry } of features) {
      for (const [lon, lat] of geometry.coordinates.flat(geometry.type === "Polygon" ? 1 : 2)) {
        west = Math.min(west, lon);
        east = Math.max(east, lon);
        south = Math.min(south, lat);
        north = Math.max(north, lat);
      }
    }
    if (west > east) return;
    const box = [[west, south], [east, north]];
    this.map.fitBounds(box, { padding: 140, maxZoom: 16.5, duration: 0 });
  }

  setBlocks(collection) {
    this.map.getSource(BLOCKS).setData(collection);
  }

  showBlocks(on) {
    for (const id of ["sketch/blocks", "sketch/brush"]) {
      this.map.setLayoutProperty(id, "visibility", on ? "visible" : "none");
    }
  }

  brushed(block, on) {
    this.map.setFeatureState({ source: BLOCKS, id: block }, { brushed: on });
  }

  /** Show what is being drawn: lines, an area, corners. */
  draw(geometries) {
    const features = geometries.map((geometry) => ({ type: "Feature", properties: {}, geometry }));
    this.map.getSource(LINES).setData({ type: "FeatureCollection", features });
  }

  /** Show where a line will lie: features with the role "cut" or "road". */
  guide(features) {
    this.map.getSource(GUIDE).setData({ type: "FeatureCollection", features });
  }

  /** Show numbered pieces of land; a feature collection, or null for none. */
  setPieces(collection) {
    this.map.getSource(PIECES).setData(collection || NONE);
  }

  gridAt(point) {
    const found = this.map.queryRenderedFeatures([point.x, point.y], { layers: ["sketch/fill"] });
    return found.length > 0 ? found[0].properties.uid : null;
  }

  blockAt(point) {
    const found = this.map.queryRenderedFeatures([point.x, point.y], { layers: ["sketch/brush"] });
    return found.length > 0 ? found[0].id : null;
  }

  use(tool) {
    this.gestures.use(tool);
    this.showBlocks(tool === "brush");
    // The roads that a line follows lie under the colours.
    this.guided = tool === "line";
    for (const { id, paint } of this.layers()) {
      if (id === "sketch/fill") this.map.setPaintProperty(id, "fill-opacity", paint["fill-opacity"]);
      if (id === "sketch/drawn") this.map.setPaintProperty(id, "line-width", paint["line-width"]);
    }
  }
}
