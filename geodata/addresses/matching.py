"""Texts matched to the places of an address library, each with its level and its score."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray
from rapidfuzz import process
from rapidfuzz.distance import Indel

from geodata.addresses.library import AddressLibrary, Street, sound_of
from geodata.addresses.parts import ROAD_ENDS, Door, read_crossing, read_door
from geodata.addresses.writing import normalise

Floats = NDArray[np.float64]

# From the surest to the coarsest; a match's level is its place in this list.
LEVELS = ("number", "building", "place", "crossing", "interpolated", "road", "none")
_LEVEL = {name: code for code, name in enumerate(LEVELS)}
PLACED = tuple(
    _LEVEL[name] for name in LEVELS[:5]
)  # a road alone is no place: it may be miles long
ALIKE = 0.66  # Indel similarity of a name of three characters with one wrong
_CLOSE_NUMBERS = 12  # between neighbours further apart a number is not guessed
_NEAR_END = 6  # nor this far beyond the last one
_CROSSING_SHARE = 0.02  # of the library's extent: two roads further apart do not meet
_GUESSES = 3
_MOST_TIES = 8
_MOST_REMEMBERED = 100_000
_SURE = {"exact": 1.0, "stem": 0.95, "sound": 0.9, "alike": 0.8}
_WRONG_TOWN = 0.85  # the name is unique in the city, though another town was written


@dataclass(frozen=True, slots=True, kw_only=True)
class Match:
    """
    Where texts lie; arrays of their length. NaN and row -1 for what was not matched.

    `level` is a place in `LEVELS`; `score` from 0 to 1. `guesses` holds the best library texts for
    the rows that were not placed, by row.
    """

    x: Floats
    y: Floats
    level: NDArray[np.uint8]
    score: NDArray[np.float32]
    row: NDArray[np.int64]
    guesses: dict[int, tuple[str, ...]]


@dataclass(frozen=True, slots=True, kw_only=True)
class _Found:
    """One text's answer; `rows` are one library row, or the two that it lies between."""

    level: str = "none"
    rows: tuple[int, ...] = ()
    share: float = 0.0  # of the way from the first row to the second
    score: float = 0.0
    guesses: tuple[int, ...] = ()


_NOT_FOUND = _Found()


def match_addresses(library: AddressLibrary, texts: Sequence[str]) -> Match:
    """
    Match texts to the library: exact, by ending left out, by sound, by likeness, by interpolation.

    Never guesses between equals: where two roads fit, or a road alone is named, the text is left
    for a person with its best guesses.
    """
    matcher = _Matcher(library)
    n = len(texts)
    x, y = np.full(n, np.nan), np.full(n, np.nan)
    level = np.full(n, _LEVEL["none"], np.uint8)
    score, row = np.zeros(n, np.float32), np.full(n, -1, np.int64)
    guesses: dict[int, tuple[str, ...]] = {}
    for i, text in enumerate(texts):
        found = matcher.match(text)
        level[i] = _LEVEL[found.level]
        score[i] = found.score
        if found.rows and level[i] in PLACED:
            first, last = found.rows[0], found.rows[-1]
            row[i] = first
            x[i] = library.x[first] + found.share * (library.x[last] - library.x[first])
            y[i] = library.y[first] + found.share * (library.y[last] - library.y[first])
        elif found.guesses:
            guesses[i] = tuple(library.texts[guess] for guess in found.guesses[:_GUESSES])
    return Match(x=x, y=y, level=level, score=score, row=row, guesses=guesses)


