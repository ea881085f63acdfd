"""check: false alarms, planted faults, and the words for them."""

import json

import numpy as np
import pandas as pd
import pytest
from scipy.stats import kstest
from scipy.stats import t as student_t

import upturn
from tests.support.commands import refused, run
from upturn.checks.errors import DataError
from upturn.questions.check.findings import Finding, corrected, holm, kept
from upturn.questions.check.of_curve import checked
from upturn.questions.check.pvalues import exceeded
from upturn.questions.check.residuals import Residuals
from upturn.questions.check.statistics import Setting, followers, largest, steps
from upturn.show import plots

CHANCE, TRIALS = 0.25, 500
FLOPS = 10.0 ** np.linspace(20, 24, 40)


def expected(tau=21.5, rate=1.0, height=0.6):
    """A hinge, which the default model has the formula of."""
    return CHANCE + height * (1 - np.exp(-rate * np.maximum(np.log10(FLOPS) - tau, 0)))


def table(tasks, seed, change=lambda mean, rng: mean, models=40, **columns):
    """Binomial scores about a hinge, which `change` may change; each task has its own."""
    rng = np.random.default_rng(seed)
    every = np.linspace(0, 39, models).round().astype(int)
    parts = []
    for t in range(tasks):
        mean = expected(rng.uniform(21, 22.5), rng.uniform(0.5, 2), rng.uniform(0.3, 0.7))
        k = rng.binomial(TRIALS, np.clip(change(mean, rng), 0, 1))
        frame = pd.DataFrame({"flops": FLOPS, "successes": k, "task": f"t{t}"})
        parts.append(frame.iloc[every].assign(model=[f"m{i}" for i in every]))
    return pd.concat(parts).assign(trials=TRIALS, chance=CHANCE, **columns)


@pytest.fixture(scope="module")
def clean():
    return upturn.fit(table(20, 1, models=15), draws=400)


# ---- clean tables --------------------------------------------------------------------------------


def test_nothing_is_found_in_a_table_that_fits(clean):
    found = upturn.check(clean)
    assert found.verdict == "20 curves: all fit"
    assert list(found.summary()) == [
        "curve", "task", "axis", "finding", "where", "p", "says", "remedy"
    ]  # fmt: skip
    assert found.summary().empty
    assert (found.texts()["fits"] == "the curve fits").all()


def test_p_values_are_uniform_where_the_model_is_right(clean):
    tests = [test for seen in upturn.check(clean)._checked for test in seen.tests]
    for kind in ("trend", "outlier"):
        p = [test.p for test in tests if test.kind == kind]
        assert len(p) == 20
        # fails by chance with probability 1e-4; the seed is fixed
        assert kstest(p, "uniform").pvalue > 1e-4


def test_residuals_have_the_size_that_they_should():
    fit = upturn.fit(table(20, 1, models=15), likelihood="binomial", draws=400)
    z = upturn.check(fit).residuals()["residual"]
    assert len(z) == 300
    # 4 errors of the mean square of 300 normal numbers: 6e-5
    assert abs((z**2).mean() - 1) < 4 * np.sqrt(2 / 300)


def test_what_is_found_does_not_depend_on_other_curves(clean):
    whole, alone = upturn.check(clean), upturn.check(clean["t3"])
    assert whole._checked[3].tests[0].p == alone._checked[0].tests[0].p
    np.testing.assert_array_equal(whole.standardised[3], alone.standardised[0])


# ---- planted faults ------------------------------------------------------------------------------


def second_rise(mean, rng):
    return mean + 0.25 * (np.arange(40) >= 32)


def outlier(mean, rng):
    return mean - 0.3 * (np.arange(40) == 25)


def below_chance(mean, rng):
    return np.where(mean < CHANCE + 0.01, mean - 0.08, mean)


@pytest.mark.parametrize(
    ("change", "kind", "where"),
    [(second_rise, "trend", None), (outlier, "outlier", "m25"), (below_chance, "chance", None)],
)
def test_a_fault_in_a_curve_is_found_and_named(change, kind, where):
    """In two of three tasks at least; docs/check.md has how often, by size."""
    found = upturn.check(table(3, 2, change), draws=400).summary()
    of_kind = found[found["finding"] == kind]
    assert len(of_kind) >= 2
    if where is not None:
        assert set(of_kind["where"]) == {where}


def test_noise_beyond_the_trials_is_found_under_a_binomial():
    noisy = table(1, 3, lambda mean, rng: mean + rng.normal(0, 0.08, 40))
    found = upturn.check(noisy, likelihood="binomial", draws=400)
    assert "scatter" in set(found.summary()["finding"])
    usual = upturn.check(noisy, draws=400).summary()  # with noise that is fitted
    assert "scatter" not in set(usual["finding"])


def test_checkpoints_like_the_one_before_are_found():
    def drifting(mean, rng):
        noise = np.zeros(40)
        for i in range(1, 40):
            noise[i] = 0.9 * noise[i - 1] + rng.normal(0, 0.03)
        return mean + noise

    found = upturn.check(table(4, 2, drifting, run="r"), draws=400, scatter="none")
    p = [test.p for seen in found._checked for test in seen.tests if test.kind == "autocorrelation"]
    assert sum(value < 0.01 for value in p) >= 2


