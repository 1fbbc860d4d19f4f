// One map on one page: turns the props into sources, drawings, figures and a state, and back.
import { Map as MapLibreMap, setWorkerUrl } from "maplibre-gl";
import { Camera } from "./camera.js";
import { Controls } from "./controls.js";
import { Curtain } from "./curtain.js";
import { drawingsOf, imagesOf, KINDS, needsOf } from "./draw/index.js";
import { Figures } from "./figures.js";
import { Focus } from "./focus.js";
import { Notice } from "./notice.js";
import { Painter } from "./painter.js";
import { Pointer } from "./pointer.js";
import { answers, unwatchTiles, watchTiles } from "./routes.js";
import { readScene } from "./scene.js";
import { keyOf, Sources } from "./sources.js";
import { Status } from "./status.js";
import { Sketch } from "./sketch.js";
import { choosePixelRatio, probeGraphics, wantsCalm } from "./support.js";
import { THEMES } from "./themes.js";
import { Tooltip } from "./tooltip.js";
import { Tracker } from "./tracker.js";

// The worker lies beside this script, wherever the page mounts the two.
const WORKER_URL = new URL(WORKER_FILE, document.currentScript.src).href;
// Kinds whose colours or sizes come with the prop `values`.
const FIGURED = ["choropleth", "halos"];
const GROUND = { id: "ground", type: "background", paint: { "background-color": "transparent" } };
const FOCUS_LAYER = "focus";
const MAX_ZOOM = 19;
let sessions = 0;

export class Session {
  constructor(box, props) {
    this.box = box;
    this.number = ++sessions;
    this.props = props;
    this.scene = readScene(props);
    this.ready = false;
    this.drawnIds = new Set();
    this.notice = new Notice(box, () => this.retry());
    this.tracker = new Tracker({
      onChange: () => this.status.publish(),
      onQuiet: () => this.probeWorker(),
      onStall: () => this.tracker.setFatal("stalled"),
      onRetry: () => this.retry(),
    });
    this.status = new Status(this);
    this.graphics = probeGraphics();
    if (this.graphics) this.openMap();
    else this.tracker.setFatal("no_webgl");
  }

  openMap() {
    const { props, scene } = this;
    setWorkerUrl(WORKER_URL);
    this.pixelRatio = this.choosePixelRatio();
    const side = Math.min(this.graphics.largest, 8192);
    const place = document.createElement("div");
    place.className = "gridmap-canvas";
    this.box.insertBefore(place, this.box.firstChild);
    this.map = new MapLibreMap({
      container: place,
      style: { version: 8, sources: {}, layers: [GROUND] },
      attributionControl: false,
      interactive: props.interactive !== false,
      dragRotate: false,
      pitchWithRotate: false,
      touchPitch: false,
      maxPitch: 0,
      maxZoom: MAX_ZOOM,
      fadeDuration: 0,
      refreshExpiredTiles: false,
      renderWorldCopies: false,
      validateStyle: false,
      reduceMotion: wantsCalm() || undefined,
      pixelRatio: this.pixelRatio,
      maxCanvasSize: [side, side],
      localIdeographFontFamily: scene.fonts.join(","),
      locale: { "Map.Title": scene.words.map_label || "Map" },
    });
    this.map.touchZoomRotate.disableRotation();
    this.map.keyboard.disableRotation();
    this.build();
    this.camera.frame(props);
    this.camera.go(props.view);
    this.listen();
  }

