"""The compiled loops: against 50 digits, against SciPy, and at the ends of their range."""

import numpy as np
import pytest
from scipy import stats
from scipy.special import gammaln

from upturn.arrays import compiled, special
from upturn.arrays.namespaces import NUMPY
from upturn.formulas.kernels import by_group as kernels

# log Gamma(x + k) - log Gamma(x), computed by mpmath with 50 digits
RISING = [
    (1e-12, 1.0, -27.631021115928548228),
    (1e-12, 1e9, 19723265799.872695655),
    (1e-9, 3.0, -20.030118654886465785),
    (1e-3, 100.0, 352.2316266510693497),
    (0.1, 0.5, -1.8544787936649710109),
    (0.5, 0.5, -0.57236494292470008707),
    (1.0, 10.0, 15.104412573075515295),
    (2.5, 84.0, 297.70763864823051595),
    (3.0, 1e-3, 0.00092298177645121155846),
    (7.25, 1e6, 12815597.679436362361),
    (50.0, 2000.0, 13435.01033557273016),
    (1e3, 1.0, 6.9077552789821370521),
    (1e5, 1e5, 1189921.6360350049573),
    (1e7, 12.0, 193.41715441149730746),
    (1e10, 1.0, 23.02585092994045684),
    (1e10, 1e9, 23074262907.740375211),
    (0.3, 2.0**53, 321888483458023038.55),
    (1e10, 2.0**53, 321888630567524987.69),
]

# log Gamma(x), likewise
GAMMA = [
    (1e-300, 690.77552789821370518),
    (1e-12, 27.631021115927971013),
    (1e-3, 6.9071788853838536617),
    (0.1, 2.252712651734205902),
    (0.5, 0.57236494292470008707),
    (1.0, 0.0),
    (1.4616321449683623, -0.1214862905358496081),
    (2.0, 0.0),
    (3.5, 1.2009736023470742248),
    (6.0, 4.7874917427820459942),
    (12.25, 18.115669505710892619),
    (100.0, 359.13420536957539878),
    (1e5, 1051287.7089736568949),
    (1e10, 220258509288.81058147),
    (2.0**53, 321888483458023028.62),
]


def rising(x, k):
    return special.log_rising(np.array([x], dtype=float), np.array([k], dtype=float))[0]


def gamma(x):
    return special.log_gamma(np.array([x], dtype=float))[0]


@pytest.mark.parametrize(("x", "k", "expected"), RISING)
def test_log_rising_to_many_digits(x, k, expected):
    assert rising(x, k) == pytest.approx(expected, rel=2e-15, abs=1e-11)


@pytest.mark.parametrize(("x", "expected"), GAMMA)
def test_log_gamma_to_many_digits(x, expected):
    assert gamma(x) == pytest.approx(expected, rel=2e-15, abs=5e-12)


def test_log_rising_of_nothing_is_zero():
    x = np.logspace(-12, 10, 300)
    np.testing.assert_allclose(special.log_rising(x, np.zeros_like(x)), 0.0, atol=1e-17)


@pytest.mark.parametrize("x", [1e-9, 0.02, 1.0, 37.5, 1e6])
def test_log_rising_is_the_sum_of_logs(x):
    k = np.arange(200)
    direct = np.concatenate(([0.0], np.cumsum(np.log(x + np.arange(199)))))
    got = special.log_rising(np.full(200, x), k.astype(float))
    np.testing.assert_allclose(got, direct, rtol=1e-13, atol=1e-11)


def test_log_rising_does_not_cancel_where_x_is_large():
    """The difference of two log gammas at 1e10 is off by 1e-5; this one is not."""
    x, k = 1e10, 3.0
    expected = np.log(x) + np.log1p(x) + np.log(x + 2)
    assert rising(x, k) == pytest.approx(expected, abs=1e-13 * expected)
    assert abs(gammaln(x + k) - gammaln(x) - expected) > 1e-6


def test_nan_stays_nan():
    assert np.isnan(rising(np.nan, 1.0))
    assert np.isnan(rising(1.0, np.nan))
    assert np.isnan(gamma(np.nan))


def test_the_namespace_broadcasts_them():
    x, k = np.array([[0.5], [2.0]]), np.array([1.0, 2.0, 3.0])
    expected = gammaln(x + k) - gammaln(x)
    np.testing.assert_allclose(NUMPY.log_rising(x, k), expected, atol=1e-11)
    np.testing.assert_allclose(NUMPY.log_gamma(x), gammaln(x), atol=1e-11)
    assert NUMPY.log_gamma(3.0).shape == ()
    assert NUMPY.log_gamma(np.empty((0, 4))).shape == (0, 4)


