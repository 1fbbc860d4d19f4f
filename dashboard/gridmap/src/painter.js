// Keeps the map's style equal to the wanted drawings by changing only what differs.
import { rankOf } from "./slots.js";

const OWN_KEYS = ["slot", "interactive", "order"];
const OUTLINES = rankOf({ slot: "outline" }, 0);

export class Painter {
  constructor(map) {
    this.map = map;
    this.drawn = new Map();
    this.images = new Map();
    this.sketch = null;
  }

  /** Lay what is drawn by hand under the outlines and names, over all else; `first` is its lowest. */
  slide(first) {
    this.sketch = first;
    return this.lowestFrom(OUTLINES);
  }

  lowestFrom(order) {
    const over = [...this.drawn.values()].filter((one) => one.order >= order);
    return over.length > 0 ? over.sort((a, b) => a.order - b.order)[0].id : undefined;
  }

  /** Bring the drawings of one layer up to date; those it no longer wants are hidden. */
  paint(layer, wanted, order) {
    const ids = new Set();
    wanted.forEach((drawing, i) => {
      ids.add(drawing.id);
      const full = { ...drawing, layer, order: rankOf(drawing, order * 10 + i) };
      const old = this.drawn.get(drawing.id);
      if (old && old.source !== drawing.source) this.remove(drawing.id);
      if (this.drawn.has(drawing.id)) this.change(this.drawn.get(drawing.id), full);
      else this.add(full);
    });
    for (const [id, drawing] of this.drawn) {
      if (drawing.layer === layer && !ids.has(id)) this.hide(id);
    }
  }

  /** Take the drawings of a layer off the map for good. */
  erase(layer) {
    for (const [id, drawing] of [...this.drawn]) if (drawing.layer === layer) this.remove(id);
  }

  /** Return the ids of the drawings that answer the pointer, topmost first. */
  interactive() {
    return [...this.drawn.values()]
      .filter((drawing) => drawing.interactive && !drawing.hidden)
      .sort((a, b) => b.order - a.order)
      .map((drawing) => drawing.id);
  }

  /** Return the sources that something is drawn from. */
  sources() {
    return new Set([...this.drawn.values()].map((drawing) => drawing.source));
  }

  layerOf(id) {
    return this.drawn.get(id).layer;
  }

  /** Add or replace canvas pictures; one of the same size is replaced without laying out anew. */
  setImages(images) {
    for (const [name, { key, make }] of Object.entries(images)) {
      if (this.images.get(name) === key) continue;
      const image = make();
      const old = this.map.hasImage(name) && this.map.getImage(name);
      if (old && old.data.width === image.data.width) this.map.updateImage(name, image.data);
      else {
        if (old) this.map.removeImage(name);
        this.map.addImage(name, image.data, { pixelRatio: image.pixelRatio });
      }
      this.images.set(name, key);
    }
  }

  add(drawing) {
    let before;
    let next = Infinity;
    for (const [id, other] of this.drawn) {
      if (other.order > drawing.order && other.order < next) {
        before = id;
        next = other.order;
      }
    }
    const under = this.sketch && drawing.order < OUTLINES;
    if (under && (next === Infinity || next >= OUTLINES)) before = this.sketch;
    const spec = { ...drawing };
    for (const key of [...OWN_KEYS, "layer", "hidden"]) delete spec[key];
    this.map.addLayer(spec, before);
    this.drawn.set(drawing.id, { ...drawing, hidden: false });
  }

  change(old, wanted) {
    const { id } = wanted;
    for (const [name, value] of differing(old.paint, wanted.paint)) {
      this.map.setPaintProperty(id, name, value);
    }
    for (const [name, value] of differing(old.layout, wanted.layout)) {
      this.map.setLayoutProperty(id, name, value);
    }
    if (!same(old.filter, wanted.filter)) this.map.setFilter(id, wanted.filter);
    if (old.minzoom !== wanted.minzoom || old.maxzoom !== wanted.maxzoom) {
      this.map.setLayerZoomRange(id, wanted.minzoom, wanted.maxzoom);
    }
    if (old.hidden) this.map.setLayoutProperty(id, "visibility", "visible");
    this.drawn.set(id, { ...wanted, order: old.order, hidden: false });
  }

  hide(id) {
    const drawing = this.drawn.get(id);
    if (drawing.hidden) return;
    this.map.setLayoutProperty(id, "visibility", "none");
    drawing.hidden = true;
  }

  remove(id) {
    this.map.removeLayer(id);
    this.drawn.delete(id);
  }
}

function differing(old = {}, wanted = {}) {
  const names = new Set([...Object.keys(old), ...Object.keys(wanted)]);
  return [...names].filter((name) => !same(old[name], wanted[name])).map((name) => [name, wanted[name]]);
}

function same(a, b) {
  return a === b || JSON.stringify(a) === JSON.stringify(b);
}
