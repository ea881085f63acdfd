"""forecast: splits, the hazard past the end, scores, bad input, the command."""

import json

import numpy as np
import pandas as pd
import pytest
from scipy.special import expit

import upturn
from tests.support.commands import refused, run
from upturn.checks.errors import DataError
from upturn.model import Model
from upturn.questions.forecast.extrapolate import METHODS
from upturn.questions.forecast.forecast import with_onset
from upturn.questions.forecast.split import known_share
from upturn.show.plots import plot_forecast
from upturn.show.text.forecasts import ForecastAnswer

pytestmark = pytest.mark.usefixtures("folder")

FAST = {"draws": 200, "threads": 1}
FEW = ["flat", "logistic"]


def frame(score, *, task="t", trials=400, low=20.0, step=0.25, chance=None):
    count = len(score)
    made = pd.DataFrame(
        {
            "task": task, "model": [f"m{i}" for i in range(count)], "score": score,
            "trials": trials, "flops": 10.0 ** (low + step * np.arange(count)),
        }
    )  # fmt: skip
    return made if chance is None else made.assign(chance=chance)


FLAT = [0.25] * 13
RISE = [0.02, 0.01, 0.02, 0.04, 0.1, 0.2, 0.32, 0.44, 0.52, 0.6, 0.66, 0.7, 0.73]


@pytest.fixture(scope="module")
def rising():
    table = pd.concat([frame(RISE, task="rise"), frame(FLAT, task="flat")])
    return upturn.forecast(table, holdout_largest=4, models=FEW, **FAST)


# ---- past the end --------------------------------------------------------------------------------


def test_the_hazard_past_the_end_is_constant():
    """Flat points that rule a change out before the end, at trials without number.

    Chance and a step, with equal odds: given the data the step lies past the end, where it has
    half of its prior, so that its probability is (1/2) / (1 + 1/2) = 1/3; by x it has come with
    probability 1 - exp(-h (x - end)), h one per decade fitted; and it is a jump where the level,
    uniform on what is above chance, is 0.1 above it.
    """
    table = frame([0.25] * 13, trials=200_000, chance=0.25)  # 10^20 to 10^23
    found = upturn.forecast(
        table, models=["chance", "step"], at=[1e24, 1e26], draws=2000, threads=1
    )
    np.testing.assert_allclose(found.hazard, 1 / 3)
    for decades, scale in ((1, 1e24), (3, 1e26), (9, 1e32)):
        expected = (1 - np.exp(-decades / 3)) * (1 - 0.1 / 0.75) / 3
        assert found.p_jump(scale)[0] == pytest.approx(expected, abs=0.02)
    assert found.summary()["state"].tolist() == ["no sign yet"]
    assert "constant hazard of 0.33 per decade" in found.hazard_text
    assert found.jumps()["scale"].tolist() == pytest.approx([1e24, 1e26])


def test_a_hazard_of_ones_own():
    low, high = (
        upturn.forecast(
            frame([0.25] * 13, trials=200_000, chance=0.25), models=["chance", "step"],
            at=1e26, hazard=hazard, **FAST,
        ).p_jump(1e26)[0]
        for hazard in (0.05, 1.0)
    )  # fmt: skip
    assert low < high


def test_the_prior_of_changepoints_alone_is_changed():
    made = with_onset(Model.read("takeoff"), 0.5, 1.0)
    assert made.given["changepoint"] == "Onset(0.5, 2)"
    assert with_onset(Model.read("logistic"), 0.5, 1.0) == Model.read("logistic")
    own = Model.read("step").with_priors({"changepoint": "Uniform(0, 2)"})
    assert with_onset(own, 0.5, 1.0) == own


def test_the_axis_holds_what_is_asked_for():
    """At most a fourth of an octave more than is needed."""
    ends, far = np.array([[20.0] * 4, [23.0] * 4]), np.array([23.0, 23.1, 24.0, 40.0])
    share = known_share(ends, far)
    reach = 20 + 3 / share
    assert (reach >= far - 1e-9).all()
    assert (3 / share <= 2**0.26 * np.maximum(far - 20, 3)).all()