  build() {
    const { map, tracker } = this;
    this.painter = new Painter(map);
    this.figures = new Figures(map);
    this.sources = new Sources({ map, session: this.number, tracker, onReady: () => this.redraw() });
    this.focus = new Focus(map, this.sources);
    this.tooltip = new Tooltip(this.box);
    const { pixelRatio } = this;
    this.curtain = new Curtain(map, { wanted: this.graphics.software, pixelRatio });
    this.camera = new Camera(map, {
      software: this.graphics.software,
      find: (uid) => this.focus.find(uid),
    });
    this.controls = new Controls(map, this.box, {
      zoom_in: () => this.camera.zoom(1),
      zoom_out: () => this.camera.zoom(-1),
      reset_view: () => this.camera.reset(),
    });
    this.pointer = new Pointer(map, {
      painter: this.painter,
      sources: this.sources,
      focus: this.focus,
      tooltip: this.tooltip,
      scene: () => this.scene,
      layer: (id) => this.layers().find((one) => one.id === id),
      valueOf: (id, row) => {
        const given = this.scene.values[id] || {};
        const text = (given.texts || {})[row];
        return text === undefined ? (given.values || [])[row] : text;
      },
      move: (view) => this.camera.go(view),
      emit: (props) => this.emit(props),
    });
  }

  listen() {
    const { map, tracker } = this;
    tracker.watch(map, this.curtain);
    watchTiles(this.number, (source, tile, reason) => tracker.note(source, tile, reason));
    map.once("style.load", () => this.start());
    map.on("moveend", () => this.emit({ viewport: this.camera.read() }));
    map.on("error", (event) => this.noteError(event));
    map.on("webglcontextlost", () => tracker.setFatal("webgl_lost"));
    map.on("webglcontextrestored", () => this.recover());
    const resize = new ResizeObserver(() => map.resize());
    resize.observe(this.box);
    this.stopResize = () => resize.disconnect();
  }

  /** Begin once the style stands and the fonts of the first names are there. */
  start() {
    if (this.closed) return;
    this.ready = true;
    this.emit({ viewport: this.camera.read() });
    this.apply();
    if (this.props.sketch) this.openSketch();
  }

  /** Let the page draw grids by hand: its script takes the sketch from the event. */
  openSketch() {
    const tell = (what, detail) =>
      this.box.dispatchEvent(new CustomEvent("gridmap:drawn", { bubbles: true, detail: { what, ...detail } }));
    this.sketch = new Sketch(this.map, this.painter, this.scene, tell);
    this.box.dispatchEvent(new CustomEvent("gridmap:sketch", { bubbles: true, detail: this.sketch }));
  }

  /** Take new props; only what differs is done. */
  update(props) {
    const old = this.props;
    this.props = props;
    this.scene = readScene(props);
    if (!this.ready) return;
    const news = ["layers", "shown", "values", "filter", "revision", "theme", "scale", "words", "lang"];
    const changed = news.some((name) => old[name] !== props[name]);
    if (changed) this.apply();
    if (this.sketch) this.sketch.dress(this.scene.theme);
    if (old.selected !== props.selected) this.select();
    const framed = (given) => JSON.stringify([given.bounds, given.covered]);
    if (framed(old) !== framed(props)) this.camera.frame(props);
    if (old.pixelRatio !== props.pixelRatio) this.sharpen();
    if (old.view !== props.view) this.camera.go(props.view);
  }

  choosePixelRatio() {
    return choosePixelRatio(this.graphics, this.props.pixelRatio, this.box.clientWidth);
  }

  sharpen() {
    this.pixelRatio = this.choosePixelRatio();
    this.tracker.touch();
    this.curtain.show(this.pixelRatio);
  }

  apply() {
    this.tracker.touch();
    this.await();
    const { scene } = this;
    this.controls.update({
      words: scene.words,
      shown: this.props.controls !== false && this.props.interactive !== false,
      attributions: [...new Set(this.shownLayers().map((one) => one.attribution).filter(Boolean))],
    });
    this.map.setPaintProperty("ground", "background-color", THEMES[scene.theme].ground);
    this.map.getCanvas().setAttribute("aria-label", scene.words.map_label || "Map");
    this.redraw();
  }

