/* The signs of the planner's tools. */
(function () {
  "use strict";
  // Each sign is one line on a field of 20 by 20.
  var SIGNS = {
    pick: "M5 3v12l3.5-3 2.5 5 2-1-2.5-5H15z",
    brush: "M3 3h6v6H3zM11 3h6v6h-6zM3 11h6v6H3zM14 11v6M11 14h6",
    border: "M10 3c-3 4 3 10 0 14M2 10h4M4 8l-2 2 2 2M14 10h4M16 8l2 2-2 2",
    corner: "M3 15l6-8 8 5M9 4a3 3 0 1 0 .1 0",
    line: "M3 3h14v14H3zM1 13L19 7",
    merge: "M3 4h6v12H3zM11 4h6v12h-6zM7 10h6",
    area: "M5 5c4-4 12-1 11 5s-8 8-11 4-2-7 0-9z",
    special: "M10 2l2.4 5 5.6.7-4.1 3.8 1.1 5.5-5-2.8-5 2.8 1.1-5.5L2 7.7 7.6 7z",
    lock: "M4 9h12v8H4zM6.5 9V6a3.5 3.5 0 0 1 7 0v3",
    parent: "M10 17V4M5 9l5-5 5 5M4 17h12"
  };

  window.planner.sign = function (name) {
    var space = "http://www.w3.org/2000/svg";
    var drawing = document.createElementNS(space, "svg");
    var line = document.createElementNS(space, "path");
    drawing.setAttribute("viewBox", "0 0 20 20");
    drawing.setAttribute("aria-hidden", "true");
    line.setAttribute("d", SIGNS[name]);
    drawing.appendChild(line);
    return drawing;
  };
})();
