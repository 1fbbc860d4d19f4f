/* Whether the server answers, said on the page: Dash itself keeps silent about it. */
(function () {
  "use strict";
  var WATCHED = /\/_dash-(update-component|layout|dependencies)|\/area\/\w+\.json|\/changes\?/;
  var POLL = '"output":"revision.data"';
  var PATIENCE_MS = 15000; // a call without an answer for so long is said to be without its server
  var LOST_MS = 60000; // and for so long will never have one
  var KNOCK_MS = 3000;
  var RENEWED = "getu-renewed";
  var CALM_MS = 30000; // between two such openings, however often the server comes and goes
  var GONE = [502, 503, 504]; // what a proxy says when there is nobody behind it
  var ask = window.fetch;
  var seen = new Date();
  var gone = false;
  var broken = false; // the server was away, not only slow: the map may have lost tiles with it
  var lost = false; // something but a poll went unanswered: what is on the screen is not what was asked for
  var faults = {};
  var handled = Date.now(); // when a hand was last on this page: polls alone keep no session open

  ["pointerdown", "pointermove", "keydown", "wheel", "touchstart"].forEach(function (kind) {
    window.addEventListener(kind, function () { handled = Date.now(); }, { capture: true, passive: true });
  });

  function say() {
    var banner = document.getElementById("banner");
    var english = document.documentElement.lang === "en";
    var texts = Object.keys(faults).map(function (name) { return faults[name]; });
    texts = texts.filter(function (text, place) { return texts.indexOf(text) === place; });
    if (gone) {
      var at = seen.toLocaleTimeString("en-GB", {
        hour: "2-digit", minute: "2-digit", timeZone: banner.dataset.zone
      });
      texts = [(english ? banner.dataset.en : banner.dataset.zh).replace("{at}", at)];
    }
    if (banner.textContent !== texts.join(" ")) banner.textContent = texts.join(" ");
    banner.hidden = texts.length === 0;
  }

  function again() {
    broken = true;
    setTimeout(knock, KNOCK_MS);
  }

  function knock() {
    var prefix = JSON.parse(document.getElementById("_dash-config").textContent).requests_pathname_prefix;
    ask(prefix + "healthz", { cache: "no-store" }).then(function (answer) {
      if (answer.ok) meet();
      else again();
    }, again);
  }

  function meet() {
    seen = new Date();
    if (!gone) return;
    gone = false;
    if (lost || (broken && document.documentElement.dataset.map !== "idle")) renew();
    else say();
    broken = false;
  }

  /* Ask again for what went unanswered by opening the page anew: its address holds the view. */
  function renew() {
    var wait = Number(sessionStorage.getItem(RENEWED)) + CALM_MS - Date.now();
    setTimeout(function () {
      sessionStorage.setItem(RENEWED, Date.now());
      window.location.reload();
    }, Math.max(0, wait));
  }

  function miss(isPoll) {
    lost = lost || !isPoll;
    broken = true;
    doubt();
  }

  /* A slow answer is on its way: opening the page anew would make a busy server busier. */
  function doubt() {
    if (gone) return;
    gone = true;
    say();
    setTimeout(knock, KNOCK_MS);
  }

  function note(name, text) {
    if (text) faults[name] = text;
    else delete faults[name];
    say();
  }

  /* The session is over: opened anew, the page leads to the door. A form that was just sent, signing out
     above all, is on its way already, and opening the page anew would take its answer away. */
  var sent = false;
  window.addEventListener("submit", function (event) { sent = sent || !event.defaultPrevented; });
  window.getuDoor = function () { if (!sent) window.location.reload(); };

  window.fetch = function (input, init) {
    var url = String((input && input.url) || input);
    if (!WATCHED.test(url)) return ask.call(window, input, init);
    var body = String((init && init.body) || "");
    var isPoll = body.indexOf(POLL) >= 0 || url.indexOf("/changes?") >= 0;
    var name = (/"output":"([^"]*)"/.exec(body) || [url, url])[1];
    // The server's sentences come in the page's language, not in the browser's.
    var headers = Object.assign({}, init && init.headers, {
      "Accept-Language": document.documentElement.lang,
      "X-Getu-Idle": String(Math.round((Date.now() - handled) / 1000))
    });
    var late = setTimeout(function () {
      doubt();
      late = setTimeout(function () { miss(isPoll); }, LOST_MS - PATIENCE_MS);
    }, PATIENCE_MS);
    return ask.call(window, input, Object.assign({}, init, { headers: headers })).then(function (answer) {
      clearTimeout(late);
      var plain = /^text\/plain/.test(answer.headers.get("Content-Type"));
      if (GONE.indexOf(answer.status) >= 0 && !plain) miss(isPoll);
      else meet();
      if (answer.status === 401) window.getuDoor();
      if (answer.ok) note(name, "");
      else if (plain && !/\/area\//.test(url)) // the street says in its own side what it was refused
        answer.clone().text().then(function (text) { note(name, text); });
      return answer;
    }, function (error) {
      clearTimeout(late);
      if (error.name !== "AbortError") miss(isPoll);
      throw error;
    });
  };
})();
