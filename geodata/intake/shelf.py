"""Files that a clerk brings, kept apart beside the store until they are loaded or thrown away."""

from __future__ import annotations

import secrets
import shutil
from collections.abc import Iterable
from contextlib import ExitStack
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import IO, Any

import orjson

from geodata.city import City
from geodata.errors import BadFile, Fault, NotFound
from geodata.intake.limits import MEGABYTE
from geodata.intake.watched import clean_name
from geodata.loading import KINDS
from geodata.loading.request import LoadRequest
from geodata.reading import Limits

FOLDER = "uploads"
KEPT_S = 86_400  # an upload that nobody loads is thrown away after this
_FACTS = ".upload.json"  # no upload begins with a dot (`clean_name`)
_CHUNK_BYTES = 1 << 20
_ID_BYTES = 8
_SHAPEFILE = (".shp", ".shx", ".dbf", ".prj", ".cpg")


@dataclass(frozen=True, slots=True, kw_only=True)
class Upload:
    """Files that one post has brought, kept apart until they are loaded or thrown away."""

    id: str
    files: tuple[str, ...]
    kind: str
    source: str
    account: str
    at: int
    options: dict[str, Any] = field(default_factory=dict)  # of LoadRequest, as the clerk corrected

    def request(self, limits: Limits, *, now: int, dry_run: bool = False) -> LoadRequest:
        """Return the load that these options ask for, in a child process where GDAL is needed."""
        given = {name: value for name, value in self.options.items() if value not in ("", None)}
        return LoadRequest(
            now=now,
            source=self.source or None,
            dry_run=dry_run,
            isolated=True,
            limits=limits,
            account=self.account,
            **given,
        )


class Shelf:
    """The uploads of one city: a folder each, beside the store."""

    def __init__(self, city: City) -> None:
        self._city = city
        self.folder = city.folder / FOLDER

    def keep(
        self,
        files: Iterable[tuple[str, IO[bytes]]],
        *,
        kind: str,
        source: str,
        account: str,
        now: int,
    ) -> Upload:
        """
        Keep files under names of our own; raises BadFile for an unknown kind, none, or too much.

        Nothing is left behind when one of them is refused.
        """
        if kind not in KINDS:
            raise BadFile(
                Fault(key="kind_unknown", values={"kind": kind, "known": ", ".join(KINDS)})
            )
        self.clear(now=now)
        place = self.folder / secrets.token_hex(_ID_BYTES)
        place.mkdir(parents=True)
        with ExitStack() as undo:
            undo.callback(shutil.rmtree, place, ignore_errors=True)
            names = tuple(self._write(place, name, stream) for name, stream in files if name)
            if not names:
                raise BadFile(Fault(key="upload_none"))
            upload = Upload(
                id=place.name, files=names, kind=kind, source=source, account=account, at=now
            )
            self.save(upload)
            undo.pop_all()
        return upload

    def find(self, id: str, *, account: str) -> Upload:
        """Return an upload of this account; raises NotFound for any other."""
        path = self.folder / clean_name(id) / _FACTS
        try:
            plain = orjson.loads(path.read_bytes())
        except (OSError, ValueError):
            raise NotFound(Fault(key="upload_gone")) from None
        upload = Upload(**{**plain, "files": tuple(plain["files"])})
        if upload.account != account or upload.id != id:
            raise NotFound(Fault(key="upload_gone"))
        return upload

    def all_of(self, account: str) -> list[Upload]:
        """Return the uploads of an account, newest first."""
        found = []
        for path in self.folder.glob(f"*/{_FACTS}"):
            try:
                found.append(self.find(path.parent.name, account=account))
            except NotFound:
                continue
        return sorted(found, key=lambda upload: -upload.at)

    def save(self, upload: Upload) -> None:
        """Write down what is known of an upload."""
        path = self.folder / upload.id / _FACTS
        part = path.with_suffix(".part")
        part.write_bytes(orjson.dumps(asdict(upload)))
        part.replace(path)

    def drop(self, upload: Upload) -> None:
        """Throw an upload away."""
        shutil.rmtree(self.folder / upload.id, ignore_errors=True)

    def clear(self, *, now: int) -> None:
        """Throw away what nobody came back for."""
        for place in self.folder.glob("*/"):
            if place.stat().st_mtime < now - KEPT_S:
                shutil.rmtree(place, ignore_errors=True)

    def paths(self, upload: Upload) -> list[Path]:
        """Return the files to load: a Shapefile is its .shp, whatever lies beside it."""
        paths = [self.folder / upload.id / name for name in upload.files]
        shapes = [path for path in paths if path.suffix.lower() == ".shp"]
        others = [path for path in paths if path.suffix.lower() not in _SHAPEFILE]
        return [*shapes, *others] or paths

    def _write(self, place: Path, name: str, stream: IO[bytes]) -> str:
        kept = clean_name(Path(name.replace("\\", "/")).name)
        limit_mb = self._city.settings.upload_mb
        size = 0
        with (place / kept).open("xb") as out:
            while chunk := stream.read(_CHUNK_BYTES):
                size += len(chunk)
                if size > limit_mb * MEGABYTE:
                    raise BadFile(
                        Fault(key="file_too_large", values={"limit_mb": limit_mb}), file=kept
                    )
                out.write(chunk)
        return kept
