/* The planner's words, small parts, and how it asks the server. */
(function () {
  "use strict";
  var root = document.documentElement;
  var planner = (window.planner = { words: {}, may: [], part: "plans" });

  planner.by = function (id) { return document.getElementById(id); };

  planner.say = function (key, values) {
    var text = planner.words["planner." + key] || planner.words[key] || key;
    return text.replace(/\{(\w+)\}/g, function (whole, name) {
      return values && values[name] !== undefined ? String(values[name]) : whole;
    });
  };

  planner.node = function (tag, given, children) {
    var made = document.createElement(tag);
    Object.keys(given || {}).forEach(function (name) {
      if (name === "text") made.textContent = given.text;
      else if (name.indexOf("on") === 0) made.addEventListener(name.slice(2), given[name]);
      else if (name in made && typeof given[name] === "boolean") made[name] = given[name];
      else if (given[name] !== null && given[name] !== undefined) made.setAttribute(name, given[name]);
    });
    (children || []).forEach(function (child) {
      if (child) made.appendChild(typeof child === "string" ? document.createTextNode(child) : child);
    });
    return made;
  };

  /* What had the focus has it again; where it is gone, what comes first in its box. */
  planner.fill = function (id, children) {
    var box = typeof id === "string" ? planner.by(id) : id;
    var held = box.contains(document.activeElement) && document.activeElement !== box ? document.activeElement.id || "-" : "";
    while (box.firstChild) box.removeChild(box.firstChild);
    children.forEach(function (child) { if (child) box.appendChild(child); });
    if (held) planner.focus(held, box.tabIndex >= 0 ? box : box.querySelector("select, button, input"));
    return box;
  };

  planner.focus = function (id, otherwise) {
    var found = planner.by(id);
    found = found && !found.disabled && found.offsetParent ? found : otherwise;
    if (found) found.focus({ preventScroll: true });
  };

  planner.number = function (value, digits) {
    return Number(value).toLocaleString("en-US", { maximumFractionDigits: digits || 0 });
  };

  planner.percent = function (value) { return planner.number(value * 100, 1) + " %"; };

  planner.signed = function (value) { return (value > 0 ? "+" : "") + planner.percent(value); };

  planner.address = function (path) {
    return planner.base + "/planner/" + planner.part + path + (path.indexOf("?") < 0 ? "?" : "&") +
      "lang=" + planner.lang;
  };

  /* Ask; a refusal is a sentence for people, and rejects. */
  planner.ask = function (path, body) {
    var options = { cache: "no-store" };
    if (body) {
      var form = body instanceof FormData; // a file goes as it is
      options.method = "POST";
      options.headers = form ? {} : { "Content-Type": "application/json" };
      options.body = form ? body : JSON.stringify(body);
    }
    return fetch(planner.address(path), options).then(function (answer) {
      if (answer.status === 401) { window.getuDoor(); throw new Error("signed out"); }
      return answer.json().then(function (told) {
        if (answer.ok) return told;
        var error = new Error((told.faults || []).join(" "));
        error.keys = told.keys || [];
        throw error;
      });
    }, function () { throw new Error(planner.say("lost")); });
  };

  planner.tell = function (text, bad) {
    var box = planner.by("planner-says");
    box.textContent = text || "";
    box.hidden = !text;
    box.classList.toggle("bad", Boolean(bad));
    window.clearTimeout(planner.telling);
    if (text && !bad) planner.telling = window.setTimeout(function () { box.hidden = true; }, 4000);
  };

  planner.refuse = function (error) { planner.tell(error.message, true); };

  /* A sheet over the page, which rests until it is closed; `children` get its body. */
  planner.openSheet = function (title, children) {
    var sheet = planner.by("planner-sheet");
    if (sheet.hidden) planner.opener = document.activeElement && document.activeElement.id;
    planner.fill(sheet, [
      planner.node("header", {}, [
        planner.node("h2", { id: "planner-sheet-title", text: title }),
        planner.node("button", { class: "tool", id: "sheet-close", text: planner.say("close"), title: "Esc", onclick: planner.closeSheet })
      ])
    ].concat(children));
    sheet.hidden = false;
    sheet.setAttribute("aria-modal", "true");
    sheet.setAttribute("aria-labelledby", "planner-sheet-title");
    planner.rest(true);
    sheet.focus();
  };

  planner.closeSheet = function () {
    var sheet = planner.by("planner-sheet");
    if (sheet.hidden) return false;
    sheet.hidden = true;
    planner.rest(false);
    planner.focus(planner.opener || "-", document.querySelector(".maplibregl-canvas"));
    return true;
  };

  planner.rest = function (on) {
    ["bar", "bench"].forEach(function (id) {
      if (on) planner.by(id).setAttribute("inert", "");
      else planner.by(id).removeAttribute("inert");
    });
  };

  /* What the address and the page say, before anything is asked. */
  planner.begin = function (page) {
    var query = new URLSearchParams(window.location.search);
    planner.base = page.dataset.base;
    planner.lang = query.get("lang") === "en" || query.get("lang") === "zh" ? query.get("lang") : page.dataset.lang;
    planner.theme = query.get("theme") === "light" ? "light" : "dark";
    root.dataset.theme = planner.theme;
    root.lang = planner.lang === "en" ? "en" : "zh-CN";
    planner.plan = Number(query.get("plan")) || null;
    window.dash_clientside.set_props("lang", { data: planner.lang });
  };

  planner.link = function (changes) {
    var query = new URLSearchParams({ lang: planner.lang, theme: planner.theme });
    if (planner.plan) query.set("plan", planner.plan);
    Object.keys(changes || {}).forEach(function (name) { query.set(name, changes[name]); });
    return planner.base + "/planner/?" + query.toString();
  };
})();
