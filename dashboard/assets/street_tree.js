/* The tree of grids on the street: down by a click, up by a crumb, both before the server answers. */
window.dash_clientside.street.add(function (street, by, all, text) {
  "use strict";
  var rowOf = {};
  var wholeRows = []; // the outermost areas that are several

  function tree() { return street.frame.tree; }

  function chain(row) {
    var found = [];
    for (; row >= 0; row = tree().up[row]) found.push(row);
    return found;
  }

  /* One level down towards what was met; beside the area, its neighbour of the same level. */
  function towards(uid) {
    var row = rowOf[uid];
    if (row === undefined) return null;
    var up = chain(row);
    if (street.at.uid === null) return up.find(function (one) { return wholeRows.indexOf(one) >= 0; });
    var here = up.indexOf(rowOf[street.at.uid]);
    if (here > 0) return up[here - 1];
    if (here === 0) return row;
    var depth = chain(rowOf[street.at.uid]).length;
    return up.length >= depth ? up[up.length - depth] : row;
  }

  function isDoubtful(code) { return tree().code.indexOf(code) !== tree().code.lastIndexOf(code); }

  function go(uid) {
    street.asking.leave();
    var row = uid === null ? -1 : rowOf[uid];
    if (row === undefined) return;
    var code = row < 0 ? "" : tree().code[row];
    street.at = { uid: uid, code: code, level: row >= 0 && isDoubtful(code) ? tree().keys[tree().level[row]] : "" };
    street.setMap(lookAt(uid)); // what is held is painted at once; the figures follow
    drawCrumbs();
    street.remember(false);
    var head = document.querySelector(".area-head h2");
    if (head) head.textContent = nameHere();
    street.step(false);
  }

  function goUp() {
    if (street.at.uid === null) return;
    var up = tree().up[rowOf[street.at.uid]];
    var whole = up < 0 || wholeRows.indexOf(rowOf[street.at.uid]) >= 0;
    go(whole ? null : tree().uid[up]);
  }

  function lookAt(uid) {
    return { selected: uid, view: uid === null ? { bounds: street.frame.map.bounds } : { uid: uid } };
  }

  function nameHere() { return street.at.uid === null ? street.frame.whole : tree().name[rowOf[street.at.uid]]; }

  function drawCrumbs() {
    var box = by("crumbs");
    box.textContent = "";
    var list = document.createElement("ol");
    function add(words, uid, last) {
      var item = document.createElement("li");
      var link = text(last ? "span" : "a", words);
      if (last) link.setAttribute("aria-current", "page");
      else {
        link.href = street.base + "/street/" + (uid === null ? "" : encodeURIComponent(tree().code[rowOf[uid]]));
        link.dataset.go = uid === null ? "" : uid;
      }
      item.appendChild(link);
      list.appendChild(item);
    }
    add(street.frame.whole, null, street.at.uid === null);
    if (street.at.uid !== null) {
      var rows = chain(rowOf[street.at.uid]).reverse();
      var from = rows.findIndex(function (row) { return wholeRows.indexOf(row) >= 0; });
      rows.slice(Math.max(from, 0)).forEach(function (row) {
        add(tree().name[row], tree().uid[row], tree().uid[row] === street.at.uid);
      });
    }
    box.appendChild(list);
  }

  street.press("[data-go]", function (node, event) {
    if (event.metaKey || event.ctrlKey || event.shiftKey || event.button !== 0) return;
    event.preventDefault();
    go(node.dataset.go === "" ? null : Number(node.dataset.go));
  });
  street.press("[data-up]", goUp);

  street.tree = {
    take: function () {
      var below = {};
      rowOf = {};
      tree().uid.forEach(function (uid, row) {
        rowOf[uid] = row;
        (below[tree().up[row]] = below[tree().up[row]] || []).push(row);
      });
      wholeRows = below[-1] || [];
      while (wholeRows.length === 1 && below[wholeRows[0]]) wholeRows = below[wholeRows[0]];
    },
    go: go,
    goUp: goUp,
    goTowards: function (uid) {
      var row = towards(uid);
      if (row !== null && row !== undefined && tree().uid[row] !== street.at.uid) go(tree().uid[row]);
    },
    lookAt: lookAt,
    nameHere: nameHere,
    drawCrumbs: drawCrumbs
  };
});
