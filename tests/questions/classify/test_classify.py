"""Classify: published tasks, averaging, degenerate curves, controls that must come out empty."""

import numpy as np
import pandas as pd
import pytest

from tests.support.classifications import classification, gpt3, shape, task
from upturn.checks.errors import DataError
from upturn.model import Model
from upturn.posterior.criteria import Criteria
from upturn.questions.classify.classify import classify
from upturn.questions.classify.result import CLASS_COLUMNS, FRAGILE
from upturn.tables import datasets
from upturn.tables.results import read

FEW = ("chance", "flat", "logistic", "hinge", "inverse", "u-shaped")
FIXED = [  # the columns that others read
    "verdict", "p_emergent", "p_sharp", "scale", "scale_low", "scale_high", "censored",
    "onset_scale", "onset_low", "onset_high", "rise", "flat_until", "width", "hangs_on", "p_flat",
    "p_smooth", "p_changepoint", "p_inverse", "p_u_shaped", "p_humped", "best_model", "linearity",
    "breakthroughness", "discontinuity", "flags",
]  # fmt: skip


def noisy(mean, trials, rng):
    return rng.binomial(trials, mean) / trials


def jumps(count, points, rng, trials=200):
    """Tasks at chance that jump to 0.8 three fifths of the way."""
    mean = np.where(np.linspace(0, 1, points) > 0.6, 0.8, 0.25)
    return pd.concat([task(f"t{i}", noisy(mean, trials, rng), trials) for i in range(count)])


def one(frame, **options):
    """The only row of a quick classification."""
    options = {"models": FEW, "draws": 200, "learn_prevalence": False} | options
    summary = classify(read(frame), **options).summary()
    assert len(summary) == 1
    return summary.iloc[0]


@pytest.fixture(scope="module")
def published():
    return classify(gpt3(), seed=0)


# ---- what the paper shows ------------------------------------------------------------------------


@pytest.mark.parametrize("learn", [True, False])
def test_three_digit_addition_emerges_and_hellaswag_does_not(published, learn):
    found = published.with_prevalence(learn).summary()
    assert found.loc["arithmetic_3da", "p_emergent"] > 0.9
    assert found.loc["hellaswag", "p_emergent"] < 0.1
    assert found.loc["triviaqa", "p_emergent"] < 0.1


def test_the_scale_at_which_addition_emerges_lies_between_its_models(published):
    """7 B (1.2e22 FLOPs) cannot, 13 B (2.3e22) hardly can, 175 B (3.1e23) does."""
    found = published.summary().loc["arithmetic_3da"]
    assert 1e22 < found["onset_low"] < found["onset_scale"] < found["onset_high"] < 4e22
    assert 1e22 < found["scale_low"] < found["scale"] < found["scale_high"] < 4e22
    assert not found["censored"]


def test_where_nothing_emerges_the_scale_is_beyond_the_axis(published):
    found = published.summary().loc[["hellaswag", "wic"]]
    assert np.isinf(found[["onset_scale", "onset_high"]]).all(axis=None)
    assert np.isinf(found.loc["wic", ["scale", "scale_high"]].to_numpy(dtype=float)).all()
    assert found["censored"].tolist() == [False, True]


def test_the_headline_scale_is_where_the_score_stands_a_tenth_above_chance(published):
    """HellaSwag (chance 0.25): 0.335 at 2.3e20 FLOPs, 0.431 at 6.4e20."""
    found = published.summary().loc["hellaswag"]
    assert 2.2e20 < found["scale"] < 6.5e20


def test_the_verdict_is_in_words(published):
    verdicts = published.summary()["verdict"]
    assert verdicts["arithmetic_3da"] == "emerges"
    assert verdicts["hellaswag"] == verdicts["triviaqa"] == "grows from the first model"
    assert verdicts["wic"] == "not yet"
    assert published.verdict.startswith("6 curves: emerges: 2")


