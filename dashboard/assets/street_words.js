/* Every number of the street opens its entry in the dictionary of figures. */
(function () {
  "use strict";
  var dash = window.dash_clientside;
  var by = dash.street.by;
  var all = dash.street.all;
  var text = dash.street.text;

  var opener = null;

  function define(button) {
    var entry = dash.street.frame().definitions[button.dataset.def];
    var box = by("street-popover");
    if (!entry) return;
    opener = button;
    box.textContent = "";
    box.setAttribute("role", "dialog");
    box.setAttribute("aria-label", entry.name);
    var close = text("button", "×", "tool close");
    close.type = "button";
    close.setAttribute("aria-label", dash.street.frame().words.close);
    close.dataset.close = "1";
    box.appendChild(close);
    box.appendChild(text("h3", entry.name));
    box.appendChild(text("p", entry.formula));
    var list = document.createElement("dl");
    list.className = "pairs";
    function add(title, words) { list.appendChild(text("dt", title)); list.appendChild(text("dd", words)); }
    var part = button.dataset.part;
    add(dash.street.frame().words.numerator, entry.numerator + (part ? "：" + part : ""));
    if (entry.denominator) add(dash.street.frame().words.denominator, entry.denominator + (button.dataset.of ? "：" + button.dataset.of : ""));
    add(dash.street.frame().words.window, entry.window);
    add(dash.street.frame().words.rounding, entry.rounding);
    box.appendChild(list);
    if (by("find") && all("[data-ask]").length && button.dataset.bare === undefined) {
      var rows = text("a", dash.street.frame().words.rows, "tool link");
      var at = dash.street.place();
      rows.href = dash.street.base() + "/area/rows?" +
        dash.street.query({ code: at.code, level: at.level, figure: button.dataset.def });
      box.appendChild(rows);
    }
    box.dataset.open = "1";
    var place = button.getBoundingClientRect();
    var high = box.offsetHeight;
    box.style.top = Math.max(8, Math.min(place.bottom + 4, window.innerHeight - high - 8)) + "px";
    box.style.left = Math.max(8, Math.min(place.left, window.innerWidth - box.offsetWidth - 8)) + "px";
    close.focus();
  }

  function closeDefinition() {
    var box = by("street-popover");
    if (!box.dataset.open) return false;
    delete box.dataset.open;
    box.textContent = "";
    if (opener && document.contains(opener)) opener.focus();
    return true;
  }

  document.addEventListener("click", function (event) {
    var node = event.target.closest("[data-def]");
    if (node && dash.street.frame()) define(node);
    else if (event.target.closest("[data-close]") || !event.target.closest("#street-popover")) closeDefinition();
  });

  dash.street_words = { close: closeDefinition };
})();
