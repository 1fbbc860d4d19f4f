"""Faces without one owner: overlaps settled, gaps filled, crumbs given away."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import coo_array
from scipy.sparse.csgraph import connected_components

from geodata.coverage.edges import Floats, Ints
from geodata.coverage.faces import Faces, sum_by, unique_pairs
from geodata.coverage.findings import OverlapFindings

# Borders this much shorter than the longest still count as equal: then one grid's line stands.
ABOUT_EQUAL = 0.8
UNOWNED = -1


def resolve_overlaps(
    faces: Faces, special: NDArray[np.bool_], overlaps: tuple[OverlapFindings, NDArray[np.bool_]]
) -> tuple[Ints, tuple[Ints, Ints]]:
    """
    Return the owner of each face (-1 for none) and pairs face, grid of further claims that stay.

    Grids stand in code order, so the smallest number is the smallest code. A special grid takes
    its face from all general ones. `overlaps` are the findings and a mask of the pairs that may
    not be settled: all who claim such a face keep it.
    """
    found, left = overlaps
    has_special = np.zeros(len(faces.polygons), dtype=bool)
    has_special[faces.cover_face[special[faces.cover_grid]]] = True
    entitled = special[faces.cover_grid] | ~has_special[faces.cover_face]
    face, grid = faces.cover_face[entitled], faces.cover_grid[entitled]
    owner = np.full(len(faces.polygons), UNOWNED, dtype=np.int64)
    owner[face[::-1]] = grid[::-1]
    size = len(special)
    claims = face * size + grid
    stays = np.flatnonzero(left[found.pair])
    first = found.face[stays] * size + found.first[found.pair[stays]]
    second = found.face[stays] * size + found.second[found.pair[stays]]
    both = np.isin(first, claims) & np.isin(second, claims)
    kept = np.unique(np.concatenate([first[both], second[both]]))
    kept_face, kept_grid = kept // size, kept % size
    further = owner[kept_face] != kept_grid
    return owner, (kept_face[further], kept_grid[further])


def fill_gaps(faces: Faces, owner: Ints, wanted: Ints) -> Ints:
    """
    Give each wanted face to the grid with the longest border on it; returns those given.

    Changes `owner`. Of borders about equally long the larger code's grid takes the face. Faces
    without a neighbour yet wait until their neighbours have an owner.
    """
    waiting = np.zeros(len(owner), dtype=bool)
    waiting[wanted] = True
    a = np.concatenate([faces.side_a, faces.side_b])
    b = np.concatenate([faces.side_b, faces.side_a])
    length = np.concatenate([faces.side_length, faces.side_length])
    inside = (a >= 0) & (b >= 0)
    a, b, length = a[inside], b[inside], length[inside]
    given: list[Ints] = []
    while waiting.any():
        usable = waiting[a] & (owner[b] != UNOWNED)
        if not usable.any():
            break
        face, best = _longest_border(a[usable], owner[b[usable]], length[usable])
        owner[face] = best
        waiting[face] = False
        given.append(face)
    return np.concatenate(given) if given else np.empty(0, dtype=np.int64)


def drop_crumbs(faces: Faces, owner: Ints, shared: tuple[Ints, Ints], *, limit: float) -> Floats:
    """
    Give cut-off parts of grids, up to `limit` in area, to a neighbour; returns their areas.

    Changes `owner`. The largest part of a grid always stays, as do parts without a neighbour and
    faces whose claim is disputed.
    """
    held = owner != UNOWNED
    joined = (faces.side_b >= 0) & (owner[faces.side_a] == owner[faces.side_b])
    joined &= held[faces.side_a]
    a, b = faces.side_a[joined], faces.side_b[joined]
    links = coo_array((np.ones(len(a)), (a, b)), shape=(len(owner), len(owner)))
    count, part = connected_components(links, directed=False)
    area = sum_by(part, faces.area, count)
    part_owner = np.full(count, UNOWNED, dtype=np.int64)
    part_owner[part] = owner
    by_size = np.lexsort((-area, part_owner))
    first = np.ones(count, dtype=bool)
    first[1:] = part_owner[by_size][1:] != part_owner[by_size][:-1]
    small = (area <= limit) & (part_owner != UNOWNED)
    small[by_size[first]] = False
    disputed = np.zeros(count, dtype=bool)
    disputed[part[shared[0]]] = True
    crumb_faces = np.flatnonzero((small & ~disputed)[part])
    before = owner[crumb_faces].copy()
    owner[crumb_faces] = UNOWNED
    fill_gaps(faces, owner, crumb_faces)
    kept = owner[crumb_faces] == UNOWNED
    owner[crumb_faces[kept]] = before[kept]
    given: Floats = area[np.unique(part[crumb_faces[~kept]])]
    return given


def _longest_border(face: Ints, owner: Ints, length: Floats) -> tuple[Ints, Ints]:
    size = int(owner.max()) + 1
    pair_face, pair_owner = unique_pairs(face, owner)
    at = np.searchsorted(pair_face * size + pair_owner, face * size + owner)
    border = sum_by(at, length, len(pair_face))
    faces, group = np.unique(pair_face, return_inverse=True)
    longest = np.zeros(len(faces))
    np.maximum.at(longest, group, border)
    close = border >= ABOUT_EQUAL * longest[group]
    best = np.full(len(faces), UNOWNED, dtype=np.int64)
    np.maximum.at(best, group[close], pair_owner[close])
    return faces, best
