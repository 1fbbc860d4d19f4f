"""The pages there are, and the menu in every bar that leads to those an account may open."""

from __future__ import annotations

from dataclasses import dataclass

from dash import html

from dashboard.sessions import Visit
from geodata.words import Lang, say

MENU = "pages"


@dataclass(frozen=True, slots=True, kw_only=True)
class Page:
    """A page: its address below the base path, and the permissions any of which opens it."""

    path: str
    name: str
    needs: tuple[str, ...] = ("read",)


# In the order of a day: look, act, plan, tell, then what feeds it and who may.
PAGES = (
    Page(path="", name="map"),
    Page(path="street/", name="street"),
    Page(path="wall/", name="wall"),
    Page(path="duty/", name="duty", needs=("act",)),
    Page(path="desk/", name="desk", needs=("act", "decide")),
    Page(path="planner/", name="planner", needs=("plan", "approve")),
    Page(path="briefing", name="briefing", needs=("export",)),
    Page(path="data", name="data", needs=("load",)),
    Page(path="tables", name="tables", needs=("load", "admin")),
    Page(path="addresses", name="addresses", needs=("act",)),
    Page(path="quality", name="quality", needs=("act", "audit")),
    Page(path="scenes", name="scenes", needs=("admin",)),
    Page(path="accounts", name="accounts", needs=("admin",)),
    Page(path="basemap", name="basemap", needs=("admin",)),
    Page(path="fit", name="fit", needs=("load",)),
    Page(path="audit", name="audit", needs=("audit",)),
)


def list_pages(visit: Visit) -> list[Page]:
    """Return the pages that an account may open; a device stays with its own."""
    if visit.account is not None and visit.account.device:
        return []
    return [page for page in PAGES if any(map(visit.scope.has, page.needs))]


def draw_menu(visit: Visit, lang: Lang, *, base_path: str, here: str) -> list[html.Details]:
    """Return the menu of pages, none where there is nowhere else to go; `here` is open already."""
    pages = list_pages(visit)
    if len(pages) < 2:
        return []
    links = [
        html.A(
            say(f"pages.{page.name}", lang),
            href=f"{base_path}/{page.path}?lang={lang}",
            **({"aria-current": "page"} if page.path == here else {}),
        )
        for page in pages
    ]
    summary = html.Summary(say("pages.menu", lang), className="tool")
    return [html.Details([summary, html.Nav(links)], className=MENU)]
