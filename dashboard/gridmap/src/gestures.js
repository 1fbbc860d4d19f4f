// What a hand draws on the sketch: a pick, a line, a stroke, a corner or a border that is dragged.
import { ringsOf } from "./borders.js";
import { lineOf, pointOf, round, same } from "./places.js";

const NEAR_PX = 14;
const FINGER_PX = 26;
const STEP_PX = 6;
const STROKES = ["area", "brush"];
const HELD = ["corner", "border"];

export class Gestures {
  constructor(map, sketch, tell) {
    this.map = map;
    this.sketch = sketch;
    this.tell = tell;
    this.tool = "pick";
    this.several = false; // a pick adds, as with Shift held
    this.points = [];
    this.tip = null; // where the line would go on: the pointer, or the middle while keys move the map
    this.free = false; // Shift is held: the line keeps off the roads
    this.held = null;
    this.blocks = new Set();
    map.boxZoom.disable(); // Shift picks several
    map.on("click", (event) => this.click(event));
    map.on("dblclick", (event) => this.finishBy(event));
    map.on("move", () => this.follow());
    const canvas = map.getCanvas();
    canvas.addEventListener("pointerdown", (event) => this.down(event));
    canvas.addEventListener("pointermove", (event) => this.move(event));
    canvas.addEventListener("pointerup", (event) => this.up(event));
    canvas.addEventListener("pointercancel", () => this.cancel());
    canvas.addEventListener("keydown", (event) => this.key(event));
    canvas.addEventListener("keyup", (event) => event.key === "Shift" && this.loosen(false));
  }

  use(tool) {
    this.cancel();
    this.tool = tool;
    const strokes = STROKES.indexOf(tool) >= 0;
    allow(this.map.dragPan, !strokes);
    allow(this.map.doubleClickZoom, tool === "pick");
    // One finger draws; two still move the map.
    this.map.getCanvas().style.touchAction = tool === "pick" || tool === "line" ? "" : "none";
    this.map.getContainer().classList.toggle("gridmap-draws", tool !== "pick");
  }

  cancel() {
    this.points = [];
    this.tip = null;
    this.byKeys = false; // the points were set by Enter
    this.held = null;
    for (const block of this.blocks) this.sketch.brushed(block, false);
    this.blocks = new Set();
    this.sketch.draw([]);
    this.tellDrawing();
  }

  /** Say how far a hand has come, before it is done: the page shows where a line will lie. */
  tellDrawing() {
    const line = this.tip ? [...this.points, this.tip] : this.points;
    this.tell("drawing", { tool: this.tool, line, points: this.points.length, held: Boolean(this.held), free: this.free });
  }

  click(event) {
    const original = event.originalEvent || {};
    if (this.tool === "pick") {
      const more = Boolean(original.shiftKey || original.ctrlKey || this.several);
      this.tell("pick", { uid: this.sketch.gridAt(event.point), more });
    } else if (this.tool === "line") {
      this.free = Boolean(original.shiftKey);
      this.addPoint(event.lngLat);
    }
  }

  addPoint(lngLat) {
    this.points.push([round(lngLat.lng), round(lngLat.lat)]);
    this.tip = null;
    this.drawLine();
  }

  drawLine() {
    const corners = this.points.map((coordinates) => pointOf(coordinates));
    const line = this.tip ? [...this.points, this.tip] : this.points;
    this.sketch.draw(line.length > 1 ? [lineOf(line), ...corners] : corners);
    this.tellDrawing();
  }

  /** Take the last point back. */
  back() {
    this.points.pop();
    if (this.points.length === 0) this.tip = null;
    this.drawLine();
  }

  loosen(free) {
    if (this.free === free || this.tool !== "line") return;
    this.free = free;
    this.tellDrawing();
  }

  finishBy(event) {
    if (this.tool !== "line") return;
    event.preventDefault();
    this.finish();
  }

  /** End what is being drawn, as a double click does. */
  finish() {
    if (this.tool === "area") {
      this.close();
      return;
    }
    // A double click has set its place twice.
    const line = this.points.filter((point, i) => i === 0 || !same(point, this.points[i - 1]));
    const { free } = this;
    this.cancel();
    if (line.length > 1) this.tell("line", { line, free });
  }

  key(event) {
    if (event.key === "Escape") this.cancel();
    else if (event.key === "Shift") this.loosen(true);
    else if (event.key === "Backspace" && this.points.length > 0) this.back();
    else if (event.key === "Enter") this.keyEnter(event);
  }

  /** Enter sets a point, picks or takes hold at the middle of the map; there again it ends or lets go. */
  keyEnter(event) {
    const point = this.middle();
    const lngLat = this.map.unproject([point.x, point.y]);
    if (this.tool === "pick") {
      const more = event.shiftKey || this.several;
      this.tell("pick", { uid: this.sketch.gridAt(point), more, place: this.place(point) });
    } else if (this.tool === "brush") {
      const block = this.sketch.blockAt(point);
      if (block !== null) this.tell("brush", { blocks: [block] });
    } else if (HELD.indexOf(this.tool) >= 0) this.keyHold(point);
    else {
      this.free = event.shiftKey;
      this.byKeys = true;
      const last = this.points[this.points.length - 1];
      if (!last || !same(last, [round(lngLat.lng), round(lngLat.lat)])) this.addPoint(lngLat);
      else this.finish();
    }
  }

