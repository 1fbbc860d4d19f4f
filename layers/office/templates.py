"""Templates that people bring: opened with care, and refused where they could carry anything in."""

from __future__ import annotations

import re
from typing import Final

from docx.oxml.parser import parse_xml

from geodata.errors import BadFile, Fault
from layers.office.sealing import unpack_office

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
    if len(body) > LARGEST:
        raise BadFile(Fault(key="briefing_template_large"))
    try:
        for name, content in unpack_office(body, largest=_LARGEST_UNPACKED, most=_MOST_PARTS):
            if _PROGRAMS.search(name):
                raise BadFile(Fault(key="briefing_template_outside"))
            if name.endswith(_TEXTS):
                _check_part(content)
    except OverflowError as error:
        raise BadFile(Fault(key="briefing_template_large")) from error
    except (ValueError, SyntaxError) as error:
        raise BadFile(Fault(key="briefing_template_kind", values={"kind": kind})) from error


def _check_part(content: bytes) -> None:
    root = parse_xml(content)  # raises SyntaxError; neither entities nor the network are followed
    if root.getroottree().docinfo.doctype:
        raise BadFile(Fault(key="briefing_template_outside"))
    for relation in root.iter("{*}Relationship"):
        away = relation.get("TargetMode") == "External"
        if away and not str(relation.get("Type")).endswith(_LINK):
            raise BadFile(Fault(key="briefing_template_outside"))
