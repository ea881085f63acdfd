"""The curves that others extrapolate by: what they fit exactly, what they cannot, their noise."""

import numpy as np
import pytest
from scipy import stats
from scipy.special import expit

from upturn.questions.forecast import extrapolate as ex

T = np.linspace(0, 1, 12)
BEYOND = np.array([1.2, 1.5])
TRUTHS = {
    "constant": lambda t: np.full(np.shape(t), 0.3),
    "log-linear": lambda t: 0.1 + 0.3 * t,
    "logit-linear": lambda t: expit(-3 + 3 * t),
    "sigmoid": lambda t: 0.25 + 0.5 * expit(-8 + 10 * t),
    # error = a + b x^-c0 (1 + (x / d)^(1/f))^(-c1 f)
    "broken power law": lambda t: (
        1 - (0.1 + np.exp(-0.3 - 0.1 * t) * (1 + np.exp((t - 0.6) / 0.1)) ** -0.2)
    ),
}


@pytest.mark.parametrize("name", ex.METHODS)
def test_each_goes_on_along_a_curve_of_its_own_kind(name):
    found = ex.extrapolate(name, T, TRUTHS[name](T), 1.0)
    np.testing.assert_allclose(found.curve(T), TRUTHS[name](T), atol=2e-3)
    np.testing.assert_allclose(found.curve(BEYOND), TRUTHS[name](BEYOND), atol=2e-2)


@pytest.mark.parametrize("name", ex.METHODS)
def test_none_leaves_the_range_of_scores(name):
    found = ex.extrapolate(name, T, TRUTHS["sigmoid"](T), 1.0)
    far = found.curve(np.array([-3.0, 2.0, 30.0]))
    assert (far >= 0).all()
    assert (far <= 1).all()


def test_fewer_points_than_parameters_is_said_and_is_the_constant():
    found = ex.extrapolate("broken power law", T[:5], T[:5], 1.0)
    assert found.trouble == "6 parameters, 5 points"
    np.testing.assert_allclose(found.curve(BEYOND), T[:5].mean())


def test_a_fit_that_has_not_converged_is_said(monkeypatch):
    monkeypatch.setattr(ex, "EVALUATIONS", 1)
    found = ex.extrapolate("sigmoid", T, TRUTHS["sigmoid"](T) + 0.05 * np.sin(9 * T), 1.0)
    assert found.trouble == "did not converge"
    assert np.isfinite(found.curve(BEYOND)).all()


# ---- noise ---------------------------------------------------------------------------------------

OWN = ex.Residuals(
    np.linspace(0.1, 0.6, 8),
    np.clip(np.linspace(0.1, 0.6, 8) + 0.04 * np.cos(np.arange(8)), 0, 1),
    np.full(8, 50.0),
    6,
)


@pytest.mark.parametrize("name", ex.NOISES)
@pytest.mark.parametrize("mean", [0.02, 0.4, 1.0])
def test_probabilities_of_all_counts_sum_to_one(name, mean):
    n = 50
    seen = np.arange(n + 1) / n
    found = ex.noise(name, OWN, np.full(n + 1, mean), seen, np.full(n + 1, 50.0), pooled_sd=0.05)
    assert np.exp(found.log_density).sum() == pytest.approx(1, abs=1e-6)
    assert (np.diff(found.quantiles, axis=1) >= 0).all()


@pytest.mark.parametrize("name", ["normal", "student t", "beta-binomial"])
def test_densities_of_proportions_integrate_to_one(name):
    own = ex.Residuals(OWN.mean, OWN.score, np.zeros(8), 6)
    wide = name != "beta-binomial"  # noise of one size goes beyond 0 and 1
    seen = np.linspace(-3, 4, 3501) if wide else np.linspace(0.0005, 0.9995, 3501)
    zero = np.zeros(len(seen))
    found = ex.noise(name, own, zero + 0.4, seen, zero, pooled_sd=0.05)
    total = np.trapezoid(np.exp(found.log_density), seen)
    assert total == pytest.approx(1, abs=2e-3)


def test_the_beta_binomial_is_scipys():
    n, mean, rho = 50, 0.3, 0.02
    seen = np.arange(n + 1) / n
    got = ex._log_beta(np.full(n + 1, mean), seen, np.full(n + 1, 50.0), rho)
    size = 1 / rho - 1
    exact = stats.betabinom.logpmf(np.arange(n + 1), n, mean * size, (1 - mean) * size)
    np.testing.assert_allclose(got, exact, rtol=1e-9)
