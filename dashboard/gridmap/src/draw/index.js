// One drawing per kind of layer. Each says what it `needs` (sources) and how it is drawn: plain
// MapLibre layers, made anew for every theme and compared, so that nothing here holds state.
import { base } from "./base.js";
import { choropleth } from "./choropleth.js";
import { clusters } from "./clusters.js";
import { dots } from "./dots.js";
import { halos } from "./halos.js";
import { heat } from "./heat.js";
import { labels } from "./labels.js";
import { outline } from "./outline.js";

const OPEN_END = 24;
export const KINDS = { base, choropleth, clusters, dots, halos, heat, labels, outline };

/** Return what a layer needs, by role; an unknown kind needs nothing and draws nothing. */
export function needsOf(layer) {
  const kind = KINDS[layer.kind];
  return kind ? kind.needs(layer) : {};
}

/**
 * Return from which zoom to which a layer or drawing shows. Where everything is drawn twice as large
 * (a wall), it takes one zoom more for the same room.
 */
export function zoomsOf({ minzoom, maxzoom }, scene) {
  const lift = Math.log2(scene.scale);
  const open = maxzoom === undefined || maxzoom >= OPEN_END;
  return [minzoom ? minzoom + lift : 0, open ? OPEN_END : maxzoom + lift];
}

/** Return the drawings of a layer, held within its own zooms. */
export function drawingsOf(layer, scene, sources) {
  const [from, to] = zoomsOf(layer, scene);
  return KINDS[layer.kind]
    .draw(layer, scene, sources)
    .map((drawing) => ({
      ...drawing,
      id: `${layer.id}/${drawing.id}`,
      minzoom: Math.max(from, zoomsOf(drawing, scene)[0]),
      maxzoom: Math.min(to, zoomsOf(drawing, scene)[1]),
    }))
    .filter((drawing) => drawing.minzoom < drawing.maxzoom);
}

/** Return the canvas pictures a layer uses: {name: {key, make}}. */
export function imagesOf(layer, scene) {
  const kind = KINDS[layer.kind];
  return kind.images ? kind.images(layer, scene) : {};
}
