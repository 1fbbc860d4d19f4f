// The shapes of what a drawing may need.
const asList = (url) => (Array.isArray(url) ? url : [url]);

export function areas(layer) {
  return { type: "areas", urls: asList(layer.source.url), source: layer.source };
}

export function points(layer) {
  return { type: "points", urls: asList(layer.source.url), source: layer.source };
}

export function tiles(layer) {
  return { type: layer.source.type, urls: [layer.source.url], source: layer.source };
}

export function gathered(layer, cluster) {
  return { type: "gathered", urls: asList(layer.source.url), source: layer.source, cluster };
}
