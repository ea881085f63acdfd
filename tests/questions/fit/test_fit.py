"""Fits: the answers for tasks whose truth is known, their arguments and their bits."""

import numpy as np
import pandas as pd
import pytest

import upturn
from tests.support.fits import answer, emergent, flat, high, tasks
from tests.support.tables import loss, table
from upturn.checks.errors import DataError


@pytest.mark.parametrize("truth", [21.3, 22.0, 22.7])
def test_an_emergent_task(truth):
    """A 99 % interval holds the truth; the seed is fixed, another fails once in 100."""
    fit = upturn.fit(emergent(truth), draws=1000)
    row = fit.summary(ci=0.99).iloc[0]
    assert row["p_change"] > 0.999
    assert row["changepoint_low"] < 10**truth < row["changepoint_high"]
    assert row["scale_low"] < row["scale"] < row["scale_high"] < 10 * row["scale_low"]
    assert row["changepoint"] < row["scale"]
    assert row["verdict"] == "emerges"
    assert not row["censored"]
    expected_gain = 0.7 * -np.expm1(-2.0 * (24 - truth))
    assert row["gain"] == pytest.approx(expected_gain, abs=0.05)
    assert row["flags"] == ""


def test_a_flat_task_does_not_emerge_on_this_axis():
    _, row, text = answer(flat())
    assert row["p_change"] < 0.2
    assert row["censored"]
    assert row["scale"] == row["scale_high"] == np.inf
    assert text["scale"] == text["changepoint"] == "> 1.0e24"
    assert text["interval"].endswith("> 1.0e24")


@pytest.mark.parametrize("model", ["logit-line", "logistic", "delayed-logit"])
def test_a_task_above_chance_from_the_start(model):
    _, row, text = answer(high(), model=model)
    assert row["censored"]
    assert row["scale"] == row["scale_low"] == 0
    assert text["scale"] == text["interval"] == "< 1.0e20"


def test_perplexity_runs_the_other_way():
    """Low ≤ high as numbers; texts go the way of capability, beyond its end is "<"."""
    perplexity = np.linspace(40, 5, 16)
    frame = tasks(emergent(perplexity=perplexity), flat(perplexity=perplexity))
    fit = upturn.fit(frame, axis="perplexity", draws=400)
    summary, text = fit.summary(), fit.texts()
    row = summary.loc["t0"]
    assert 5 < row["scale_low"] < row["scale"] < row["scale_high"] < 40
    first, last = text.loc["t0", "interval"].split(" – ")
    assert float(first) > float(text.loc["t0", "scale"]) > float(last)
    assert text.loc["t1", "scale"] == f"< {fit.curves.axes[0].format(5.0)}"
    assert summary.loc["t1", "scale"] == 0
    assert (summary["scale_low"] <= summary["scale_high"]).all()
    start = upturn.fit(high(perplexity=perplexity), axis="perplexity", model="logistic", draws=400)
    assert start.texts().iloc[0]["scale"] == f"> {fit.curves.axes[0].format(40.0)}"
    assert start.summary().iloc[0]["scale"] == np.inf


def test_parameters_read_as_people_write_them():
    frame = tasks(emergent(22.0), flat())
    frame["params"] = np.tile(np.geomspace(13e6, 13e9, 16), 2)
    text = upturn.fit(frame, axis="params", draws=400).texts()
    assert text.loc["t1", "scale"] == "> 13B"
    assert text.loc["t0", "scale"].endswith("M")


def test_a_summary_has_the_columns_that_others_read():
    frame = pd.concat([emergent(setting="cot"), emergent(setting="direct", truth=23)])
    fit = upturn.fit(frame, draws=80)
    summary = fit.summary()
    assert list(summary.columns) == [
        "task", "setting", "axis", "points", "verdict", "p_change", "scale", "scale_low",
        "scale_high", "censored", "gain", "changepoint", "changepoint_low", "changepoint_high",
        "changepoint_censored", "ess", "khat", "rhat", "log_evidence", "flags",
    ]  # fmt: skip
    assert summary.index.name == "curve"
    assert list(summary.index) == ["t | cot", "t | direct"] == fit.curves.name.tolist()
    assert summary["censored"].dtype == bool
    assert repr(fit) == "Fit(hinge, 2 curves, axis flops)"
    assert fit.totals()["points"] == 32
    assert fit.failed == []


def test_wider_intervals_hold_narrower_ones():
    fit, _, _ = answer(emergent())
    narrow, wide = fit.summary(ci=0.5).iloc[0], fit.summary(ci=np.float32(0.95)).iloc[0]
    assert wide["scale_low"] < narrow["scale_low"] < narrow["scale"]
    assert narrow["scale"] < narrow["scale_high"] < wide["scale_high"]