def test_a_verdict_that_hangs_on_the_largest_model_says_so(published):
    """Only GPT-3 13B (9 %) and 175B (80 %) add three digits."""
    found = published.summary()
    assert found.loc["arithmetic_3da", "hangs_on"] == "GPT-3 175B"
    assert "hangs on GPT-3 175B: p_emergent 0." in found.loc["arithmetic_3da", "flags"]
    assert found.loc["hellaswag", "hangs_on"] == ""


def test_a_wider_interval_holds_a_narrower_one(published):
    narrow, wide = (published.summary(ci) for ci in (0.5, 0.95))
    for name in ("scale", "onset"):
        assert (wide[f"{name}_low"] <= narrow[f"{name}_low"]).all()
        assert (wide[f"{name}_high"] >= narrow[f"{name}_high"]).all()
    pd.testing.assert_series_equal(wide["scale"], narrow["scale"])


def test_the_columns_that_others_read(published):
    found = published.summary()
    assert set(FIXED) <= set(found.columns)
    assert found.index.tolist() == gpt3().name.tolist()
    assert found.index.name == "curve"
    assert {"task", "setting", "shots", "points"} <= set(found.columns)
    assert set(found["best_model"]) <= set(Model.names())
    assert found["censored"].dtype == bool


def test_probabilities_are_such(published):
    found = published.summary()
    classes = found[list(CLASS_COLUMNS.values())]
    np.testing.assert_allclose(classes.sum(axis=1), 1)
    np.testing.assert_allclose(published.p_model.sum(axis=1), 1)
    assert ((classes >= 0) & (classes <= 1)).all(axis=None)
    assert (found["p_sharp"] <= found["p_emergent"]).all()
    assert found["p_emergent"].between(0, 1).all()
    assert found["flat_until"].between(0, 1).all()
    assert found["width"].between(0, np.ptp(gpt3().limits[:, 0], axis=0).max()).all()


def test_equal_odds_of_classes_and_of_models_within_them(published):
    alone = published.with_prevalence(False)
    shapes = [model.shape for model in alone.models]
    prior = np.array([1 / 5 / shapes.count(shape) for shape in shapes])
    weight = np.exp(alone.log_evidence - alone.log_evidence.max(axis=1, keepdims=True)) * prior
    np.testing.assert_allclose(alone.p_model, weight / weight.sum(axis=1, keepdims=True))
    emergent = np.stack([s.emergent.mean(axis=1) for s in published._fits], axis=1)
    expected = (alone.p_model * emergent).sum(axis=1)
    np.testing.assert_allclose(alone.summary()["p_emergent"], expected)


def test_scales_as_text(published):
    text = published.texts()
    assert text.loc["wic"].tolist() == ["> 3.1e23", "> 3.1e23"]
    scale = published.summary().loc["arithmetic_3da", "scale"]
    assert text.loc["arithmetic_3da", "scale"] == f"{scale:.1e}".replace("+", "")
    assert " – " in text.loc["arithmetic_3da", "interval"]
    backwards = classify(gpt3(["wic"], "perplexity"), models=FEW, draws=100).texts()
    assert backwards["scale"].iloc[0].startswith("< ")
    assert backwards["interval"].iloc[0].startswith("< ")


def test_bayes_factors_are_ratios_of_evidences(published):
    found = published.bayes_factors()
    alone = published.with_prevalence(False).summary()
    odds = alone["p_smooth"] / alone["p_flat"]
    np.testing.assert_allclose(np.exp(found["log_bf_smooth"]), odds, rtol=1e-6)
    assert (found.filter(like="_se") > 0).all(axis=None)
    with pytest.raises(DataError, match="add flat or chance"):
        published.without("flat", "chance").bayes_factors()


def test_what_the_answers_rest_on_is_told(published):
    meta = published.meta
    assert meta["priors"]["hinge"]["floor"] == "BetaMode(chance, 100) | Beta(1, 4)"
    assert list(meta["priors"]) == [m.name for m in published.models]
    assert meta["arguments"]["draws"] == published.draws == 1000
    assert meta["criteria"]["min_rise"] == 0.1
    assert sum(meta["prevalence"]["flops"].values()) == pytest.approx(1)
    assert published.totals()["emergent"] == 2
    assert published.failed == []


