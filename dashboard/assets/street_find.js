/* The search box of the street: grids, places, addresses and cases, by keyboard or by hand. */
window.dash_clientside.street.add(function (street, by, all, text) {
  "use strict";
  var TYPING_MS = 180;
  var typing = 0;
  var hits = [];
  var hit = -1;

  function search() {
    clearTimeout(typing);
    typing = setTimeout(function () {
      var words = by("find").value.trim();
      if (!words) { showHits([]); return; }
      street.ask("search.json", { q: words }).then(function (answer) {
        if (answer.q === by("find").value.trim()) showHits(answer.found, true);
      }).catch(street.fail);
    }, TYPING_MS);
  }

  function showHits(found, asked_for) {
    var list = by("found");
    hits = found;
    hit = found.length ? 0 : -1;
    list.textContent = "";
    found.forEach(function (one, place) {
      var item = document.createElement("li");
      item.id = "hit-" + place;
      item.setAttribute("role", "option");
      item.appendChild(text("span", one.name));
      item.appendChild(text("small", [one.code !== one.name ? one.code : "", one.more].filter(Boolean).join(" · ")));
      list.appendChild(item);
    });
    if (asked_for && !found.length) {
      var none = text("li", street.frame.words.nothing_found);
      none.setAttribute("role", "option");
      none.setAttribute("aria-disabled", "true");
      list.appendChild(none);
    }
    list.hidden = !list.childNodes.length;
    by("find").setAttribute("aria-expanded", String(!list.hidden));
    markHit();
  }

  function markHit() {
    all("[role=option]", by("found")).forEach(function (item, place) {
      item.setAttribute("aria-selected", String(place === hit));
    });
    if (hit >= 0) by("find").setAttribute("aria-activedescendant", "hit-" + hit);
    else by("find").removeAttribute("aria-activedescendant");
  }

  function takeHit(one) {
    if (!one) return;
    showHits([]);
    by("find").value = "";
    if (one.kind === "area") street.tree.go(one.uid);
    else if (one.kind === "case") {
      window.location.href = street.base + "/case/" + encodeURIComponent(one.source) + "/" + encodeURIComponent(one.code) +
        "?" + street.shown();
    } else {
      street.setMap({ view: { center: [one.lon, one.lat], zoom: 17 } });
      street.asking.ask({ lon: one.lon.toFixed(7), lat: one.lat.toFixed(7), radius_m: by("radius") ? by("radius").value : 300 });
    }
  }

  document.addEventListener("click", function (event) {
    var node = event.target.closest("#found [role=option]");
    if (node) takeHit(hits[all("#found [role=option]").indexOf(node)]);
    else if (by("found") && !event.target.closest(".find")) showHits([]);
  });

  document.addEventListener("input", function (event) {
    if (event.target.id === "find") search();
  });

  document.addEventListener("keydown", function (event) {
    if (event.target.id !== "find" || by("found").hidden) return;
    if (event.key === "ArrowDown" || event.key === "ArrowUp") {
      hit = (hit + (event.key === "ArrowDown" ? 1 : hits.length - 1)) % Math.max(hits.length, 1);
      markHit();
      event.preventDefault();
    } else if (event.key === "Enter") {
      takeHit(hits[hit]);
      event.preventDefault();
    }
  });

  street.finder = {
    close: function () {
      if (!by("found") || by("found").hidden) return false;
      showHits([]);
      return true;
    }
  };
});
