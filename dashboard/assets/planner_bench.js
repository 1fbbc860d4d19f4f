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
  var POLL_MS = 4000;
  var LARGE_PX = 3000; // names on the map as large as the page's words

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
    window.dash_clientside.set_props("map", { theme: planner.theme, lang: planner.lang, scale: window.innerWidth >= LARGE_PX ? 2 : 1 });
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
    Object.assign(planner, { words: frame.words, may: frame.may, whole: frame.whole, account: frame.account, now: frame.now });
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
      planner.starts = told.starts;
      drawBar();
      if (!planner.draft && planner.sketch) {
        planner.side.draw();
        planner.line.hint();
      }
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
      showOthers();
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
    if (!planner.plan) planner.draft = null;
    if (planner.sketch) { planner.impact.leave(); planner.sketch.pick([]); }
    planner.proposals = null;
    window.history.replaceState(null, "", planner.link());
    openPlan();
  }
  planner.choose = choose;

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
      plan ? node("span", { class: "state " + plan.state, id: "plan-state", text: say("plan_state." + plan.state) }) : null,
      may("plan") ? button("new", planner.forms.askNew) : null,
      planner.sketch ? button("past", planner.past.open) : null,
      editable ? node("span", { class: "pair" }, [
        button("undo", function () { send({ op: "undo" }); }, "Ctrl+Z", !draft.undo),
        button("redo", function () { send({ op: "redo" }); }, "Ctrl+Y", !draft.redo)
      ]) : null,
      plan ? button("impact", planner.impact.show) : null,
      editable ? button("submit", function () { act("submit"); }, null, !draft.seq && plan.start === plan.base) : null,
      plan && plan.state === "review" && may("approve") ? button("approve", planner.forms.askApproval) : null,
      plan && (plan.state === "review" || plan.state === "approved") ? button("return", planner.forms.askReturn) : null,
      plan && plan.state === "approved" && may("approve") ? button("publish", function () { act("publish"); }) : null
    ]);
  }

  function may(what) { return planner.may.indexOf(what) >= 0; }

  function button(name, run, keys, off) {
    return node("button", { class: "tool", id: "do-" + name, text: say(name), title: keys, disabled: Boolean(off), onclick: function () { run(); } });
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
      : say("published_later", { day: planner.day(made.effective_from) }));
  };

  /* A moment as the city's own day; "…" where there is none. */
  planner.day = function (at) {
    return at === null ? "…" : new Date(at * 1000).toLocaleDateString("sv", { timeZone: by("page").dataset.zone });
  };

  /* --- tools ------------------------------------------------------------------------------------ */

  function drawTools() {
    var plan = planner.draft && planner.draft.plan;
    var can = Boolean(plan) && plan.state === "draft" && may("plan");
    if (!can && planner.tool !== "pick") {
      planner.tool = "pick";
      planner.sketch.use("pick");
    }
    planner.fill("tools", TOOLS.map(function (one) {
      var name = one[0];
      return node("button", {
        class: "brush", id: "tool-" + name, title: say("tool_" + name) + " (" + one[2] + ")",
        "aria-pressed": planner.tool === name ? "true" : "false", disabled: !can && name !== "pick",
        onclick: function () { use(name); }
      }, [planner.sign(name), node("small", { text: say("tool_" + name) })]);
    }));
    planner.line.hint();
  }

  function use(name) {
    if (name === "merge") return merge();
    if (name === "lock") return lock();
    if (name === "parent") return onePicked() === null ? undefined : planner.forms.askParent(picked()[0]);
    planner.tool = name;
    planner.sketch.use(TOOLS.filter(function (one) { return one[0] === name; })[0][1]);
    if (name === "brush" && planner.blocksOf !== planner.plan) askBlocks();
    drawTools();
    return undefined;
  }

  planner.use = use;

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
    send(keep({ op: "merge", grids: picked() }));
  }

  /* A grid of today outlives one that was drawn a moment ago: who splits and merges is where he was. */
  function keep(edit) {
    var at = planner.draft.load_names.indexOf("cases");
    var old = edit.grids.map(function (uid) { return planner.sketch.features.get(uid).properties; }).filter(function (one) {
      return one.code.charAt(0) !== "+";
    });
    if (!old.length || old.length === edit.grids.length) return edit;
    old.sort(function (a, b) { return (b.loads ? b.loads[at] : 0) - (a.loads ? a.loads[at] : 0); });
    return Object.assign(edit, { keep: old[0].uid });
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

  /* Grids that other open plans have touched, and those that both have. */
  function showOthers() {
    var minds = new Map();
    (planner.draft.others || []).forEach(function (plan) {
      plan.touched.forEach(function (uid) {
        var one = planner.sketch.features.get(uid);
        if (one) minds.set(uid, one.properties.new ? 2 : 1);
      });
    });
    planner.sketch.mind(minds);
    by("page").dataset.others = minds.size;
  }

  /* A grid as people say it: its community before its own name. */
  planner.nameOf = function (uid) {
    var one = planner.sketch.features.get(uid);
    return one ? planner.side.longName(one.properties) : String(uid);
  };

  /* What the hand has drawn becomes one edit. */
  function drawn(what) {
    if (what.what === "drawing") { planner.line.drawing(what); return; }
    if (planner.past.on && what.place) planner.past.ask(what.place); // Enter, where others click
    if (!planner.draft || planner.past.on) return;
    if (what.what === "pick") {
      var was = picked();
      var has = was.indexOf(what.uid) >= 0;
      if (what.uid === null) planner.sketch.pick([]);
      else if (!what.more) planner.sketch.pick([what.uid]);
      else planner.sketch.pick(has ? was.filter(function (uid) { return uid !== what.uid; }) : was.concat([what.uid]));
      if (picked().length) planner.last = null; // what is picked is looked at now
      planner.side.draw();
      planner.line.hint();
      return;
    }
    if (what.what === "corner") send(over({ op: "move", at: what.at, to: what.to, within_m: 0.5 }));
    else if (what.what === "border") send(over({ op: "drag", grids: what.grids, line: what.line }));
    else if (planner.tool === "special") send({ op: "special", area: what.area, rest: "follow" });
    else {
      var uid = onePicked();
      if (uid === null) return;
      if (what.what === "line") send({ op: "split", grid: uid, line: what.line, snap_m: planner.line.snapOf(what.free) });
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
    Object.assign(planner.draft, { undo: told.undo, redo: told.redo });
    var gone = new Set(told.gone);
    var changed = new Map(told.grids.map(function (one) { return [one.properties.uid, one]; }));
    planner.draft.grids = planner.draft.grids.filter(function (one) {
      return !gone.has(one.properties.uid) && !changed.has(one.properties.uid);
    }).concat(told.grids);
    told.gone.concat(Array.from(changed.keys())).forEach(function (uid) { delete planner.breaches[uid]; });
    Object.assign(planner.breaches, told.breaches);
    planner.sketch.patch(told.grids, told.gone);
    planner.impact.leave(); // what they show is of before
    showLocks(told.locks);
    showOthers();
    planner.last = told.sides;
    planner.side.weigh();
    planner.line.hint();
    drawBar();
    planner.timings.push(performance.now() - begun);
    by("page").dataset.seq = told.seq;
  }
  planner.take = take;

  /* Others draw on this plan or on the same grids: it comes in by itself, and who it was. */
  function look() {
    if (!planner.draft || planner.past.on || by("page").dataset.saving || document.hidden) return;
    var plan = planner.plan;
    planner.ask("/" + plan + "/news?after=" + planner.draft.seq).then(function (told) {
      if (by("page").dataset.saving || !planner.draft || planner.past.on || plan !== planner.plan) return;
      if (told.seq !== planner.draft.seq || told.state !== planner.draft.plan.state) {
        listPlans().then(openPlan).then(function () { if (told.by.length) cameIn(told); });
      } else if (JSON.stringify(told.others) !== JSON.stringify(planner.draft.others)) {
        planner.draft.others = told.others;
        showOthers();
        planner.side.draw();
      }
    }).catch(function () { /* the next look tries again; a gesture says so itself */ });
  }

  function cameIn(told) {
    planner.tell(say("came_in", { who: told.by.join(", "), n: told.uids.length }));
    planner.sketch.mind(new Map(told.uids.map(function (uid) { return [uid, 1]; })));
  }

  function key(event) {
    var field = /^(INPUT|TEXTAREA|SELECT)$/.test(event.target.tagName);
    if (event.key === "Escape" && !planner.closeSheet()) planner.tell("");
    if (!by("planner-sheet").hidden) return;
    if (field || !planner.draft || planner.past.on) return;
    var letter = event.key.toLowerCase();
    if ((event.ctrlKey || event.metaKey) && (letter === "z" || letter === "y")) {
      event.preventDefault();
      send({ op: letter === "y" || event.shiftKey ? "redo" : "undo" });
      return;
    }
    if (event.ctrlKey || event.metaKey || event.altKey) return;
    var can = !by("tool-line").disabled;
    if (letter === "n" && can && planner.tool === "line") planner.line.toggle();
    if (letter === "a" && planner.tool === "pick") planner.line.several();
    if (letter === "x" && can) planner.line.across();
    TOOLS.forEach(function (one) {
      if (letter === one[2].toLowerCase() && !by("tool-" + one[0]).disabled) use(one[0]);
    });
  }

  // At once: the map may be ready before the page is.
  document.addEventListener("gridmap:sketch", function (event) { takeSketch(event.detail); });
  document.addEventListener("gridmap:drawn", function (event) { drawn(event.detail); });
  start();
})();
