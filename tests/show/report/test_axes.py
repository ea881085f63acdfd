"""The section on axes: what can be compared, and what it says of it."""

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

import upturn
from upturn.show.report import axes


@pytest.fixture(scope="module")
def made(drawn):
    return upturn.report(drawn, shapes="none")


def test_evidence_is_that_of_the_curves_with_the_same_points_on_every_axis(made, drawn):
    found = axes.shared(made)
    summary = drawn.summary()
    assert [axis.name for axis in found.axes] == ["flops", "params", "perplexity"]
    for axis, index, evidence in zip(found.axes, found.index, found.log_evidence, strict=True):
        rows = summary[summary["axis"] == axis.name]
        assert sorted(evidence) == pytest.approx(sorted(rows["log_evidence"]))
        assert {drawn.curves.axes[i].name for i in index} == {axis.name}
    tasks = [[drawn.curves.labels["task"][i] for i in index] for index in found.index]
    assert tasks[0] == tasks[1] == tasks[2]


def small(*axis, without=None):
    """A report on two tasks of five models, of which one may lack its size."""
    flops = [1e20, 1e21, 1e22, 1e23, 1e24]
    rows = [
        {"task": task, "model": f"m{i}", "score": 0.1 * i, "trials": 100, "flops": value,
         "params": None if (task, i) == without else value**0.4 * (3 if i % 2 else 1)}
        for task in "ab"
        for i, value in enumerate(flops)
    ]  # fmt: skip
    fit = upturn.fit(pd.DataFrame(rows), axis=list(axis), model="flat", draws=40, threads=1)
    return upturn.report(fit, shapes="none")


def test_a_curve_with_other_points_on_an_axis_is_left_out():
    assert axes.shared(small("flops", "params")).index.shape == (2, 2)
    assert axes.shared(small("flops", "params", without=("b", 3))).index.shape == (2, 1)


def test_one_axis_is_compared_with_nothing():
    report = small("flops")
    assert axes.shared(report) is None
    assert "log evidence" not in axes.axes_table(report)


def test_differences_have_the_error_of_a_sum_over_curves(made):
    evidence = np.array([[-10.0, -20.0, -30.0], [-11.0, -23.0, -32.0]])
    found = replace(
        axes.shared(made),
        axes=made.fit.curves.axes[:1] + made.fit.curves.axes[-1:],
        log_evidence=evidence,
        error=np.zeros((2, 3)),
    )
    gap, error = found.behind(1)
    assert (found.best, gap) == (0, 6.0)
    assert error == pytest.approx(np.sqrt(3) * np.std([1.0, 3.0, 2.0], ddof=1))
    assert found.behind(0) == (0.0, 0.0)


def test_the_page_says_how_far_order_can_tell(made):
    assert made.html().count("is the same axis in another unit") == 2
    assert "(rank correlation" in axes.axes_note(small("flops", "params"))
