"""Rates and changes as they are printed: with what they are of, rounded by one rule."""

from __future__ import annotations

from dataclasses import dataclass
from decimal import ROUND_HALF_UP, Decimal

_PLACES = Decimal("0.01")


@dataclass(frozen=True, slots=True, kw_only=True)
class Rate:
    """A share with its numerator and denominator, because one without them says nothing."""

    part: int
    of: int

    def percent(self) -> str | None:
        """Return the share in percent, rounded half up to two places; None of nothing."""
        if not self.of:
            return None
        exact = Decimal(self.part) * 100 / Decimal(self.of)
        return str(exact.quantize(_PLACES, rounding=ROUND_HALF_UP))


@dataclass(frozen=True, slots=True, kw_only=True)
class Change:
    """A count against the one of another period: of what, because a percentage alone hides it."""

    now: int
    before: int

    def percent(self) -> str | None:
        """Return the change in percent with its sign, rounded half away from zero; None of 0."""
        if not self.before:
            return None
        exact = Decimal(self.now - self.before) * 100 / Decimal(self.before)
        found = exact.quantize(_PLACES, rounding=ROUND_HALF_UP)
        return f"{found:+}" if found else str(abs(found))
