"""calibrate: right posteriors pass, wrong ones fail, and what is said of them is right.

Simulations are seeded. A right posterior fails a test here by chance with the probability stated.
"""

import numpy as np
import pandas as pd
import pytest
from scipy import stats

import upturn
from tests.support.calibrations import made_up
from tests.support.designs import SMALL
from upturn.formulas.likelihoods.registry import LIKELIHOODS
from upturn.model import Model
from upturn.posterior.averaging import log_priors
from upturn.questions.calibrate import uniformity
from upturn.questions.calibrate.calibrate import examine
from upturn.questions.calibrate.ranks import ScaleCheck, _ranked, _Weighted
from upturn.questions.calibrate.result import FAMILY_ERROR
from upturn.questions.simulate.simulate import simulate


def deal_with_twin(model, simulations, seed, **how):
    """Curves of a model and of its twin in turn."""
    return simulate([model, model.twin()], SMALL, tasks=simulations, seed=seed, **how)


# ---- right and wrong posteriors ------------------------------------------------------------------


def test_a_hinge_is_calibrated():
    """All checks together: fails once in a hundred seeds."""
    found = upturn.calibrate(SMALL, simulations=80, draws=200, seed=2)
    assert found.passed, found.summary()
    assert found.verdict.startswith("Calibrated: on 80 simulated curves")
    names = [check.name for check in found.checks]
    parameters = ("changepoint", "height", "rate", "floor", "overdispersion")
    assert names[:5] == [f"hinge: {name}" for name in parameters]
    assert {"model", "p_emergent", "p_sharp", "scale"} <= set(names)


@pytest.mark.slow
def test_a_wrong_likelihood_is_found():
    """Overdispersed counts, taken for binomial ones."""
    made = deal_with_twin(Model.read("step"), 100, 3)
    wrong = [one.with_likelihood("binomial") for one in made.models]
    found = examine(made, wrong, draws=200)
    assert {"step: level", "step: floor", "model", "scale"} <= set(found.wrong)
    assert not found.passed
    assert found.verdict.startswith("Not calibrated: on 100 simulated curves")


def test_a_wrong_prior_is_found():
    """Levels below 1/2, which one trial a model says little of, where any was expected."""
    design = upturn.Design(models_per_task=2, trials=1)
    low = {"level": "Uniform(0, 0.5)"}
    made = simulate("flat", design, tasks=200, likelihood="binomial", priors=low, seed=4)
    assert examine(made, draws=200).passed
    wide = [Model.read("flat").with_likelihood("binomial")]
    assert "flat: level" in examine(made, wide, draws=200).wrong


def test_a_wrong_density_is_found(monkeypatch):
    """A normal density whose standard deviation is taken for its variance."""
    from dataclasses import replace

    normal = LIKELIHOODS["normal"]

    def squared(p):
        return p | {"sigma": np.sqrt(np.abs(p["sigma"]))}

    wrong = replace(
        normal,
        log_terms=lambda xp, mean, p, y, n: normal.log_terms(xp, mean, squared(p), y, n),
        log_rest=lambda xp, p, y, n: normal.log_rest(xp, squared(p), y, n),
    )
    made = simulate("chance", SMALL, tasks=100, likelihood="normal", seed=5)
    assert examine(made, draws=200).passed
    monkeypatch.setattr("upturn.formulas.curve.LIKELIHOODS", {**LIKELIHOODS, "normal": wrong})
    assert "chance: sigma" in examine(made, draws=200).wrong


def test_offsets_of_families_are_calibrated():
    """All checks together: fails once in a hundred seeds."""
    design = upturn.Design(models_per_task=9, families=3)
    found = upturn.calibrate(design, model="step", simulations=40, draws=200, seed=6)
    assert found.passed, found.summary()
    assert found["step: scatter"].p_value > 1e-3


# robust ones are mixtures of others: one model each
PAIRS = [
    (m, name)
    for m in Model.names()
    for name in LIKELIHOODS
    if m == "step" or not name.endswith(("-robust", "-ar"))
]
SIMULATIONS = 20


@pytest.mark.slow
def test_every_model_and_likelihood_is_calibrated():
    """All checks together, of each pair and of pairs with a model or a likelihood in common: fails
    once in a hundred seeds.

    A pair alone says little with so few curves; together they are 1,360.
    """
    alone, shared = [], {}
    for seed, (model, likelihood) in enumerate(PAIRS):
        found = upturn.calibrate(
            SMALL, model=model, likelihood=likelihood, simulations=SIMULATIONS, draws=200, seed=seed
        )
        for check in found.checks:
            quantity = check.name.rpartition(": ")[2]
            alone.append((check.p_value, model, likelihood, check.name))
            shared.setdefault((likelihood, quantity), []).append(check.pit)
            if check.name.startswith(f"{model}: "):
                shared.setdefault((model, quantity), []).append(check.pit)
    together = [(uniformity.p_value(np.concatenate(p)), *key) for key, p in shared.items()]
    every = sorted(alone + together)
    assert {key[1] for key in shared} >= {"model", "p_emergent", "p_sharp", "overdispersion", "nu"}
    assert every[0][0] > FAMILY_ERROR / len(every), every[:5]


# ---- ranks ---------------------------------------------------------------------------------------


def test_ranks_of_a_truth_that_is_one_of_the_draws_are_uniform():
    """Ties, as of draws at the ends of a parameter's range, fall by chance. Fails once in 10^4."""
    rng = np.random.default_rng(1)
    draws = np.round(rng.exponential(size=(3000, 21)), 0)
    pit = _ranked(draws[:, 0], draws[:, 1:], rng)
    assert uniformity.p_value(pit) > 1e-4


