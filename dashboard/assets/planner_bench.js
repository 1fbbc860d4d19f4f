/* The planner: the draft on the map, the tools, one gesture at a time. */
(function () {
  "use strict";
  var planner = window.planner;
  var node = planner.node, say = planner.say, by = planner.by;
  var TOOLS = [
    ["pick", "pick", "V"], ["brush", "brush", "B"], ["border", "border", "D"], ["corner", "corner", "M"],
    ["line", "line", "S"], ["merge", null, "J"], ["area", "area", "O"], ["special", "area", "P"],
    ["lock", null, "L"], ["parent", null, "R"]
  ];
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
  var POLL_MS = 4000;

  planner.draft = null;
  planner.tool = "pick";
  planner.busy = null;
  planner.timings = []; // milliseconds from a gesture to the map repainted, for who measures

  /* --- beginning ---------------------------------------------------------------------------- */

  function start() {
    var page = by("page");
    if (!page || !page.classList.contains("planner") || !by("map")) { window.setTimeout(start, 50); return; }
    planner.begin(page);
    document.addEventListener("keydown", key);
    by("theme-switch").addEventListener("click", function () {
      window.location.href = planner.link({ theme: planner.theme === "dark" ? "light" : "dark" });
    });
    window.dash_clientside.set_props("map", { theme: planner.theme, lang: planner.lang });
    askFrame("plans");
  }

  /* Who may not draw may approve: the same readings lie at another address. */
  function askFrame(part) {
    planner.part = part;
    planner.ask("/frame").then(takeFrame, function (error) {
      if (part === "plans") askFrame("review");
      else planner.refuse(error);
    });
  }

  function takeFrame(frame) {
    Object.assign(planner, { words: frame.words, may: frame.may, whole: frame.whole, account: frame.account });
    document.title = frame.title + " · " + frame.city;
    by("lang-switch").href = planner.link({ lang: planner.lang === "zh" ? "en" : "zh" });
    window.dash_clientside.set_props("map", frame.map);
    drawTools();
    listPlans();
    if (planner.sketch) { openPlan(); drawBar(); }
    window.setInterval(look, POLL_MS);
  }

  function takeSketch(sketch) {
    planner.sketch = sketch;
    sketch.map.on("click", function (event) { planner.past.clicked(event); });
    if (planner.may.length) { openPlan(); drawBar(); }
  }

  /* --- plans ----------------------------------------------------------------------------------- */

  function listPlans() {
    return planner.ask("").then(function (told) {
      planner.plans = told.plans;
      drawBar();
    }).catch(planner.refuse);
  }
  planner.listPlans = listPlans;

  function openPlan() {
    if (!planner.plan) { planner.sketch.open([]); drawTools(); planner.side.draw(); return Promise.resolve(); }
    by("page").setAttribute("aria-busy", "true");
    return planner.ask("/" + planner.plan + "/draft").then(function (told) {
      planner.draft = told;
      planner.last = null;
      planner.breaches = told.breaches;
      planner.sketch.open(told.grids);
      by("lang-switch").href = planner.link({ lang: planner.lang === "zh" ? "en" : "zh" });
      showLocks(told.locks);
      planner.side.weigh();
      drawBar();
      drawTools();
      by("page").dataset.seq = told.seq;
    }).catch(planner.refuse).then(function () { by("page").removeAttribute("aria-busy"); });
  }
  planner.openPlan = openPlan;

  function choose(number) {
    if (planner.past.on) planner.past.leave();
    planner.plan = Number(number) || null;
    planner.proposals = null;
    window.history.replaceState(null, "", planner.link());
    openPlan();
  }

  function drawBar() {
    var draft = planner.draft, plan = draft && draft.plan;
    var options = [node("option", { value: "", text: say("pick_plan") })].concat((planner.plans || []).map(function (one) {
      return node("option", {
        value: one.plan, text: one.plan + " · " + one.name + " · " + say("plan_state." + one.state),
        selected: one.plan === planner.plan
      });
    }));
    var editable = plan && plan.state === "draft" && may("plan");
    planner.fill("plan-bar", [
      node("h1", { text: say("title") }),
      node("select", { id: "plan-pick", class: "tool", "aria-label": say("pick_plan"), onchange: function (event) { choose(event.target.value); } }, options),
      may("plan") ? button("new", askNew) : null,
      planner.sketch ? button("past", planner.past.open) : null,
      plan ? node("span", { class: "state " + plan.state, id: "plan-state", text: say("plan_state." + plan.state) }) : null,
      editable ? button("undo", function () { send({ op: "undo" }); }, "Ctrl+Z") : null,
      editable ? button("redo", function () { send({ op: "redo" }); }, "Ctrl+Y") : null,
      plan ? button("impact", planner.side.showImpact) : null,
      editable ? button("submit", function () { act("submit"); }) : null,
      plan && plan.state === "review" && may("approve") ? button("approve", planner.side.askApproval) : null,
      plan && (plan.state === "review" || plan.state === "approved") ? button("return", planner.side.askReturn) : null,
      plan && plan.state === "approved" && may("approve") ? button("publish", function () { act("publish"); }) : null
    ]);
  }

  function may(what) { return planner.may.indexOf(what) >= 0; }

  function button(name, run, keys) {
    return node("button", { class: "tool", id: "do-" + name, text: say(name), title: keys, onclick: function () { run(); } });
  }

  function askNew() {
    var field = node("input", { id: "new-name", maxlength: 80, required: true, autocomplete: "off" });
    planner.openSheet(say("new"), [node("form", { onsubmit: function (event) {
      event.preventDefault();
      begin("/new");
    } }, [
      node("label", {}, [say("new_name"), field]),
      node("button", { class: "tool", type: "submit", id: "new-start", text: say("start") }),
      planner.whole ? node("button", { class: "tool", type: "button", id: "new-codes", text: say("renumber"), title: say("renumber_told"), onclick: function () { begin("/renumber"); } }) : null
    ])]);

    function begin(where) {
      if (!field.reportValidity()) return;
      planner.tell(say("working"));
      planner.ask(where, { name: field.value }).then(function (plan) {
        planner.closeSheet();
        planner.tell("");
        return listPlans().then(function () { choose(plan.plan); });
      }).catch(planner.refuse);
    }
    field.focus();
  }

  function act(what, more) {
    planner.tell(say("working"));
    return planner.ask("/" + planner.plan + "/act", Object.assign({ act: what }, more)).then(function (told) {
      var made = told.published;
      if (made) planner.told(made);
      else planner.tell(say("saved"));
      planner.closeSheet();
      return listPlans().then(openPlan);
    }).catch(planner.refuse);
  }
  planner.act = act;

  planner.told = function (made) {
    planner.tell(made.in_force
      ? say("published_now", { drawing: made.drawing, transfers: planner.number(made.transfers) })
      : say("published_later", { day: new Date(made.effective_from * 1000).toLocaleDateString("sv", { timeZone: by("page").dataset.zone }) }));
  };

  /* --- tools ------------------------------------------------------------------------------------ */

  function drawTools() {
    var plan = planner.draft && planner.draft.plan;
    var can = Boolean(plan) && plan.state === "draft" && may("plan");
    if (!can) planner.tool = "pick";
    planner.fill("tools", TOOLS.map(function (one) {
      var name = one[0];
      return node("button", {
        class: "brush", id: "tool-" + name, title: say("tool_" + name) + " (" + one[2] + ")",
        "aria-pressed": planner.tool === name ? "true" : "false", disabled: !can && name !== "pick",
        onclick: function () { use(name); }
      }, [sign(name), node("small", { text: say("tool_" + name) })]);
    }));
    planner.fill("tool-hint", [
      node("span", { text: planner.draft ? say("hint_" + planner.tool) : say("none") }),
      can ? node("label", {}, [node("input", {
        type: "checkbox", id: "across", checked: Boolean(planner.across),
        onchange: function (event) { planner.across = event.target.checked; }
      }), say("across")]) : null
    ]);
  }

  function sign(name) {
    var space = "http://www.w3.org/2000/svg";
    var drawing = document.createElementNS(space, "svg");
    var line = document.createElementNS(space, "path");
    drawing.setAttribute("viewBox", "0 0 20 20");
    drawing.setAttribute("aria-hidden", "true");
    line.setAttribute("d", SIGNS[name]);
    drawing.appendChild(line);
    return drawing;
  }

  function use(name) {
    if (name === "merge") return merge();
    if (name === "lock") return lock();
    if (name === "parent") return planner.side.askParent();
    planner.tool = name;
    planner.sketch.use(TOOLS.filter(function (one) { return one[0] === name; })[0][1]);
    if (name === "brush" && planner.blocksOf !== planner.plan) askBlocks();
    drawTools();
    return undefined;
  }

  function askBlocks() {
    planner.blocksOf = planner.plan;
    planner.ask("/" + planner.plan + "/blocks").then(function (blocks) { planner.sketch.setBlocks(blocks); }).catch(planner.refuse);
  }

  function picked() { return planner.sketch ? planner.sketch.picked : []; }

  function onePicked() {
    if (picked().length === 1) return picked()[0];
    planner.tell(say("need_pick"), true);
    return null;
  }

  function merge() {
    if (picked().length < 2) { planner.tell(say("hint_merge"), true); return; }
    send({ op: "merge", grids: picked() });
  }

  function lock() {
    var locked = planner.draft.locks.grids;
    var uids = picked();
    if (!uids.length) { planner.tell(say("need_pick"), true); return; }
    var open = uids.filter(function (uid) { return locked.indexOf(uid) < 0; });
    send((open.length ? open : uids).map(function (uid) { return { op: open.length ? "lock" : "unlock", grid: uid }; }));
  }

  function showLocks(locks) {
    planner.draft.locks = locks;
    var above = new Map(planner.draft.outer.map(function (one) { return [one.uid, one.parent]; }));
    planner.sketch.lock(Array.from(planner.sketch.features.keys()).filter(function (uid) {
      if (locks.all || locks.grids.indexOf(uid) >= 0) return true;
      var at = planner.sketch.features.get(uid).properties.parent;
      while (above.has(at) && locks.outer.indexOf(at) < 0) at = above.get(at);
      return above.has(at);
    }));
  }

  /* What the hand has drawn becomes one edit. */
  function drawn(what) {
    if (!planner.draft || planner.past.on) return;
    if (what.what === "pick") {
      var was = picked();
      var has = was.indexOf(what.uid) >= 0;
      if (what.uid === null) planner.sketch.pick([]);
      else if (!what.more) planner.sketch.pick([what.uid]);
      else planner.sketch.pick(has ? was.filter(function (uid) { return uid !== what.uid; }) : was.concat([what.uid]));
      if (picked().length) planner.last = null; // what is picked is looked at now
      planner.side.draw();
      return;
    }
    if (what.what === "corner") send(over({ op: "move", at: what.at, to: what.to, within_m: 0.5 }));
    else if (what.what === "border") send(over({ op: "drag", grids: what.grids, line: what.line }));
    else if (planner.tool === "special") send({ op: "special", area: what.area, rest: "follow" });
    else {
      var uid = onePicked();
      if (uid === null) return;
      if (what.what === "line") send({ op: "split", grid: uid, line: what.line, snap_m: 4 });
      else if (what.what === "area") send(over({ op: "draw", grid: uid, area: what.area, rest: "follow" }));
      else if (what.what === "brush") send(over({ op: "brush", grid: uid, blocks: what.blocks, rest: "follow" }));
    }
  }

  /* Land changes its community only where the planner says so. */
  function over(edit) {
    return planner.across ? Object.assign(edit, { across: true }) : edit;
  }

  /* One gesture after the other: the next waits until the last is on the map. */
  function queue(ask) {
    planner.busy = (planner.busy || Promise.resolve()).then(function () {
      by("page").dataset.saving = "1";
      return ask().catch(function (error) {
        planner.refuse(error);
        if (error.keys && error.keys.some(function (name) { return /overtaken/.test(name); })) return openPlan();
        return undefined;
      });
    }).then(function () { delete by("page").dataset.saving; });
    return planner.busy;
  }
  planner.queue = queue;

  function send(edit) {
    return queue(function () {
      var edits = Array.isArray(edit) ? edit : [edit];
      return planner.ask("/" + planner.plan + "/edit", { edits: edits, seen: planner.draft.seq }).then(take);
    });
  }
  planner.send = send;

  function take(told) {
    var begun = performance.now();
    planner.tell(told.notes.join(" "));
    planner.draft.seq = told.seq;
    var gone = new Set(told.gone);
    var changed = new Map(told.grids.map(function (one) { return [one.properties.uid, one]; }));
    planner.draft.grids = planner.draft.grids.filter(function (one) {
      return !gone.has(one.properties.uid) && !changed.has(one.properties.uid);
    }).concat(told.grids);
    told.gone.concat(Array.from(changed.keys())).forEach(function (uid) { delete planner.breaches[uid]; });
    Object.assign(planner.breaches, told.breaches);
    planner.sketch.patch(told.grids, told.gone);
    showLocks(told.locks);
    planner.last = told.sides;
    planner.side.weigh();
    planner.timings.push(performance.now() - begun);
    by("page").dataset.seq = told.seq;
  }
  planner.take = take;

  /* Others work on the same plan: what they drew comes in. */
  function look() {
    if (!planner.draft || planner.past.on || planner.busy && by("page").dataset.saving || document.hidden) return;
    planner.ask("/" + planner.plan + "/news").then(function (told) {
      if (by("page").dataset.saving || !planner.draft || planner.past.on) return;
      if (told.seq !== planner.draft.seq || told.state !== planner.draft.plan.state) listPlans().then(openPlan);
    }).catch(function () { /* the next look tries again; a gesture says so itself */ });
  }

  function key(event) {
    var field = /^(INPUT|TEXTAREA|SELECT)$/.test(event.target.tagName);
    if (event.key === "Escape") planner.closeSheet();
    if (field || !planner.draft || planner.past.on) return;
    var letter = event.key.toLowerCase();
    if ((event.ctrlKey || event.metaKey) && (letter === "z" || letter === "y")) {
      event.preventDefault();
      send({ op: letter === "y" || event.shiftKey ? "redo" : "undo" });
      return;
    }
    if (event.ctrlKey || event.metaKey || event.altKey) return;
    TOOLS.forEach(function (one) {
      if (letter === one[2].toLowerCase() && !by("tool-" + one[0]).disabled) use(one[0]);
    });
  }

  // At once: the map may be ready before the page is.
  document.addEventListener("gridmap:sketch", function (event) { takeSketch(event.detail); });
  document.addEventListener("gridmap:drawn", function (event) { drawn(event.detail); });
  start();
})();
