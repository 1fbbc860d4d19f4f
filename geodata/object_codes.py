"""Codes of things on the ground: components by a rule of parts, cameras by GB/T 28181."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from geodata.errors import BadSetting, Fault

# 6 division, 2 class, 2 subclass, 6 serial: what most component censuses use.
NATIONAL_RULE = "district:6 class:2 subclass:2 serial:6"
# District, class, subclass, owning body, place and cell, as inner districts code them.
DISTRICT_RULE = "district:6 class:2 subclass:2 body:3 place:4 cell:6 serial:4"
CAMERA_TYPES = {"131": "camera", "132": "ip_camera"}
DEVICE_TYPES = CAMERA_TYPES | {
    "111": "dvr", "118": "nvr", "120": "capture", "121": "checkpoint", "134": "alarm_input",
    "200": "server", "215": "group", "216": "organisation",
}  # fmt: skip
MOST_LISTED = 20  # codes named per finding; the counts are always whole
_CAMERA_DIGITS = 20
_PART = re.compile(r"(?P<name>[a-z]+):(?P<digits>\d{1,2})")
_NAMES = ("district", "class", "subclass", "body", "place", "cell", "serial")


@dataclass(frozen=True, slots=True, kw_only=True)
class ComponentRule:
    """What the digits of a component's code mean: parts in their order, each a name and a size."""

    parts: tuple[tuple[str, int], ...]

    @property
    def digits(self) -> int:
        """Return the length of a code."""
        return sum(size for _, size in self.parts)

    def split(self, code: str) -> dict[str, str] | None:
        """Return the parts of a code by name; None when it does not fit the rule."""
        if len(code) != self.digits or not code.isdigit() or not code.isascii():
            return None
        found: dict[str, str] = {}
        start = 0
        for name, size in self.parts:
            found[name] = code[start : start + size]
            start += size
        return found

    def build(self, values: Mapping[str, str]) -> str:
        """
        Return the code of these parts, each filled with zeros to its size.

        Raises BadSetting naming every part that is missing, too long or no number.
        """
        faults = [
            Fault(key="code_part", field=name, values={"digits": size})
            for name, size in self.parts
            if not (values.get(name, "").isdigit() and len(values[name]) <= size)
        ]
        if faults:
            raise BadSetting(faults)
        return "".join(values[name].zfill(size) for name, size in self.parts)


@dataclass(frozen=True, slots=True, kw_only=True)
class CodeFindings:
    """
    What is wrong with a set of codes: how many of each finding, and the first codes of each.

    `misfit`: not of the rule's form. `doubled`: stands twice. `orphan`: its district, body or cell
    is unknown to the city. `elsewhere`: its cell is not where the thing stands.
    """

    total: int
    counts: dict[str, int]
    examples: dict[str, tuple[str, ...]]


@dataclass(frozen=True, slots=True, kw_only=True)
class CameraId:
    """The parts of a 20-digit device id of GB/T 28181, rule A."""

    division: str
    centre: str
    industry: str
    type: str
    serial: str

    @property
    def kind(self) -> str:
        """Return what the type code stands for, "other" for one that is not listed."""
        return DEVICE_TYPES.get(self.type, "other")

    @property
    def is_camera(self) -> bool:
        """Tell whether the id is that of a camera, not of a recorder or a group."""
        return self.type in CAMERA_TYPES


def parse_component_rule(text: str) -> ComponentRule:
    """
    Read a rule such as `district:6 class:2 subclass:2 serial:6`.

    Raises BadSetting for a part without a size, an unknown or a repeated name.
    """
    parts: list[tuple[str, int]] = []
    for item in text.replace(",", " ").split():
        found = _PART.fullmatch(item)
        if found is None or found["name"] not in _NAMES or int(found["digits"]) == 0:
            values = {"part": item, "known": ", ".join(_NAMES)}
            raise BadSetting(Fault(key="code_rule_part", values=values))
        parts.append((found["name"], int(found["digits"])))
    names = [name for name, _ in parts]
    if not parts or len(names) != len(set(names)):
        values = {"part": text, "known": ", ".join(_NAMES)}
        raise BadSetting(Fault(key="code_rule_part", values=values))
    return ComponentRule(parts=tuple(parts))


def check_component_codes(
    codes: Sequence[str],
    rule: ComponentRule,
    *,
    known: Mapping[str, frozenset[str]] | None = None,
    owners: Sequence[str] | None = None,
) -> CodeFindings:
    """
    Check component codes against a rule, one another, and what the city knows.

    `known` gives the values that parts such as "district", "class" or "body" may have; `owners` the
    code of the grid that each thing stands in, "" for none, to which its cell must belong.
    """
    found: dict[str, list[str]] = {"misfit": [], "doubled": [], "orphan": [], "elsewhere": []}
    for place, code in enumerate(codes):
        owner = "" if owners is None else owners[place]
        for finding in judge_component_code(code, rule, known=known or {}, owner=owner):
            found[finding].append(code)
    found["doubled"] = [code for code, times in Counter(codes).items() if times > 1]
    return CodeFindings(
        total=len(codes),
        counts={name: len(ones) for name, ones in found.items()},
        examples={name: tuple(ones[:MOST_LISTED]) for name, ones in found.items()},
    )


def judge_component_code(
    code: str, rule: ComponentRule, *, known: Mapping[str, frozenset[str]], owner: str
) -> tuple[str, ...]:
    """Return what is wrong with one code: "misfit", or "orphan", "elsewhere", both or nothing."""
    parts = rule.split(code)
    if parts is None:
        return ("misfit",)
    found = []
    if any(parts[name] not in values for name, values in known.items() if name in parts):
        found.append("orphan")
    if owner and "cell" in parts and not owner.endswith(parts["cell"]):
        found.append("elsewhere")
    return tuple(found)


def parse_camera_id(text: str) -> CameraId | None:
    """Return the parts of a GB/T 28181 id: 6 division, 2 centre, 2 industry, 3 type, 7 serial."""
    if len(text) != _CAMERA_DIGITS or not text.isdigit() or not text.isascii():
        return None
    return CameraId(
        division=text[:6],
        centre=text[6:8],
        industry=text[8:10],
        type=text[10:13],
        serial=text[13:],
    )
