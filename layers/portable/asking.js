/* Moving about the stand-alone map and asking it; every text goes into the page as text. */
/* --- moving ------------------------------------------------------------------------------- */

function zoomAt(px, py, factor) {
  var scale = Math.min(Math.max(view.scale * factor, home.scale / 2), 4 * data.unit_m * 10);
  view.x += px / view.scale - px / scale;
  view.y += py / view.scale - py / scale;
  view.scale = scale;
  redraw();
}

function reset() {
  var wide = frame.clientWidth, high = frame.clientHeight;
  var scale = Math.min(wide / data.size[0], high / data.size[1]) * 0.95;
  home = { x: (data.size[0] - wide / scale) / 2, y: (data.size[1] - high / scale) / 2, scale: scale };
  view = { x: home.x, y: home.y, scale: home.scale };
  redraw();
}

function middle(factor) {
  zoomAt(frame.clientWidth / 2, frame.clientHeight / 2, factor);
}

var fingers = {}, moved = 0;
canvas.addEventListener("pointerdown", function (event) {
  fingers[event.pointerId] = [event.offsetX, event.offsetY];
  canvas.setPointerCapture(event.pointerId);
  moved = 0;
});
canvas.addEventListener("pointermove", function (event) {
  var last = fingers[event.pointerId], now = [event.offsetX, event.offsetY];
  if (!last) return hover(now);
  var ids = Object.keys(fingers);
  if (ids.length === 2) {
    var other = fingers[ids[0] === String(event.pointerId) ? ids[1] : ids[0]];
    var before = Math.hypot(last[0] - other[0], last[1] - other[1]);
    var after = Math.hypot(now[0] - other[0], now[1] - other[1]);
    if (before > 0) zoomAt((now[0] + other[0]) / 2, (now[1] + other[1]) / 2, after / before);
  } else {
    view.x -= (now[0] - last[0]) / view.scale;
    view.y -= (now[1] - last[1]) / view.scale;
  }
  moved += Math.abs(now[0] - last[0]) + Math.abs(now[1] - last[1]);
  fingers[event.pointerId] = now;
  redraw();
});
function release(event) {
  if (fingers[event.pointerId] && moved < 6 && event.type === "pointerup") {
    pick(gridAt([event.offsetX, event.offsetY]));
  }
  delete fingers[event.pointerId];
}
canvas.addEventListener("pointerup", release);
canvas.addEventListener("pointercancel", release);
canvas.addEventListener("pointerleave", function () { tip.style.display = "none"; });
canvas.addEventListener("wheel", function (event) {
  event.preventDefault();
  zoomAt(event.offsetX, event.offsetY, Math.pow(2, -event.deltaY / 300));
}, { passive: false });
canvas.addEventListener("keydown", function (event) {
  var step = { ArrowLeft: [-60, 0], ArrowRight: [60, 0], ArrowUp: [0, -60], ArrowDown: [0, 60] }[event.key];
  if (step) {
    view.x += step[0] / view.scale;
    view.y += step[1] / view.scale;
    redraw();
  } else if (event.key === "+" || event.key === "=") middle(1.5);
  else if (event.key === "-") middle(1 / 1.5);
  else if (event.key === "Enter") pick(gridAt([frame.clientWidth / 2, frame.clientHeight / 2]));
  else if (event.key === "Escape") pick(-1);
  else return;
  event.preventDefault();
});

/* --- asking ------------------------------------------------------------------------------- */

function gridAt(at) {
  var x = at[0] / view.scale + view.x, y = at[1] / view.scale + view.y;
  pen.save();
  pen.setTransform(1, 0, 0, 1, 0, 0);
  var found = data.grids.findIndex(function (grid) {
    var box = grid.box;
    if (x < box[0] || y < box[1] || x > box[2] || y > box[3]) return false;
    return pen.isPointInPath(grid.path, x, y, "evenodd");
  });
  pen.restore();
  return found;
}

function pointAt(at) {
  var name = "", near = 6 / view.scale;
  var x = at[0] / view.scale + view.x, y = at[1] / view.scale + view.y;
  layerOf("dots").forEach(function (layer) {
    if (!layer.packed || view.scale / data.unit_m < layer.least) return;
    for (var i = 0; i < layer.count; i++) {
      if (Math.abs(layer.x[i] - x) < near && Math.abs(layer.y[i] - y) < near) {
        name = layer.names[layer.kindOf[i]];
      }
    }
  });
  layerOf("clusters").forEach(function (layer) {
    for (var i = 0; i < layer.names.length; i++) {
      if (Math.abs(layer.at[2 * i] - x) < near && Math.abs(layer.at[2 * i + 1] - y) < near) {
        name = layer.names[i];
      }
    }
  });
  return name;
}

