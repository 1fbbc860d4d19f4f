"""Good files broken at random, from a seed: cut, flipped, overwritten, doubled, spliced."""

from __future__ import annotations

import io
import random
import zipfile
from collections.abc import Callable

from tests.attack.archives import zip_of
from tests.attack.corpus import READ, Attack

EXTREMES = (b"\xff\xff\xff\xff", b"\x7f\xff\xff\xff", b"\0\0\0\0", b"\0\0\0\x80", b"\1\0\0\0")
_LARGEST = 200_000


def mutated(attacks: list[Attack], count: int, *, seed: int) -> list[Attack]:
    """Return so many broken copies of the corpus's good files, the same ones for each seed."""
    good = [one for one in attacks if one.expect == READ and not callable(one.content)]
    good += [one for one in attacks if one.name.startswith(("shapefile: good", "gpkg: in a zip"))]
    families: dict[str, list[Attack]] = {}
    for one in good:
        if len(one.bytes()) < _LARGEST:
            families.setdefault(one.name.split(":")[0], []).append(one)
    chance = random.Random(seed)
    found = []
    for number in range(count):
        family = families[sorted(families)[number % len(families)]]
        source = chance.choice(family)
        name, break_up = chance.choice(BREAKERS)
        raw = break_inside(source.bytes(), break_up, chance)
        found.append(
            Attack(
                name=f"mutation {number}: {source.name}, {name}",
                file=source.file,
                kind=source.kind,
                content=raw,
            )
        )
    return found


def break_inside(raw: bytes, break_up: Callable[..., bytes], chance: random.Random) -> bytes:
    """Break a file, or in most cases one member of it where it is a zip."""
    if not raw.startswith(b"PK") or chance.random() < 0.25:
        return break_up(raw, chance)
    with zipfile.ZipFile(io.BytesIO(raw)) as archive:
        members = {name: archive.read(name) for name in archive.namelist()}
    name = chance.choice(sorted(members))
    members[name] = break_up(members[name], chance)
    return zip_of(members)


def cut(raw: bytes, chance: random.Random) -> bytes:
    return raw[: chance.randrange(len(raw) + 1)]


def flip(raw: bytes, chance: random.Random) -> bytes:
    out = bytearray(raw)
    for _ in range(chance.choice((1, 3, 30)) if out else 0):
        out[chance.randrange(len(out))] ^= 1 << chance.randrange(8)
    return bytes(out)


def overwrite(raw: bytes, chance: random.Random) -> bytes:
    # Headers hold the numbers that others trust.
    at = chance.randrange(max(min(len(raw), chance.choice((120, _LARGEST))), 1))
    return raw[:at] + chance.choice(EXTREMES) + raw[at + 4 :]


def double(raw: bytes, chance: random.Random) -> bytes:
    start, stop = sorted(chance.randrange(len(raw) + 1) for _ in range(2))
    return raw[:stop] + raw[start:stop] * chance.choice((1, 5)) + raw[stop:]


def drop(raw: bytes, chance: random.Random) -> bytes:
    start = chance.randrange(len(raw) + 1)
    return raw[:start] + raw[start + chance.choice((1, 4, 100)) :]


def fill(raw: bytes, chance: random.Random) -> bytes:
    start = chance.randrange(len(raw) + 1)
    noise = bytes(chance.randrange(256) for _ in range(chance.choice((1, 8, 200))))
    return raw[:start] + noise + raw[start + len(noise) :]


def swap(raw: bytes, chance: random.Random) -> bytes:
    a, b = sorted(chance.randrange(len(raw) + 1) for _ in range(2))
    return raw[b:] + raw[a:b] + raw[:a]


BREAKERS: tuple[tuple[str, Callable[[bytes, random.Random], bytes]], ...] = (
    ("cut", cut),
    ("flipped", flip),
    ("overwritten", overwrite),
    ("doubled", double),
    ("dropped", drop),
    ("filled", fill),
    ("swapped", swap),
)
