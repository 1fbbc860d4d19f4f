/* What the page does without the server: switches, theme, selection, address. */
(function () {
  "use strict";
  var nothing = window.dash_clientside.no_update;

  function trigger() {
    return window.dash_clientside.callback_context.triggered_id;
  }

  function put(query, name, value) {
    if (value !== null && value !== undefined && value !== "") {
      query.set(name, value);
    }
  }

  window.dash_clientside.getu = {
    take_lang: function (clicks, view, lang) {
      var next = lang;
      if (trigger() === "lang-switch") {
        next = lang === "zh" ? "en" : "zh";
      } else if (!lang && view) {
        next = view.lang;
      }
      if (!next || next === lang) {
        return [nothing, nothing];
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
        return [nothing, nothing];
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
          return [nothing, nothing]; // the buttons were drawn, nobody pressed one
        }
        next = from.pick < 0 ? null : from.pick;
      } else if (from === "view" && view) {
        next = view.grid;
      }
      if (next === grid) {
        return [nothing, nothing];
      }
      return [next, next];
    },

    write_address: function (lang, theme, grid, shown, days, state, category, viewport) {
      if (!lang || !theme) {
        return nothing;
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
      return nothing;
    }
  };
})();
