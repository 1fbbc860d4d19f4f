// Small pictures drawn on a canvas, twice as fine as the screen needs.
const FINE = 2;

/** Wedge widths in degrees that exist as pictures; a camera takes the widest not above its own. */
export const WEDGES = [30, 60, 90, 120, 180, 360];

function openCanvas(size) {
  const canvas = document.createElement("canvas");
  canvas.width = canvas.height = Math.ceil(size * FINE);
  const pen = canvas.getContext("2d");
  pen.scale(FINE, FINE);
  pen.lineJoin = "round";
  pen.lineCap = "round";
  const close = () => ({
    data: pen.getImageData(0, 0, canvas.width, canvas.height),
    pixelRatio: FINE,
  });
  return { pen, close };
}

/** Return diagonal hatching that joins with itself on all sides. */
export function makeHatch(color) {
  const size = 8;
  const { pen, close } = openCanvas(size);
  pen.strokeStyle = color;
  pen.lineWidth = 1.3;
  for (const shift of [-size, 0, size]) {
    pen.beginPath();
    pen.moveTo(shift - 2, size + 2);
    pen.lineTo(shift + size + 2, -2);
    pen.stroke();
  }
  return close();
}

const SHAPES = {
  triangle: (pen, r) => polygon(pen, [[0, -r], [r * 0.95, r * 0.72], [-r * 0.95, r * 0.72]]),
  square: (pen, r) => polygon(pen, [[-r, -r], [r, -r], [r, r], [-r, r]].map(scaled(0.84))),
  diamond: (pen, r) => polygon(pen, [[0, -r], [r, 0], [0, r], [-r, 0]]),
  cross: (pen, r) => {
    const a = r * 0.35;
    polygon(pen, [[-a, -r], [a, -r], [a, -a], [r, -a], [r, a], [a, a], [a, r], [-a, r], [-a, a], [-r, a], [-r, -a], [-a, -a]]);
  },
};

const scaled = (factor) => ([x, y]) => [x * factor, y * factor];

function polygon(pen, corners) {
  pen.beginPath();
  corners.forEach(([x, y], i) => (i ? pen.lineTo(x, y) : pen.moveTo(x, y)));
  pen.closePath();
}

/** Return a state's shape: filled, rimmed; `edge` draws a thick rim of its own colour around a gap. */
export function makeShape({ shape, size, color, rim, edge, scale }) {
  const px = size * scale;
  const room = px + 8 * scale;
  const { pen, close } = openCanvas(room);
  pen.translate(room / 2, room / 2);
  const trace = SHAPES[shape] || SHAPES.square;
  if (edge) {
    trace(pen, px / 2 + 2.6 * scale);
    pen.strokeStyle = color;
    pen.lineWidth = 1.4 * scale;
    pen.stroke();
  }
  trace(pen, px / 2);
  pen.strokeStyle = rim;
  pen.lineWidth = 2 * scale;
  pen.stroke();
  pen.fillStyle = color;
  pen.fill();
  return close();
}

