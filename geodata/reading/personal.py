"""Columns about persons, found by their names and their cells: they are dropped."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass

import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc

from geodata.notes import Note
from geodata.reading.personal_cells import (
    IN_TEXT,
    WHOLE_CELL,
    are_names,
    are_somebodys,
    count_personal,
    count_traits,
    is_identity_number,
)
from geodata.reading.personal_headers import (
    means_body,
    means_contact,
    means_device,
    means_name,
    means_personal,
    means_post,
    means_someone,
    plain_header,
)

__all__ = ["PersonalColumn", "drop_personal", "find_personal", "is_identity_number"]

# From these shares of its filled cells on a column is about persons; below, it is only noted.
_WHOLE_SHARE, _TEXT_SHARE = 0.2, 0.02
_FEWEST_CELLS = 2
_PROBED_CELLS = 40
# Larger tables are judged by an even sample of this many rows.
_SAMPLE_ROWS = 50_000


@dataclass(frozen=True, slots=True, kw_only=True)
class PersonalColumn:
    """A column that holds personal data, and how that was seen (the key of a sentence)."""

    column: str
    reason: str
    cells: int = 0

    def as_note(self) -> Note:
        """Return the remark for a report."""
        return Note(key=self.reason, field=self.column, values={"count": self.cells})


def drop_personal(
    frame: pd.DataFrame, *, keep: Collection[str] = ()
) -> tuple[pd.DataFrame, list[str], list[Note]]:
    """
    Return the table without its personal columns, their names, and a remark on each.

    `keep` names columns that a person mapped on purpose: their header does not condemn them, their
    cells still do. A further remark names columns that were kept although some cells are suspect.
    """
    found, suspects = find_personal(frame, keep=keep)
    names = [one.column for one in found]
    notes = [one.as_note() for one in (*found, *suspects)]
    return (frame.drop(columns=names) if names else frame), names, notes


def find_personal(
    frame: pd.DataFrame, *, keep: Collection[str] = ()
) -> tuple[list[PersonalColumn], list[PersonalColumn]]:
    """
    Find the personal columns of a table of text, and columns with only a few suspect cells.

    Looks at names of columns and at cells: 18-character identity numbers with a true check digit,
    mobile numbers, number plates, e-mail addresses, alone or inside text; columns of sexes,
    peoples, bank cards, addresses of faces and of radios; names of persons where a column of that
    kind stands beside, and telephones, rooms and passports where names stand beside. Tables of more
    than 50,000 rows are judged by an even sample.
    """
    step = max(-(-len(frame) // _SAMPLE_ROWS), 1)
    cells = {column: _filled_cells(frame[column].iloc[::step]) for column in frame.columns}
    judged = [_judge(column, cells[column], kept=column in keep) for column in frame.columns]
    found = {one.column: one for one in judged if one and one.reason != "personal.some_cells"}
    suspects = [one for one in judged if one and one.column not in found]
    left = [column for column in frame.columns if column not in found and column not in keep]
    if any(map(_is_contact, found.values())):
        for column in left:
            if means_name(plain_header(column)) and are_names(cells[column].to_pylist()):
                found[column] = PersonalColumn(column=column, reason="personal.beside")
    if any(map(_is_someone, found.values())):
        for column in left:
            if not means_body(plain_header(column)) and are_somebodys(cells[column].to_pylist()):
                found[column] = PersonalColumn(column=column, reason="personal.beside")
    return [found[column] for column in frame.columns if column in found], suspects


def _filled_cells(column: pd.Series[str]) -> pa.Array:
    if not pd.api.types.is_string_dtype(column.dtype):
        return pa.array([], pa.string())
    cells = pa.array(column, pa.large_string(), from_pandas=True)
    if isinstance(cells, pa.ChunkedArray):
        cells = cells.combine_chunks()
    return cells.filter(pc.not_equal(cells, ""))


def _judge(column: str, cells: pa.Array, *, kept: bool) -> PersonalColumn | None:
    header = plain_header(column)
    if means_personal(header) and not kept:
        return PersonalColumn(column=column, reason="personal.by_header", cells=len(cells))
    if means_post(header) and are_names(cells.to_pylist()):
        return PersonalColumn(column=column, reason="personal.by_names", cells=len(cells))
    return _judge_cells(column, cells, of_device=means_device(header))


def _judge_cells(column: str, cells: pa.Array, *, of_device: bool) -> PersonalColumn | None:
    traits = _count_traits(cells, of_device=of_device)
    if traits:
        return PersonalColumn(column=column, reason="personal.by_value", cells=traits)
    in_text = int(pc.sum(pc.match_substring_regex(cells, IN_TEXT)).as_py() or 0)
    if not in_text:
        return None
    hits = cells.filter(pc.match_substring_regex(cells, WHOLE_CELL)).to_pylist()
    whole = count_personal(hits)
    # What has the form of a whole cell and turned out to be a code does not count inside text.
    in_text -= len(hits) - whole
    if _is_many(whole, len(cells), _WHOLE_SHARE):
        return PersonalColumn(column=column, reason="personal.by_value", cells=whole)
    if _is_many(in_text, len(cells), _TEXT_SHARE):
        return PersonalColumn(column=column, reason="personal.by_text", cells=in_text)
    if in_text:
        return PersonalColumn(column=column, reason="personal.some_cells", cells=in_text)
    return None


def _count_traits(cells: pa.Array, *, of_device: bool) -> int:
    # Nearly all cells must be of the kind: a few tell whether the rest is worth looking at.
    step = max(len(cells) // _PROBED_CELLS, 1)
    if not count_traits(
        cells.take(pa.array(range(0, len(cells), step), pa.int64())).to_pylist(),
        of_device=of_device,
    ):
        return 0
    return count_traits(cells.to_pylist(), of_device=of_device)


def _is_many(count: int, filled: int, share: float) -> bool:
    return count >= min(_FEWEST_CELLS, filled) and count >= share * filled and count > 0


def _is_contact(found: PersonalColumn) -> bool:
    return found.reason == "personal.by_value" or means_contact(plain_header(found.column))


def _is_someone(found: PersonalColumn) -> bool:
    named = found.reason in {"personal.by_names", "personal.beside"}
    return named or means_someone(plain_header(found.column))
