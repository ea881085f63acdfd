"""The posterior of the weights of a mix, and its verdicts."""

import numpy as np
import pytest
from scipy import stats

from tests.support.mixes import LEVELS, MIX
from upturn.questions.fit.mix import weights as weights_module
from upturn.questions.fit.mix.simplex import Simplex
from upturn.questions.fit.mix.weights import Posterior
from upturn.tables.axis import Axis


def known(center=0.3, sd=0.05, curves=1, se=0.0, bisections=10):
    """A posterior whose log evidence is that of a normal density in the first weight."""
    simplex = Simplex.of(2, bisections=bisections)
    w = simplex.vertices[:, [0]]
    total = stats.norm.logpdf(w, center, sd)
    return Posterior(
        simplex.vertices,
        simplex.quadrature,
        np.repeat(total / curves, curves, axis=1),
        np.full((len(w), curves), se),
        seed=0,
    )


@pytest.mark.parametrize("center", [0.3, 0.02, 1.1])
def test_moments_and_quantiles_of_a_known_density(center):
    found, sd = known(center), 0.05
    exact = stats.truncnorm((0 - center) / sd, (1 - center) / sd, center, sd)
    mean, error = found.mean(found.weights)
    assert mean == pytest.approx([exact.mean(), 1 - exact.mean()], abs=1e-3)
    assert error == pytest.approx(0)
    quantiles = found.quantiles(found.weights[:, 0], LEVELS)
    assert quantiles == pytest.approx(exact.ppf(LEVELS), abs=1.5e-3)
    inside = stats.norm.cdf(1, center, sd) - stats.norm.cdf(0, center, sd)
    assert found.log_marginal[0] == pytest.approx(np.log(inside), abs=2e-3)
    ends = stats.norm.logpdf([1, 0], center, sd)
    assert found.advantage[0] == pytest.approx(np.log(inside) - ends, abs=2e-3)


def test_monte_carlo_errors_widen_the_posterior_and_say_so():
    """The mean's error against what independent errors of that size make of it, by simulation."""
    exact, noisy = known(bisections=7), known(se=0.5, bisections=7)
    rng = np.random.default_rng(5)
    moved = [
        Posterior(
            exact.weights,
            exact.prior,
            exact.log_evidence + 0.5 * rng.standard_normal(exact.log_evidence.shape),
            exact.log_evidence_se,
            seed=0,
        )
        for _ in range(400)
    ]
    mass = np.array([one.prior * np.exp(one.total - one.total.max()) for one in moved])
    spread = np.std(mass @ exact.weights[:, 0] / mass.sum(axis=1))
    assert noisy.mean(noisy.weights)[1][0] == pytest.approx(spread, rel=0.15)
    totals = np.array([one.total for one in moved])
    marginal = np.log(np.exp(totals - totals.max()) @ exact.prior).std()
    assert noisy.log_marginal[1] == pytest.approx(marginal, rel=0.25)
    assert noisy.resolution <= exact.resolution + 1


def test_evidences_of_curves_follow_the_chain_rule():
    """log p(a, b) = log p(b) + log p(a | b)."""
    rng = np.random.default_rng(2)
    simplex = Simplex.of(3, bisections=5)
    evidence = -20 * rng.uniform(size=(len(simplex.vertices), 2))
    none = np.zeros_like(evidence)
    found = Posterior(simplex.vertices, simplex.quadrature, evidence, none, seed=0)
    for a, b in ((0, 1), (1, 0)):
        given = found.of_curves[0][a]
        assert found.log_marginal[0] == pytest.approx(found.of(b).log_marginal[0] + given)


def test_agreement_tells_curves_of_one_mix_from_curves_of_several():
    alike, w = known(curves=2), known().weights[:, [0]]
    assert alike.agreement > 0.5
    apart = np.hstack([stats.norm.logpdf(w, c, 0.05) for c in (0.2, 0.7)])
    found = Posterior(alike.weights, alike.prior, apart, np.zeros_like(apart), seed=0)
    assert found.agreement < -5


@pytest.mark.parametrize(
    ("center", "sd", "start"),
    [
        (0.4, 0.05, "params and tokens both matter: params^0.40 · tokens^0.60 (90 %: 0.32 to 0.48"),
        (1.0, 0.05, "params alone is enough: beats the mix with tokens by 2."),
        (0.0, 0.05, "tokens alone is enough: beats the mix with params by 2."),
        (0.5, 2.0, "a tie: "),
    ],
)
def test_verdicts(center, sd, start):
    text = weights_module.verdict(
        known(center, sd), Axis.parse(MIX), np.array([[8.0, 9.0], [11.0, 12.0]])
    )
    assert text.startswith(start)


def test_a_verdict_where_monte_carlo_errors_are_as_large_as_the_difference():
    limits = np.array([[8.0, 9.0], [11.0, 12.0]])
    exact = weights_module.verdict(known(1.0), Axis.parse(MIX), limits)
    noisy = weights_module.verdict(known(1.0, se=3.0), Axis.parse(MIX), limits)
    assert exact.startswith("params alone is enough")
    assert noisy.startswith("a tie: params alone and the mix with tokens differ by 2.")


def test_a_verdict_in_weights_where_there_are_no_exponents():
    axis = Axis.parse("mix:params,loss")
    text = weights_module.verdict(known(0.4), axis, np.array([[8.0, -3.0], [11.0, -2.0]]))
    assert "0.40 params + 0.60 loss (90 %: 0.32 to 0.48 for params)" in text


def test_less_is_better_shows_in_the_exponent():
    axis = Axis.parse("mix:params,perplexity")
    text = weights_module.verdict(known(0.4), axis, np.array([[8.0, -2.0], [9.0, -1.0]]))
    assert "params^0.40 · perplexity^-0.60" in text
