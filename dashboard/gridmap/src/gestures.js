// What a hand draws on the sketch: a pick, a line, a stroke, a corner or a border that is dragged.
const NEAR_PX = 14;
const STEP_PX = 6;
const DRAGS = ["area", "brush", "corner", "border"];

export class Gestures {
  constructor(map, sketch, tell) {
    this.map = map;
    this.sketch = sketch;
    this.tell = tell;
    this.tool = "pick";
    this.points = [];
    this.held = null;
    this.blocks = new Set();
    map.boxZoom.disable(); // Shift picks several
    map.on("click", (event) => this.click(event));
    map.on("dblclick", (event) => this.finishBy(event));
    const canvas = map.getCanvas();
    canvas.addEventListener("pointerdown", (event) => this.down(event));
    canvas.addEventListener("pointermove", (event) => this.move(event));
    canvas.addEventListener("pointerup", (event) => this.up(event));
    canvas.addEventListener("pointercancel", () => this.cancel());
    canvas.addEventListener("keydown", (event) => this.key(event));
  }

  use(tool) {
    this.cancel();
    this.tool = tool;
    const drags = DRAGS.indexOf(tool) >= 0;
    for (const hand of [this.map.dragPan, this.map.doubleClickZoom]) {
      if (drags || (tool === "line" && hand === this.map.doubleClickZoom)) hand.disable();
      else hand.enable();
    }
    // One finger draws; two still move the map.
    this.map.getCanvas().style.touchAction = drags ? "none" : "";
    this.map.getContainer().classList.toggle("gridmap-draws", tool !== "pick");
  }

  cancel() {
    this.points = [];
    this.held = null;
    for (const block of this.blocks) this.sketch.brushed(block, false);
    this.blocks = new Set();
    this.sketch.draw([]);
  }

  click(event) {
    if (this.tool === "pick") {
      const original = event.originalEvent || {};
      this.tell("pick", { uid: this.sketch.gridAt(event.point), more: Boolean(original.shiftKey || original.ctrlKey) });
    } else if (this.tool === "line") this.addPoint(event.lngLat);
  }

  addPoint(lngLat) {
    this.points.push([round(lngLat.lng), round(lngLat.lat)]);
    this.drawLine();
  }

  drawLine() {
    const corners = this.points.map((coordinates) => ({ type: "Point", coordinates }));
    const line = { type: "LineString", coordinates: this.points };
    this.sketch.draw(this.points.length > 1 ? [line, ...corners] : corners);
  }

  finishBy(event) {
    if (this.tool !== "line") return;
    event.preventDefault();
    this.finish();
  }

  finish() {
    // A double click has set its place twice.
    const line = this.points.filter((point, i) => i === 0 || !same(point, this.points[i - 1]));
    this.cancel();
    if (line.length > 1) this.tell("line", { line });
  }

  key(event) {
    if (event.key === "Escape") this.cancel();
    else if (event.key === "Backspace" && this.points.length > 0 && this.tool === "line") {
      this.points.pop();
      this.drawLine();
    } else if (event.key === "Enter") this.keyEnter();
  }

  /** Enter sets a point, or picks, at the middle of the map; a second one there ends the line. */
  keyEnter() {
    const canvas = this.map.getCanvas();
    const point = { x: canvas.clientWidth / 2, y: canvas.clientHeight / 2 };
    const lngLat = this.map.unproject([point.x, point.y]);
    if (this.tool === "pick") this.tell("pick", { uid: this.sketch.gridAt(point), more: false });
    else if (this.tool === "brush") {
      const block = this.sketch.blockAt(point);
      if (block !== null) this.tell("brush", { blocks: [block] });
    } else if (this.tool === "line" || this.tool === "area") {
      const last = this.points[this.points.length - 1];
      if (!last || !same(last, [round(lngLat.lng), round(lngLat.lat)])) this.addPoint(lngLat);
      else if (this.tool === "line") this.finish();
      else this.close();
    }
  }

  close() {
    const ring = [...this.points, this.points[0]];
    this.cancel();
    if (ring.length > 3) this.tell("area", { area: ring });
  }

  down(event) {
    if (DRAGS.indexOf(this.tool) < 0 || event.button > 0 || event.isPrimary === false) return;
    const at = this.read(event);
    this.map.getCanvas().setPointerCapture(event.pointerId);
    if (this.tool === "corner") this.held = this.nearestCorner(at);
    else if (this.tool === "border") this.held = this.sketch.borders.take(this.map, at, NEAR_PX);
    else this.held = { from: at };
    if (this.tool === "area") this.points = [this.place(at)];
    if (this.tool === "brush") this.brush(at);
    if (this.held) event.preventDefault();
  }

  move(event) {
    const at = this.read(event);
    if (!this.held) {
      if (this.tool === "corner") this.hint(this.nearestCorner(at));
      return;
    }
    if (this.tool === "area") this.stroke(at);
    else if (this.tool === "brush") this.brush(at);
    else if (this.tool === "corner") this.sketch.draw([pointOf(this.place(at)), lineOf([this.held.place, this.place(at)])]);
    else if (this.tool === "border") this.sketch.draw([lineOf(this.held.bend(this.place(at)))]);
  }

