/* What a plan changes: who hands what to whom, as a table, as files, as pieces on the map. */
(function () {
  "use strict";
  var planner = window.planner;
  var node = planner.node, say = planner.say, by = planner.by;
  var impact = (planner.impact = { pieces: null });
  var MOST_PIECES = 200;

  impact.show = function () {
    planner.tell(say("working"));
    planner.ask("/" + planner.plan + "/impact").then(function (told) {
      planner.tell("");
      var total = told.total;
      planner.openSheet(say("impact_title"), [
        total && told.changed ? node("p", { id: "impact-total", text: say("impact_total", {
          grids: planner.number(told.changed), cases: planner.number(total.cases), open: planner.number(total.open_cases),
          homes: planner.number(total.households), cameras: planner.number(total.cameras), components: planner.number(total.components)
        }) }) : node("p", { id: "impact-total", text: told.changed ? "" : say("impact_none") }),
        told.faults.length ? node("ul", { class: "warn" }, told.faults.map(function (text) { return node("li", { text: text }); }))
          : node("p", { class: "good", text: "✓ " + say("impact_ok") }),
        planner.whole && told.flows.length ? node("p", {}, [node("button", { class: "tool main", id: "do-pieces", text: say("pieces_show"), onclick: showPieces })]) : null,
        planner.whole ? node("p", {}, [
          node("a", { class: "tool link", href: planner.address("/" + planner.plan + "/impact.csv"), text: say("download_flows") }),
          node("a", { class: "tool link", href: planner.address("/" + planner.plan + "/codes.csv"), text: say("download_codes") }),
          node("a", { class: "tool link", id: "get-walk", href: planner.address("/" + planner.plan + "/walk.pdf"), text: say("download_walk") }),
          node("a", { class: "tool link", id: "get-gpkg", href: planner.address("/" + planner.plan + "/draft.gpkg"), text: say("download_gpkg") })
        ]) : null,
        node("div", { class: "scroll" }, [flows(told.flows)])
      ]);
    }).catch(planner.refuse);
  };

  function flows(rows) {
    return node("table", { class: "flows", id: "flows" }, [
      node("thead", {}, [node("tr", {}, ["from", "to"].concat(planner.side.SHOWN).map(function (name, i) { return node("th", { class: i < 2 ? "left" : "", text: planner.side.column(name) }); }))]),
      node("tbody", {}, rows.map(function (row) {
        return node("tr", {}, [
          node("th", { scope: "row", text: row.from || "–" }),
          node("th", {}, [node("button", { class: "link", text: row.to || "–", onclick: function () { planner.closeSheet(); planner.side.fly(row.to_uid); } })])
        ].concat(planner.side.SHOWN.map(function (name) {
          return node("td", { text: planner.number(row[name], name === "area_ha" ? 2 : 0) });
        })));
      }))
    ]);
  }

  /* --- the land that changes hands, on the map ------------------------------------------------------- */

  function showPieces() {
    planner.tell(say("working"));
    planner.ask("/" + planner.plan + "/pieces").then(function (told) {
      planner.tell("");
      planner.closeSheet();
      impact.pieces = told;
      planner.sketch.setPieces(told);
      planner.sketch.frame(told.features);
      planner.side.draw();
      by("side").scrollTop = 0;
      planner.focus("pieces-close");
    }).catch(planner.refuse);
  }

  impact.leave = function () {
    impact.pieces = null;
    planner.sketch.setPieces(null);
  };

  impact.handed = function () {
    if (!impact.pieces) return null;
    var found = impact.pieces.features;
    return planner.side.section(say("pieces", { n: found.length }), [
      node("ol", { class: "rows" }, found.slice(0, MOST_PIECES).map(function (one, i, all) {
        var told = one.properties, first = !i || all[i - 1].properties.area !== told.area;
        return node("li", {}, [first && told.area ? node("h4", { text: told.area }) : null, node("button", { class: "row two", onclick: function () { planner.sketch.frame([one]); } }, [
          node("span", {}, [node("b", { text: told.n + " " }), told.from + " → " + told.to]),
          node("span", { class: "quiet", text: say("pieces_row", { cases: planner.number(told.cases), ha: planner.number(told.m2 / 10000, 2) }) })
        ])]);
      })),
      node("button", { class: "tool", id: "pieces-close", text: say("pieces_close"), onclick: function () { impact.leave(); planner.side.draw(); } })
    ], "pieces");
  };
})();