# ---- the split -----------------------------------------------------------------------------------


def test_the_split(rising):
    assert rising.held.sum(axis=1).tolist() == [4, 4]
    summary = rising.summary()
    assert summary["points"].tolist() == [9, 9]
    assert summary["train_end"].tolist() == pytest.approx([1e22, 1e22])
    below = upturn.forecast(frame(RISE), train_below=1.5e22, models=["flat"], **FAST)
    assert below.held.sum() == 4
    edge = upturn.forecast(frame(RISE), train_below=1e22, models=["flat"], **FAST)
    assert edge.held.sum() == 5  # a point at the scale is not below it


def test_points_held_out_change_no_prediction(rising):
    table = pd.concat([frame([*RISE[:9], 0, 0, 0, 0], task="rise"), frame(FLAT, task="flat")])
    other = upturn.forecast(table, holdout_largest=4, models=FEW, **FAST)
    columns = ["expected", "expected_low", "expected_high", "p_jump", "p_sign"]
    pd.testing.assert_frame_equal(rising.summary()[columns], other.summary()[columns])
    assert (rising.predictions()["median"] == other.predictions()["median"]).all()


def test_a_curve_does_not_depend_on_its_neighbours(rising):
    alone = upturn.forecast(frame(RISE, task="rise"), holdout_largest=4, models=FEW, **FAST)
    columns = ["expected", "expected_low", "expected_high", "p_jump", "log_score"]
    pd.testing.assert_frame_equal(rising.summary().loc[["rise"], columns], alone.summary()[columns])


def test_small_curves_are_left_out_and_counted():
    table = pd.concat([frame(RISE, task="long"), frame(RISE[:5], task="short")])
    found = upturn.forecast(table, holdout_largest=2, models=["flat"], **FAST)
    assert found.curves.name.tolist() == ["long"]
    assert found.notes[0].startswith("1 curve with fewer than 4 points to fit")
    assert (
        found.notes[1]
        == "scores of the predictions rest on 2 points: fewer than 4 tell almost nothing"
    )


# ---- scores --------------------------------------------------------------------------------------


def test_scores(rising):
    scores = rising.scores
    assert scores.index.tolist() == ["upturn", *METHODS]
    assert scores.columns.tolist()[:5] == ["mae", "crps", "log_score", "coverage_50",
                                           "coverage_90"]  # fmt: skip
    points = rising.predictions()
    assert len(points) == 8
    ours = scores.loc["upturn"]
    error = 100 * (points["median"] - points["score"]).abs()
    assert ours["mae"] == pytest.approx(error.mean())
    assert ours["log_score"] == pytest.approx(points["log_score"].mean())
    inside = (points["low"] <= points["score"]) & (points["score"] <= points["high"])
    assert ours["coverage_90"] == pytest.approx(inside.mean())
    each = rising.by_curve("mae")
    assert each.loc["rise", "upturn"] == pytest.approx(error[points["curve"] == "rise"].mean())
    constant = 100 * abs(np.mean(RISE[:9]) - np.array(RISE[9:])).mean()
    assert each.loc["rise", "constant"] == pytest.approx(constant)
    # the flat task is predicted by everyone, the rising one by those that can rise
    assert ours["mae"] < scores.loc["constant", "mae"]


def test_the_states(rising):
    states = rising.summary()["state"]
    assert states["rise"] == "rising"
    assert states["flat"] == "no sign yet"
    assert "no sign yet on 1 of 2 curves" in rising.verdict


def test_nothing_held_out_is_a_forecast_without_scores():
    found = upturn.forecast(frame(RISE), at=1e25, models=FEW, **FAST)
    assert found.scores.empty
    assert found.verdict == "no sign yet on 0 of 1 curve"
    assert found.predictions().empty
    assert np.isfinite(found.summary()["expected"]).all()
    assert found.summary()["mae"].isna().all()


