"""Answers to civic clients: the same plain data as JSON and as XML."""

from __future__ import annotations

import re
from typing import Any
from xml.etree import ElementTree as Xml  # only built here: nothing of a stranger's is parsed

import orjson
from flask import Response

TYPES = {"json": "application/json; charset=utf-8", "xml": "text/xml; charset=utf-8"}
# What XML 1.0 cannot hold, however it is written.
_NO_XML = re.compile(r"[^\t\n\r\u0020-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")
_ITEM = {
    "services": "service",
    "service_requests": "request",
    "errors": "error",
    "attributes": "attribute",
    "endpoints": "endpoint",
    "formats": "format",
}


def answer_civic(plain: Any, root: str, form: str, *, status: int = 200) -> Response:
    """Return plain data in the format asked for; `root` names the XML's outermost element."""
    body = orjson.dumps(plain) if form == "json" else write_xml(root, plain)
    answer = Response(body, status=status, content_type=TYPES[form])
    answer.headers["Cache-Control"] = "no-store"
    return answer


def write_xml(root: str, plain: Any) -> bytes:
    """Return plain data as the XML that GeoReport's JSON stands for, UTF-8 with its declaration."""
    node = Xml.Element(root)
    _fill(node, plain)
    return Xml.tostring(node, encoding="utf-8", xml_declaration=True)


def _fill(node: Xml.Element, plain: Any) -> None:
    if isinstance(plain, dict):
        for name, value in plain.items():
            _fill(Xml.SubElement(node, name), value)
    elif isinstance(plain, list):
        for value in plain:
            _fill(Xml.SubElement(node, _ITEM[node.tag]), value)
    elif isinstance(plain, bool):
        node.text = "true" if plain else "false"
    elif plain is not None:
        node.text = _NO_XML.sub("\ufffd", str(plain))
