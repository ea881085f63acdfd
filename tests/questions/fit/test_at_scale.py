"""What a fit says at scales that a person names, and of one of its curves."""

import numpy as np
import pandas as pd
import pytest

import upturn

FLOPS = 10.0 ** np.linspace(20, 24, 9)


@pytest.fixture(scope="module")
def fit():
    rise = np.clip(0.25 + 0.2 * (np.log10(FLOPS) - 22), 0.25, 0.65)
    rows = {
        "model": [f"m{i}" for i in range(9)], "flops": FLOPS, "params": FLOPS / 1e13,
        "trials": 2000, "chance": 0.25, "metric": "accuracy",
    }  # fmt: skip
    tasks = {"rises": rise, "never": np.full(9, 0.25)}
    table = pd.concat([pd.DataFrame({"task": t, "score": s, **rows}) for t, s in tasks.items()])
    return upturn.fit(upturn.read(table), axis=["flops", "params"], draws=1000)


@pytest.fixture(scope="module")
def on_flops(fit):
    return fit["rises | flops"]


def test_one_curve_by_its_name(fit, on_flops):
    assert len(on_flops) == 1
    assert on_flops.verdicts == [fit.verdicts[fit.curves.name.tolist().index("rises | flops")]]
    whole = fit.summary().loc[lambda frame: frame.index == "rises | flops"]
    pd.testing.assert_frame_equal(on_flops.summary(), whole, check_index_type=False)


def test_a_task_of_one_curve_is_its_name(on_flops):
    assert len(on_flops["rises"]) == 1


@pytest.mark.parametrize(
    ("name", "message"),
    [("rises", "which 2 curves have"), ("rises | flop", "did you mean 'rises | flops'")],
)
def test_a_name_that_is_not_that_of_one_curve(fit, name, message):
    with pytest.raises(upturn.DataError, match=message.replace("|", r"\|")):
        fit[name]


def test_the_expected_score_at_a_scale(fit):
    """The planted curve within 0.03: ten posterior sds, so that no seed fails by chance."""
    answer = fit.predict(flops=1e23).set_index("task")
    assert answer.loc["rises", "mean"] == pytest.approx(0.45, abs=0.03)
    assert answer.loc["never", "mean"] == pytest.approx(0.25, abs=0.03)
    assert (answer["low"] < answer["mean"]).all()
    assert (answer["mean"] < answer["high"]).all()
    assert not answer["outside"].any()
    assert fit.predict(flops=1e26)["outside"].all()


def test_it_is_the_band_of_the_curve(on_flops):
    x, low, _, high = on_flops.expected(points=3, ci=0.9)
    answer = on_flops.predict(flops=10 ** x[0, 1], ci=0.9)
    np.testing.assert_allclose(answer[["low", "high"]].to_numpy()[0], [low[0, 1], high[0, 1]])


def test_the_probability_by_a_scale(on_flops):
    """0.1 above chance at 10^22.5: certain two decades later, impossible two before."""
    p = [float(on_flops.probability(below=10.0**k)["p"].iloc[0]) for k in (21, 22.5, 24)]
    assert p[0] < 0.01 < p[1] < 0.99 < p[2]
    summary = on_flops.summary()
    median = on_flops.probability(below=float(summary["scale"].iloc[0]))
    assert median["p"].iloc[0] == pytest.approx(0.5, abs=0.02)
    assert 0 <= median["p_se"].iloc[0] < 0.1


@pytest.mark.parametrize(
    ("ask", "message"),
    [
        (lambda fit: fit.predict(), "expected one axis and its value"),
        (lambda fit: fit.predict(flops=1e22, params=1e9), "expected one axis and its value"),
        (lambda fit: fit.predict(flop=1e22), "did you mean 'flops'"),
        (lambda fit: fit.predict(flops=-1.0), "expected a scale on the axis flops, but got -1.0"),
        (lambda fit: fit.probability(below=1e22), "say axis='flops'"),
    ],
)
def test_what_is_refused(fit, ask, message):
    with pytest.raises(upturn.DataError, match=message):
        ask(fit)
