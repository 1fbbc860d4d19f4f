/* The street: every step is an address; what the browser holds it paints before it asks. */
(function () {
  "use strict";
  var root = document.documentElement;
  var dash = (window.dash_clientside = window.dash_clientside || {});
  var FILTERS = ["days", "state", "category", "kind", "body", "source", "stage", "measure"];
  var PICKED = ["kind", "body", "source", "stage", "category"];
  var POLL_MS = 5000;
  var MINUTE_MS = 60000;

  var page = null;
  var base = "";
  var frame = null; // what never changes between steps: tree, layers, words, dictionary
  var rowOf = {};
  var wholeRows = []; // the outermost areas that are several
  var at = { code: "", level: "", uid: null };
  var chosen = {};
  var names = {}; // of what was picked, for its chip
  var held = "";
  var figures = null; // of the map's layers, as the last answer gave them
  var revision = null;
  var asked = 0; // the newest question; older answers are dropped
  var seen = { clicks: 0, idle: false };

  function by(id) { return document.getElementById(id); }
  function all(selector, within) { return Array.prototype.slice.call((within || document).querySelectorAll(selector)); }
  function setMap(props) { dash.set_props("map", props); }
  function text(tag, words, className) {
    var node = document.createElement(tag);
    node.textContent = words;
    if (className) node.className = className;
    return node;
  }

  /* --- the address -------------------------------------------------------------------------- */

  function readAddress() {
    var path = window.location.pathname.slice((base + "/street/").length);
    var query = new URLSearchParams(window.location.search);
    at.code = decodeURIComponent(path.replace(/\/+$/, ""));
    at.level = query.get("level") || "";
    FILTERS.forEach(function (name) { chosen[name] = query.get(name) || ""; });
  }

  function query(more) {
    var parts = new URLSearchParams({ lang: page.dataset.lang, theme: root.dataset.theme });
    FILTERS.forEach(function (name) { if (chosen[name] !== "" && chosen[name] !== undefined) parts.set(name, chosen[name]); });
    Object.keys(more || {}).forEach(function (name) { if (more[name] !== "" && more[name] !== null) parts.set(name, more[name]); });
    return parts.toString();
  }

  function address(code) {
    return base + "/street/" + encodeURIComponent(code || "") + "?" + query({ level: at.level }) + window.location.hash;
  }

  function remember(replace) {
    window.history[replace ? "replaceState" : "pushState"](null, "", address(at.code));
    var lang = by("lang-switch");
    var other = page.dataset.lang === "zh" ? "en" : "zh";
    if (lang) lang.href = address(at.code).replace(/lang=(zh|en)/, "lang=" + other);
  }

  /* --- asking ------------------------------------------------------------------------------- */

  function ask(name, more) {
    return fetch(base + "/area/" + name + "?" + query(more), { cache: "no-store" }).then(function (answer) {
      if (answer.status === 401) { window.getuDoor(); throw new Error("signed out"); }
      var json = (answer.headers.get("Content-Type") || "").indexOf("json") >= 0;
      if (!json) return answer.text().then(function (words) { throw new Error(words); });
      return answer.json();
    });
  }

  function fail(error) {
    var side = by("side");
    var box = side.querySelector(".failure") || side.insertBefore(text("p", "", "note failure"), side.firstChild);
    box.setAttribute("role", "alert");
    box.textContent = (frame ? frame.words.failed : "") + " " + (error && error.message ? error.message : "");
  }

  function step(options) {
    var mine = ++asked;
    by("side").setAttribute("aria-busy", "true");
    return ask("panel.json", { code: at.code, level: at.level, held: held }).then(function (answer) {
      if (mine !== asked) return;
      take(answer, options || {});
    }).catch(function (error) { if (mine === asked) fail(error); }).then(function () {
      if (mine === asked) by("side").removeAttribute("aria-busy");
    });
  }

  function take(answer, options) {
    var side = by("side");
    var top = side.scrollTop;
    var kept = options.keep ? by("asked") && by("asked").innerHTML : "";
    side.innerHTML = answer.html;
    if (kept && by("asked")) by("asked").innerHTML = kept;
    side.scrollTop = options.keep ? top : 0;
    if (answer.missing) return;
    var moved = at.uid !== answer.uid;
    at.uid = answer.uid;
    at.code = answer.code;
    at.level = answer.level;
    revision = answer.revision;
    var props = { filter: answer.query, revision: String(answer.revision) };
    if (answer.values) {
      held = answer.mark;
      figures = answer.values;
      props.values = answer.values;
      by("street-legend").innerHTML = answer.legend;
    }
    if (moved || options.first) Object.assign(props, lookAt(answer.uid));
    setMap(props);
    remember(true);
    drawCrumbs();
    drawChips();
    findHot();
    document.title = (at.uid === null ? frame.whole : nameOf(at.uid)) + " · " + frame.title;
    if (dash.street.played) dash.street.played(Boolean(answer.values));
  }

  /* The hot places take longer than all else: they come after the figures. */
  function findHot() {
    var box = by("hot");
    if (!all("[data-ask]").length) { box.appendChild(text("p", box.dataset.none, "quiet small")); return; }
    ask("hot.json", { code: at.code, level: at.level }).then(function (answer) {
      if (by("hot") === box) box.innerHTML = answer.html;
    }).catch(fail);
  }

  function lookAt(uid) {
    return { selected: uid, view: uid === null ? { bounds: frame.map.bounds } : { uid: uid } };
  }

  /* --- the tree ----------------------------------------------------------------------------- */

  function takeTree() {
    var tree = frame.tree;
    var below = {};
    tree.uid.forEach(function (uid, row) {
      rowOf[uid] = row;
      (below[tree.up[row]] = below[tree.up[row]] || []).push(row);
    });
    wholeRows = below[-1] || [];
    while (wholeRows.length === 1 && below[wholeRows[0]]) wholeRows = below[wholeRows[0]];
  }

  function chain(row) {
    var found = [];
    for (; row >= 0; row = frame.tree.up[row]) found.push(row);
    return found;
  }

  function nameOf(uid) { return frame.tree.name[rowOf[uid]]; }

  /* One level down towards what was met; beside the area, its neighbour of the same level. */
  function towards(uid) {
    var row = rowOf[uid];
    if (row === undefined) return null;
    var up = chain(row);
    if (at.uid === null) return up.find(function (one) { return wholeRows.indexOf(one) >= 0; });
    var here = up.indexOf(rowOf[at.uid]);
    if (here > 0) return up[here - 1];
    if (here === 0) return row;
    var depth = chain(rowOf[at.uid]).length;
    return up.length >= depth ? up[up.length - depth] : row;
  }

  function go(uid) {
    dash.street_ask.stop();
    var row = uid === null ? -1 : rowOf[uid];
    if (row === undefined) return;
    at = { uid: uid, code: row < 0 ? "" : frame.tree.code[row], level: "" };
    if (row >= 0 && frame.tree.code.indexOf(at.code) !== frame.tree.code.lastIndexOf(at.code)) at.level = levelKey(row);
    setMap(lookAt(uid)); // what is held is painted at once; the figures follow
    drawCrumbs();
    remember(false);
    var head = document.querySelector(".area-head h2");
    if (head) head.textContent = uid === null ? frame.whole : nameOf(uid);
    step({ first: false });
  }

  function levelKey(row) { return frame.tree.keys[frame.tree.level[row]]; }

  function goUp() {
    if (at.uid === null) return;
    var up = frame.tree.up[rowOf[at.uid]];
    var whole = up < 0 || wholeRows.indexOf(rowOf[at.uid]) >= 0;
    go(whole ? null : frame.tree.uid[up]);
  }

  function drawCrumbs() {
    var box = by("crumbs");
    box.textContent = "";
    var list = document.createElement("ol");
    function add(words, uid, last) {
      var item = document.createElement("li");
      var link = text(last ? "span" : "a", words);
      if (last) link.setAttribute("aria-current", "page");
      else {
        link.href = base + "/street/" + (uid === null ? "" : encodeURIComponent(frame.tree.code[rowOf[uid]]));
        link.dataset.go = uid === null ? "" : uid;
      }
      item.appendChild(link);
      list.appendChild(item);
    }
    add(frame.whole, null, at.uid === null);
    if (at.uid !== null) {
      var rows = chain(rowOf[at.uid]).reverse();
      var from = rows.findIndex(function (row) { return wholeRows.indexOf(row) >= 0; });
      rows.slice(Math.max(from, 0)).forEach(function (row) {
        var uid = frame.tree.uid[row];
        add(frame.tree.name[row], uid, uid === at.uid);
      });
    }
    box.appendChild(list);
  }

  /* --- filters ------------------------------------------------------------------------------ */

  function drawChips() {
    var box = by("chips");
    if (!box) return;
    box.textContent = "";
    var n = 0;
    PICKED.concat(["state"]).forEach(function (name) {
      if (!chosen[name] || chosen[name] === "all") return;
      n += 1;
      if (name === "category" || name === "state") return;
      var chip = text("button", (names[name] || chosen[name]) + " ×", "chip");
      chip.type = "button";
      chip.dataset.drop = name;
      box.appendChild(chip);
    });
    by("filter-n").textContent = n ? String(n) : "";
    all("[data-filter]").forEach(function (select) {
      if (chosen[select.dataset.filter]) select.value = chosen[select.dataset.filter];
      else if (select.dataset.filter === "category") select.value = "";
    });
  }

  function filter(name, value) {
    chosen[name] = value;
    if (name === "measure") remeasure();
    remember(false);
    step({ keep: true });
  }

  /* Another measure has its own colours: the layers are described anew. */
  function remeasure() {
    ask("frame.json").then(function (answer) {
      frame.map.layers = answer.map.layers;
      setMap({ layers: dash.street_ask.layers(frame.map.layers) });
    }).catch(fail);
  }

  function takeShown() {
    var shown = all("[data-switch]").filter(function (box) { return box.checked; })
      .map(function (box) { return box.dataset.switch; });
    setMap({ shown: shown.concat(["street-asked"]) });
  }

  /* --- wires -------------------------------------------------------------------------------- */

  document.addEventListener("click", function (event) {
    var near = event.target.closest.bind(event.target);
    var plain = !event.metaKey && !event.ctrlKey && !event.shiftKey && event.button === 0;
    var node;
    if (!frame) return;
    if ((node = near("[data-go]")) && plain) {
      event.preventDefault();
      go(node.dataset.go === "" ? null : Number(node.dataset.go));
    } else if ((node = near("[data-pick]"))) {
      names[node.dataset.pick] = node.dataset.name;
      filter(node.dataset.pick, chosen[node.dataset.pick] === node.dataset.value ? "" : node.dataset.value);
    } else if ((node = near("[data-drop]"))) filter(node.dataset.drop, "");
    else if ((node = near("[data-clear]"))) {
      PICKED.concat(["state"]).forEach(function (name) { chosen[name] = ""; });
      remember(false);
      step({ keep: true });
      all("[data-filter=state]").forEach(function (one) { one.value = "all"; });
    } else if (near("[data-up]")) goUp();
    else if ((node = near("[data-fly]"))) {
      setMap({ view: { center: node.dataset.fly.split(",").map(Number), zoom: 18 } });
    } else if (near("#theme-switch")) {
      root.dataset.theme = root.dataset.theme === "dark" ? "light" : "dark";
      held = "";
      setMap({ theme: root.dataset.theme });
      remember(true);
      step({ keep: true });
    }
  });

  document.addEventListener("change", function (event) {
    var node = event.target;
    if (node.dataset.filter) filter(node.dataset.filter, node.value === "all" ? "" : node.value);
    else if (node.dataset.switch) takeShown();
  });

  document.addEventListener("keydown", function (event) {
    if (!frame) return;
    var typing_in = /^(INPUT|SELECT|TEXTAREA)$/.test(event.target.tagName);
    if (event.key === "Escape") {
      // The newest thing that lies over the page goes first.
      if (!dash.street_words.close() && !dash.street_find.close()) dash.street_ask.close();
    } else if (event.key === "/" && !typing_in) {
      by("find").focus();
      event.preventDefault();
    } else if (event.altKey && event.key === "ArrowUp") { goUp(); event.preventDefault(); }
  });

  window.addEventListener("popstate", function () {
    if (!page) return;
    readAddress();
    step({});
  });

  function poll() {
    if (document.hidden || revision === null) return;
    fetch(base + "/changes?since=" + revision, { cache: "no-store" }).then(function (answer) {
      if (answer.status === 200) step({ keep: true });
    }).catch(function () { /* contact.js says that the server is gone */ });
  }

  function begin() {
    page = by("page");
    base = page.dataset.base;
    var asked_for = new URLSearchParams(window.location.search);
    if (asked_for.get("lang") === "en" || asked_for.get("lang") === "zh") page.dataset.lang = asked_for.get("lang");
    root.lang = page.dataset.lang === "zh" ? "zh-CN" : "en";
    root.dataset.theme = asked_for.get("theme") === "light" ? "light" : "dark";
    readAddress();
    if (!chosen.days) chosen.days = "90";
    dash.set_props("lang", { data: page.dataset.lang });
    ask("frame.json").then(function (answer) {
      frame = answer;
      takeTree();
      by("street-controls").innerHTML = frame.controls;
      by("street-tools").appendChild(by("tools").content);
      by("street-play").appendChild(by("player").content);
      setMap(Object.assign({ theme: root.dataset.theme }, frame.map, { layers: dash.street_ask.layers(frame.map.layers) }));
      takeShown();
      Object.keys(frame.labels).forEach(function (id) {
        by(id).setAttribute("aria-label", frame.labels[id]);
        if (by(id).tagName === "BUTTON") by(id).title = frame.labels[id];
      });
      by("boot").hidden = true;
      return step({ first: true });
    }).catch(function (error) { by("boot").hidden = true; fail(error); });
    setInterval(poll, POLL_MS);
    setInterval(function () { if (!document.hidden && frame) step({ keep: true }); }, MINUTE_MS);
  }

  /* The other scripts of this page come after this one, in the order of their names. */
  dash.street = {
    by: by,
    all: all,
    text: text,
    follow_map: function (clicked, viewport, status) {
      if (!page) begin();
      if (!frame) return dash.no_update;
      if (clicked && clicked.n !== seen.clicks && clicked.n !== undefined) {
        seen.clicks = clicked.n;
        if (dash.street_ask.take(clicked)) return dash.no_update;
        if (clicked.layer === "incident-dots" && clicked.id) {
          window.location.href = base + "/area/case/" + clicked.id + "?lang=" + page.dataset.lang;
        } else if (clicked.properties && clicked.properties.uid !== undefined) {
          var row = towards(clicked.properties.uid);
          if (row !== null && row !== undefined && frame.tree.uid[row] !== at.uid) go(frame.tree.uid[row]);
        }
      }
      if (status && status.state === "idle" && !seen.idle) {
        seen.idle = true;
        if (at.uid !== null) setMap(lookAt(at.uid)); // its outline may have come after the step
      }
      if (status && status.layers) {
        all("[data-layer]").forEach(function (box) {
          var one = status.layers[box.dataset.layer];
          var state = one ? one.state : "off";
          box.dataset.state = state;
          var words = frame.map.words["state_" + state];
          box.querySelector("small").textContent = words && state !== "idle" && state !== "off" ? " " + words : "";
        });
      }
      return dash.no_update;
    },
    query: query,
    shown: function () { return "lang=" + page.dataset.lang + "&theme=" + root.dataset.theme; },
    base: function () { return base; },
    go: go,
    fail: fail,
    ask: ask,
    setMap: setMap,
    place: function () { return at; },
    frame: function () { return frame; },
    figures: function () { return figures; }
  };
})();
