"""Baselines: values worked out by hand, and what they are of degenerate curves."""

import numpy as np
import pandas as pd
import pytest

from upturn.questions.classify.baselines import (
    baselines,
    breakthroughness,
    discontinuity,
    linearity,
)
from upturn.tables.results import read


def scores(*values):
    return np.array(values, dtype=float)


# ---- linearity and breakthroughness (Srivastava et al. 2022) -------------------------------------


def test_a_straight_line_scores_its_number_of_steps_on_both():
    """I = 4 d over steps of d each."""
    line = scores(0.1, 0.2, 0.3, 0.4, 0.5)
    assert linearity(line) == pytest.approx(4)
    assert breakthroughness(line) == pytest.approx(4)


def test_a_jump_stands_out_in_the_median_only():
    """Steps 0.01, 0.01, 0.5: I = 0.52; mean square 0.2502/3, median square 0.0001."""
    jump = scores(0.10, 0.11, 0.12, 0.62)
    assert linearity(jump) == pytest.approx(0.52 / np.sqrt(0.2502 / 3))
    assert breakthroughness(jump) == pytest.approx(0.52 / 0.01)


def test_an_even_number_of_steps_has_the_mean_of_the_middle_squares_as_median():
    """Steps 0.1, 0.3: the median of 0.01 and 0.09 is 0.05."""
    assert breakthroughness(scores(0, 0.1, 0.4)) == pytest.approx(0.4 / np.sqrt(0.05))


def test_the_sign_is_that_of_the_way_from_the_lowest_to_the_highest():
    """It falls from 0.5 to 0.1 and does not come back: argmax - argmin = 0 - 2."""
    falling = scores(0.5, 0.4, 0.1, 0.2)
    steps = np.array([0.01, 0.09, 0.01])
    assert linearity(falling) == pytest.approx(-0.4 / np.sqrt(steps.mean()))
    assert breakthroughness(falling) == pytest.approx(-0.4 / 0.1)


def test_neither_depends_on_the_units():
    some = scores(0.2, 0.1, 0.35, 0.3, 0.8)
    for heuristic in (linearity, breakthroughness):
        assert heuristic(100 * some - 7) == pytest.approx(heuristic(some))


def test_no_improvement_and_too_little_to_tell():
    for heuristic in (linearity, breakthroughness):
        assert heuristic(scores(0.3, 0.3, 0.3)) == 0
        assert np.isnan(heuristic(scores(0.3)))
        assert np.isnan(heuristic(scores()))
        assert heuristic(scores(0.2, 0.5)) == pytest.approx(1)
        assert heuristic(scores(0.5, 0.2)) == pytest.approx(-1)


def test_one_jump_in_a_constant_curve_is_a_breakthrough_beyond_measure():
    assert breakthroughness(scores(0, 0, 0, 0.5)) == np.inf
    assert breakthroughness(scores(0.5, 0, 0, 0)) == -np.inf
    assert linearity(scores(0, 0, 0, 0.5)) == pytest.approx(np.sqrt(3))


# ---- discontinuity (Chowdhery et al. 2022) -------------------------------------------------------


def test_three_models_as_published():
    """The line through 8B and 62B, projected to 540B in log scale."""
    x = np.log10([8e9, 62e9, 540e9])
    slope = (0.28 - 0.25) / (x[1] - x[0])
    expected = 0.87 - (0.28 + slope * (x[2] - x[1]))
    assert discontinuity(x, scores(0.25, 0.28, 0.87)) == pytest.approx(expected)


def test_more_models_by_least_squares():
    x = scores(0, 1, 2, 3, 5)
    y = scores(0.1, 0.2, 0.1, 0.4, 0.9)
    slope, intercept = np.polyfit(x[:4], y[:4], 1)
    assert discontinuity(x, y) == pytest.approx(0.9 - (intercept + 5 * slope))
    assert discontinuity(x, 0.1 + 0.07 * x) == pytest.approx(0, abs=1e-12)


def test_two_scales_project_nothing():
    assert np.isnan(discontinuity(scores(1, 2), scores(0, 1)))
    assert np.isnan(discontinuity(scores(1, 1, 2, 2), scores(0, 0, 1, 1)))
    assert np.isnan(discontinuity(scores(1), scores(0.5)))


def test_several_models_at_the_largest_scale_count_by_their_mean():
    assert discontinuity(scores(0, 1, 2, 2), scores(0.1, 0.2, 0.4, 0.8)) == pytest.approx(0.3)


def test_scales_that_hardly_differ_give_a_number_and_no_warning():
    assert np.isfinite(discontinuity(scores(20, 20 + 1e-12, 21), scores(0.1, 0.1, 0.5)))


# ---- tables --------------------------------------------------------------------------------------


def of(score, flops=None, **read_as):
    metric = read_as.pop("metric", "acc")
    flops = flops or [10.0 ** (20 + i) for i in range(len(score))]
    models = [f"m{i}" for i in range(len(score))]
    frame = pd.DataFrame(
        {"task": "t", "model": models, "metric": metric, "score": score, "flops": flops}
    )
    found = baselines(read(frame, **read_as).curves())
    return {name: float(values[0]) for name, values in found.items()}


def test_models_of_one_scale_are_averaged_first():
    tied = of([0.1, 0.3, 0.3, 0.4, 0.8], [1e20, 1e21, 1e21, 1e22, 1e23])
    assert tied == of([0.1, 0.3, 0.4, 0.8])
    assert of([0.1, 0.2, 0.4, 0.4, 0.8], [1e20, 1e21, 1e21, 1e22, 1e23]) == pytest.approx(tied)


def test_points_are_taken_in_order_of_scale_and_not_of_the_table():
    shuffled = of([0.4, 0.1, 0.8, 0.3], [1e22, 1e20, 1e23, 1e21])
    assert shuffled == of([0.1, 0.3, 0.4, 0.8])


def test_a_loss_that_falls_improves():
    found = of([3.0, 2.5, 2.0, 1.0], metric="loss")
    assert found == pytest.approx(of([-3.0, -2.5, -2.0, -1.0], metric="bleu"))
    assert found["linearity"] > 0
    assert found["discontinuity"] == pytest.approx(0.5)


def test_a_constant_and_a_tiny_curve():
    assert of([0.3] * 4) == pytest.approx(
        {"linearity": 0, "breakthroughness": 0, "discontinuity": 0}, abs=1e-12
    )
    two = of([0.2, 0.5])
    assert two["linearity"] == pytest.approx(1)
    assert np.isnan(two["discontinuity"])
    assert all(np.isnan(value) for value in of([0.2]).values())
