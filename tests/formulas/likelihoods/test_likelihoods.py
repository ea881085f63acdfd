"""Likelihoods: normalised, SciPy's densities, and the fast paths equal to the plain ones."""

import numpy as np
import pytest
from scipy import integrate, stats

from upturn.arrays.compiled import MEAN_MARGIN
from upturn.arrays.namespaces import NUMPY
from upturn.formulas.likelihoods.continuous import SMALLEST_NU, SMALLEST_SIGMA
from upturn.formulas.likelihoods.likelihood import RHO_RANGE, Data
from upturn.formulas.likelihoods.proportions import RESOLUTION, ROUNDING_RHO
from upturn.formulas.likelihoods.registry import DEFAULTS, LIKELIHOODS
from upturn.formulas.priors import Prior

# parameters of noise that every likelihood is tried with
NOISE = {
    "beta-binomial": [{"overdispersion": x} for x in (1e-4, 0.02, 0.2, 0.7)],
    "binomial": [{}],
    "beta": [{"overdispersion": x} for x in (0.02, 0.2, 0.7)],
    "normal": [{"sigma": x} for x in (0.003, 0.1)],
    **{
        f"{name}-robust": [each | {"broken": 0.03} for each in noise]
        for name, noise in {
            "beta-binomial": [{"overdispersion": x} for x in (0.02, 0.2)],
            "binomial": [{}],
            "beta": [{"overdispersion": 0.2}],
        }.items()
    },
    "student-t": [{"sigma": s, "nu": n} for s in (0.01, 0.1) for n in (0.5, 2.0, 30.0)],
}
CASES = [(name, noise) for name, each in NOISE.items() for noise in each]


def log_density(name, mean, noise, y, trials=0.0):
    """log_terms + log_rest at points (point,), of one row and one particle."""
    likelihood = LIKELIHOODS[name]
    p = {key: np.full((1, 1, 1), value) for key, value in noise.items()}
    y = np.asarray(y, dtype=float)[None, :, None]
    n = np.broadcast_to(np.asarray(trials, dtype=float), y.shape[1:2])[None, :, None]
    terms = likelihood.log_terms(NUMPY, np.full((1, 1, 1), mean), p, y, n)
    return np.broadcast_to(terms + likelihood.log_rest(NUMPY, p, y, n), y.shape)[0, :, 0]


class Mixed:
    """A law of SciPy's, and a uniform one in its place for some of the scores."""

    def __init__(self, law, share, trials):
        self.law, self.share = law, share
        self.uniform = stats.randint(0, trials + 1) if trials else stats.uniform()

    def __getattr__(self, name):
        log = name.startswith("log")
        plain = name.removeprefix("log")

        def mixed(y):
            parts = (getattr(law, plain)(y) for law in (self.law, self.uniform))
            likely, other = parts
            value = (1 - self.share) * likely + self.share * other
            return np.log(value) if log else value

        return mixed


def scipys(name, mean, noise, trials):
    """The same distribution, in SciPy's words."""
    if name.endswith("-robust"):
        return Mixed(scipys(name[:-7], mean, noise, trials), noise["broken"], trials)
    if name == "binomial":
        return stats.binom(trials, mean)
    if name in ("beta-binomial", "beta"):
        size = 1 / noise["overdispersion"] ** 2 - 1
        shapes = (mean * size, (1 - mean) * size)
        return stats.beta(*shapes) if name == "beta" else stats.betabinom(trials, *shapes)
    if name == "normal":
        return stats.norm(mean, noise["sigma"])
    return stats.t(noise["nu"], mean, noise["sigma"])


def test_every_likelihood_is_tested_here():
    of_one = {name: one for name, one in LIKELIHOODS.items() if one.plain is None}
    assert set(NOISE) == set(of_one)
    for name, likelihood in of_one.items():
        assert set(likelihood.parameters) == set(NOISE[name][0])


@pytest.mark.parametrize("mean", [1e-4, 0.25, 0.6, 0.999])
@pytest.mark.parametrize(("name", "noise"), CASES)
def test_densities_are_scipys(name, noise, mean):
    if "binomial" in name:
        for trials in (1, 40, 2000):
            k = np.unique(np.linspace(0, trials, 41).astype(int))
            expected = scipys(name, mean, noise, trials).logpmf(k)
            # SciPy adds up log gammas, which at small overdispersion cancel to 6 digits
            tolerance = 1e-6 if noise.get("overdispersion") == 1e-4 else 1e-9
            got = log_density(name, mean, noise, k, trials)
            np.testing.assert_allclose(got, expected, rtol=tolerance, atol=tolerance)
        return
    y = np.linspace(0.001, 0.999, 57)
    expected = scipys(name, mean, noise, 0).logpdf(y)
    np.testing.assert_allclose(log_density(name, mean, noise, y), expected, rtol=1e-9, atol=1e-9)


