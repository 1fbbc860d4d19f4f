"""Files of an office without the hour they were made, and the figures that travel inside them."""

from __future__ import annotations

import io
import json
import re
import zipfile
import zlib
from collections.abc import Iterator, Mapping
from typing import Any
from xml.sax.saxutils import escape, unescape

import orjson

from geodata.errors import BadFile, Fault

PART = "customXml/getu.xml"
_NAMESPACE = "urn:getu:briefing"
_REL_TYPE = "http://schemas.openxmlformats.org/officeDocument/2006/relationships/customXml"
_MAINS = ("ppt/_rels/presentation.xml.rels", "word/_rels/document.xml.rels",
          "xl/_rels/workbook.xml.rels")  # fmt: skip
_CORE = "docProps/core.xml"
_HOURS = re.compile(rb"(<dcterms:(?:created|modified)[^>]*>)[^<]*(</)")
_NO_HOUR = rb"\g<1>2000-01-01T00:00:00Z\g<2>"
_STAND_STILL = (1980, 1, 1, 0, 0, 0)  # the earliest that a zip can say
_LARGEST = 64_000_000  # of what is read out of a file that somebody brings
_LARGEST_PACKED = 200_000_000
_LEVEL = 6
_BODY = re.compile(rb"<figures[^>]*>(.*)</figures>", re.DOTALL)
_STREAM = re.compile(rb"stream\r?\n(.*?)\r?\nendstream", re.DOTALL)
_MARK = b'{"getu":'


def unpack_office(body: bytes, *, largest: int, most: int) -> Iterator[tuple[str, bytes]]:
    """
    Yield the name and content of each part of an Office Open XML file that somebody brings.

    Raises ValueError for what is no whole archive, OverflowError for one of more than `largest`
    bytes unpacked or of more than `most` parts.
    """
    try:
        with zipfile.ZipFile(io.BytesIO(body)) as archive:
            entries = archive.infolist()
            if sum(entry.file_size for entry in entries) > largest or len(entries) > most:
                raise OverflowError
            for entry in entries:
                yield entry.filename, archive.read(entry)
    except (zipfile.BadZipFile, zlib.error, EOFError, NotImplementedError, RuntimeError,
            OSError) as error:  # fmt: skip
        raise ValueError(str(error)) from error


def seal_office(body: bytes, carried: Mapping[str, Any] | None) -> bytes:
    """
    Return an Office Open XML file with the figures it carries as a custom XML part.

    Every entry has the same time, so that the same content gives the same bytes.
    """
    out = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(body)) as old, zipfile.ZipFile(out, "w") as new:
        for name in old.namelist():
            if name == PART:  # of a template that was once exported
                continue
            content = old.read(name)
            if name.endswith(".xlsx"):  # the workbook behind a chart
                content = seal_office(content, None)
            elif name == _CORE:
                content = _HOURS.sub(_NO_HOUR, content)
            if carried is not None and name in _MAINS:
                content = _relate(content)
            _put(new, name, content)
        if carried is not None:
            text = escape(orjson.dumps(carried, option=orjson.OPT_SORT_KEYS).decode())
            part = (
                '<?xml version="1.0" encoding="UTF-8" standalone="yes"?>\n'
                f'<figures xmlns="{_NAMESPACE}">{text}</figures>'
            )
            _put(new, PART, part.encode())
    return out.getvalue()


def zip_files(files: Mapping[str, bytes]) -> bytes:
    """Return files as one archive, in the order of their names and without their hour."""
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w") as archive:
        for name in sorted(files):
            _put(archive, name, files[name])
    return out.getvalue()


def read_carried(body: bytes) -> dict[str, Any]:
    """
    Return the figures that a file of ours carries, whatever its kind.

    Raises BadFile where it carries none, or is no file of a kind that could.
    """
    text: str | None
    if body.startswith(b"PK"):
        text = _read_office(body)
    elif body.startswith(b"%PDF"):
        text = _read_pdf(body)
    else:
        at = body.find(_MARK)
        text = body[at : at + _LARGEST].decode("utf-8", "replace") if at >= 0 else None
    return parse_carried(text)


def parse_carried(text: str | None) -> dict[str, Any]:
    """Return the figures of a text that begins with them. Raises BadFile for any other."""
    try:
        carried, _ = json.JSONDecoder().raw_decode(text or "")
    except (json.JSONDecodeError, RecursionError) as error:
        raise BadFile(Fault(key="briefing_no_figures")) from error
    if not isinstance(carried, dict) or "getu" not in carried:
        raise BadFile(Fault(key="briefing_no_figures"))
    return carried


def _relate(content: bytes) -> bytes:
    """Return the relationships of a main part with the one to our part."""
    if b'Id="rIdGetu"' in content:
        return content
    one = f'<Relationship Id="rIdGetu" Type="{_REL_TYPE}" Target="../{PART}"/>'.encode()
    return content.replace(b"</Relationships>", one + b"</Relationships>")


def _put(archive: zipfile.ZipFile, name: str, content: bytes) -> None:
    entry = zipfile.ZipInfo(name, _STAND_STILL)
    entry.compress_type = zipfile.ZIP_DEFLATED
    entry.external_attr = 0o600 << 16
    archive.writestr(entry, content, compresslevel=_LEVEL)


def _read_office(body: bytes) -> str | None:
    try:
        with zipfile.ZipFile(io.BytesIO(body)) as archive:
            entry = archive.getinfo(PART)
            if entry.file_size > _LARGEST:
                return None
            found = _BODY.search(archive.read(entry))
    except (zipfile.BadZipFile, KeyError, zlib.error, EOFError, NotImplementedError, RuntimeError):
        return None
    return None if found is None else unescape(found[1].decode("utf-8", "replace"))


def _read_pdf(body: bytes) -> str | None:
    if len(body) > _LARGEST_PACKED:
        return None
    for found in _STREAM.finditer(body):
        try:
            content = zlib.decompressobj().decompress(found[1], _LARGEST)
        except zlib.error:
            content = found[1]
        if content.startswith(_MARK):
            return content.decode("utf-8", "replace")
    return None
