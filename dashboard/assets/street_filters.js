/* The filters of the street: from the boxes, from a bar of a list, from days drawn over the trend. */
window.dash_clientside.street.add(function (street, by, all, text) {
  "use strict";
  var PICKED = ["kind", "body", "source", "stage", "category"];
  var SPAN = ["from", "to"];
  var AGAINST = ["vs_from", "vs_to"];
  var NAMES = ["days", "state", "measure"].concat(PICKED, SPAN, AGAINST);
  var names = {}; // of what was picked, for its chip
  var drawn = null; // the first bar of the trend that a hand holds

  var own = (street.filters = {
    chosen: {},
    read: function (query) {
      NAMES.forEach(function (name) { own.chosen[name] = query.get(name) || ""; });
      [SPAN, AGAINST].forEach(function (pair) { orderDays(own.chosen, pair); });
      if (!own.chosen.days) own.chosen.days = "90";
    },
    draw: draw,

    /* Tell whether the box was open. */
    close: function () {
      var box = by("filter-box");
      if (!box.open) return false;
      box.open = false;
      box.querySelector("summary").focus();
      return true;
    },

    /* The chosen period in words. */
    span: function () {
      var box = document.querySelector("[data-filter=days]");
      return days(SPAN) || (box.selectedOptions[0] ? box.selectedOptions[0].textContent : "");
    }
  });

  function set(values) {
    var coloured = values.measure !== undefined;
    Object.assign(own.chosen, values);
    if (coloured) recolour();
    street.remember(false);
    street.step(true);
  }

  /* Another measure has its own colours: the layers are described anew. */
  function recolour() {
    street.ask("frame.json").then(function (answer) {
      street.frame.map.layers = answer.map.layers;
      street.setMap({ layers: street.asking.layers(street.frame.map.layers) });
    }).catch(street.fail);
  }

  function blank(list) {
    var found = {};
    list.forEach(function (name) { found[name] = ""; });
    return found;
  }

  /* What is no day is none, as the server has it; the earlier one comes first. */
  function orderDays(values, pair) {
    var both = pair.map(function (name) { return values[name]; }).filter(function (day) {
      var date = new Date(day + "T00:00:00Z");
      return /^\d{4}-\d\d-\d\d$/.test(day) && !isNaN(date) && date.toISOString().slice(0, 10) === day;
    }).sort();
    values[pair[0]] = both[0] || "";
    values[pair[1]] = both[both.length - 1] || "";
  }

  function days(pair) {
    var both = pair.map(function (name) { return own.chosen[name]; }).filter(Boolean);
    return both[0] === both[1] ? both[0] : both.join(" – ");
  }

  function addChip(words, dropped) {
    var chip = text("button", words + " ×", "chip");
    chip.type = "button";
    chip.dataset.drop = dropped.join(" ");
    by("chips").appendChild(chip);
  }

  /* What a box calls a choice that came with the address. */
  function nameChoice(name) {
    var select = document.querySelector("[data-filter=" + name + "]");
    var option = select && all("option", select).find(function (one) { return one.value === own.chosen[name]; });
    return option ? option.textContent : "";
  }

  function draw() {
    by("chips").textContent = "";
    ["kind", "body", "source", "stage"].forEach(function (name) {
      if (own.chosen[name]) addChip(names[name] || nameChoice(name) || own.chosen[name], [name]);
    });
    if (days(SPAN)) addChip(days(SPAN), SPAN);
    if (days(AGAINST)) addChip(street.frame.words.compare + " " + days(AGAINST), AGAINST);
    var others = ["category", "state"].filter(function (name) { return own.chosen[name] && own.chosen[name] !== "all"; });
    by("filter-n").textContent = String(by("chips").childNodes.length + others.length || "");
    all("[data-filter]").forEach(function (select) {
      var value = own.chosen[select.dataset.filter];
      if (select.dataset.filter === "days" && days(SPAN)) select.value = "span";
      else if (value || select.dataset.filter === "category") select.value = value; // one that is not listed shows as none
      else select.selectedIndex = 0;
    });
    all("[data-day]").forEach(function (box) { box.value = own.chosen[box.dataset.day]; });
  }

  document.addEventListener("pointerdown", function (event) {
    var box = by("filter-box");
    if (box && box.open && !event.target.closest("#filter-box")) box.open = false;
  });

  street.press("[data-pick]", function (node) {
    var name = node.dataset.pick;
    var picked = {};
    names[name] = node.dataset.name;
    picked[name] = own.chosen[name] === node.dataset.value ? "" : node.dataset.value;
    set(picked);
  });
  street.press("[data-drop]", function (node) { set(blank(node.dataset.drop.split(" "))); });
  street.press("[data-clear]", function () { set(blank(PICKED.concat(SPAN, AGAINST, ["state"]))); });

  document.addEventListener("change", function (event) {
    var node = event.target;
    if (node.dataset.filter) {
      delete names[node.dataset.filter];
      var values = node.dataset.filter === "days" ? blank(SPAN) : {};
      values[node.dataset.filter] = node.value === "all" ? "" : node.value;
      set(values);
    } else if (node.dataset.day) takeDays(SPAN.indexOf(node.dataset.day) >= 0 ? SPAN : AGAINST);
  });

  /* Both days or neither: a page that counts half a choice would count something else. */
  function takeDays(pair) {
    var values = {};
    pair.forEach(function (name) { values[name] = document.querySelector("[data-day=" + name + "]").value; });
    if (Boolean(values[pair[0]]) !== Boolean(values[pair[1]])) return;
    orderDays(values, pair);
    set(values);
  }

  /* --- days drawn over the trend ------------------------------------------------------------ */

  function barAt(event) {
    var bars = all(".trend rect");
    var box = document.querySelector(".trend svg").getBoundingClientRect();
    var place = Math.floor((event.clientX - box.left) / box.width * bars.length);
    return Math.max(0, Math.min(place, bars.length - 1));
  }

  function mark(first, last) {
    all(".trend rect").forEach(function (bar, place) {
      bar.classList.toggle("picked", place >= Math.min(first, last) && place <= Math.max(first, last));
    });
  }

  document.addEventListener("pointerdown", function (event) {
    var svg = event.target.closest && event.target.closest(".trend svg");
    if (!svg || event.button > 0 || !all(".trend rect").length) return;
    drawn = barAt(event);
    svg.setPointerCapture(event.pointerId);
    mark(drawn, drawn);
  });
  document.addEventListener("pointermove", function (event) { if (drawn !== null) mark(drawn, barAt(event)); });
  document.addEventListener("pointerup", function (event) {
    if (drawn === null) return;
    var bars = all(".trend rect");
    var ends = [drawn, barAt(event)].sort(function (one, other) { return one - other; });
    drawn = null;
    if (bars[ends[1]]) set({ from: bars[ends[0]].dataset.from, to: bars[ends[1]].dataset.to });
  });
  document.addEventListener("pointercancel", function () { drawn = null; mark(-1, -2); });
});
