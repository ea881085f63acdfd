"""Comparisons as text: differences with errors, scales beyond the axis, shares."""

import numpy as np
import pandas as pd
import pytest

from upturn.show.text import comparison
from upturn.tables.axis import Axis


def test_shares_are_whole_percents():
    values = pd.Series([0.331, 0.001, 0.0, np.nan, 1.0])
    assert comparison._shares(values) == ["33 %", "< 1 %", "0 %", "", "100 %"]


def test_differences_have_errors_but_not_to_itself():
    rows = pd.DataFrame({"elpd_diff": [0.0, -3.21, -2.5], "elpd_diff_se": [0.0, 1.4, np.nan]})
    assert comparison._differences(rows, "elpd") == ["", "-3.21 ± 1.40", "-2.50"]


@pytest.mark.parametrize(
    ("axis", "value", "text"),
    [
        ("flops", 2.3e22, "2.3e22"),
        ("flops", np.inf, "> 1.0e24"),
        ("flops", 0.0, "< 1.0e20"),
        ("perplexity", np.inf, "> 20.0"),
        ("perplexity", 3.6, "3.6"),
        ("perplexity", 0.0, "< 3.0"),
    ],
)
def test_a_scale_beyond_the_axis_names_its_end(axis, value, text):
    parsed = Axis.parse(axis)
    ends = {"flops": (1e20, 1e24), "perplexity": (20.0, 3.0)}[axis]
    assert comparison._scale(parsed, value, parsed.coordinate(ends)) == text


def test_outcomes_are_named_by_their_metrics():
    assert comparison._outcome("first only", "acc", "brier") == "acc only"
    assert comparison._outcome("both", "acc", "brier") == "both"