# --- the loops over curves ------------------------------------------------------------------------


@pytest.fixture
def cells():
    """Means, sizes, counts and groups of three rows, seven points, eleven particles."""
    rng = np.random.default_rng(7)
    mean = rng.uniform(0.001, 0.999, (3, 7, 11))
    size = 1 / rng.uniform(1e-4, 0.9, (3, 11)) - 1
    trials = rng.integers(1, 500, (3, 7)).astype(float)
    successes = np.floor(trials * rng.uniform(0, 1, (3, 7)))
    group = rng.integers(-1, 3, (3, 7)).astype(np.int32)
    return mean, size, successes, trials, group


def by_group(terms, group):
    """Terms (row, point, particle) summed over the points of each group, the plain way."""
    out = np.zeros((terms.shape[0], int(group.max()) + 1, terms.shape[2]))
    for r in range(terms.shape[0]):
        for p in range(terms.shape[1]):
            if group[r, p] >= 0:
                out[r, group[r, p]] += terms[r, p]
    return out


def test_beta_binomial_is_scipys(cells):
    mean, size, k, n, group = cells
    out = np.zeros((3, 3, 11))
    kernels.beta_binomial(mean, size, k, n - k, group, out)
    each, counts = size[:, None, :], (k[:, :, None], n[:, :, None])
    log_pmf = stats.betabinom.logpmf(*counts, mean * each, (1 - mean) * each)
    free_of_mean = (
        gammaln(counts[1] + 1)
        - gammaln(counts[0] + 1)
        - gammaln(counts[1] - counts[0] + 1)
        - gammaln(each + counts[1])
        + gammaln(each)
    )
    np.testing.assert_allclose(out, by_group(log_pmf - free_of_mean, group), rtol=1e-9)


def test_what_is_free_of_the_mean_is_scipys(cells):
    """By row as by batch, the same bits; what no point has is left out, whatever it is."""
    _, size, _, n, _ = cells
    counts = np.arange(21.0).reshape(3, 7) % 4
    n[counts == 0] = np.nan
    out = np.ones((3, 11))
    kernels.beta_binomial_rest(size, n, counts, out)
    each, points = size[:, None, :], counts[:, :, None]
    rising = np.where(points > 0, gammaln(each + n[:, :, None]) - gammaln(each), 0.0)
    np.testing.assert_allclose(out, 1 - (points * rising).sum(axis=1), rtol=1e-9)
    for r in range(3):
        for some in (slice(0, 5), slice(5, 11)):
            part = np.ones((1, len(range(11)[some])))
            where = np.ascontiguousarray(size[r : r + 1, some])
            kernels.beta_binomial_rest(where, n[r : r + 1], counts[r : r + 1], part)
            np.testing.assert_array_equal(part[0], out[r, some])


@pytest.mark.parametrize("n", [1.0, 300.0, 1e6])
def test_it_loses_little_where_noise_is_least(n):
    """Sizes to 1e8, where x log x times 1e-16 is 2e-7, against sums that do not cancel."""
    size = np.logspace(-3, 8, 200)[None]
    out = np.zeros_like(size)
    kernels.beta_binomial_rest(size, np.array([[n]]), np.ones((1, 1)), out)
    exact = NUMPY.log_rising(size[0], np.full(200, n))
    np.testing.assert_allclose(-out[0], exact, rtol=1e-12, atol=5e-7)


def test_beta_density_is_scipys(cells):
    mean, size, k, n, group = cells
    y = (k + 0.5) / (n + 1)
    out = np.zeros((3, 3, 11))
    kernels.beta_density(mean, size, y, 1e-9, group, out)
    each = size[:, None, :]
    log_pdf = stats.beta.logpdf(y[:, :, None], mean * each, (1 - mean) * each)
    expected = by_group(log_pdf - gammaln(each), group)
    np.testing.assert_allclose(out, expected, rtol=1e-9, atol=1e-9)


