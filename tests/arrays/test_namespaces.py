"""Namespaces: the same formulas give the same values and gradients whatever computes them."""

import subprocess
import sys

import numpy as np
import pytest
from scipy import special

from upturn.arrays import namespaces
from upturn.arrays.compiled import MEAN_MARGIN
from upturn.arrays.namespaces import NUMPY
from upturn.formulas.likelihoods.registry import LIKELIHOODS
from upturn.model import Model

U = np.array([0.0, 0.13, 0.37, 0.52, 0.71, 0.88, 1.0])
TRIALS = np.array([8.0, 40.0, 250.0, 40.0, 1000.0, 14042.0, 8.0])
STEP = 1e-6


@pytest.fixture(scope="module")
def pytensor():
    """PyTensor with graphs run as they are written: no C, no numba, no rewriting."""
    import pytensor as pn
    from pytensor.compile.mode import Mode

    with pn.config.change_flags(mode=Mode(linker="py", optimizer=None), cxx=""):
        yield namespaces.pytensor()


def test_loading_arrays_loads_no_pytensor():
    code = "import sys, upturn.arrays; print('pytensor' in sys.modules)"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "False"


def test_the_constant_is_the_namespace():
    assert namespaces.PYTENSOR is namespaces.pytensor()
    with pytest.raises(AttributeError, match="no attribute 'PYTORCH'"):
        namespaces.PYTORCH  # noqa: B018


X = np.array([1e-12, 1e-3, 0.4, 1.0, 7.3, 900.0, 3e7])


@pytest.mark.parametrize("k", [0.0, 0.5, 1.0, 17.0, 14042.0])
def test_log_rising_and_its_gradient(pytensor, k):
    import pytensor.tensor as pt

    x = pt.dvector()
    value = pytensor.log_rising(x, k)
    slope = pt.grad(value.sum(), x)
    exact = NUMPY.log_rising(X, np.full_like(X, k))
    assert value.eval({x: X}) == pytest.approx(exact, rel=1e-12, abs=1e-9)
    # psi(x + k) - psi(x); for x much larger than k SciPy's difference has lost its digits
    small = X < 1e3
    digamma = special.digamma(X + k) - special.digamma(X)
    assert slope.eval({x: X})[small] == pytest.approx(digamma[small], rel=1e-9, abs=1e-9)
    assert slope.eval({x: X})[-1] == pytest.approx(k / X[-1], rel=1e-3, abs=1e-16)


def test_special_functions(pytensor):
    import pytensor.tensor as pt

    z = pt.dvector()
    at = np.array([-12.0, -3.0, -0.2, 0.0, 1.0, 5.0])
    assert pytensor.ndtr(z).eval({z: at}) == pytest.approx(special.ndtr(at), rel=1e-12)
    p = np.array([1e-30, 1e-4, 0.3, 0.5, 0.97])
    assert pytensor.ndtri(z).eval({z: p}) == pytest.approx(special.ndtri(p), rel=1e-10, abs=1e-15)
    assert pytensor.expit(z).eval({z: at}) == pytest.approx(special.expit(at), rel=1e-12)
    x = X[:-1]
    assert pytensor.log_gamma(z).eval({z: x}) == pytest.approx(special.gammaln(x), abs=1e-9)


# --- every model under every likelihood -----------------------------------------------------------


def log_density(xp, model, likelihood, names, theta, y):
    """Log density of all points at a vector of parameters: a sum over points."""
    p = {name: theta[i] for i, name in enumerate(names)}
    own = {name: p[name] + np.zeros((1, 1, 1)) for name in model.parameters}
    mean = model.mean(xp, own, U[None, :, None], np.ones((1, 1, 1)))[0, :, 0]
    mean = mean + np.zeros(len(U))
    if likelihood.bounded:
        mean = xp.clip(mean, MEAN_MARGIN, 1 - MEAN_MARGIN)
    noise = {name: p[name] for name in likelihood.parameters}
    terms = likelihood.log_terms(xp, mean, noise, y, TRIALS)
    return (terms + likelihood.log_rest(xp, noise, y, TRIALS)).sum()


def differences(function, theta):
    """Central differences."""
    steps = STEP * np.eye(len(theta))
    return np.array([(function(theta + s) - function(theta - s)) / (2 * STEP) for s in steps])


