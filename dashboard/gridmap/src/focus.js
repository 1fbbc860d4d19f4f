// The selected area and the one under the pointer, drawn over everything else of the ground.
import { THEMES } from "./themes.js";

const SOURCE = "gridmap-focus";
const EMPTY = { type: "FeatureCollection", features: [] };

export class Focus {
  constructor(map, sources) {
    this.map = map;
    this.sources = sources;
    this.hovered = null;
    this.shown = null;
  }

  /** Return the focus drawings; the painter keeps them in their slot. */
  draw(scene) {
    if (!this.map.getSource(SOURCE)) {
      this.map.addSource(SOURCE, { type: "geojson", data: EMPTY, maxzoom: 15 });
    }
    const tone = THEMES[scene.theme];
    const line = { slot: "focus", type: "line", source: SOURCE, layout: { "line-join": "round" } };
    return [
      {
        ...line,
        id: "focus/rim",
        paint: { "line-color": tone.halo, "line-width": 8 * scene.scale },
      },
      {
        ...line,
        id: "focus/selected",
        paint: { "line-color": tone.accent, "line-width": 4 * scene.scale },
      },
    ];
  }

  /** Outline the area with this uid, as soon as a layer that holds it is loaded; tells a change. */
  select(uid) {
    const feature = uid === null ? null : this.find(uid);
    if (feature === this.shown) return false;
    this.shown = feature;
    const features = feature
      ? [{ type: "Feature", geometry: feature.geometry, properties: { uid } }]
      : [];
    this.map.getSource(SOURCE).setData({ type: "FeatureCollection", features });
    return true;
  }

  /** Return the feature of a uid among the areas that are loaded, or null. */
  find(uid) {
    for (const entry of this.sources.entries.values()) {
      if (entry.need.type !== "areas" || !entry.data) continue;
      const found = entry.data.features.find((one) => one.properties && one.properties.uid === uid);
      if (found) return found;
    }
    return null;
  }

  /** Lift the area under the pointer; null lifts none. */
  hover(source, id) {
    const next = id === undefined || id === null ? null : { source, id };
    const same = next && this.hovered && next.source === this.hovered.source && next.id === this.hovered.id;
    if (same || (!next && !this.hovered)) return;
    if (this.hovered && this.map.getSource(this.hovered.source)) {
      this.map.setFeatureState(this.hovered, { hover: false });
    }
    this.hovered = next;
    if (next) this.map.setFeatureState(next, { hover: true });
  }

  forget() {
    this.hovered = null;
    this.shown = null;
  }
}
