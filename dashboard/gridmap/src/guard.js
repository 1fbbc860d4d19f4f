// Plain ES5, run before everything else: an old browser must get a sentence, not a blank page.
(function () {
  "use strict";
  var words = GUARD_WORDS;

  function say() {
    var root = document.documentElement;
    var box = document.createElement("div");
    var both = [words.zh, words.en];
    var i;
    var line;
    root.setAttribute("data-map", "failed");
    root.setAttribute("data-reason", "old-browser");
    box.setAttribute("role", "alert");
    box.setAttribute("id", "gridmap-old-browser");
    box.style.cssText =
      "position:fixed;left:0;right:0;top:0;z-index:99999;padding:16px 24px;font:16px/1.6 sans-serif;" +
      "background:#fff3cd;color:#1b2430;border-bottom:2px solid #b87400";
    for (i = 0; i < both.length; i += 1) {
      line = document.createElement("p");
      line.style.margin = "0";
      line.appendChild(document.createTextNode(both[i]));
      box.appendChild(line);
    }
    document.body.appendChild(box);
  }

  // Names that came with the oldest browser we serve (Chromium 86) stand for its syntax: testing
  // syntax itself would need eval, which the content security policy forbids.
  function canRun() {
    return (
      typeof Promise === "function" &&
      typeof Promise.any === "function" &&
      typeof Element.prototype.replaceChildren === "function" &&
      typeof String.prototype.replaceAll === "function" &&
      typeof ResizeObserver === "function"
    );
  }

  window.addEventListener("load", function () {
    // The bundle names itself; where it could not be read or run, the name is missing.
    if (!canRun() || !window.gridmap) say();
  });
})();
