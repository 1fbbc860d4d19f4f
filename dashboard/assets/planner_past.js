/* The planner looks back: a day on the slider, who answered for a place, figures by each drawing. */
(function () {
  "use strict";
  var planner = window.planner;
  var node = planner.node, say = planner.say, by = planner.by;
  var past = (planner.past = { on: false });
  var DAY_MS = 86400000;
  var MOST_ROWS = 200;
  var OVERLAY = "planner-net";

  past.open = function () {
    planner.tell(say("working"));
    planner.ask("/past").then(function (told) {
      planner.tell("");
      Object.assign(past, told, {
        on: true, day: told.today, drawing: null, place: null, holders: null, figures: null, kin: null, crossed: null,
        shapes: past.shapes || new Map()
      });
      planner.impact.leave();
      planner.use("pick");
      past.since = shift(told.today, -365);
      past.until = shift(told.today, 1);
      by("page").dataset.past = "1";
      return show();
    }).catch(planner.refuse);
  };

  past.leave = function () {
    past.on = false;
    delete by("page").dataset.past;
    overlay([]);
    planner.sketch.draw([]);
    planner.fill("band-legend", []);
  };

  past.close = function () {
    past.leave();
    planner.openPlan();
  };

  /* --- the day ---------------------------------------------------------------------------------- */

  function shift(day, by) { return new Date(Date.parse(day) + by * DAY_MS).toISOString().slice(0, 10); }

  function days(from, to) { return Math.round((Date.parse(to) - Date.parse(from)) / DAY_MS); }

  function localDay(at) {
    return at === null ? null : new Date(at * 1000).toLocaleDateString("sv", { timeZone: by("page").dataset.zone });
  }

  /* As with ownership: a day belongs to the drawing in force when it began, today to today's. */
  function drawingOf(day) {
    if (day === past.today) return past.drawings.filter(function (one) { return one.state === "in_force" && one.valid_to === null; })[0] || null;
    return past.drawings.reduce(function (best, one) { // the newest comes first
      if (one.first_day !== null && one.first_day > day) return best;
      return !best || (one.first_day || "") > (best.first_day || "") ? one : best;
    }, null);
  }

  function show() {
    var row = drawingOf(past.day);
    var number = row ? row.drawing : null;
    if (number === past.drawing) { past.draw(); return Promise.resolve(); }
    past.drawing = number;
    past.kin = null;
    if (number === null) { planner.sketch.open([]); past.draw(); return Promise.resolve(); }
    var known = past.shapes.get(number);
    return (known ? Promise.resolve(known) : planner.ask("/past/" + number + "/grids")).then(function (told) {
      past.shapes.set(number, told);
      if (!past.on || past.drawing !== number) return;
      planner.sketch.open(told.grids);
      paint();
      past.draw();
      by("page").dataset.drawing = number;
    }).catch(planner.refuse);
  }

  function title(row) {
    return say("past_drawing", { drawing: row.drawing, since: localDay(row.valid_from) || "…", until: localDay(row.valid_to) || "…", grids: planner.number(planner.sketch.features.size) });
  }

  /* --- the panel -------------------------------------------------------------------------------- */

  past.draw = function () {
    var top = by("side").scrollTop;
    planner.fill("side", [daySection(), placeSection(), figuresSection(), kinSection(), crossSection()]);
    by("side").scrollTop = top;
    planner.fill("tool-hint", [node("span", { text: say("past_hint") })]);
  };

  function section(name, children) {
    return node("section", { class: "part", id: "past-" + name }, [node("h2", { text: say("past_" + name) })].concat(children));
  }

  function daySection() {
    var row = drawingOf(past.day);
    var slider = node("input", {
      type: "range", id: "past-slider", min: 0, max: days(past.first, past.last), value: days(past.first, past.day),
      "aria-label": say("past_day"), "aria-valuetext": past.day,
      oninput: function (event) { past.day = shift(past.first, Number(event.target.value)); by("past-date").value = past.day; },
      onchange: function () { show(); }
    });
    var field = node("input", { type: "date", id: "past-date", min: past.first, max: past.last, value: past.day, onchange: function (event) {
      if (event.target.value) { past.day = event.target.value; show(); }
    } });
    field.value = past.day;
    return section("day", [
      slider, field,
      node("p", { id: "past-drawing", text: !row ? say("past_none") : row.drawing === past.drawing ? title(row) : "" }),
      node("p", {}, [
        row && row.valid_to !== null && planner.may.indexOf("approve") >= 0
          ? node("button", { class: "tool", id: "do-back", text: say("past_back"), onclick: function () { askBack(row); } }) : null,
        node("button", { class: "tool", id: "past-close", text: say("past_close"), onclick: past.close })
      ])
    ]);
  }

  function placeSection() {
    if (!past.holders) return section("place", [node("p", { class: "quiet", text: say("past_click") })]);
    return section("place", [node("table", { id: "holders" }, [node("tbody", {}, past.holders.map(function (one) {
      return node("tr", { class: one.drawing === past.drawing ? "now" : "" }, [
        node("td", { class: "left", text: (localDay(one.valid_from) || "…") + " – " + (localDay(one.valid_to) || "…") }),
        node("td", { class: "left" }, [node("b", { text: one.code || say("past_nobody") }), node("small", { text: " " + one.name })])
      ]);
    }))])]);
  }

  /* --- figures by each way of owning --------------------------------------------------------------- */

  function ways() { return ["event", "today"].concat(past.drawing === null ? [] : [String(past.drawing)]); }

  function wayName(way) {
    return way === "event" ? say("by_event") : way === "today" ? say("by_today") : say("by_drawing", { drawing: way });
  }

  function askFigures() {
    planner.tell(say("working"));
    var query = ways().map(function (way) { return "by=" + way; }).join("&");
    planner.ask("/past/figures?" + query + "&since=" + past.since + "&until=" + past.until).then(function (told) {
      planner.tell("");
      past.figures = told.ways;
      past.by = past.by && told.ways.some(function (one) { return one.by === past.by; }) ? past.by : told.ways[0].by;
      paint();
      past.draw();
    }).catch(planner.refuse);
  }

  function counts(way) {
    var found = (past.figures || []).filter(function (one) { return one.by === way; })[0];
    return found ? new Map(found.grids.map(function (one) { return [one.code, one.cases]; })) : null;
  }

  /* The map says by which way its colours are counted. */
  function paint() {
    var mine = past.figures && counts(past.by);
    var features = Array.from(planner.sketch.features.values());
    if (!mine) {
      planner.sketch.paint(new Map(features.map(function (one) { return [one.properties.uid, 2]; })));
      planner.fill("band-legend", []);
      return;
    }
    var values = features.map(function (one) { return mine.get(one.properties.code) || 0; });
    var mean = values.reduce(function (sum, value) { return sum + value; }, 0) / (values.length || 1);
    planner.sketch.paint(new Map(features.map(function (one, i) {
      return [one.properties.uid, planner.side.classOf(mean ? values[i] / mean - 1 : 0)];
    })));
    planner.side.legend(say("past_painted", { by: wayName(past.by), since: past.since, until: shift(past.until, -1) }));
  }

  function figuresSection() {
    var fields = node("p", { class: "dates" }, ["since", "until"].map(function (name) {
      var field = node("input", { type: "date", id: "past-" + name, "aria-label": say("past_" + name), onchange: function (event) { past[name] = event.target.value; } });
      field.value = past[name];
      return node("label", {}, [say("past_" + name), field]);
    }));
    var parts = [fields, node("button", { class: "tool", id: "do-figures", text: say("past_count"), onclick: askFigures })];
    if (past.figures) parts = parts.concat(figuresTable());
    return section("figures", parts);
  }

  function figuresTable() {
    var maps = past.figures.map(function (one) { return counts(one.by); });
    var codes = Array.from(new Set([].concat.apply([], maps.map(function (one) { return Array.from(one.keys()); }))));
    var rows = codes.map(function (code) {
      var values = maps.map(function (one) { return one.has(code) ? one.get(code) : null; });
      var plain = values.map(function (value) { return value || 0; });
      return { code: code, values: values, apart: Math.max.apply(null, plain) - Math.min.apply(null, plain) };
    });
    var differ = rows.filter(function (one) { return one.apart; });
    differ.sort(function (a, b) { return b.apart - a.apart || (a.code < b.code ? -1 : 1); });
    return [
      node("div", { class: "scroll" }, [node("table", { id: "ways" }, [
        node("thead", {}, [node("tr", {}, [node("th", { text: say("past_grid") })].concat(past.figures.map(function (one) {
          return node("th", {}, [node("button", {
            class: "link", "aria-pressed": past.by === one.by ? "true" : "false", text: wayName(one.by),
            onclick: function () { past.by = one.by; paint(); past.draw(); }
          })]);
        })))]),
        node("tbody", {}, [total(maps)].concat(differ.slice(0, MOST_ROWS).map(function (row) {
          return node("tr", {}, [node("th", { scope: "row", text: row.code || say("past_nobody") })].concat(row.values.map(function (value) {
            return node("td", { text: value === null ? "–" : planner.number(value) });
          })));
        })))
      ])]),
      node("p", { class: "quiet small", text: say("past_same", { n: planner.number(rows.length - differ.length), of: planner.number(rows.length) }) })
    ];
  }

  function total(maps) {
    return node("tr", { class: "total" }, [node("th", { scope: "row", text: say("past_total") })].concat(maps.map(function (one) {
      return node("td", { text: planner.number(Array.from(one.values()).reduce(function (sum, n) { return sum + n; }, 0)) });
    })));
  }

  /* --- what became of each grid ---------------------------------------------------------------------- */

  function kinSection() {
    if (past.drawing === null) return null;
    var number = past.drawing;
    var parts = [node("button", { class: "tool", id: "do-kin", text: say("past_trace"), onclick: function () {
      planner.ask("/past/" + number + "/lineage").then(function (told) { past.kin = told.lineage; past.draw(); }).catch(planner.refuse);
    } })];
    if (planner.whole) parts = parts.concat(["lineage", "transfers"].map(function (name) {
      return node("a", { class: "tool link", href: planner.address("/past/" + number + "/" + name + ".csv"), text: say("past_" + name + "_csv") });
    }));
    if (past.kin) parts.push(past.kin.length ? node("table", { id: "kin" }, [node("tbody", {}, past.kin.slice(0, MOST_ROWS).map(function (row) {
      return node("tr", {}, [
        node("td", { class: "left", text: row.old + " → " + row.new }), node("td", { text: say("kin_" + row.kind) }),
        node("td", { text: planner.percent(row.area_share) })
      ]);
    }))]) : node("p", { class: "quiet", text: say("past_unchanged") }));
    return section("kin", parts);
  }

  /* --- another net over the grids --------------------------------------------------------------------- */

  function crossSection() {
    var options = past.nets.map(function (name) { return node("option", { value: name, text: say("net", { name: name }) }); }).concat(past.drawings.filter(function (one) {
      return one.valid_to !== null;
    }).map(function (one) { return node("option", { value: one.drawing, text: say("by_drawing", { drawing: one.drawing }) }); }));
    if (!options.length) return section("cross", [node("p", { class: "quiet", text: say("no_nets") })]);
    var pick = node("select", { id: "net", "aria-label": say("past_cross") }, options);
    if (past.other) pick.value = past.other;
    var parts = [pick, node("button", { class: "tool", id: "do-cross", text: say("cross"), onclick: function () { askCross(pick.value); } })];
    if (past.crossed) parts = parts.concat(crossed(past.crossed));
    return section("cross", parts);
  }

  function askCross(other) {
    planner.tell(say("working"));
    planner.ask("/past/crosswalk?with=" + encodeURIComponent(other)).then(function (told) {
      planner.tell("");
      past.other = other;
      past.crossed = told;
      overlay(told.outlines);
      past.draw();
    }).catch(planner.refuse);
  }

  function crossed(told) {
    var lies = new Map();
    told.rows.forEach(function (row) { lies.set(row.one, (lies.get(row.one) || []).concat([row])); });
    return [
      node("p", { id: "straddling", text: say("straddle", { n: planner.number(told.straddling.length), of: planner.number(lies.size) }) }),
      planner.whole ? node("a", { class: "tool link", href: planner.address("/past/crosswalk.csv?with=" + encodeURIComponent(past.other)), text: say("cross_csv") }) : null,
      node("table", { id: "crosswalk" }, [
        node("thead", {}, [node("tr", {}, ["past_grid", "other_area", "by_area", "by_cases", "by_homes"].map(function (name) { return node("th", { text: say(name) }); }))]),
        node("tbody", {}, [].concat.apply([], told.straddling.slice(0, MOST_ROWS).map(function (code) {
          var rows = lies.get(code) || [];
          var homes = rows.reduce(function (sum, row) { return sum + row.households; }, 0);
          return rows.map(function (row, i) {
            return node("tr", { class: i ? "" : "first" }, [
              node("th", { scope: "row" }, [i ? "" : node("button", { class: "link", text: code, onclick: function () { fly(code); } })]),
              node("td", { class: "left", text: row.other || "–" }), node("td", { text: planner.percent(row.area_share) }),
              node("td", { text: planner.percent(row.case_share) }), node("td", { text: homes ? planner.percent(row.households / homes) : "–" })
            ]);
          });
        })))
      ])
    ];
  }

  function fly(code) {
    planner.sketch.features.forEach(function (one, uid) {
      if (one.properties.code === code) { planner.sketch.show(uid); planner.sketch.pick([uid]); }
    });
  }

  function overlay(outlines) {
    var map = planner.sketch.map;
    var data = { type: "FeatureCollection", features: outlines.map(function (one) { return { type: "Feature", properties: {}, geometry: one }; }) };
    if (map.getSource(OVERLAY)) { map.getSource(OVERLAY).setData(data); return; }
    if (!outlines.length) return;
    map.addSource(OVERLAY, { type: "geojson", data: data });
    map.addLayer({ id: OVERLAY, type: "line", source: OVERLAY, paint: {
      "line-color": planner.theme === "light" ? "#8a2be2" : "#d7a6ff", "line-width": 2.5, "line-dasharray": [3, 2]
    } });
  }

  /* --- bringing an old drawing back ------------------------------------------------------------------- */

  function askBack(row) {
    var reason = node("input", { id: "back-reason", maxlength: 300, required: true, autocomplete: "off" });
    var day = node("input", { type: "date", id: "back-day", required: true, min: past.today });
    day.value = past.today;
    planner.openSheet(say("past_back"), [node("p", { text: say("back_told", { drawing: row.drawing }) }), node("form", { onsubmit: function (event) {
      event.preventDefault();
      planner.tell(say("working"));
      planner.ask("/rollback", { drawing: row.drawing, effective: day.value, reason: reason.value }).then(function (made) {
        planner.closeSheet();
        planner.told(made);
        past.shapes.clear();
        return planner.listPlans().then(past.open);
      }).catch(planner.refuse);
    } }, [
      node("label", {}, [say("effective"), day]), node("label", {}, [say("back_reason"), reason]),
      node("button", { class: "tool", type: "submit", id: "back-now", text: say("past_back") })
    ])]);
    reason.focus();
  }

  /* A click asks who answered for that place, by every drawing. */
  past.clicked = function (event) {
    if (past.on) past.ask([event.lngLat.lng, event.lngLat.lat]);
  };

  past.ask = function (place) {
    past.place = place;
    planner.sketch.draw([{ type: "Point", coordinates: past.place }]);
    planner.ask("/past/holders?lon=" + past.place[0].toFixed(6) + "&lat=" + past.place[1].toFixed(6)).then(function (told) {
      past.holders = told.holders;
      past.draw();
    }).catch(planner.refuse);
  };
})();
