/* Whose any kind of case is in the area that is shown: asked for kind by kind. */
window.dash_clientside.street.add(function (street, by, all) {
  "use strict";

  function ask() {
    var kind = by("whose").value;
    var box = by("whose-one");
    if (!kind) { box.textContent = ""; return; }
    street.ask("whose.json", { code: street.at.code, level: street.at.level, whose: kind }).then(function (answer) {
      if (by("whose-one") === box && by("whose").value === kind) box.innerHTML = answer.html;
    }).catch(street.fail);
  }

  document.addEventListener("change", function (event) { if (event.target.id === "whose") ask(); });

  /* The kinds are those of the filter: a step need not send them again. */
  street.whose = {
    stepped: function (chosen) {
      all("[data-filter=kind] > *").slice(1).forEach(function (one) { by("whose").appendChild(one.cloneNode(true)); });
      by("whose").value = chosen;
      ask();
    }
  };
});
