"""Recipes: briefings that are asked for again, and what each of their issues said."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from geodata.access.scope import Scope
from geodata.audit.log import write_entry
from geodata.briefing.briefing import describe_sight, read_briefing
from geodata.briefing.cut_off import see_at
from geodata.briefing.issuing import Comparison, check_name, compare_issue
from geodata.briefing.sentences import name_moment, name_period, name_title
from geodata.briefing.wish import Wish, parse_wish
from geodata.city import City
from geodata.errors import Fault, NotFound
from geodata.snapshots.facts import Facts
from geodata.store.briefings import (
    Issue,
    Recipe,
    drop_recipe,
    list_issues,
    list_recipes,
    save_recipe,
)
from geodata.words import Lang, say


@dataclass(frozen=True, slots=True, kw_only=True)
class RecipeList:
    """The recipes of a city."""

    recipes: tuple[Recipe, ...]
    zone: str

    def lines(self, lang: Lang) -> list[str]:
        """Return one line a recipe."""
        if not self.recipes:
            return [say("briefing.no_recipes", lang)]
        return [
            say("briefing.recipe_line", lang, name=one.name, period=one.wish["period"],
                area=one.wish["area"] or say("briefing.whole_city", lang),
                cut_off=one.wish["cut_off"], at=name_moment(one.at, self.zone))
            for one in self.recipes
        ]  # fmt: skip

    def as_json(self) -> dict[str, Any]:
        """Return the object that `--json` prints."""
        return {
            "recipes": [
                {"name": one.name, "wish": one.wish, "at": one.at, "account": one.account}
                for one in self.recipes
            ]
        }


@dataclass(frozen=True, slots=True, kw_only=True)
class IssueList:
    """The issues of a series, the newest first, each against what is known now."""

    found: tuple[Comparison, ...]

    def lines(self, lang: Lang) -> list[str]:
        """Return the issues, each with what it would say otherwise now."""
        if not self.found:
            return [say("briefing.no_issues", lang)]
        told = []
        for one in self.found:
            told.append(describe_issue(one.issue, lang))
            told += [f"  {sentence.text}" for sentence in one.sentences(lang)]
        return told

    def as_json(self) -> dict[str, Any]:
        """Return the object that `--json` prints."""
        return {
            "issues": [
                {
                    "issue": one.issue.issue,
                    "series": one.issue.series,
                    "cut_off": one.issue.cut_off,
                    "revision": one.issue.revision,
                    "digest": one.issue.digest,
                    "differences": [
                        {
                            "key": difference.key,
                            "before": difference.before.text,
                            "now": None if difference.now is None else difference.now.text,
                        }
                        for difference in one.differences
                    ],
                }
                for one in self.found
            ]
        }


def describe_issue(issue: Issue, lang: Lang) -> str:
    """Return one line: which issue, of what, as of when, at which revision."""
    of = read_briefing(issue.briefing)
    return say(
        "briefing.issue_line",
        lang,
        issue=issue.issue,
        series=issue.series,
        title=name_title(of),
        period=name_period(of),
        at=name_moment(issue.cut_off, of.zone),
        revision=issue.revision,
        total=(of.figures.get("total") or of.figures["own"]).text,
    )


def get_recipe(city: City, name: str) -> Wish:
    """Return the wish of a saved recipe. Raises NotFound."""
    with city.database.read() as connection:
        for recipe in list_recipes(connection):
            if recipe.name == name:
                return parse_wish(recipe.wish)
    raise NotFound(Fault(key="briefing_recipe"))


def save(city: City, scope: Scope, name: str, wish: Wish, *, at: int) -> None:
    """Save a recipe in the place of one of the same name. Raises BadSetting for a bad name."""
    check_name(name)
    recipe = Recipe(name=name, wish=wish.as_json(), at=at, account=scope.account)
    with city.database.transaction() as connection:
        save_recipe(connection, recipe)
        write_entry(connection, account=scope, act="recipe.save", target=name, at=at)


def drop(city: City, scope: Scope, name: str, *, at: int) -> None:
    """Remove a recipe; its issues stay. Raises NotFound."""
    with city.database.transaction() as connection:
        if not drop_recipe(connection, name):
            raise NotFound(Fault(key="briefing_recipe"))
        write_entry(connection, account=scope, act="recipe.drop", target=name, at=at)


def describe_recipes(city: City) -> RecipeList:
    """Return every recipe."""
    with city.database.read() as connection:
        recipes = tuple(list_recipes(connection))
    return RecipeList(recipes=recipes, zone=city.settings.timezone)


def describe_issues(
    facts: Facts, scope: Scope, series: str, *, now: int, most: int = 12, compared: int = 12
) -> IssueList:
    """
    Return a series' issues, or those of all without a name, that the scope's own sight made.

    The newest `compared` are held against what is known at `now` (UTC s).
    """
    eyes = describe_sight(see_at(facts, scope, cut_off=now))
    with facts.city.database.read() as connection:
        issues = list_issues(connection, sight=eyes, series=series or None, most=most)
    found = [
        compare_issue(facts, scope, one, cut_off=one.cut_off if place >= compared else now)
        for place, one in enumerate(issues)
    ]
    return IssueList(found=tuple(found))