def test_a_smaller_delta_is_passed_earlier():
    early, late = (answer(emergent(), delta=d)[1]["scale"] for d in (0.02, 0.4))
    assert early < late / 2


def test_the_expected_score():
    fit, row, _ = answer(emergent())
    x, low, median, high = fit.expected(21)
    assert x.shape == low.shape == (1, 21)
    assert (x[0, 0], x[0, -1]) == (pytest.approx(20), pytest.approx(24))
    assert (low <= median).all()
    assert (median <= high).all()
    truth = 0.25 + 0.7 * -np.expm1(-2.0 * np.maximum(x[0] - 22, 0))
    np.testing.assert_allclose(median[0], truth, atol=0.06)
    assert median[0, -1] - median[0, 0] == pytest.approx(row["gain"], abs=0.02)
    assert fit.expected(1)[0].shape == (1, 1)


def test_the_expected_loss_is_native_and_its_band_in_order():
    fit, row, _ = answer(loss(), scatter="none")
    _, low, median, high = fit.expected(9)
    assert (low <= median).all()
    assert (median <= high).all()
    assert median[0, 0] == pytest.approx(4, abs=0.1)
    assert median[0, -1] == pytest.approx(2.5, abs=0.2)
    assert row["gain"] == pytest.approx(1.5, abs=0.25)


def same(a, b):
    pd.testing.assert_frame_equal(a, b, check_exact=True)


def test_same_seed_same_answer_other_seed_other_draws():
    a, b, c = (
        upturn.fit(table(), draws=80, seed=s, threads=t) for s, t in ((0, 1), (0, 2), (1, 2))
    )
    same(a.summary(), b.summary())
    np.testing.assert_array_equal(a.tree["posterior"]["rate"], b.tree["posterior"]["rate"])
    assert (a.tree["posterior"]["rate"] != c.tree["posterior"]["rate"]).all()
    assert upturn.fit(table(), draws=np.int64(80), seed=np.int64(0)).meta["seed"] == 0


def test_several_axes_are_each_alone_to_the_bit():
    frame = tasks(table(9, seed=1), table(12, seed=2))
    frame["params"] = frame["flops"] ** 0.5
    frame["perplexity"] = 1e4 / np.log10(frame["flops"]) ** 2
    axes = ["flops", "params", "perplexity"]
    together = upturn.fit(frame, axis=axes, draws=80)
    summary, text = together.summary(), together.texts()
    assert len(summary) == 6
    for axis in axes:
        alone = upturn.fit(frame, axis=axis, draws=80)
        part = (summary["axis"] == axis).to_numpy()
        columns = list(summary.columns)
        np.testing.assert_array_equal(summary[part][columns[3:]], alone.summary()[columns[3:]])
        np.testing.assert_array_equal(text[part], alone.texts())
        draws = together.tree["posterior"]["rate"].to_numpy()[:, :, part]
        np.testing.assert_array_equal(draws, alone.tree["posterior"]["rate"])


def test_a_task_s_answer_hangs_on_no_neighbour():
    """Nor on labels that only the neighbour has."""
    frame = pd.concat([table(8, seed=1), table(9, seed=2).assign(task="u", setting="cot")])
    together = upturn.fit(frame, draws=80).summary()
    alone = upturn.fit(table(8, seed=1), draws=80).summary()
    columns = list(alone.columns)
    np.testing.assert_array_equal(together.loc[["t"], columns[1:]], alone[columns[1:]])


def test_progress_counts_model_and_twin():
    seen = []
    upturn.fit(tasks(table(5), table(6)), draws=40, progress=lambda *at: seen.append(at))
    assert seen[-1] == (4, 4)
    assert [done for done, _ in seen] == sorted(done for done, _ in seen)


def test_by_family():
    fit = upturn.fit(table(15), by="family", draws=40)
    assert fit.summary()["family"].tolist() == ["f0", "f1", "f2"]
    assert "scatter" not in fit.tree["posterior"]


def test_scatter():
    frame = table(8).assign(run=[f"r{i % 4}" for i in range(8)])
    parameters = {
        scatter: set(upturn.fit(frame, scatter=scatter, draws=40).tree["posterior"].data_vars)
        for scatter in ("auto", "none", "family", "run")
    }
    assert "scatter" not in parameters.pop("none")
    assert all("scatter" in names for names in parameters.values())
    curves = upturn.read(frame).curves("flops")
    assert "scatter" in upturn.fit(curves, draws=40).tree["posterior"]
    assert "scatter" not in upturn.fit(curves, draws=40, scatter="none").tree["posterior"]


