/* What the duty desk does without the server: rows opened, keys, the address. */
(function () {
  "use strict";
  var dash = (window.dash_clientside = window.dash_clientside || {});

  function desk() {
    return document.getElementById("desk");
  }

  function rows() {
    return Array.prototype.slice.call(document.querySelectorAll(".desk-row"));
  }

  function press(selector) {
    var node = document.querySelector(selector);
    if (node && !node.disabled) node.click();
  }

  /* Arrows walk the list, Ctrl+Enter saves, Escape closes the case. */
  document.addEventListener("keydown", function (event) {
    if (!desk()) return;
    var active = document.activeElement;
    if (event.key === "Enter" && (event.ctrlKey || event.metaKey)) {
      press("#save");
      event.preventDefault();
    } else if (active && active.classList.contains("desk-row")) {
      var all = rows();
      var at = all.indexOf(active);
      var step = { ArrowDown: 1, ArrowUp: -1 }[event.key];
      var to = step ? at + step : event.key === "Home" ? 0 : event.key === "End" ? all.length - 1 : -1;
      if (all[to] && to !== at) {
        all[to].focus();
        event.preventDefault();
      }
    }
  });

  /* A form without a server to send itself to: Enter in its fields must not load the page anew. */
  document.addEventListener("submit", function (event) {
    if (desk()) event.preventDefault();
  });

  dash.desk = {
    take_row: function (rowClicks, closeClicks, open) {
      var from = dash.callback_context.triggered_id;
      if (from && from.open !== undefined) {
        return rowClicks.some(Boolean) ? from.open : dash.no_update;
      }
      if (from && from.shut !== undefined && closeClicks.some(Boolean)) {
        var row = document.querySelector('.desk-row[aria-current="true"]') || rows()[0];
        if (row) row.focus();
        return null;
      }
      return dash.no_update;
    },

    /* The row of the open case is marked; its list is drawn anew whenever something changes. */
    mark_row: function (open) {
      setTimeout(function () {
        rows().forEach(function (row) {
          var mine = open !== null && open !== undefined && row.id.indexOf('"open":' + open + "}") > 0;
          if (mine) row.setAttribute("aria-current", "true");
          else row.removeAttribute("aria-current");
        });
      });
      return dash.no_update;
    },

    /* What was said of the last case is not said of the next one. */
    greet_case: function (seen) {
      var side = document.getElementById("panel");
      var inc = seen ? String(seen.inc) : "";
      if (!side || side.dataset.inc === inc) return dash.no_update;
      side.dataset.inc = inc;
      side.scrollTop = 0;
      return "";
    },

    write_address: function (lang, theme, tray, seen) {
      if (!lang || !theme) return dash.no_update;
      var query = new URLSearchParams({ lang: lang, theme: theme, tray: tray || "unplaced" });
      if (seen) {
        query.set("source", seen.source);
        query.set("id", seen.id);
      }
      window.history.replaceState(null, "", "?" + query.toString());
      return dash.no_update;
    }
  };
})();
