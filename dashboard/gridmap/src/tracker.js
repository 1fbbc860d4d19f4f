// What is under way, what failed, and when everything that shows is painted.
const STALL_MS = 20000;
const RETRY_FIRST_MS = 5000;
const RETRY_LAST_MS = 300000;

export class Tracker {
  /** `onChange()` when the state may differ; `onStall()` when nothing moves any more; `onRetry()`. */
  constructor({ onChange, onStall, onRetry }) {
    this.onChange = onChange;
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
  watch(map) {
    this.map = map;
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
    if (tile) failure.tiles.set(`${tile.z}/${tile.x}/${tile.y}`, { tile, reason });
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

  /** Return {reason, tiles} of a source, or null. */
  failureOf(source) {
    const failure = this.failures.get(source);
    if (!failure) return null;
    const tiles = [...failure.tiles.values()];
    const reason = failure.whole || (tiles.length > 0 ? tiles[0].reason : null);
    return reason ? { reason, tiles: tiles.map((one) => one.tile) } : null;
  }

  /** Stop for a reason that no layer can mend; null takes it back. */
  setFatal(reason) {
    this.fatal = reason;
    this.onChange();
  }

  rest() {
    if (this.pending.size > 0 || this.settled) return;
    this.settled = true;
    clearTimeout(this.stallTimer);
    if (this.fatal === "worker" || this.fatal === "stalled") this.fatal = null;
    this.planRetry();
    this.onChange();
  }

  stir() {
    clearTimeout(this.stallTimer);
    if (!this.settled) this.stallTimer = setTimeout(() => this.stall(), STALL_MS);
  }

  stall() {
    // A page in a background tab draws nothing, and that is no fault.
    if (document.hidden) this.stir();
    else this.onStall();
  }

  planRetry() {
    clearTimeout(this.retryTimer);
    if (this.failures.size === 0) {
      this.waitMs = RETRY_FIRST_MS;
      return;
    }
    this.retryTimer = setTimeout(() => this.onRetry(), this.waitMs);
    this.waitMs = Math.min(this.waitMs * 2, RETRY_LAST_MS);
  }

  close() {
    clearTimeout(this.stallTimer);
    clearTimeout(this.retryTimer);
  }
}
