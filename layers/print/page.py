"""Pages: the sizes a sheet comes in, and how large their letters are."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from geodata.errors import BadSetting, Fault

LEAST_DPI, MOST_DPI = 150, 600
UPRIGHT: Final = "-portrait"


@dataclass(frozen=True, slots=True, kw_only=True)
class Page:
    """One size of paper or slide; `text_mm` is the height of its plain letters."""

    name: str
    width_mm: float
    height_mm: float
    margin_mm: float
    text_mm: float

    @property
    def upright(self) -> bool:
        """Tell whether the page is higher than wide."""
        return self.height_mm > self.width_mm


def _both_ways(name: str, long: float, short: float, margin: float, text: float) -> list[Page]:
    rest = {"margin_mm": margin, "text_mm": text}
    return [
        Page(name=name, width_mm=long, height_mm=short, **rest),
        Page(name=name + UPRIGHT, width_mm=short, height_mm=long, **rest),
    ]


PAGES: Final = {
    page.name: page
    for page in (
        *_both_ways("A4", 297.0, 210.0, 9.0, 2.75),
        *_both_ways("A3", 420.0, 297.0, 11.0, 3.3),
        *_both_ways("16:9", 338.667, 190.5, 8.0, 3.3),
    )
}


def find_page(name: str) -> Page:
    """
    Return the page of a name: A4, A3 or 16:9, lying, or with `-portrait` upright.

    Capitals do not matter, `16x9` is 16:9. Raises BadSetting naming the pages there are.
    """
    known = {each.lower(): each for each in PAGES}
    asked = name.strip().lower().replace("16x9", "16:9").removesuffix("-landscape")
    if asked not in known:
        raise BadSetting(Fault(key="page_unknown", values={"known": ", ".join(PAGES)}))
    return PAGES[known[asked]]


def check_dpi(dpi: int) -> int:
    """Return the resolution of a picture; raises BadSetting outside 150 to 600."""
    if not LEAST_DPI <= dpi <= MOST_DPI:
        values = {"low": LEAST_DPI, "high": MOST_DPI}
        raise BadSetting(Fault(key="dpi_range", values=values))
    return dpi
