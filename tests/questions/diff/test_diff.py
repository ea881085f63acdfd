"""diff: which change of a curve is how probable, and the same at the command line."""

import json
from shutil import copytree

import numpy as np
import pandas as pd
import pytest
from scipy.stats import norm

import upturn
from tests.support.commands import refused, run
from upturn.checks.errors import DataError
from upturn.questions.diff.changes import CHANGES, named, probabilities
from upturn.questions.diff.match import matched
from upturn.questions.diff.side import Side
from upturn.show import plots

FLOPS = 10.0 ** np.linspace(20, 24, 9)


def table(start, models=9, task="addition", **labels):
    """Scores that rise from chance at one of the scales on, by a tenth a model."""
    steps = np.clip(np.arange(models) - start, 0, 6) * 0.15
    scores = pd.DataFrame({"score": 0.02 + steps, "flops": FLOPS[:models], "trials": 1000})
    return scores.assign(task=task, model=[f"m{i}" for i in range(models)], chance=0.0, **labels)


@pytest.fixture(scope="module")
def curve():
    return upturn.read(table(5)).curves("flops")


def side(curves, x):
    """A result whose draws of the scale are given."""
    return Side(curves, np.atleast_2d(x), lambda _: np.zeros((3, 1)), (), (), {})


def changed(curves, x, y, tolerance=0.3):
    p, error = probabilities(side(curves, x), side(curves, y), np.array([tolerance]))
    return dict(zip(CHANGES, p[0].tolist(), strict=True)), error[0]


# ---- probabilities -------------------------------------------------------------------------------


def test_normal_scales_are_compared_as_their_difference(curve):
    rng = np.random.default_rng(1)
    x, y = rng.normal(22.0, 0.2, 4000), rng.normal(22.4, 0.3, 4000)
    p, error = changed(curve, x, y)
    spread = np.hypot(0.2, 0.3)
    expected = {
        "later": norm.sf((0.3 - 0.4) / spread),
        "earlier": norm.cdf((-0.3 - 0.4) / spread),
        "same": norm.cdf(-0.1 / spread) - norm.cdf(-0.7 / spread),
    }
    # 4.5 errors: with 10 batches (t, 9 degrees of freedom) .0015 a comparison, seed fixed
    for name, value in expected.items():
        assert abs(p[name] - value) < 4.5 * error[CHANGES.index(name)]
    assert p["emerged"] == p["vanished"] == p["untested"] == 0
    assert sum(p.values()) == pytest.approx(1)


def test_an_ability_that_appears_and_one_that_goes(curve):
    there, nowhere = np.full(100, 22.0), np.full(100, np.inf)
    half = np.where(np.arange(100) % 2, there, nowhere)
    assert changed(curve, nowhere, there)[0]["emerged"] == 1
    assert changed(curve, there, nowhere)[0]["vanished"] == 1
    assert changed(curve, nowhere, nowhere)[0]["same"] == 1
    p, _ = changed(curve, half, half)
    assert (p["emerged"], p["vanished"], p["same"]) == (0.25, 0.25, 0.5)


def test_what_the_later_models_are_too_small_for_has_not_vanished(curve):
    short = upturn.read(table(5, models=4)).curves("flops")  # up to 10^21.5
    before, after = side(curve, np.full(100, 23.0)), side(short, np.full(100, np.inf))
    p, _ = probabilities(before, after, np.array([0.3]))
    assert named(p) == ["untested"]


def test_of_an_ability_there_from_the_start_only_a_limit_is_known(curve):
    start = np.full(100, -np.inf)
    assert changed(curve, start, start)[0]["same"] == 1
    assert changed(curve, start, np.full(100, 20.2))[0]["same"] == 1  # within a factor of 2
    assert changed(curve, start, np.full(100, 22.0))[0]["later"] == 1
    assert changed(curve, np.full(100, 22.0), start)[0]["earlier"] == 1
    # the smallest scale after is larger than the scale before: nothing is known
    far = upturn.read(table(0).assign(flops=FLOPS * 1e4)).curves("flops")
    p, _ = probabilities(side(curve, np.full(100, 22.0)), side(far, start), np.array([0.3]))
    assert named(p) == ["same"]


# ---- tables and fits -----------------------------------------------------------------------------


def test_tables_are_classified_and_matched_by_task():
    before = pd.concat([table(9, task="moved"), table(2, task="kept"), table(3, task="gone")])
    after = pd.concat([table(3, task="moved"), table(2, task="kept"), table(3, task="new")])
    found = upturn.diff(before, after, models=["chance", "hinge"], draws=100)
    assert found.summary()["change"].to_dict() == {"moved": "emerged", "kept": "same"}
    assert found.verdict == "2 curves in both: emerged: 1, same: 1"
    assert "1 curve only in A left out: 'gone'" in found.notes
    assert "1 curve only in B left out: 'new'" in found.notes
    assert found.meta["arguments"]["within"] == 2
    columns = [name for name in found.summary() if name.startswith("p_")]
    assert columns == ["p_se", *(f"p_{name}" for name in CHANGES)]


def test_a_table_beside_a_fit_is_fitted_as_that_was():
    fit = upturn.fit(table(6), model="step", draws=100, delta=0.2)
    found = upturn.diff(fit, table(3))
    assert found.after.arguments["models"] == ["step"]
    assert found.meta["arguments"]["delta"] == 0.2
    assert found.changes == ["earlier"]
    same = upturn.diff(fit, fit)
    assert same.changes == ["same"]
    assert same.summary()["before"].equals(same.summary()["after"].rename("before"))


