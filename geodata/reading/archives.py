"""Packed and scattered files: zip and gzip under limits, the parts of a Shapefile side by side."""

from __future__ import annotations

import lzma
import re
import stat
import struct
import zipfile
import zlib
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory

from geodata.errors import BadFile, BadSetting, Fault

MIB = 1 << 20
ZIP_MAGIC = b"PK\x03\x04"
_CHUNK_BYTES = MIB
_SIDE_SUFFIXES = (".prj", ".cpg")
_SHAPEFILE_SUFFIXES = (".shp", ".shx", ".dbf", *_SIDE_SUFFIXES)
_NEEDED_SUFFIXES = (".shx", ".dbf")
_SINGLE_SUFFIXES = (".gpkg", ".geojson", ".json", ".kml", ".fgb", ".parquet", ".dxf")
_PACKED_SUFFIXES = (".zip", ".kmz", ".rar", ".7z", ".gz", ".tar", ".tgz")
_PACKED_NAMED = 3
_KINDS = {".gpkg": "gpkg", ".kml": "kml", ".fgb": "fgb", ".parquet": "parquet", ".dxf": "dxf"}
# A zip ends with this mark, 18 bytes and a comment; each member takes about this much of its list.
_END_MARK, _END_BYTES, _LONGEST_END = b"PK\x05\x06", 22, 65_557
_MEMBER_BYTES = 1024
_UTF8_NAME = 0x800
_ENCRYPTED = 0x1
_HOSTILE_NAME = re.compile(r"(^|[\\/])\.\.([\\/]|$)|^[\\/]|^[A-Za-z]:|[\x00-\x1f]")
_LONGEST_NAME = 255
_CELL_PLACE = re.compile(rb"\br\s*=\s*[\"']([A-Za-z]{1,3})([0-9]{1,7})[\"']")
_LONGEST_PLACE, _MOST_CELLS = 64, 20_000_000
# Small archives may be as dense as they like.
_HARMLESS_BYTES = 16 * MIB


@dataclass(frozen=True, slots=True, kw_only=True)
class Limits:
    """How much one file may cost; None where nothing is capped."""

    file_bytes: int | None = 50 * MIB
    parsed_bytes: int | None = 50 * MIB  # of what is objects while it is read: GeoJSON, KML, Excel
    unpacked_bytes: int | None = 300 * MIB
    members: int = 200
    ratio: int = 100
    memory_bytes: int = 1024 * MIB  # of the child process, as are the rest
    cpu_s: int = 20
    wall_s: int = 60
    result_bytes: int = 512 * MIB
    open_files: int = 64


UPLOAD_LIMITS = Limits()
# The owner of the machine reads what fits into its memory; a dense archive is still suspect.
OWNER_LIMITS = Limits(file_bytes=None, parsed_bytes=None, unpacked_bytes=None, members=10_000)


@dataclass(frozen=True, slots=True, kw_only=True)
class Dataset:
    """One readable data set: its kind ("shp", "json", "kml", ...), its parts by lower suffix."""

    kind: str
    name: str
    parts: dict[str, Path]