# ---- models --------------------------------------------------------------------------------------


def test_leaving_models_out_is_classifying_without_them():
    options = {"draws": 200, "seed": 3}
    curves = gpt3(["wic", "arithmetic_3da"])
    fresh = classify(curves, models=("flat", "hinge", "step"), **options).summary()
    more = ("logistic", "flat", "hinge", "inverse", "step")
    left = classify(curves, models=more, **options).without("logistic", "inverse").summary()
    exact = ["hangs_on", "flags"]  # of which a table with other models fits others again
    pd.testing.assert_frame_equal(left.drop(columns=exact), fresh.drop(columns=exact))
    assert (fresh[["p_smooth", "p_inverse"]] == 0).all(axis=None)


def test_no_model_at_all():
    with pytest.raises(DataError, match="at least one"):
        classify(gpt3(["wic"]), models=[])
    found = classify(gpt3(["wic"]), models="flat", draws=40)
    with pytest.raises(DataError, match="at least one to be left"):
        found.without("flat")
    assert found.summary()["p_flat"].tolist() == [1]


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"models": ["hinge", "logistc"]}, "did you mean 'logistic'"),
        ({"models": ["hinge", "hinge"]}, "each once"),
        ({"draws": 0}, "draws"),
        ({"seed": -1}, "seed"),
        ({"scatter": "families"}, "scatter"),
        ({"axis": "perplexities"}, "perplexity"),
    ],
)
def test_arguments_that_mean_nothing(options, message):
    results = read(datasets.path("gpt3")).where("setting=few-shot", "task=wic")
    with pytest.raises(DataError, match=message):
        classify(results, **options)


def test_a_verdict_that_hangs_on_one_model_is_flagged(published):
    found = published.summary()
    moved = np.abs(published.without_each_model - found["p_emergent"].to_numpy()[:, None]).max(
        axis=1
    )
    assert (
        found["flags"].str.contains(r"p_emergent [\d.]+ without \w") == (moved >= FRAGILE)
    ).all()
    assert published.without_each_model[:, 3].tolist() == pytest.approx(
        published.without(published.models[3].name).summary()["p_emergent"].tolist()
    )


# ---- what counts ---------------------------------------------------------------------------------


def test_criteria_are_options(published):
    """The same curve under rules that it cannot meet, and under rules that anything meets."""
    curves = gpt3(["arithmetic_3da", "hellaswag"])
    strict = classify(curves, models=FEW, draws=200, criteria=Criteria(min_flat=1.0)).summary()
    assert (strict["p_emergent"] < 0.01).all()
    loose = Criteria(
        min_rise=0.05, min_flat=0.0, near_chance=1.0, flat_scales=1, flat_decades=0, max_width=9.0
    )
    found = classify(curves, models=FEW, draws=200, criteria=loose).summary()
    assert (found["p_emergent"] > 0.99).all()
    assert (found["p_sharp"] > 0.99).all()


def test_three_scales_must_lie_in_the_flat_stretch():
    """The same jump at the same place of the axis, after two scales or after five."""
    after = {"models": ("flat", "step"), "draws": 200}
    few = task("t", [0.25, 0.25, 0.9, 0.9, 0.9], flops=[1e19, 1e20, 1e21, 1e22, 1e23])
    many = task("t", [0.25] * 4 + [0.9] * 3, flops=[1e19, 3e19, 6e19, 1e20, 1e21, 1e22, 1e23])
    assert one(few, **after)["p_emergent"] < 0.01
    assert one(many, **after)["p_emergent"] > 0.9


def test_many_models_of_one_scale_are_one_scale():
    score = [0.25] * 6 + [0.9] * 4
    scales = [1e19] * 3 + [1e20] * 3 + [1e21, 1e22, 1e22, 1e23]
    assert one(task("t", score, flops=scales))["p_emergent"] < 0.01


