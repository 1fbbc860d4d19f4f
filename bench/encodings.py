"""The corpus of encodings: tables as offices write them, in every encoding they are met in."""

from __future__ import annotations

import csv
import io
import itertools
import tempfile
from dataclasses import dataclass
from pathlib import Path

from geodata.errors import BadFile
from geodata.reading import read_table

EVERYDAY = ["仙女镇龙川社区第047网格", "暴露垃圾、乱堆物料（沿街）", "江都区引江路１２８号-2"]
RARE = ["𠮷祥里社区㙟坊网格", "䶮村、㳇河、䢺塘", "朱镕基题字碑旁"]
TRADITIONAL = ["臺北市大安區復興南路一段", "桃園市龜山區萬壽路", "道路破損、積水"]
EMPTY = ["", "网格", ""]
TEXTS = {"everyday": EVERYDAY, "rare": RARE, "traditional": TRADITIONAL, "sparse": EMPTY}
# Each with whether a department says so itself: a byte order mark, or an option.
ENCODINGS = (
    "utf-8", "utf-8-sig", "gb2312", "gbk", "gb18030", "big5", "utf-16", "utf-16-le", "utf-16-be",
    "utf-32", "hz", "iso2022_jp", "shift_jis", "euc-kr", "cp950", "iso2022_jp_2004",
)  # fmt: skip
# Read without being told; GB18030 where the text is everyday Chinese, else it is asked for.
ALWAYS_READ = {"utf-8", "utf-8-sig", "utf-16"}
READ_OF_EVERYDAY = {"gb2312", "gbk", "gb18030"}
HEADS = {"traditional": ["編號", "名稱", "備註"]}
ASCII_ROWS = (0, 600)


@dataclass(frozen=True, slots=True, kw_only=True)
class Sample:
    """One file of the corpus: its bytes, the cells that were written, whether it must be read."""

    name: str
    encoding: str
    raw: bytes
    cells: list[list[str]]

    @property
    def must_read(self) -> bool:
        """Tell whether refusing it would be wrong."""
        plain = self.name.split("-")[0] in ("everyday", "sparse")
        return self.encoding in ALWAYS_READ or (plain and self.encoding in READ_OF_EVERYDAY)


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcome:
    """What became of one file: read right, refused, or wrong; characters that were lost."""

    sample: Sample
    read: bool
    right: bool
    lost: int


def make_corpus() -> list[Sample]:
    """Return every text in every encoding that can write it."""
    found = []
    for kind, encoding, rows in itertools.product(TEXTS, ENCODINGS, ASCII_ROWS):
        cells = _cells_of(kind, ascii_rows=rows)
        out = io.StringIO()
        csv.writer(out).writerows(cells)
        try:
            raw = out.getvalue().encode(encoding)
        except UnicodeEncodeError:
            continue
        name = f"{kind}-{encoding}-{rows}"
        found.append(Sample(name=name, encoding=encoding, raw=raw, cells=cells))
    return found


def judge_sample(sample: Sample) -> Outcome:
    """Read a file of the corpus, and compare what came out with what was written."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "table.csv"
        path.write_bytes(sample.raw)
        try:
            frame = read_table(path).frame.fillna("").astype(str)
        except BadFile:
            return Outcome(sample=sample, read=False, right=not sample.must_read, lost=0)
    cells = [list(frame.columns), *frame.to_numpy().tolist()]
    written, got = ("\n".join(",".join(row) for row in one) for one in (sample.cells, cells))
    lost = sum(max(written.count(sign) - got.count(sign), 0) for sign in set(written))
    return Outcome(sample=sample, read=True, right=cells == sample.cells, lost=lost)


def _cells_of(kind: str, *, ascii_rows: int) -> list[list[str]]:
    return [
        HEADS.get(kind, ["编号", "名称", "备注"]),
        *([str(n), "plain", "x" * 20] for n in range(ascii_rows)),
        *([f"N{n}", text, text[::-1]] for n, text in enumerate(TEXTS[kind])),
    ]