def tolerance(value, gradient):
    """What differences are off by: truncation, and the rounding of values (1e-13) by the step."""
    return 2e-5 * (1 + np.abs(gradient).max()) + 1e-13 * abs(float(value)) / STEP


def points_of(model, likelihood, seed):
    """Parameters drawn from the priors, away from kinks and from the ends of [0, 1], and data."""
    rng = np.random.default_rng(seed)
    priors = model.priors(likelihood, scatter=False)
    names = list(priors)
    while True:
        theta = [float(p.choice(0.25).frozen(0.25).ppf(rng.uniform(0.1, 0.9)))
                 for p in priors.values()]  # fmt: skip
        changes = [theta[names.index(name)] for name in model.changepoints]
        if changes != sorted(changes):
            continue
        p = {name: np.full((1, 1, 1), value) for name, value in zip(names, theta, strict=True)}
        mean = model.mean(NUMPY, p, U[None, :, None], np.ones((1, 1, 1)))
        # at a ceiling 1 - mean is rounding, and so are differences of its logarithm
        inside = np.abs(mean - 0.5).max() < 0.5 - 1e-4
        if inside and all(np.abs(U - change).min() > 1e-3 for change in changes):
            break
    counts = likelihood.name in ("beta-binomial", "binomial")
    y = np.floor(rng.uniform(0, 1, len(U)) * (TRIALS + 1)) if counts else rng.uniform(size=len(U))
    return names, np.array(theta), y


# A model's mean and a likelihood's terms meet by the chain rule alone: with each model under one
# likelihood, and each likelihood with one model, every formula is tried. The other pairs are slow.
PAIRS = [
    pytest.param(
        model,
        name,
        marks=() if name == "beta-binomial" or model == "hinge" else pytest.mark.slow,
    )
    for model in Model.names()
    for name, likelihood in sorted(LIKELIHOODS.items())
    if likelihood.plain is None
]


@pytest.mark.parametrize(("model", "name"), PAIRS)
def test_pytensor_agrees_in_value_and_gradient(pytensor, model, name):
    import pytensor as pn
    import pytensor.tensor as pt

    model, likelihood = Model.read(model), LIKELIHOODS[name]
    names, theta, y = points_of(model, likelihood, 0)
    vector = pt.dvector()
    graph = log_density(pytensor, model, likelihood, names, vector, y)
    compiled = pn.function([vector], [graph, pt.grad(graph, vector)])
    for seed in range(3):
        names, theta, _ = points_of(model, likelihood, seed)
        value, gradient = compiled(theta)

        def by_numpy(at, names=names):
            return log_density(NUMPY, model, likelihood, names, at, y)

        assert value == pytest.approx(by_numpy(theta), rel=1e-10, abs=1e-8)
        assert gradient == pytest.approx(
            differences(by_numpy, theta), abs=tolerance(value, gradient)
        )


@pytest.mark.needs("jax")
@pytest.mark.parametrize(("model", "name"), PAIRS)
def test_jax_agrees_in_value_and_gradient(model, name):
    import jax

    model, likelihood = Model.read(model), LIKELIHOODS[name]
    with jax.enable_x64(True):
        for seed in range(3):
            names, theta, y = points_of(model, likelihood, seed)

            def of(xp, at, names=names, y=y):
                return log_density(xp, model, likelihood, names, at, y)

            value, gradient = jax.value_and_grad(lambda at, of=of: of(namespaces.jax(), at))(theta)
            assert value == pytest.approx(of(NUMPY, theta), rel=1e-10, abs=1e-8)
            exact = differences(lambda at, of=of: of(NUMPY, at), theta)
            assert gradient == pytest.approx(exact, abs=tolerance(value, gradient))


def test_quantiles_of_the_normal_are_scipys():
    """In the middle, in both tails down to the least number there is, at 0, 1 and outside."""
    rng = np.random.default_rng(0)
    tails = 10.0 ** -rng.uniform(0, 307, 2000)
    odd = np.array([0.0, 1.0, 0.5, 5e-324, -1.0, 2.0, np.nan])
    p = np.concatenate([rng.random(5000), tails, 1 - tails, odd])
    with np.errstate(all="ignore"):
        expected = special.ndtri(p)
    np.testing.assert_allclose(NUMPY.ndtri(p), expected, rtol=1e-14)
    square = p[:9000].reshape(9, -1)[:, ::2]
    np.testing.assert_allclose(NUMPY.ndtri(square), special.ndtri(square), rtol=1e-14)
