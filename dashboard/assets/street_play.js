/* Playback on the street: the frames are fetched once, then played from what the browser holds. */
window.dash_clientside.street.add(function (street, by, all) {
  "use strict";
  var STEP_MS = 600;
  var film = null; // {frames, grids, counts, breaks, key}
  var timer = 0;
  var legend = ""; // the page's own, while a film's stands in its place
  var showing = false; // a frame stands in the place of the page's own figures

  function decode(text) {
    var raw = window.atob(text);
    var bytes = new Uint8Array(raw.length);
    for (var i = 0; i < raw.length; i++) bytes[i] = raw.charCodeAt(i);
    return new Uint16Array(bytes.buffer);
  }

  function load() {
    var key = street.query({});
    if (film && film.key === key) return Promise.resolve(film);
    return street.ask("frames.json", {}).then(function (answer) {
      film = Object.assign(answer, { key: key, counts: decode(answer.counts) });
      by("frame").max = Math.max(film.frames.length - 1, 0);
      return film;
    });
  }

  function show(place) {
    if (!film || !film.frames.length) return;
    var from = place * film.grids;
    var values = Array.prototype.slice.call(film.counts.subarray(from, from + film.grids));
    street.setMap({ values: Object.assign({}, street.figures, {
      "street-grids": { values: values, breaks: film.breaks, thin: [], revision: -1 - place }
    }) });
    if (!showing) by("street-legend").innerHTML = film.legend;
    showing = true;
    by("frame").value = place;
    by("frame-name").textContent = film.frames[place];
    var at = film.at[place];
    var next = film.at[place + 1] || Infinity;
    all(".trend rect").forEach(function (bar) {
      var own = Number(bar.dataset.at);
      bar.classList.toggle("now", own >= at && own < next);
    });
  }

  function stop() {
    clearInterval(timer);
    timer = 0;
    press(false);
  }

  function press(on) {
    var button = by("play");
    button.setAttribute("aria-pressed", String(on));
    button.textContent = on ? "❚❚" : "▶";
  }

  function tick() {
    var place = Number(by("frame").value) + 1;
    if (place >= film.frames.length) { stop(); return; }
    show(place);
  }

  street.press("#play", function () {
    if (timer) { stop(); return; }
    press(true);
    load().then(function () {
      if (!film.frames.length) { stop(); return; }
      var place = Number(by("frame").value);
      show(place >= film.frames.length - 1 ? 0 : place);
      timer = setInterval(tick, STEP_MS);
    }).catch(stop);
  });

  document.addEventListener("input", function (event) {
    if (event.target.id !== "frame") return;
    load().then(function () { show(Number(event.target.value)); });
  });

  /* A step of the page brings its own figures: the film stops and what it covered is let go. */
  street.film = {
    takeLegend: function (html) {
      if (timer && showing) legend = html;
      else by("street-legend").innerHTML = legend = html;
    },
    stepped: function () {
      if (timer) return; // time goes on while the film plays
      if (showing) {
        street.setMap({ values: street.figures });
        by("street-legend").innerHTML = legend;
      }
      showing = false;
      by("frame").value = 0;
      by("frame-name").textContent = street.filters.span();
    }
  };
});
