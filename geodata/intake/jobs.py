"""Loads that run behind a page: one at a time, with progress, and a cancel that leaves nothing."""

from __future__ import annotations

import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field, replace
from typing import Any, Literal

from geodata.access.scope import Scope
from geodata.city import City, writing
from geodata.errors import BadSetting, Fault, GetuError
from geodata.events.derive import withdraw_batch
from geodata.intake.looking import Shelf, Upload
from geodata.loading import load_files
from geodata.loading.report import LoadReport
from geodata.store.mappings import save_mapping

State = Literal["waiting", "running", "done", "refused", "cancelled"]
MOST_KEPT = 200


class Cancelled(GetuError):
    """The clerk has stopped the load: its batch is dropped like that of any load that fails."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Job:
    """One load or dry run: how far it is, and in the end what it came to."""

    upload: str
    dry_run: bool
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


class IntakeJobs:
    """
    Runs the loads of one server in a thread of their own, one after another.

    `close` waits for the one that runs.
    """

    def __init__(self, city: City, shelf: Shelf, *, now: Callable[[], int]) -> None:
        self._city = city
        self._shelf = shelf
        self._now = now
        self._worker = ThreadPoolExecutor(max_workers=1, thread_name_prefix="intake")
        self._slots: dict[str, _Slot] = {}
        self._lock = threading.Lock()

    def find(self, upload: Upload) -> Job | None:
        """Return the newest job of an upload; None when there was none."""
        with self._lock:
            slot = self._slots.get(upload.id)
            return None if slot is None else slot.job

    def start(self, upload: Upload, *, dry_run: bool) -> None:
        """Begin a load or a dry run; raises BadSetting while one of this upload is at work."""
        with self._lock:
            slot = self._slots.get(upload.id)
            if slot is not None and slot.job.busy:
                raise BadSetting(Fault(key="intake_busy"))
            while len(self._slots) >= MOST_KEPT:
                del self._slots[next(iter(self._slots))]
            slot = self._slots[upload.id] = _Slot(Job(upload=upload.id, dry_run=dry_run))
        self._worker.submit(self._run, upload, slot)

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

    def _run(self, upload: Upload, slot: _Slot) -> None:
        def progress(step: str, share: float) -> None:
            if slot.stop.is_set():
                raise Cancelled(Fault(key="intake_cancelled"))
            self._note(slot, state="running", step=step, share=share)

        try:
            progress("progress.read", 0.0)
            request = upload.request(now=self._now(), dry_run=slot.job.dry_run)
            paths = self._shelf.paths(upload)
            with writing(self._city):
                reports, errors = load_files(
                    self._city, upload.kind, paths, request, progress=progress
                )
            faults = tuple(fault for error in errors for fault in error.faults)
            if any(isinstance(error, Cancelled) for error in errors):
                self._note(slot, state="cancelled")
                return
            taken = bool(reports)
            if taken and not slot.job.dry_run:
                self._remember(upload)
            state: State = "done" if taken else "refused"
            self._note(slot, state=state, share=1.0, reports=tuple(reports), faults=faults)
        except Cancelled:
            self._note(slot, state="cancelled")
        except GetuError as error:
            self._note(slot, state="refused", faults=tuple(error.faults))
        except OSError:
            self._note(slot, state="refused", faults=(Fault(key="store_full"),))

    def _remember(self, upload: Upload) -> None:
        if not upload.source:
            return
        with self._city.database.transaction() as connection:
            save_mapping(
                connection,
                upload.source,
                upload.kind,
                upload.options,
                account=upload.account,
                at=self._now(),
            )

    def _note(self, slot: _Slot, **changes: Any) -> None:
        with self._lock:
            slot.job = replace(slot.job, **changes)
