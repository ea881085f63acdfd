"""simulate: what is drawn has the distributions that are written, and reads back.

Truths are compared with formulas written out here, and with SciPy. Seeds are fixed; a test of a
distribution fails by chance once in a thousand seeds or less.
"""

import numpy as np
import pandas as pd
import pytest
from scipy import special, stats

import upturn
from upturn import Design
from upturn.formulas.likelihoods.registry import LIKELIHOODS
from upturn.model import Model
from upturn.questions.simulate.draw import draw
from upturn.show.text.formats import to_csv

LEAST_P = 1e-3


def by_hand(p, u):
    """The hinge's share, as it is written in docs/models.md."""
    beyond = np.maximum(u - p["changepoint"][:, None], 0)
    share = p["height"][:, None] * -np.expm1(-p["rate"][:, None] * beyond)
    return p["floor"][:, None] + (1 - p["floor"][:, None]) * share


# ---- distributions -------------------------------------------------------------------------------


@pytest.mark.slow
def test_parameters_have_their_priors():
    made = upturn.simulate("hinge", Design(chance=0.2), tasks=2000, seed=3).drawn.parameters
    expected = {
        "changepoint": stats.uniform(),
        "height": stats.uniform(),
        "rate": stats.lognorm(1.2, scale=np.e),
        "floor": stats.beta(1 + 98 * 0.2, 1 + 98 * 0.8),
        "overdispersion": stats.halfnorm(scale=0.2),
    }
    assert made.keys() == expected.keys()
    for name, distribution in expected.items():
        assert stats.kstest(made[name], distribution.cdf).pvalue > LEAST_P, name


def test_changepoints_are_uniform_order_statistics():
    made = upturn.simulate("takeoff", tasks=2000, seed=4).drawn.parameters
    first, second = made["changepoint"], made["changepoint_2"]
    assert (first <= second).all()
    assert stats.kstest(first, stats.beta(1, 2).cdf).pvalue > LEAST_P
    assert stats.kstest(second, stats.beta(2, 1).cdf).pvalue > LEAST_P


def test_a_floor_goes_by_the_chance_of_its_task():
    made = upturn.simulate("chance", Design(chance=(0.0, 0.5, np.nan)), tasks=3000, seed=5)
    floor = made.drawn.parameters["floor"]
    for place, prior in enumerate([stats.beta(1, 99), stats.beta(50, 50), stats.beta(1, 4)]):
        assert stats.kstest(floor[place::3], prior.cdf).pvalue > LEAST_P


@pytest.mark.slow
def test_counts_have_the_mean_and_the_variance_of_the_beta_binomial():
    design = Design(models_per_task=20, trials=(50, 400))
    made = upturn.simulate("hinge", design, tasks=3000, seed=6)
    curves, p = made.curves, made.drawn.parameters
    mean = by_hand(p, curves.u[0])
    np.testing.assert_allclose(made.drawn.mean, mean, atol=1e-8)
    n, rho = curves.trials, p["overdispersion"][:, None] ** 2
    variance = mean * (1 - mean) * (rho + (1 - rho) / n)
    z = (curves.response / n - mean) / np.sqrt(variance)
    # 60,000 standardised scores: mean 0 and mean square 1 within four standard errors
    assert abs(z.mean()) < 4 / np.sqrt(z.size)
    assert abs((z**2).mean() - 1) < 4 * (z**2).std() / np.sqrt(z.size)


def beta_cdf(p, y, mean):
    size = 1 / p["overdispersion"] ** 2 - 1
    return stats.beta(mean * size, (1 - mean) * size).cdf(y)


CDFS = {
    "beta": beta_cdf,
    "normal": lambda p, y, mean: stats.norm(mean, p["sigma"]).cdf(y),
    "student-t": lambda p, y, mean: stats.t(p["nu"], mean, p["sigma"]).cdf(y),
}


@pytest.mark.parametrize("name", CDFS)
def test_continuous_scores_have_the_distribution_of_the_likelihood(name):
    fixed = {"overdispersion": 0.3, "sigma": 0.05, "nu": 3.0}
    design = Design(models_per_task=20)
    made = upturn.simulate("hinge", design, tasks=100, likelihood=name, fixed=fixed, seed=7)
    mean = by_hand(made.drawn.parameters, made.curves.u[0])
    uniform = CDFS[name](fixed, made.curves.response, mean)
    assert stats.kstest(uniform.ravel(), "uniform").pvalue > LEAST_P


@pytest.mark.parametrize("name", ["beta-binomial", "binomial"])
def test_counts_have_the_probabilities_of_the_likelihood(name):
    """Counts of few trials against the likelihood's own density, by a chi-square test."""
    likelihood, trials, mean = LIKELIHOODS[name], 6, 0.3
    p = {"overdispersion": np.array(0.5)}
    y = np.arange(trials + 1.0)
    from upturn.arrays.namespaces import NUMPY

    density = likelihood.log_terms(NUMPY, np.array(mean), p, y, float(trials))
    density = np.exp(density + likelihood.log_rest(NUMPY, p, y, float(trials)))
    full = np.full(20_000, 1.0)
    noise = {"overdispersion": 0.5 * full}
    drawn = likelihood.draw(np.random.default_rng(8), mean * full, noise, trials * full)
    counts = np.bincount(drawn.astype(int), minlength=trials + 1)
    assert stats.chisquare(counts, density * len(full)).pvalue > LEAST_P


