"""The likelihood of whole curves against SciPy's densities and against brute-force integrals."""

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
from scipy import stats

from tests.support.tables import table
from tests.support.targets import hinge_mean, target_of
from upturn.formulas.scaling import Scaling
from upturn.model import Model
from upturn.sampling.density import offsets
from upturn.sampling.density import target as targets
from upturn.sampling.density.pointwise import pointwise
from upturn.sampling.density.target import Target
from upturn.tables.results import read


def draws(target, count=16, seed=1):
    return np.random.default_rng(seed).normal(size=(1, target.dimension, count))


@pytest.fixture
def target():
    return target_of(table())


def test_log_likelihood_is_scipys_beta_binomial(target):
    z = draws(target)
    p = {name: value[0] for name, value in target.parameters(np.array([0]), z).items()}
    u = target.curves.u[0, 0]
    rho = p["overdispersion"] ** 2
    expected = np.zeros(z.shape[2])
    for k, n, at in zip(target.curves.response[0], target.curves.trials[0], u, strict=True):
        mean = hinge_mean(p, at)
        expected += stats.betabinom.logpmf(k, n, mean * (1 / rho - 1), (1 - mean) * (1 / rho - 1))
    np.testing.assert_allclose(target.log_likelihood(np.array([0]), z)[0], expected, rtol=1e-9)


def test_floor_prior_has_its_mode_at_chance(target):
    z = np.linspace(-6, 6, 2001)[None, None, :].repeat(target.dimension, axis=1)
    floor = target.parameters(np.array([0]), z)["floor"][0]
    prior = stats.beta(1 + 0.25 * 98, 1 + 0.75 * 98)
    np.testing.assert_allclose(floor, prior.ppf(stats.norm.cdf(z[0, 0])), atol=1e-8)


def test_unknown_chance_falls_back(target):
    blind = target_of(table().drop(columns="chance"))
    assert str(blind.priors["floor"].choice(np.nan)) == "Beta(1, 4)"


@pytest.mark.parametrize("model", ["takeoff"])
def test_changepoints_are_uniform_order_statistics(model):
    target = target_of(table(), model)
    z = np.random.default_rng(0).normal(size=(1, target.dimension, 4000))
    p = target.parameters(np.array([0]), z)
    first, second = p["changepoint"][0], p["changepoint_2"][0]
    assert (first < second).all()
    # each Kolmogorov-Smirnov test fails by chance once in 10^6
    assert stats.kstest(first, stats.beta(1, 2).cdf).pvalue > 1e-6
    assert stats.kstest(second, stats.beta(2, 1).cdf).pvalue > 1e-6


def brute_force(target, z, nodes=4001, reach=4.0):
    """The likelihood with groups' offsets integrated on a grid so fine that nothing is left."""
    p = {name: value[0] for name, value in target.parameters(np.array([0]), z).items()}
    epsilon = np.linspace(-reach, reach, nodes)
    weight = stats.norm.logpdf(epsilon) + np.log(epsilon[1] - epsilon[0])
    rho = p["overdispersion"] ** 2
    total = np.zeros(z.shape[2])
    curves = target.curves
    for g in range(int(curves.groups[0])):
        inside = np.zeros((nodes, z.shape[2]))
        for i in np.flatnonzero(curves.group[0] == g):
            at = curves.u[0, 0, i] + p["scatter"] * epsilon[:, None]
            mean = np.clip(hinge_mean(p, at), 1e-9, 1 - 1e-9)
            k, n = curves.response[0, i], curves.trials[0, i]
            inside += stats.betabinom.logpmf(k, n, mean * (1 / rho - 1), (1 - mean) * (1 / rho - 1))
        total += np.logaddexp.reduce(inside + weight[:, None], axis=0)
    return total


def likely(target, count, seed=3):
    """Parameters that the data of `table` could come from."""
    z = 0.3 * draws(target, count, seed)
    z[0, target.names.index("scatter")] += 0.5
    return z


@pytest.mark.filterwarnings("ignore:divide by zero")
def test_scatter_is_integrated():
    target = target_of(table(), scatter="family").with_nodes(801)
    assert target.names[-1] == "scatter"
    z = likely(target, 6)
    found = target.log_likelihood(np.array([0]), z)[0]
    np.testing.assert_allclose(found, brute_force(target, z), atol=2e-3)


@pytest.mark.filterwarnings("ignore:divide by zero")
def test_scatter_integral_is_unbiased(monkeypatch):
    """Few nodes make noise, not bias: over shifts of the grid the mean is the integral.

    The z-score below exceeds 5 by chance once in 10^6.
    """
    target = target_of(table(n_models=9, families=3), scatter="family").with_nodes(7)
    z = likely(target, 1)
    exact = brute_force(target, z)[0]
    shifts = np.random.default_rng(5).uniform(size=(1, 3, 4000))
    monkeypatch.setattr(offsets, "shifts", lambda z, groups: shifts[:, :, : z.shape[2]])
    monkeypatch.setattr(targets, "BLOCK", 10**9)  # so that it is asked for all shifts at once
    log_value = target.log_likelihood(np.array([0]), z.repeat(4000, axis=2))
    ratio = np.exp(log_value[0] - exact)
    assert ratio.std() > 0.01  # else nothing was tested
    assert abs((ratio.mean() - 1) / (ratio.std() / np.sqrt(len(ratio)))) < 5


