"""The settings of one city: every limit named, documented and with a default."""

from __future__ import annotations

import difflib
import ipaddress
import json
import tomllib
from dataclasses import Field, dataclass, field, fields
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from geodata.errors import BadSetting, Fault

SETTINGS_FILE = "city.toml"


def _setting(default: Any, doc: str, *, low: float | None = None, high: float | None = None) -> Any:
    return field(default=default, metadata={"doc": doc, "low": low, "high": high})


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings:
    """
    One city's settings, read from `city.toml`.

    People write the file; the program only reads it. Secrets never stand here. Lengths are metres,
    areas square metres, times seconds unless a name says otherwise.
    """

    name_zh: str = _setting("未命名城市", "The city's name on Chinese screens.")
    name_en: str = _setting("Unnamed city", "The city's name on English screens.")
    timezone: str = _setting("Asia/Shanghai", "IANA zone of naive times and of days on screen.")
    crs: str = _setting(
        "", "The metric coordinate system, e.g. EPSG:4549; empty: chosen at the first load grids."
    )
    lang: str = _setting("zh", "The interface's first language, zh or en.")
    base_path: str = _setting("", "Address prefix behind a proxy, e.g. /getu; empty for none.")
    demo: bool = _setting(
        False,
        "A made-up city: this machine's own browser may try every role while no account exists.",
    )
    trusted_proxies: tuple[str, ...] = _setting(
        (), "Addresses or networks of proxies that may say for whom they ask; others are ignored."
    )
    password_least: int = _setting(12, "Fewest characters of a password.", low=8, high=100)
    one_time_days: int = _setting(14, "A one-time password opens for this many days.", low=1)
    session_idle_min: int = _setting(
        30, "A session ends when its screen saw no hand for so many minutes.", low=1
    )
    session_hours: int = _setting(12, "A session ends after so many hours, however busy.", low=1)
    device_session_days: int = _setting(365, "A wall signs in again after so many days.", low=1)
    sign_in_tries: int = _setting(
        5, "Wrong passwords of one account before each further try must wait.", low=1
    )
    sign_in_tries_address: int = _setting(
        20, "The same of one address, which a whole office may share.", low=1
    )
    sign_in_wait_s: int = _setting(5, "The first wait; each further one is twice as long.", low=1)
    sign_in_wait_most_s: int = _setting(900, "The longest wait between two tries.", low=1)
    requests_per_s: int = _setting(
        100, "Requests a second of one account, or of one address without one.", low=1
    )
    requests_burst: int = _setting(400, "Requests that may come at once above that.", low=1)
    requests_at_once: int = _setting(
        12, "Requests of one account that are answered at the same time.", low=1
    )
    exports_at_once: int = _setting(2, "Exports that are made at the same time.", low=1)
    connections: int = _setting(1000, "Open connections; one address has half of them.", low=20)
    near_m: float = _setting(
        20.0, "A point outside every grid goes to the nearest one within this.", low=0, high=10_000
    )
    near_line_m: float = _setting(
        15.0, "A point this close to its grid's edge is flagged near the line.", low=0, high=10_000
    )
    address_sure_score: float = _setting(
        0.95, "A place found by an address with a lower score waits for review.", low=0, high=1
    )
    grid_code_rule: str = _setting(
        "",
        "What a grid code's digits mean, as 6+3+3+3, to find levels and parents by; empty: unsaid.",
    )
    component_rule: str = _setting(
        "district:6 class:2 subclass:2 serial:6",
        "The parts of a component's code and their digits; also body, place, cell.",
    )
    gap_m2: float = _setting(1.0, "A gap or overlap above this area is a fault.", low=0)
    hairline_m: float = _setting(
        0.05, "A gap or overlap narrower than this is repaired, not reported.", low=0, high=10
    )
    sliver_m: float = _setting(
        0.5, "A polygon below this area ÷ half perimeter is a sliver.", low=0, high=100
    )
    grid_households_low: int = _setting(
        300, "The planner lists a grid with fewer households than this.", low=0
    )
    grid_households_high: int = _setting(
        500, "The planner lists a grid with more households than this.", low=1
    )
    special_places: str = _setting(
        "park,campus,market,station,hospital",
        "Kinds of places that should have a special grid of their own, by commas.",
    )
    suppress_below: int = _setting(
        3, "Counts below this print as <n outside one's own grids.", low=0, high=1000
    )
    audit_extension_h: float = _setting(
        2.0, "The auditor sees extensions made later than so many hours before a deadline.", low=0
    )
    audit_backdated_h: float = _setting(
        24.0, "The auditor sees events posted more than so many hours after they happened.", low=0
    )
    audit_handover_h: float = _setting(
        2.0, "The auditor sees changes of owner within so many hours before a deadline.", low=0
    )
    audit_reopened_days: float = _setting(
        7.0, "The auditor sees cases reopened within so many days after their closing.", low=0
    )
    case_link: str = _setting(
        "", "Address of a case in the city's own system, with {source} and {id}; empty: no link."
    )
    heat_sigma_px: float = _setting(
        12.0, "Width of the heat map's blur, in pixels at 1080 lines.", low=1, high=64
    )
    risk_days: int = _setting(28, "The risk figure expects incidents in this many days.", low=1)
    risk_half_life_weeks: float = _setting(
        26.0, "An incident this old counts half in the risk figure.", low=1
    )
    exposure: str = _setting(
        "auto",
        "Denominator of rates: households, population, area, or auto (the first that is known).",
    )
    working_hours: str = _setting("09:00-17:00", "Hours that count on a working day.")
    stale_after_s: int = _setting(
        86_400, "A screen marks its data as old when nothing came in for this long.", low=10
    )
    source_every_s: int = _setting(
        86_400, "A source that posts is expected this often, unless `source set` says.", low=10
    )
    source_burst: int = _setting(
        6_000, "A source with more events of just now in one minute counts as mad.", low=10
    )
    source_ahead_s: int = _setting(
        300, "A source whose times lie this far in the future counts as mad.", low=1, high=86_400
    )
    source_mad_s: int = _setting(
        900, "A source counts as mad for this long after it last was.", low=10
    )
    alarm_window_s: int = _setting(
        600, "A device's alarm that repeats within this is the same alarm once more.", low=0
    )
    alarm_escalate_s: int = _setting(
        300, "An alarm that nobody took for this long is escalated.", low=10
    )
    alarm_days: int = _setting(
        7, "An alarm that was never cleared leaves the list after this many days.", low=1
    )
    shift_from: int = _setting(8, "The local hour at which a shift begins.", low=0, high=23)
    shift_hours: int = _setting(12, "Hours of a shift; the next begins at its end.", low=1, high=24)
    wall_alarm_s: int = _setting(
        20, "An alarm has the wall for this long before it goes on.", low=5, high=3600
    )
    wall_hold_s: int = _setting(
        600, "What the duty desk holds on the wall lets go after this long.", low=10
    )
    wall_dim_from: int = _setting(
        22,
        "From this local hour on the wall shines at 60 %; as wall_dim_until: never.",
        low=0,
        high=23,
    )
    wall_dim_until: int = _setting(6, "Until this local hour.", low=0, high=23)
    api_body_mb: int = _setting(5, "Largest body of one POST to the API, in megabytes.", low=1)
    api_events: int = _setting(
        10_000, "Most events of one POST to the API; more would hold the store too long.", low=1
    )
    api_waiting: int = _setting(
        32,
        "Posts that may wait for their commit at once, on threads of their own.",
        low=2,
        high=256,
    )
    api_posts_per_s: int = _setting(200, "Posts a second of one source.", low=1)
    api_events_per_s: int = _setting(1_000, "Events a second of one source, over time.", low=1)
    map_approval: str = _setting(
        "", "The map approval number (审图号) printed on every sheet; empty while there is none."
    )
    map_source: str = _setting(
        "", "Where printed numbers come from; empty: the channels of the incidents themselves."
    )
    picture_map: str = _setting(
        "", "A base map of pictures: an address with {z} {x} {y}, tianditu:vec, or a file in base/."
    )
    picture_map_labels: str = _setting("", "Pictures of names laid over it, e.g. tianditu:cva.")
    picture_map_min_zoom: int = _setting(3, "The first zoom it has.", low=0, high=22)
    picture_map_max_zoom: int = _setting(18, "The last zoom it has.", low=0, high=22)
    picture_map_attribution: str = _setting("", "What its owner wants to read on the map.")
    picture_map_private: bool = _setting(
        False, "Its server may stand in a private network, as a city's own does."
    )
    picture_map_per_s: int = _setting(
        30, "Tiles a second that may be asked of its server, over time.", low=1, high=1_000
    )
    jurisdiction_id: str = _setting(
        "", "What Open311 clients call this city; empty: whatever they say is taken."
    )
    watched_folder: str = _setting(
        "", "Files that appear in this folder are loaded, see docs/sources.md; empty for none."
    )
    watched_settle_s: int = _setting(
        5, "A file in it is taken when it has not changed for this long.", low=0, high=3600
    )
    watched_every_s: int = _setting(2, "How often the server looks into it.", low=1, high=3600)
    upload_mb: int = _setting(
        300, "Largest file by upload or watched folder, in megabytes.", low=1, high=2_000
    )
    upload_objects_mb: int = _setting(
        50, "Largest GeoJSON, KML or Excel file among them: they take far more memory.", low=1
    )
    upload_apart_mb: int = _setting(
        2, "A larger upload is read and loaded in a process of its own.", low=0
    )
    child_memory_mb: int = _setting(
        1024, "Memory of the child process that reads a Shapefile or GeoPackage.", low=128
    )
    child_seconds: int = _setting(60, "Time of that child process.", low=1)
    tile_cache_mb: int = _setting(64, "Memory for tiles already drawn, in megabytes.", low=1)
    answers_mb: int = _setting(
        256,
        "Memory for answers kept for the next request, as masks of filters, in megabytes.",
        low=1,
    )
    server_threads: int = _setting(16, "Requests answered at the same time.", low=1, high=64)
    ownership_threads: int = _setting(2, "Threads that assign incidents to grids.", low=1, high=64)

    @property
    def zone(self) -> ZoneInfo:
        """Return the city's time zone."""
        return ZoneInfo(self.timezone)