def test_families_stand_apart_by_their_offsets():
    design = Design(models_per_task=30, families=5)
    made = upturn.simulate("hinge", design, tasks=400, fixed={"scatter": 0.1}, seed=9)
    offset, curves = made.drawn.offset, made.curves
    assert (curves.groups == 5).all()
    assert stats.kstest(offset.ravel() / 0.1, "norm").pvalue > LEAST_P
    u = curves.u[0] + np.take_along_axis(offset, curves.group.astype(int), axis=1)
    np.testing.assert_allclose(made.drawn.mean, by_hand(made.drawn.parameters, u), atol=1e-8)
    alone = upturn.simulate("hinge", Design(families=5), tasks=9, fixed={"scatter": 0}, seed=9)
    assert not alone.drawn.offset.any()


# ---- tables --------------------------------------------------------------------------------------


@pytest.mark.parametrize("likelihood", LIKELIHOODS)
def test_a_table_reads_back(likelihood, tmp_path):
    design = Design(models_per_task=(5, 9), trials=(20, 90), families=2, chance=(0.25, 0.0))
    made = upturn.simulate("logistic", design, tasks=7, likelihood=likelihood, seed=10)
    path = tmp_path / "table.csv"
    path.write_text(to_csv(made.frame))
    back = upturn.read(path).curves("flops")
    assert back.kind[0] in LIKELIHOODS[likelihood].kinds[:1]
    for field in ("response", "trials", "mask", "group", "model", "family", "chance", "kind"):
        np.testing.assert_array_equal(getattr(back, field), getattr(made.curves, field), field)
    np.testing.assert_allclose(back.x, made.curves.x)
    assert back.name.tolist() == made.truth.index.tolist()


def test_a_tasks_models_are_those_of_all_tasks_unless_their_number_varies():
    same = upturn.simulate(tasks=4, seed=1).frame
    assert same.groupby("model")["flops"].nunique().eq(1).all()
    assert same["model"].nunique() == 12
    own = upturn.simulate(design=Design(models_per_task=(3, 6)), tasks=20, seed=1).frame
    assert own.groupby("task").size().between(3, 6).all()
    assert own["model"].nunique() == len(own)


def test_scales_fill_the_limits_on_every_kind_of_axis():
    for axis, limits in (("perplexity", (3.0, 40.0)), ("params", (1e8, 1e11)), ("loss", (2, 4))):
        made = upturn.simulate(design=Design(axis=axis, limits=limits, spacing="even"), tasks=2)
        values = made.frame[axis].to_numpy()[:12]
        assert sorted([values[0], values[-1]]) == pytest.approx(sorted(limits))
        x = made.curves.axes[0].coordinate(values)
        np.testing.assert_allclose(np.diff(x), np.diff(x)[0])
        assert (made.results.curves(axis).response == made.curves.response).all()


def test_the_design_of_a_table_is_kept():
    table = upturn.read("gpt3").where("setting=few-shot", "metric=acc")
    real = table.curves("params")
    made = upturn.simulate("hinge", table, axis="params", seed=2)
    assert len(made.curves) == len(real)
    for field in ("x", "trials", "mask", "group", "chance", "model", "name"):
        np.testing.assert_array_equal(getattr(made.curves, field), getattr(real, field), field)
    assert (made.curves.response != real.response).any()
    many = upturn.simulate("hinge", table, axis="params", tasks=2 * len(real) + 1, seed=2)
    assert len(many.curves) == 2 * len(real) + 1
    assert len(set(many.truth["task"])) == len(many.curves)
    np.testing.assert_array_equal(many.curves.trials[: len(real)], real.trials)


def test_continuous_metrics_keep_the_range_of_their_table():
    rng = np.random.default_rng(0)
    frame = pd.DataFrame(
        {
            "task": "t", "metric": "loss", "model": [f"m{i}" for i in range(40)],
            "flops": 10 ** np.linspace(19, 23, 40), "score": rng.uniform(2.0, 4.0, 40),
        }
    )  # fmt: skip
    fixed = {"changepoint": 0.5, "height": 0.5, "rate": 50.0, "floor": 0.25, "sigma": 1e-3}
    made = upturn.simulate("hinge", frame, fixed=fixed, seed=0)
    score = made.frame["score"]
    # from the lowest share shown, a quarter, where loss is 4, by (1 - 1/4)/2 of twice the range
    assert score.iloc[:15].mean() == pytest.approx(frame["score"].max(), abs=0.05)
    fall = 0.375 * 2 * (frame["score"].max() - frame["score"].min())
    assert score.iloc[25:].mean() == pytest.approx(frame["score"].max() - fall, abs=0.05)
    assert made.truth["floor"].iloc[0] == pytest.approx(frame["score"].max())
    assert (made.results.curves().orientation == -1).all()


