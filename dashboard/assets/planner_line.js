/* What stands over the map: what the tool wants, its switches, and where a line that is drawn will cut. */
(function () {
  "use strict";
  var planner = window.planner;
  var node = planner.node, say = planner.say, by = planner.by;
  var line = (planner.line = { snaps: true });
  var ACROSS = ["brush", "border", "corner", "area"];
  var ONE = ["line", "brush", "area"];
  var REACH_PX = 9, LEAST_M = 4, MOST_M = 15;
  var GAP_MS = 60;
  var drawing = null, asking = false, again = false, told = null;

  /* How near a road a line follows it: what looks near on the screen, within reason. */
  line.reach = function () {
    var map = planner.sketch.map;
    var metres = 78271.517 * Math.cos(map.getCenter().lat * Math.PI / 180) / Math.pow(2, map.getZoom());
    return Math.round(Math.min(MOST_M, Math.max(LEAST_M, metres * REACH_PX)));
  };

  /* Shift does the other thing for as long as it is held. */
  line.snapOf = function (free) { return line.snaps !== Boolean(free) ? line.reach() : 0; };

  line.toggle = function () {
    line.snaps = !line.snaps;
    line.hint();
    ask();
  };

  /* --- the hint --------------------------------------------------------------------------------- */

  line.hint = function () {
    var tool = planner.tool, plan = planner.draft && planner.draft.plan;
    var can = Boolean(plan) && plan.state === "draft" && planner.may.indexOf("plan") >= 0;
    planner.fill("tool-hint", [
      node("span", { id: "hint-told", text: sentence(tool) }),
      can && tool === "pick" ? toggle("several", planner.sketch && planner.sketch.gestures.several, "A", line.several) : null,
      can && tool === "line" ? toggle("snap", line.snaps, "N", line.toggle) : null,
      can && ACROSS.indexOf(tool) >= 0 ? toggle("across", planner.across, "X", line.across) : null,
      can && drawing && drawing.points ? node("span", { class: "hands" }, [
        hand("finish", "Enter", function () { planner.sketch.gestures.finish(); }),
        hand("back", "Backspace", function () { planner.sketch.gestures.back(); }),
        hand("cancel", "Esc", function () { planner.sketch.gestures.cancel(); })
      ]) : null,
      can && tool === "line" ? node("p", { id: "cut-told", class: told && told.fault ? "warn" : "" }) : null
    ]);
    tellCut();
  };

  line.several = function () {
    planner.sketch.gestures.several = !planner.sketch.gestures.several;
    line.hint();
  };

  line.across = function () {
    planner.across = !planner.across;
    line.hint();
  };

  function sentence(tool) {
    if (!planner.draft) return say(planner.plan ? "working" : planner.plans && planner.plans.length ? "none_open" : "none");
    if (ONE.indexOf(tool) < 0) return say("hint_" + tool);
    var picked = planner.sketch ? planner.sketch.picked : [];
    if (picked.length !== 1) return say("hint_first");
    return say("hint_" + tool, { name: planner.nameOf(picked[0]) });
  }

  function toggle(name, on, key, run) {
    return node("label", { title: key }, [
      node("input", { type: "checkbox", id: name, checked: Boolean(on), onchange: run }), say(name), node("kbd", { text: key })
    ]);
  }

  function hand(name, key, run) {
    return node("button", { class: "tool", id: "line-" + name, title: key, text: say("line_" + name), onclick: function () {
      run();
      document.querySelector(".maplibregl-canvas").focus();
    } });
  }

  /* --- the line ------------------------------------------------------------------------------------ */

  line.drawing = function (detail) {
    var had = drawing ? drawing.points : 0, was = drawing && drawing.tool;
    drawing = detail.tool === "line" || detail.tool === "area" && detail.points && !detail.held ? detail : null;
    if (!drawing || drawing.line.length < 2) forget();
    if (planner.sketch && ((drawing ? drawing.points : 0) !== had || was !== (drawing && drawing.tool))) line.hint();
    ask();
  };

  function forget() {
    told = null;
    if (planner.sketch) planner.sketch.guide([]);
  }

  /* One question at a time, and always the newest. */
  function ask() {
    if (asking) { again = true; return; }
    if (!drawing || drawing.tool !== "line" || drawing.line.length < 2) return;
    var picked = planner.sketch.picked;
    if (picked.length !== 1 || !planner.draft) return;
    var snap = line.snapOf(drawing.free);
    asking = true;
    again = false;
    planner.ask("/" + planner.plan + "/cut", { grid: picked[0], line: once(drawing.line), snap_m: snap }).then(function (answer) {
      if (drawing && drawing.line.length > 1) show(answer, snap);
    }, function () { /* the edit itself says what cannot be */ }).then(function () {
      window.setTimeout(function () {
        asking = false;
        if (again) ask();
      }, GAP_MS);
    });
  }

  /* A double click sets its place twice. */
  function once(places) {
    return places.filter(function (place, i) { return !i || place.join() !== places[i - 1].join(); });
  }

  function show(answer, snap) {
    told = Object.assign(answer, { snap: snap });
    planner.sketch.guide(["cut", "road"].filter(function (role) { return answer[role]; }).map(function (role) {
      return { type: "Feature", properties: { role: role }, geometry: answer[role] };
    }));
    tellCut();
  }

  function tellCut() {
    var box = by("cut-told");
    if (!box) return;
    box.classList.toggle("warn", Boolean(told && told.fault));
    box.textContent = !told ? say(line.snaps ? "cut_snaps" : "cut_free")
      : told.fault ? told.fault
      : told.areas_ha.length < 2 ? say("cut_ends")
      : say("cut_parts", { areas: told.areas_ha.map(function (one) { return planner.number(one, 2); }).join(" + ") }) +
        (told.road.coordinates.length ? say("cut_road", { reach: told.snap }) : "");
    by("page").dataset.cut = !told ? "" : told.fault ? "fault" : told.road.coordinates.length ? "road" : "free";
  }
})();