def test_labels_match_only_as_far_as_they_tell_curves_apart():
    zero = upturn.read(table(5, setting="zero-shot")).curves("flops")
    both = pd.concat([table(5, setting="zero-shot"), table(3, setting="few-shot")])
    few = upturn.read(table(3, setting="few-shot")).curves("flops")
    assert "setting differs between the two in 1 curve" in matched(zero, few).notes[0]
    match = matched(zero, upturn.read(both).curves("flops"))
    assert match.after.tolist() == [0]
    assert match.notes == ("1 curve only in B left out: 'addition | few-shot'",)
    with pytest.raises(DataError, match="expected curves that are in both, but got 'addition' in"):
        matched(zero, upturn.read(table(3, task="other")).curves("flops"))


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"within": 0.5}, "within: expected a factor of 1 or more, but got 0.5"),
        ({"within": "a"}, "within: expected a factor of 1 or more, but got 'a'"),
        ({"delta": 2}, "delta: expected a number between 0 and 1, but got 2"),
    ],
)
def test_arguments_out_of_range(arguments, message):
    with pytest.raises(DataError, match=message):
        upturn.diff(table(3), table(3), **arguments)


def test_fits_of_other_meaning_are_refused():
    fits = [upturn.fit(table(3), model="step", draws=40, delta=delta) for delta in (0.1, 0.2)]
    with pytest.raises(DataError, match=r"delta: expected the same on both sides, but got 0.1"):
        upturn.diff(*fits)
    mix = upturn.fit(
        table(3).assign(params=np.arange(1, 10) * 1e9),
        axis="mix:flops,params",
        model="step",
        draws=40,
    )
    with pytest.raises(DataError, match="diff: expected fits on single axes"):
        upturn.diff(mix, mix)


def test_a_figure_has_both_results_and_marks_what_changed():
    before, after = (pd.concat([table(k, task="a"), table(2, task="b")]) for k in (7, 3))
    found = upturn.diff(before, after, models=["chance", "hinge"], draws=100)
    ax = plots.plot_diff(found)
    names = [text.get_text() for text in ax.get_yticklabels()]
    assert names == ["a  earlier", "b  same"]
    by_gid = {artist.get_gid(): artist for artist in ax.get_children()}
    old, new = (by_gid[f"{name}-scale"].get_offsets() for name in ("before", "after"))
    assert old[0, 0] > 2 * new[0, 0]
    colours = by_gid["after-scale"].get_facecolors()
    assert not np.allclose(colours[0], colours[1])
    with pytest.raises(DataError, match="expected a known curve"):
        plots.plot_diff(found, "c")


# ---- the command line ----------------------------------------------------------------------------


@pytest.fixture(scope="module")
def saved(tmp_path_factory):
    """Two tables, and a fit of each."""
    place = tmp_path_factory.mktemp("diff")
    for name, start in (("a", 7), ("b", 3)):
        table(start).to_csv(place / f"{name}.csv", index=False)
        upturn.fit(place / f"{name}.csv", model="step", draws=100).save(place / f"{name}.nc")
    return place


@pytest.fixture
def files(saved, folder):
    copytree(saved, folder, dirs_exist_ok=True)
    return folder


def test_conditions_set_the_exit_code(files):
    assert run("diff", "a.nc", "b.nc").exit_code == 0
    met = run("diff", "a.nc", "b.nc", "--fail-if", "change=earlier and p>0.9", "-o", "d.json")
    assert met.exit_code == 3
    assert "change=earlier and p>0.9: 1 of 1: 'addition'\n" in met.stderr
    (row,) = json.loads((files / "d.json").read_text(encoding="utf-8"))["curves"]
    assert (row["change"], row["curve"]) == ("earlier", "addition")
    assert run("diff", "a.nc", "b.nc", "--fail-if", "p < 0.1").exit_code == 0
    other = ("--fail-if", "change=later", "--fail-if", "after<=1e23")
    assert run("diff", "a.nc", "b.nc", *other).exit_code == 3
    assert run("summary", "a.nc", "--fail-if", "verdict!=emerges").exit_code == 0
    assert run("summary", "a.nc", "--fail-if", "censored=false").exit_code == 3


def test_a_table_and_a_fit_at_the_command_line(files):
    result = run("diff", "a.csv", "b.nc", "--format", "csv")
    assert result.exit_code == 0, result.output
    assert "earlier" in result.stdout


def test_bad_input_is_one_line(files):
    assert "expected COLUMN=VALUE, or <, >" in refused("diff", "a.nc", "b.nc", "--fail-if", "p")
    assert "expected a known column, but got 'q'" in refused(
        "diff", "a.nc", "b.nc", "--fail-if", "q=1", "-o", "d.csv"
    )
    assert "expected a number to compare p with, but got 'high'" in refused(
        "diff", "a.nc", "b.nc", "--fail-if", "p=high"
    )
    assert "--axis: expected it with a table" in refused("diff", "a.nc", "b.nc", "--axis", "params")
    assert "--where: expected it with a table" in refused(
        "diff", "a.nc", "b.nc", "--where", "task=addition"
    )
    assert "none.csv" in refused("diff", "a.csv", "none.csv")