function hover(at) {
  var row = gridAt(at), name = pointAt(at);
  var text = name || (row >= 0 ? [data.grids[row].above, data.grids[row].name].join(" ") : "");
  tip.textContent = text;
  tip.style.display = text.trim() ? "block" : "none";
  tip.style.left = Math.min(at[0] + 14, frame.clientWidth - 180) + "px";
  tip.style.top = at[1] + 14 + "px";
}

function add(parent, tag, text, className) {
  var made = document.createElement(tag);
  if (text !== undefined) made.textContent = text;
  if (className) made.className = className;
  parent.appendChild(made);
  return made;
}

function pick(row) {
  picked = row;
  var card = document.getElementById("card");
  card.textContent = "";
  if (row < 0) return redraw();
  var grid = data.grids[row];
  add(card, "h2", grid.name);
  add(card, "small", grid.above);
  var list = add(card, "dl");
  data.fields.forEach(function (name, place) {
    if (!grid.facts[place]) return;
    add(list, "dt", name);
    add(list, "dd", grid.facts[place]);
  });
  redraw();
}

/* --- legend ------------------------------------------------------------------------------- */

function swatch(entry) {
  var box = document.createElement("canvas");
  box.width = 52;
  box.height = 32;
  var brush = box.getContext("2d");
  brush.scale(2, 2);
  var colors = [].concat(entry.color);
  if (entry.shape === "fill" || entry.shape === "ramp") {
    var blend = brush.createLinearGradient(0, 0, 26, 0);
    colors.forEach(function (color, i) { blend.addColorStop(colors.length > 1 ? i / (colors.length - 1) : 0, color); });
    brush.fillStyle = blend;
    brush.fillRect(1, 2, 24, 12);
    brush.strokeStyle = "#8b93a1";
    brush.strokeRect(1, 2, 24, 12);
  } else if (entry.shape === "hatch") {
    brush.strokeStyle = "#98a1ae";
    for (var x = 2; x < 38; x += 4) {
      brush.beginPath();
      brush.moveTo(x - 12, 14);
      brush.lineTo(x, 2);
      brush.stroke();
    }
    brush.strokeRect(1, 2, 24, 12);
  } else if (entry.shape === "line") {
    brush.fillStyle = colors[0];
    brush.fillRect(1, 7, 24, 2);
  } else if (entry.shape === "halo") {
    brush.beginPath();
    brush.arc(13, 8, 5, 0, 7);
    brush.lineWidth = 2;
    brush.strokeStyle = colors[0];
    brush.stroke();
  } else mark(brush, entry.shape, 13, 8, 4.5, colors[0]);
  return box;
}

data.legend.forEach(function (one) {
  var section = add(document.getElementById("legend"), "section");
  var label = add(section, "label");
  var box = add(label, "input");
  box.type = "checkbox";
  box.checked = shown[one.id];
  box.id = "show-" + one.id;
  var head = add(label, "h3", one.title);
  if (one.unit) add(head, "small", one.unit);
  box.addEventListener("change", function () {
    shown[one.id] = box.checked;
    redraw();
  });
  one.entries.forEach(function (entry) {
    var line = add(section, "div", undefined, "entry");
    line.appendChild(swatch(entry));
    add(line, "span", entry.label);
    add(line, "b", entry.n);
  });
  one.notes.forEach(function (note) { add(section, "p", note, "note"); });
});

[["+", words.zoom_in, function () { middle(1.5); }],
  ["−", words.zoom_out, function () { middle(1 / 1.5); }],
  ["⌂", words.reset_view, reset]].forEach(function (tool) {
  var button = add(document.getElementById("tools"), "button", tool[0]);
  button.title = tool[1];
  button.setAttribute("aria-label", tool[1]);
  button.addEventListener("click", tool[2]);
});
canvas.setAttribute("aria-label", words.map_label);
canvas.setAttribute("role", "img");
window.addEventListener("resize", redraw);
reset();
