/* Ask the map on the street: a circle, a polygon or a grid, answered with exact figures. */
(function () {
  "use strict";
  var dash = window.dash_clientside;
  var by = dash.street.by;
  var all = dash.street.all;
  var text = dash.street.text;

  var MOST_CORNERS = 60;
  var mode = null; // circle, polygon, pick
  var corners = [];
  var shape = "";

  function startAsking(next) {
    mode = mode === next ? null : next;
    corners = [];
    all("[data-ask]").forEach(function (button) { button.setAttribute("aria-pressed", String(button.dataset.ask === mode)); });
    by("ask-hint").textContent = mode === "circle" || mode === "pick" ? dash.street.frame().words.circle_hint
      : mode === "polygon" ? dash.street.frame().words.polygon_hint : "";
  }

  function stopAsking() { if (mode) startAsking(mode); }

  function showShape(next) {
    shape = next;
    dash.street.setMap({ layers: dash.street_ask.layers(dash.street.frame().map.layers) });
  }

  function askShape(more) {
    showShape(Object.keys(more).map(function (name) { return name + "=" + more[name]; }).join(";"));
    dash.street.ask("ask.json", more).then(function (answer) {
      var box = by("asked");
      if (!box) return;
      if (answer.error) { box.textContent = ""; box.appendChild(text("p", answer.error, "note")); }
      else box.innerHTML = answer.html;
      by("side").scrollTop = 0;
    }).catch(dash.street.fail);
  }

  function askAt(clicked) {
    var lon = clicked.lng.toFixed(7);
    var lat = clicked.lat.toFixed(7);
    if (mode === "circle") askShape({ lon: lon, lat: lat, radius_m: by("radius").value });
    else if (mode === "pick" && clicked.properties.uid !== undefined) askShape({ uid: clicked.properties.uid });
    else if (mode === "polygon") {
      var first = corners[0];
      var near = first && corners.length > 2 && Math.abs(first[0] - lon) + Math.abs(first[1] - lat) < 0.0003;
      if (near) finishPolygon();
      else if (corners.length < MOST_CORNERS) {
        corners.push([lon, lat]);
        if (corners.length > 2) showShape("ring=" + ring());
      }
    }
  }

  function ring() { return corners.map(function (one) { return one.join(","); }).join("_"); }

  function finishPolygon() {
    if (corners.length < 3) return;
    var drawn = ring();
    stopAsking();
    askShape({ ring: drawn });
  }

  function layers(plain) {
    return plain.map(function (layer) {
      if (layer.id !== "street-asked") return layer;
      var url = layer.source.url.replace(/v=.*$/, "v=" + encodeURIComponent(shape));
      return Object.assign({}, layer, { source: Object.assign({}, layer.source, { url: url }) });
    });
  }

  function drop() {
    if (by("asked")) by("asked").textContent = "";
    showShape("");
  }

  document.addEventListener("click", function (event) {
    var node = event.target.closest("[data-ask]");
    if (node) startAsking(node.dataset.ask);
    else if (event.target.closest("[data-unask]")) drop();
  });

  document.addEventListener("keydown", function (event) {
    var typing = /^(INPUT|SELECT|TEXTAREA|BUTTON|A)$/.test(event.target.tagName);
    if (event.key === "Enter" && mode === "polygon" && !typing) finishPolygon();
  });

  document.addEventListener("dblclick", function () { if (mode === "polygon") finishPolygon(); });

  dash.street_ask = {
    layers: layers,
    ask: askShape,
    stop: stopAsking,
    /* A click on the map belongs to the question that is being put; tell whether it did. */
    take: function (clicked) {
      if (mode) askAt(clicked);
      return Boolean(mode);
    },
    close: function () {
      if (mode) stopAsking();
      else if (shape) drop();
      else return false;
      return true;
    }
  };
})();
