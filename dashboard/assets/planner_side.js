/* The planner's side: both sides of the last edit, the load, the rules, proposals, impact. */
(function () {
  "use strict";
  var planner = window.planner;
  var node = planner.node, say = planner.say, by = planner.by;
  var side = (planner.side = {});
  var WEIGHTS = { cases: 1, households: 0.2, area_ha: 0, components: 0, cameras: 0, places: 0 };
  side.SHOWN = ["cases", "open_cases", "households", "cameras", "places", "components", "area_ha"];
  var TONES = ["least", "low", "in", "high", "most"];
  var STEPS = [-2, -1, 1, 2]; // a grid's class by how many bands it lies off
  var MOST_ROWS = 12;
  var WALLS = {}; // what a proposal keeps to: soft or hard, by name
  var band = 0.2;
  var offs = [];

  side.column = function (name) { return say("plan.column_" + name); };

  function names() { return planner.draft.load_names; }

  /* --- the load, weighed in the browser: a slider asks nobody -------------------------------------- */

  side.weigh = function () {
    var draft = planner.draft;
    var at = names().map(function (name) { return WEIGHTS[name] || 0; });
    var rows = draft.grids.filter(function (one) { return one.properties.loads && one.properties.kind !== "special"; });
    var weighed = rows.map(function (one) {
      return one.properties.loads.reduce(function (sum, value, i) { return sum + value * at[i]; }, 0);
    });
    var mean = weighed.reduce(function (sum, value) { return sum + value; }, 0) / (rows.length || 1);
    offs = rows.map(function (one, i) {
      return { uid: one.properties.uid, name: side.longName(one.properties), off: mean ? weighed[i] / mean - 1 : 0 };
    });
    var classes = new Map(draft.grids.map(function (one) {
      return [one.properties.uid, one.properties.loads ? 2 : null];
    }));
    offs.forEach(function (one) { classes.set(one.uid, side.classOf(one.off)); });
    planner.sketch.paint(classes);
    side.draw();
    side.legend(say("weights_of", { sum: formula() }));
  };

  /* The class of a grid that lies off the mean by a share. */
  side.classOf = function (off) {
    var bands = off / band;
    return STEPS.filter(function (edge) { return edge < 0 ? bands >= edge : bands > edge; }).length;
  };

  side.legend = function (what) {
    planner.fill("band-legend", TONES.map(function (name) {
      var edge = planner.percent(band * (/most|least/.test(name) ? 2 : 1));
      return node("span", { class: "tone " + name }, [node("i", {}), say("band_" + name, { edge: edge })]);
    }).concat(planner.past.on ? [] : [
      node("span", { class: "tone edge-new" }, [node("i", {}), say("edge_new")]),
      planner.sketch.others.size ? node("span", { class: "tone edge-other" }, [node("i", {}), say("edge_other")]) : null
    ]).concat([node("span", { class: "quiet", text: what })]));
  };

  /* A grid's own name says little: that of its community goes before it. */
  side.longName = function (grid) {
    var outer = planner.draft.outer.filter(function (one) { return one.uid === grid.parent; })[0];
    return (outer && grid.name.indexOf(outer.name) < 0 ? outer.name + " " : "") + (grid.name || grid.code);
  };

  function formula() {
    return Object.keys(WEIGHTS).filter(function (name) { return WEIGHTS[name]; }).map(function (name) {
      return side.column(name) + " × " + WEIGHTS[name];
    }).join(" + ") || "0";
  }

  /* --- the panel ----------------------------------------------------------------------------------- */

  side.draw = function () {
    if (planner.past.on) { planner.past.draw(); return; }
    if (!planner.draft) { planner.fill("side", [planList()]); return; }
    var top = by("side").scrollTop;
    planner.fill("side", [planner.impact.handed(), lastEdit(), others(), proposals(), outOfBand(), breaches(), locks(), weights(), planner.exchange.draw(drawable()), history()]);
    by("side").scrollTop = top;
  };

  /* No plan is open: which there are, and how one begins. */
  function planList() {
    var plans = (planner.plans || []).slice().reverse();
    return side.section(say(plans.length ? "plans_there" : "begin"), [
      node("ol", { class: "rows", id: "plan-list" }, plans.map(function (one) {
        return node("li", {}, [node("button", { class: "row", onclick: function () { planner.choose(one.plan); } }, [
          node("span", {}, [node("b", { text: one.name }), node("small", { class: "quiet", text: " " + one.author })]),
          node("span", { class: "quiet", text: say("plan_state." + one.state) })
        ])]);
      })),
      node("ol", { class: "steps quiet" }, ["step_look", "step_draw", "step_impact", "step_submit"].map(function (name) { return node("li", { text: say(name) }); }))
    ], "begin");
  }

  side.section = function (title, children, id) {
    return node("section", { class: "part", id: id }, [node("h2", { text: title })].concat(children));
  };

  function gridOf(uid) {
    return planner.sketch.features.get(uid);
  }

  function lastEdit() {
    var picked = planner.sketch.picked;
    var sides = planner.last || [];
    if (!sides.length && picked.length) {
      sides = picked.slice(0, 4).map(function (uid) {
        var one = gridOf(uid).properties;
        return { uid: uid, code: one.code, before: null, after: one.loads, plain: true };
      });
    }
    if (!sides.length && !drawable()) return null;
    if (!sides.length) return side.section(say("last_edit"), [node("p", { class: "quiet", text: say("no_edit") })], "last-edit");
    var looked = picked.length && !(planner.last || []).length;
    var alone = looked && picked.length === 1 ? gridOf(picked[0]).properties : null;
    return side.section(say(looked ? "picked_now" : "last_edit", { n: picked.length }), sides.map(sideTable).concat(alone ? [
      alone.loads ? kinds(alone.uid) : null,
      drawable() ? node("button", { class: "tool", id: "do-rename", text: say("rename"), onclick: function () { planner.forms.askName(alone.uid); } }) : null
    ] : []), "last-edit");
  }

  /* The cases of one picked grid by kind, asked for when they are opened. */
  function kinds(uid) {
    var told = planner.kinds && planner.kinds.grid === uid && planner.kinds.seq === planner.draft.seq ? planner.kinds : null;
    if (!told) return node("button", { class: "tool", id: "do-kinds", text: say("kinds"), onclick: function () { askKinds(uid); } });
    return node("div", { class: "kinds", tabindex: 0 }, [node("table", { class: "sides", id: "kinds" }, [
      node("thead", {}, [node("tr", {}, [node("th", { text: say("kind") }), node("th", { text: side.column("cases") }), node("th", { text: side.column("open_cases") })])]),
      node("tbody", {}, told.kinds.map(function (one) {
        return node("tr", {}, [node("th", { scope: "row", text: one.name }), node("td", { text: planner.number(one.cases) }), node("td", { text: planner.number(one.open_cases) })]);
      }))
    ])]);
  }

  function askKinds(uid) {
    var seq = planner.draft.seq;
    planner.ask("/" + planner.plan + "/kinds?grid=" + uid).then(function (told) {
      planner.kinds = Object.assign(told, { seq: seq });
      side.draw();
    }).catch(planner.refuse);
  }

  function sideTable(one) {
    var head = one.plain ? "" : one.kept === false ? say("gone") : one.before ? "" : say("made");
    return node("table", { class: "sides" }, [
      node("caption", {}, [
        node("button", { class: "link", text: one.code, onclick: function () { side.fly(one.uid); } }),
        node("small", { text: " " + (gridOf(one.uid) ? planner.nameOf(one.uid) + " " : "") + head })
      ]),
      one.plain ? null : node("thead", {}, [node("tr", {}, [node("th", {}), node("th", { text: say("before") }), node("th", {}), node("th", { text: say("after") })])]),
      node("tbody", {}, side.SHOWN.map(function (name) {
        var i = names().indexOf(name);
        var was = one.before ? one.before[i] : null;
        var is = one.after ? one.after[i] : null;
        var digits = name === "area_ha" ? 2 : 0;
        var moved = was !== null && is !== null && Math.abs(was - is) > 0.005;
        return node("tr", { class: moved || one.plain ? "" : "same" }, [
          node("th", { scope: "row", text: side.column(name) }),
          one.plain ? null : node("td", { text: was === null ? "–" : planner.number(was, digits) }),
          one.plain ? null : node("td", { class: "arrow", text: "→" }),
          node("td", { text: is === null ? "–" : planner.number(is, digits) })
        ]);
      }))
    ]);
  }

  side.fly = function (uid) {
    if (!gridOf(uid)) return;
    planner.sketch.show(uid);
    planner.sketch.pick([uid]);
    planner.last = null;
    side.draw();
    planner.line.hint();
  };

  function others() {
    if (["draft", "review", "approved"].indexOf(planner.draft.plan.state) < 0) return null;
    var found = (planner.draft.others || []).filter(function (one) { return one.touched.length; });
    if (!found.length) return null;
    var mine = new Set(planner.draft.grids.filter(function (one) { return one.properties.new; }).map(function (one) { return one.properties.uid; }));
    return side.section(say("others"), found.map(function (one) {
      var both = one.touched.filter(function (uid) { return mine.has(uid); });
      return node("p", { class: both.length ? "warn" : "quiet" }, [
        say("others_row", { name: one.name, author: one.author, n: one.touched.length }) + (both.length ? say("others_same", { n: both.length }) : ""),
        drawable() && one.state === "draft" ? node("button", { class: "tool", "data-merge": one.plan, text: say("join"), onclick: function () { join(one); } }) : null
      ].concat(both.slice(0, MOST_ROWS).map(function (uid) {
        return node("button", { class: "link", "data-both": uid, text: planner.nameOf(uid), onclick: function () { side.fly(uid); } });
      })));
    }), "others");
  }

  function drawable() { return planner.draft.plan.state === "draft" && planner.may.indexOf("plan") >= 0; }

  /* The edits of another plan are drawn on this one; what cannot follow is told with its reason. */
  function join(other) {
    planner.tell(say("working"));
    planner.ask("/" + planner.plan + "/merge", { other: other.plan }).then(function (told) {
      planner.tell("");
      return planner.openPlan().then(function () {
        planner.openSheet(say("join_title", { name: other.name }), [
          node("p", { id: "joined", text: say("joined", { n: told.applied, both: told.both, refused: told.refused.length }) }),
          node("ul", { class: "warn" }, told.refused.map(function (one) { return node("li", { text: one.faults.join(" ") }); }))
        ]);
      });
    }).catch(planner.refuse);
  }

  function outOfBand() {
    var beyond = offs.filter(function (one) { return Math.abs(one.off) > band; });
    beyond.sort(function (a, b) { return Math.abs(b.off) - Math.abs(a.off); });
    return side.section(say("out_of_band", { n: beyond.length }), [
      node("label", { class: "slide" }, [say("band"), node("input", {
        type: "range", min: 5, max: 50, step: 5, value: band * 100, id: "band",
        onchange: function (event) { band = Number(event.target.value) / 100; side.weigh(); }
      }), node("output", { text: "±" + planner.percent(band) })]),
      node("ol", { class: "rows" }, beyond.slice(0, MOST_ROWS).map(function (one) {
        return node("li", {}, [node("button", { class: "row", id: "off-" + one.uid, onclick: function () { side.fly(one.uid); } }, [
          node("span", { text: one.name }),
          node("b", { class: one.off > 0 ? "high" : "low", text: (one.off > 0 ? "▲ " : "▼ ") + planner.signed(one.off) })
        ])]);
      }))
    ], "beyond");
  }

  function breaches() {
    var uids = Object.keys(planner.breaches || {});
    if (!uids.length) return null;
    return side.section(say("breaches", { n: uids.length }), [node("ol", { class: "rows" }, uids.slice(0, MOST_ROWS).map(function (uid) {
      return node("li", {}, [node("button", { class: "row", id: "breach-" + uid, text: planner.breaches[uid].join(" "), onclick: function () { side.fly(Number(uid)); } })]);
    }))], "breaches");
  }

  /* Single grids are locked by the tool; here all of them, or the community of what is picked. */
  function locks() {
    if (!drawable()) return null;
    var now = planner.draft.locks;
    var picked = planner.sketch.picked.length ? gridOf(planner.sketch.picked[0]).properties : null;
    var area = picked && planner.draft.outer.filter(function (one) { return one.uid === picked.parent; })[0];
    var held = area && now.outer.indexOf(area.uid) >= 0;
    return side.section(say("locks"), [
      node("button", { class: "tool", id: "lock-all", text: say(now.all ? "unlock_all" : "lock_all"), onclick: function () {
        planner.send({ op: now.all ? "unlock" : "lock", all: true });
      } }),
      area ? node("button", { class: "tool", id: "lock-area", text: say(held ? "unlock_area" : "lock_area", { name: area.name }), onclick: function () {
        planner.send({ op: held ? "unlock" : "lock", grid: area.uid });
      } }) : null,
      planner.sketch.locked.size ? node("p", { class: "quiet small", id: "locked-now", text: say("locks_now", { n: planner.sketch.locked.size }) }) : null
    ], "locks");
  }

  function weights() {
    return side.section(say("weights"), Object.keys(WEIGHTS).map(function (name) {
      return node("label", { class: "slide" }, [side.column(name), node("input", {
        type: "range", min: 0, max: 2, step: 0.1, value: WEIGHTS[name], "data-weight": name, id: "weight-" + name,
        onchange: function (event) { WEIGHTS[name] = Number(event.target.value); side.weigh(); }
      }), node("output", { text: String(WEIGHTS[name]) })]);
    }), "weights");
  }

  function history() {
    return side.section(say("history"), [node("ol", { class: "acts" }, (planner.draft.acts || []).map(function (one) {
      var at = new Date(one.at * 1000).toLocaleString("sv", { timeZone: by("page").dataset.zone }).slice(0, 16);
      return node("li", { class: "quiet", text: at + " " + one.account + " " + one.what });
    })), drawable() ? node("button", { class: "tool", id: "do-drop", text: say("drop"), onclick: planner.forms.askDrop }) : null], "history");
  }

  /* --- proposals ------------------------------------------------------------------------------------ */

  function scopeOf() {
    return planner.sketch.picked.length > 1 ? planner.sketch.picked : null;
  }

  function proposals() {
    if (!drawable()) return null;
    var scope = scopeOf();
    var given = planner.proposals;
    return side.section(say("proposals"), [
      node("p", { class: "quiet", text: scope ? say("scope_picked", { n: scope.length }) : say("scope_all") }),
      walls(),
      node("button", { class: "tool", id: "do-propose", text: say("propose"), onclick: propose })
    ].concat(given ? [node("p", { class: "quiet small", id: "proposed-by", text: say("weights_of", { sum: given.weighed }) })].concat(given.plans.map(card)).concat(expected(given.expected), given.floors.slice(0, 3).map(floor)) : []), "proposals");
  }

  function walls() {
    var names = planner.draft.walls || [];
    if (!names.length) return null;
    return node("div", { id: "walls" }, names.map(function (name) {
      var pick = node("select", { "data-wall": name, id: "wall-" + name, onchange: function (event) {
        if (event.target.value) WALLS[name] = event.target.value;
        else delete WALLS[name];
      } }, ["", "soft", "hard"].map(function (value) { return node("option", { value: value, text: say("wall_" + (value || "none")) }); }));
      pick.value = WALLS[name] || "";
      return node("label", { class: "slide" }, [name === "water" || name === "rail" ? say("wall_" + name) : say("net", { name: name }), pick]);
    }));
  }

  function propose() {
    var asked = { scope: scopeOf(), band: band, walls: Object.assign({}, WALLS), weights: Object.assign({}, WEIGHTS) };
    planner.tell(say("working"));
    planner.ask("/" + planner.plan + "/propose", asked).then(function (told) {
      planner.proposals = Object.assign(told, asked, { weighed: formula() });
      planner.tell("");
      side.draw();
    }).catch(planner.refuse);
  }

  function card(plan) {
    var today = planner.proposals.today;
    var rows = [["max_dev", planner.percent], ["outside", planner.number], ["roundness", function (v) { return planner.number(v, 2); }], ["moved", planner.percent], ["changed", planner.number]];
    return node("article", { class: "card proposal", "data-kind": plan.kind }, [
      node("h3", { text: plan.title }),
      node("table", {}, rows.map(function (row) {
        var was = today && (row[0] === "max_dev" || row[0] === "outside" || row[0] === "roundness") ? row[1](today[row[0]]) : "";
        return node("tr", {}, [node("th", { scope: "row", text: say(row[0]) }), node("td", { class: "quiet", text: was ? was + " →" : "" }), node("td", { text: row[1](plan[row[0]]) })]);
      })),
      node("button", { class: "tool", text: say("use"), onclick: function () { use(plan.kind); } })
    ]);
  }

  function expected(sum) {
    if (!sum.blocks) return [];
    var values = {};
    Object.keys(sum).forEach(function (name) { values[name] = planner.number(sum[name]); });
    return [node("p", { class: "quiet small", id: "expected", text: say("expected", values) })];
  }

  function floor(one) {
    return node("p", { class: "warn small", text: say("floor_" + one.kind, { share: planner.percent(one.share) }) });
  }

  function use(kind) {
    var asked = planner.proposals; // as it was asked for, whatever a slider says now
    planner.tell(say("working"));
    planner.ask("/" + planner.plan + "/take", { kind: kind, scope: asked.scope, band: asked.band, walls: asked.walls, weights: asked.weights }).then(function (told) {
      planner.proposals = null;
      planner.take(told);
    }).catch(planner.refuse);
  }
})();