  up(event) {
    const { held, tool } = this;
    if (!held) return;
    const to = this.place(this.read(event));
    const moved = held.from && Math.hypot(this.read(event).x - held.from.x, this.read(event).y - held.from.y) > STEP_PX;
    if (tool === "area") {
      if (this.points.length > 3) this.close();
      else this.cancel();
    } else if (tool === "brush") {
      const blocks = [...this.blocks];
      this.cancel();
      if (blocks.length > 0) this.tell("brush", { blocks });
    } else {
      this.cancel();
      if (!moved) return;
      if (tool === "corner") this.tell("corner", { at: held.place, to });
      else this.tell("border", { grids: held.grids, line: held.bend(to) });
    }
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

  hint(corner) {
    this.sketch.draw(corner ? [pointOf(corner.place)] : []);
  }

  /** Return the grids' corner nearest to a pixel, null where none is near. */
  nearestCorner(at) {
    const box = [[at.x - NEAR_PX, at.y - NEAR_PX], [at.x + NEAR_PX, at.y + NEAR_PX]];
    const uids = new Set(
      this.map.queryRenderedFeatures(box, { layers: ["sketch/fill"] }).map((one) => one.properties.uid),
    );
    let best = null;
    let least = NEAR_PX;
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

/** Return what finds the border under a pointer, and how it bends. */
export function bordersOf(features) {
  return {
    take(map, at, near) {
      const box = [[at.x - near, at.y - near], [at.x + near, at.y + near]];
      const found = map.queryRenderedFeatures(box, { layers: ["sketch/fill"] });
      const uids = [...new Set(found.map((one) => one.properties.uid))];
      let best = null;
      for (let i = 0; i < uids.length; i++) {
        for (let j = i + 1; j < uids.length; j++) {
          for (const run of sharedRuns(features.get(uids[i]), features.get(uids[j]))) {
            const hit = nearestOn(map, run, at);
            if (hit.far < near && (!best || hit.far < best.hit.far)) best = { run, hit, grids: [uids[i], uids[j]] };
          }
        }
      }
      if (!best) return null;
      return { from: at, grids: best.grids, bend: (to) => bend(map, best.run, best.hit, to) };
    },
  };
}

/** Return the stretches of a ring whose corners another grid has too. */
function sharedRuns(one, other) {
  const theirs = new Set();
  for (const ring of ringsOf(other)) for (const place of ring) theirs.add(place.join());
  const runs = [];
  for (const closed of ringsOf(one)) {
    const ring = closed.slice(0, -1);
    const shared = ring.map((place) => theirs.has(place.join()));
    const start = shared.indexOf(false);
    if (start < 0) continue;
    let run = [];
    for (let i = 1; i <= ring.length; i++) {
      const at = (start + i) % ring.length;
      if (shared[at]) run.push(ring[at]);
      else {
        if (run.length > 1) runs.push(run);
        run = [];
      }
    }
  }
  return runs;
}

function nearestOn(map, run, at) {
  let best = { far: Infinity };
  for (let i = 0; i + 1 < run.length; i++) {
    const a = map.project(run[i]);
    const b = map.project(run[i + 1]);
    const [dx, dy] = [b.x - a.x, b.y - a.y];
    const t = Math.min(1, Math.max(0, ((at.x - a.x) * dx + (at.y - a.y) * dy) / (dx * dx + dy * dy || 1)));
    const far = Math.hypot(a.x + t * dx - at.x, a.y + t * dy - at.y);
    if (far < best.far) best = { far, i, t };
  }
  return best;
}

/** Return the border pulled to a place: its ends stay, what lies near the hand goes along. */
function bend(map, run, hit, to) {
  const [a, b] = [run[hit.i], run[hit.i + 1]];
  const grip = [a[0] + (b[0] - a[0]) * hit.t, a[1] + (b[1] - a[1]) * hit.t];
  const line = [...run.slice(0, hit.i + 1), grip, ...run.slice(hit.i + 1)];
  const along = [0];
  for (let i = 1; i < line.length; i++) {
    const [p, q] = [map.project(line[i - 1]), map.project(line[i])];
    along.push(along[i - 1] + Math.hypot(q.x - p.x, q.y - p.y));
  }
  const [mid, end] = [along[hit.i + 1], along[along.length - 1]];
  const pull = [to[0] - grip[0], to[1] - grip[1]];
  return line.map((place, i) => {
    const reach = along[i] <= mid ? mid : end - mid;
    const weight = reach > 0 ? 1 - Math.abs(along[i] - mid) / reach : 1;
    const soft = weight * weight * (3 - 2 * weight);
    return [round(place[0] + pull[0] * soft), round(place[1] + pull[1] * soft)];
  });
}

function ringsOf(feature) {
  if (!feature) return [];
  const { type, coordinates } = feature.geometry;
  return type === "Polygon" ? coordinates : coordinates.flat();
}

/** A tenth of a metre is finer than any hand. */
function round(degrees) {
  return Math.round(degrees * 1e6) / 1e6;
}

function same(one, other) {
  return Math.abs(one[0] - other[0]) < 1e-7 && Math.abs(one[1] - other[1]) < 1e-7;
}

function pointOf(coordinates) {
  return { type: "Point", coordinates };
}

function lineOf(coordinates) {
  return { type: "LineString", coordinates };
}
