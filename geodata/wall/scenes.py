"""Scenes: what a wall shows one after another, kept as data, each change signed and dated."""

from __future__ import annotations

import unicodedata
from collections.abc import Collection, Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any

from geodata.access.scope import Scope
from geodata.audit.log import write_entry
from geodata.city import City
from geodata.errors import BadSetting, Fault, NotAllowed
from geodata.events.periods import PERIODS_DAYS
from geodata.store.wall import append_hold, append_scenes, read_hold_row, read_scene_row
from geodata.wall.film import REELS
from geodata.words import LANGS, Lang, say

MOST_SCENES, LONGEST_NAME, LONGEST_PLACE = 20, 40, 80
LEAST_DWELL_S, MOST_DWELL_S = 5, 3_600
NOW, AGAINST = "now", "against"  # the scene's days as they are, or less as many days before
SHOWS = (NOW, AGAINST, *REELS)
CITY, LATE = "city", "late"  # places that move with the data: the whole, where most is late
ADMIN, ACT = "admin", "act"
_HELD = ("scene", "alarm")
_NEVER = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Scene:
    """
    One scene: the layers shown by id, where, of the last `days` days (0: all), for how long.

    `place` is CITY, LATE or the code of a grid or an area; `show` is one of SHOWS: the days
    themselves, their difference to as many days before, or a film of a day, a week or a year.
    """

    name: str
    layers: tuple[str, ...]
    place: str
    days: int
    dwell_s: int
    show: str = NOW


