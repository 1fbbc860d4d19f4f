"""Promise: no suppressed count can be told from any differences of what is printed."""

from __future__ import annotations

import itertools
from collections import defaultdict

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.optimize import linprog

from geodata.access.suppression import Bounds, Span, band_counts, bound_parts, bound_tree

# Trees as the place of each node's parent.
TREES = {
    "a parent of two": (-1, 0, 0),
    "a parent of three": (-1, 0, 0, 0),
    "an only child": (-1, 0, 1, 1),
    "two and three": (-1, 0, 0, 1, 1, 2, 2, 2),
    "a leaf beside a branch": (-1, 0, 0, 1, 1),
    "a chain": (-1, 0, 1, 2, 3),
}


def leaves_of(parents: tuple[int, ...]) -> list[int]:
    return [node for node in range(len(parents)) if node not in parents]


def totals_of(parents: tuple[int, ...], counts: np.ndarray) -> np.ndarray:
    total = counts.copy()
    for node in reversed(range(len(parents))):
        if parents[node] >= 0:
            total[parents[node]] += total[node]
    return total


def draw_tree(draw: st.DrawFn) -> tuple[tuple[int, ...], np.ndarray]:
    parents = [-1]
    for node in range(1, draw(st.integers(2, 11))):
        parents.append(draw(st.integers(0, node - 1)))
    counts = np.zeros((len(parents), 1), np.int64)
    for leaf in leaves_of(tuple(parents)):
        counts[leaf] = draw(st.sampled_from([0, 0, 0, 1, 1, 2, 2, 3, 4, 5, 6, 8, 14, 60]))
    return tuple(parents), counts


trees = st.composite(draw_tree)()


def possible(
    parents: tuple[int, ...], bounds: Bounds, node: int, parts: Bounds | None = None, rest: int = 0
) -> tuple[int, int]:
    """
    Return the least and the most that a node (or, after the nodes, a part) can be.

    Solves for it over everything printed: each node's bounds, that a parent is the sum of its
    children, and that the top is the sum of its parts, one of which is only known not to be less
    than nothing.
    """
    nodes, more = len(parents), 0 if parts is None else len(parts.low)
    limits = [(int(bounds.low[n, 0]), int(bounds.high[n, 0])) for n in range(nodes)]
    if parts is not None:
        limits += [(int(parts.low[p, 0]), int(parts.high[p, 0])) for p in range(more)]
        limits[nodes + rest] = (0, 10**6)
    sums = []
    for parent in set(parents) - {-1}:
        row = np.zeros(nodes + more)
        row[parent] = -1
        row[[node for node in range(nodes) if parents[node] == parent]] = 1
        sums.append(row)
    if more:
        row = np.zeros(nodes + more)
        row[0], row[nodes:] = -1, 1
        sums.append(row)
    found = []
    for sign in (1, -1):
        wanted = np.zeros(nodes + more)
        wanted[node] = sign
        solved = linprog(wanted, A_eq=np.array(sums), b_eq=np.zeros(len(sums)), bounds=limits)
        assert solved.success
        found.append(round(sign * solved.fun))
    return found[0], found[1]


@settings(max_examples=120, deadline=None)
@given(trees, st.integers(2, 5))
def test_every_value_a_node_prints_is_possible_whatever_the_others_print(tree, below):
    parents, counts = tree
    bounds = bound_tree(counts, np.array(parents), below=below)
    total = totals_of(parents, counts)
    for node in range(len(parents)):
        low, high = possible(parents, bounds, node)
        assert (low, high) == (bounds.low[node, 0], bounds.high[node, 0])
        assert low <= total[node, 0] <= high
        assert high - low >= below - 1, "as many values as are hidden"


@settings(max_examples=120, deadline=None)
@given(trees, st.lists(st.integers(0, 9), min_size=2, max_size=6), st.integers(2, 4))
def test_parts_of_another_kind_tell_nothing_of_the_tree_nor_of_each_other(tree, shares, below):
    parents, counts = tree
    total = int(totals_of(parents, counts)[0, 0])
    parts = np.zeros((len(shares), 1), np.int64)
    left = total
    for place, share in enumerate(shares[:-1]):
        parts[place] = min(share, left)
        left -= int(parts[place, 0])
    parts[-1] = left
    rest = len(shares) // 2
    bounds = bound_tree(counts, np.array(parents), below=below)
    whole = Bounds(low=bounds.low[0], high=bounds.high[0])
    told = bound_parts(parts, whole, rest=np.array([rest]), below=below)
    for node in range(len(parents)):
        low, high = possible(parents, bounds, node, told, rest)
        assert high - low >= below - 1
        assert (low, high) == (bounds.low[node, 0], bounds.high[node, 0])
    for part in range(len(shares)):
        low, high = possible(parents, bounds, len(parents) + part, told, rest)
        assert high - low >= below - 1
        assert low <= parts[part, 0] <= high
        assert told.low[part, 0] <= parts[part, 0] <= told.high[part, 0]


