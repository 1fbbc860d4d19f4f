/* The wall: asks for what is new, keeps the last good picture, and leads it from scene to scene. */
(function () {
  "use strict";
  var root = document.documentElement;
  var asked = new URLSearchParams(window.location.search);
  var TICK_MS = 1000;

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
  var lang = "zh";
  var program = null;

  var live = window.getuLive;
  function by(id) { return document.getElementById(id); }

  /* --- the map ------------------------------------------------------------------------------ */

  var setMap = live.setMap;

  function placeMarks(where, rings) {
    if (!layers) return;
    layers = live.moveMarks(layers, where, rings);
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
      layers = props.layers = live.keepMarks(props.layers, layers);
      props.lang = lang;
    }
    props.theme = root.dataset.theme;
    props.scale = Math.max(1, Math.min(window.innerHeight / 1080, window.innerWidth / 1920));
    var moved = JSON.stringify(map.props.view) !== JSON.stringify(sceneView);
    sceneView = map.props.view || sceneView;
    if (!moved || (taking && taking.view)) delete props.view; // the map stays where it is
    setMap(props);
    held.have.scene = map.marks.scene;
    held.have.ground = map.marks.ground;
  }
  var sceneView = null;

  /* --- what is new -------------------------------------------------------------------------- */

  function poll() {
    var have = Object.keys(held.have).map(function (name) { return name + ":" + held.have[name]; });
    var query = new URLSearchParams({
      lang: lang, theme: root.dataset.theme, scene: wanted, since: held.since, have: have.join(",")
    });
    var of = wanted;
    return live.read("/wall/news?" + query.toString()).then(function (news) {
      if (news) take(news, of);
      tick();
    });
  }

  function take(news, of) {
    if (program && news.program !== program) { window.location.reload(); return; }
    program = news.program;
    held.since = news.stamp;
    live.fill(news, held.have);
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
    if (hold && hold.what === "scene" && hold.scene !== null) return hold.scene;
    var fixed = Number(asked.get("scene"));
    if (asked.has("scene") && fixed >= 1 && fixed <= scenes.length) return fixed - 1;
    var round = scenes.reduce(function (sum, one) { return sum + one.dwell_s; }, 0);
    var at = (live.serverMs() / 1000) % round;
    for (var j = 0; j < scenes.length; j++) {
      at -= scenes[j].dwell_s;
      if (at < 0) return j;
    }
    return 0;
  }

  /* The next alarm for the wall: what the desk holds, else the gravest that was not shown yet. */
  function chooseAlarm() {
    if (hold && hold.what === "alarm" && shownAlarms[hold.target] !== "held") return { alarm: Number(hold.target), state: "held" };
    var waiting = queue.filter(function (one) { return shownAlarms[one.alarm] !== one.state; });
    waiting.sort(function (a, b) { return a.level - b.level || a.alarm - b.alarm; });
    return waiting[0] || null;
  }

  function direct() {
    var now = live.steady();
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
    taking = Object.assign({ until: live.steady() + alarmS * 1000 }, next);
    var mine = taking;
    live.read("/wall/alarms/" + next.alarm + "?lang=" + lang).then(function (found) {
      if (taking !== mine) return;
      mine.view = found.view;
      var waiting = queue.filter(function (one) { return shownAlarms[one.alarm] !== one.state; }).length;
      var card = by("wall-card");
      card.innerHTML = found.card + (waiting > 1 ? '<p class="quiet"></p>' : "");
      if (waiting > 1) card.lastElementChild.textContent = live.say("queue", { n: waiting - 1, of: queue.length });
      card.dataset.alarm = next.alarm;
      card.hidden = false;
      by("wall-scene").textContent = mine.state === "held" ? live.say("held") : "";
      placeMarks(found.where, true);
      cover();
      setMap(found.view ? { selected: found.selected, view: found.view } : { selected: found.selected });
    }).catch(function (error) {
      if (error.said) shownAlarms[next.alarm] = next.state; // it is gone, or not for this wall
      if (taking === mine) taking = null; // else asked again
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

  function tick() {
    by("wall-clock").textContent = live.dayText() + " " + live.clockText(live.serverMs(), true);
    root.dataset.wall = live.tellAge() ? "lost" : "fresh";
    direct();
  }

  /* --- the beginning ------------------------------------------------------------------------ */

  live.begin("#page.wall", function () {
    lang = live.lang;
    document.title = live.say("title");
    by("wall-city").textContent = live.say("city");
    wanted = chooseScene();
    live.follow(poll);
    setInterval(tick, TICK_MS);
  });
})();
