/* Ask the map on the street: a circle, a polygon or a grid, answered with exact figures. */
window.dash_clientside.street.add(function (street, by, all, text) {
  "use strict";
  var MOST_CORNERS = 60;
  var NEAR_PX = 14;
  var DOUBLE_MS = 600; // a double click that ended a polygon is not one that zooms
  var TILE_PX = 512;
  var NARROW_PX = 900;
  var mode = null; // circle, polygon, pick
  var corners = [];
  var shape = ""; // what the map outlines
  var answered = ""; // what the side answers: the address carries it
  var ending = false; // a double click was made: the corner it set is still on its way here
  var endedAt = -DOUBLE_MS;

  function start(next) {
    by("filter-box").open = false; // it would lie over the map and the answer
    mode = mode === next ? null : next;
    corners = [];
    ending = false;
    all("[data-ask]").forEach(function (button) { button.setAttribute("aria-pressed", String(button.dataset.ask === mode)); });
    sayHint();
    // Whoever uses keys goes on where a point is set: Enter sets it at the middle of the map.
    var canvas = document.querySelector("#map-box canvas");
    if (mode && canvas) canvas.focus({ preventScroll: true });
  }

  function stop() { if (mode) start(mode); }

  function sayHint() {
    var words = street.frame.words;
    var hint = mode === "polygon" ? words.polygon_hint.replace("{n}", corners.length) : mode ? words.circle_hint : "";
    by("ask-hint").textContent = hint;
    by("ask-acts").hidden = !mode;
    all("[data-corner]").forEach(function (button) {
      button.hidden = mode !== "polygon";
      button.disabled = corners.length < (button.dataset.corner === "finish" ? 3 : 1);
    });
  }

  function showShape(next) {
    shape = next;
    street.setMap({ layers: layers(street.frame.map.layers) });
  }

  function write(more) { return Object.keys(more).map(function (name) { return name + "=" + more[name]; }).join(";"); }

  var nearest = ""; // how many of the nearest, once somebody chose

  function parse(given) {
    var more = {};
    given.split(";").forEach(function (part) { more[part.split("=")[0]] = part.split("=").slice(1).join("="); });
    return more;
  }

  function ask(given) {
    var more = Object.assign({}, given, nearest ? { k: nearest } : {});
    answered = write(more);
    showShape(answered);
    street.remember(true);
    return street.ask("ask.json", more).then(function (answer) {
      var box = by("asked");
      if (!box) return;
      if (answer.error) { box.textContent = ""; box.appendChild(text("p", answer.error, "note")); }
      else box.innerHTML = answer.html;
      by("side").scrollTop = 0;
      if (mode) by("ask-hint").textContent = street.frame.words.asked_hint;
      if (window.innerWidth <= NARROW_PX) box.scrollIntoView({ block: "start" }); // it lies below the map
    }).catch(street.fail);
  }

  function askAt(clicked) {
    var place = { lon: clicked.lng.toFixed(7), lat: clicked.lat.toFixed(7) };
    if (mode === "circle") ask(Object.assign(place, { radius_m: by("radius").value }));
    else if (mode === "pick" && clicked.properties.uid !== undefined) ask({ uid: clicked.properties.uid });
    else if (mode === "polygon") addCorner(place);
  }

  /* A corner on the first or the last one ends the polygon: so does Enter twice. */
  function addCorner(place) {
    if (corners.length && (isNear(corners[0], place) || isNear(corners[corners.length - 1], place))) { finish(); return; }
    if (corners.length < MOST_CORNERS) corners.push([place.lon, place.lat]);
    if (ending && corners.length > 2) finish();
    else showCorners();
  }

  function isNear(corner, place) {
    var degrees = NEAR_PX * 360 / (TILE_PX * Math.pow(2, street.zoom));
    return Math.abs(corner[0] - place.lon) + Math.abs(corner[1] - place.lat) < degrees;
  }

  function showCorners() {
    sayHint();
    showShape(corners.length > 1 ? "path=" + ring(corners.concat(corners.slice(0, 1))) : "");
  }

  function ring(places) { return places.map(function (one) { return one.join(","); }).join("_"); }

  function finish() {
    if (corners.length < 3) return;
    var drawn = ring(corners);
    endedAt = window.performance.now();
    stop();
    ask({ ring: drawn });
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
    answered = "";
    showShape("");
    street.remember(true);
  }

  function cancel() {
    var begun = corners.length > 0;
    stop();
    if (begun) drop();
  }

  document.addEventListener("change", function (event) {
    if (event.target.dataset.nearest === undefined || !answered) return;
    nearest = event.target.value;
    ask(parse(answered));
  });

  street.press("[data-ask]", function (node) {
    if (corners.length) showShape("");
    start(node.dataset.ask);
  });
  street.press("[data-unask]", drop);
  street.press("[data-cancel]", cancel);
  street.press("[data-corner]", function (node) {
    if (node.dataset.corner === "finish") finish();
    else { corners.pop(); showCorners(); }
  });

  document.addEventListener("dblclick", function (event) {
    var ended = window.performance.now() - endedAt < DOUBLE_MS;
    if (mode !== "polygon" && !ended || !event.target.closest("#map-box")) return;
    event.stopPropagation(); // nor does it zoom
    event.preventDefault();
    ending = mode === "polygon";
    setTimeout(function () { if (ending) finish(); }, DOUBLE_MS);
  }, true);

  street.asking = {
    layers: layers,
    ask: ask,
    shape: function () { return answered; },

    /* An address may carry a question: it is put again. */
    begin: function (given) {
      if (!given || !street.frame.rows) return;
      var more = parse(given);
      nearest = more.k || "";
      ask(more);
    },

    /* A click on the map belongs to the question that is being put; tell whether it did. */
    take: function (clicked) {
      if (mode) askAt(clicked);
      return Boolean(mode) || window.performance.now() - endedAt < DOUBLE_MS;
    },
    leave: function () {
      stop();
      answered = "";
      if (shape) showShape("");
    },
    close: function () {
      if (mode) cancel();
      else if (shape) drop();
    }
  };
});
