"""Headers as offices write them: a column known in spite of its unit, its star, its width."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable

from geodata.reading.traditional import simplify_header

# What a bracket behind a header may say without changing what the numbers mean: 户数（户）. One
# that says 万平方米 changes it, and such a column is left for a person to name.
_HARMLESS = (
    "必填|选填|户|人|栋|幢|座|件|个|所|米|m|平方米|㎡|m2|公里|千米|km|平方公里|km2|度|°|小时|时|分钟"
    "|天|日|年月日"
)
_BRACKET = re.compile(rf"[(\[【](?:单位[:,]?)?(?:{_HARMLESS})[)\]】]$")
_STARS = re.compile(r"^[*★]+|[*★:]+$")


def find_header(columns: Iterable[str], names: tuple[str, ...]) -> str | None:
    """
    Return the column whose header is one of `names`, the surest name first; None for none.

    A header is compared without case, width, outer blanks and traditional characters; where none is
    one of the names as it stands, also without the mark of a field that must be filled and without
    a unit in brackets.
    """
    listed = [str(column) for column in columns]
    for fold in (_fold, _fold_bare):
        known: dict[str, str] = {}
        for column in reversed(listed):
            known[fold(column)] = column
        found = next((known[name] for name in names if name in known), None)
        if found is not None:
            return found
    return None


def _fold(header: str) -> str:
    plain = unicodedata.normalize("NFKC", header).strip().lower()
    return simplify_header(plain).replace(" ", "_")


def _fold_bare(header: str) -> str:
    return _BRACKET.sub("", _STARS.sub("", _fold(header)))
