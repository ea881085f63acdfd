"""Other samplers: JAGS, loops of NUTS, and densities in JAX."""

import shutil
import sys
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from scipy import stats

ROOT = Path(__file__).parents[2]
if str(ROOT) not in sys.path:  # `python -m pytest` puts it there, `pytest` does not
    sys.path.insert(0, str(ROOT))
from benchmarks.problems import hard_curves, workloads
from benchmarks.problems.pymc_models import PRIORS
from benchmarks.references import measures, quadrature
from benchmarks.samplers import jags, nuts
from benchmarks.speed import growth
from tests.support.answers_of_samplers import SEED


def one_curve():
    """A problem of one small curve."""
    curves = workloads.counts("hard")
    five = list(hard_curves.CASES).index("five points")
    return workloads.Problem("one", curves.take(np.array([five])), "flat")


@pytest.mark.slow
def test_a_loop_takes_models_that_make_no_use_of_scale():
    """By quadrature; four means beyond 5 standard errors: once in 400,000 by chance."""
    problem = growth.problem(curves=2, points=5, parameters=2)
    draws = nuts.NutpieLoop(problem, 2).run(SEED).draws
    assert set(draws) == set(problem.parameters)
    exact = [quadrature.integrate(problem.known_model, counts) for counts in problem.counts.each()]
    for name, values in draws.items():
        mean = measures.by_chains(values)[0]
        truth = np.array([answer.mean[name] for answer in exact])
        assert (np.abs(mean.value - truth) < 5 * mean.error).all()


def test_jags_is_told_everything():
    problem = replace(one_curve(), model="hinge")
    text = jags.program("hinge")
    assert text.count("{") == text.count("}")
    for name in problem.parameters:
        assert f"{name}[j] ~ " in text
    assert set(jags.SHARES) == set(PRIORS)
    assert '"k" <- c(5, 5, 48, 126, 153)' in jags.data_of(problem)


def test_the_chains_of_jags_are_read(tmp_path):
    (tmp_path / "CODAindex.txt").write_text("a[1] 1 2\na[2] 3 4\nb[1] 5 6\nb[2] 7 8\n")
    lines = [f"{1 + i % 2}  {float(i)}" for i in range(8)]
    (tmp_path / "CODAchain1.txt").write_text("\n".join(lines))
    found = jags.parsed_coda(tmp_path, ("b", "a"), 2)
    assert found["a"].tolist() == [[0, 1], [2, 3]]
    assert found["b"].tolist() == [[4, 5], [6, 7]]


@pytest.mark.skipif(shutil.which("jags") is None, reason="jags is not installed")
def test_jags_has_the_same_posterior():
    """Wrong by chance once in 8,000: two means, each beyond 4 standard errors with 6e-5."""
    problem = one_curve()
    exact = quadrature.integrate("flat", problem.counts)
    run = jags.Jags(problem, 2, draws=2000, tune=500).run(SEED)
    assert run.draws["level"].shape == (1, 4, 2000)
    found = measures.by_chains(run.draws["level"][0])
    assert abs(found[0].value - exact.mean["level"]) < 4 * found[0].error
    assert found[1].value == pytest.approx(exact.sd["level"], rel=0.1)


@pytest.mark.slow
@pytest.mark.needs("jax")
@pytest.mark.parametrize("model", PRIORS)
def test_the_density_in_jax_is_that_of_quadrature(model):
    from benchmarks.samplers import density

    problem = replace(one_curve(), model=model)
    exact = quadrature.Posterior(model, problem.counts)
    rng = np.random.default_rng(SEED)
    z = rng.standard_normal((4, len(exact.names)))
    p = exact.parameters(z)
    data = {name: value[0] for name, value in problem.counts.padded().items()}
    found = [
        float(density.log_likelihood(model, {n: v[i] for n, v in p.items()}, data))
        for i in range(4)
    ]
    np.testing.assert_allclose(found, exact.log_likelihood(p), rtol=1e-8)
    # log prior in x less that in z is the derivative of z by x
    for i in range(4):
        x, log_prior = unconstrained(density, model, {n: v[i] for n, v in p.items()}, data)
        step = 1e-5
        slope = 0.0
        for j, name in enumerate(exact.names):
            ends = []
            for sign in (-1, 1):
                moved = density.constrained(model, x | {name: x[name] + sign * step})[0]
                ends.append(z_of(exact, name, float(moved[name]), z[i, j]))
            slope += np.log((ends[1] - ends[0]) / (2 * step))
        assert log_prior == pytest.approx(stats.norm.logpdf(z[i]).sum() + slope, abs=1e-3)


def unconstrained(density, model, p, data):
    """Where parameters lie in unconstrained coordinates, and the prior's density there."""
    from benchmarks.problems.pymc_models import parsed, priors

    x = {}
    for name, text in priors(model).items():
        kind = "Beta" if name == "floor" else parsed(text)[0]
        if kind == "Normal":
            x[name] = p[name]
        elif kind in ("LogNormal", "HalfNormal"):
            x[name] = np.log(p[name])
        else:
            x[name] = np.log(p[name]) - np.log1p(-p[name])
    return x, float(density.log_prior(model, x, data))


def z_of(exact, name, theta, near):
    """The whitened coordinate of a parameter, by bisection of its quantile function."""
    low, high = near - 0.5, near + 0.5
    for _ in range(60):
        middle = 0.5 * (low + high)
        below = float(exact._priors[name](np.array([middle]))[0]) < theta
        low, high = (middle, high) if below else (low, middle)
    return 0.5 * (low + high)
