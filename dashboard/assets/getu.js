/* What the page does without the server: switches, theme, selection, address. */
(function () {
  "use strict";
  var dash = (window.dash_clientside = window.dash_clientside || {});

  function trigger() {
    return dash.callback_context.triggered_id;
  }

  function put(query, name, value) {
    if (value !== null && value !== undefined && value !== "") {
      query.set(name, value);
    }
  }

  dash.getu = {
    take_lang: function (clicks, view, lang) {
      var next = lang;
      if (trigger() === "lang-switch") {
        next = lang === "zh" ? "en" : "zh";
      } else if (!lang && view) {
        next = view.lang;
      }
      if (!next || next === lang) {
        return [dash.no_update, dash.no_update];
      }
      document.documentElement.lang = next === "zh" ? "zh-CN" : "en";
      return [next, next];
    },

    take_theme: function (clicks, view, theme) {
      var next = theme;
      if (trigger() === "theme-switch") {
        next = theme === "dark" ? "light" : "dark";
      } else if (!theme && view) {
        next = view.theme;
      }
      if (!next || next === theme) {
        return [dash.no_update, dash.no_update];
      }
      document.documentElement.dataset.theme = next;
      return [next, next];
    },

    take_shown: function (shown) {
      return shown || [];
    },

    take_grid: function (clicked, view, picks, grid) {
      var from = trigger();
      var next = grid === undefined ? null : grid;
      if (from === "map") {
        next = clicked && clicked.properties && clicked.properties.uid !== undefined
          ? clicked.properties.uid : null;
      } else if (from && from.pick !== undefined) {
        if (!(picks || []).some(Boolean)) {
          return [dash.no_update, dash.no_update]; // the buttons were drawn, nobody pressed one
        }
        next = from.pick < 0 ? null : from.pick;
      } else if (from === "view" && view) {
        next = view.grid;
      }
      if (next === grid) {
        return [dash.no_update, dash.no_update];
      }
      return [next, next];
    },

    take_place: function () {
      // The first address says where the map looks; afterwards the map writes it.
      var parts = window.location.hash.slice(1).split("/").map(Number);
      if (parts.length !== 3 || parts.some(isNaN)) {
        return dash.no_update;
      }
      return { zoom: parts[0], center: [parts[2], parts[1]] };
    },

    show_status: function (status, words) {
      var layers = (status && status.layers) || {};
      document.querySelectorAll("[data-layer]").forEach(function (box) {
        var one = layers[box.dataset.layer];
        var state = one ? one.state : "off";
        box.dataset.state = state;
        var note = box.querySelector("small");
        if (note) {
          var text = words && words["state_" + state];
          note.textContent = text && state !== "idle" && state !== "off" ? " " + text : "";
          note.title = (one && one.reason) || "";
        }
      });
      return dash.no_update;
    },

    write_address: function (lang, theme, grid, shown, days, state, category, viewport) {
      if (!lang || !theme) {
        return dash.no_update;
      }
      var query = new URLSearchParams();
      put(query, "lang", lang);
      put(query, "theme", theme);
      put(query, "days", days);
      put(query, "state", state === "all" ? "" : state);
      put(query, "category", category);
      put(query, "grid", grid);
      if (shown) {
        query.set("shown", shown.join(","));
      }
      var hash = "";
      if (viewport && viewport.center) {
        hash = "#" + viewport.zoom.toFixed(2) + "/" + viewport.center[1].toFixed(5) + "/" +
          viewport.center[0].toFixed(5);
      }
      window.history.replaceState(null, "", "?" + query.toString() + hash);
      return dash.no_update;
    }
  };
})();
