"""Who is at the screen: the post and its role, the way out, and the roles of a demo city."""

from __future__ import annotations

from typing import Any

from dash import Dash, Input, Output, dcc, html

from dashboard.guard import guarded
from dashboard.parts.pages import draw_menu
from dashboard.sessions import Visit, current_visit
from geodata.words import Lang, parse_lang, say

ID = "who"


def draw() -> html.Div:
    """Return the place in a screen's bar, its words still empty."""
    return html.Div(id=ID)


def add_who(app: Dash, *, base_path: str) -> None:
    """Let a screen with `draw()` in its bar and a store `lang` say who is signed in."""
    here = app.config.routes_pathname_prefix.removeprefix(f"{base_path}/")

    @app.callback(Output(ID, "children"), Input("lang", "data"))
    @guarded("read")
    def say_who(lang: Any) -> Any:
        visit = current_visit()
        spoken = parse_lang(lang if isinstance(lang, str) else None)
        if visit is None:
            return []
        described = _describe(visit, spoken, base_path=base_path)
        shown = described if isinstance(described, list) else [described]
        return [*draw_menu(visit, spoken, base_path=base_path, here=here), *shown]


def name_of(visit: Visit) -> str:
    """Return the post's name; who sits at the machine itself has only a role."""
    return visit.account.name if visit.account is not None else ""


def role_of(visit: Visit, lang: Lang) -> str:
    """Return the role in words."""
    return say(f"role.{visit.scope.role}", lang) if visit.scope.role else ""


def _describe(visit: Visit, lang: Lang, *, base_path: str) -> Any:
    role = html.Span(role_of(visit, lang), className="who-role")
    if visit.kind == "demo":
        mark = html.Span(say("demo_role.mark", lang), className="demo-mark")
        return dcc.Link(
            [mark, role], href=f"{base_path}/demo-role?lang={lang}", refresh=True, className="tool",
            title=say("demo_role.title", lang),
        )  # fmt: skip
    if visit.account is None:
        return role
    name = html.Span(name_of(visit), className="who-name")
    if visit.account.device:  # nobody stands at a wall to sign it out, and nobody passing by should
        return [name, role]
    return html.Details(
        [html.Summary([name, role], className="tool"), _menu(visit, lang, base_path=base_path)]
    )


def _menu(visit: Visit, lang: Lang, *, base_path: str) -> html.Div:
    assert visit.account is not None
    areas = visit.account.areas
    seen = ", ".join(areas) if areas else say("account.whole_city", lang)
    lines: list[Any] = [html.P(seen, className="quiet small")]
    if visit.retired:
        gone = say("sign_in.retired", lang, areas=visit.retired)
        lines.append(html.P(gone, className="who-retired small"))
    return html.Div(
        [
            *lines,
            html.A(say("sign_in.change", lang), href=f"{base_path}/password?lang={lang}"),
            html.Form(
                html.Button(say("sign_in.out", lang), type="submit"),
                action=f"{base_path}/sign-out",
                method="POST",
            ),
        ],
        className="who-menu",
    )