def load_settings(folder: Path) -> Settings:
    """
    Read `city.toml` of a city folder; without the file every setting has its default.

    Raises BadSetting naming every unknown key (with the nearest known one) and impossible value.
    """
    path = folder / SETTINGS_FILE
    try:
        text = path.read_text("utf-8-sig")
    except FileNotFoundError:
        return Settings()
    try:
        table = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise BadSetting(
            Fault(key="settings_syntax", values={"detail": str(error)}), file=SETTINGS_FILE
        ) from error
    return parse_settings(table)


def parse_settings(table: dict[str, Any]) -> Settings:
    """Return checked settings, or raise BadSetting with every fault at once."""
    known = {item.name: item for item in fields(Settings)}
    faults: list[Fault] = []
    values: dict[str, Any] = {}
    for name, value in table.items():
        if name not in known:
            near = difflib.get_close_matches(name, known, n=1)
            hint = near[0] if near else ", ".join(sorted(known))
            faults.append(Fault(key="settings_unknown", field=name, values={"near": hint}))
            continue
        fault = _check_value(known[name], value)
        if fault:
            faults.append(fault)
        else:
            values[name] = tuple(value) if isinstance(value, list) else value
    if faults:
        raise BadSetting(faults, file=SETTINGS_FILE)
    return Settings(**values)


