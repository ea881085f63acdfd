"""The curves that others extrapolate by: what they fit exactly, what they cannot, their noise."""

import numpy as np
import pytest
from scipy import stats
from scipy.special import expit

from upturn.questions.forecast import extrapolate as ex
from upturn.questions.forecast import noise

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
    assert found.problem == "6 parameters, 5 points"
    np.testing.assert_allclose(found.curve(BEYOND), T[:5].mean())


def test_a_fit_that_has_not_converged_is_said(monkeypatch):
    monkeypatch.setattr(ex, "EVALUATIONS", 1)
    found = ex.extrapolate("sigmoid", T, TRUTHS["sigmoid"](T) + 0.05 * np.sin(9 * T), 1.0)
    assert found.problem == "did not converge"
    assert np.isfinite(found.curve(BEYOND)).all()


# ---- noise ---------------------------------------------------------------------------------------

OWN = noise.Residuals(
    np.linspace(0.1, 0.6, 8),
    np.clip(np.linspace(0.1, 0.6, 8) + 0.04 * np.cos(np.arange(8)), 0, 1),
    np.full(8, 50.0),
    6,
)


@pytest.mark.parametrize("name", noise.NOISES)
@pytest.mark.parametrize("mean", [0.02, 0.4, 1.0])
def test_probabilities_of_all_counts_sum_to_one(name, mean):
    n = 50
    seen = np.arange(n + 1) / n
    found = noise.noise(name, OWN, np.full(n + 1, mean), seen, np.full(n + 1, 50.0), pooled_sd=0.05)
    assert np.exp(found.log_density).sum() == pytest.approx(1, abs=1e-6)
    assert (np.diff(found.quantiles, axis=1) >= 0).all()


@pytest.mark.parametrize("name", ["normal", "student t", "beta-binomial"])
def test_densities_of_proportions_integrate_to_one(name):
    own = noise.Residuals(OWN.mean, OWN.score, np.zeros(8), 6)
    wide = name != "beta-binomial"  # noise of one size goes beyond 0 and 1
    seen = np.linspace(-3, 4, 3501) if wide else np.linspace(0.0005, 0.9995, 3501)
    zero = np.zeros(len(seen))
    found = noise.noise(name, own, zero + 0.4, seen, zero, pooled_sd=0.05)
    total = np.trapezoid(np.exp(found.log_density), seen)
    assert total == pytest.approx(1, abs=2e-3)


def test_the_beta_binomial_is_scipys():
    n, mean, rho = 50, 0.3, 0.02
    seen = np.arange(n + 1) / n
    got = noise._log_beta(np.full(n + 1, mean), seen, np.full(n + 1, 50.0), rho)
    size = 1 / rho - 1
    exact = stats.betabinom.logpmf(np.arange(n + 1), n, mean * size, (1 - mean) * size)
    np.testing.assert_allclose(got, exact, rtol=1e-9)


# ---- constants that decide -----------------------------------------------------------------------

EXACT = noise.Residuals(np.linspace(0.1, 0.6, 8), np.linspace(0.1, 0.6, 8), np.full(8, 50.0), 6)


def test_numbers_of_parameters():
    """They are taken from the points: the noise of what is left has so many degrees less."""
    count = {name: ex.extrapolate(name, T, TRUTHS[name](T), 1.0).parameters for name in ex.METHODS}
    assert count == {
        "constant": 1, "log-linear": 2, "logit-linear": 2, "sigmoid": 4, "broken power law": 6,
    }  # fmt: skip


@pytest.mark.parametrize(("mean", "k"), [(0.0, 0), (0.0, 2), (1.0, 50), (1.0, 47)])
def test_a_mean_at_the_edge_stands_half_a_success_from_it(mean, k):
    """Fitted points without a residual have no overdispersion: the noise is the binomial's."""
    one = np.ones(1)
    found = noise.noise("beta-binomial", EXACT, mean * one, k / 50 * one, 50 * one, pooled_sd=0.05)
    exact = stats.binom.logpmf(k, 50, np.clip(mean, 0.5 / 50, 1 - 0.5 / 50))
    assert found.log_density[0] == pytest.approx(exact, rel=1e-3)


