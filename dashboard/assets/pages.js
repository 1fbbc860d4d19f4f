// The menu of pages closes when one presses Escape or clicks elsewhere, as a menu does; a button
// that prints its page.
(() => {
  const closeMenus = (except) => {
    for (const menu of document.querySelectorAll("details.pages[open]")) {
      if (menu !== except) menu.removeAttribute("open");
    }
  };
  document.addEventListener("click", (event) => {
    closeMenus(event.target.closest?.("details.pages"));
    if (event.target.closest?.("[data-print]")) window.print();
  });
  document.addEventListener("keydown", (event) => {
    if (event.key !== "Escape") return;
    const menu = document.activeElement?.closest?.("details.pages[open]");
    closeMenus(null);
    menu?.querySelector("summary").focus();
  });
})();