def test_weighted_draws_with_an_atom_have_uniform_ranks():
    """Fails once in 10^4."""
    rng = np.random.default_rng(2)
    p = rng.uniform(size=4000)
    draws = rng.normal(size=(4000, 50))
    true = np.where(rng.uniform(size=4000) < p, rng.normal(size=4000), np.inf)
    found = _Weighted(draws, np.broadcast_to(p[:, None] / 50, draws.shape), 1 - p)
    assert uniformity.p_value(found.pit(true, rng)) > 1e-4
    wrong = _Weighted(draws, np.broadcast_to(p[:, None] / 50, draws.shape), (1 - p) / 2)
    assert uniformity.p_value(wrong.pit(true, rng)) < 1e-6
    low, middle, high = found.quantiles(np.array([0.05, 0.5, 0.95]))
    assert np.isinf(middle[p < 0.45]).all()
    assert np.isfinite(middle[p > 0.55]).all()
    assert (low <= high).all()


def test_scales_tell_bias_and_width():
    rng = np.random.default_rng(3)
    true = rng.normal(size=2000)
    draws = true[:, None] + 0.3 + rng.normal(size=2000)[:, None] + rng.normal(size=(2000, 400))
    found = _Weighted(draws, np.ones_like(draws), np.zeros(2000))
    telling = ScaleCheck(np.array([0.05, 0.5, 0.95]), rng)
    row = telling.scale("made up", true, found, np.full(2000, 6.0)).row()
    assert row["bias"] == pytest.approx(6 * 0.3, abs=5 * row["bias_se"])
    assert row["bias_se"] == pytest.approx(6 / np.sqrt(2000), rel=0.1)
    assert row["width"] == pytest.approx(6 * 2 * 1.645, rel=0.02)
    z = (stats.norm.ppf(0.95) - 0.3, -stats.norm.ppf(0.95) - 0.3)
    expected = stats.norm.cdf(z[0]) - stats.norm.cdf(z[1])
    assert row["held"] == pytest.approx(expected, abs=0.03)


def test_classes_are_equally_likely():
    odds = np.exp(log_priors([Model.read(n) for n in ("flat", "hinge", "step", "logistic")]))
    np.testing.assert_allclose(odds, [1 / 3, 1 / 6, 1 / 6, 1 / 3])


def test_several_models_are_averaged_over_as_in_classify():
    """Fails once in a hundred seeds."""
    names = ["flat", "step", "inverse"]
    found = upturn.calibrate(SMALL, model=names, simulations=45, draws=200, seed=7)
    assert found.passed, found.summary()
    assert found.meta["arguments"]["models"] == names
    assert not any(scale.check.name == "scale" for scale in found.scales)


def test_the_design_of_a_table_is_used():
    table = upturn.read("gpt3").where("setting=few-shot")
    found = upturn.calibrate(table, axis="params", model="flat", simulations=30, draws=100, seed=1)
    real = table.curves("params")
    np.testing.assert_array_equal(found.curves.trials[: len(real)], real.trials[:30])
    assert found.meta["arguments"]["table"] == "gpt3"


def test_a_continuous_metric_keeps_its_range_and_says_so():
    frame = pd.DataFrame(
        {
            "task": "t", "metric": "loss", "model": [f"m{i}" for i in range(6)],
            "flops": 10 ** np.linspace(19, 23, 6), "score": np.linspace(4.0, 2.0, 6),
        }
    )  # fmt: skip
    found = upturn.calibrate(frame, model="flat", simulations=60, draws=200, seed=8)
    assert found.passed
    assert any("range of continuous scores" in note for note in found.notes)


# ---- what is said --------------------------------------------------------------------------------


def test_it_is_not_called_calibrated_where_most_checks_have_too_few_simulations():
    even = np.linspace(0.01, 0.99, 100)
    few = made_up(even, [0.5, 0.6], [0.4, 0.5])
    assert few.passed
    assert few.verdict.startswith("Too few simulations: on ")
    assert "2 of 3 checks have fewer than 20 true values" in few.verdict
    assert made_up(even, even, [0.5, 0.6]).verdict.startswith("Calibrated: ")


def test_the_verdict_names_what_is_wrong():
    even, narrow, few = np.linspace(0.01, 0.99, 100), np.tile([0.01, 0.99], 50), [0.5, 0.6]
    assert made_up(even).passed
    found = made_up(even, narrow, few)
    assert found.wrong == ("check 1",)
    assert found.least_p == FAMILY_ERROR / 2
    assert "1 of 2 checks differs" in found.verdict
    assert (
        "contain the true scale in 90 %, are 2 decades wide (median) and off by +0.5"
        in found.verdict
    )
    assert "fewer than 20 true values, not judged: 'check 2'" in found.notes[0]
    rows = found.summary().set_index("check")
    assert rows["calibrated"].tolist() == [True, False, None]
    assert rows.loc["check 1", "covered_90"] == 0
    assert rows.loc["check 0", "covered_90"] == pytest.approx(0.9, abs=0.03)


@pytest.mark.parametrize(
    ("how", "said"),
    [
        ({"simulations": 3}, "simulations: expected 20 to"),
        ({"model": "hing"}, "did you mean 'hinge'"),
        ({"ci": 2}, "ci: expected a probability"),
        ({"draws": 3}, "draws: expected 40 to"),
        ({"design": "gpt3", "axis": "mix:flops,params"}, "axis: expected single axes"),
        ({"design": "gpt3", "axis": "flps"}, "did you mean 'flops'"),
    ],
)
def test_what_cannot_be_calibrated_is_said(how, said):
    with pytest.raises(upturn.DataError, match=said):
        upturn.calibrate(**how)
