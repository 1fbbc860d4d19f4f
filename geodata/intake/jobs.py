"""Loads that run behind a page: one at a time, with progress, and a cancel that leaves nothing."""

from __future__ import annotations

import hashlib
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from concurrent.futures import wait as wait_for
from contextlib import ExitStack, suppress
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, Literal

from geodata.access.scope import Scope
from geodata.city import City, writing
from geodata.errors import BadSetting, Busy, Fault, GetuError
from geodata.events.withdrawal import withdraw_batch
from geodata.intake.apart import Cancelled, run_apart, stop
from geodata.intake.limits import is_large, limits_of
from geodata.intake.looking import Looks, Preview
from geodata.intake.outcome import Outcome, read_reasons, settle_outcome
from geodata.intake.refused_rows import write_refused_rows
from geodata.intake.shelf import Shelf, Upload
from geodata.loading import load_files
from geodata.loading.readers import read_file
from geodata.loading.request import Progress
from geodata.reference.edits import RowChange, write_change
from geodata.store.mappings import save_mapping
from geodata.words import Lang

State = Literal["waiting", "running", "done", "refused", "cancelled"]
MOST_KEPT = 200
_OF_ONE = ("level", "parent", "overlaps")  # corrections of one file, not of a department
_PATIENCE_S = 2.0  # so long a page waits for a change that a small city makes at once


@dataclass(frozen=True, slots=True, kw_only=True)
class Job:
    """One load, dry run or change of a table: how far it is, and in the end what it came to."""

    name: str
    dry_run: bool = False
    state: State = "waiting"
    step: str = "progress.read"
    share: float = 0.0
    outcome: Outcome | None = None
    faults: tuple[Fault, ...] = ()  # of what could not even begin, or was lost

    @property
    def busy(self) -> bool:
        """Tell whether it has not ended yet."""
        return self.state in ("waiting", "running")


@dataclass(slots=True)
class _Slot:
    job: Job
    stop: threading.Event = field(default_factory=threading.Event)
    error: GetuError | None = None


