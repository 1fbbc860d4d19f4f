/* Every number of the street opens its entry in the dictionary of figures. */
window.dash_clientside.street.add(function (street, by, all, text) {
  "use strict";
  var opener = null;

  function define(button) {
    var entry = street.frame.definitions[button.dataset.def];
    var box = by("street-popover");
    if (!entry) return;
    opener = button;
    box.textContent = "";
    box.setAttribute("role", "dialog");
    box.setAttribute("aria-label", entry.name);
    var close = text("button", "×", "tool close");
    close.type = "button";
    close.setAttribute("aria-label", street.frame.words.close);
    close.dataset.close = "1";
    box.appendChild(close);
    box.appendChild(text("h3", entry.name));
    box.appendChild(text("p", entry.formula));
    var list = document.createElement("dl");
    list.className = "pairs";
    function add(title, words) { list.appendChild(text("dt", title)); list.appendChild(text("dd", words)); }
    var part = button.dataset.part;
    add(street.frame.words.numerator, entry.numerator + (part ? "：" + part : ""));
    if (entry.denominator) add(street.frame.words.denominator, entry.denominator + (button.dataset.of ? "：" + button.dataset.of : ""));
    add(street.frame.words.window, entry.window);
    add(street.frame.words.rounding, entry.rounding);
    box.appendChild(list);
    if (by("find") && street.frame.rows && button.dataset.bare === undefined) {
      var rows = text("a", street.frame.words.rows, "tool link");
      var at = street.at;
      rows.href = street.base + "/area/rows?" +
        street.query({ code: at.code, level: at.level, figure: button.dataset.def });
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
    if (node && street.frame) define(node);
    else if (event.target.closest("[data-close]") || !event.target.closest("#street-popover")) closeDefinition();
  });

  street.words = { close: closeDefinition };
});
