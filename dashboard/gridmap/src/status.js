// How the map and each layer stand: to the page as a prop, to watchers on <html>, to people in words.
import { needsOf, zoomsOf } from "./draw/index.js";
import { forgetState, reportState } from "./page_state.js";

export class Status {
  constructor(session) {
    this.session = session;
    this.last = "";
  }

  publish() {
    const { session } = this;
    if (session.closed) return;
    const status = this.read();
    const key = JSON.stringify(status);
    if (key === this.last) return;
    this.last = key;
    reportState(session.number, { ...status, fatal: Boolean(session.tracker.fatal) });
    this.show(status);
    session.emit({ status });
  }

  close() {
    forgetState(this.session.number);
  }

  read() {
    const { session } = this;
    const { tracker } = session;
    const layers = {};
    for (const layer of session.shownLayers()) layers[layer.id] = this.readLayer(layer);
    const failed = Object.keys(layers).filter((id) => layers[id].state === "failed");
    let state = tracker.settled ? "idle" : "loading";
    let reason = null;
    if (tracker.fatal) [state, reason] = ["failed", tracker.fatal];
    else if (tracker.settled && failed.length > 0) {
      [state, reason] = ["failed", `${failed[0]}:${layers[failed[0]].reason}`];
    }
    return {
      state,
      reason,
      revision: session.scene.revision,
      layers,
      software: Boolean(session.graphics && session.graphics.software),
      pixelRatio: session.pixelRatio || null,
    };
  }

  readLayer(layer) {
    const { session } = this;
    const { tracker, sources, map } = session;
    if (tracker.fatal) return { state: "failed", reason: tracker.fatal };
    const zoom = map.getZoom();
    const [from, to] = zoomsOf(layer, session.scene);
    const entries = Object.values(needsOf(layer)).map((need) => sources.peek(need));
    for (const entry of entries) {
      const failure = entry && tracker.failureOf(entry.number);
      if (failure) return { state: "failed", reason: failure.reason };
    }
    if (zoom < from) return { state: "zoom", reason: "closer" };
    if (zoom >= to) return { state: "zoom", reason: "farther" };
    if (!tracker.settled || !entries.every((entry) => entry && entry.ready)) {
      return { state: "loading", reason: null };
    }
    const empty = entries.length > 0 && entries.every((entry) => entry.data && entry.features === 0);
    return { state: empty ? "empty" : "idle", reason: null };
  }

  show(status) {
    const { notice, tracker, scene, props } = this.session;
    if (tracker.fatal) {
      notice.showFatal(tracker.fatal, scene.words);
      return;
    }
    const failures = (props.layers || [])
      .filter((layer) => (status.layers[layer.id] || {}).state === "failed")
      .map((layer) => [layer.title, status.layers[layer.id].reason]);
    notice.showFailures(failures, scene.words);
  }
}