# ---- truth ---------------------------------------------------------------------------------------


def test_truth_is_in_the_units_of_a_fit():
    fixed = {"changepoint": 0.6, "height": 0.8, "rate": 4.0, "floor": 0.25}
    truth = upturn.simulate("hinge", tasks=1, fixed=fixed).truth.iloc[0]
    assert truth["changepoint"] == pytest.approx(22.6)
    assert truth["changepoint_scale"] == pytest.approx(10**22.6)
    # 0.25 + 0.75 * 0.8 (1 - exp(-4 d)) = 0.35
    beyond = -np.log1p(-0.1 / 0.6) / 4
    assert np.log10(truth["scale"]) == pytest.approx(22.6 + 6 * beyond, abs=1e-3)
    rise = 0.6 * -np.expm1(-1.6)
    assert truth["rise"] == pytest.approx(rise)
    assert truth["emergent"]
    assert not truth["sharp"]
    flat = -np.log1p(-0.1 * rise / 0.6) / 4
    assert np.log10(truth["onset_scale"]) == pytest.approx(22.6 + 6 * flat, abs=0.01)


def test_a_curve_that_never_rises_has_no_emergence():
    truth = upturn.simulate("hinge", tasks=1, fixed={"height": 0.0}).truth.iloc[0]
    assert truth["scale"] == np.inf
    assert not truth["emergent"]
    assert np.isnan(truth["onset_scale"])


def test_models_take_turns():
    made = upturn.simulate(["flat", "takeoff", "inverse"], tasks=8, seed=1)
    assert made.truth["drawn_from"].tolist()[:4] == ["flat", "takeoff", "inverse", "flat"]
    assert made.truth["changepoint_2"].notna().tolist() == [False, True, False] * 2 + [False, True]
    level = made.drawn.parameters["level"][0]
    np.testing.assert_allclose(made.drawn.mean[0], level)
    start, slope = (made.drawn.parameters[n][2] for n in ("intercept", "slope"))
    np.testing.assert_allclose(
        made.drawn.mean[2], special.expit(start - slope * made.curves.u[0, 2]), atol=1e-8
    )


def test_the_same_seed_gives_the_same_table_and_another_another():
    first, again, other = (upturn.simulate(tasks=5, seed=s).frame for s in (1, 1, 2))
    pd.testing.assert_frame_equal(first, again)
    assert not first.equals(other)


def test_a_user_model_and_priors_are_drawn_from():
    model = Model.read("step").with_priors({"level": "Uniform(0.7, 0.8)"})
    made = upturn.simulate(model, tasks=200, priors={"changepoint": "Uniform(0.4, 0.5)"})
    assert ((made.drawn.parameters["level"] >= 0.7) & (made.drawn.parameters["level"] <= 0.8)).all()
    assert (np.abs(made.drawn.parameters["changepoint"] - 0.45) <= 0.05).all()


def test_values_may_differ_by_curve():
    design = Design().curves(3)
    at = np.array([0.2, 0.5, 0.8])
    made = draw(Model.read("hinge"), design, np.random.default_rng(0), fixed={"changepoint": at})
    np.testing.assert_array_equal(made.parameters["changepoint"], at)


# ---- bad input -----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("call", "said"),
    [
        (lambda: Design(models_per_task=1), "models_per_task: expected 2 to"),
        (lambda: Design(models_per_task=(9, 3)), "models_per_task: expected a number, or least"),
        (lambda: Design(models_per_task=2.5), "models_per_task: expected a whole number"),
        (lambda: Design(trials=0), "trials: expected 1 to"),
        (lambda: Design(families=-1), "families: expected 0 to"),
        (lambda: Design(chance=1.5), "chance: expected numbers in"),
        (lambda: Design(chance=()), "chance: expected at least one"),
        (lambda: Design(limits=(0, 1e20)), "limits: expected two numbers above 0"),
        (lambda: Design(limits=(1e20, 1e20)), "limits: expected two different scales"),
        (lambda: Design(axis="mix:flops,params"), "axis: expected one of numbers"),
        (lambda: Design(spacing="odd"), "spacing: expected a known spacing"),
        (lambda: upturn.simulate(tasks=0), "tasks: expected 1 to"),
        (lambda: upturn.simulate(design="gpt3", tasks=0), "tasks: expected 1 to"),
        (lambda: upturn.simulate(tasks=9_000_000), "simulate: expected at most"),
        (lambda: upturn.simulate(seed=-1), "seed: expected 0 to"),
        (lambda: upturn.simulate("hing"), "did you mean 'hinge'"),
        (lambda: upturn.simulate(fixed={"hight": 1}), "did you mean 'height'"),
        (lambda: upturn.simulate(fixed={"height": 2}), "fixed, height: expected a number within"),
        (lambda: upturn.simulate(likelihood="poisson"), "expected a known likelihood"),
        (lambda: upturn.simulate([]), "models: expected at least one"),
    ],
)  # fmt: skip
def test_what_cannot_be_drawn_is_said(call, said):
    with pytest.raises(upturn.DataError, match=said):
        call()