@pytest.mark.parametrize("mean", [MEAN_MARGIN, 0.03, 0.5, 1 - MEAN_MARGIN])
@pytest.mark.parametrize("trials", [1, 7, 500])
@pytest.mark.parametrize(("name", "noise"), [c for c in CASES if "binomial" in c[0]])
def test_counts_have_total_probability_one(name, noise, trials, mean):
    k = np.arange(trials + 1)
    total = np.exp(log_density(name, mean, noise, k, trials)).sum()
    assert total == pytest.approx(1, abs=2e-6 if noise.get("overdispersion") == 1e-4 else 1e-9)


@pytest.mark.parametrize(
    ("name", "noise", "ends"),
    [(n, p, (0, 1)) for n, p in CASES if n in ("beta", "beta-robust")]
    + [(n, p, (-np.inf, np.inf)) for n, p in CASES if n in ("normal", "student-t")],
)
def test_densities_integrate_to_one(name, noise, ends):
    """All that rounds to 0 or 1 shares the density there."""
    mean = 0.4
    low, high = (RESOLUTION, 1 - RESOLUTION) if name.startswith("beta") else ends
    total = sum(
        integrate.quad(
            lambda y: np.exp(log_density(name, mean, noise, [y])[0]), a, b, limit=200, epsabs=1e-10
        )[0]
        for a, b in ((low, mean), (mean, high))
    )
    if name.startswith("beta"):
        total += RESOLUTION * np.exp(log_density(name, mean, noise, [0.0, 1.0])).sum()
    assert total == pytest.approx(1, abs=1e-7)


def test_variance_is_what_the_intra_class_correlation_says():
    """Var k/n = m (1 - m) (1 + (n - 1) rho) / n, and m (1 - m) rho of a proportion."""
    k, n, mean, rho = np.arange(101), 100, 0.3, 0.2**2
    share = np.exp(log_density("beta-binomial", mean, {"overdispersion": 0.2}, k, n))
    assert (share * k).sum() / n == pytest.approx(mean)
    spread = (share * (k / n - mean) ** 2).sum()
    assert spread == pytest.approx(mean * (1 - mean) * (1 + (n - 1) * rho) / n)
    assert scipys("beta", mean, {"overdispersion": 0.2}, 0).var() == pytest.approx(
        mean * (1 - mean) * rho
    )


def test_binomial_is_the_limit_of_the_beta_binomial():
    k, n = np.arange(41), 40
    plain = log_density("binomial", 0.3, {}, k, n)
    gaps = [
        np.abs(log_density("beta-binomial", 0.3, {"overdispersion": x}, k, n) - plain).max()
        for x in (0.1, 0.01, 0.001, 0.0)
    ]
    assert gaps == sorted(gaps, reverse=True)
    assert gaps[2] / gaps[1] == pytest.approx(0.01, rel=0.1)  # it goes with rho
    assert gaps[3] < 2e-5


def test_normal_is_the_limit_of_student_t():
    y = np.linspace(0.1, 0.9, 9)
    plain = log_density("normal", 0.5, {"sigma": 0.1}, y)
    near = log_density("student-t", 0.5, {"sigma": 0.1, "nu": 1e7}, y)
    np.testing.assert_allclose(near, plain, atol=1e-4)


# --- broken evaluations ---------------------------------------------------------------------------


@pytest.mark.parametrize("name", [n for n in LIKELIHOODS if n.endswith("-robust")])
def test_a_robust_likelihood_without_broken_scores_is_the_plain_one(name):
    y = [0.1, 0.5] if name == "beta-robust" else [3, 20]
    noise = {"overdispersion": 0.1}
    none = log_density(name, 0.3, noise | {"broken": 0.0}, y, 40)
    plain = log_density(name.removesuffix("-robust"), 0.3, noise, y, 40)
    np.testing.assert_allclose(none, plain, atol=1e-9)
    all_of_them = log_density(name, 0.3, noise | {"broken": 1.0}, y, 40)
    expected = 0.0 if name == "beta-robust" else -np.log(41)
    np.testing.assert_allclose(all_of_them, expected, atol=1e-9)


# --- the fast paths -------------------------------------------------------------------------------


@pytest.mark.parametrize("groups", [1, 3])
@pytest.mark.parametrize(
    "name", [n for n, one in LIKELIHOODS.items() if one.total and one.plain is None]
)
def test_total_is_the_sum_of_log_terms(name, groups):
    """By group, with points left out, and at the ends of what parameters can be."""
    rng = np.random.default_rng(11)
    rows, points, particles = 4, 9, 13
    likelihood = LIKELIHOODS[name]
    mean = rng.uniform(MEAN_MARGIN, 1 - MEAN_MARGIN, (rows, points, particles))
    mean[0, 0], mean[1, 1] = MEAN_MARGIN, 1 - MEAN_MARGIN
    overdispersion = np.abs(0.2 * rng.normal(size=(rows, 1, particles)))
    overdispersion[0, 0, 0], overdispersion[1, 0, 1] = 0.002, 3.0
    p = {"overdispersion": overdispersion, "broken": rng.beta(1, 49, (rows, 1, particles))}
    trials = rng.integers(1, 900, (rows, points)).astype(float)
    successes = np.floor(trials * rng.uniform(0, 1, (rows, points)))
    successes[2, :3] = 0, trials[2, 1], 0
    y = successes if likelihood.counted else successes / trials
    group = rng.integers(-1, groups, (rows, points)).astype(np.int32)
    out = np.zeros((rows, groups, particles))
    likelihood.total(mean, p, Data(y, trials, group), out)
    terms = likelihood.log_terms(NUMPY, mean, p, y[:, :, None], trials[:, :, None])
    for g in range(groups):
        expected = np.where((group == g)[:, :, None], terms, 0.0).sum(axis=1)
        np.testing.assert_allclose(out[:, g], expected, rtol=1e-9, atol=1e-9)


