"""Models that are off across tasks, and models that are off together."""

import numpy as np
import pytest

from upturn.posterior.shared import off, together

TABLES = 25


def test_the_models_that_are_off_are_named() -> None:
    residuals = np.random.default_rng(1).standard_normal((12, 8))
    residuals[:, 3] += 1.5
    residuals[:, 5] -= 1.5
    found = off(residuals)
    assert np.flatnonzero(found.p < 0.05).tolist() == [3, 5]
    assert found.shift[3] > 0 > found.shift[5]


def test_models_with_a_common_effect_are_a_group() -> None:
    rng = np.random.default_rng(2)
    residuals = rng.standard_normal((15, 9))
    residuals[:, [1, 4, 7]] += 1.5 * rng.standard_normal((15, 1))
    found = together(residuals)
    assert np.flatnonzero(found.group == 0).tolist() == [1, 4, 7]
    assert found.p[0] < 0.05


def test_scores_that_are_missing_count_for_nothing() -> None:
    rng = np.random.default_rng(3)
    residuals = rng.standard_normal((24, 6))
    residuals[:, :3] += 2 * rng.standard_normal((24, 1))
    residuals[rng.uniform(size=residuals.shape) < 0.2] = np.nan
    found = together(residuals)
    assert found.group.tolist() == [0, 0, 0, -1, -1, -1]
    assert np.isfinite(off(residuals).p).all()


@pytest.mark.parametrize("shape", [(4, 6), (0, 3), (3, 1), (8, 0)])
def test_too_few_tasks_or_models_say_nothing(shape: tuple[int, int]) -> None:
    ones = np.ones(shape)
    assert (together(ones).group == -1).all()
    assert not (off(ones).p < 0.04).any()


@pytest.mark.slow
def test_false_alarms_are_as_rare_as_they_say() -> None:
    # each test alarms in 5 % of tables of noise, here of uneven size; 7 or more of 25 have a
    # probability of 2e-4
    alarms = np.zeros(2)
    for number in range(TABLES):
        rng = np.random.default_rng([4, number])
        residuals = rng.standard_t(4, (12, 10)) * rng.uniform(0.2, 2, (12, 1))
        alarms += (off(residuals).p < 0.05).any(), len(together(residuals).p) > 0
    assert (alarms < 7).all()