@dataclass(slots=True)
class _Matcher:
    """Matches one text after another against one library, remembering names it has looked up."""

    library: AddressLibrary
    _extent: float = field(init=False)
    _known_alike: dict[tuple[str, str], tuple[Street, ...]] = field(default_factory=dict)

    def __post_init__(self) -> None:
        x, y = self.library.x, self.library.y
        self._extent = float(max(np.ptp(x), np.ptp(y))) if len(x) else 0.0

    def match(self, text: str) -> _Found:
        """Return where one text lies."""
        plain = normalise(text)
        if not plain:
            return _NOT_FOUND
        town, community, rest = self._cut_divisions(plain)
        crossing = read_crossing(rest)
        if crossing is not None:
            return self._meet(crossing, town)
        streets, rest, how = self._find_name(rest, town, community)
        if not streets:
            return _NOT_FOUND
        return self._find_door(streets, read_door(rest), town, community, _SURE[how])

    def _cut_divisions(self, text: str) -> tuple[str, str, str]:
        """Return town, community and what follows them; a known name is never cut into."""
        library = self.library
        town = community = ""
        if not self._known(text):
            found = library.prefix.match(text)
            text = text[found.end() :] if found and found.end() < len(text) else text
        if not self._known(text):
            found = library.towns.match(text)
            if found and found.end() < len(text):
                town, text = library.town_of[found[0]], text[found.end() :]
        if not self._known(text):
            found = library.communities.match(text)
            if found and found.end() < len(text):
                community, text = found[0], text[found.end() :]
        return town, community, text

    def _known(self, text: str) -> int:
        """Return how long the longest street name is that the text begins with, 0 for none."""
        streets = self.library.streets
        for length in range(min(len(text), self.library.longest), 1, -1):
            if text[:length] in streets:
                return length
        return 0

    def _find_name(
        self, text: str, town: str, community: str = ""
    ) -> tuple[tuple[Street, ...], str, str]:
        """Return the streets of the name that a text begins with, the rest, and how it matched."""
        library = self.library
        length = self._known(text)
        if length:
            return library.streets[text[:length]], text[length:], "exact"
        digit = next((place for place, sign in enumerate(text) if sign.isdigit()), len(text))
        name, rest = text[:digit], text[digit:]
        if len(name) < 2:
            return (), text, "exact"
        known = {
            "stem": library.stems.get(name, ()),
            "sound": library.sounds.get(sound_of(name), ()),
        }
        for how, streets in known.items():
            if any(_is_in(one, town, community) for one in streets):
                return streets, rest, how
        # Nothing where the text says: what looks alike there goes before what sounds alike afar.
        alike = self._alike(name, town)
        if town or community:
            here = tuple(one for one in alike if _is_in(one, town, community))
            if here:
                return here, rest, "alike"
        afar = next((how for how, streets in known.items() if streets), "alike")
        return known.get(afar, alike), rest, afar

    def _alike(self, name: str, town: str) -> tuple[Street, ...]:
        """Return the streets whose names are most like a name, all that tie; none below `ALIKE`."""
        asked = (name, town)
        if asked not in self._known_alike:
            if len(self._known_alike) >= _MOST_REMEMBERED:
                self._known_alike.clear()
            self._known_alike[asked] = _most_alike(self.library, name, town)
        return self._known_alike[asked]

    def _find_door(
        self,
        streets: tuple[Street, ...],
        door: Door | None,
        town: str,
        community: str,
        sure: float,
    ) -> _Found:
        here = tuple(one for one in streets if one.town == town) if town else streets
        if not here:
            here, sure = streets, sure * _WRONG_TOWN
        if community and len(here) > 1:
            beside = tuple(one for one in here if _is_in(one, "", community))
            here = beside or here
        if door is None:
            if len(here) == 1 and len(here[0].rows) == 1:
                return _Found(level="place", rows=(int(here[0].rows[0]),), score=sure)
            # No end of a road is likelier than the other: its middle is offered, never taken.
            guesses = tuple(self.library.find_middle(one) for one in here)
            return _Found(level="road", score=sure / 2 / len(here), guesses=guesses)
        exact = [(one, one.find(door.number, door.sub)) for one in here]
        found = [(one, row) for one, row in exact if row >= 0]
        if len(found) == 1:
            street, row = found[0]
            level = "number" if street.name.endswith(ROAD_ENDS) else "building"
            return _Found(level=level, rows=(row,), score=sure)
        if found or len(here) > 1:
            doors = tuple(row for _, row in found) or tuple(int(one.rows[0]) for one in here)
            return _Found(level="none", score=sure / 2, guesses=doors)
        return _between(here[0], door.number, sure)

    def _meet(self, names: tuple[str, str], town: str) -> _Found:
        """Return the middle of the nearest doors of two roads that meet."""
        best: tuple[float, int, int] | None = None
        first, second = (self._find_name(name, town)[0] for name in names)
        for one in first:
            for other in second:
                if one.town != other.town or one is other or (town and one.town != town):
                    continue
                near = self._nearest(one.rows, other.rows)
                best = near if best is None or near < best else best
        if best is None or best[0] > self._extent * _CROSSING_SHARE:
            rows = tuple(int(one.rows[0]) for one in (*first, *second))
            return _Found(level="none", guesses=rows)
        return _Found(level="crossing", rows=best[1:], share=0.5, score=_SURE["alike"])

    def _nearest(self, one: NDArray[np.int64], other: NDArray[np.int64]) -> tuple[float, int, int]:
        x, y = self.library.x, self.library.y
        apart = np.hypot(x[one][:, None] - x[other], y[one][:, None] - y[other])
        i, j = np.unravel_index(int(apart.argmin()), apart.shape)
        return float(apart[i, j]), int(one[i]), int(other[j])


def _between(street: Street, number: int, sure: float) -> _Found:
    """Return a number's place between its neighbours on the same side of the road."""
    plain = np.array([not part for part in street.subs])
    side = np.flatnonzero((street.numbers % 2 == number % 2) & plain)
    rows = street.rows[side]
    nearest = np.argsort(np.abs(street.numbers[side] - number), kind="stable")[:_GUESSES]
    guesses = tuple(rows[nearest].tolist())
    if not street.name.endswith(ROAD_ENDS) or not len(side):
        return _Found(level="road", score=sure / 2, guesses=guesses or (int(street.rows[0]),))
    numbers = street.numbers[side]
    at = int(np.searchsorted(numbers, number))
    if 0 < at < len(numbers) and numbers[at] - numbers[at - 1] <= _CLOSE_NUMBERS:
        share = (number - numbers[at - 1]) / (numbers[at] - numbers[at - 1])
        pair = (int(rows[at - 1]), int(rows[at]))
        return _Found(level="interpolated", rows=pair, share=float(share), score=sure * 0.9)
    near = min(max(at, 0), len(numbers) - 1)
    if at in (0, len(numbers)) and abs(int(numbers[near]) - number) <= _NEAR_END:
        return _Found(level="interpolated", rows=(int(rows[near]),), score=sure * 0.7)
    return _Found(level="road", score=sure / 2, guesses=guesses)


def _is_in(street: Street, town: str, community: str) -> bool:
    return (not town or street.town == town) and (
        not community or any(name.startswith(community) for name in street.communities)
    )


def _most_alike(library: AddressLibrary, name: str, town: str) -> tuple[Street, ...]:
    pool = library.by_town.get(town)
    names = [one.name for one in pool] if pool else list(library.streets)
    best = process.extract(
        name, names, scorer=Indel.normalized_similarity, score_cutoff=ALIKE, limit=_MOST_TIES
    )
    top = [text for text, alike, _ in best if alike == best[0][1]]
    streets = [one for text in dict.fromkeys(top) for one in library.streets[text]]
    return tuple(one for one in streets if not pool or one.town == town)