def test_a_model_that_is_off_on_all_tasks_is_named():
    broken = table(12, 5, lambda mean, rng: mean - 0.08 * (np.arange(40) == 30), models=14)
    found = upturn.check(broken, draws=400)
    shared = found.summary().query("finding == 'shared'")
    assert shared["where"].tolist() == ["m30"]
    assert shared["curve"].tolist() == [""]
    assert "off across tasks: m30" in found.verdict


# ---- parts ---------------------------------------------------------------------------------------


def test_holm_and_the_two_worst_of_a_curve():
    np.testing.assert_allclose(holm(np.array([0.01, 0.04, 0.03])), [0.03, 0.06, 0.06])
    tests = [Finding(0, kind, "", p, "", "") for kind, p in
             (("trend", 1e-4), ("outlier", 1e-5), ("scatter", 1e-3), ("chance", 0.9))]  # fmt: skip
    found = kept(corrected(tests, 0.5))
    assert [(f.kind, round(f.p, 6)) for f in found] == [("outlier", 8e-5), ("trend", 6e-4)]


def test_two_outliers_do_not_hide_each_other():
    e = np.ones((1, 40))
    e[0, :2] = 8.0
    setting = Setting(np.ones(40), np.full(40, -1))
    assert largest(e, setting)[0] == 64


def test_steps_are_largest_where_residuals_jump():
    e = np.concatenate([-np.ones(10), np.ones(5)])[None]
    setting = Setting(np.ones(15), np.full(15, -1))
    found = steps(e, setting)[0]
    assert found.argmax() == 9
    assert found.max() == pytest.approx(e.size * np.var(e) / (e**2).sum())


def test_a_tail_is_as_heavy_as_it_should_be():
    """Of 4,000 replicates a p of 1e-5 comes from the tail; it is known to a factor of ten."""
    replicated = student_t(5).rvs(4000, random_state=np.random.default_rng(7))
    p = exceeded(float(student_t(5).isf(1e-5)), replicated)
    assert 2e-6 < p < 1e-4
    assert exceeded(2.0, np.zeros(100)) > 0


def test_followers_stay_within_a_run():
    assert followers(np.array([0, 1, 0, 1, -1, -1])).T.tolist() == [[0, 2], [1, 3]]


def test_replicated_residuals_have_the_covariance_of_the_observed_ones(clean):
    rng = np.random.default_rng(6)
    residuals = Residuals.of(clean._contents, clean.curves, 0, rng)
    many = np.concatenate([residuals.replicated(rng) for _ in range(20)])
    spread = (many**2).mean(axis=0)
    # the noise of 400 draws, of which the variances are known to 7 %; 15 points
    np.testing.assert_allclose(spread, residuals.share, rtol=0.15)


def test_curves_of_few_points_and_one_scale_are_left_out(clean):
    few = upturn.fit(table(1, 1).iloc[:4], draws=100)
    found = upturn.check(few)
    assert "1 curve of fewer than 5 points not checked" in found.notes
    assert checked(few._contents, few.curves, 0, np.random.default_rng(0)).tests == ()
    same = upturn.fit(table(1, 1).assign(flops=1e22), draws=100)
    assert upturn.check(same).summary().empty


def test_a_mix_of_axes_is_refused():
    mix = upturn.fit(
        table(1, 1).assign(tokens=np.roll(FLOPS, 7) / 1e10),
        axis="mix:flops,tokens",
        model="step",
        draws=40,
    )
    with pytest.raises(DataError, match="check: expected a fit on single axes"):
        upturn.check(mix)


# ---- text, figure, command -----------------------------------------------------------------------


def test_a_figure_marks_the_model_that_does_not_belong():
    found = upturn.check(table(1, 2, outlier), draws=400)
    ax = plots.plot_check(found)
    marked = next(line for line in ax.lines if line.get_gid() == "outliers")
    assert len(marked.get_xdata()) == 1
    assert float(marked.get_xdata()[0]) == pytest.approx(FLOPS[25], rel=1e-4)
    assert "m25 scores" in ax.get_title(loc="left")


def test_the_command(folder):
    table(2, 2, outlier).to_csv("t.csv", index=False)
    result = run("check", "t.csv", "--draws", 200, "-o", "c.json", "--plot", "c.svg")
    assert result.exit_code == 0, result.output
    assert "outlier" in result.stdout
    assert "next: --likelihood robust\n" in result.stderr
    answer = json.loads((folder / "c.json").read_text(encoding="utf-8"))
    assert {row["where"] for row in answer["curves"]} >= {"m25"}
    assert len(answer["residuals"]) == 80
    assert (folder / "c.svg").stat().st_size > 1000
    assert run("check", "t.csv", "--draws", 200, "-q", "--fail-if", "p<0.05").exit_code == 3


def test_options_of_a_saved_fit_are_refused(folder, clean):
    clean.save("fit.nc")
    assert run("check", "fit.nc").exit_code == 0
    assert "--likelihood: expected it with a table" in refused(
        "check", "fit.nc", "--likelihood", "robust"
    )
