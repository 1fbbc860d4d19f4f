"""Events ready to append, as columns: whole numbers in arrays, each distinct text once."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import NDArray

NO_TEXT = -1
NO_PLACE = np.iinfo(np.int64).min


@dataclass(frozen=True, slots=True, kw_only=True)
class Texts:
    """A column of texts: row i holds `texts[code[i]]`, or none where the code is NO_TEXT."""

    texts: list[str]
    code: NDArray[np.int64]

    def __len__(self) -> int:
        return len(self.code)

    def used(self, part: NDArray[np.int64]) -> tuple[NDArray[np.int64], list[str]]:
        """Return the codes that these rows use, ascending, and their texts."""
        codes = np.unique(self.code[part])
        codes = codes[codes != NO_TEXT]
        return codes, [self.texts[code] for code in codes.tolist()]

    def cells(self, part: NDArray[np.int64]) -> list[str | None]:
        """Return the texts of these rows, None for none."""
        texts = self.texts
        return [texts[code] if code != NO_TEXT else None for code in self.code[part].tolist()]


def code_texts(cells: Iterable[str | None], *, ordered: bool = False) -> Texts:
    """
    Return a column of texts, "" and None meaning none; each distinct text is kept once.

    With `ordered` the codes follow the order of the texts.
    """
    column = np.array([cell or None for cell in cells], object)
    codes, texts = pd.factorize(column, sort=ordered)
    return Texts(texts=texts.tolist(), code=codes.astype(np.int64))


@dataclass(frozen=True, slots=True, kw_only=True)
class EventRows:
    """
    Events ready to append; times UTC seconds (0 for none), places whole millimetres or NO_PLACE.

    `ids` has a text in every row. `attributes` is canonical JSON; `hash` identifies the payload
    (contracts.md 4). A row without place, kind and attributes carries no payload.
    """

    source: str
    ids: Texts
    seq: NDArray[np.int64]
    at: NDArray[np.int64]
    hash: NDArray[np.int64]
    stage: NDArray[np.int64]
    version: NDArray[np.int64]
    due: NDArray[np.int64]
    body: Texts
    reason: Texts
    x: NDArray[np.int64]
    y: NDArray[np.int64]
    kind: Texts
    attributes: Texts

    def __len__(self) -> int:
        return len(self.seq)

    def has_payload_in(self, part: NDArray[np.int64]) -> NDArray[np.bool_]:
        """Return which of these rows say more than what happened when."""
        found: NDArray[np.bool_] = self.x[part] != NO_PLACE
        for texts in (self.kind, self.attributes):
            found |= texts.code[part] != NO_TEXT
        return found