@pytest.mark.slow
def test_predictive_intervals_hold_what_they_say():
    """45 curves from the prior of the models averaged over, 10 points fitted, 4 predicted.

    90 % intervals hold 80 to 97 % of 180 scores. With this seed they hold 95 %, with the next two
    90 and 88; with the curve as the unit their standard error is some 4 %, so that another seed
    would fail one time in twenty. The seed is fixed.
    """
    rng = np.random.default_rng(7)
    tables = []
    for i in range(45):
        u = np.linspace(0, 1, 14)
        kind = i % 3
        if kind == 0:
            mean = np.full(14, rng.uniform())
        elif kind == 1:
            floor, height = rng.beta(1, 4), rng.uniform()
            steps = (u - rng.normal(0.6, 0.4)) / np.exp(rng.normal(-2.3, 0.8))
            mean = floor + (1 - floor) * height * expit(steps)
        else:
            floor, height, tau = rng.beta(1, 4), rng.uniform(), rng.uniform()
            risen = -np.expm1(-np.exp(rng.normal(1, 1.2)) * np.maximum(u - tau, 0))
            mean = floor + (1 - floor) * height * risen
        rho = np.clip((0.2 * abs(rng.normal())) ** 2, 1e-6, 0.9)
        mean = np.clip(mean, 1e-6, 1 - 1e-6)
        p = rng.beta(mean * (1 / rho - 1), (1 - mean) * (1 / rho - 1))
        tables.append(frame(rng.binomial(200, p) / 200, task=f"t{i}", trials=200))
    found = upturn.forecast(
        pd.concat(tables), holdout_largest=4, models=["flat", "logistic", "hinge"], draws=400
    )
    assert 0.8 <= found.scores.loc["upturn", "coverage_90"] <= 0.97
    best = found.scores.drop(index="upturn")["log_score"].max()
    assert found.scores.loc["upturn", "log_score"] > best


# ---- bad input -----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({}, "train_below: expected a scale below which to fit, but got none"),
        ({"train_below": 1e22, "holdout_largest": 2}, "expected one of them, but got both"),
        ({"train_below": -1.0}, "train_below: expected a number above 0, but got"),
        ({"train_below": "x"}, "train_below: expected a number above 0, but got 'x'"),
        ({"holdout_largest": 0}, "holdout_largest: expected a whole number above 0, but got 0"),
        ({"holdout_largest": 2.5}, "holdout_largest: expected a whole number"),
        ({"holdout_largest": 11}, "split: expected a curve with at least 4 points"),
        ({"train_below": 1e30}, "no point to predict"),
        ({"train_below": 1e19}, "split: expected a curve with at least 4 points"),
        ({"at": [1e25, np.nan]}, "at: expected finite numbers, but got nan"),
        ({"at": -1.0}, "at: expected scales above 0"),
        ({"at": 1e25, "hazard": 0}, "hazard: expected a number above 0, but got 0"),
        ({"at": 1e25, "axis": ["flops"]}, "axis: expected a single axis"),
        ({"at": 1e25, "delta": 2}, "delta: expected a number between 0 and 1"),
    ],
)
def test_bad_arguments(options, message):
    with pytest.raises(DataError) as caught:
        upturn.forecast(frame(RISE), **options)
    assert message in str(caught.value)
    assert "\n" not in str(caught.value)


def test_continuous_metrics_are_left_out_or_refused():
    bleu = frame([30.0 + i for i in range(13)]).assign(metric="bleu", trials=np.nan)
    both = pd.concat([bleu, frame(RISE).assign(metric="acc")])
    found = upturn.forecast(both, holdout_largest=4, models=["flat"], **FAST)
    assert any("1 curve of continuous metrics left out" in note for note in found.notes)
    with pytest.raises(DataError, match="only continuous metrics"):
        upturn.forecast(bleu, holdout_largest=4, **FAST)


def test_scores_that_there_are_not(rising):
    with pytest.raises(DataError, match="score: expected one of mae"):
        rising.by_curve("r2")


