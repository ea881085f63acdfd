"""Formulas that stand for those of SciPy's larger libraries."""

import numpy as np
import pytest
from scipy import stats
from scipy.interpolate import CubicSpline
from scipy.special import ndtr

from upturn.formulas.priors import Prior
from upturn.formulas.quantiles import cubic_pieces


def test_cubic_pieces_are_scipys_spline():
    x = np.linspace(-16, 16, 513)
    y = np.exp(np.sin(x))
    np.testing.assert_allclose(cubic_pieces(x, y), CubicSpline(x, y).c, rtol=1e-12, atol=1e-14)


@pytest.mark.parametrize(
    ("text", "frozen"),
    [
        ("Uniform(0.2, 0.9)", stats.uniform(0.2, 0.7)),
        ("HalfNormal(0.2)", stats.halfnorm(scale=0.2)),
        ("Gamma(2, 0.1)", stats.gamma(2, scale=10)),
        ("Beta(1, 4)", stats.beta(1, 4)),
        ("BetaMode(0.25, 100)", stats.beta(1 + 0.25 * 98, 1 + 0.75 * 98)),
    ],
)
def test_tails_and_probabilities_are_scipys(text, frozen):
    """Families that have them as formulas, since `scipy.stats` takes long to load."""
    choice = Prior.parse(text, "test").choices[0]
    p, x = ndtr(np.linspace(-6, 6, 49)), frozen.ppf(np.linspace(0.01, 0.99, 49))
    for ours, scipys, values in (
        *zip(choice.tails(0.3), (frozen.ppf, frozen.isf), (p, p), strict=True),
        *zip(choice.cdf(0.3), (frozen.cdf, frozen.sf), (x, x), strict=True),
    ):
        np.testing.assert_allclose(ours(values), scipys(values), rtol=1e-12, atol=1e-15)
