"""Promise: a file in any encoding that offices use is read right or refused, never wrong."""

from __future__ import annotations

from pathlib import Path

import geopandas
import pytest
import shapely

from bench.encodings import (
    ALWAYS_READ,
    READ_OF_EVERYDAY,
    TEXTS,
    judge_sample,
    make_corpus,
)
from geodata.errors import BadFile
from geodata.reading import read_geometries, read_table

CORPUS = make_corpus()


def test_the_corpus_is_large_enough():
    assert len(CORPUS) >= 40
    told = {sample.encoding for sample in CORPUS}
    assert told >= ALWAYS_READ | READ_OF_EVERYDAY | {"big5", "hz", "utf-16-le", "utf-32"}


@pytest.mark.parametrize("sample", CORPUS, ids=[one.name for one in CORPUS])
def test_a_file_is_read_right_or_refused_with_what_to_do(sample):
    outcome = judge_sample(sample)
    assert outcome.right
    assert outcome.lost == 0


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
