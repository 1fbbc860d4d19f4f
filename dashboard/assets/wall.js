/* The wall: asks for what is new, keeps the last good picture, and leads it from scene to scene. */
(function () {
  "use strict";
  var root = document.documentElement;
  var asked = new URLSearchParams(window.location.search);
  var POLL_MS = 2000;
  var PATIENCE_MS = 4000;
  var QUIET_MS = 5000; // without an answer for so long, the wall says so
  var TICK_MS = 1000;
  var MARK = "wall-alarm";

  root.dataset.theme = asked.get("theme") === "light" ? "light" : "dark";

  var held = { have: {}, since: "" };
  var scenes = [{ name: "", dwell_s: 30 }];
  var hold = null;
  var scene = 0; // the one on the screen
  var wanted = 0; // the one that is asked for
  var layers = null;
  var alarmS = 20;
  var queue = [];
  var shownAlarms = {};
  var taking = null; // the alarm that has the wall: {alarm, until, state}
  var answeredAt = 0; // by the browser's own steady clock
  var offsetMs = null; // the server's clock less that one
  var lang = "zh";
  var program = null;
  var page = null;

  function steady() { return window.performance.now(); }
  function serverMs() { return offsetMs === null ? Date.now() : steady() + offsetMs; }
  function by(id) { return document.getElementById(id); }
  function say(name, values) {
    var text = page.dataset[name + (lang === "en" ? "En" : "Zh")] || "";
    Object.keys(values || {}).forEach(function (key) { text = text.replace("{" + key + "}", values[key]); });
    return text;
  }

  /* --- the map ------------------------------------------------------------------------------ */

  function setMap(props) { window.dash_clientside.set_props("map", props); }

  function placeMarks(where, rings) {
    if (!layers) return;
    layers = layers.map(function (layer) {
      if (layer.id !== MARK && layer.id !== "wall-rings") return layer;
      var url = layer.source.url.replace(/v=.*$/, "v=" + (layer.id === MARK || rings ? where : ""));
      return Object.assign({}, layer, { source: Object.assign({}, layer.source, { url: url }) });
    });
    setMap({ layers: layers });
  }

  /* What the legend covers is no room for the city. */
  function cover() {
    var legend = by("part-legend");
    legend.hidden = Boolean(taking);
    var strip = legend.offsetWidth > by("map-box").clientWidth / 2;
    var next = taking ? { left: by("wall-card").offsetWidth } : strip ? { bottom: legend.offsetHeight } : { right: legend.offsetWidth };
    if (JSON.stringify(next) === covered) return;
    covered = JSON.stringify(next);
    setMap({ covered: next });
    if (sceneView && !taking) setMap({ view: Object.assign({}, sceneView) });
  }
  var covered = "";

  function takeMap(map) {
    var props = Object.assign({}, map.props);
    if (props.layers) {
      // A language or a drawing changes the layers; the mark stays where it is.
      var old = {};
      (layers || []).forEach(function (one) { old[one.id] = one; });
      props.layers = props.layers.map(function (one) {
        var moved = old[one.id] && (one.id === MARK || one.id === "wall-rings");
        return moved ? Object.assign({}, one, { source: old[one.id].source }) : one;
      });
      layers = props.layers;
      props.lang = lang;
    }
    props.theme = root.dataset.theme;
    props.scale = Math.max(1, Math.min(window.innerHeight / 1080, window.innerWidth / 1920));
    if (taking && taking.view) delete props.view;
    setMap(props);
    sceneView = map.props.view || sceneView;
    held.have.scene = map.marks.scene;
    held.have.ground = map.marks.ground;
  }
  var sceneView = null;

  /* --- what is new -------------------------------------------------------------------------- */

  function ask(url) {
    var abort = new AbortController();
    var late = setTimeout(function () { abort.abort(); }, PATIENCE_MS);
    return fetch(page.dataset.base + url, { cache: "no-store", signal: abort.signal }).then(
      function (answer) { clearTimeout(late); return answer; },
      function (error) { clearTimeout(late); throw error; }
    );
  }

  function note(answer) {
    answeredAt = steady();
    var at = Date.parse(answer.headers.get("Date"));
    if (isNaN(at)) return;
    // The header has whole seconds: the largest difference seen is the nearest one.
    var seen = at - steady();
    if (offsetMs === null || Math.abs(seen - offsetMs) > 2000 || seen > offsetMs) offsetMs = seen;
  }

  function poll() {
    var have = Object.keys(held.have).map(function (name) { return name + ":" + held.have[name]; });
    var query = new URLSearchParams({
      lang: lang, theme: root.dataset.theme, scene: wanted, since: held.since, have: have.join(",")
    });
    var of = wanted;
    ask("/wall/news?" + query.toString()).then(function (answer) {
      if (answer.status === 401) { window.location.reload(); return null; }
      if (answer.status === 204) { note(answer); return null; }
      if (!answer.ok) throw new Error(String(answer.status));
      return answer.json().then(function (news) { note(answer); take(news, of); });
    }).catch(function () { /* what is shown stays; the tick says how old it is */ }).then(function () {
      setTimeout(poll, POLL_MS);
      tick();
    });
  }

  function take(news, of) {
    if (program && news.program !== program) { window.location.reload(); return; }
    program = news.program;
    held.since = news.stamp;
    Object.keys(news.parts).forEach(function (name) {
      var box = by("part-" + name);
      if (box) box.innerHTML = news.parts[name];
    });
    Object.keys(held.have).forEach(function (name) {
      if (name !== "scene" && name !== "ground" && !news.marks[name]) {
        delete held.have[name];
        if (by("part-" + name)) by("part-" + name).innerHTML = "";
      }
    });
    Object.keys(news.marks).forEach(function (name) { held.have[name] = news.marks[name]; });
    scenes = news.scenes;
    hold = news.hold;
    alarmS = news.alarm_s;
    queue = news.alarms;
    if (news.map) takeMap(news.map);
    cover();
    scene = of;
    var dim = asked.get("dim");
    by("wall-dim").hidden = !(dim === "on" || (dim !== "off" && news.dim));
    direct();
  }

  /* --- the director ------------------------------------------------------------------------- */

  /* Every wall of a city shows the same scene: the clock says which. */
  function chooseScene() {
    if (hold && hold.what === "scene") {
      for (var i = 0; i < scenes.length; i++) if (scenes[i].name === hold.target) return i;
    }
    var fixed = Number(asked.get("scene"));
    if (asked.has("scene") && fixed >= 1 && fixed <= scenes.length) return fixed - 1;
    var round = scenes.reduce(function (sum, one) { return sum + one.dwell_s; }, 0);
    var at = (serverMs() / 1000) % round;
    for (var j = 0; j < scenes.length; j++) {
      at -= scenes[j].dwell_s;
      if (at < 0) return j;
    }
    return 0;
  }

  /* The next alarm for the wall: what the desk holds, else the gravest that was not shown yet. */
  function chooseAlarm() {
    if (hold && hold.what === "alarm") return { alarm: Number(hold.target), state: "held" };
    var waiting = queue.filter(function (one) { return shownAlarms[one.alarm] !== one.state; });
    waiting.sort(function (a, b) { return a.level - b.level || a.alarm - b.alarm; });
    return waiting[0] || null;
  }

  function direct() {
    var now = steady();
    var next = chooseAlarm();
    if (taking) {
      var gone = taking.state === "held" ? !(next && next.alarm === taking.alarm && next.state === "held")
        : now > taking.until || !queue.some(function (one) { return one.alarm === taking.alarm; }) ||
          (next && (next.state === "held" || next.level < taking.level));
      if (!gone) return;
      if (taking.state !== "held") shownAlarms[taking.alarm] = taking.state;
      taking = null;
      next = chooseAlarm();
      if (!next) { release(); return; }
    }
    if (next) { takeOver(next); return; }
    wanted = chooseScene();
    by("wall-scene").textContent = scenes[scene] ? scenes[scene].name : "";
  }

  function takeOver(next) {
    taking = Object.assign({ until: steady() + alarmS * 1000 }, next);
    var mine = taking;
    ask("/wall/alarms/" + next.alarm + "?lang=" + lang).then(function (answer) {
      if (!answer.ok) throw new Error(String(answer.status));
      return answer.json();
    }).then(function (found) {
      if (taking !== mine) return;
      mine.view = found.view;
      var waiting = queue.filter(function (one) { return shownAlarms[one.alarm] !== one.state; }).length;
      var card = by("wall-card");
      card.innerHTML = found.card + (waiting > 1 ? '<p class="quiet"></p>' : "");
      if (waiting > 1) card.lastElementChild.textContent = say("queue", { n: waiting - 1, of: queue.length });
      card.dataset.alarm = next.alarm;
      card.hidden = false;
      by("wall-scene").textContent = mine.state === "held" ? say("held") : "";
      placeMarks(found.where, true);
      cover();
      setMap(found.view ? { selected: found.selected, view: found.view } : { selected: found.selected });
    }).catch(function () {
      if (taking === mine) taking = null; // asked again with the next news
    });
  }

  function release() {
    by("wall-card").hidden = true;
    by("wall-card").removeAttribute("data-alarm");
    placeMarks("", false);
    setMap({ selected: null });
    cover();
    wanted = chooseScene();
  }

  /* --- the clock, and how old the picture is ------------------------------------------------ */

  function clockText(ms, seconds) {
    return new Date(ms).toLocaleTimeString("en-GB", {
      hour: "2-digit", minute: "2-digit", second: seconds ? "2-digit" : undefined,
      timeZone: page.dataset.zone
    });
  }

  function tick() {
    if (!page) return;
    var day = new Date(serverMs()).toLocaleDateString(lang === "en" ? "en-GB" : "zh-CN", {
      month: "short", day: "numeric", weekday: "short", timeZone: page.dataset.zone
    });
    by("wall-clock").textContent = day + " " + clockText(serverMs(), true);
    var ageMs = steady() - answeredAt;
    var lost = by("wall-lost");
    if (ageMs > QUIET_MS) {
      lost.textContent = say("lost", {
        at: clockText(serverMs() - ageMs, true), age: Math.floor(ageMs / 1000)
      });
      lost.hidden = false;
    } else if (!lost.hidden) {
      lost.hidden = true;
    }
    root.dataset.wall = ageMs > QUIET_MS ? "lost" : "fresh";
    direct();
  }

  /* --- the beginning ------------------------------------------------------------------------ */

  function begin() {
    page = document.querySelector("#page.wall");
    if (!page || !by("map") || !window.dash_clientside || !window.dash_clientside.set_props) {
      setTimeout(begin, 50);
      return;
    }
    lang = asked.get("lang") === "en" || asked.get("lang") === "zh" ? asked.get("lang") : page.dataset.lang;
    root.lang = lang === "en" ? "en" : "zh-CN";
    document.title = say("title");
    by("boot").hidden = true;
    by("wall-city").textContent = say("city");
    answeredAt = steady();
    wanted = chooseScene();
    poll();
    setInterval(tick, TICK_MS);
  }

  begin();
})();
