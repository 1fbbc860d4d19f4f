/* The stand-alone map draws the data of its file on a canvas; it asks nobody for anything.
   Both scripts run as one function: portable_map.py puts them together. */
var data = JSON.parse(document.getElementById("data").textContent);
var canvas = document.getElementById("canvas");
var pen = canvas.getContext("2d");
var frame = document.getElementById("map");
var tip = document.getElementById("tip");
var words = data.words;
var FONT = getComputedStyle(document.body).fontFamily;
var shown = {};
var view = { x: 0, y: 0, scale: 1 }; // scale: CSS pixels a unit
var home = null;
var picked = -1;
var asked = false;
var taken = [];

data.layers.forEach(function (layer) { shown[layer.id] = layer.on; });

function pathOf(rings, closed) {
  var path = new Path2D();
  rings.forEach(function (steps) {
    var x = 0, y = 0;
    for (var i = 0; i < steps.length; i += 2) {
      x += steps[i];
      y += steps[i + 1];
      if (i) path.lineTo(x, y);
      else path.moveTo(x, y);
    }
    if (closed) path.closePath();
  });
  return path;
}

function boxOf(rings) {
  var box = [Infinity, Infinity, -Infinity, -Infinity];
  rings.forEach(function (steps) {
    var x = 0, y = 0;
    for (var i = 0; i < steps.length; i += 2) {
      x += steps[i];
      y += steps[i + 1];
      box = [Math.min(box[0], x), Math.min(box[1], y), Math.max(box[2], x), Math.max(box[3], y)];
    }
  });
  return box;
}

data.grids.forEach(function (grid) {
  grid.path = pathOf(grid.rings, true);
  grid.box = boxOf(grid.rings);
});
data.levels.forEach(function (area) { area.path = pathOf(area.rings, true); });
var coming = 0; // pictures that are still being read
data.layers.forEach(function (layer) {
  (layer.ground || []).forEach(function (part) {
    part.path = pathOf(part.rings, Boolean(part.fill));
  });
  (layer.shapes || []).forEach(function (part) { part.path = pathOf(part.rings, false); });
  if (layer.packed) unpack(layer);
  if (layer.png) {
    coming++;
    layer.image = new Image();
    layer.image.onload = function () {
      coming--;
      redraw();
    };
    layer.image.src = "data:image/png;base64," + layer.png;
  }
});

/* Dots come as pairs of two little-endian bytes: shares of their own extent. */
function unpack(layer) {
  var packed = layer.packed, raw = atob(packed.at);
  var kinds = atob(layer.kinds), states = atob(layer.states);
  layer.count = raw.length / 4;
  layer.x = new Float32Array(layer.count);
  layer.y = new Float32Array(layer.count);
  layer.kindOf = new Uint16Array(layer.count);
  layer.stateOf = new Uint8Array(layer.count);
  for (var i = 0; i < layer.count; i++) {
    layer.x[i] = packed.from[0] + packed.step[0] * wholeAt(raw, 4 * i, 2);
    layer.y[i] = packed.from[1] + packed.step[1] * wholeAt(raw, 4 * i + 2, 2);
    layer.kindOf[i] = wholeAt(kinds, layer.kind_bytes * i, layer.kind_bytes);
    layer.stateOf[i] = states.charCodeAt(i);
  }
}

function wholeAt(raw, at, bytes) {
  return raw.charCodeAt(at) + (bytes > 1 ? 256 * raw.charCodeAt(at + 1) : 0);
}

function layerOf(kind) {
  return data.layers.filter(function (one) { return one.kind === kind && shown[one.id]; });
}

function redraw() {
  if (asked) return;
  asked = true;
  requestAnimationFrame(function () {
    asked = false;
    draw();
  });
}

function toScreen(x, y) {
  return [(x - view.x) * view.scale, (y - view.y) * view.scale];
}

