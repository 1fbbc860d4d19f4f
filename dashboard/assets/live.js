/* What screens share that follow the city by themselves: asking, the server's clock, how old it is. */
(function () {
  "use strict";
  var PATIENCE_MS = 4000;
  var POLL_MS = 1000; // from one question's beginning to the next one's: an alarm shows within three seconds
  var BREATH_MS = 200; // at least, after an answer
  var QUIET_MS = 5000; // without an answer for so long, the screen says so
  var MARKS = { "wall-alarm": true, "wall-rings": false, "wall-radii": false }; // moved always, or with the rings only
  var root = document.documentElement;
  var asked = new URLSearchParams(window.location.search);
  var page = null;
  var answeredAt = 0; // when the question began that was answered last, by the browser's own steady clock
  var beforeAt = 0; // and the one before it
  var offsetMs = null; // the server's clock less that one
  var ahead = []; // revisions of the store that the figures do not show yet: {revision, at}
  var handledAt = 0; // when a hand was last on this page: polls alone keep no session open

  root.dataset.theme = asked.get("theme") === "light" ? "light" : "dark";
  ["pointerdown", "pointermove", "keydown", "wheel", "touchstart"].forEach(function (kind) {
    window.addEventListener(kind, function () { handledAt = live.steady(); }, { capture: true, passive: true });
  });

  function by(id) { return document.getElementById(id); }

  /* The header has whole seconds: the largest difference seen is the nearest one. */
  function note(answer, begun) {
    beforeAt = answeredAt;
    answeredAt = begun;
    var at = Date.parse(answer.headers.get("Date"));
    if (isNaN(at)) return;
    var seen = at - live.steady();
    if (offsetMs === null || Math.abs(seen - offsetMs) > 2000 || seen > offsetMs) offsetMs = seen;
  }

  function ask(url, body) {
    var abort = new AbortController();
    var late = setTimeout(function () { abort.abort(); }, PATIENCE_MS);
    var idle_s = Math.round((live.steady() - handledAt) / 1000);
    var headers = { "Accept-Language": live.lang, "X-Getu-Idle": String(idle_s) };
    if (body) headers["Content-Type"] = "application/json";
    var wish = { cache: "no-store", signal: abort.signal, headers: headers };
    if (body) Object.assign(wish, { method: "POST", body: JSON.stringify(body) });
    return fetch(page.dataset.base + url, wish).then(
      function (answer) { clearTimeout(late); return answer; },
      function (error) { clearTimeout(late); throw error; }
    );
  }

  var live = (window.getuLive = {
    lang: "zh",
    steady: function () { return window.performance.now(); },
    serverMs: function () { return offsetMs === null ? Date.now() : live.steady() + offsetMs; },
    setMap: function (props) { window.dash_clientside.set_props("map", props); },

    /* A sentence that came with the page, in its language. */
    say: function (name, values) {
      var text = page.dataset[name + (live.lang === "en" ? "En" : "Zh")] || "";
      Object.keys(values || {}).forEach(function (key) { text = text.replace("{" + key + "}", values[key]); });
      return text;
    },

    /* Ask for plain data: null where nothing is new; what the server refuses is an error in words. */
    read: function (url, body) {
      var begun = live.steady();
      return ask(url, body).then(function (answer) {
        if (answer.status === 401) window.getuDoor();
        if (answer.status === 204) { note(answer, begun); return null; }
        if (!answer.ok) {
          return answer.text().then(function (text) {
            throw Object.assign(new Error(text), { said: answer.status < 500 });
          });
        }
        return answer.json().then(function (plain) { note(answer, begun); return plain; });
      });
    },

    /* Ask the same again and again; what fails is asked again, and the tick says how old the screen is. */
    follow: function (question) {
      var begun = live.steady();
      function next() {
        setTimeout(function () { live.follow(question); }, Math.max(BREATH_MS, begun + POLL_MS - live.steady()));
      }
      question().then(next, next);
    },

    /* Put the parts that are new where they belong, and keep in mind which ones are held. */
    fill: function (news, have) {
      Object.keys(news.parts).forEach(function (name) {
        var box = by("part-" + name);
        if (box) box.innerHTML = news.parts[name];
      });
      Object.keys(have).forEach(function (name) {
        if (name === "scene" || name === "ground" || news.marks[name]) return;
        delete have[name];
        if (by("part-" + name)) by("part-" + name).innerHTML = "";
      });
      Object.assign(have, news.marks);
    },

    isMark: function (id) { return MARKS[id] !== undefined; },

    /* The layers with an alarm's mark and its rings at another place; nothing else is drawn anew. */
    moveMarks: function (layers, where, rings) {
      return layers.map(function (layer) {
        if (MARKS[layer.id] === undefined) return layer;
        var url = layer.source.url.replace(/v=.*$/, "v=" + (MARKS[layer.id] || rings ? where : ""));
        return Object.assign({}, layer, { source: Object.assign({}, layer.source, { url: url }) });
      });
    },

    /* A language or a drawing changes the layers; the mark stays where it is. */
    keepMarks: function (layers, held) {
      var old = {};
      (held || []).forEach(function (one) { old[one.id] = one; });
      return layers.map(function (one) {
        var moved = old[one.id] && MARKS[one.id] !== undefined;
        if (!moved) return one;
        var url = one.source.url.replace(/v=.*$/, /v=.*$/.exec(old[one.id].source.url)[0]);
        return Object.assign({}, one, { source: Object.assign({}, one.source, { url: url }) });
      });
    },

    clockText: function (ms, seconds) {
      return new Date(ms).toLocaleTimeString("en-GB", {
        hour: "2-digit", minute: "2-digit", second: seconds ? "2-digit" : undefined, timeZone: page.dataset.zone
      });
    },

    dayText: function () {
      return new Date(live.serverMs()).toLocaleDateString(live.lang === "en" ? "en-GB" : "zh-CN", {
        month: "short", day: "numeric", weekday: "short", timeZone: page.dataset.zone
      });
    },

    /* Keep in mind how far the figures shown lie behind the store: a stamp begins with both revisions. */
    noteStamp: function (stamp) {
      var revisions = stamp.split(".", 2).map(Number);
      if (!ahead.length || revisions[1] > ahead[ahead.length - 1].revision) {
        ahead.push({ revision: revisions[1], at: beforeAt }); // then at the earliest it came
      }
      ahead = ahead.filter(function (one) { return one.revision > revisions[0]; });
    },

    /* Say on the screen how old it is once nobody answers or the figures lag; tell whether that is so. */
    tellAge: function () {
      var now = live.steady();
      var silent = now - answeredAt > QUIET_MS;
      var ageMs = now - (silent || !ahead.length ? answeredAt : ahead[0].at);
      var box = by("live-lost");
      if (ageMs > QUIET_MS) {
        box.textContent = live.say(silent ? "lost" : "behind", {
          at: live.clockText(live.serverMs() - ageMs, true), age: Math.floor(ageMs / 1000)
        });
      }
      box.hidden = ageMs <= QUIET_MS;
      return ageMs > QUIET_MS;
    },

    /* Wait until the page and its map stand, then begin. */
    begin: function (selector, start) {
      page = document.querySelector(selector);
      if (!page || !by("map") || !window.dash_clientside || !window.dash_clientside.set_props) {
        if (root.dataset.map !== "none") setTimeout(function () { live.begin(selector, start); }, 50);
        return;
      }
      var lang = asked.get("lang");
      live.lang = lang === "en" || lang === "zh" ? lang : page.dataset.lang;
      root.lang = live.lang === "en" ? "en" : "zh-CN";
      by("boot").hidden = true;
      answeredAt = beforeAt = live.steady();
      start();
    }
  });
})();
