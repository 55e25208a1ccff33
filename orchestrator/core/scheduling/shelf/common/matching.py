"""Min-cost assignment of rows to columns.

Source: Kuhn, The Hungarian method for the assignment problem, Naval Research Logistics Quarterly
2, 1955, with potentials and shortest augmenting paths (Jonker, Volgenant, A shortest augmenting
path algorithm for dense and sparse linear assignment problems, Computing 38, 1987).
"""

from collections.abc import Sequence
from math import inf


def assign(cost: Sequence[Sequence[float]]) -> list[int]:
    """Return a column for each row, no two the same, so that the sum is least.

    Costs are finite, and there are at least as many columns as rows. O(rows^2 * columns).
    """
    columns = len(cost[0]) if cost else 0
    paid_row, paid_column = [0.0] * len(cost), [0.0] * columns
    owner = [-1] * columns
    for first in range(len(cost)):
        slack, came = [inf] * columns, [-1] * columns
        done: list[int] = []
        row, column = first, -1
        while True:
            open_columns = [each for each in range(columns) if each not in done]
            for each in open_columns:
                left = cost[row][each] - paid_row[row] - paid_column[each]
                if left < slack[each]:
                    slack[each], came[each] = left, column
            nearest = min(open_columns, key=slack.__getitem__)
            step = slack[nearest]
            paid_row[first] += step
            for each in done:
                paid_row[owner[each]] += step
                paid_column[each] -= step
            for each in open_columns:
                slack[each] -= step
            column = nearest
            done.append(column)
            row = owner[column]
            if row < 0:
                break
        while column >= 0:
            before = came[column]
            owner[column] = owner[before] if before >= 0 else first
            column = before
    return sorted(range(columns), key=lambda each: (owner[each] < 0, owner[each]))[: len(cost)]
