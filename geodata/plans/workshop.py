"""The workshop: drafts of plans in memory, brought on by the lines of their logs."""

from __future__ import annotations

import threading
from collections import OrderedDict
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any

from geodata.access.scope import Scope
from geodata.audit.log import write_entry
from geodata.city import City
from geodata.drawings import Drawn, index_drawing
from geodata.errors import BadGrid, Fault, NotAllowed, NotFound, Overtaken
from geodata.grids import GridSystem
from geodata.plans.blocks import USUAL_WEIGHTS, BlockCounts, count_blocks
from geodata.plans.holdings import Holdings, survey_points
from geodata.plans.points import PointsKeeper
from geodata.redraw import (
    Blocks,
    Change,
    Draft,
    Grid,
    apply_edit,
    make_blocks,
    open_draft,
    parse_edit,
)
from geodata.redraw.forms import TIDIED
from geodata.store.database import Connection, Series
from geodata.store.drawings import load_drawings, read_grids
from geodata.store.plan_ground import read_plan_ground
from geodata.store.plans import (
    DRAFT,
    UIDS_A_PLAN,
    LoggedEdit,
    Plan,
    append_edits,
    count_edits,
    read_edits,
    read_plan,
)

UNDO, REDO = "undo", "redo"
_UID = "next_uid"  # where a line says which uid its first new grid takes
_KEPT = 4
Reader = Callable[[], AbstractContextManager[Connection]]


@dataclass(kw_only=True, eq=False)
class Workpiece:
    """
    One plan's draft in memory with what each of its grids answers for.

    `base` holds the finest grids that the plan will replace, `begun` all grids before the first
    edit; `seq` is the last line of the log that is in the draft. Whoever works on it holds `lock`.
    """

    plan: Plan
    draft: Draft
    holdings: Holdings
    base: Mapping[int, Grid]
    begun: Mapping[int, Grid]
    seq: int
    lock: threading.RLock
    own_uid: int
    touched: dict[int, int]  # uid -> the last line that touched it

    def apply(self, edit: Mapping[str, Any]) -> Change:
        """Apply one line of the log, undo and redo included; the holdings follow."""
        plain = dict(edit)
        uid = plain.pop(_UID, None)
        change = self._run(plain, uid)
        self.holdings.follow(self.draft, change)
        self.seq += 1
        for one in change.uids:
            self.touched[one] = self.seq
        last = self.plan.first_uid + UIDS_A_PLAN
        mine = [one for one in change.made if self.plan.first_uid <= one < last]
        self.own_uid = max([self.own_uid, *(one + 1 for one in mine)])
        return change

    def weigh(self, weights: Mapping[str, float]) -> Blocks | None:
        """
        Return the blocks with loads by some weights, None for those that the plan was opened with.

        Raises BadSetting for weights that are none, BadGrid without blocks.
        """
        if self.draft.blocks is None:
            raise BadGrid(Fault(key="redraw_no_blocks"))
        weighing = {name: weight for name, weight in weights.items() if weight != 0}
        if weighing == USUAL_WEIGHTS:
            return None
        loads, band = self._counts.weigh(weighing)
        return replace(self.draft.blocks, loads=loads, band=band)

    @cached_property
    def _counts(self) -> BlockCounts:
        assert self.draft.blocks is not None
        return count_blocks(self.draft.blocks.shapes, self.holdings.survey.points)

    def differing(self) -> frozenset[int]:
        """Return the uids of grids that are not as before the first edit, or gone."""
        now = {**self.draft.grids, **self.draft.outer}
        known = set(self.touched)
        return frozenset(uid for uid in known if now.get(uid) is not self.begun.get(uid))

    def _run(self, plain: dict[str, Any], uid: int | None) -> Change:
        op = plain.get("op")
        if op in (UNDO, REDO):
            return self.draft.undo() if op == UNDO else self.draft.redo()
        if uid is not None:
            self.draft.next_uid = uid
        return apply_edit(self.draft, plain)

    def line_of(self, edit: Mapping[str, Any]) -> dict[str, Any]:
        """Return the line that the log keeps of an edit: it says which uid its new grids take."""
        if edit.get("op") in (UNDO, REDO):
            return dict(edit)
        if self.own_uid >= self.plan.first_uid + UIDS_A_PLAN:
            raise BadGrid(Fault(key="plan_uids_spent", values={"most": UIDS_A_PLAN}))
        plain = {name: value for name, value in edit.items() if name != _UID}
        if plain.get("op") in TIDIED:  # lines of before stay as they were, and draw the same
            plain = {"tidy": True, **plain}
        return {**parse_edit(plain), _UID: edit.get(_UID, self.own_uid)}