function draw() {
  var ratio = window.devicePixelRatio || 1;
  var wide = frame.clientWidth, high = frame.clientHeight;
  if (canvas.width !== Math.round(wide * ratio) || canvas.height !== Math.round(high * ratio)) {
    canvas.width = Math.round(wide * ratio);
    canvas.height = Math.round(high * ratio);
  }
  pen.setTransform(ratio, 0, 0, ratio, 0, 0);
  pen.clearRect(0, 0, wide, high);
  var k = view.scale * ratio;
  pen.setTransform(k, 0, 0, k, -view.x * k, -view.y * k);
  pen.lineJoin = pen.lineCap = "round";
  drawShapes(1 / view.scale);
  pen.setTransform(ratio, 0, 0, ratio, 0, 0);
  taken = [[wide - 52, 0, wide, 124], [0, high - 40, 160, high]]; // the buttons, the scale bar
  layerOf("halos").forEach(drawRings);
  layerOf("dots").forEach(drawDots);
  layerOf("clusters").forEach(drawPoints);
  if (layerOf("labels").length) drawNames();
  drawScale();
  if (!coming) document.documentElement.dataset.map = "idle";
}

function drawShapes(px) {
  var colored = layerOf("choropleth")[0];
  layerOf("base").forEach(function (layer) {
    if (!colored) drawGround(layer, px, ["green"]);
  });
  data.grids.forEach(function (grid, row) {
    if (!colored) return;
    pen.fillStyle = colored.colors[row] || "#ffffff";
    pen.fill(grid.path, "evenodd");
    if (!colored.colors[row]) hatch(grid, px);
  });
  layerOf("base").forEach(function (layer) {
    drawGround(layer, px, ["water", "buildings", "roads"]);
  });
  pen.strokeStyle = "#8b93a1";
  pen.lineWidth = 0.5 * px;
  data.grids.forEach(function (grid) { pen.stroke(grid.path); });
  layerOf("outline").forEach(function (layer) { drawOutlines(layer, px); });
  if (layerOf("outline").some(function (layer) { return !layer.shapes; })) {
    data.levels.slice().reverse().forEach(function (area) {
      pen.strokeStyle = area.color;
      pen.lineWidth = area.width * px;
      pen.stroke(area.path);
    });
  }
  layerOf("heat").forEach(function (layer) {
    var box = layer.box;
    pen.globalAlpha = layer.opacity;
    pen.drawImage(layer.image, box[0], box[1], box[2] - box[0], box[3] - box[1]);
    pen.globalAlpha = 1;
  });
  if (picked >= 0) {
    pen.strokeStyle = "#0b6bcb";
    pen.lineWidth = 3 * px;
    pen.stroke(data.grids[picked].path);
  }
}

/* Slanting lines: too few cases to judge. */
function hatch(grid, px) {
  pen.save();
  pen.clip(grid.path, "evenodd");
  pen.strokeStyle = "#98a1ae";
  pen.lineWidth = px;
  pen.beginPath();
  var box = grid.box, high = box[3] - box[1], step = 6 * px;
  for (var x = box[0] - high; x < box[2]; x += step) {
    pen.moveTo(x, box[3]);
    pen.lineTo(x + high, box[1]);
  }
  pen.stroke();
  pen.restore();
}

function drawGround(layer, px, names) {
  var pxPerM = view.scale / data.unit_m;
  layer.ground.forEach(function (part) {
    if (names.indexOf(part.name) < 0 || pxPerM < part.least) return;
    if (part.fill) {
      pen.globalAlpha = part.name === "buildings" ? 0.6 : 1;
      pen.fillStyle = part.fill;
      pen.fill(part.path, "evenodd");
      pen.globalAlpha = 1;
      return;
    }
    var width = Math.max(part.width / data.unit_m, 0.7 * px);
    pen.strokeStyle = part.edge;
    pen.lineWidth = width + px;
    if (part.width >= 8) pen.stroke(part.path);
    pen.strokeStyle = part.line;
    pen.lineWidth = width;
    pen.stroke(part.path);
  });
}

function drawRings(layer) {
  var most = Math.max.apply(null, layer.figures.concat(1));
  layer.figures.forEach(function (figure, row) {
    if (!(figure > 0)) return;
    var at = toScreen(data.grids[row].at[0], data.grids[row].at[1]);
    var radius = Math.max(layer.radius[0], layer.radius[1] * Math.sqrt(figure / most));
    pen.beginPath();
    pen.arc(at[0], at[1], radius, 0, 7);
    pen.lineWidth = 4;
    pen.strokeStyle = "#ffffff";
    pen.stroke();
    pen.lineWidth = 2;
    pen.strokeStyle = layer.color;
    pen.stroke();
    taken.push([at[0] - radius, at[1] - radius, at[0] + radius, at[1] + radius]);
  });
}