def check_size(path: Path, limits: Limits) -> None:
    """Raise BadFile when the file is larger than the limit, before anything of it is read."""
    if limits.file_bytes is not None and path.stat().st_size > limits.file_bytes:
        values = {"limit_mb": limits.file_bytes // MIB}
        raise BadFile(Fault(key="file_too_large", values=values), file=path.name)


def check_parsed(size: int, limits: Limits, file: str) -> None:
    """Raise BadFile where what becomes an object a cell takes many times its size in memory."""
    if limits.parsed_bytes is not None and size > limits.parsed_bytes:
        values = {"limit_mb": limits.parsed_bytes // MIB}
        raise BadFile(Fault(key="file_of_objects", values=values), file=file)


def unpack_gzip(raw: bytes, *, limits: Limits, file: str | None = None) -> bytes:
    """Return the content of a gzip file; raises BadFile when it is damaged or a bomb."""
    chunks: list[bytes] = []
    size = 0
    rest = raw
    try:
        while rest:
            unpacker = zlib.decompressobj(wbits=zlib.MAX_WBITS | 16)
            while rest and not unpacker.eof:
                chunk = unpacker.decompress(rest, _CHUNK_BYTES)
                rest = unpacker.unconsumed_tail
                size += len(chunk)
                _check_unpacked(size, len(raw), limits, file)
                chunks.append(chunk)
            if not unpacker.eof:
                raise BadFile(Fault(key="file_truncated"), file=file)
            # Several members in a row are one file; anything after them is padding.
            rest = unpacker.unused_data.lstrip(b"\0")
    except zlib.error:
        raise BadFile(Fault(key="file_damaged"), file=file) from None
    return b"".join(chunks)


def gather_shapefile(path: Path) -> Dataset:
    """
    Return the parts of the Shapefile of which `path` is the .shp, whatever their case.

    Raises BadFile naming each needed part that is missing.
    """
    stem = path.stem.casefold()
    beside = {
        one.suffix.lower(): one
        for one in sorted(path.parent.iterdir())
        if one.stem.casefold() == stem and one.suffix.lower() in _SHAPEFILE_SUFFIXES
    }
    beside[".shp"] = path
    _check_parts(beside, path.name)
    return Dataset(kind="shp", name=path.stem, parts=beside)


def gather_folder(folder: Path, *, layer: str | None) -> Dataset:
    """Return the one data set of a folder, or the one that `layer` names."""
    found = [
        (one.stem, one)
        for one in sorted(folder.iterdir())
        if one.is_file() and one.suffix.lower() == ".shp"
    ]
    singles = [
        (one.stem, one)
        for one in sorted(folder.iterdir())
        if one.is_file() and one.suffix.lower() in _SINGLE_SUFFIXES
    ]
    path = _choose(found or singles, layer, folder.name)
    if path.suffix.lower() == ".shp":
        return gather_shapefile(path)
    return Dataset(kind=_kind_of(path.suffix), name=path.stem, parts={path.suffix.lower(): path})


@contextmanager
def unpack_zip(path: Path, *, limits: Limits, layer: str | None) -> Iterator[Dataset]:
    """
    Unpack the one data set of a zip (or the one that `layer` names) for the time of a `with`.

    Members get names of our own in a private folder; their own names only tell what belongs
    together. Raises BadFile for damaged, encrypted, hostile or too dense archives, and when there
    is nothing to read.
    """
    file = path.name
    _check_directory(path, limits)
    try:
        with zipfile.ZipFile(path) as archive, TemporaryDirectory(prefix="getu-") as folder:
            members = _list_members(archive, path, limits)
            if any(name == "[Content_Types].xml" for name in members):
                raise BadFile(Fault(key="file_workbook"), file=file)
            kind, name, chosen = _choose_members(members, layer, file)
            parts: dict[str, Path] = {}
            for suffix, info in chosen.items():
                parts[suffix] = Path(folder) / f"layer{suffix}"
                _extract(archive, info, parts[suffix], limits, file)
            if kind == "shp":
                _check_parts(parts, file)
            yield Dataset(kind=kind, name=name, parts=parts)
    except (zipfile.BadZipFile, zlib.error, EOFError, NotImplementedError):
        raise BadFile(Fault(key="file_damaged"), file=file) from None


def check_workbook(path: Path, limits: Limits) -> None:
    """
    Look through an .xlsx before anything of it is parsed.

    Raises BadFile when it is no workbook, or damaged, encrypted, hostile, too dense, or one whose
    members are larger than they say.
    """
    file = path.name
    _check_directory(path, limits)
    try:
        with zipfile.ZipFile(path) as archive:
            members = _list_members(archive, path, limits)
            if "[Content_Types].xml" not in members:
                raise BadFile(Fault(key="file_workbook"), file=file)
            for info in members.values():
                _measure(archive, info, limits, file)
    except (zipfile.BadZipFile, zlib.error, EOFError, NotImplementedError):
        raise BadFile(Fault(key="file_damaged"), file=file) from None


@contextmanager
def link_parts(dataset: Dataset) -> Iterator[Path]:
    """
    Give the parts of a data set plain names in a private folder for the time of a `with`.

    .prj and .cpg stay out: Getu reads them itself, and a damaged one must not disturb GDAL.
    """
    with TemporaryDirectory(prefix="getu-") as folder:
        for suffix, part in dataset.parts.items():
            if suffix not in _SIDE_SUFFIXES:
                (Path(folder) / f"layer{suffix}").symlink_to(part.resolve())
        yield Path(folder) / f"layer.{dataset.kind}"


def _check_parts(parts: dict[str, Path], file: str) -> None:
    missing = [suffix for suffix in _NEEDED_SUFFIXES if suffix not in parts]
    if missing:
        values = {"parts": ", ".join(missing)}
        raise BadFile(Fault(key="shapefile_part_missing", values=values), file=file)


def _check_unpacked(size: int, packed: int, limits: Limits, file: str | None) -> None:
    too_large = limits.unpacked_bytes is not None and size > limits.unpacked_bytes
    too_dense = size > _HARMLESS_BYTES and size > packed * limits.ratio
    if too_large or too_dense:
        raise BadFile(Fault(key="archive_bomb", values={"ratio": limits.ratio}), file=file)


def _check_directory(path: Path, limits: Limits) -> None:
    # The list of members is itself read whole: its size is looked at before that.
    with path.open("rb") as packed:
        packed.seek(max(path.stat().st_size - _LONGEST_END, 0))
        tail = packed.read()
    at = tail.rfind(_END_MARK)
    if at < 0 or len(tail) < at + _END_BYTES:
        raise BadFile(Fault(key="file_damaged"), file=path.name)
    (listed,) = struct.unpack_from("<I", tail, at + 12)
    if listed > limits.members * _MEMBER_BYTES:
        values = {"limit": limits.members}
        raise BadFile(Fault(key="archive_many", values=values), file=path.name)


def _list_members(
    archive: zipfile.ZipFile, path: Path, limits: Limits
) -> dict[str, zipfile.ZipInfo]:
    infos = archive.infolist()
    if len(infos) > limits.members:
        values = {"limit": limits.members}
        raise BadFile(Fault(key="archive_many", values=values), file=path.name)
    _check_unpacked(sum(info.file_size for info in infos), path.stat().st_size, limits, path.name)
    members: dict[str, zipfile.ZipInfo] = {}
    for info in infos:
        name = _member_name(info)
        if _is_hostile(info, name):
            raise BadFile(Fault(key="archive_hostile"), file=path.name)
        if info.flag_bits & _ENCRYPTED:
            raise BadFile(Fault(key="archive_locked"), file=path.name)
        if not info.is_dir() and not name.startswith("__MACOSX/"):
            members[name] = info
    return members


def _member_name(info: zipfile.ZipInfo) -> str:
    if info.flag_bits & _UTF8_NAME:
        return info.orig_filename
    # Without the flag Python assumes code page 437; Chinese Windows wrote GBK.
    raw = info.orig_filename.encode("cp437", "replace")
    for encoding in ("utf-8", "gb18030"):
        try:
            return raw.decode(encoding)
        except UnicodeDecodeError:
            continue
    return info.orig_filename


def _is_hostile(info: zipfile.ZipInfo, name: str) -> bool:
    unix_mode = info.external_attr >> 16
    return (
        bool(_HOSTILE_NAME.search(name) or _HOSTILE_NAME.search(info.orig_filename))
        or len(name) > _LONGEST_NAME
        or stat.S_ISLNK(unix_mode)
    )


def _choose_members(
    members: dict[str, zipfile.ZipInfo], layer: str | None, file: str
) -> tuple[str, str, dict[str, zipfile.ZipInfo]]:
    paths = {Path(name.replace("\\", "/")): info for name, info in members.items()}
    shapes = [(path.stem, path) for path in paths if path.suffix.lower() == ".shp"]
    singles = [(path.stem, path) for path in paths if path.suffix.lower() in _SINGLE_SUFFIXES]
    packed = [path.name for path in paths if path.suffix.lower() in _PACKED_SUFFIXES]
    if packed and not shapes and not singles:
        more = ("…",) if len(packed) > _PACKED_NAMED else ()
        values = {"names": (*sorted(packed)[:_PACKED_NAMED], *more)}
        raise BadFile(Fault(key="archive_nested", values=values), file=file)
    chosen = _choose(shapes or singles, layer, file)
    if chosen.suffix.lower() != ".shp":
        return _kind_of(chosen.suffix), chosen.stem, {chosen.suffix.lower(): paths[chosen]}
    beside = {
        path.suffix.lower(): info
        for path, info in paths.items()
        if path.parent == chosen.parent
        and path.stem.casefold() == chosen.stem.casefold()
        and path.suffix.lower() in _SHAPEFILE_SUFFIXES
    }
    return "shp", chosen.stem, beside


def _choose(found: Iterable[tuple[str, Path]], layer: str | None, file: str) -> Path:
    by_name = list(found)
    if not by_name:
        raise BadFile(Fault(key="archive_nothing"), file=file)
    # The name may also be that of a layer inside the one file that there is.
    inside = len(by_name) == 1 and by_name[0][1].suffix.lower() in _SINGLE_SUFFIXES
    if layer is not None and not inside:
        values = {"layer": layer, "layers": ", ".join(sorted(name for name, _ in by_name))}
        by_name = [pair for pair in by_name if pair[0] == layer]
        if not by_name:
            raise BadSetting(Fault(key="layer_none", values=values), file=file)
    if len(by_name) > 1:
        values = {"layers": ", ".join(sorted(name for name, _ in by_name))}
        raise BadSetting(Fault(key="layer_unclear", values=values), file=file)
    return by_name[0][1]


def _kind_of(suffix: str) -> str:
    return _KINDS.get(suffix.lower(), "json")


def _extract(
    archive: zipfile.ZipFile, info: zipfile.ZipInfo, target: Path, limits: Limits, file: str
) -> None:
    with target.open("wb") as plain:
        for chunk in _unpack(archive, info, limits, file):
            plain.write(chunk)


def _measure(archive: zipfile.ZipFile, info: zipfile.ZipInfo, limits: Limits, file: str) -> None:
    # A sheet is laid out as one rectangle: a single cell at the far corner asks for 16 G cells, and
    # the parser then ends the whole process.
    columns = rows = 0
    rest = b""
    for chunk in _unpack(archive, info, limits, file):
        text = rest + chunk
        for column, row in _CELL_PLACE.findall(text):
            columns, rows = max(columns, _column_number(column)), max(rows, int(row))
        if columns * rows > _MOST_CELLS:
            raise BadFile(Fault(key="sheet_wide", values={"limit": _MOST_CELLS}), file=file)
        rest = text[-_LONGEST_PLACE:]


def _column_number(letters: bytes) -> int:
    number = 0
    for letter in letters.upper():
        number = number * 26 + letter - ord("A") + 1
    return number


def _unpack(
    archive: zipfile.ZipFile, info: zipfile.ZipInfo, limits: Limits, file: str
) -> Iterator[bytes]:
    # The declared size was checked; a header that lies is caught while the bytes come.
    size = 0
    try:
        with archive.open(info) as packed:
            while chunk := packed.read(_CHUNK_BYTES):
                size += len(chunk)
                if size > info.file_size:
                    values = {"ratio": limits.ratio}
                    raise BadFile(Fault(key="archive_bomb", values=values), file=file)
                yield chunk
    except (OSError, ValueError, lzma.LZMAError):
        # So bzip2, LZMA and places outside the file say that they are damaged.
        raise BadFile(Fault(key="file_damaged"), file=file) from None
