"""Rows into padded arrays."""

import numpy as np

from upturn.tables.cells import objects
from upturn.tables.packing import Packing, within


def test_rows_are_packed_by_curve():
    pack = Packing.of(np.array([0, 0, 1, 2, 2]))
    assert pack.shape == (3, 2)
    assert pack.points.tolist() == [2, 1, 2]
    assert pack.floats(np.array([1.0, 2, 3, 4, 5])).tolist() == [[1, 2], [3, 0], [4, 5]]
    assert pack.floats(np.ones((2, 5))).shape == (2, 3, 2)
    assert pack.codes(np.array([0, 1, 2, 3, 4])).tolist() == [[0, 1], [2, -1], [3, 4]]
    assert pack.texts(objects(list("abcde"))).tolist() == [["a", "b"], ["c", ""], ["d", "e"]]


def test_codes_are_numbered_within_each_curve():
    curve = np.array([0, 0, 0, 1, 1, 1])
    assert within(curve, np.array([7, -1, 3, 7, 7, 9])).tolist() == [1, -1, 0, 0, 0, 1]
    assert within(curve, np.full(6, -1)).tolist() == [-1] * 6