function mark(brush, shape, x, y, radius, color) {
  brush.beginPath();
  if (shape === "square") brush.rect(x - radius, y - radius, 2 * radius, 2 * radius);
  else if (shape === "triangle" || shape === "diamond") {
    var corners = shape === "diamond" ? 4 : 3;
    for (var i = 0; i < corners; i++) {
      var turn = -Math.PI / 2 + (i * 2 * Math.PI) / corners;
      brush.lineTo(x + Math.cos(turn) * radius * 1.3, y + Math.sin(turn) * radius * 1.3);
    }
    brush.closePath();
  } else brush.arc(x, y, radius, 0, 7);
  brush.fillStyle = color;
  brush.fill();
  if (radius < 2.5) return;
  brush.lineWidth = 1;
  brush.strokeStyle = "#ffffff";
  brush.stroke();
}

function drawDots(layer) {
  if (!layer.packed || view.scale / data.unit_m < layer.least) return; // as on screen: from nearer on
  var edge = 20 / view.scale, west = view.x - edge, north = view.y - edge;
  var east = view.x + frame.clientWidth / view.scale + edge;
  var south = view.y + frame.clientHeight / view.scale + edge;
  layer.styles.forEach(function (style, state) {
    for (var i = 0; i < layer.count; i++) {
      var x = layer.x[i], y = layer.y[i];
      if (layer.stateOf[i] !== state || x < west || x > east || y < north || y > south) continue;
      mark(pen, style[0], (x - view.x) * view.scale, (y - view.y) * view.scale, style[2] / 2, style[1]);
    }
  });
}

function drawOutlines(layer, px) {
  (layer.shapes || []).forEach(function (part) {
    pen.strokeStyle = part.color;
    pen.lineWidth = part.width * px;
    pen.setLineDash(part.dash.map(function (length) { return length * px; }));
    pen.stroke(part.path);
  });
  pen.setLineDash([]);
}

function drawPoints(layer) {
  var radius = Math.min(Math.max((view.scale / data.unit_m) * 8, 1.5), 5);
  for (var i = 0; i < layer.names.length; i++) {
    var at = toScreen(layer.at[2 * i], layer.at[2 * i + 1]);
    if (inside(at)) mark(pen, "circle", at[0], at[1], radius, layer.color);
  }
}

function inside(at) {
  return at[0] > -20 && at[1] > -20 && at[0] < frame.clientWidth + 20 && at[1] < frame.clientHeight + 20;
}

function drawNames() {
  pen.textAlign = "center";
  pen.textBaseline = "middle";
  data.levels.forEach(function (area) {
    var strong = area.level !== "community";
    writeName(area, (strong ? "600 15px " : "13px ") + FONT, strong ? 15 : 13, area.box || (area.box = boxOf(area.rings)));
  });
  if (view.scale / data.unit_m < 0.15) return; // a grid's name follows its community's
  data.grids.forEach(function (grid) { writeName(grid, "12px " + FONT, 12, grid.box); });
}

function writeName(one, font, size, box) {
  var at = toScreen(one.at[0], one.at[1]);
  if (!inside(at)) return;
  pen.font = font;
  var wide = pen.measureText(one.name).width;
  if (wide > (box[2] - box[0]) * view.scale) return;
  var mine = [at[0] - wide / 2 - 2, at[1] - size / 2 - 2, at[0] + wide / 2 + 2, at[1] + size / 2 + 2];
  var hit = taken.some(function (other) {
    return mine[0] < other[2] && mine[2] > other[0] && mine[1] < other[3] && mine[3] > other[1];
  });
  if (hit) return;
  taken.push(mine);
  pen.lineWidth = 3;
  pen.strokeStyle = "#ffffff";
  pen.strokeText(one.name, at[0], at[1]);
  pen.fillStyle = "#1b2430";
  pen.fillText(one.name, at[0], at[1]);
}

function drawScale() {
  var pxPerM = view.scale / data.unit_m;
  var most = 140 / pxPerM, ten = Math.pow(10, Math.floor(Math.log10(most)));
  var length = [5, 2, 1].map(function (n) { return n * ten; }).find(function (n) { return n <= most; });
  var bar = document.getElementById("scale");
  bar.style.width = length * pxPerM + "px";
  var text = length >= 1000 ? words.kilometres : words.metres;
  bar.textContent = text.replace("{n}", String(length >= 1000 ? length / 1000 : length));
}