class Workshop:
    """
    Hands out the drafts of a city's plans; the last few stay in memory.

    Any number of threads and processes may work on one plan: the log in the store rules, and each
    draft is brought on by the lines that others have written.
    """

    def __init__(self, city: City) -> None:
        self.city = city
        self.points = PointsKeeper(city)
        self._kept: OrderedDict[int, Workpiece] = OrderedDict()
        self._lock = threading.Lock()

    def open(self, number: int, *, now: int) -> Workpiece:
        """Return a plan's draft as its log stands now. Raises NotFound."""
        with self._hold(number, self.city.database.read, now=now) as piece:
            return piece

    def draw_as_of(self, number: int, seq: int, *, now: int) -> Workpiece:
        """Return a plan's draft as it was after a line of its log, drawn anew. Raises NotFound."""
        with self.city.database.read() as connection:
            piece = self._draw(connection, find_plan(connection, number), now=now)
            for line in read_edits(connection, number)[:seq]:
                piece.apply(line.edit)
        return piece

    @contextmanager
    def _hold(self, number: int, read: Reader, *, now: int) -> Iterator[Workpiece]:
        """Yield a plan's draft as its log stands, locked. Raises NotFound."""
        while True:
            with self._lock:
                piece = self._kept.get(number) or self._make(number, now=now)
            with piece.lock:
                # Only inside the lock: what another has just drawn may have been refused.
                if self._bring_on(number, piece, read):
                    yield piece
                    return

    def _bring_on(self, number: int, piece: Workpiece, read: Reader) -> bool:
        """Bring a locked draft to the end of its log; False where it is to be made anew."""
        with read() as connection:
            plan = find_plan(connection, number)
            with self._lock:
                if self._kept.get(number) is not piece:
                    return False
                if (piece.plan.base, piece.plan.start) != (plan.base, plan.start):
                    del self._kept[number]
                    return False
                self._kept.move_to_end(number)
            piece.plan = plan
            for line in read_edits(connection, number, after=piece.seq):
                piece.apply(line.edit)
        return True

    def edit(
        self,
        number: int,
        edits: Sequence[Mapping[str, Any]],
        *,
        scope: Scope,
        seen: int | None = None,
        now: int,
    ) -> tuple[Workpiece, list[Change]]:
        """
        Apply edits to a plan and append them to its log, all or none; return what each changed.

        `seen` is the last line that the account knew: an edit of a grid that another account has
        touched since is refused (Overtaken), and so is an undo of a line it has not seen. Raises
        NotFound, NotAllowed for grids outside the scope, BadGrid for what the drawing refuses.
        """
        with (
            self.city.database.series() as series,
            self._hold(number, series.read, now=now) as piece,
        ):
            begun, done = piece.seq, []
            known = begun if seen is None else seen
            lines: list[tuple[dict[str, Any], tuple[int, ...]]] = []
            kept = False
            try:
                check_open(piece.plan)
                for edit in edits:
                    before = dict(piece.touched)
                    line = piece.line_of(edit)
                    try:
                        change = piece.apply(line)
                    except BadGrid:  # perhaps because another changed the ground it was drawn on
                        _check_ground(_named(edit), before, seen=known, last=begun)
                        raise
                    done.append(change)
                    lines.append((line, change.uids))
                    _check_seen(edit, change, before, seen=known, last=begun)
                    _check_scope(scope, piece, change)
                self._append(series, piece, lines, begun=begun, scope=scope, now=now)
                kept = True
            finally:
                if not kept and done:  # a refused edit changes nothing, those before it did
                    self._forget(number)
        return piece, done

    def _append(
        self,
        series: Series,
        piece: Workpiece,
        lines: Sequence[tuple[Mapping[str, Any], Sequence[int]]],
        *,
        begun: int,
        scope: Scope,
        now: int,
    ) -> None:
        number = piece.plan.plan
        with series.transaction() as connection:
            check_open(find_plan(connection, number))
            if count_edits(connection, number) != begun:
                raise Overtaken(Fault(key="plan_overtaken"))
            append_edits(connection, number, lines, account=scope.account, at=now)
            write_entry(
                connection,
                account=scope,
                act="plan.edit",
                target=str(number),
                n=len(lines),
                at=now,
                detail={"ops": sorted({str(line["op"]) for line, _ in lines})},
            )

    def _forget(self, number: int) -> None:
        with self._lock:
            self._kept.pop(number, None)

    def _make(self, number: int, *, now: int) -> Workpiece:
        """Return a plan's draft before its first edit, and keep it; the last few are kept."""
        with self.city.database.read() as connection:
            piece = self._draw(connection, find_plan(connection, number), now=now)
        self._kept[number] = piece
        while len(self._kept) > _KEPT:
            self._kept.popitem(last=False)
        return piece

    def _draw(self, connection: Connection, plan: Plan, *, now: int) -> Workpiece:
        base = read_drawn(connection, self.city, plan.base)
        start = base if plan.start == plan.base else read_drawn(connection, self.city, plan.start)
        ground = read_plan_ground(connection, plan.plan)
        blocks: Blocks | None = None
        if len(ground.blocks):
            blocks = make_blocks(ground.blocks, ground.loads, ground.band)
        draft = open_draft(
            start.system.grids, next_uid=plan.first_uid, blocks=blocks, roads=ground.roads
        )
        whole = draft if start is base else open_draft(base.system.grids)
        points = self.points.current(connection, base, now=now)
        survey = survey_points(points, start, near_m=self.city.settings.near_m)
        return Workpiece(
            plan=plan,
            draft=draft,
            holdings=Holdings(survey),
            base=dict(whole.grids),
            begun={**draft.grids, **draft.outer},
            seq=0,
            lock=threading.RLock(),
            own_uid=plan.first_uid,
            touched={},
        )