@pytest.mark.parametrize(("chance", "high"), [(0.1, False), (0.5, True), (np.nan, True)])
def test_it_has_to_start_near_chance_where_that_is_known(chance, high):
    found = one(task("t", [0.5] * 6 + [0.9] * 4, trials=2000, chance=chance))
    assert (found["p_emergent"] > 0.9) == high
    assert (found["p_emergent"] < 0.1) == (not high)


# ---- degenerate curves ---------------------------------------------------------------------------


@pytest.mark.parametrize("scales", [1, 2])
def test_a_curve_of_one_or_two_scales_is_never_emergent(scales):
    flops = np.where(np.arange(6) < 3, 1e20, 10.0 ** (19 + scales))
    found = one(task("t", [0.25] * 3 + [0.95] * 3, flops=flops))
    assert found["p_emergent"] == 0
    assert found["censored"] == (scales == 1)
    assert f"{scales} scale" in found["flags"]
    if scales == 1:
        assert (found["rise"], found["flat_until"], found["width"]) == (0, 1, 0)


def test_a_single_point():
    found = one(task("t", [0.4]))
    assert found["p_emergent"] == 0
    assert np.isnan(found["linearity"])


@pytest.mark.parametrize(("level", "chance"), [(0.0, 0.0), (0.25, 0.25), (1.0, 0.25)])
def test_a_constant_table_is_flat(level, chance):
    frame = pd.concat([task(f"t{i}", [level] * 8, chance=chance) for i in range(3)])
    found = classify(read(frame), models=FEW, draws=200).summary()
    assert (found["p_emergent"] < 0.05).all()
    assert (found["p_flat"] > 0.5).all()
    assert found["censored"].all()
    assert (found["verdict"] == ("no change" if level > chance else "not yet")).all()
    assert found["flags"].str.contains("constant").all()


def test_a_falling_curve_is_inverse():
    found = one(task("t", np.linspace(0.7, 0.1, 10), trials=2000))
    assert found["p_inverse"] > 0.9
    assert found["p_emergent"] < 0.01
    assert found["rise"] < 0
    assert (found["flat_until"], found["width"]) == (1, 4.5)
    assert found["verdict"] == "falls"


def test_a_continuous_metric_in_its_own_units():
    """A loss of 4 that falls to 2 after the middle: the rise is an improvement of about 2."""
    rng = np.random.default_rng(0)
    mean = np.where(np.linspace(0, 1, 14) > 0.55, 2.0, 4.0)
    frame = task("t", mean + 0.03 * rng.standard_normal(14), metric="loss")
    frame = frame.assign(score=mean + 0.03 * rng.standard_normal(14)).drop(
        columns=["trials", "chance"]
    )
    found = one(frame, models=(*FEW, "step"))
    assert found["p_emergent"] > 0.9
    assert found["p_sharp"] > 0.9
    assert found["rise"] == pytest.approx(2, abs=0.3)
    assert found["discontinuity"] < 2
    percent = one(frame.assign(score=100 * frame["score"]), models=(*FEW, "step"))
    assert percent["p_emergent"] == pytest.approx(found["p_emergent"], abs=0.02)
    assert percent["rise"] == pytest.approx(100 * found["rise"], rel=0.05)


def test_proportions_without_trials():
    found = one(task("t", [0.25, 0.26, 0.24, 0.25, 0.26, 0.7, 0.75, 0.74]).drop(columns="trials"))
    assert found["p_emergent"] > 0.9


def test_several_axes_run_as_one_batch_and_answer_alike():
    """GPT-3's models were trained on one amount of text: size and FLOPs are one axis."""
    results = read(datasets.path("gpt3")).where("setting=few-shot", "task=arithmetic_3da")
    found = classify(results, axis=["flops", "params"], models=FEW, draws=200).summary()
    assert found["axis"].tolist() == ["flops", "params"]
    flops, params = (found.iloc[i] for i in range(2))
    assert flops["p_emergent"] == pytest.approx(params["p_emergent"], abs=0.02)
    assert 5e9 < params["scale"] < 2e10
    assert 1e22 < flops["scale"] < 4e22


