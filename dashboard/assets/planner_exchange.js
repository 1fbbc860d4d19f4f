/* The draft as a file for QGIS and the like, and back again as edits that undo takes back. */
(function () {
  "use strict";
  var planner = window.planner;
  var node = planner.node, say = planner.say, by = planner.by;
  var exchange = (planner.exchange = {});

  exchange.draw = function (editable) {
    return node("section", { class: "part", id: "exchange" }, [
      node("h2", { text: say("exchange") }),
      node("p", { class: "quiet small", text: say("exchange_told") }),
      planner.whole ? node("a", { class: "tool link", id: "get-draft", href: planner.address("/" + planner.plan + "/draft.gpkg"), text: say("download_gpkg") }) : null,
      editable ? node("label", { class: "tool bring" }, [say("bring"), node("input", {
        type: "file", id: "bring-file", accept: ".gpkg,.geojson,.json,.zip", onchange: function (event) { bring(event.target); }
      })]) : null
    ]);
  };

  function bring(field) {
    var form = new FormData();
    if (!field.files.length) return;
    form.append("file", field.files[0]);
    form.append("across", planner.across ? "1" : "0");
    field.value = ""; // the same file can be brought again
    planner.tell(say("working"));
    planner.queue(function () {
      return planner.ask("/" + planner.plan + "/import", form).then(function (told) {
        planner.take(told);
        planner.openSheet(say("bring"), [
          node("p", { id: "brought", class: "good", text: told.taken }),
          node("ul", { class: "quiet" }, told.found.map(function (text) { return node("li", { text: text }); }))
        ]);
      });
    });
  }
})();
