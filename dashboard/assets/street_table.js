/* The table by child on the street: sorted by a click on its heading. */
window.dash_clientside.street.add(function (street, by, all) {
  "use strict";
  var order = null; // that a hand chose: it outlives the table

  function sort(column, down) {
    var button = document.querySelector("#children [data-sort='" + column + "']");
    if (!button) return;
    var head = button.parentNode;
    all("#children th[aria-sort]").forEach(function (one) { one.removeAttribute("aria-sort"); });
    head.setAttribute("aria-sort", down ? "descending" : "ascending");
    var body = document.querySelector("#children tbody");
    var rows = all("tr", body);
    rows.sort(function (one, other) {
      var found = column === 0
        ? one.cells[0].textContent.localeCompare(other.cells[0].textContent, "zh")
        : Number(one.cells[column].dataset.value) - Number(other.cells[column].dataset.value);
      return down ? -found : found;
    });
    rows.forEach(function (row) { body.appendChild(row); });
  }

  street.press("[data-sort]", function (button) {
    var head = button.parentNode;
    order = { column: Number(button.dataset.sort), down: head.getAttribute("aria-sort") !== "descending" };
    sort(order.column, order.down);
  });

  street.table = { stepped: function () { if (order) sort(order.column, order.down); } };
});