def test_perplexity_falls_as_capability_grows():
    score = [0.25] * 6 + [0.9] * 4
    frame = task("t", score, perplexity=np.geomspace(40, 5, 10)).drop(columns="flops")
    found = one(frame, axis="perplexity")
    assert found["p_emergent"] > 0.9
    assert 5 < found["scale_low"] <= found["scale"] <= found["scale_high"] < 40


def test_prevalence_is_learned_axis_by_axis():
    results = read(datasets.path("gpt3")).where("setting=few-shot", "task=wic")
    found = classify(results, axis=["flops", "params"], models=FEW, draws=100)
    assert list(found.prevalence) == ["flops", "params"]


@pytest.mark.slow
def test_learning_the_prevalence_adds_to_the_error():
    """Evidences without an error: what is left is that of the Gibbs sampler and of the draws."""
    curves = gpt3()
    evidence = np.random.default_rng(3).normal(0, 1, (len(curves), 2))
    shapes = [shape("flat", evidence[:, 0], 0.0), shape("step", evidence[:, 1], 1.0)]
    runs = [classification(curves, shapes, learn=True, seed=s) for s in range(12)]
    assert (classification(curves, shapes).p_class_se == 0).all()
    for name, at in (("p_changepoint", slice(None)), ("p_emergent", slice(None))):
        values = np.stack([run.summary()[name].to_numpy()[at] for run in runs])
        error = np.stack([run.summary()[f"{name}_se"].to_numpy()[at] for run in runs])
        ratio = values.std(axis=0, ddof=1) / np.sqrt((error**2).mean(axis=0))
        # 2.2 is chi-square with 11 degrees of freedom at 53, one in five million
        assert (ratio < 2.2).all()
        assert ratio.max() > 0.4


# ---- errors and seeds ----------------------------------------------------------------------------


def test_the_same_seed_gives_the_same_bits_and_neighbours_change_nothing():
    options = {"models": FEW, "draws": 200, "learn_prevalence": False}
    both = classify(gpt3(["wic", "anli_r2"]), threads=2, **options).summary()
    again = classify(gpt3(["wic", "anli_r2"]), threads=1, **options).summary()
    pd.testing.assert_frame_equal(both, again)
    alone = classify(gpt3(["wic"]), **options).summary()
    columns = ["p_emergent", "p_sharp", "p_flat", "rise", "scale_low"]
    pd.testing.assert_series_equal(both.loc["wic", columns], alone.loc["wic", columns])


@pytest.mark.slow
def test_monte_carlo_errors_are_of_the_size_of_the_spread_over_seeds():
    """In doubtful cases, with equal odds; the error is meant to be on the safe side."""
    curves = gpt3(["arithmetic_5da", "rte", "anagrams1", "boolq"])
    models = ("flat", "logistic", "hinge")
    runs = [
        classify(curves, draws=200, seed=s, models=models, learn_prevalence=False).summary()
        for s in range(10)
    ]
    for name in ("p_emergent", "p_sharp", "p_smooth"):
        values = np.stack([run[name] for run in runs])
        error = np.sqrt(np.square(np.stack([run[f"{name}_se"] for run in runs])).mean(axis=0))
        ratio = values.std(axis=0, ddof=1) / np.maximum(error, 1e-3)
        # of ten seeds: a ratio of 2.2 is chi-square with 9 degrees at 43.6, two in a million
        assert (ratio < 2.2).all(), (name, ratio)
        assert ratio.max() > 0.2, (name, ratio)


def test_progress_counts_all_models_and_ends_full():
    calls = []
    classify(gpt3(["wic", "rte"]), models=FEW, draws=100, progress=lambda *done: calls.append(done))
    assert calls[-1] == (12, 12)
    assert [done for done, _ in calls] == sorted(done for done, _ in calls)