def test_priors_and_likelihood():
    frame = table().drop(columns="family")
    fit = upturn.fit(frame, draws=80, priors={"changepoint": "Uniform(0.5, 0.9)"})
    tau = fit.tree["posterior"]["changepoint"]
    assert float(tau.min()) >= 20 + 0.5 * 4
    assert fit.model.given["changepoint"] == "Uniform(0.5, 0.9)"
    plain = upturn.fit(frame, draws=80, likelihood="binomial")
    assert "overdispersion" not in plain.tree["posterior"]
    assert plain.model.likelihood == "binomial"
    student = upturn.fit(frame, draws=80, likelihood="student-t")
    assert {"sigma", "nu"} <= set(student.tree["posterior"].data_vars)


def test_a_model_file(tmp_path):
    path = tmp_path / "mine.toml"
    path.write_text(upturn.Model.read("step").to_toml())
    fit = upturn.fit(table(), model=path, draws=40)
    assert fit.model.parameters == ("changepoint", "level", "floor")


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"draws": 39}, "draws: expected 40 to 1000000, but got 39"),
        ({"draws": 10**7}, "draws: expected 40 to 1000000"),
        ({"draws": "100"}, "draws: expected a whole number"),
        ({"draws": 100.5}, "draws: expected a whole number"),
        ({"seed": -1}, "seed: expected 0 to"),
        ({"seed": 2**63}, "seed: expected 0 to"),
        ({"seed": True}, "seed: expected a whole number, but got True"),
        ({"seed": None}, "seed: expected a whole number"),
        ({"threads": 0}, "threads: expected 1 to 4096"),
        ({"threads": 2.0}, "threads: expected a whole number"),
        ({"delta": 0}, "delta: expected a number between 0 and 1"),
        ({"delta": 1}, "delta: expected a number between 0 and 1"),
        ({"delta": float("nan")}, "delta: expected a number between 0 and 1"),
        ({"delta": "small"}, "delta: expected a number between 0 and 1"),
        ({"sampler": "nut"}, "sampler: expected a known sampler, but got 'nut'"),
        ({"sampler": 3}, "sampler: expected a name in quotes, but got 3"),
        ({"backend": "torch"}, "backend: expected a known backend"),
        ({"scatter": "familly"}, "did you mean 'family'"),
        ({"scatter": None}, "scatter: expected a name in quotes"),
        ({"likelihood": "poisson"}, "expected a known likelihood, but got 'poisson'"),
        ({"likelihood": 3}, "likelihood: expected a name in quotes"),
        ({"priors": {"changepiont": "Uniform(0, 1)"}}, "did you mean 'changepoint'"),
        ({"priors": {"rate": "Uniform(-1, 1)"}}, r"'rate': expected a prior within \[0, inf\]"),
        ({"priors": {"rate": 3}}, "'rate': expected a prior in quotes, but got 3"),
        ({"priors": "rate=3"}, "priors: expected a mapping"),
        ({"model": "hing"}, "did you mean 'hinge'"),
        ({"axis": "flips"}, "did you mean 'flops'"),
        ({"axis": []}, "axis: expected one or more different axes"),
        ({"axis": "mix:flops,params"}, "so that no data could tell their weights"),
        ({"by": "familly"}, "did you mean 'family'"),
        ({"by": 3}, "by: expected a name in quotes"),
        ({"metric": "accuracy"}, "expected a known metric"),
    ],
)
def test_wrong_arguments(options, message):
    with pytest.raises(DataError, match=message):
        upturn.fit(table(params=np.geomspace(1e6, 1e9, 12)), **{"draws": 40, **options})


def test_a_likelihood_that_cannot_explain_a_kind():
    with pytest.raises(DataError, match="expected successes and trials, but got a continuous"):
        upturn.fit(loss(), likelihood="binomial", draws=40)


def test_a_wrong_scatter_for_curves():
    with pytest.raises(DataError, match="scatter: expected a known scatter"):
        upturn.fit(upturn.read(table()).curves("flops"), scatter="bogus", draws=40)


def test_wrong_questions():
    fit, _, _ = answer(table(), scatter="none")
    for ci in (0, 1, -0.1, 90, True, "0.9", None, float("nan")):
        for ask in (fit.summary, fit.texts, lambda ci: fit.expected(ci=ci)):
            with pytest.raises(DataError, match="ci: expected a probability between 0 and 1"):
                ask(ci)
    for points in (0, -1, 2.5, True, "9"):
        with pytest.raises(DataError, match=r"points: expected (a whole number|1 to )"):
            fit.expected(points)
