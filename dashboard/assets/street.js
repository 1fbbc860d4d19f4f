/* The street: every step is an address; what the browser holds it paints before it asks. */
(function () {
  "use strict";
  var root = document.documentElement;
  var dash = (window.dash_clientside = window.dash_clientside || {});
  var POLL_MS = 5000;
  var MINUTE_MS = 60000;
  var WALL_PX = 3000;
  var NARROW_PX = 700;
  var NARROW_COVERED = { top: 92, bottom: 136 }; // by the tools in two lines, the legend and the film

  var held = ""; // the mark of the figures that the map holds
  var revision = null;
  var looking = false;
  var asked = 0; // the newest question; older answers are dropped
  var seen = { clicks: 0, idle: false };

  function by(id) { return document.getElementById(id); }
  function all(selector, within) { return Array.prototype.slice.call((within || document).querySelectorAll(selector)); }
  function text(tag, words, className) {
    var node = document.createElement(tag);
    node.textContent = words;
    if (className) node.className = className;
    return node;
  }

  var street = (dash.street = {
    page: null,
    base: "",
    frame: null, // what never changes between steps: tree, layers, words, dictionary
    figures: null, // of the map's layers, as the last answer gave them
    at: { code: "", level: "", uid: null },
    zoom: 0,
    setMap: function (props) { dash.set_props("map", props); },

    /* A part of the page in a file of its own: it adds what others call to `street`. */
    add: function (part) { part(street, by, all, text); },

    /* What is drawn anew with each step is listened to from outside. */
    press: function (selector, act) {
      document.addEventListener("click", function (event) {
        var node = street.frame && event.target.closest(selector);
        if (node) act(node, event);
      });
    }
  });

  /* --- the address -------------------------------------------------------------------------- */

  function readAddress() {
    var path = window.location.pathname.slice((street.base + "/street/").length);
    var query = new URLSearchParams(window.location.search);
    street.at = { code: decodeURIComponent(path.replace(/\/+$/, "")), level: query.get("level") || "", uid: street.at.uid };
    street.filters.read(query);
    return query;
  }

  street.query = function (more) {
    var parts = new URLSearchParams({ lang: street.page.dataset.lang, theme: root.dataset.theme });
    var wanted = Object.assign({}, street.filters.chosen, more);
    Object.keys(wanted).forEach(function (name) {
      var value = wanted[name];
      if (value !== "" && value !== null && value !== undefined) parts.set(name, value);
    });
    return parts.toString();
  };

  street.shown = function () { return "lang=" + street.page.dataset.lang + "&theme=" + root.dataset.theme; };

  function address() {
    var more = { level: street.at.level, ask: street.asking.shape() };
    return street.base + "/street/" + encodeURIComponent(street.at.code || "") + "?" + street.query(more) + window.location.hash;
  }

  street.remember = function (replace) {
    window.history[replace ? "replaceState" : "pushState"](null, "", address());
    var other = street.page.dataset.lang === "zh" ? "en" : "zh";
    by("lang-switch").href = address().replace(/lang=(zh|en)/, "lang=" + other);
  };

  /* --- asking ------------------------------------------------------------------------------- */

  street.ask = function (name, more) {
    return fetch(street.base + "/area/" + name + "?" + street.query(more), { cache: "no-store" }).then(function (answer) {
      if (answer.status === 401) { window.getuDoor(); throw new Error("signed out"); }
      var json = (answer.headers.get("Content-Type") || "").indexOf("json") >= 0;
      if (!json) return answer.text().then(function (words) { throw new Error(words); });
      return answer.json();
    });
  };

  street.fail = function (error) {
    var side = by("side");
    var box = side.querySelector(".failure") || side.insertBefore(text("p", "", "note failure"), side.firstChild);
    box.setAttribute("role", "alert");
    // What a browser says of a lost server is in its own words; contact.js says it in the page's.
    var said = error && error.message && !(error instanceof TypeError) ? error.message : "";
    box.textContent = (street.frame ? street.frame.words.failed : "") + " " + said;
  };

  /* `keep`: the same area again, so that nothing moves under whoever reads it. */
  street.step = function (keep) {
    var mine = ++asked;
    by("side").setAttribute("aria-busy", "true");
    return street.ask("panel.json", { code: street.at.code, level: street.at.level, held: held }).then(function (answer) {
      if (mine === asked) take(answer, keep);
    }).catch(function (error) { if (mine === asked) street.fail(error); }).then(function () {
      if (mine === asked) by("side").removeAttribute("aria-busy");
    });
  };

  /* What was drawn anew takes the focus along: to the same thing, else to the area's name. */
  function keepFocus(side, focused, keep) {
    var marks = ["data-go", "data-pick", "data-value", "data-def", "data-sort", "id"];
    var same = keep && all(focused.tagName, side).find(function (one) {
      return marks.every(function (name) { return one.getAttribute(name) === focused.getAttribute(name); });
    });
    var head = side.querySelector(".area-head h2");
    if (head) head.tabIndex = -1;
    if (same || head) (same || head).focus({ preventScroll: true });
  }

  function take(answer, keep) {
    var side = by("side");
    var top = side.scrollTop;
    var kept = keep && by("asked") ? by("asked").innerHTML : "";
    var whose = keep && by("whose") ? by("whose").value : "";
    var focused = side.contains(document.activeElement) ? document.activeElement : null;
    side.innerHTML = answer.html;
    if (focused) keepFocus(side, focused, keep);
    if (kept && by("asked")) by("asked").innerHTML = kept;
    side.scrollTop = keep ? top : 0;
    if (answer.revision === undefined) return; // a city without grids
    var moved = !answer.missing && street.at.uid !== answer.uid;
    if (!answer.missing) street.at = { uid: answer.uid, code: answer.code, level: answer.level };
    revision = answer.revision;
    var props = { filter: answer.query, revision: String(answer.revision) };
    if (answer.values) {
      held = answer.mark;
      street.figures = props.values = answer.values;
    }
    if (answer.legend) street.film.takeLegend(answer.legend);
    sayStates(layerStates);
    if (answer.version !== street.frame.version) followDrawing();
    if (!answer.missing && (moved || !seen.stepped)) Object.assign(props, street.tree.lookAt(answer.uid));
    seen.stepped = seen.stepped || !answer.missing;
    street.setMap(props);
    if (answer.missing) return;
    street.remember(true);
    street.tree.drawCrumbs();
    street.filters.draw();
    findHot();
    document.title = street.tree.nameHere() + " · " + street.frame.title;
    street.table.stepped();
    street.whose.stepped(whose);
    street.film.stepped();
  }

  /* The grids or the tables are others now: their lines, their names and who lies in whom. */
  function followDrawing() {
    return street.ask("frame.json").then(function (answer) {
      street.frame = answer;
      street.tree.take();
      street.setMap({ layers: street.asking.layers(answer.map.layers) });
      if (street.at.uid !== undefined) street.tree.drawCrumbs();
    }).catch(street.fail);
  }

  /* The hot places take longer than all else: they come after the figures. */
  function findHot() {
    var box = by("hot");
    if (!box) return; // an area of which nothing may be seen
    if (!street.frame.rows) { box.appendChild(text("p", box.dataset.none, "quiet small")); return; }
    street.ask("hot.json", { code: street.at.code, level: street.at.level }).then(function (answer) {
      if (by("hot") === box) box.innerHTML = answer.html;
    }).catch(street.fail);
  }

  /* --- wires -------------------------------------------------------------------------------- */

  function takeShown() {
    var shown = all("[data-switch]").filter(function (box) { return box.checked; })
      .map(function (box) { return box.dataset.switch; });
    street.setMap({ shown: shown.concat(["street-asked"]) });
  }

  street.press("[data-fly]", function (node) {
    street.setMap({ view: { center: node.dataset.fly.split(",").map(Number), zoom: 18 } });
  });
  street.press("#theme-switch", function () {
    root.dataset.theme = root.dataset.theme === "dark" ? "light" : "dark";
    held = "";
    street.setMap({ theme: root.dataset.theme });
    street.remember(true);
    street.step(true);
  });

  document.addEventListener("change", function (event) {
    if (event.target.dataset.switch) takeShown();
  });

  document.addEventListener("keydown", function (event) {
    if (!street.frame) return;
    var typing = /^(INPUT|SELECT|TEXTAREA)$/.test(event.target.tagName);
    if (event.key === "Escape") {
      // The newest thing that lies over the page goes first.
      if (!street.words.close() && !street.finder.close() && !street.filters.close()) street.asking.close();
    } else if (event.key === "/" && !typing) {
      by("find").focus();
      event.preventDefault();
    } else if (event.altKey && event.key === "ArrowUp") { street.tree.goUp(); event.preventDefault(); }
  });

  window.addEventListener("popstate", function () {
    if (!street.frame) return;
    readAddress();
    street.step(false);
  });

  function poll() {
    if (document.hidden || revision === null || looking) return;
    looking = true; // a slow server is asked once, not every second again
    fetch(street.base + "/changes?since=" + revision, { cache: "no-store" }).then(function (answer) {
      if (answer.status === 200) return street.step(true);
      if (answer.status === 401) window.getuDoor();
      return undefined;
    }).catch(function () { /* contact.js says that the server is gone */ }).then(function () { looking = false; });
  }

  function begin() {
    var page = (street.page = by("page"));
    street.base = page.dataset.base;
    var query = readAddress();
    if (query.get("lang") === "en" || query.get("lang") === "zh") page.dataset.lang = query.get("lang");
    root.lang = page.dataset.lang === "zh" ? "zh-CN" : "en";
    root.dataset.theme = query.get("theme") === "light" ? "light" : "dark";
    dash.set_props("lang", { data: page.dataset.lang });
    street.ask("frame.json").then(function (answer) {
      street.frame = answer;
      street.tree.take();
      by("street-controls").innerHTML = answer.controls;
      by("street-tools").appendChild(by("tools").content);
      by("street-play").appendChild(by("player").content);
      var layers = street.asking.layers(answer.map.layers);
      var scale = window.innerWidth >= WALL_PX ? 2 : 1; // names and signs as large as the page's words
      var shown = { theme: root.dataset.theme, scale: scale };
      if (window.innerWidth <= NARROW_PX) shown.covered = NARROW_COVERED;
      street.setMap(Object.assign(shown, answer.map, { layers: layers }));
      takeShown();
      Object.keys(answer.labels).forEach(function (id) {
        by(id).setAttribute("aria-label", answer.labels[id]);
        if (by(id).tagName === "BUTTON") by(id).title = answer.labels[id];
      });
      by("boot").hidden = true;
      by("side").appendChild(text("p", answer.words.loading, "quiet")); // until the figures come
      return street.step(false).then(function () { street.asking.begin(query.get("ask")); });
    }).catch(function (error) { by("boot").hidden = true; street.fail(error); });
    setInterval(poll, POLL_MS);
    setInterval(function () { if (!document.hidden && street.frame) street.step(true); }, MINUTE_MS);
  }

  var layerStates = {};

  function sayStates(layers) {
    layerStates = layers;
    all("[data-layer]").forEach(function (box) {
      var one = layers[box.dataset.layer];
      var state = one ? one.state : "off";
      box.dataset.state = state;
      var words = street.frame.map.words["state_" + state];
      box.querySelector("small").textContent = words && state !== "idle" && state !== "off" ? " " + words : "";
    });
  }

  street.follow_map = function (clicked, viewport, status) {
    if (!street.page) begin();
    if (!street.frame) return dash.no_update;
    if (viewport) street.zoom = viewport.zoom;
    if (clicked && clicked.n !== seen.clicks && clicked.n !== undefined) {
      seen.clicks = clicked.n;
      if (street.asking.take(clicked)) return dash.no_update;
      if (clicked.layer === "incident-dots" && clicked.id) {
        window.location.href = street.base + "/area/case/" + clicked.id + "?lang=" + street.page.dataset.lang;
      } else if (clicked.properties && clicked.properties.uid !== undefined) street.tree.goTowards(clicked.properties.uid);
    }
    if (status && status.state === "idle" && !seen.idle) {
      seen.idle = true;
      // Its outline may have come after the step.
      if (street.at.uid !== null) street.setMap(street.tree.lookAt(street.at.uid));
    }
    if (status && status.layers) sayStates(status.layers);
    return dash.no_update;
  };
})();