@pytest.mark.parametrize("mean", [0.0, 1.0])
def test_without_trials_it_stands_a_tenth_of_a_percent_from_it(mean):
    """Noise of points without a residual has an sd of 0.00003, and 400 draws a tenth of that."""
    own, zero = noise.Residuals(EXACT.mean, EXACT.score, np.zeros(8), 6), np.zeros(1)
    found = noise.noise("beta-binomial", own, zero + mean, zero + mean, zero, pooled_sd=0.05)
    assert abs(found.quantiles[0].mean() - mean) == pytest.approx(0.001, rel=0.02)


@pytest.mark.parametrize(("seen", "inside"), [(0.0, 0.0005), (0.4, 0.4), (1.0, 0.9995)])
def test_a_density_at_the_edge_is_that_half_a_tenth_of_a_percent_from_it(seen, inside):
    one = np.ones(1)
    got = noise._log_beta(0.3 * one, seen * one, 0 * one, 0.1)
    assert got[0] == pytest.approx(stats.beta(0.3 * 9, 0.7 * 9).logpdf(inside))


@pytest.mark.parametrize("k", [0, 1, 20, 49, 50])
@pytest.mark.parametrize("mean", [0.02, 0.4, 0.97])
def test_noise_of_one_size_is_the_probability_of_a_cell(mean, k):
    """What lies beyond the ends counts as the ends."""
    one, sd = np.ones(1), 0.3
    found = noise.noise("pooled normal", OWN, mean * one, k / 50 * one, 50 * one, pooled_sd=sd)
    low = -np.inf if k == 0 else (k - 0.5) / 50
    high = np.inf if k == 50 else (k + 0.5) / 50
    exact = np.log(stats.norm.cdf(high, mean, sd) - stats.norm.cdf(low, mean, sd))
    assert found.log_density[0] == pytest.approx(exact, abs=1e-9)


@pytest.mark.parametrize(
    ("name", "frozen"),
    [("normal", stats.norm(0.4, OWN.sd)), ("pooled normal", stats.norm(0.4, 0.07)),
     ("student t", stats.t(6, 0.4, OWN.sd))],
)  # fmt: skip
def test_quantiles_and_densities_are_scipys(name, frozen):
    zero = np.zeros(1)
    found = noise.noise(name, OWN, zero + 0.4, zero + 0.45, zero, pooled_sd=0.07)
    levels = (np.arange(400) + 0.5) / 400
    np.testing.assert_allclose(found.quantiles[0], np.clip(frozen.ppf(levels), 0, 1), atol=1e-9)
    assert found.log_density[0] == pytest.approx(frozen.logpdf(0.45))


def test_the_least_standard_deviation_is_a_tenth_of_a_percent():
    zero = np.zeros(1)
    assert EXACT.sd == 0.001
    for name in ("normal", "pooled normal"):
        found = noise.noise(name, EXACT, zero + 0.4, zero + 0.401, zero, pooled_sd=1e-9)
        assert found.log_density[0] == pytest.approx(stats.norm(0.4, 0.001).logpdf(0.401))
    assert OWN.sd == pytest.approx(np.sqrt(((OWN.score - OWN.mean) ** 2).sum() / 6))


@pytest.mark.parametrize("name", ["normal", "pooled normal"])
@pytest.mark.parametrize("trials", [0.0, 1e6])
def test_what_is_all_but_impossible_costs_as_much_as_a_double_can_say(name, trials):
    one = np.ones(1)
    found = noise.noise(name, EXACT, 0.1 * one, 0.9 * one, trials * one, pooled_sd=0.001)
    assert found.log_density[0] == pytest.approx(-690)


def test_the_least_error_of_a_power_law():
    found = ex.extrapolate("broken power law", T, np.ones(12), 1.0)
    np.testing.assert_allclose(found.curve(T), 1 - 1e-4, atol=2e-6)


def test_overdispersion_is_the_likeliest():
    """Simulated at 0.1, in 60 points; the seed is fixed."""
    rng = np.random.default_rng(3)
    mean = np.full(60, 0.4)
    score = rng.binomial(200, rng.beta(0.4 * 9, 0.6 * 9, 60)) / 200
    own = noise.Residuals(mean, score, np.full(60, 200.0), 59)
    n = np.full(201, 200.0)
    seen = np.arange(201) / 200
    found = noise.noise("beta-binomial", own, np.full(201, 0.4), seen, n, pooled_sd=1)
    spread = (np.exp(found.log_density) * (np.arange(201) / 200 - 0.4) ** 2).sum()
    rho = spread / (0.4 * 0.6)
    assert 0.07 < rho < 0.15
    assert found.quantiles[0].std() == pytest.approx(np.sqrt(spread), rel=0.1)
