// The border that two grids share: found under a hand, pulled by it; and the corner next to it.
import { round } from "./places.js";

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
      return { from: at, grids: best.grids, run: best.run, bend: (to) => bend(map, best.run, best.hit, to) };
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

export function ringsOf(feature) {
  if (!feature) return [];
  const { type, coordinates } = feature.geometry;
  return type === "Polygon" ? coordinates : coordinates.flat();
}
