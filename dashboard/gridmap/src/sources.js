// The map's sources: one per distinct need, shared by the layers that name the same data.
import { buildPath, buildTemplate, loadCollection } from "./routes.js";
import { gatherPoints } from "./points.js";

// Deep enough that a vertex is exact to a quarter of a metre; beyond, tiles are only stretched.
const GEOJSON_MAXZOOM = 15;
const AREAS_BUFFER = 64;

/**
 * Return what tells one need from another: two layers with the same key share a source. A version
 * (`v=`) is no part of it: the next one is put into the same source, so that nothing blinks.
 */
export function keyOf(need) {
  const urls = need.urls.map((url) => url.replace(/([?&])v=[^&]*/, "$1"));
  return JSON.stringify([need.type, urls, need.cluster || null]);
}

export class Sources {
  /** `onReady()` after new data came; `tracker` counts what is under way. */
  constructor({ map, session, tracker, onReady }) {
    this.map = map;
    this.session = session;
    this.tracker = tracker;
    this.onReady = onReady;
    this.entries = new Map();
    this.collections = new Map();
    this.abort = new AbortController();
    this.count = 0;
  }

  /** Return the entry of a need, asking for its data when it is new or its address changed. */
  ensure(need, scene) {
    const key = keyOf(need);
    let entry = this.entries.get(key);
    if (!entry) {
      const number = ++this.count;
      entry = { key, number, id: `s${number}`, need, paths: "", ready: false, features: 0, data: null };
      this.entries.set(key, entry);
    }
    const paths = need.urls.map((url) => buildPath(need.source, url, scene));
    if (paths.join(" ") !== entry.paths) {
      entry.paths = paths.join(" ");
      this.tracker.touch();
      this.tracker.forgive(entry.number);
      if (need.type === "raster" || need.type === "vector") this.setTiles(entry, paths[0]);
      else this.setCollections(entry, paths);
    }
    return entry;
  }

  /** Return the entry of a need if it was ever asked for. */
  peek(need) {
    return this.entries.get(keyOf(need)) || null;
  }

  byId(id) {
    for (const entry of this.entries.values()) if (entry.id === id) return entry;
    return null;
  }

  /** Ask again for what failed. */
  retry() {
    for (const entry of this.entries.values()) {
      const failure = this.tracker.failureOf(entry.number);
      if (!failure) continue;
      this.tracker.touch();
      this.tracker.forgive(entry.number);
      // All of its tiles: MapLibre draws a failed one as if it were old when it is asked for alone.
      if (failure.tiles > 0) this.map.refreshTiles(entry.id);
      else this.setCollections(entry, entry.paths.split(" "));
    }
  }

  /** Drop the sources that no layer of the page needs and nothing on screen is drawn from. */
  keepOnly(keys, drawn) {
    for (const [key, entry] of this.entries) {
      if (keys.has(key) || drawn.has(entry.id)) continue;
      if (this.map.getSource(entry.id)) this.map.removeSource(entry.id);
      this.tracker.forgive(entry.number);
      this.entries.delete(key);
    }
  }

  close() {
    this.abort.abort();
  }

  setTiles(entry, path) {
    const tiles = [buildTemplate(this.session, entry.number, path)];
    const source = this.map.getSource(entry.id);
    if (source) {
      source.setTiles(tiles);
      return;
    }
    const given = entry.need.source;
    const spec = { type: entry.need.type, tiles };
    for (const name of ["minzoom", "maxzoom", "bounds"]) if (name in given) spec[name] = given[name];
    if (entry.need.type === "raster") spec.tileSize = given.tileSize || 512;
    this.map.addSource(entry.id, spec);
    entry.ready = true;
  }

  async setCollections(entry, paths) {
    const asked = entry.paths;
    const token = this.tracker.begin();
    try {
      const collections = await Promise.all(paths.map((path) => this.load(path)));
      if (entry.paths !== asked || this.abort.signal.aborted) return;
      const data = entry.need.type === "points" ? gatherPoints(collections) : collections[0];
      entry.features = data.features.length;
      entry.data = data;
      this.put(entry, data);
      entry.ready = true;
      this.forgetPaths();
      this.onReady();
    } catch (error) {
      if (error.name === "AbortError") return;
      if (entry.paths === asked) this.tracker.fail(entry.number, null, error.reason || "broken");
    } finally {
      this.tracker.end(token);
    }
  }

  put(entry, data) {
    const source = this.map.getSource(entry.id);
    if (source) {
      source.setData(data);
      return;
    }
    const spec = { type: "geojson", data, maxzoom: GEOJSON_MAXZOOM, buffer: AREAS_BUFFER };
    if (entry.need.cluster) {
      spec.cluster = true;
      spec.clusterRadius = entry.need.cluster.radius;
      spec.clusterMaxZoom = entry.need.cluster.maxzoom;
      spec.maxzoom = Math.max(GEOJSON_MAXZOOM, entry.need.cluster.maxzoom + 1);
    }
    this.map.addSource(entry.id, spec);
  }

  /** Fetch a collection once for all who name the same path; a failed one may be asked again. */
  load(path) {
    if (!this.collections.has(path)) {
      const promise = loadCollection(path, this.abort.signal);
      promise.catch(() => this.collections.delete(path));
      this.collections.set(path, promise);
    }
    return this.collections.get(path);
  }

  /** Keep only the collections that a source still names: a live city has a new one every minute. */
  forgetPaths() {
    const named = new Set();
    for (const entry of this.entries.values()) entry.paths.split(" ").forEach((path) => named.add(path));
    for (const path of this.collections.keys()) if (!named.has(path)) this.collections.delete(path);
  }
}
