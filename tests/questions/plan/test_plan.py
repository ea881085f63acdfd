"""plan: designs, what simulation says of them, bad input, the command."""

import json

import numpy as np
import pytest
from scipy import stats

import upturn
from tests.support.commands import refused, run
from upturn.checks.errors import DataError
from upturn.questions.plan.plan import places
from upturn.questions.plan.result import Plan, lower_limit
from upturn.show.plots import plot_plan
from upturn.show.text.plans import PlanAnswer

pytestmark = pytest.mark.usefixtures("folder")


@pytest.fixture(scope="module")
def found():
    return upturn.plan(models=(5, 30), trials=500, layouts="even", tasks=30, seed=3, threads=1)


def test_where_models_stand():
    ends = np.array([19.0, 25.0])
    np.testing.assert_allclose(places("even", 4, ends, 22), [19, 21, 23, 25])
    near = places("near", 9, ends, 24.5)
    assert len(near) == 9
    assert near[[0, -1]].tolist() == [19, 25]
    assert (np.abs(near - 24.5) <= 1).sum() >= 4


def test_more_models_pin_it_better(found):
    """30 models against 5 over six decades: estimates are far closer."""
    table = found.summary()
    assert table["models"].tolist() == [5, 30]
    assert table["p_within"].is_monotonic_increasing
    assert table["error"].iloc[1] < 0.6 * table["error"].iloc[0]
    assert table["half_width"].iloc[1] < table["half_width"].iloc[0]
    # of 30 tasks fewer than 22 intervals of 90 % hold the truth 0.8 % of the time
    assert (table["coverage_90"] * 30 >= 22).all()
    assert table["tasks"].tolist() == [30, 30]


def test_a_design_does_better_the_less_is_asked(found):
    wide = upturn.plan(
        models=5, trials=500, layouts="even", tasks=30, seed=3, within=3.0, threads=1
    )
    assert wide.summary()["p_within"].iloc[0] > found.summary()["p_within"].iloc[0]


def row(layout, models, trials, p, tasks=200):
    return {
        "layout": layout, "models": models, "trials": trials, "p_within": p, "p_within_se": 0.04,
        "error": 0.1, "half_width": 0.3, "coverage_90": 0.9, "tasks": tasks, "failed": 0,
    }  # fmt: skip


def made(*rows):
    meta = {"arguments": {"around": 1e22, "model": "hinge", "tasks": 50}}
    return Plan(rows, 0.2, 0.8, upturn.Axis.parse("flops"), meta)


def test_the_verdict_is_the_smallest_that_is_enough():
    several = made(
        row("even", 40, 100, 0.9), row("near", 20, 1000, 0.86), row("even", 20, 100, 0.7)
    )
    assert several.verdict == (
        "20 models with 1,000 questions each (near) locate the emergence scale to ± 0.2 decades "
        "with 80 % probability: 86 % of 200 simulated tasks, "
        "at least 82 % in the long run (p = 0.95)"
    )
    assert several.summary()["enough"].tolist() == [True, True, False]
    none = made(row("even", 10, 100, 0.3), row("even", 40, 100, 0.5))
    assert none.verdict == (
        "none of 2 designs is certain to locate the emergence scale to ± 0.2 decades with 80 % "
        "probability; the best, 40 models with 100 questions (even), does so with 50 ± 4 %"
    )


def test_a_share_that_luck_can_explain_is_not_enough():
    """0.86 of 50 tasks is 0.8 or less one time in seven; of 200, one time in sixty."""
    lucky = made(row("near", 20, 1000, 0.86, tasks=50), row("near", 20, 1000, 0.86, tasks=200))
    table = lucky.summary()
    assert table["enough"].tolist() == [False, True]
    for low, hits, tasks in zip(table["p_within_low"], (43, 172), (50, 200), strict=True):
        assert stats.beta(hits + 0.5, tasks - hits + 0.5).sf(low) == pytest.approx(0.95)


def test_the_best_of_many_designs_is_not_called_enough_for_its_luck():
    """Of 16 designs that all do so with 0.78 the share calls one enough nearly always.

    By the bound, each is called so with a probability below 0.05 (0.016 for 100 tasks).
    """
    rng = np.random.default_rng(0)
    hits = rng.binomial(100, 0.78, (10_000, 16))
    by_share = (hits >= 80).any(axis=1).mean()
    by_bound = (lower_limit(hits, np.full_like(hits, 100)) >= 0.8).mean()
    assert by_share > 0.9
    assert by_bound < 0.05


def test_the_sheet_and_the_plot():
    both = made(row("even", 40, 100, 0.9), row("even", 20, 100, 0.7))
    (block,) = PlanAnswer(both).sheet(0.9).blocks
    cells = {c.header: [str(cell) for cell in c.cells] for c in block.columns}
    assert cells["within 0.2"] == ["90 %", "70 %"]
    assert cells["enough"] == ["yes", ""]
    assert cells["at least"] == ["86 %", "64 %"]
    ax = plot_plan(both)
    assert {line.get_gid() for line in ax.lines} >= {"asked"}
    assert ax.get_ylabel() == "p(within 0.2 decades)"


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"models": 1}, "models: expected 3 to"),
        ({"models": []}, "models: expected at least one number, but got none"),
        ({"models": 2.5}, "models: expected a whole number, but got 2.5"),
        ({"trials": 0}, "trials: expected 1 to"),
        ({"tasks": 0}, "tasks: expected 1 to 100,000, but got 0"),
        ({"layouts": "far"}, "layouts: expected"),
        ({"layouts": []}, "layouts: expected at least one, but got none"),
        ({"within": 0}, "within: expected a number in (0, 100), but got 0"),
        ({"probability": 1.0}, "probability: expected a number in (0, 1)"),
        ({"model": "logistic"}, "model: expected one with a changepoint, but got 'logistic'"),
        ({"axis": "loss"}, "axis: expected a logarithmic axis"),
        ({"limits": (1e22, 1e22)}, "limits: expected two different scales"),
        ({"limits": (-1.0, 1e22)}, "limits: expected two numbers above 0"),
        ({"around": 1e30}, "around: expected a scale within the limits"),
        ({"fixed": {"magic": 0.5}}, "fixed: expected a known parameter, but got 'magic'"),
        ({"fixed": {"height": 0.01}, "tasks": 2}, "fixed: expected tasks that rise by 0.1"),
    ],
)
def test_numbers_that_are_no_design(options, message):
    with pytest.raises(DataError) as caught:
        upturn.plan(**options)
    assert message in str(caught.value)
    assert "\n" not in str(caught.value)


def test_the_command(folder):
    result = run("plan", "--n-models", "5,8", "--trials", "200", "--layout", "even", "--tasks", 5,
                 "--threads", 1, "--format", "json", "-o", "plan.csv")  # fmt: skip
    assert result.exit_code == 0, result.output
    answer = json.loads(result.stdout)
    assert [one["models"] for one in answer["curves"]] == [5, 8]
    assert answer["verdict"]
    assert (folder / "plan.csv").read_text().startswith("layout,models,trials")


def test_the_command_refuses(folder):
    assert "expected whole numbers" in refused("plan", "--n-models", "5,x")
    assert "models: expected 3 to" in refused("plan", "--n-models", "1", "-o", "plan.csv")
    assert "0 is not in the range x>=1" in refused("plan", "--tasks", "0", "-o", "plan.csv")
