"""Promise: a file in any encoding that offices use is read right or refused, never wrong."""

from __future__ import annotations

import csv
import io
import itertools
from pathlib import Path

import geopandas
import pandas as pd
import pytest
import shapely

from geodata.errors import BadFile
from geodata.reading import read_geometries, read_table

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


def table_of(kind: str, *, ascii_rows: int = 0) -> str:
    out = io.StringIO()
    writer = csv.writer(out)
    texts = TEXTS[kind]
    writer.writerow(HEADS.get(kind, ["编号", "名称", "备注"]))
    writer.writerows([[n, "plain", "x" * 20] for n in range(ascii_rows)])
    writer.writerows([[f"N{n}", text, text[::-1]] for n, text in enumerate(texts)])
    return out.getvalue()


def corpus() -> list[tuple[str, str, bytes]]:
    """Return (name, encoding, bytes) of every text that an encoding can write."""
    found = []
    for kind, encoding, rows in itertools.product(TEXTS, ENCODINGS, (0, 600)):
        try:
            raw = table_of(kind, ascii_rows=rows).encode(encoding)
        except UnicodeEncodeError:
            continue
        found.append((f"{kind}-{encoding}-{rows}", encoding, raw))
    return found


CORPUS = corpus()


def test_the_corpus_is_large_enough():
    assert len(CORPUS) >= 40
    told = {encoding for _, encoding, _ in CORPUS}
    assert told >= ALWAYS_READ | READ_OF_EVERYDAY | {"big5", "hz", "utf-16-le", "utf-32"}


@pytest.mark.parametrize(("name", "encoding", "raw"), CORPUS, ids=[one[0] for one in CORPUS])
def test_a_file_is_read_right_or_refused_with_what_to_do(tmp_path: Path, name, encoding, raw):
    path = tmp_path / "table.csv"
    path.write_bytes(raw)
    kind, rows = name.split("-")[0], int(name.rsplit("-", 1)[1])
    wanted = pd.read_csv(
        io.StringIO(table_of(kind, ascii_rows=rows)), dtype=str, keep_default_na=False
    )
    plain = kind in ("everyday", "sparse")
    if encoding not in ALWAYS_READ and not (plain and encoding in READ_OF_EVERYDAY):
        try:
            reading = read_table(path)
        except BadFile:
            return
    else:
        reading = read_table(path)
    pd.testing.assert_frame_equal(
        reading.frame.fillna("").astype(str).reset_index(drop=True), wanted, check_dtype=False
    )


@pytest.mark.parametrize("encoding", ["big5", "shift_jis", "euc-kr", "utf-16-le", "hz"])
def test_what_is_not_guessed_is_read_when_it_is_declared(tmp_path: Path, encoding):
    text = "编号,名称\n1,网格道路\n" if encoding in ("hz", "utf-16-le") else "id,name\n1,道路\n"
    path = tmp_path / "table.csv"
    path.write_bytes(text.encode(encoding))
    assert (
        read_table(path, encoding=encoding).frame.iloc[0, 1]
        == text.rsplit(",", maxsplit=1)[-1].strip()
    )


@pytest.mark.parametrize(
    ("kind", "encoding", "cpg"),
    [(kind, encoding, cpg) for kind in TEXTS for encoding in ("UTF-8", "GB18030")
     for cpg in (True, False)],
)  # fmt: skip
def test_a_shapefile_keeps_every_character_with_its_cpg_and_without(tmp_path, kind, encoding, cpg):
    path = tmp_path / "grids.shp"
    boxes = [shapely.box(n, 30, n + 0.5, 30.5) for n in range(119, 122)]
    names = [text[:20] for text in TEXTS[kind]]
    frame = geopandas.GeoDataFrame({"name": names}, geometry=boxes, crs=4326)
    frame.to_file(path, encoding=encoding, engine="pyogrio")
    if not cpg:
        path.with_suffix(".cpg").unlink(missing_ok=True)
    declared = encoding if encoding == "GB18030" and kind in ("rare", "traditional") else None
    if declared is not None:  # not everyday Chinese: it is asked for, never guessed
        with pytest.raises(BadFile):
            read_geometries(path)
    found = read_geometries(path, encoding=declared).frame["name"].fillna("").tolist()
    assert found == names
