/* What the page does without the server: switches, theme, selection, address. */
(function () {
  "use strict";
  var dash = (window.dash_clientside = window.dash_clientside || {});

  var WALL_PX = 3000;
  var DESK_PX = 900;
  var opener = null; // the button that opened the card

  function trigger() {
    return dash.callback_context.triggered_id;
  }

  /* The pick that was pressed. Buttons that were only drawn anew trigger too, without a click of
     their own; clicks of others may still be on the page at that moment, so only its own counts. */
  function pressedPick() {
    var pressed = (dash.callback_context.triggered || []).filter(function (one) {
      return one.value && one.prop_id.indexOf('{"pick"') === 0;
    });
    if (!pressed.length) return undefined;
    return JSON.parse(pressed[0].prop_id.slice(0, pressed[0].prop_id.lastIndexOf("."))).pick;
  }

  /* The theme of the address, before anything is drawn. */
  var asked = /[?&]theme=(dark|light)\b/.exec(window.location.search);
  if (asked) document.documentElement.dataset.theme = asked[1];

  /* Escape lets go of the grid, wherever the focus is. */
  document.addEventListener("keydown", function (event) {
    var close = document.querySelector(".card .close");
    var open = document.querySelector(".dash-dropdown-content");
    if (event.key === "Escape" && close && !open) close.click();
  });

  /* Dash says "list box" and "option" of what are radio buttons and check boxes with labels. */
  function mendLists() {
    document.querySelectorAll(".segments, .switches").forEach(function (list) {
      var role = list.querySelector("[type=radio]") ? "radiogroup" : "group";
      if (list.getAttribute("role") !== role) list.setAttribute("role", role);
      list.querySelectorAll("label[role], label[aria-selected]").forEach(function (label) {
        label.removeAttribute("role");
        label.removeAttribute("aria-selected");
      });
    });
  }

  /* Its box takes the focus by a field hidden from who listens; the button itself can. */
  function mendFocus() {
    document.querySelectorAll(".dash-dropdown-focus-target[tabindex='0']").forEach(function (node) {
      node.tabIndex = -1;
      node.nextElementSibling.tabIndex = 0;
    });
  }

  function mend() {
    mendLists();
    mendFocus();
  }

  new MutationObserver(mend).observe(document.documentElement, {
    subtree: true, childList: true, attributes: true, attributeFilter: ["role", "aria-selected"]
  });

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
      document.getElementById("boot").hidden = true;
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

    take_grid: function (clicked, view, _picks, grid) {
      var from = trigger();
      var next = grid === undefined ? null : grid;
      var view_to = dash.no_update;
      if (from === "map") {
        next = clicked && clicked.properties && clicked.properties.uid !== undefined
          ? clicked.properties.uid : null;
      } else if (from && from.pick !== undefined) {
        var pick = pressedPick();
        if (pick === undefined) {
          return [dash.no_update, dash.no_update, dash.no_update];
        }
        next = pick < 0 ? null : pick;
        if (next !== null) opener = JSON.stringify({ pick: next });
        view_to = next === null ? dash.no_update : { uid: next };
      } else if (from === "view" && view) {
        next = view.grid;
      }
      if (next === grid) {
        return [dash.no_update, dash.no_update, dash.no_update];
      }
      return [next, next, view_to];
    },

    /* A wall is read from afar: names and symbols twice as large; a phone has no room for switches. */
    fit_screen: function () {
      return [window.innerWidth >= WALL_PX ? 2 : 1, window.innerWidth >= DESK_PX];
    },

    name_controls: function (labels) {
      if (labels) {
        document.title = labels.title;
        Object.keys(labels).forEach(function (id) {
          var box = document.getElementById(id);
          if (!box) return;
          box.setAttribute("aria-label", labels[id]);
          if (box.tagName === "BUTTON") box.title = labels[id];
        });
      }
      return dash.no_update;
    },

    /* Who opened the card by keyboard goes on inside it; who closed it is back where it was opened. */
    settle_focus: function (card) {
      setTimeout(function () {
        var active = document.activeElement;
        var free = !active || active === document.body || !active.offsetParent;
        var close = document.querySelector(".card .close");
        if (card && free && close) {
          close.focus();
        } else if (!card && free && opener) {
          var again = document.getElementById(opener);
          if (again) again.focus();
        }
      });
      return dash.no_update;
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
          var reason = (one && one.reason) || "";
          var text = words && (words["state_" + state + "_" + reason] || words["state_" + state]);
          note.textContent = text && state !== "idle" && state !== "off" ? " " + text : "";
          note.title = state === "failed" ? reason : "";
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