  /** Hold the state at loading until the page has said what to draw, and with which figures. */
  await() {
    const { layers } = this.props;
    const bare = (layer) => FIGURED.includes(layer.kind) && !this.scene.values[layer.id];
    const waiting = !layers || this.shownLayers().some(bare);
    if (waiting && !this.waiting) this.waiting = this.tracker.begin();
    if (!waiting && this.waiting) {
      this.tracker.end(this.waiting);
      this.waiting = null;
    }
    if (!waiting) this.curtain.count();
  }

  /** Draw every shown layer whose sources have come; hide what is switched off. */
  redraw() {
    if (this.closed || !this.map.style) return;
    const keys = new Set();
    const ids = new Set(this.layers().map((one) => one.id));
    for (const id of this.drawnIds) {
      if (ids.has(id)) continue;
      this.painter.erase(id);
      this.drawnIds.delete(id);
    }
    this.layers().forEach((layer, order) => {
      const needs = needsOf(layer);
      for (const need of Object.values(needs)) keys.add(keyOf(need));
      if (this.isShown(layer)) this.drawLayer(layer, needs, order);
      else if (this.drawnIds.has(layer.id)) this.painter.paint(layer.id, [], order);
    });
    this.painter.paint(FOCUS_LAYER, this.focus.draw(this.scene), 0);
    this.sources.keepOnly(keys, this.painter.sources());
    this.select();
    this.status.publish();
  }

  drawLayer(layer, needs, order) {
    if (!KINDS[layer.kind]) return;
    const sources = {};
    for (const [role, need] of Object.entries(needs)) sources[role] = this.sources.ensure(need, this.scene);
    if (!Object.values(sources).every((entry) => entry.ready)) return;
    this.painter.setImages(imagesOf(layer, this.scene));
    this.painter.paint(layer.id, drawingsOf(layer, this.scene, sources), order);
    this.drawnIds.add(layer.id);
    const given = this.scene.values[layer.id];
    if (!given || !given.values) return;
    if (layer.kind === "choropleth") this.figures.setClasses(sources.areas.id, layer.id, given);
    if (layer.kind === "halos") this.figures.setSizes(sources.points.id, layer.id, given);
  }

  select() {
    const { selected } = this.props;
    if (this.focus.select(selected === undefined ? null : selected)) this.tracker.touch();
  }

  layers() {
    return this.props.layers || [];
  }

  isShown(layer) {
    const { shown } = this.props;
    return shown ? shown.indexOf(layer.id) >= 0 : Boolean(layer.visible);
  }

  shownLayers() {
    return this.layers().filter((layer) => this.isShown(layer));
  }

  retry() {
    if (this.sources) this.sources.retry();
  }

  /** Errors of tiles are counted at their door (routes.js); what is left is bytes that make no sense. */
  noteError(event) {
    const entry = event.sourceId && this.sources.byId(event.sourceId);
    const already = entry && this.tracker.failureOf(entry.number);
    if (entry && !already) {
      const tile = event.tile ? event.tile.tileID.canonical : null;
      this.tracker.fail(entry.number, tile, "broken");
    }
    if (!entry) console.error("gridmap:", event.error);
  }

  /** MapLibre does not say when its worker cannot be loaded: everything just stays quiet. */
  async probeWorker() {
    const there = await answers(WORKER_URL);
    if (!there && !this.closed && !this.tracker.settled) this.tracker.setFatal("worker");
  }

  /** After the graphics came back, the map has lost its feature-state and its pictures. */
  recover() {
    this.figures.forget();
    this.focus.forget();
    this.painter.images.clear();
    this.tracker.setFatal(null);
    this.map.once("style.load", () => this.redraw());
    if (this.map.isStyleLoaded()) this.redraw();
  }

  emit(props) {
    if (!this.closed && this.props.setProps) this.props.setProps(props);
  }

  close() {
    this.closed = true;
    this.tracker.close();
    this.status.close();
    if (!this.map) return;
    unwatchTiles(this.number);
    this.stopResize();
    this.sources.close();
    this.map.remove();
  }
}
