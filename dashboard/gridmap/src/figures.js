// The figures of each grid, put on the map as feature-state: only what changed class is touched.
export const NO_DATA = -1;
export const ZERO = 0;

/** Return the class of a figure: no data, zero, or 1 + how many breaks it has reached. */
export function classify(value, breaks) {
  if (value === null || value === undefined || Number.isNaN(value)) return NO_DATA;
  if (value === 0) return ZERO;
  let place = 1;
  for (const limit of breaks) if (value >= limit) place++;
  return place;
}

export class Figures {
  constructor(map) {
    this.map = map;
    this.applied = new Map();
  }

  /** Set the classes of a choropleth; returns how many grids changed. */
  setClasses(source, layer, given) {
    const breaks = given.breaks || [];
    const thin = new Set(given.thin || []);
    const codes = given.values.map((value, row) => {
      const code = classify(value, breaks);
      return thin.has(row) && code !== NO_DATA ? `${code}t` : String(code);
    });
    return this.apply(source, layer, codes, (code) => ({
      [layer]: code === undefined ? null : parseInt(code, 10),
      [`${layer}:thin`]: code !== undefined && code.endsWith("t"),
    }));
  }

  /** Set the sizes of halos, 0 to 1 by area; returns how many grids changed. */
  setSizes(source, layer, given) {
    const largest = Math.max(1, ...given.values.map((value) => value || 0));
    const sizes = given.values.map((value) => (value > 0 ? Math.sqrt(value / largest) : 0));
    return this.apply(source, layer, sizes, (size) => ({ [layer]: size || 0 }));
  }

  /** Forget what was applied, after the map lost its state. */
  forget() {
    this.applied.clear();
  }

  apply(source, layer, next, toState) {
    const key = `${source} ${layer}`;
    const old = this.applied.get(key) || [];
    let changed = 0;
    for (let row = 0; row < Math.max(old.length, next.length); row++) {
      if (old[row] === next[row]) continue;
      this.map.setFeatureState({ source, id: row }, toState(next[row]));
      changed++;
    }
    this.applied.set(key, next);
    return changed;
  }
}
