"""Delimited tables whose encoding, layout, moments, places and cells are not what they say."""

from __future__ import annotations

import gzip
from collections.abc import Callable, Iterator

from tests.attack.corpus import EITHER, READ, REFUSED, Attack
from tests.attack.payloads import FORMULAS, MARKUP

HEAD = "incident_id,reported_at,kind,lon,lat"
PLACE = "120.003,32.527"
ROW = f"1,2026-05-01 08:00,占道经营,{PLACE}"
TEXT = f"{HEAD}\n{ROW}\n"
Item = tuple[str, str | bytes | Callable[[], bytes], str]


def attacks() -> list[Attack]:
    """Return all of this family."""
    found = [
        Attack(
            name=f"table: {name}",
            file="cases.csv",
            kind="incidents",
            content=content.encode() if isinstance(content, str) else content,
            expect=expect,
        )
        for family in (encodings, layouts, moments, places, cells, packed)
        for name, content, expect in family()
    ]
    for declared in (
        "utf-16",
        "base64",
        "rot13",
        "zip",
        "../../etc",
        "utf-8\0",
        "x" * 5_000,
        "idna",
    ):
        found.append(
            Attack(
                name=f"table: declared to be in {declared[:10]!r}",
                file="cases.csv",
                kind="incidents",
                content=TEXT.encode(),
                options=("--encoding", declared.replace("\0", "")),
                expect=EITHER if declared == "utf-8\0" else REFUSED,
            )
        )
    return found


def encodings() -> Iterator[Item]:
    yield "good", TEXT, READ
    for encoding in (
        "utf-8-sig",
        "gb18030",
        "utf-16",
        "utf-16-le",
        "utf-16-be",
        "utf-32",
        "big5",
        "utf-7",
    ):
        expect = READ if encoding in {"utf-8-sig", "gb18030", "utf-16"} else EITHER
        yield f"in {encoding}", TEXT.encode(encoding, "replace"), expect
    yield "half UTF-8 and half GB18030", TEXT.encode() + ROW.encode("gb18030") + b"\n", REFUSED
    yield "in Latin-1", TEXT.replace("占道经营", "größe").encode("latin-1"), EITHER
    yield "cut inside a character", TEXT.encode()[: TEXT.encode().index("经".encode()) + 1], REFUSED
    yield "a NUL", TEXT.replace("占", "\0"), REFUSED
    yield "NULs only", bytes(4_096), REFUSED
    yield "replaced characters", TEXT.replace("占道", "\ufffd\ufffd"), READ
    yield "private characters", TEXT.replace("占道", "\ue000"), EITHER
    yield "turned writing", TEXT.replace("占道", "\u202e占\u2066"), EITHER
    yield "full-width digits", TEXT.replace("120.003", "１２０．００３"), READ
    yield "a mark in the middle", TEXT + "\ufeff" + ROW + "\n", EITHER
    yield "the two marks", b"\xef\xbb\xbf\xff\xfe" + TEXT.encode(), EITHER
    yield "random bytes", bytes((n * 137 + 11) % 256 for n in range(9_000)), REFUSED


def layouts() -> Iterator[Item]:
    yield "nothing", "", REFUSED
    yield "a line end", "\n", REFUSED
    yield "a header alone", HEAD, REFUSED
    yield "a header twice", f"{HEAD}\n{HEAD}\n", REFUSED
    yield "a header twice, then rows", f"{HEAD}\n{HEAD}\n{ROW}\n", EITHER
    yield "no header", f"{ROW}\n{ROW}\n", REFUSED
    yield "columns of one name", TEXT.replace("kind", "lon"), EITHER
    yield "nameless columns", ",,,,\n" + ROW + "\n", REFUSED
    yield "old Macintosh line ends", TEXT.replace("\n", "\r"), EITHER
    yield "Windows line ends", TEXT.replace("\n", "\r\n"), READ
    yield "mixed line ends", f"{HEAD}\r\n{ROW}\n{ROW}\r\n", READ
    yield "a row too short", TEXT + "2,2026-05-01\n", READ
    yield "a row too long", TEXT + ROW + ",x,y\n", READ
    yield "only rows too long", f"{HEAD}\n{ROW},x,y\n", REFUSED
    yield "an open quote", TEXT.replace("占道", '"占道'), REFUSED
    yield "an open quote at the end", TEXT + '2,"2026', READ
    yield "a quote inside", TEXT.replace("占道", '占"道'), EITHER
    yield (
        "quotes around all",
        '"' + TEXT.strip().replace(",", '","').replace("\n", '"\n"') + '"\n',
        READ,
    )
    yield "single quotes", TEXT.replace("占道经营", "'占,道'"), REFUSED
    yield "line ends in a cell", TEXT.replace("占道", '"占\n道').replace("经营", '经营"'), READ
    for name, separator in (("tabs", "\t"), ("semicolons", ";"), ("bars", "|")):
        yield f"separated by {name}", TEXT.replace(",", separator), READ
    for name, separator in (
        ("colons", ":"),
        ("spaces", " "),
        ("full-width commas", "，"),
        ("carets", "^"),
        ("units", "\x1f"),
    ):
        yield f"separated by {name}", TEXT.replace(",", separator), REFUSED
    yield "Excel's line of the separator", "sep=;\n" + TEXT.replace(",", ";"), READ
    yield "a line of a separator that lies", "sep=;\n" + TEXT, REFUSED
    yield "a separator of a quote", 'sep="\n' + TEXT, REFUSED
    yield "a separator of a line end", "sep=\r\n" + TEXT, EITHER
    yield "a separator of a byte", b"sep=\xff\n" + TEXT.encode(), REFUSED
    yield (
        "ten thousand columns",
        ",".join(f"c{n}" for n in range(10_000)) + "\n" + "1," * 9_999 + "1\n",
        REFUSED,
    )
    yield "a cell of ten megabytes", TEXT.replace("占道", "占" * 3_000_000), EITHER
    yield "a column name of a megabyte", TEXT.replace("kind", "k" * 1_000_000), EITHER
    yield "a hundred thousand empty rows", TEXT + "\n" * 100_000, EITHER
    yield "a hundred thousand rows of commas", TEXT + ",,,,\n" * 100_000, READ
    yield "titles above the header", "案件表\n制表：某处\n" + TEXT, READ
    yield "sums below the rows", TEXT + "合计,1,,,\n", READ
    yield "HTML called a table", "<html><table><tr><td>1</td></tr></table></html>", REFUSED
    yield "JSON called a table", '{"type": "FeatureCollection"}', REFUSED
    yield "an SQL dump", "INSERT INTO incidents VALUES (1,'x');\n" * 3, REFUSED


