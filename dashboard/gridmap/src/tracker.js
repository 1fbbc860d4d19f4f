// What is under way, what failed, and when everything that shows is painted.
const PROBE_MS = 4000;
const STALL_MS = 20000;
const RETRY_FIRST_MS = 5000;
const RETRY_LAST_MS = 300000;
// What may pass by itself; a refusal or a missing route will not.
const PASSING = /^(network|http-5\d\d)$/;

export class Tracker {
  /**
   * `onChange()` when the state may differ; `onQuiet()` when nothing has moved for a while,
   * `onStall()` when nothing moves any more; `onRetry()` when failures deserve another try.
   */
  constructor({ onChange, onQuiet, onStall, onRetry }) {
    this.onChange = onChange;
    this.onQuiet = onQuiet;
    this.onStall = onStall;
    this.onRetry = onRetry;
    this.pending = new Set();
    this.failures = new Map();
    this.settled = false;
    this.fatal = null;
    this.waitMs = RETRY_FIRST_MS;
    this.map = null;
  }

  /** Watch a map: its own work counts as loading, its rest as settled. */
  watch(map, curtain) {
    this.map = map;
    this.curtain = curtain;
    map.on("movestart", () => this.touch());
    map.on("resize", () => this.touch());
    map.on("data", () => this.stir());
    map.on("idle", () => this.rest());
    this.stir();
  }

  /** Say that what is on screen is about to change. */
  touch() {
    const news = this.settled;
    this.settled = false;
    this.stir();
    if (this.map) this.map.triggerRepaint();
    if (news) this.onChange();
  }

  begin() {
    const token = {};
    this.pending.add(token);
    this.touch();
    return token;
  }

  end(token) {
    this.pending.delete(token);
    this.stir();
    if (this.map) this.map.triggerRepaint();
  }

  /** Remember a failed source (`tile` null) or tile, with its reason. */
  fail(source, tile, reason) {
    if (!this.failures.has(source)) this.failures.set(source, { whole: null, tiles: new Map() });
    const failure = this.failures.get(source);
    if (tile) failure.tiles.set(`${tile.z}/${tile.x}/${tile.y}`, reason);
    else failure.whole = reason;
    this.stir();
    this.onChange();
  }

  /** Note an answer: a tile that came takes back its own failure. */
  note(source, tile, reason) {
    this.stir();
    if (reason) {
      this.fail(source, tile, reason);
      return;
    }
    const failure = this.failures.get(source);
    if (!failure) return;
    failure.tiles.delete(`${tile.z}/${tile.x}/${tile.y}`);
    if (!failure.whole && failure.tiles.size === 0) this.failures.delete(source);
  }

  forgive(source) {
    this.failures.delete(source);
  }

  /** Return {reason, tiles: how many} of a source, or null. */
  failureOf(source) {
    const failure = this.failures.get(source);
    if (!failure) return null;
    const [first] = failure.tiles.values();
    return { reason: failure.whole || first, tiles: failure.tiles.size };
  }

  /** Stop for a reason that no layer can mend; null takes it back. */
  setFatal(reason) {
    this.fatal = reason;
    this.onChange();
  }

  rest() {
    if (this.pending.size > 0 || this.settled) return;
    // All is there and only drawn small: the first full frame is the whole picture.
    if (this.curtain.lift()) this.map.once("render", () => this.map.areTilesLoaded() && this.settle());
    else this.settle();
  }

  settle() {
    if (this.pending.size > 0 || this.settled) return;
    this.settled = true;
    clearTimeout(this.stallTimer);
    if (this.fatal === "worker" || this.fatal === "stalled") this.fatal = null;
    this.planRetry();
    this.onChange();
  }

  stir() {
    clearTimeout(this.stallTimer);
    if (!this.settled) this.stallTimer = setTimeout(() => this.wonder(), PROBE_MS);
  }

  wonder() {
    // A page in a background tab draws nothing, and that is no fault.
    if (document.hidden) {
      this.stir();
      return;
    }
    this.stallTimer = setTimeout(() => this.onStall(), STALL_MS - PROBE_MS);
    this.onQuiet();
  }

  planRetry() {
    clearTimeout(this.retryTimer);
    if (this.failures.size === 0) this.waitMs = RETRY_FIRST_MS;
    const reasons = [...this.failures.keys()].map((source) => this.failureOf(source).reason);
    if (!reasons.some((reason) => PASSING.test(reason))) return;
    this.retryTimer = setTimeout(() => this.onRetry(), this.waitMs);
    this.waitMs = Math.min(this.waitMs * 2, RETRY_LAST_MS);
  }

  close() {
    clearTimeout(this.stallTimer);
    clearTimeout(this.retryTimer);
    if (this.curtain) this.curtain.close();
  }
}