@pytest.mark.parametrize("name", TREES)
def test_whoever_knows_the_rule_and_tries_all_tables_learns_no_more(name):
    """Of all tables that print the same, each leaf takes every value of its band in some."""
    parents, below, most = TREES[name], 3, 5
    leaves = leaves_of(parents)
    seen: dict[bytes, list[set[int]]] = defaultdict(lambda: [set() for _ in parents])
    printed: dict[bytes, Bounds] = {}
    tables = np.array(list(itertools.product(range(most + 1), repeat=len(leaves))), np.int64)
    counts = np.zeros((len(parents), len(tables)), np.int64)
    counts[leaves] = tables.T
    bounds = bound_tree(counts, np.array(parents), below=below)
    total = totals_of(parents, counts)
    for cell in range(len(tables)):
        one = Bounds(low=bounds.low[:, cell], high=bounds.high[:, cell])
        key = one.low.tobytes() + one.high.tobytes()
        printed[key] = one
        for node in range(len(parents)):
            seen[key][node].add(int(total[node, cell]))
    assert len(printed) > 1
    for key, one in printed.items():
        for node, values in enumerate(seen[key]):
            assert values == set(range(one.low[node], one.high[node] + 1)), (name, one)


def test_whoever_knows_the_rule_of_parts_learns_no_more():
    """Two grids by three categories: all 4^6 tables, those that print the same taken together."""
    below, rest = 3, np.array([2])
    tables = np.array(list(itertools.product(range(4), repeat=6)), np.int64).reshape(-1, 2, 3)
    by_grid, by_category = tables.sum(axis=2).T, tables.sum(axis=1).T
    counts = np.vstack([np.zeros((1, len(tables)), np.int64), by_grid])
    bounds = bound_tree(counts, np.array([-1, 0, 0]), below=below)
    whole = Bounds(low=bounds.low[0], high=bounds.high[0])
    told = bound_parts(by_category, whole, rest=np.repeat(rest, len(tables)), below=below)
    seen: dict[bytes, list[set[int]]] = defaultdict(lambda: [set() for _ in range(5)])
    for cell in range(len(tables)):
        columns = (bounds.low, bounds.high, told.low, told.high)
        key = b"".join(np.ascontiguousarray(column[:, cell]).tobytes() for column in columns)
        for place, count in enumerate([*by_grid[:, cell], *by_category[:, cell]]):
            seen[key][place].add(int(count))
    for values in seen.values():
        for found in values:
            if min(found) < below and max(found) < 3:  # above, the table's own end cuts it off
                assert set(range(below)) <= found


@settings(max_examples=80)
@given(trees, st.integers(2, 6), st.integers(0, 3))
def test_two_filters_that_differ_by_a_few_incidents_do_not_tell_how_many(tree, below, few):
    """A longer period is the sum of shorter ones' bounds: the difference is what is between."""
    parents, counts = tree
    between = np.zeros_like(counts)
    between[leaves_of(parents)[0]] = few
    cells = np.hstack([counts, between])
    bounds = bound_tree(cells, np.array(parents), below=below)
    for node in range(len(parents)):
        short, long = bounds.span((node, [0])), bounds.span((node, [0, 1]))
        told = (max(long.low - short.high, 0), long.high - short.low)
        assert told[1] - told[0] >= below - 1
        assert told[0] <= totals_of(parents, between)[node, 0] <= told[1]


@given(trees, st.sampled_from([0, 1]))
def test_where_nothing_is_to_be_hidden_counts_are_exact(tree, below):
    parents, counts = tree
    bounds = bound_tree(counts, np.array(parents), below=below)
    assert (bounds.low == totals_of(parents, counts)).all()
    assert (bounds.high == bounds.low).all()


def test_bands_of_three_are_those_of_the_contract():
    bands = band_counts(np.array([0, 1, 2, 3, 5, 6, 12, 14]), below=3)
    assert bands.low.tolist() == [0, 0, 0, 3, 3, 6, 12, 12]
    assert bands.high.tolist() == [2, 2, 2, 5, 5, 8, 14, 14]


def test_three_small_counts_do_not_tell_themselves_by_their_sum():
    """Each at its most: bands of their own would print 6-8 for the sum, and so 2, 2 and 2."""
    counts = np.array([[0], [2], [2], [2]])
    bounds = bound_tree(counts, np.array([-1, 0, 0, 0]), below=3)
    assert (bounds.low[0, 0], bounds.high[0, 0]) == (3, 6)


def test_spans_add_up():
    assert Span(low=0, high=2) + Span(low=3, high=5) == Span(low=3, high=7)
    assert Span(low=0, high=2) + 10 == Span(low=10, high=12)
    assert 11 in Span(low=10, high=12)
    assert Span(low=4, high=4).exact
