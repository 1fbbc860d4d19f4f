"""Made-up, seeded cities that look and live like real ones."""

from geodata.demo.city import DemoCity, make_city
from geodata.demo.scenarios import SCENARIOS

__all__ = ["SCENARIOS", "DemoCity", "make_city"]