# --- ends -----------------------------------------------------------------------------------------


def test_correlation_is_kept_where_the_formula_holds():
    low, high = RHO_RANGE
    k = np.array([0.0, 3.0, 10.0])
    for beyond, end in ((0.0, low), (1e-9, low), (1.0, high), (5.0, high)):
        got = log_density("beta-binomial", 0.3, {"overdispersion": beyond}, k, 10)
        at_end = log_density("beta-binomial", 0.3, {"overdispersion": np.sqrt(end)}, k, 10)
        np.testing.assert_allclose(got, at_end, rtol=1e-9)
        assert np.isfinite(got).all()


@pytest.mark.parametrize("noise", [0.02, 0.1, 0.5])
@pytest.mark.parametrize("mean", [1e-9, 1e-4, 0.02, 0.3, 1 - 1e-9])
def test_a_printed_zero_or_one_has_the_mean_density_of_what_rounds_to_it(mean, noise):
    ends = log_density("beta", mean, {"overdispersion": noise}, [0.0, 1.0])
    law = scipys("beta", mean, {"overdispersion": noise}, 0)
    expected = np.array([law.logcdf(RESOLUTION), law.logsf(1 - RESOLUTION)]) - np.log(RESOLUTION)
    seen = expected > -600
    np.testing.assert_allclose(ends[seen], expected[seen], rtol=1e-6, atol=1e-6)
    assert (ends[~seen] < -500).all()
    near = log_density("beta", mean, {"overdispersion": noise}, [4e-4, 1 - 4e-4])
    np.testing.assert_array_equal(ends, near)


def test_noise_below_what_rounding_makes_is_none():
    """A row of equal scores, exactly explained, is not infinitely likely."""
    y = [0.3, 0.3, 0.3005]
    none = log_density("beta", 0.3, {"overdispersion": 0.0}, y)
    rounding = log_density("beta", 0.3, {"overdispersion": np.sqrt(ROUNDING_RHO)}, y)
    np.testing.assert_array_equal(none, rounding)
    # its sd is that of rounding to a tenth of a percent, but for a tenth of it
    assert np.sqrt(0.25 * ROUNDING_RHO) == pytest.approx(2 * RESOLUTION / np.sqrt(12), rel=0.1)


def test_noise_below_the_smallest_is_the_smallest():
    y = [0.3, 0.30001]
    for name, extra in (("normal", {}), ("student-t", {"nu": 4.0})):
        none = log_density(name, 0.3, {"sigma": 0.0} | extra, y)
        smallest = log_density(name, 0.3, {"sigma": SMALLEST_SIGMA} | extra, y)
        np.testing.assert_array_equal(none, smallest)
    none = log_density("student-t", 0.3, {"sigma": 0.1, "nu": 0.0}, y)
    smallest = log_density("student-t", 0.3, {"sigma": 0.1, "nu": SMALLEST_NU}, y)
    np.testing.assert_array_equal(none, smallest)


def test_a_billion_trials():
    got = log_density("beta-binomial", 0.3, {"overdispersion": 0.1}, [3e8, 0.0, 1e9], 1e9)
    assert np.isfinite(got).all()
    # of that many the share of successes is as good as seen: the beta's density at 0.3, over n
    size = 1 / 0.01 - 1
    seen = stats.beta(0.3 * size, 0.7 * size).logpdf(0.3) - np.log(1e9)
    assert got[0] == pytest.approx(seen, abs=1e-5)


# --- the table of them ----------------------------------------------------------------------------


def test_defaults_explain_their_kind():
    assert DEFAULTS == {"counts": "beta-binomial", "proportion": "beta", "continuous": "normal"}
    for kind, name in DEFAULTS.items():
        assert kind in LIKELIHOODS[name].kinds


@pytest.mark.parametrize("name", LIKELIHOODS)
def test_default_priors_parse(name):
    likelihood = LIKELIHOODS[name]
    support = Prior.parse(likelihood.floor, "floor").support()
    assert support == ((0, 1) if likelihood.bounded else (-np.inf, np.inf))
    for name, parameter in likelihood.parameters.items():
        low, high = Prior.parse(parameter.prior, name).support()
        assert parameter.domain[0] <= low
        assert high <= parameter.domain[1]