def test_a_baseline_without_a_fit_is_reported():
    found = upturn.forecast(frame(RISE[:9]), holdout_largest=4, models=["flat"], **FAST)
    assert found.scores.loc["broken power law", "failed"] == 1
    assert np.isfinite(found.scores.loc["broken power law", "mae"])
    note = "broken power law: no proper fit on 1 curve (6 parameters, 5 points)"
    assert note in found.notes


# ---- text, pictures, the command -----------------------------------------------------------------


def test_the_sheet(rising):
    sheet = ForecastAnswer(rising).sheet(0.9)
    curves, scores = sheet.blocks
    assert [c.header for c in curves.columns] == [
        "task", "score", "fitted to", "so far", "target", "p(jump)", "expected", "90 % interval",
        "error", "flags",
    ]  # fmt: skip
    assert scores.title == rising.verdict
    assert [str(cell) for cell in scores.columns[0].cells] == ["upturn", *METHODS]


def test_the_plot(rising):
    ax = plot_forecast(rising, "rise", baseline="sigmoid")
    drawn = {line.get_gid(): line for line in ax.lines}
    assert len(drawn["fitted"].get_xdata()) == 9
    assert len(drawn["held out"].get_xdata()) == 4
    assert drawn["end"].get_xdata()[0] == pytest.approx(1e22)
    assert "baseline" in drawn
    with pytest.raises(DataError, match="curve: expected one to draw, but got 2"):
        plot_forecast(rising)
    with pytest.raises(DataError, match="baseline"):
        plot_forecast(rising, "rise", baseline="magic")


def test_the_command(folder):
    pd.concat([frame(RISE, task="=rise<b>"), frame(FLAT, task="flat")]).to_csv("t.csv")
    options = ["--shapes", "flat,logistic", "--draws", "100", "--threads", "1"]
    result = run("forecast", "t.csv", "--holdout-largest", 4, *options, "--format", "json",
                 "-o", "out.csv", "-o", "out.md")  # fmt: skip
    assert result.exit_code == 0, result.output
    answer = json.loads(result.stdout)
    assert {"curves", "verdict", "scores", "predictions", "jumps", "totals", "meta"} <= set(answer)
    assert answer["curves"][0]["curve"] == "=rise<b>"
    assert [row["method"] for row in answer["scores"]] == ["upturn", *METHODS]
    assert answer["meta"]["arguments"]["holdout_largest"] == 4
    assert (folder / "out.csv").read_text().splitlines()[1].startswith("'=rise<b>")
    assert "=rise&lt;b>" in (folder / "out.md").read_text()


def test_the_command_refuses(folder):
    frame(RISE).to_csv("t.csv")
    assert "train_below: expected a scale" in refused("forecast", "t.csv", "-o", "out.csv")
    assert "but got both" in refused(
        "forecast", "t.csv", "--train-below", "1e22", "--holdout-largest", 2
    )


def test_the_command_says_what_a_split_leaves(folder, monkeypatch):
    pd.concat([frame(RISE, task="long"), frame(RISE[:5], task="short")]).to_csv("t.csv")
    few = ["--train-below", "4e20", "-o", "out.csv"]  # three points
    assert "split: expected a curve with at least 4 points" in refused("forecast", "t.csv", *few)
    none = ["--train-below", "1e30", "-o", "out.csv"]
    assert "2 curves with no point to predict left out" in refused("forecast", "t.csv", *none)
    monkeypatch.setattr("upturn.questions.forecast.extrapolate.EVALUATIONS", 1)
    result = run("forecast", "t.csv", "--holdout-largest", 3, "--shapes", "flat", "--draws", "50",
                 "--threads", "1")  # fmt: skip
    notes = result.stderr.splitlines()
    assert any(line.startswith("note: 1 curve with fewer than 4 points to fit") for line in notes)
    assert (
        "note: scores of the predictions rest on 3 points: fewer than 4 tell almost nothing"
        in notes
    )
    assert "note: sigmoid: no proper fit on 1 curve (did not converge)" in notes
    (sigmoid,) = (line for line in result.stdout.splitlines() if line.startswith("sigmoid"))
    assert sigmoid.split()[-1] == "1"
