/* The duty desk: the queue, the alarm that is open, its acts, the sound, and the wall it holds. */
(function () {
  "use strict";
  var TICK_MS = 1000;
  var RING_MS = 4000; // between two signals while an alarm waits
  var TONES_HZ = { 1: [880, 660, 880], 2: [740, 740], 3: [620], 4: [520] };
  var ALARMS = "duty-alarms";
  var SCALE = window.innerWidth >= 3000 ? 2 : 1; // names and signs as large as the page's words
  var asked = new URLSearchParams(window.location.search);
  var dash = (window.dash_clientside = window.dash_clientside || {});
  var live = null;
  var have = {};
  var since = "";
  var open = Number(asked.get("alarm")) || null;
  var layers = null;
  var waiting = [];
  var scenes = [];
  var hold = null;
  var sound = null; // the browser's own, once a hand has touched the page
  var rungAt = -RING_MS;
  var marked = ""; // where the open alarm is
  var known = null; // alarms that were there before

  function by(id) { return document.getElementById(id); }

  dash.duty = {
    take_click: function (clicked) {
      var one = clicked && clicked.layer === ALARMS ? clicked.properties.alarm : null;
      if (one) show(Number(one));
      return dash.no_update;
    }
  };

  /* --- what is new -------------------------------------------------------------------------- */

  function poll() {
    var held = Object.keys(have).map(function (name) { return name + ":" + have[name]; }).join(",");
    var query = new URLSearchParams({ lang: live.lang, since: since, have: held });
    return live.read("/duty/news?" + query.toString()).then(function (news) {
      if (news) take(news);
      tick();
    });
  }

  function take(news) {
    var changed = news.stamp.split(".")[0] !== since.split(".")[0];
    since = news.stamp;
    var ground = news.map ? news.map.mark : have.ground;
    var focused = document.activeElement && document.activeElement.dataset.alarm;
    live.fill(news, have);
    have.ground = ground;
    if (focused && by("part-queue").querySelector('[data-alarm="' + focused + '"]')) {
      by("part-queue").querySelector('[data-alarm="' + focused + '"]').focus();
    }
    if (news.map) {
      layers = live.moveMarks(news.map.props.layers, marked, true);
      live.setMap(Object.assign({}, news.map.props, {
        layers: layers, lang: live.lang, theme: document.documentElement.dataset.theme, scale: SCALE
      }));
    }
    placeAlarms(news.places);
    waiting = news.waiting.filter(function (one) { return !one.silent; });
    var fresh = news.waiting.filter(function (one) { return known && known.indexOf(one.alarm) < 0; });
    known = news.waiting.map(function (one) { return one.alarm; });
    if (fresh.length) rungAt = -RING_MS;
    scenes = news.scenes;
    hold = news.hold;
    by("duty-hold").hidden = !news.steers; // walls show the whole city: who sees a part leaves them
    drawHold();
    markOpen();
    if (open && changed) show(open, true);
  }

  function placeAlarms(mark) {
    if (!layers) return;
    layers = layers.map(function (layer) {
      if (layer.id !== ALARMS) return layer;
      var url = layer.source.url.replace(/v=.*$/, "v=" + mark);
      return Object.assign({}, layer, { source: Object.assign({}, layer.source, { url: url }) });
    });
    live.setMap({ layers: layers });
  }

  function markOpen() {
    by("part-queue").querySelectorAll("[data-alarm]").forEach(function (row) {
      if (Number(row.dataset.alarm) === open) row.setAttribute("aria-current", "true");
      else row.removeAttribute("aria-current");
    });
  }

  /* --- the alarm that is open --------------------------------------------------------------- */

  function show(alarm, still) {
    var typed = still ? { text: valueOf("duty-text"), to: valueOf("duty-to") } : null;
    var focus = still && document.activeElement ? document.activeElement.id : "";
    open = alarm;
    live.read("/duty/alarms/" + alarm + "?lang=" + live.lang).then(function (found) {
      if (open !== alarm || !found) return;
      by("duty-card").innerHTML = found.card;
      by("duty-acts").innerHTML = found.acts;
      if (typed) {
        if (by("duty-text")) by("duty-text").value = typed.text;
        if (by("duty-to")) by("duty-to").value = typed.to;
        if (focus && by(focus)) by(focus).focus();
      } else {
        by("duty-card").focus();
        tell("");
        marked = found.where;
        if (layers) layers = live.moveMarks(layers, marked, true);
        live.setMap(layers ? { layers: layers, selected: found.selected } : { selected: found.selected });
        if (found.view) live.setMap({ view: found.view });
      }
      markOpen();
    }).catch(function (error) {
      tell(error.said ? error.message : "", true);
    });
    markOpen();
    asked.set("alarm", alarm);
    window.history.replaceState(null, "", "?" + asked.toString());
  }

  function tell(text, bad) {
    by("duty-said").textContent = text;
    by("duty-said").toggleAttribute("data-bad", Boolean(bad));
  }

  function valueOf(id) { return by(id) ? by(id).value : ""; }

  function act(button) {
    var name = button.dataset.act;
    if (name === "hold") { steer("alarm", String(open)); return; }
    var wish = { what: name, text: valueOf("duty-text") };
    if (name === "hand_over") wish.to = valueOf("duty-to");
    if (name === "verdict") wish.verdict = button.dataset.verdict;
    button.disabled = true;
    live.read("/live/alarms/" + open + "/notes", wish).then(function () {
      if (by("duty-text")) by("duty-text").value = "";
      if (by("duty-to")) by("duty-to").value = "";
      tell(live.say("done"));
      show(open, true);
    }).catch(function (error) {
      tell(live.say("failed", { why: error.message }), true);
    }).then(function () { button.disabled = false; });
  }

  /* Only a demo city has the button. */
  function tryOne() {
    live.read("/duty/trial", {}).then(poll).catch(function (error) {
      tell(live.say("failed", { why: error.message }), true);
    });
  }

  /* --- the wall ----------------------------------------------------------------------------- */

  function steer(what, target) {
    live.read("/duty/hold", { what: what, target: target }).then(function () {
      hold = what ? { what: what, target: target } : null;
      drawHold();
    }).catch(function (error) {
      tell(live.say("failed", { why: error.message }), true);
    });
  }

  function drawHold() {
    var box = by("duty-hold");
    var key = JSON.stringify([hold, scenes, live.lang]);
    if (box.dataset.key === key) return;
    box.dataset.key = key;
    box.textContent = "";
    box.setAttribute("aria-label", live.say("wall"));
    if (hold) {
      var button = document.createElement("button");
      button.className = "tool held";
      button.textContent = live.say("held", { what: hold.what === "alarm" ? "#" + hold.target : hold.target }) +
        " · " + live.say("release");
      button.addEventListener("click", function () { steer("", ""); });
      box.appendChild(button);
      return;
    }
    var select = document.createElement("select");
    select.setAttribute("aria-label", live.say("holdScene"));
    [live.say("holdScene")].concat(scenes).forEach(function (name, place) {
      var option = document.createElement("option");
      option.textContent = name;
      option.value = place ? name : "";
      select.appendChild(option);
    });
    select.addEventListener("change", function () { if (select.value) steer("scene", select.value); });
    box.appendChild(select);
  }

  /* --- the sound ---------------------------------------------------------------------------- */

  function wake() {
    var Context = window.AudioContext || window.webkitAudioContext;
    if (!sound && Context) sound = new Context();
    if (sound && sound.state !== "running") return sound.resume().then(drawLamp, drawLamp);
    drawLamp();
    return Promise.resolve();
  }

  function drawLamp() {
    var armed = Boolean(sound && sound.state === "running");
    var lamp = by("duty-lamp");
    lamp.textContent = live.say(armed ? "soundArmed" : "soundBlocked");
    lamp.dataset.armed = String(armed);
  }

  function ring(level) {
    if (!sound || sound.state !== "running") return;
    TONES_HZ[level].forEach(function (hz, place) {
      var tone = sound.createOscillator();
      var loud = sound.createGain();
      var at = sound.currentTime + place * 0.28;
      tone.frequency.value = hz;
      loud.gain.setValueAtTime(0.0001, at);
      loud.gain.exponentialRampToValueAtTime(0.35, at + 0.03);
      loud.gain.exponentialRampToValueAtTime(0.0001, at + 0.24);
      tone.connect(loud);
      loud.connect(sound.destination);
      tone.start(at);
      tone.stop(at + 0.26);
    });
  }

  /* --- the clock, and the beginning --------------------------------------------------------- */

  function tick() {
    by("duty-clock").textContent = live.dayText() + " " + live.clockText(live.serverMs(), true);
    document.documentElement.dataset.duty = live.tellAge() ? "lost" : "fresh";
    drawLamp();
    if (waiting.length && live.steady() - rungAt >= RING_MS) {
      rungAt = live.steady();
      ring(Math.min.apply(null, waiting.map(function (one) { return one.level; })));
    }
    document.title = (waiting.length ? "(" + waiting.length + ") " : "") + live.say("title") + " · " + live.say("city");
  }

  function begin() {
    window.dash_clientside.set_props("lang", { data: live.lang }); // then the bar says who is here
    by("duty-city").textContent = live.say("city");
    by("duty-title").textContent = live.say("title");
    by("duty-test").textContent = live.say("soundTest");
    by("duty-shift").textContent = live.say("shift");
    by("duty-wall").textContent = live.say("wall");
    by("duty-card").textContent = live.say("noneOpen");
    if (by("duty-trial")) {
      by("duty-trial").textContent = live.say("trial");
      by("duty-trial").addEventListener("click", tryOne);
    }
    by("part-queue").setAttribute("aria-label", live.say("queue"));
    ["duty-shift", "duty-wall"].forEach(function (id) { by(id).href += "?lang=" + live.lang; });
    asked.set("lang", live.lang === "zh" ? "en" : "zh");
    by("lang-switch").href = "?" + asked.toString();
    asked.set("lang", live.lang);
    by("duty-test").addEventListener("click", function () { wake().then(function () { ring(1); }); });
    document.addEventListener("pointerdown", wake, { once: true });
    document.addEventListener("keydown", wake, { once: true });
    document.addEventListener("click", function (event) {
      var row = event.target.closest("#part-queue [data-alarm]");
      var button = event.target.closest("[data-act]");
      if (row) show(Number(row.dataset.alarm));
      else if (button) act(button);
    });
    if (open) show(open);
    wake();
    live.follow(poll);
    setInterval(tick, TICK_MS);
  }

  function start() {
    live = window.getuLive;
    var page = document.getElementById("page");
    if (!live || !page) { setTimeout(start, 20); return; }
    if (page.className === "duty-refused") { // there is no map to wait for
      document.getElementById("boot").hidden = true;
      document.documentElement.dataset.map = "none";
      return;
    }
    live.begin("#page.duty", begin);
  }

  start();
})();