def _check_value(item: Field[Any], value: Any) -> Fault | None:
    expected = type(item.default)
    kinds = _KINDS.get(expected, (expected,))
    if isinstance(value, bool) != (expected is bool) or not isinstance(value, kinds):
        return Fault(key="settings_type", field=item.name, values={"expected": kinds[0].__name__})
    if isinstance(value, list) and not all(_is_network(one) for one in value):
        return Fault(key="settings_network", field=item.name)
    low, high = item.metadata["low"], item.metadata["high"]
    if (low is not None and value < low) or (high is not None and value > high):
        limits = f"{'' if low is None else low} … {'' if high is None else high}"
        return Fault(key="settings_range", field=item.name, values={"limits": limits})
    if item.name == "timezone":
        try:
            ZoneInfo(str(value))
        except (ZoneInfoNotFoundError, ValueError):
            return Fault(key="settings_timezone", field=item.name)
    text = str(value)
    if item.name == "base_path" and text and (not text.startswith("/") or text.endswith("/")):
        return Fault(key="settings_base_path", field=item.name)
    return None


_KINDS: dict[type, tuple[type, ...]] = {float: (float, int), tuple: (list, tuple)}


def _is_network(text: object) -> bool:
    try:
        return isinstance(text, str) and bool(ipaddress.ip_network(text))
    except ValueError:
        return False


def write_settings(folder: Path, values: dict[str, Any]) -> None:
    """Write a new `city.toml` that names every setting with its meaning; never overwrites."""
    parse_settings(values)
    lines = ["# Settings of this city. Delete a line to fall back to its default.", ""]
    for item in fields(Settings):
        value = values.get(item.name, item.default)
        mark = "" if item.name in values else "# "
        # What JSON writes of a text, a list of texts or a truth value is TOML too.
        shown = json.dumps(value, ensure_ascii=False)
        lines += [f"# {item.metadata['doc']}", f"{mark}{item.name} = {shown}", ""]
    with (folder / SETTINGS_FILE).open("x", encoding="utf-8") as file:
        file.write("\n".join(lines))