@dataclass(frozen=True, slots=True, kw_only=True)
class SceneList:
    """The scenes in force; `version` 0: nobody saved any, these are the program's own."""

    version: int
    at: int
    account: str
    scenes: tuple[Scene, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Hold:
    """What the duty desk holds on the wall until a moment (UTC s): a scene or an alarm."""

    hold: int
    what: str
    target: str
    until: int
    account: str


def list_own_scenes(lang: Lang) -> tuple[Scene, ...]:
    """Return the scenes of a wall that nobody has set up: risk, what is late, the last weeks."""
    plain = ("base-map", "grid-edges", "grid-names")
    rows = (
        # Of all time: what is late is late whenever it was reported.
        ("risk", (*plain, "grid-risk", "overdue-halos"), CITY, 0, 40, NOW),
        ("late", (*plain, "grid-risk", "overdue-halos"), LATE, 0, 20, NOW),
        ("heat", (*plain, "incident-heat"), CITY, 28, 20, NOW),
        ("hexes", (*plain, "incident-hexes"), CITY, 90, 20, NOW),
        ("change", plain, CITY, 28, 20, AGAINST),
        ("film", plain, CITY, 28, 42, "week"),
    )
    return tuple(
        Scene(
            name=say(f"scene.{key}", lang),
            layers=layers,
            place=place,
            days=days,
            dwell_s=dwell,
            show=show,
        )
        for key, layers, place, days, dwell, show in rows
    )


def read_scenes(city: City, lang: Lang) -> SceneList:
    """Return the scenes in force, the program's own in the language asked for before any."""
    with city.database.read() as connection:
        row = read_scene_row(connection)
    if row is None:
        return SceneList(version=0, at=0, account="", scenes=list_own_scenes(lang))
    return SceneList(
        version=row.version,
        at=row.at,
        account=row.account,
        scenes=tuple(
            Scene(
                name=str(one["name"]),
                layers=tuple(one["layers"]),
                place=str(one["place"]),
                days=int(one["days"]),
                dwell_s=int(one["dwell_s"]),
                show=str(one.get("show", NOW)),  # older versions know no other
            )
            for one in row.scenes
        )
        or list_own_scenes(lang),
    )


def find_turn(scenes: Sequence[Scene], *, now: float) -> int:
    """Return the place of the scene whose turn it is (UTC s), the same on all walls."""
    at = now % sum(one.dwell_s for one in scenes)
    for place, one in enumerate(scenes):
        at -= one.dwell_s
        if at < 0:
            return place
    return 0


def find_scene(found: SceneList, name: str) -> int | None:
    """Return the place of a scene by its name, the program's own by their name in any language."""
    lists = [found.scenes]
    if found.scenes in [list_own_scenes(lang) for lang in LANGS]:
        lists += [list_own_scenes(lang) for lang in LANGS]
    for scenes in lists:
        for place, one in enumerate(scenes):
            if one.name == name:
                return place
    return None


def save_scenes(
    city: City,
    scope: Scope,
    wishes: Sequence[Mapping[str, Any]],
    *,
    layers: Collection[str],
    codes: Collection[str],
    now: int,
) -> int:
    """
    Save all scenes as a new version and return it; none at all brings the program's own back.

    `layers` and `codes` are the ids and codes that there are. Raises NotAllowed without the
    permission, BadSetting with every fault of every scene at once; then nothing was written.
    """
    if not scope.has(ADMIN):
        raise NotAllowed(Fault(key="not_allowed", values={"need": ADMIN}))
    scenes, faults = [], []
    if len(wishes) > MOST_SCENES:
        faults.append(Fault(key="scene_many", values={"most": MOST_SCENES}))
    for row, wish in enumerate(wishes[:MOST_SCENES], start=1):
        scene, wrong = read_scene(wish, layers=layers, codes=codes, row=row)
        scenes.append(scene)
        faults.extend(wrong)
    names = [one.name for one in scenes if one is not None]
    if len(set(names)) < len(names):
        faults.append(Fault(key="scene_twice"))
    if faults:
        raise BadSetting(faults)
    plain = [asdict(one) for one in scenes if one is not None]
    with city.database.transaction() as connection:
        version = append_scenes(connection, plain, account=scope.account, at=now)
        write_entry(
            connection,
            account=scope,
            act="wall.scenes",
            target=f"version {version}",
            n=max(len(plain), 1),
            at=now,
        )
    return version


def read_scene(
    wish: Mapping[str, Any], *, layers: Collection[str], codes: Collection[str], row: int
) -> tuple[Scene | None, list[Fault]]:
    """Return a checked scene, or None with what is wrong with it; `row` counts from 1."""
    faults = []
    name = _clean(wish.get("name"))
    place = str(wish.get("place") or CITY)[:LONGEST_PLACE].strip()
    days, dwell_s = _whole(wish.get("days")), _whole(wish.get("dwell_s"))
    shown = tuple(one for one in wish.get("layers") or () if isinstance(one, str))
    show = str(wish.get("show") or NOW)
    if not name or len(name) > LONGEST_NAME:
        faults.append(
            Fault(key="scene_name", row=row, field="name", values={"limit": LONGEST_NAME})
        )
    if not shown or not set(shown) <= set(layers):
        faults.append(Fault(key="scene_layers", row=row, field="layers"))
    if place not in (CITY, LATE) and place not in codes:
        faults.append(Fault(key="scene_place", row=row, field="place"))
    if days not in PERIODS_DAYS:
        faults.append(Fault(key="scene_days", row=row, field="days"))
    if show not in SHOWS:
        faults.append(Fault(key="scene_show", row=row, field="show"))
    if show == AGAINST and not days:
        faults.append(Fault(key="scene_against", row=row, field="days"))
    if dwell_s is None or not LEAST_DWELL_S <= dwell_s <= MOST_DWELL_S:
        values = {"low": LEAST_DWELL_S, "high": MOST_DWELL_S}
        faults.append(Fault(key="scene_dwell", row=row, field="dwell_s", values=values))
    if faults or days is None or dwell_s is None:
        return None, faults
    return Scene(name=name, layers=shown, place=place, days=days, dwell_s=dwell_s, show=show), []


def read_hold(city: City, *, now: int) -> Hold | None:
    """Return what is held on the wall at a moment, None for nothing."""
    with city.database.read() as connection:
        row = read_hold_row(connection)
    if row is None or row.what not in _HELD or row.until <= now:
        return None
    return Hold(
        hold=row.hold, what=row.what, target=row.target, until=row.until, account=row.account
    )


def hold_wall(city: City, scope: Scope, *, what: str, target: str, now: int) -> int:
    """
    Hold a scene (its name) or an alarm (its number) on every wall, or with what="" let go.

    It holds for the setting `wall_hold_s`. Raises NotAllowed without the permission to act or for
    an account of some areas (a wall shows the whole city), BadSetting for what cannot be held.
    """
    if not scope.has(ACT):
        raise NotAllowed(Fault(key="not_allowed", values={"need": ACT}))
    if not scope.everything:
        raise NotAllowed(Fault(key="hold_elsewhere"))
    if what and (what not in _HELD or not target or len(target) > LONGEST_NAME):
        raise BadSetting(Fault(key="wall_hold"))
    until = now + city.settings.wall_hold_s if what else _NEVER
    with city.database.transaction() as connection:
        number = append_hold(
            connection, what=what, target=target, until=until, account=scope.account, at=now
        )
        write_entry(
            connection,
            account=scope,
            act="wall.hold" if what else "wall.release",
            target=f"{what}/{target}".strip("/"),
            at=now,
        )
    return number


def _clean(value: Any) -> str:
    text = unicodedata.normalize("NFC", value).strip() if isinstance(value, str) else ""
    return "" if any(unicodedata.category(sign) in ("Cc", "Cs") for sign in text) else text


def _whole(value: Any) -> int | None:
    text = str(value)
    return int(text) if text.isascii() and text.isdigit() and len(text) < 7 else None
