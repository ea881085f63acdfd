"""Posterior and prior predictive: scores drawn from the very likelihood that was fitted."""

import numpy as np
import pandas as pd
import pytest

import upturn
from upturn.arrays.namespaces import NUMPY
from upturn.posterior import tree as trees

FLOPS = 10.0 ** np.linspace(20, 24, 9)
SCORES = np.clip(0.25 + 0.2 * (np.log10(FLOPS) - 22), 0.25, 0.65)


def table(*, trials=400, families=1, metric="accuracy", score=SCORES, **columns):
    """One task, and another whose numbers must not change those of the first."""
    rows = {
        "model": [f"m{i}" for i in range(len(FLOPS))], "flops": FLOPS, "metric": metric,
        "trials": trials, "chance": 0.25,
        "family": [f"f{i % families}" for i in range(len(FLOPS))],
    }  # fmt: skip
    tasks = {"task a": score, "task b": score[::-1]}
    frames = [pd.DataFrame({"task": t, "score": s, **rows, **columns}) for t, s in tasks.items()]
    return upturn.read(pd.concat(frames, ignore_index=True))


def drawn(fit, group="posterior_predictive", **how):
    values = trees.values(fit.predictive(**how), group, "y")
    return values.reshape(-1, values.shape[-1])


@pytest.fixture(scope="module")
def counts():
    return upturn.fit(table(), draws=2000, likelihood="binomial")


@pytest.fixture(scope="module")
def families():
    ahead = np.clip(SCORES + np.tile([-0.08, 0.0, 0.08], 3) * (SCORES > 0.25), 0.25, 1)
    return upturn.fit(table(families=3, score=ahead, trials=2000), draws=1000)


def moments_of_binomial(fit):
    """Mean and variance of a score: (obs,), by the law of total variance over the draws."""
    contents = fit._contents
    u = np.log10(FLOPS / FLOPS[0]) / np.log10(FLOPS[-1] / FLOPS[0])
    p = {name: value[:, None, :] for name, value in contents.parameters.items()}
    mean = fit.model.mean(NUMPY, p, u[None, :, None], np.ones((2, 1, 1)))
    mean = mean.reshape(-1, mean.shape[-1])
    return mean.mean(axis=1), mean.var(axis=1) + (mean * (1 - mean)).mean(axis=1) / 400


def test_scores_have_the_moments_of_the_binomial(counts):
    """18 means and 18 variances within 5 standard errors: fails by chance for 1 seed in 40,000."""
    y = drawn(counts, seed=3)
    mean, variance = moments_of_binomial(counts)
    np.testing.assert_allclose(y * 400, np.round(y * 400), atol=1e-9)
    assert (np.abs(y.mean(axis=0) - mean) < 5 * np.sqrt(variance / len(y))).all()
    # the error of a variance, near that of a normal distribution, a quarter more for longer tails
    assert (np.abs(y.var(axis=0) / variance - 1) < 5 * 1.25 * np.sqrt(2 / len(y))).all()


def test_a_seed_says_the_numbers_and_other_curves_do_not(counts):
    alone = upturn.fit(table().where("task=task a"), draws=2000, likelihood="binomial")
    np.testing.assert_array_equal(drawn(alone, seed=3), drawn(counts, seed=3)[:, :9])
    assert (drawn(counts, seed=3) != drawn(counts, seed=4)).any()


def test_new_families_scatter_more_than_those_that_were_seen(families):
    """The offset of a family that was seen is known; of a new one only its distribution is."""
    same, new = (drawn(families, groups=g)[:, 5:9].std(axis=0) for g in ("same", "new"))
    assert (new > 1.5 * same).all()


def test_members_of_a_family_move_together(families):
    """Scores of one family are correlated given the parameters, where the curve is steep."""
    y = drawn(families, groups="new")[:, :9]
    apart = y - y.mean(axis=0)
    within, between = np.mean(apart[:, 5] * apart[:, 8]), np.mean(apart[:, 5] * apart[:, 7])
    assert within > between


def test_prior_predictive_does_not_know_the_scores(counts):
    """Floors have their mode at chance under the prior, and scores fill the range."""
    y = drawn(counts, "prior_predictive", prior=True)
    assert np.abs(np.median(y[:, 0]) - 0.25) < 0.05
    assert np.quantile(y[:, 8], 0.9) > 0.7 > 0.35 > np.quantile(y[:, 8], 0.1)


def test_scores_where_less_is_better_are_in_native_units():
    loss = 4 - 0.5 * np.maximum(np.log10(FLOPS) - 21, 0)
    fit = upturn.fit(table(metric="loss", score=loss, trials=np.nan, chance=np.nan), draws=400)
    y = drawn(fit)[:, :9]
    assert np.abs(np.median(y, axis=0) - loss).max() < 0.3


def test_runs_keep_their_correlation():
    """Neighbours in a run differ from their means alike: correlated noise is drawn in turn."""
    rng = np.random.default_rng(0)
    noise = np.zeros(40)
    for i in range(1, 40):
        noise[i] = 0.9 * noise[i - 1] + 0.03 * rng.normal()
    flops = np.geomspace(1e20, 1e24, 40)
    rows = pd.DataFrame({
        "task": "a", "model": [f"m-{i}" for i in range(40)], "run": "r", "flops": flops,
        "score": np.clip(0.4 + noise, 0.02, 0.98), "trials": 5000, "chance": 0.25,
    })  # fmt: skip
    fit = upturn.fit(upturn.read(rows), draws=400, likelihood="beta-binomial-ar", model="flat")
    y = drawn(fit)
    apart = y - y.mean(axis=1, keepdims=True)
    lag = (apart[:, 1:] * apart[:, :-1]).mean() / (apart**2).mean()
    assert lag > 0.4


def test_a_tree_with_predictive_scores_is_a_fit_and_can_be_saved(counts, tmp_path):
    tree = counts.predictive(draws=50, prior=True)
    path = tmp_path / "fit.nc"
    upturn.Fit(tree).save(path)
    loaded = upturn.load(path)
    for group in ("posterior_predictive", "prior_predictive"):
        np.testing.assert_array_equal(
            trees.values(loaded.tree, group, "y"), trees.values(tree, group, "y")
        )
    assert loaded.verdicts == counts.verdicts


def test_arviz_draws_its_checks_of_the_tree(counts):
    azp = pytest.importorskip("arviz_plots")
    tree = counts.predictive()
    for plot in (azp.plot_ppc_dist, azp.plot_ppc_pit, azp.plot_loo_pit):
        assert plot(tree, backend="none") is not None


@pytest.mark.parametrize(
    ("how", "message"),
    [
        ({"draws": 0}, "draws: expected 1 to 500"),
        ({"seed": -1}, "seed: expected 0"),
        ({"groups": "none"}, "predictive: expected a known choice of groups"),
    ],
)
def test_what_is_refused(counts, how, message):
    with pytest.raises(upturn.DataError, match=message):
        counts.predictive(**how)
