// Places as a hand means them, and the plain shapes that show them.

/** A tenth of a metre is finer than any hand. */
export function round(degrees) {
  return Math.round(degrees * 1e6) / 1e6;
}

export function same(one, other) {
  return Math.abs(one[0] - other[0]) < 1e-7 && Math.abs(one[1] - other[1]) < 1e-7;
}

export function pointOf(coordinates) {
  return { type: "Point", coordinates };
}

export function lineOf(coordinates) {
  return { type: "LineString", coordinates };
}