@pytest.mark.parametrize("end", [0.0, 1.0])
@pytest.mark.parametrize(("size", "close"), [(0.01, 1e-7), (3.0, 1e-7), (1e4, 1e-7)])
def test_the_end_of_a_beta_density_is_scipys_probability(end, size, close):
    cell, mean = 5e-4, np.concatenate([np.logspace(-8, -0.5, 50), 1 - np.logspace(-8, -0.5, 50)])
    out = np.zeros((1, 1, 100))
    group = np.zeros((1, 1), dtype=np.int32)
    sizes = np.full((1, 100), size)
    kernels.beta_density(mean[None, None], sizes, np.full((1, 1), end), cell, group, out)
    law = stats.beta(mean * size, size - mean * size)
    log_p = law.logcdf(cell) if end == 0 else law.logsf(1 - cell)
    seen = log_p > -600
    expected = log_p - np.log(cell) - gammaln(size)
    np.testing.assert_allclose(out[0, 0][seen], expected[seen], rtol=0, atol=close)
    assert np.isfinite(out).all()
    finer = np.zeros((1, 1, 100))
    kernels.beta_density(
        mean[None, None], 0 * sizes + 1e6, np.full((1, 1), end), cell, group, finer
    )
    assert np.isfinite(finer).all()


def test_beta_binomial_at_the_ends():
    """Every mean from 0 to 1, nearly no and nearly full correlation, up to 2^53 trials."""
    mean = np.array([-0.1, 0.0, 1e-12, 0.3, 1.0, 1.1])
    size = np.array([1e-3, 1.0, 1e4, 1e8])
    counts = np.array([0.0, 1.0, 84.0, 1e9, 2.0**53])
    grid = np.array(np.meshgrid(mean, size, counts, counts, indexing="ij")).reshape(4, -1)
    each, n, k, m = grid[:, :, None]
    out = np.zeros((1, 1, 1))
    for i in range(len(each)):
        out[:] = 0
        group = np.zeros((1, 1), dtype=np.int32)
        kernels.beta_binomial(
            each[i].reshape(1, 1, 1), n[i : i + 1], k[i : i + 1], m[i : i + 1], group, out
        )
        inside = min(max(each[i, 0], compiled.MEAN_MARGIN), 1 - compiled.MEAN_MARGIN)
        alpha = inside * n[i, 0]
        expected = rising(alpha, k[i, 0]) + rising(n[i, 0] - alpha, m[i, 0])
        assert out[0, 0, 0] == pytest.approx(expected, rel=1e-12, abs=1e-6)


def test_loops_add_to_what_is_there(cells):
    mean, size, k, n, group = cells
    once, twice = np.zeros((3, 3, 11)), np.zeros((3, 3, 11))
    kernels.beta_binomial(mean, size, k, n - k, group, once)
    kernels.beta_binomial(mean, size, k, n - k, group, twice)
    kernels.beta_binomial(mean, size, k, n - k, group, twice)
    np.testing.assert_allclose(twice, 2 * once, rtol=1e-13)


@pytest.mark.parametrize("kernel", ["beta_binomial", "beta_density"])
def test_results_are_the_same_bits_however_the_batch_is_cut(cells, kernel):
    """By rows, by particles, and with points of padding behind."""
    mean, size, k, n, group = cells
    run = getattr(kernels, kernel)
    a, b = (k, n - k) if kernel == "beta_binomial" else (k / n, 0.3)
    whole = np.zeros((3, 3, 11))
    run(mean, size, a, b, group, whole)
    for r in range(3):
        for particles in (slice(0, 5), slice(5, 11)):
            part = np.zeros((1, 3, len(range(11)[particles])))
            run(
                np.ascontiguousarray(
                    np.pad(mean, ((0, 0), (0, 4), (0, 0)))[r : r + 1, :, particles]
                ),
                np.ascontiguousarray(size[r : r + 1, particles]),
                np.pad(a, ((0, 0), (0, 4)))[r : r + 1],
                np.pad(b, ((0, 0), (0, 4)))[r : r + 1] if np.ndim(b) else b,
                np.pad(group, ((0, 0), (0, 4)), constant_values=-1)[r : r + 1],
                part,
            )
            np.testing.assert_array_equal(part[0], whole[r, :, particles])


def test_exponentials_add_up_whatever_comes_first():
    """Against NumPy's `logaddexp`, over 1,000 nats, rising and falling."""
    rng = np.random.default_rng(0)
    parts = rng.normal(size=(20, 50)) * 300 + np.linspace(-500, 500, 20)[:, None]
    for order in (parts, parts[::-1]):
        top, total = order[0].copy(), np.ones(50)
        for x in order[1:]:
            kernels.add_exponential(x.copy(), top, total)
        expected = np.logaddexp.reduce(parts, axis=0)
        np.testing.assert_allclose(top + np.log(total), expected, rtol=1e-13)
