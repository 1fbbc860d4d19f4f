"""Atlases that are bound behind a page: one at a time, with progress, and a stop at any sheet."""

from __future__ import annotations

import threading
from collections import OrderedDict
from dataclasses import dataclass, field, replace
from typing import Any

from geodata.access.scope import Scope
from geodata.errors import Fault, GetuError, NotFound
from layers.office.bureau import Bind

_MOST_KEPT = 8  # finished ones, of some megabytes each


@dataclass(frozen=True, slots=True, kw_only=True)
class AtlasJob:
    """One atlas: how far it is (share of 1), and in the end its bytes or why there are none."""

    scope: Scope
    name: str
    share: float = 0.0
    body: bytes | None = None
    error: GetuError | None = None

    @property
    def busy(self) -> bool:
        """Tell whether it has not ended yet."""
        return self.body is None and self.error is None


@dataclass(slots=True)
class _Slot:
    job: AtlasJob
    stop: threading.Event = field(default_factory=threading.Event)


class AtlasJobs:
    """The newest atlas of each account, in the server's memory; nothing is written anywhere."""

    def __init__(self) -> None:
        self._slots: OrderedDict[str, _Slot] = OrderedDict()
        self._lock = threading.Lock()
        self._turn = threading.Lock()

    def find(self, scope: Scope) -> AtlasJob | None:
        """Return the account's atlas; None where it has none, or sees other grids by now."""
        with self._lock:
            slot = self._slots.get(scope.account)
            return slot.job if slot is not None and slot.job.scope == scope else None

    def take(self, scope: Scope) -> tuple[str, bytes]:
        """Return the name and the bytes of the account's finished atlas. Raises NotFound."""
        job = self.find(scope)
        if job is None or job.body is None:
            raise NotFound(Fault(key="atlas_not_bound"))
        return job.name, job.body

    def start(self, scope: Scope, name: str, bind: Bind) -> None:
        """Begin an atlas in the place of the account's last one, which stops."""
        self.stop(scope)
        slot = _Slot(AtlasJob(scope=scope, name=name))
        with self._lock:
            self._slots[scope.account] = slot
            self._slots.move_to_end(scope.account)
            while len(self._slots) > _MOST_KEPT:
                self._slots.popitem(last=False)[1].stop.set()
        # It ends with the server: it holds nothing that would have to be put away.
        threading.Thread(target=self._run, args=(slot, bind), name="atlas", daemon=True).start()

    def stop(self, scope: Scope) -> None:
        """Stop the account's atlas before its next sheet."""
        with self._lock:
            slot = self._slots.get(scope.account)
        if slot is not None:
            slot.stop.set()

    def _run(self, slot: _Slot, bind: Bind) -> None:
        def tell(_: str, share: float) -> None:
            self._note(slot, share=share)

        try:
            with self._turn:
                self._note(slot, body=bind(tell, slot.stop.is_set))
        except GetuError as error:
            self._note(slot, error=error)
        finally:
            if slot.job.busy:  # a defect of ours: the page must not wait for ever
                self._note(slot, error=GetuError(Fault(key="export_stopped")))

    def _note(self, slot: _Slot, **changes: Any) -> None:
        with self._lock:
            slot.job = replace(slot.job, **changes)