def find_plan(connection: Connection, number: int) -> Plan:
    """Return a plan. Raises NotFound."""
    plan = read_plan(connection, number)
    if plan is None:
        raise NotFound(Fault(key="plan_unknown", values={"plan": number}))
    return plan


def read_drawn(connection: Connection, city: City, drawing: int) -> Drawn:
    """Return any drawing with its ownership index: in force, scheduled or a draft from a file."""
    for drawn in city.drawings.timeline(connection):
        if drawn.system.drawing == drawing:
            return drawn
    for row in load_drawings(connection):
        if row["drawing"] == drawing:
            return index_drawing(
                GridSystem(
                    system=row["system"],
                    drawing=drawing,
                    valid_from=row["valid_from"],
                    valid_to=row["valid_to"],
                    grids=read_grids(connection, drawing, crs=city.crs_text),
                )
            )
    raise NotFound(Fault(key="drawing_unknown", values={"drawing": drawing}))


def standing_lines(lines: Sequence[LoggedEdit]) -> list[LoggedEdit]:
    """Return the edits of a log that stand: what was undone and not done again is left out."""
    done: list[LoggedEdit] = []
    undone: list[LoggedEdit] = []
    for line in lines:
        op = line.edit.get("op")
        if op == UNDO:
            undone.append(done.pop())
        elif op == REDO:
            done.append(undone.pop())
        else:
            done.append(line)
            undone.clear()
    return done


def check_open(plan: Plan) -> None:
    """Raise NotAllowed for a plan that nobody may draw on."""
    if plan.state != DRAFT:
        raise NotAllowed(Fault(key="plan_closed", values={"state": plan.state}))


def _check_seen(
    edit: Mapping[str, Any],
    change: Change,
    before: Mapping[int, int],
    *,
    seen: int,
    last: int,
) -> None:
    """Raise Overtaken where the edit touches what another line changed since `seen`."""
    if edit.get("op") in (UNDO, REDO):
        if seen < last:
            raise Overtaken(Fault(key="plan_overtaken"))
        return
    _check_ground(change.uids, before, seen=seen, last=last)


def _check_ground(uids: Iterable[int], before: Mapping[int, int], *, seen: int, last: int) -> None:
    late = [uid for uid in uids if seen < before.get(uid, 0) <= last]
    if late:
        raise Overtaken(Fault(key="plan_grid_overtaken", values={"n": len(late)}))


def _named(edit: Mapping[str, Any]) -> list[int]:
    """Return the grids that an edit names, whatever it asks of them."""
    named = edit.get("grids") if isinstance(edit.get("grids"), list) else [edit.get("grid")]
    return [uid for uid in named or () if isinstance(uid, int)]


def _check_scope(scope: Scope, piece: Workpiece, change: Change) -> None:
    """Raise NotAllowed for a grid of the city that is not the account's."""
    outside = [uid for uid in change.uids if uid in piece.base and not scope.allows(uid)]
    if outside or (not scope.everything and any(uid in piece.draft.outer for uid in change.uids)):
        raise NotAllowed(Fault(key="plan_outside"))