@pytest.mark.filterwarnings("ignore:divide by zero")
def test_nodes_go_where_offsets_are_known_precisely():
    """Groups on the rise get more nodes than those below it, and the integral stays what it is.

    The noise that is left is that of the shifts of 60 particles: its standard deviation is some
    .02, and .2 would be far out.
    """
    frame = table(n_models=15, families=3, trials=400)
    frame["successes"] = (frame["trials"] * (0.25 + 0.7 * (np.arange(15) > 9))).astype(int)
    frame["family"] = [f"f{i // 5}" for i in range(15)]
    frame["successes"] += np.where(np.arange(15) == 10, -140, 0)  # half way up
    target = target_of(frame, scatter="family")
    z = np.zeros((1, target.dimension, 60))
    z += 0.05 * np.random.default_rng(0).normal(size=z.shape)
    z[0, target.names.index("changepoint")] += 0.4
    z[0, target.names.index("rate")] += 2.0
    z[0, target.names.index("height")] += 1.5
    fine = target.resolving(np.array([0]), z, 1.0)
    assert fine.rule.nodes[0].max() > 2 * fine.rule.nodes[0].min()
    error = fine.log_likelihood(np.array([0]), z)[0] - brute_force(target, z)
    assert error.std() < 0.2
    assert abs(error.mean()) < 0.2


def test_pointwise_terms_sum_to_the_likelihood(target):
    z = draws(target)
    p = {name: v[:, None, :] for name, v in target.parameters(np.array([0]), z).items()}
    total = pointwise(target, 0, p).sum(axis=0)
    np.testing.assert_allclose(total, target.log_likelihood(np.array([0]), z)[0], rtol=1e-8)


def test_pointwise_with_scatter_leaves_a_point_of_its_group_out():
    """log p(y_i | the rest of its group) is the difference of two likelihoods."""
    frame = table(n_models=9, families=3)
    target = target_of(frame, scatter="family").with_nodes(801)
    z = likely(target, 5)
    p = {name: v[:, None, :] for name, v in target.parameters(np.array([0]), z).items()}
    whole = target.log_likelihood(np.array([0]), z)[0]
    for left_out in (0, 4, 8):
        group = target.curves.group.copy()
        group[0, left_out] = -1
        mask = target.curves.mask.copy()
        mask[0, left_out] = False
        order = np.argsort(~mask[0], kind="stable")
        fields = {
            f: getattr(target.curves, f)[..., order]
            for f in ("x", "response", "trials", "run", "model", "family")
        }
        rest = replace(target.curves, mask=mask[:, order], group=group[:, order], **fields)
        rest = replace(rest, x=np.where(rest.mask, rest.x, 0.0))
        without = Target(target.model, rest, target.likelihood).with_nodes(801)
        expected = whole - without.log_likelihood(np.array([0]), z)[0]
        np.testing.assert_allclose(pointwise(target, 0, p)[left_out], expected, atol=0.02)


def test_padding_and_neighbours_change_no_bit():
    """A curve alone, among others, and in another order gives the same bits."""
    frame = pd.concat([table(n, seed=n).assign(task=f"t{n}") for n in (5, 30, 12)])
    target = target_of(frame)
    z = np.random.default_rng(0).normal(size=(3, target.dimension, 100))
    together = target.log_likelihood(np.arange(3), z)
    for i in range(3):
        alone = Target(target.model, target.curves.take([i]), target.likelihood)
        assert (alone.log_likelihood(np.array([0]), z[i : i + 1])[0] == together[i]).all()
    shuffled = np.array([2, 0, 1])
    assert (target.log_likelihood(shuffled, z[shuffled]) == together[shuffled]).all()


def test_continuous_scores_fill_the_middle_half():
    frame = table().assign(score=lambda d: 5 - np.log10(d["flops"]) / 10, metric="loss")
    target = target_of(frame.drop(columns=["successes", "trials", "chance"]))
    y = target.data.y[0]
    assert target.likelihood.name == "normal"
    assert y.min() == pytest.approx(0.25)
    assert y.max() == pytest.approx(0.75)
    # oriented: the largest model has the lowest loss and comes out on top
    assert y.argmax() == target.curves.x[0, 0].argmax()


def test_constant_continuous_curve_has_a_scale():
    frame = table().assign(score=3.0, metric="loss").drop(columns=["successes", "trials", "chance"])
    curves = read(frame).curves("flops", scatter="none")
    scaling = Scaling.of(curves, bounded=False)
    assert scaling.span[0] > 0
    assert np.isfinite(scaling.offset[0])


def test_a_constant_curve_far_from_chance_has_chance_within_reach():
    """A range of a millionth would lay chance millions of lengths away, beyond any model."""
    frame = table().assign(score=0.0, chance=0.25, metric="bleu")
    curves = read(frame.drop(columns=["successes", "trials"])).curves("flops", scatter="none")
    scaling = Scaling.of(curves, bounded=False)
    assert abs((0.25 - scaling.offset[0]) / scaling.span[0]) <= 1


@pytest.mark.parametrize("model", Model.names())
@pytest.mark.parametrize("trials", [1, 10**9])
def test_extreme_counts_stay_finite(model, trials):
    frame = table(trials=trials, successes=lambda d: (np.arange(len(d)) % 2) * trials)
    target = target_of(frame, model)
    z = 4 * np.random.default_rng(0).normal(size=(1, target.dimension, 500))
    value = target.log_likelihood(np.array([0]), z)
    assert np.isfinite(value).all()
    assert (value <= 1e-6).all()