// Paths in a 24 by 24 field, one per kind of place.
const PICTURES = {
  camera: "M4 8h11a1.5 1.5 0 0 1 1.5 1.5v1.3L20 8.6v6.8l-3.5-2.2v1.3A1.5 1.5 0 0 1 15 16H4a1.5 1.5 0 0 1-1.5-1.5v-5A1.5 1.5 0 0 1 4 8z",
  building: "M7 4h10v16h-3.6v-3.4h-2.8V20H7zM9.4 6.6v2h2v-2zm3.4 0v2h2v-2zM9.4 10.6v2h2v-2zm3.4 0v2h2v-2z",
  school: "M12 5 2.5 9.5 12 14l7-3.3V16h1.7V9.6zM6 12.8V16c1.6 1.6 3.6 2.4 6 2.4s4.4-.8 6-2.4v-3.2l-6 2.9z",
  hospital: "M9.8 4.5h4.4v5.3h5.3v4.4h-5.3v5.3H9.8v-5.3H4.5V9.8h5.3z",
  market: "M5 9h14l-1 11H6zM8.5 9V7.8a3.5 3.5 0 0 1 7 0V9h-1.8V7.8a1.7 1.7 0 0 0-3.4 0V9z",
  station: "M7 4h10a2 2 0 0 1 2 2v9a2 2 0 0 1-2 2l1.8 3h-2.2L15.4 18H8.6l-1.2 2H5.2L7 17a2 2 0 0 1-2-2V6a2 2 0 0 1 2-2zm0 2.5v4h10v-4zm1.5 6.2a1.3 1.3 0 1 0 0 2.6 1.3 1.3 0 0 0 0-2.6zm7 0a1.3 1.3 0 1 0 0 2.6 1.3 1.3 0 0 0 0-2.6z",
  park: "M12 3a5.2 5.2 0 0 1 4.8 7.2A4.2 4.2 0 0 1 15.5 17H13v4h-2v-4H8.5a4.2 4.2 0 0 1-1.3-6.8A5.2 5.2 0 0 1 12 3z",
  fuel: "M6 4h7a1 1 0 0 1 1 1v6h1.2a1.8 1.8 0 0 1 1.8 1.8v3.4a.8.8 0 0 0 1.6 0V10L16.5 7.8l1.2-1.2L20.2 9v7.3a2.4 2.4 0 0 1-4.8 0v-3.5H14V20H5V5a1 1 0 0 1 1-1zm.8 2v4h5.4V6z",
  hazard: "M12 3.5 21.5 20h-19zM11 9.5v5.2h2V9.5zm0 6.7v2h2v-2z",
  shelter: "M12 4 3 11.5h2.4V20h4.8v-5h3.6v5h4.8v-8.5H21z",
  office: "M12 3.5 3.5 8v1.8h17V8zM5.5 11v6h2v-6zm5.5 0v6h2v-6zm5.5 0v6h2v-6zM3.5 18.2V20h17v-1.8z",
  pin: "M12 3a6.5 6.5 0 0 1 6.5 6.5C18.5 14 12 21 12 21S5.5 14 5.5 9.5A6.5 6.5 0 0 1 12 3zm0 4a2.5 2.5 0 1 0 0 5 2.5 2.5 0 0 0 0-5z",
  dot: "M12 7a5 5 0 1 0 0 10 5 5 0 0 0 0-10z",
};

/** Return a kind's picture on a quiet disc. */
export function makePicture({ icon, color, panel, scale }) {
  const size = 24 * scale;
  const { pen, close } = openCanvas(size);
  pen.beginPath();
  pen.arc(size / 2, size / 2, size / 2 - scale, 0, 2 * Math.PI);
  pen.fillStyle = panel;
  pen.fill();
  pen.strokeStyle = color;
  pen.lineWidth = 1.2 * scale;
  pen.stroke();
  const glyph = (15 * scale) / 24;
  pen.translate(size / 2 - 12 * glyph, size / 2 - 12 * glyph);
  pen.scale(glyph, glyph);
  pen.fillStyle = color;
  pen.fill(new Path2D(PICTURES[icon] || PICTURES.dot), "evenodd");
  return close();
}

/** Return a camera's wedge of view, pointing north, paler with distance. */
export function makeWedge({ angle, color, scale }) {
  const size = 96 * scale;
  const { pen, close } = openCanvas(size);
  const half = (angle * Math.PI) / 360;
  const shade = pen.createRadialGradient(size / 2, size / 2, 4, size / 2, size / 2, size / 2);
  shade.addColorStop(0, `${color}88`);
  shade.addColorStop(1, `${color}08`);
  pen.fillStyle = shade;
  pen.beginPath();
  pen.moveTo(size / 2, size / 2);
  pen.arc(size / 2, size / 2, size / 2 - 1, -Math.PI / 2 - half, -Math.PI / 2 + half);
  pen.closePath();
  pen.fill();
  return close();
}
