"""Columns of cells for the rules to check."""

import re

import numpy as np
import pytest

from upturn.checks.errors import DataError
from upturn.tables import cells as cells_module
from upturn.tables.cells import Cells


def cells(*values, column="score", rows=None, positions=False):
    numbers = np.arange(2, 2 + len(values)) if rows is None else np.array(rows)
    return Cells("t.csv", column, cells_module.objects(values), numbers, positions)


def floats(*values):
    return np.array(values, dtype=np.float64)


def refusal(text):
    return pytest.raises(DataError, match=f"^{re.escape(text)}$")
