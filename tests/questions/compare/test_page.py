"""docs/compare.md: what it says of published tables, where that takes little time to check."""

import re
import sys
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

import upturn

ROOT = Path(__file__).parents[3]
if str(ROOT) not in sys.path:  # `python -m pytest` puts it there, `pytest` does not
    sys.path.insert(0, str(ROOT))

from benchmarks.page.compare import formats_as_metrics

PAGE = (ROOT / "docs" / "compare.md").read_text("utf-8")


def test_the_ranks_of_the_page():
    """Rank correlations need no fit: they are read off the tables."""
    from upturn.questions.compare import separability
    from upturn.questions.compare.axes import shared_curves
    from upturn.questions.compare.leave_one_out import canonical_order

    axes = ["flops", "params", "tokens", "perplexity"]
    curves, _ = shared_curves(upturn.read("pythia"), axes, None, None, "auto")
    u = np.take_along_axis(curves.u[0], canonical_order(curves), axis=1).reshape(4, 9, -1)
    found = {
        (p.first, p.second): p.spearman for p in separability.pairs(tuple(axes), u, curves.mask[:9])
    }
    for first, second in (("tokens", "perplexity"), ("flops", "perplexity")):
        beaten = f"perplexity beats {first} by"
        assert beaten in PAGE
        told = PAGE.partition(beaten)[2].partition("rank correlation ")[2][:4]
        assert told == f"{found[first, second]:.2f}"


@pytest.mark.slow
def test_the_worked_example(shared_data):
    """Letters emerge and the bits do not; figures as on the page.

    Within four Monte Carlo errors: p_sharp has one of 0.015, from 1,000 draws.
    """
    both = formats_as_metrics(shared_data)
    assert isinstance(both, pd.DataFrame)
    metrics = ("acc_mc", "bits_per_byte")
    found = upturn.compare_metrics(both, metrics=metrics, learn_prevalence=False)
    assert f"> {found.verdict}\n" in PAGE
    row = found.summary().iloc[0]
    assert row["p_emergent"] == pytest.approx(0.987, abs=0.01)
    assert row["p_emergent_2"] < 0.01
    sharp, scale = re.search(r"\| acc_mc \| 0.99 \| (\S+) \| (\S+) ", PAGE).groups()
    assert row["p_sharp"] == pytest.approx(float(sharp), abs=0.06)
    assert row["scale"] == pytest.approx(float(scale), rel=0.06)
    shift = re.search(r"range (\S+) decades \((\S+) – (\S+)\)", PAGE).groups()
    found_shift = [-row[name] for name in ("shift", "shift_high", "shift_low")]
    np.testing.assert_allclose(found_shift, np.array(shift, float), atol=0.03)