def moments() -> Iterator[Item]:
    wrong = (
        *(
            "0000-00-00",
            "0000-00-00 00:00:00",
            "2026-02-30",
            "2026-13-01",
            "2026-05-32",
            "1800-01-01",
        ),
        *(
            "9999-12-31",
            "99999-01-01",
            "2026-05-01 25:00",
            "2026-05-01 08:61",
            "00:00",
            "昨天",
            "now()",
        ),
        *(
            "NaN",
            "NaT",
            "inf",
            "-1",
            "1e400",
            "46143.5",
            "1777593600000000",
            "二〇二六年五月一日",
            "2026-W18",
        ),
    )
    for text in wrong:
        yield f"a moment of {text}", TEXT.replace("2026-05-01 08:00", text), EITHER
    for text in ("0000-00-00", "2026-13-01", "9999-12-31", "昨天", "NaN", "1e400"):
        yield (
            f"a moment of {text} beside a good one",
            TEXT + ROW.replace("1,", "2,", 1).replace("2026-05-01 08:00", text) + "\n",
            READ,
        )


def places() -> Iterator[Item]:
    wrong = (
        *(
            ",",
            "0,0",
            "NaN,NaN",
            "nan,32",
            "inf,32",
            "1e400,32",
            "-1e400,1e400",
            "1e308,1e308",
            "181,32",
        ),
        *(
            "120,91",
            "120;003,32",
            "x,y",
            "=120,=32",
            "120,",
            ",32",
            "1_2_0,3_2",
            "0x78,0x20",
            "#REF!,#N/A",
        ),
        *("--,--", "1.7976931348623157e308,0", "5e-324,5e-324"),
    )
    for text in wrong:
        yield f"a place of {text}", TEXT.replace(PLACE, text), REFUSED
        yield (
            f"a place of {text} beside a good one",
            TEXT + (ROW + "\n") * 3 + ROW.replace("1,", "2,", 1).replace(PLACE, text) + "\n",
            READ,
        )
    yield "places swapped throughout", TEXT.replace(PLACE, "32.527,120.003"), REFUSED
    yield (
        "one place swapped",
        TEXT * 1 + f"2,2026-05-01,x,{PLACE}\n3,2026-05-01,x,32.527,120.003\n",
        READ,
    )
    yield "places on the other side of the world", TEXT.replace(PLACE, "-60.003,-32.527"), EITHER
    yield "metres for degrees", TEXT.replace(PLACE, "500100,3600100"), REFUSED
    yield "two pairs of degrees", f"{HEAD},经度,纬度\n{ROW},120,32\n", EITHER
    yield "Mars coordinates that say so", TEXT.replace("lon,lat", "gcj_lon,gcj_lat"), READ
    yield "degrees, minutes and seconds", TEXT.replace(PLACE, "120°00′11″,32°31′37″"), READ


def cells() -> Iterator[Item]:
    for number, payload in enumerate((*MARKUP, *FORMULAS)):
        quoted = payload.replace('"', '""')
        yield f"payload {number} for a kind", TEXT.replace("占道经营", f'"{quoted}"'), READ
    for number in (
        "3.21012E+18",
        "3210120010010010011",
        "1e400",
        "NaN",
        "-1",
        "１",
        "\u202e1",
        "A" * 5_000,
        "",
        "#NAME?",
        "1;DROP TABLE incident",
        "1' OR '1'='1",
    ):
        yield f"an id of {number[:20]}", TEXT.replace("\n1,", f"\n{number},"), EITHER
    yield "one id twice with two contents", TEXT + ROW.replace("占道", "积水") + "\n", EITHER
    yield "one row a thousand times", TEXT + (ROW + "\n") * 1_000, EITHER


def packed() -> Iterator[Item]:
    good = gzip.compress(TEXT.encode(), mtime=0)
    yield "gzip", good, READ
    yield "gzip in gzip", gzip.compress(good, mtime=0), REFUSED
    yield "gzip of nothing", gzip.compress(b"", mtime=0), REFUSED
    yield "gzip with the sum wrong", good[:-8] + b"\0\0\0\0" + good[-4:], REFUSED
    yield "gzip with the length wrong", good[:-4] + b"\xff\xff\xff\x7f", REFUSED
    yield "gzip followed by rubbish", good + b"rubbish", REFUSED
    yield "gzip with flags of all kinds", good[:3] + b"\xff" + good[4:], REFUSED
    yield "gzip members without end", good * 200, EITHER
    for length in (1, 2, 3, 9, 10, 12, len(good) // 2, len(good) - 8, len(good) - 1):
        yield f"gzip cut after {length} bytes", good[:length], REFUSED
    yield "a bomb in gzip", lambda: gzip.compress(bytes(400_000_000), 9, mtime=0), REFUSED
