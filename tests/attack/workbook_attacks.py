"""Excel workbooks: formulas, entities, bombs, sheets of another size than they say, parts missing."""

from __future__ import annotations

import io
import zipfile
from collections.abc import Callable, Iterator, Mapping
from functools import cache

import xlsxwriter

from tests.attack.archives import zip_of
from tests.attack.beacon import beacon
from tests.attack.corpus import EITHER, READ, REFUSED, Attack
from tests.attack.payloads import FORMULAS, MARKUP
from tests.city import middle

Item = tuple[str, bytes | Callable[[], bytes], str]
HEAD = ("incident_id", "reported_at", "kind", "lon", "lat")
ROW = ("1", "2026-05-01 08:00", "积水", *middle(0, 0))
SHEET = "xl/worksheets/sheet1.xml"
_TRAP = "<!DOCTYPE x [<!ENTITY a SYSTEM '{0}'>]>"


def attacks() -> list[Attack]:
    """Return all of this family."""
    return [
        Attack(
            name=f"workbook: {name}",
            file="cases.xlsx",
            kind="incidents",
            content=content,
            expect=expect,
        )
        for family in (cells, parts)
        for name, content, expect in family()
    ]


def workbook(*rows: tuple[object, ...]) -> bytes:
    """Return a workbook of one sheet, text as text and numbers as numbers."""
    out = io.BytesIO()
    with xlsxwriter.Workbook(out, {"strings_to_formulas": False}) as book:
        sheet = book.add_worksheet()
        for place, row in enumerate((HEAD, *rows)):
            sheet.write_row(place, 0, row)
    return out.getvalue()


@cache
def members() -> dict[str, bytes]:
    """Return the members of a good workbook."""
    with zipfile.ZipFile(io.BytesIO(workbook(ROW))) as archive:
        return {name: archive.read(name) for name in archive.namelist()}


def with_part(**changes: bytes | None) -> bytes:
    """Return the good workbook with parts replaced, or left out where None."""
    new: Mapping[str, bytes | None] = {**members(), **{_PARTS[k]: v for k, v in changes.items()}}
    return zip_of({name: raw for name, raw in new.items() if raw is not None})


_PARTS = {
    "sheet": SHEET,
    "strings": "xl/sharedStrings.xml",
    "book": "xl/workbook.xml",
    "links": "xl/_rels/workbook.xml.rels",
    "types": "[Content_Types].xml",
    "styles": "xl/styles.xml",
    "extra": "xl/extra.bin",
}


def cells() -> Iterator[Item]:
    yield "good", workbook(ROW), READ
    yield "a header alone", workbook(), REFUSED
    for number, text in enumerate((*FORMULAS, *MARKUP[:8])):
        yield f"payload {number} for a kind", workbook((*ROW[:2], text, *ROW[3:])), READ
    for wrong in (0, -1, 46_143.5, 1e300, 2_958_466, "0000-00-00", "x", True):
        yield f"a moment of {wrong!r}", workbook((ROW[0], wrong, *ROW[2:])), EITHER
    for wrong in (("x", "y"), (0, 0), (1e308, 1e308), ("=1", "=2"), ("", ""), (181, 91)):
        yield f"a place of {wrong!r}", workbook((*ROW[:3], *wrong)), REFUSED
    yield "an id of 19 digits as a number", workbook((3210120010010010011, *ROW[1:])), REFUSED


def parts() -> Iterator[Item]:
    sheet = members()[SHEET]
    for name in _PARTS:
        if name != "extra":
            yield f"no {name}", with_part(**{name: None}), EITHER
            yield f"an empty {name}", with_part(**{name: b""}), EITHER
            yield f"{name} cut in half", with_part(**{name: members()[_PARTS[name]][:200]}), EITHER
    for target in (beacon(), "file:///etc/passwd"):
        trap = _TRAP.format(target).encode()
        for name in ("sheet", "strings", "book"):
            raw = members()[_PARTS[name]]
            head, _, body = raw.partition(b"\n")
            yield (
                f"an entity of {target[:5]} in {name}",
                with_part(**{name: head + trap + body}),
                EITHER,
            )
    laughs = b"".join(b"<!ENTITY l%d '%s'>" % (n, b"&l%d;" % (n - 1) * 10) for n in range(1, 12))
    head, _, body = members()["xl/sharedStrings.xml"].partition(b"\n")
    bomb = (
        head + b"<!DOCTYPE x [<!ENTITY l0 'ha'>" + laughs + b"]>" + body.replace(b"kind", b"&l11;")
    )
    yield "a billion laughs", with_part(strings=bomb), EITHER
    wide = sheet.replace(b'ref="A1:E2"', b'ref="A1:XFD1048576"')
    yield "a sheet that says it fills the world", with_part(sheet=wide), READ
    far = sheet.replace(
        b"</sheetData>", b'<row r="1048576"><c r="XFD1048576"><v>1</v></c></row></sheetData>'
    )
    yield "a cell at the far corner", with_part(sheet=far), REFUSED
    wrong = sheet.replace(b"<v>0</v>", b"<v>999999</v>")
    yield "a text that is not there", with_part(sheet=wrong), EITHER
    yield "a bomb beside", lambda: with_part(extra=bytes(400_000_000)), REFUSED
    yield "a bomb for a sheet", lambda: with_part(sheet=sheet + b" " * 400_000_000), REFUSED
    links = members()["xl/_rels/workbook.xml.rels"]
    outside = links.replace(
        b'Target="worksheets/sheet1.xml"', f'Target="{beacon()}" TargetMode="External"'.encode()
    )
    yield "a sheet from the network", with_part(links=outside), EITHER
    above = links.replace(b"worksheets/sheet1.xml", b"../../../../etc/passwd")
    yield "a sheet from outside the archive", with_part(links=above), EITHER
    good = workbook(ROW)
    for length in (4, 30, 200, len(good) // 2, len(good) - 10):
        yield f"cut after {length} bytes", good[:length], REFUSED
