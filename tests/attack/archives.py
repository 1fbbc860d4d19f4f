"""Zip archives as bytes, honest ones and ones whose list of members lies."""

from __future__ import annotations

import io
import stat
import struct
import zipfile
from collections.abc import Mapping

STORED, PACKED = zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED
_EPOCH = (1980, 1, 1, 0, 0, 0)


def zip_of(members: Mapping[str, bytes], *, method: int = PACKED) -> bytes:
    """Return a zip of these members, the same bytes each time."""
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", method) as archive:
        for name, raw in members.items():
            archive.writestr(zipfile.ZipInfo(name, _EPOCH), raw, method)
    return out.getvalue()


def link_in_zip(name: str, target: str, members: Mapping[str, bytes]) -> bytes:
    """Return a zip with one more member that is a symbolic link."""
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w") as archive:
        link = zipfile.ZipInfo(name, _EPOCH)
        link.create_system = 3
        link.external_attr = (stat.S_IFLNK | 0o777) << 16
        archive.writestr(link, target)
        for other, raw in members.items():
            archive.writestr(zipfile.ZipInfo(other, _EPOCH), raw)
    return out.getvalue()


def lie_about(raw: bytes, *, size: int | None = None, packed: int | None = None) -> bytes:
    """Return a zip whose list says another size of the first member; its own header may too."""
    out = bytearray(raw)
    listed = out.index(b"PK\x01\x02")
    for value, in_list, in_header in ((packed, 20, 18), (size, 24, 22)):
        if value is not None:
            struct.pack_into("<I", out, listed + in_list, value)
            struct.pack_into("<I", out, in_header, value)
    return bytes(out)


def overlapping(name: str, raw: bytes, copies: int) -> bytes:
    """Return a zip that lists one packed member many times under other names (Fifield, 2019)."""
    one = zip_of({name: raw})
    listed, end = one.index(b"PK\x01\x02"), one.rindex(b"PK\x05\x06")
    entry = one[listed:end]
    start, stop = 46, 46 + len(name)
    stem, suffix = name[:-8], name[-8:]
    entries = [
        entry[:start] + f"{stem[:-4]}{n:04d}{suffix}".encode() + entry[stop:] for n in range(copies)
    ]
    directory = b"".join(entries)
    tail = struct.pack("<IHHHHIIH", 0x06054B50, 0, 0, copies, copies, len(directory), listed, 0)
    return one[:listed] + directory + tail
