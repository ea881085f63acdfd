"""Intervals hold the truth as often as they say, on curves simulated from the model itself.

Curves come from the default priors, so 90 % intervals cover 90 % of them but for chance and for
Monte Carlo error, which counts of what is inside are compared with.
"""

import numpy as np
import pandas as pd
import pytest
from scipy import stats

from upturn.model import Model
from upturn.sampling import batch
from upturn.sampling.density.target import Target
from upturn.tables.results import read

CHANCE = 0.25


def scales(points, generator):
    """U of each point: the ends of the axis, and between them uniform."""
    return np.sort(np.concatenate([[0.0, 1.0], generator.uniform(size=points - 2)]))


def design(curves, seed, *, points, trials, families=0):
    """A table of curves that waits for its scores: u and trials, and balanced families."""
    generator = np.random.default_rng(seed)
    frames = []
    for i in range(curves):
        count = int(generator.integers(points[0], points[1] + 1))
        labels = np.arange(count) % max(families, 1)
        frames.append(
            pd.DataFrame(
                {
                    "task": f"t{i}",
                    "model": [f"m{j}" for j in range(count)],
                    "u": scales(count, generator),
                    "trials": generator.integers(trials[0], trials[1] + 1, count),
                    "family": [f"f{g}" for g in generator.permutation(labels)],
                    "chance": CHANCE,
                    "successes": 0,
                }
            )
        )
    table = pd.concat(frames, ignore_index=True)
    table["flops"] = 10 ** (20 + 4 * table["u"])
    return table if families else table.drop(columns="family")


def from_prior(table, seed, *, scatter=0.0, **fixed):
    """Curves with scores drawn from the hinge's prior; the changepoints they were drawn with."""
    generator = np.random.default_rng(seed)
    curves = read(table).curves("flops", scatter="none")
    model = Model.read("hinge")
    target = Target(model, curves, model.likelihood_for("counts"))
    z = generator.normal(size=(len(curves), target.dimension, 1))
    p = target.parameters(np.arange(len(curves)), z)
    p |= {name: np.full_like(p[name], value) for name, value in fixed.items()}
    which = table["task"].str[1:].astype(int).to_numpy()
    at = {name: value[which, 0] for name, value in p.items()}
    offset = 0.0
    if scatter:
        one_each = table.groupby(["task", "family"]).ngroup().to_numpy()
        offset = scatter * generator.normal(size=one_each.max() + 1)[one_each]
    beyond = np.maximum(table["u"] + offset - at["changepoint"], 0)
    share = at["height"] * -np.expm1(-at["rate"] * beyond)
    mean = np.clip(at["floor"] + (1 - at["floor"]) * share, 1e-9, 1 - 1e-9)
    size = 1 / np.clip(at["overdispersion"] ** 2, 1e-8, 0.999) - 1
    rate = generator.beta(mean * size, (1 - mean) * size)
    drawn = table.assign(successes=generator.binomial(table["trials"], rate))
    return drawn, p["changepoint"][:, 0]


def covered(table, truth, *, scatter, level=0.9, draws=400):
    """Which 90 % intervals of the changepoint hold the truth."""
    curves = read(table).curves("flops", scatter=scatter)
    found = batch.sample(Model.read("hinge"), curves, draws=draws, seed=0)
    tau = found.parameters["changepoint"].reshape(len(curves), -1)
    low, high = np.quantile(tau, [(1 - level) / 2, (1 + level) / 2], axis=1)
    order = [int(name[1:]) for name in curves.name]
    return (low <= truth[order]) & (truth[order] <= high)


def inside_of(count):
    """The share of 90 % intervals that hold the truth: 12 to 40 points, 100 to 2,000 trials."""
    table = design(count, 11, points=(12, 40), trials=(100, 2000))
    return covered(*from_prior(table, 12), scatter="none").mean()


@pytest.mark.slow
def test_intervals_of_a_changepoint_cover():
    """Fails by chance once in 10^4."""
    low, high = stats.binom.interval(1 - 1e-4, 200, 0.9)
    assert low / 200 <= inside_of(200) <= high / 200


@pytest.mark.slow
def test_intervals_of_a_changepoint_cover_closely():
    """Of 4,000 intervals that cover 90 %, 88.5 to 91.5 % hold the truth but for once in 600."""
    assert 0.885 <= inside_of(4000) <= 0.915


@pytest.mark.slow
def test_scatter_between_families_is_covered():
    """Abilities that clearly emerge, in eight families with offsets of sd 0.1 on u.

    The default covered 88 % and no scatter 67 %. Of 400 intervals that cover 90 %, 86 to 94 % hold
    the truth but for once in 130; of those that cover 67 %, 75 % do once in 5,000.
    """
    table = design(400, 21, points=(14, 14), trials=(200, 2000), families=8)
    drawn, truth = from_prior(table, 22, scatter=0.1, height=0.8, rate=4.0, overdispersion=0.02)
    assert 0.86 <= covered(drawn, truth, scatter="auto", draws=200).mean() <= 0.94
    assert covered(drawn, truth, scatter="none", draws=200).mean() < 0.75
