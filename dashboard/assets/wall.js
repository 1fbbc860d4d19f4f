/* The wall: asks for what is new, keeps the last good picture, and leads it from scene to scene. */
(function () {
  "use strict";
  var root = document.documentElement;
  var asked = new URLSearchParams(window.location.search);
  var TICK_MS = 1000;
  var CALM = ["base", "outline", "labels"];
  var large = asked.get("letters") === "large"; // for who stands ten metres away

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
  if (large) root.dataset.letters = "large";
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

  function findScale() {
    return Math.max(1, Math.min(window.innerHeight / 1080, window.innerWidth / 1920)) * (large ? 1.25 : 1);
  }

  function takeMap(map) {
    var props = Object.assign({}, map.props);
    if (props.values) props.values = withFrame((sceneValues = props.values));
    if (props.layers) {
      layers = props.layers = live.keepMarks(props.layers, layers);
      props.lang = lang;
    }
    if (props.shown) props.shown = calm((sceneShown = props.shown));
    props.theme = root.dataset.theme;
    props.scale = findScale();
    var moved = JSON.stringify(map.props.view) !== JSON.stringify(sceneView);
    sceneView = map.props.view || sceneView;
    if ("selected" in props) sceneSelected = props.selected;
    if (taking) delete props.selected;
    if (!moved || (taking && taking.view)) delete props.view; // the map stays where it is
    setMap(props);
    held.have.scene = map.marks.scene;
    held.have.ground = map.marks.ground;
  }
  var sceneView = null;
  var sceneSelected = null; // the area that a scene is of
  var where = ""; // and its name
  var sceneShown = [];

  /* Under an alarm no grid has a colour: its legend gave way to the card. */
  function calm(shown) {
    if (!taking || !layers) return shown;
    return shown.filter(function (id) {
      var layer = layers.filter(function (one) { return one.id === id; })[0];
      return !layer || CALM.indexOf(layer.kind) >= 0 || live.isMark(id);
    });
  }

  /* --- a film: the scene's frames, by the server's clock, so that all walls show the same one --- */

  var FILM = "wall-film";
  var film = null; // the one that is held: {mark, frames, breaks, names, reported, closed}
  var playing = false;
  var frame = 0;
  var sceneValues = {};
  var share = 0; // of the scene's time that is over

  /* Tell whether a film begins that the map does not play yet. */
  function takeFilm(given) {
    var old = playing && film.mark;
    if (given && given.frames) film = given;
    playing = Boolean(given && film && film.mark === given.mark);
    var begins = playing && film.mark !== old;
    if (begins) frame = findFrame();
    return begins;
  }

  function findFrame() {
    return Math.max(0, Math.min(film.frames.length - 1, Math.floor(share * film.frames.length)));
  }

  function withFrame(values) {
    if (!playing) return values;
    var plain = Object.assign({}, values);
    plain[FILM] = { values: film.frames[frame] || [], breaks: film.breaks, thin: [], revision: -1 - frame };
    return plain;
  }

  function playFilm() {
    if (!playing || !by("film-n")) return;
    if (!taking && wanted === scene && findFrame() !== frame) {
      frame = findFrame();
      setMap({ values: withFrame(sceneValues) });
    }
    by("film-n").textContent = film.reported[frame].toLocaleString("en-US");
    by("film-closed").textContent = film.closed[frame].toLocaleString("en-US");
    by("film-at").textContent = film.names[frame];
    by("part-film").querySelectorAll(".hour").forEach(function (bar, place) {
      bar.classList.toggle("now", place === frame);
    });
  }

  /* --- what is new -------------------------------------------------------------------------- */

  function poll() {
    var have = Object.keys(held.have).map(function (name) { return name + ":" + held.have[name]; });
    var query = new URLSearchParams({
      lang: lang, theme: root.dataset.theme, scene: wanted, since: held.since, have: have.join(","),
      film: film ? film.mark : ""
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
    live.noteStamp(news.stamp);
    live.fill(news, held.have);
    scenes = news.scenes;
    where = news.where;
    hold = news.hold;
    if (taking) freshen();
    alarmS = news.alarm_s;
    queue = news.alarms;
    scene = of;
    var begins = takeFilm(news.film);
    if (news.map) takeMap(news.map);
    if (begins) setMap({ values: withFrame(sceneValues) });
    cover();
    var dim = asked.get("dim");
    by("wall-dim").hidden = !(dim === "on" || (dim !== "off" && news.dim));
    direct();
  }

  /* --- the director ------------------------------------------------------------------------- */

  /* Every wall of a city shows the same scene: the clock says which. */
  function chooseScene() {
    if (hold && hold.what === "scene" && hold.scene !== null) return stayAt(hold.scene);
    var fixed = Number(asked.get("scene"));
    if (asked.has("scene") && fixed >= 1 && fixed <= scenes.length) return stayAt(fixed - 1);
    var round = scenes.reduce(function (sum, one) { return sum + one.dwell_s; }, 0);
    var at = (live.serverMs() / 1000) % round;
    for (var j = 0; j < scenes.length; j++) {
      share = at / scenes[j].dwell_s;
      if (share < 1) return j;
      at -= scenes[j].dwell_s;
    }
    return 0;
  }

  /* A scene that stays begins its film anew each time its seconds are over. */
  function stayAt(place) {
    var dwell_s = scenes[place] ? scenes[place].dwell_s : 1;
    share = ((live.serverMs() / 1000) % dwell_s) / dwell_s;
    return place;
  }

  /* The next alarm for the wall: what the desk holds, else the gravest that was not shown yet. */
  function chooseAlarm() {
    if (hold && hold.what === "alarm" && shownAlarms[hold.target] !== "held") return { alarm: Number(hold.target), state: "held", mark: hold.mark };
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
    by("wall-scene").textContent = scenes[scene] ? [scenes[scene].name, where].filter(Boolean).join(" · ") : "";
  }

  /* What was done about the alarm on the wall stands on its card at the next news. */
  function freshen() {
    if (!hold || taking.state !== "held" || hold.mark === taking.mark) return;
    var mine = taking;
    mine.mark = hold.mark;
    live.read("/wall/alarms/" + mine.alarm + "?lang=" + lang).then(function (found) {
      if (taking === mine) by("wall-card").innerHTML = found.card;
    }, function () { mine.mark = ""; }); // asked again with the next news
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
      by("wall-scene").textContent = live.say(mine.state === "held" ? "held" : "over");
      placeMarks(found.where, true);
      cover();
      setMap(Object.assign({ selected: found.selected, shown: calm(sceneShown) }, found.view ? { view: found.view } : {}));
    }).catch(function (error) {
      if (error.said) shownAlarms[next.alarm] = next.state; // it is gone, or not for this wall
      if (taking === mine) taking = null; // else asked again
    });
  }

  function release() {
    by("wall-card").hidden = true;
    by("wall-card").removeAttribute("data-alarm");
    placeMarks("", false);
    setMap({ selected: sceneSelected, shown: sceneShown });
    cover();
    wanted = chooseScene();
  }

  /* --- the clock, and how old the picture is ------------------------------------------------ */

  function tick() {
    by("wall-clock").textContent = live.dayText() + " " + live.clockText(live.serverMs(), true);
    root.dataset.wall = live.tellAge() ? "lost" : "fresh";
    direct();
    playFilm();
  }

  /* --- the beginning ------------------------------------------------------------------------ */

  /* The map came with the page: what of it is the same need not be sent again. */
  function takeBegun(given) {
    var map = window.dash_component_api.getLayout("map");
    if (!given.scene || !map) return;
    wanted = scene = Number(given.place);
    layers = map.props.layers;
    sceneValues = map.props.values;
    sceneView = map.props.view;
    sceneSelected = map.props.selected;
    sceneShown = map.props.shown || [];
    held.have.scene = given.scene;
    held.have.ground = given.ground;
    setMap({ scale: findScale() });
    cover();
  }

  live.begin("#page.wall", function () {
    lang = live.lang;
    document.title = live.say("title");
    by("wall-city").textContent = live.say("city");
    takeBegun(by("page").dataset);
    live.follow(poll);
    setInterval(tick, TICK_MS);
  });
})();
