"""Elementary functions of one number, in a loop: what `tests/test_kernels.py` does not reach."""

import numpy as np
import pytest

from upturn.arrays.compiled import compiled
from upturn.arrays.elementary import exp, exp_of_negative, log


@compiled
def exponentials(x, out):
    for i in range(x.size):
        out[i] = exp(x[i])


@compiled
def exponentials_of_negatives(x, out):
    for i in range(x.size):
        out[i] = exp_of_negative(x[i])


@compiled
def logarithms(x, out):
    for i in range(x.size):
        out[i] = log(x[i])


NEGATIVE = np.concatenate([np.linspace(-1e-9, 0, 50), -np.geomspace(1e-6, 700, 5000)])
POSITIVE = np.concatenate([np.geomspace(1e-300, 1e300, 5000), np.linspace(0.5, 2, 5001)])


@pytest.mark.parametrize(
    ("loop", "x", "function"),
    [
        (exponentials, np.concatenate([NEGATIVE, -NEGATIVE]), np.exp),
        (exponentials_of_negatives, NEGATIVE, np.exp),
        (logarithms, POSITIVE, np.log),
    ],
)
def test_it_is_numpys(loop, x, function):
    got = np.empty_like(x)
    loop(x, got)
    np.testing.assert_allclose(got, function(x), rtol=4e-16)


def test_far_below_nothing_is_left():
    out = np.empty(1)
    exponentials_of_negatives(np.array([-1e5]), out)
    assert 0 <= out[0] < 1e-303
