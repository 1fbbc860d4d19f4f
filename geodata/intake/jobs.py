"""Loads that run behind a page: one at a time, with progress, and a cancel that leaves nothing."""

from __future__ import annotations

import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from concurrent.futures import wait as wait_for
from dataclasses import dataclass, field, replace
from typing import Any, Literal

from geodata.access.scope import Scope
from geodata.city import City, writing
from geodata.errors import BadSetting, Fault, GetuError
from geodata.events.withdrawal import withdraw_batch
from geodata.intake.limits import limits_of
from geodata.intake.shelf import Shelf, Upload
from geodata.loading import load_files
from geodata.loading.report import LoadReport
from geodata.loading.request import Progress
from geodata.reference.edits import RowChange, write_change
from geodata.store.mappings import save_mapping

State = Literal["waiting", "running", "done", "refused", "cancelled"]
MOST_KEPT = 200
_PATIENCE_S = 2.0  # so long a page waits for a change that a small city makes at once


class Cancelled(GetuError):
    """The clerk has stopped the load: its batch is dropped like that of any load that fails."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Job:
    """One load, dry run or change of a table: how far it is, and in the end what it came to."""

    name: str
    dry_run: bool = False
    state: State = "waiting"
    step: str = "progress.read"
    share: float = 0.0
    reports: tuple[LoadReport, ...] = ()
    faults: tuple[Fault, ...] = ()

    @property
    def busy(self) -> bool:
        """Tell whether it has not ended yet."""
        return self.state in ("waiting", "running")

    @property
    def all_faults(self) -> list[Fault]:
        """Return the faults of rows and of the file."""
        return [*(fault for report in self.reports for fault in report.faults), *self.faults]


@dataclass(slots=True)
class _Slot:
    job: Job
    stop: threading.Event = field(default_factory=threading.Event)
    error: GetuError | None = None


class IntakeJobs:
    """
    Runs the loads and changes of one server in a thread of their own, one after another.

    `close` waits for the one that runs.
    """

    def __init__(self, city: City, shelf: Shelf, *, now: Callable[[], int]) -> None:
        self._city = city
        self._shelf = shelf
        self._now = now
        self._worker = ThreadPoolExecutor(max_workers=1, thread_name_prefix="intake")
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

    def cancel(self, upload: Upload) -> None:
        """Stop the job of an upload at its next step; what it had written is dropped."""
        with self._lock:
            slot = self._slots.get(upload.id)
        if slot is not None:
            slot.stop.set()

    def withdraw(self, batch: int, *, account: Scope) -> None:
        """Take back a loaded batch as a whole; raises Busy while another load is at work."""
        with writing(self._city):
            withdraw_batch(self._city, batch, now=self._now(), account=account)

    def close(self) -> None:
        """Take no more, and wait for the one that runs."""
        for slot in list(self._slots.values()):
            slot.stop.set()
        self._worker.shutdown(wait=True)

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
                raise Cancelled(Fault(key="intake_cancelled"))
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
        limits, dry_run = limits_of(self._city.settings), slot.job.dry_run
        request = upload.request(limits, now=self._now(), dry_run=dry_run)
        paths = self._shelf.paths(upload)
        with writing(self._city):
            reports, errors = load_files(self._city, upload.kind, paths, request, progress=progress)
        stopped = next((error for error in errors if isinstance(error, Cancelled)), None)
        if stopped is not None:
            raise stopped
        if reports and not dry_run:
            self._remember(upload)
        self._note(
            slot,
            state="done" if reports else "refused",
            share=1.0,
            reports=tuple(reports),
            faults=tuple(fault for error in errors for fault in error.faults),
        )

    def _remember(self, upload: Upload) -> None:
        if not upload.source:
            return
        # The next file of a department may well be of another level.
        options = {name: value for name, value in upload.options.items() if name != "level"}
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
