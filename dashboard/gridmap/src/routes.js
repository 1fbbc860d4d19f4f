// Where a layer's data come from: addresses under the base path, and the one door they pass.
import { addProtocol } from "maplibre-gl";

const SCHEME = "gridmap";
const ADDRESS = /^gridmap:\/\/(\d+)\.(\d+)\/(\d+)\/(\d+)\/(\d+)(\/.*)$/;
const watchers = new Map();

/** What went wrong with one request: `http-503`, `network` or `broken` (bytes that make no sense). */
export class RouteError extends Error {
  constructor(reason) {
    super(reason);
    this.reason = reason;
  }
}

/** Return the path of a source on our server, with filter, theme and revision where it follows them. */
export function buildPath(source, url, scene) {
  const query = [];
  if (source.filtered && scene.filter) query.push(scene.filter);
  if (source.themed) query.push(`theme=${scene.theme}`);
  if (source.filtered && scene.revision !== null) query.push(`v=${scene.revision}`);
  const joint = url.indexOf("?") < 0 ? "?" : "&";
  const path = scene.basePath + url.replace(/^\//, "");
  return query.length > 0 ? path + joint + query.join("&") : path;
}

/** Return the template MapLibre fills: it names session and source, so that answers are counted. */
export function buildTemplate(session, source, path) {
  return `${SCHEME}://${session}.${source}/{z}/{x}/{y}${path}`;
}

/** Watch the tiles of one session: `watcher(source, tile, reason | null)` after each answer. */
export function watchTiles(session, watcher) {
  addProtocol(SCHEME, loadTile);
  watchers.set(String(session), watcher);
}

export function unwatchTiles(session) {
  watchers.delete(String(session));
}

async function loadTile(request, abort) {
  const [, session, source, z, x, y, path] = ADDRESS.exec(request.url);
  const note = watchers.get(session) || (() => {});
  const tile = { z: Number(z), x: Number(x), y: Number(y) };
  try {
    const response = await ask(path, abort.signal);
    const data = response.status === 204 ? new ArrayBuffer(0) : await response.arrayBuffer();
    note(Number(source), tile, null);
    return { data };
  } catch (error) {
    if (error.name !== "AbortError") note(Number(source), tile, error.reason || "network");
    throw error;
  }
}

/** Return a GeoJSON collection; RouteError with the reason when the server or its bytes fail. */
export async function loadCollection(path, signal) {
  const response = await ask(path, signal);
  let collection;
  try {
    collection = await response.json();
  } catch (error) {
    if (error.name === "AbortError") throw error;
    throw new RouteError("broken");
  }
  if (!collection || !Array.isArray(collection.features)) throw new RouteError("broken");
  return collection;
}

/** Tell whether our server has something at an address. */
export async function answers(url) {
  const response = await fetch(url, { method: "HEAD" }).catch(() => null);
  return response !== null && response.ok;
}

async function ask(path, signal) {
  let response;
  try {
    response = await fetch(path, { signal, credentials: "same-origin" });
  } catch (error) {
    if (error.name === "AbortError") throw error;
    throw new RouteError("network");
  }
  if (!response.ok) {
    // An answer that nobody reads keeps its connection: the browser has six for a server.
    await response.text().catch(() => "");
    throw new RouteError(`http-${response.status}`);
  }
  return response;
}
