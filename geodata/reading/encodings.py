"""Text of unknown encoding: the declared one, else strict UTF-8, else GB18030, else refused."""

from __future__ import annotations

import codecs
import re
from collections.abc import Iterable

from geodata.errors import BadFile, BadSetting, Fault

# Names that .cpg files and people use, beside those that Python knows.
_ALIASES = {
    "65001": "utf-8",
    "utf8": "utf-8",
    "936": "gb18030",
    "cp936": "gb18030",
    "gbk": "gb18030",
    "gb2312": "gb18030",
    "ansi936": "gb18030",
    "ansi 936": "gb18030",
    "950": "big5",
    "88591": "iso-8859-1",
}
_BYTE_ORDER_MARKS = (
    (codecs.BOM_UTF8, "utf-8"),
    (codecs.BOM_UTF16_LE, "utf-16-le"),
    (codecs.BOM_UTF16_BE, "utf-16-be"),
)
# Chinese written in plain ASCII, between marks: HZ and ISO 2022. It would be read as it stands.
_SEVEN_BIT = re.compile(rb"~\{(?:[!-}][!-~]){1,200}~\}|\x1b\$[@A-B)(]")
_NOT_ASCII = re.compile(r"[^\x00-\x7f]+")
# Nearly any bytes decode as GB18030; real Chinese text stays within the everyday characters.
_EVERYDAY_SHARE = 0.8
_SAMPLE_CHARACTERS = 200_000
_CHUNK_BYTES = 1 << 24
# The bytes of a cell and the width of its field in bytes.
Cell = tuple[bytes, int]
# A field cut by a fixed width loses at most this much of its last character.
_LONGEST_TAIL = 3


def name_encoding(text: str) -> str:
    """
    Return the usual name of an encoding: GBK and GB2312 are read as their superset GB18030.

    Raises BadSetting when no text encoding has that name.
    """
    plain = text.strip().lower()
    name = _ALIASES.get(plain, plain)
    try:
        "a".encode(name)  # one byte alone is no text in UTF-16
        name = codecs.lookup(name).name
    except (LookupError, UnicodeError, ValueError):
        fault = Fault(key="encoding_unknown", values={"encoding": text.strip()[:40]})
        raise BadSetting(fault) from None
    return _ALIASES.get(name, name)


def to_utf8(
    raw: bytes, *, encoding: str | None = None, file: str | None = None
) -> tuple[bytes, str]:
    """
    Return a file's text as UTF-8 without byte order mark, and the encoding it was in.

    A declared `encoding` is believed or refused, never replaced; a byte order mark counts as a
    declaration. Else strict UTF-8, else GB18030 where the result is everyday Chinese. Raises
    BadFile naming the line where the text stops being readable.
    """
    for mark, name in _BYTE_ORDER_MARKS:
        if raw.startswith(mark):
            return _declared_to_utf8(raw[len(mark) :], name, file)
    if encoding is not None:
        return _declared_to_utf8(raw, name_encoding(encoding), file)
    fault_at = find_bad_utf8(raw)
    if fault_at is None:
        hidden = _SEVEN_BIT.search(raw)
        if hidden is None:
            return raw, "utf-8"
        line = raw.count(b"\n", 0, hidden.start()) + 1
        raise BadFile(Fault(key="encoding_unclear", values={"line": line}), file=file)
    try:
        text = raw.decode("gb18030")
    except UnicodeDecodeError:
        text = ""
    if not text or not looks_chinese(text):
        line = raw.count(b"\n", 0, fault_at) + 1
        raise BadFile(Fault(key="encoding_unclear", values={"line": line}), file=file)
    return text.encode("utf-8"), "gb18030"


def find_bad_utf8(raw: bytes) -> int | None:
    """Return where `raw` stops being UTF-8, or None; needs little memory however long it is."""
    decoder = codecs.getincrementaldecoder("utf-8")()
    view = memoryview(raw)
    for start in range(0, len(raw), _CHUNK_BYTES):
        kept = len(decoder.getstate()[0])
        try:
            decoder.decode(view[start : start + _CHUNK_BYTES])
        except UnicodeDecodeError as error:
            return start - kept + error.start
    held = len(decoder.getstate()[0])
    return len(raw) - held if held else None


def looks_chinese(text: str) -> bool:
    """Tell whether what is not ASCII in `text` is everyday Chinese and none of it is broken."""
    runs: list[str] = []
    left = _SAMPLE_CHARACTERS
    for run in _NOT_ASCII.finditer(text):
        runs.append(run[0])
        left -= len(run[0])
        if left <= 0:
            break
    found = "".join(runs)
    if any("\ue000" <= char <= "\uf8ff" or char == "\ufffd" for char in set(found)):
        return False
    everyday = len(found.encode("gb2312", "ignore").decode("gb2312"))
    return everyday >= _EVERYDAY_SHARE * len(found)


def find_cell_encoding(
    cells: Iterable[Cell], *, declared: str | None, claimed: str | None, file: str | None = None
) -> str:
    """
    Return the encoding that reads all these cells of a table that does not name its own.

    Each cell is its bytes and the width of its field. `declared` by a person is believed or
    refused; `claimed` by the file (.cpg) comes last, for it is often wrong. Raises BadFile when
    none fits.
    """
    raw = {cell for cell in cells if not cell[0].isascii()}
    if declared is not None:
        name = name_encoding(declared)
        if all(decode_cell(cell, name) is not None for cell in raw):
            return name
        raise BadFile(Fault(key="encoding_wrong_cells", values={"encoding": name}), file=file)
    for name in dict.fromkeys(("utf-8", "gb18030", *_claim(claimed))):
        texts = [decode_cell(cell, name) for cell in raw]
        known = [text for text in texts if text is not None]
        if len(known) < len(texts):
            continue
        if name != "gb18030" or looks_chinese("".join(known)):
            return name
    raise BadFile(Fault(key="encoding_unclear_cells"), file=file)


def decode_cell(cell: Cell, encoding: str) -> str | None:
    """Return a cell's text, without the piece of a last character that its width cut; else None."""
    raw, width = cell
    try:
        return raw.decode(encoding)
    except UnicodeDecodeError as error:
        cut = len(raw) >= width and error.start >= len(raw) - _LONGEST_TAIL
        return raw[: error.start].decode(encoding) if cut else None


def _declared_to_utf8(raw: bytes, name: str, file: str | None) -> tuple[bytes, str]:
    if name == "utf-8":
        fault_at = find_bad_utf8(raw)
        if fault_at is None:
            return raw, name
    else:
        try:
            return raw.decode(name).encode("utf-8"), name
        except UnicodeDecodeError as error:
            fault_at = error.start
    line = raw.count(b"\n", 0, fault_at) + 1
    values = {"encoding": name, "line": line}
    raise BadFile(Fault(key="encoding_wrong", values=values), file=file)


def _claim(claimed: str | None) -> tuple[str, ...]:
    if not claimed:
        return ()
    try:
        return (name_encoding(claimed),)
    except BadSetting:
        return ()