class IntakeJobs:
    """
    Runs the loads and changes of one server in a thread of their own, one after another.

    A large upload is looked at and loaded in a process of its own, which the thread waits for.
    `close` waits for what runs.
    """

    def __init__(self, city: City, shelf: Shelf, *, now: Callable[[], int]) -> None:
        self._city = city
        self._shelf = shelf
        self._now = now
        self._worker = ThreadPoolExecutor(max_workers=1, thread_name_prefix="intake")
        self._looker = ThreadPoolExecutor(max_workers=1, thread_name_prefix="look")
        self._slots: dict[str, _Slot] = {}
        self._lock = threading.Lock()

    def find(self, name: str) -> Job | None:
        """Return the newest job of a name: an upload's id, or a change's; None for none."""
        with self._lock:
            slot = self._slots.get(name)
            return None if slot is None else slot.job

    def start(self, upload: Upload, *, dry_run: bool) -> None:
        """Begin a load or a dry run; raises BadSetting while one of this upload is at work."""
        slot = self._begin(Job(name=upload.id, dry_run=dry_run))
        self._worker.submit(self._run, slot, lambda progress: self._load(upload, slot, progress))

    def change(self, change: RowChange) -> Job:
        """
        Write a change of a table after whatever is at work; return how far it is.

        Waits a moment for it: a small city is derived at once, of a large one the page shows the
        progress. Raises what the change raises when it has ended by then, and BadSetting while one
        of the same row is at work.
        """
        slot = self._begin(Job(name=f"{change.table}/{change.id}", step="progress.derive"))

        def work(progress: Progress) -> None:
            write_change(
                self._city, change, progress=lambda share: progress("progress.derive", share)
            )
            self._note(slot, state="done", share=1.0)

        done = self._worker.submit(self._run, slot, work)
        wait_for([done], timeout=_PATIENCE_S)
        if slot.error is not None:
            raise slot.error
        return slot.job

    def look(self, upload: Upload, looks: Looks) -> Preview | Job:
        """
        Return what an upload is taken for; of a large one how far the look is, until it is done.

        Raises what the look raises.
        """
        paths, now = self._shelf.paths(upload), self._now()
        if not is_large(paths, self._city.settings):
            return looks.look_at(paths, upload, now=now)
        key = looks.name_look(paths, upload)
        kept = looks.find_kept(key)
        if kept is not None:
            return kept
        name = f"{upload.id}:{hashlib.blake2b(key, digest_size=8).hexdigest()}"
        with self._lock:
            known = self._slots.get(name)
        if known is not None and known.job.busy:
            return known.job
        if known is not None and known.error is not None:
            raise known.error
        slot = self._begin(Job(name=name))

        def work(progress: Progress) -> None:
            found = run_apart(
                _look_apart, self._city.folder, upload, now,
                progress=progress, stopped=slot.stop.is_set,
            )  # fmt: skip
            looks.keep(key, found)
            self._note(slot, state="done", share=1.0)

        wait_for([self._looker.submit(self._run, slot, work)], timeout=_PATIENCE_S)
        if slot.error is not None:
            raise slot.error
        return looks.find_kept(key) or slot.job

    def cancel(self, upload: Upload) -> None:
        """Stop what is at work on an upload at its next step; what it had written is dropped."""
        with self._lock:
            slots = [slot for name, slot in self._slots.items() if name.split(":")[0] == upload.id]
        for slot in slots:
            slot.stop.set()

    def refused_book(self, upload: Upload, lang: Lang) -> bytes:
        """Return the rows that the last job refused as a workbook with their reasons."""
        how = (self._city.folder, upload, lang, self._now())
        if is_large(self._shelf.paths(upload), self._city.settings):
            book: bytes = run_apart(_book_refused, *how, progress=_unheard)
            return book
        return _book_refused(*how, progress=_unheard)

    def withdraw(self, batch: int, *, account: Scope) -> None:
        """Take back a loaded batch as a whole; raises Busy while another load is at work."""
        with writing(self._city):
            withdraw_batch(self._city, batch, now=self._now(), account=account)

    def close(self) -> None:
        """Take no more, and wait for the one that runs."""
        for slot in list(self._slots.values()):
            slot.stop.set()
        self._worker.shutdown(wait=True)
        self._looker.shutdown(wait=True)

    def _begin(self, job: Job) -> _Slot:
        with self._lock:
            slot = self._slots.pop(job.name, None)
            if slot is not None and slot.job.busy:
                self._slots[job.name] = slot
                raise BadSetting(Fault(key="intake_busy"))
            idle = [name for name, other in self._slots.items() if not other.job.busy]
            for name in idle[: max(len(self._slots) - MOST_KEPT + 1, 0)]:
                del self._slots[name]
            slot = self._slots[job.name] = _Slot(job)
        return slot

    def _run(self, slot: _Slot, work: Callable[[Progress], None]) -> None:
        def progress(step: str, share: float) -> None:
            # A step that is complete may have made the batch visible: too late to stop it.
            if slot.stop.is_set() and share < 1:
                raise stop()
            self._note(slot, state="running", step=step, share=share)

        try:
            work(progress)
        except Cancelled:
            self._note(slot, state="cancelled")
        except GetuError as error:
            slot.error = error
            self._note(slot, state="refused", faults=tuple(error.faults))
        except OSError:
            self._note(slot, state="refused", faults=(Fault(key="store_full"),))

    def _load(self, upload: Upload, slot: _Slot, progress: Progress) -> None:
        progress("progress.read", 0.0)
        dry_run, now = slot.job.dry_run, self._now()
        if is_large(self._shelf.paths(upload), self._city.settings):
            outcome = self._load_apart(upload, slot, now=now)
        else:
            outcome = _load_upload(self._city, upload, now=now, dry_run=dry_run, progress=progress)
        if outcome.loaded and not dry_run:
            self._remember(upload)
        state = "done" if outcome.loaded else "refused"
        self._note(slot, state=state, share=1.0, outcome=outcome)

    def _load_apart(self, upload: Upload, slot: _Slot, *, now: int) -> Outcome:
        def note(step: str, share: float) -> None:
            self._note(slot, state="running", step=step, share=share)

        with ExitStack() as after:
            # Of a process that died the store holds what nobody sees: gone before this one ends.
            after.callback(self._clear)
            outcome: Outcome = run_apart(
                _load_apart, self._city.folder, upload, now, slot.job.dry_run,
                progress=note, stopped=slot.stop.is_set,
            )  # fmt: skip
        return outcome

    def _clear(self) -> None:
        with suppress(Busy), writing(self._city):
            pass

    def _remember(self, upload: Upload) -> None:
        if not upload.source:
            return
        # The next file of a department may well be of another level, with other parents.
        options = {name: value for name, value in upload.options.items() if name not in _OF_ONE}
        with self._city.database.transaction() as connection:
            save_mapping(
                connection,
                upload.source,
                upload.kind,
                options,
                account=upload.account,
                at=self._now(),
            )

    def _note(self, slot: _Slot, **changes: Any) -> None:
        with self._lock:
            slot.job = replace(slot.job, **changes)


def _load_upload(
    city: City, upload: Upload, *, now: int, dry_run: bool, progress: Progress
) -> Outcome:
    """Load an upload; return what it came to. Raises Cancelled where a person has stopped it."""
    request = upload.request(limits_of(city.settings), now=now, dry_run=dry_run)
    shelf = Shelf(city)
    with writing(city):
        paths = shelf.paths(upload)
        reports, errors = load_files(city, upload.kind, paths, request, progress=progress)
    stopped = next((error for error in errors if isinstance(error, Cancelled)), None)
    if stopped is not None:
        raise stopped
    return settle_outcome(reports, errors, folder=shelf.folder / upload.id)


def _load_apart(
    folder: Path, upload: Upload, now: int, dry_run: bool, *, progress: Progress
) -> Outcome:
    return _load_upload(City(folder), upload, now=now, dry_run=dry_run, progress=progress)


def _look_apart(folder: Path, upload: Upload, now: int, *, progress: Progress) -> Preview:
    progress("progress.read", 0.0)
    city = City(folder)
    return Looks(city).look_at(Shelf(city).paths(upload), upload, now=now, progress=progress)


def _book_refused(
    folder: Path,
    upload: Upload,
    lang: Lang,
    now: int,
    *,
    progress: Progress,
) -> bytes:
    progress("progress.read", 0.0)
    city = City(folder)
    how = upload.request(limits_of(city.settings), now=now)
    shelf = Shelf(city)
    reading = read_file(upload.kind, shelf.paths(upload)[0], how)
    reasons = read_reasons(shelf.folder / upload.id, lang)
    return write_refused_rows(reading.frame, reasons, lang)


def _unheard(_step: str, _share: float) -> None:
    """Nobody waits to hear how far a workbook is."""
