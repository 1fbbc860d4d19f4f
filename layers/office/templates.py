"""Templates that people bring: opened with care, and refused where they could carry anything in."""

from __future__ import annotations

import io
import re
import zipfile
import zlib
from typing import Final

from docx.oxml.parser import parse_xml

from geodata.errors import BadFile, Fault

LARGEST: Final = 20_000_000  # bytes of a template as it is brought
_LARGEST_UNPACKED = 200_000_000
_MOST_PARTS = 4_000
_PROGRAMS = re.compile(r"vbaproject|activex|oleobject", re.IGNORECASE)
_LINK = "/relationships/hyperlink"
_TEXTS = (".xml", ".rels")


def check_template(body: bytes | None, kind: str) -> None:
    """
    Raise BadFile for a template that is no whole file of its kind, or brings more than a look.

    Refused are programs (macros, controls, embedded objects), pictures and templates that would be
    fetched from elsewhere when the paper is opened, document types, and what unpacks beyond reason.
    """
    if body is None:
        return
    try:
        with zipfile.ZipFile(io.BytesIO(body)) as archive:
            entries = archive.infolist()
            sizes = sum(entry.file_size for entry in entries)
            if len(body) > LARGEST or sizes > _LARGEST_UNPACKED or len(entries) > _MOST_PARTS:
                raise BadFile(Fault(key="briefing_template_large"))
            for entry in entries:
                if _PROGRAMS.search(entry.filename):
                    raise BadFile(Fault(key="briefing_template_outside"))
                content = archive.read(entry)
                if entry.filename.endswith(_TEXTS):
                    _check_part(content)
    except (zipfile.BadZipFile, zlib.error, EOFError, SyntaxError, ValueError,
            NotImplementedError, RuntimeError, OSError) as error:  # fmt: skip
        raise BadFile(Fault(key="briefing_template_kind", values={"kind": kind})) from error


def _check_part(content: bytes) -> None:
    root = parse_xml(content)  # raises SyntaxError; neither entities nor the network are followed
    if root.getroottree().docinfo.doctype:
        raise BadFile(Fault(key="briefing_template_outside"))
    for relation in root.iter("{*}Relationship"):
        away = relation.get("TargetMode") == "External"
        if away and not str(relation.get("Type")).endswith(_LINK):
            raise BadFile(Fault(key="briefing_template_outside"))
