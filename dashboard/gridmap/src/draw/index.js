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

export const KINDS = { base, choropleth, clusters, dots, halos, heat, labels, outline };

/** Return what a layer needs, by role; an unknown kind needs nothing and draws nothing. */
export function needsOf(layer) {
  const kind = KINDS[layer.kind];
  return kind ? kind.needs(layer) : {};
}

/** Return the drawings of a layer, held within its own zooms. */
export function drawingsOf(layer, scene, sources) {
  const from = layer.minzoom === undefined ? 0 : layer.minzoom;
  const to = layer.maxzoom === undefined ? 24 : layer.maxzoom;
  return KINDS[layer.kind]
    .draw(layer, scene, sources)
    .map((drawing) => ({
      ...drawing,
      id: `${layer.id}/${drawing.id}`,
      minzoom: Math.max(from, drawing.minzoom || 0),
      maxzoom: Math.min(to, drawing.maxzoom === undefined ? 24 : drawing.maxzoom),
    }))
    .filter((drawing) => drawing.minzoom < drawing.maxzoom);
}

/** Return the canvas pictures a layer uses: {name: {key, make}}. */
export function imagesOf(layer, scene) {
  const kind = KINDS[layer.kind];
  return kind.images ? kind.images(layer, scene) : {};
}
