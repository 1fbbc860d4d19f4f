/* The planner's sheets that ask for something: a new plan, a day, a reason, a parent, a name. */
(function () {
  "use strict";
  var planner = window.planner;
  var node = planner.node, say = planner.say, by = planner.by;
  var forms = (planner.forms = {});

  /* A sheet with fields and one button; Enter sends it. */
  function ask(title, fields, send, more) {
    planner.openSheet(title, [node("form", { onsubmit: function (event) {
      event.preventDefault();
      send();
    } }, fields.map(function (one) {
      return node("label", {}, [say(one[0]), one[1]]);
    }).concat([node("button", { class: "tool main", type: "submit", id: more.id, text: more.text })], more.parts || []))]);
    fields[more.first || 0][1].focus();
  }

  forms.askNew = function () {
    var field = node("input", { id: "new-name", maxlength: 80, required: true, autocomplete: "off" });
    var start = node("select", { id: "new-from" }, [node("option", { value: "", text: say("start_force") })].concat((planner.starts || []).map(function (one) {
      return node("option", { value: one.drawing, text: say("start_" + (one.state === "scheduled" ? "scheduled" : "old"), { drawing: one.drawing, since: planner.day(one.since) }) });
    })));
    var fields = [["new_name", field]].concat(planner.starts && planner.starts.length ? [["start_from", start]] : []);
    ask(say("new"), fields, function () { begin("/new"); }, {
      id: "new-start", text: say("start"), parts: planner.whole ? [
        node("button", { class: "tool", type: "button", id: "new-codes", text: say("renumber"), onclick: function () { begin("/renumber"); } }),
        node("p", { class: "quiet small", text: say("renumber_told") })
      ] : []
    });

    function begin(where) {
      if (!field.reportValidity()) return;
      planner.tell(say("working"));
      planner.ask(where, { name: field.value, from: Number(start.value) || null }).then(function (plan) {
        planner.closeSheet();
        planner.tell("");
        return planner.listPlans().then(function () { planner.choose(plan.plan); });
      }).catch(planner.refuse);
    }
  };

  forms.askApproval = function () {
    var field = node("input", { type: "date", id: "effective", required: true });
    field.value = field.min = planner.day(planner.now);
    ask(say("approve"), [["effective", field]], function () { planner.act("approve", { effective: field.value }); }, { id: "approve-now", text: say("approve") });
  };

  forms.askReturn = function () {
    var field = node("input", { id: "return-reason", maxlength: 300, required: true, autocomplete: "off" });
    ask(say("return"), [["reason", field]], function () { planner.act("return", { reason: field.value }); }, { id: "return-now", text: say("return") });
  };

  /* Dropped plans stay in the list with their history; nothing is deleted. */
  forms.askDrop = function () {
    planner.openSheet(say("drop"), [
      node("p", { text: say("drop_told") }),
      node("button", { class: "tool main", id: "drop-now", text: say("drop"), onclick: function () { planner.act("drop"); } })
    ]);
    by("drop-now").focus();
  };

  /* The outer grids that touch this one come first: a grid goes to a neighbour, hardly ever elsewhere. */
  forms.askParent = function (uid) {
    var grid = planner.sketch.features.get(uid).properties;
    var own = planner.draft.outer.filter(function (one) { return one.uid === grid.parent; })[0];
    var beside = besides(uid);
    var choices = planner.draft.outer.filter(function (one) { return own && one.level === own.level && one.uid !== own.uid; });
    var field = node("select", { id: "new-parent" }, [["parent_beside", true], ["parent_far", false]].map(function (group) {
      var mine = choices.filter(function (one) { return beside.has(one.uid) === group[1]; });
      return mine.length ? node("optgroup", { label: say(group[0]) }, mine.map(function (one) {
        return node("option", { value: one.uid, text: one.name + " " + one.code });
      })) : null;
    }));
    ask(say("tool_parent"), [["parent_of", field]], function () {
      planner.closeSheet();
      planner.send({ op: "reparent", grid: uid, parent: Number(field.value) });
    }, { id: "parent-now", text: say("tool_parent"), parts: [
      node("p", { class: "quiet", id: "parent-was", text: say("parent_was", { name: planner.nameOf(uid), parent: own ? own.name : "–" }) })
    ] });
  };

  /* Return the parents of the grids that share a corner with one. */
  function besides(uid) {
    var corners = new Set(), found = new Set();
    places(uid, function (place) { corners.add(place); });
    planner.sketch.features.forEach(function (one, other) {
      if (other === uid || found.has(one.properties.parent)) return;
      places(other, function (place) { if (corners.has(place)) found.add(one.properties.parent); });
    });
    return found;
  }

  function places(uid, take) {
    var shape = planner.sketch.features.get(uid).geometry;
    (shape.type === "Polygon" ? [shape.coordinates] : shape.coordinates).forEach(function (part) {
      part.forEach(function (ring) { ring.forEach(function (place) { take(place.join()); }); });
    });
  }

  forms.askName = function (uid) {
    var grid = planner.sketch.features.get(uid).properties;
    var name = node("input", { id: "grid-name", maxlength: 60, autocomplete: "off", value: grid.name || "" });
    var code = node("input", { id: "grid-code", maxlength: 40, autocomplete: "off", value: grid.code.charAt(0) === "+" ? "" : grid.code });
    ask(say("rename"), [["grid_name", name], ["grid_code", code]], function () {
      var edit = { op: "describe", grid: uid };
      if (name.value !== grid.name) edit.name = name.value;
      if (code.value && code.value !== grid.code) edit.code = code.value;
      planner.closeSheet();
      if (edit.name !== undefined || edit.code) planner.send(edit);
    }, { id: "rename-now", text: say("save"), parts: [node("p", { class: "quiet small", text: say("rename_told") })] });
  };
})();
