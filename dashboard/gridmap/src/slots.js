// From the ground up: what is drawn over what. A drawing names its slot, never another layer.
export const SLOTS = [
  "picture",
  "ground",
  "fill",
  "hatch",
  "water",
  "building",
  "road",
  "edge",
  "heat",
  "outline",
  "focus",
  "halo",
  "dot",
  "single",
  "road-name",
  "name",
  "cluster",
];

/** Return the place of a drawing in the whole order: slot first, then the order of the layers. */
export function rankOf(drawing, order) {
  return SLOTS.indexOf(drawing.slot) * 10000 + order;
}
