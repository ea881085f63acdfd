"""The default model in one loop: what the loop over points makes of it, and the same bits always.

That it is the likelihood of the formulas, `tests/sampling/test_formulas.py` says.
"""

import numpy as np
import pytest

from tests.support import contrasts
from tests.support.tables import table
from tests.support.targets import target_of_two
from upturn.arrays.namespaces import NUMPY
from upturn.formulas.kernels.hinge import PARTICLES
from upturn.model import Model
from upturn.sampling.density.target import Target
from upturn.sampling.jax import likelihood as traced
from upturn.tables.results import read

COUNT = 2 * PARTICLES + 5  # two whole pieces and a rest


def whitened(target, seed=0):
    return np.random.default_rng(seed).normal(size=(2, target.dimension, COUNT))


@pytest.mark.parametrize("likelihood", ["beta-binomial", "normal"])
@pytest.mark.parametrize("scatter", ["none", "family"])
@pytest.mark.parametrize("changepoint", [-8.0, 0.0, 8.0])
def test_terms_at_the_floor_are_those_computed_at_every_node(
    monkeypatch, likelihood, scatter, changepoint
):
    """Curves that rise from their first point on, somewhere, and nowhere."""
    target = target_of_two("hinge", likelihood, scatter)
    z = whitened(target)
    z[:, target.names.index("changepoint")] += changepoint
    got = target.log_likelihood(np.arange(2), z)
    monkeypatch.setattr(Target, "_fused", False)
    np.testing.assert_allclose(got, target.log_likelihood(np.arange(2), z), rtol=1e-8, atol=1e-9)


def test_a_technique_beside_its_baseline_is_no_hinge():
    """It has the segments of its baseline and another mean."""
    from upturn.questions.contrast.gains import GAINS, Paired
    from upturn.questions.contrast.pairing import paired

    joint = paired(
        contrasts.curves_of(contrasts.table(np.random.default_rng(2), count=5)), "cot", "direct"
    )
    plain = Model.read("hinge")
    for gain in GAINS:
        model = Paired.of(plain, gain)
        target = Target(model, joint, plain.likelihood_for("counts"))
        z = whitened(target)[:1]
        rows = np.array([0])
        expected = traced.log_likelihood(target.with_arrays(target.arrays()), rows, z, NUMPY)
        np.testing.assert_allclose(target.log_likelihood(rows, z), expected, rtol=1e-7)


@pytest.mark.parametrize("scatter", ["none", "family"])
def test_a_rows_likelihood_is_the_same_bits_in_any_company(scatter):
    target = target_of_two("hinge", "beta-binomial", scatter)
    z = whitened(target)
    together = target.log_likelihood(np.array([1, 0, 1, 1, 0]), z[[1, 0, 1, 1, 0]])
    for row in (0, 1):
        alone = target.log_likelihood(np.array([row]), z[row : row + 1])
        for place in np.flatnonzero(np.array([1, 0, 1, 1, 0]) == row):
            np.testing.assert_array_equal(alone[0], together[place])


@pytest.mark.parametrize("scatter", ["none", "family"])
def test_a_particles_likelihood_is_the_same_to_rounding_in_any_company(scatter):
    target = target_of_two("hinge", "beta-binomial", scatter)
    z = whitened(target)
    together = target.log_likelihood(np.arange(2), z)
    for some in (slice(0, 1), slice(3, 3 + PARTICLES), slice(PARTICLES - 1, COUNT)):
        alone = target.log_likelihood(np.array([1]), z[1:, :, some])
        np.testing.assert_allclose(alone, together[1:, some], rtol=1e-12)


@pytest.mark.parametrize("trials", [1, 3, 11, 24, 10**6])
def test_small_counts_of_either_kind_are_multiplied_out(monkeypatch, trials):
    """None, some and all solved, few and many, so that each of the four ways is taken."""
    solved = np.array([0, 1, trials // 2, trials - 2, trials, min(10, trials), min(11, trials)])
    frame = table(len(solved), trials=trials, successes=np.maximum(solved, 0))
    chosen = Model.read("hinge").with_likelihood("beta-binomial")
    curves = read(frame).curves("flops", scatter="none")
    target = Target(chosen, curves, chosen.likelihood_for("counts"))
    z = 3 * np.random.default_rng(1).normal(size=(1, target.dimension, COUNT))
    got = target.log_likelihood(np.array([0]), z)
    monkeypatch.setattr(Target, "_fused", False)
    expected = target.log_likelihood(np.array([0]), z)
    np.testing.assert_allclose(got, expected, rtol=1e-8, atol=1e-8)
