/* The table by child on the street: sorted by a click on its heading. */
(function () {
  "use strict";
  var all = window.dash_clientside.street.all;

  function sortBy(button) {
    var head = button.parentNode;
    var column = Number(button.dataset.sort);
    var down = head.getAttribute("aria-sort") !== "descending";
    all("#children th[aria-sort]").forEach(function (one) { one.removeAttribute("aria-sort"); });
    head.setAttribute("aria-sort", down ? "descending" : "ascending");
    var body = document.querySelector("#children tbody");
    var rows = all("tr", body);
    rows.sort(function (one, other) {
      var order = column === 0
        ? one.cells[0].textContent.localeCompare(other.cells[0].textContent, "zh")
        : Number(one.cells[column].dataset.value) - Number(other.cells[column].dataset.value);
      return down ? -order : order;
    });
    rows.forEach(function (row) { body.appendChild(row); });
  }

  document.addEventListener("click", function (event) {
    var node = event.target.closest("[data-sort]");
    if (node) sortBy(node);
  });
})();