  /** The keys take a corner or a border, the map moves under it, and they let go of it there. */
  keyHold(point) {
    if (this.held) {
      this.letGo(this.place(point));
      return;
    }
    this.held = this.reach(point, FINGER_PX);
    if (!this.held) return;
    this.held.byKeys = true;
    this.stretch(this.place(point));
    this.tellDrawing();
  }

  /** What is held by keys, or drawn by them, goes along as the map moves. */
  follow() {
    if (this.held && this.held.byKeys) this.stretch(this.place(this.middle()));
    else if (this.byKeys && this.points.length > 0) {
      this.tip = this.place(this.middle());
      this.drawLine();
    }
  }

  middle() {
    const canvas = this.map.getCanvas();
    return { x: canvas.clientWidth / 2, y: canvas.clientHeight / 2 };
  }

  close() {
    const ring = [...this.points, this.points[0]];
    this.cancel();
    if (ring.length > 3) this.tell("area", { area: ring });
  }

  /** Return the corner or border in reach of a pixel, as the tool takes it; null where none is. */
  reach(at, near) {
    return this.tool === "corner" ? this.nearestCorner(at, near) : this.sketch.borders.take(this.map, at, near);
  }

  down(event) {
    // A second finger: the map is meant. A line that is tapped point by point stays.
    if (event.isPrimary === false && this.held) this.cancel();
    const holds = HELD.indexOf(this.tool) >= 0;
    if (!(holds || STROKES.indexOf(this.tool) >= 0) || event.button > 0 || event.isPrimary === false) return;
    const at = this.read(event);
    this.held = holds ? this.reach(at, event.pointerType === "touch" ? FINGER_PX : NEAR_PX) : { from: at };
    // Who presses beside every border means the map.
    if (holds) allow(this.map.dragPan, !this.held);
    if (!this.held) return;
    this.map.getCanvas().setPointerCapture(event.pointerId);
    if (this.tool === "area") this.points = [this.place(at)];
    if (this.tool === "brush") this.brush(at);
    event.preventDefault();
  }

  move(event) {
    const at = this.read(event);
    if (this.tool === "line" && this.points.length > 0 && event.pointerType !== "touch") {
      this.byKeys = false;
      this.tip = this.place(at);
      this.free = event.shiftKey;
      this.drawLine();
    } else if (!this.held) {
      if (!event.buttons && HELD.indexOf(this.tool) >= 0) this.hint(this.reach(at, NEAR_PX));
    } else if (this.held.byKeys) return;
    else if (this.tool === "area") this.stroke(at);
    else if (this.tool === "brush") this.brush(at);
    else this.stretch(this.place(at));
  }

  /** Show what is held as it would lie with the hand at a place. */
  stretch(to) {
    const { held } = this;
    this.sketch.draw(held.place ? [pointOf(to), lineOf([held.place, to])] : [lineOf(held.bend(to))]);
  }

  up(event) {
    const { held, tool } = this;
    if (!held || held.byKeys) return;
    const at = this.read(event);
    if (tool === "area") {
      if (this.points.length > 3) this.close();
      else this.cancel();
    } else if (tool === "brush") {
      const blocks = [...this.blocks];
      this.cancel();
      if (blocks.length > 0) this.tell("brush", { blocks });
    } else if (Math.hypot(at.x - held.from.x, at.y - held.from.y) > STEP_PX) this.letGo(this.place(at));
    else this.cancel();
  }

  /** The corner or the border stays where the hand lets go of it. */
  letGo(to) {
    const { held, tool } = this;
    this.cancel();
    if (tool === "corner") this.tell("corner", { at: held.place, to });
    else this.tell("border", { grids: held.grids, line: held.bend(to) });
  }

  stroke(at) {
    const last = this.map.project(this.points[this.points.length - 1]);
    if (Math.hypot(at.x - last.x, at.y - last.y) < STEP_PX) return;
    this.points.push(this.place(at));
    this.sketch.draw([{ type: "Polygon", coordinates: [[...this.points, this.points[0]]] }]);
  }

  brush(at) {
    const block = this.sketch.blockAt(at);
    if (block === null || this.blocks.has(block)) return;
    this.blocks.add(block);
    this.sketch.brushed(block, true);
  }

  /** Show what a press would take hold of. */
  hint(found) {
    if (!found) this.sketch.draw([]);
    else this.sketch.draw([found.place ? pointOf(found.place) : lineOf(found.run)]);
  }

  /** Return the grids' corner nearest to a pixel, null where none is near. */
  nearestCorner(at, near) {
    const box = [[at.x - near, at.y - near], [at.x + near, at.y + near]];
    const uids = new Set(
      this.map.queryRenderedFeatures(box, { layers: ["sketch/fill"] }).map((one) => one.properties.uid),
    );
    let best = null;
    let least = near;
    for (const uid of uids) {
      for (const ring of ringsOf(this.sketch.features.get(uid))) {
        for (const place of ring) {
          const pixel = this.map.project(place);
          const far = Math.hypot(pixel.x - at.x, pixel.y - at.y);
          if (far < least) [least, best] = [far, { place, from: at }];
        }
      }
    }
    return best;
  }

  read(event) {
    const box = this.map.getCanvas().getBoundingClientRect();
    return { x: event.clientX - box.left, y: event.clientY - box.top };
  }

  place(at) {
    const { lng, lat } = this.map.unproject([at.x, at.y]);
    return [round(lng), round(lat)];
  }
}

/** Let a hand of the map do, or keep it from doing, what it does. */
function allow(hand, on) {
  if (on) hand.enable();
  else hand.disable();
}
