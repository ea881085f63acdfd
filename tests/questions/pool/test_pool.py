"""pool: what it answers from NUTS's draws, what it refuses, and truths it finds again."""

import json
import re
import sys

import numpy as np
import pandas as pd
import pytest
from click.testing import CliRunner

import upturn
from tests.support.pools import FAMILIES, OFFSETS, pool_of, pretended, table
from upturn.checks.errors import DataError
from upturn.cli import main
from upturn.model import Model
from upturn.questions.pool.hierarchy import SPREADS, Pooled
from upturn.questions.pool.pool import answer
from upturn.questions.pool.result import Pool
from upturn.show.text.pooled import PoolAnswer, sheet_of

# --- answers --------------------------------------------------------------------------------------


def test_tasks_stand_where_the_draws_say():
    found = pool_of().summary()
    assert found.index.tolist() == ["t0", "t1"]
    assert found["scale"].to_numpy() == pytest.approx(1e22, rel=0.05)  # half of 20 to 24
    # 90 % of a normal with sd 0.005 of four decades
    width = np.log10(found["scale_high"] / found["scale_low"])
    assert width.to_numpy() == pytest.approx(2 * 1.645 * 0.005 * 4, rel=0.15)
    assert found["families"].tolist() == [3, 3]
    assert not found["censored"].any()


def test_offsets_are_decades_and_those_of_small_families_are_there():
    found = pool_of().families.set_index("family")
    assert found["models"].tolist() == list(FAMILIES)
    assert found["offset"].to_numpy() == pytest.approx(4 * OFFSETS, abs=0.01)
    half = 4 * 0.02 * 1.645
    assert (found["offset_high"] - found["offset"]).to_numpy() == pytest.approx(half, rel=0.15)
    assert found["share"].to_numpy() == pytest.approx(OFFSETS, abs=0.003)
    assert found.loc["f2", "p_later"] > 0.99
    assert np.isfinite(found["elpd"]).all()


def test_families_within_tasks_are_offset():
    found = pool_of().by_family().set_index(["task", "family"])
    late, early = found.loc[("t1", "f2"), "scale"], found.loc[("t1", "f0"), "scale"]
    assert np.log10(late / early) == pytest.approx(4 * 0.3, abs=0.05)
    assert found.loc[("t0", "f0"), "points"] == 3


def test_scales_beyond_the_axis_are_censored():
    curves = upturn.read(table()).curves("flops", scatter="none")
    pooled = Pooled.of(Model.read("hinge"), curves)
    found = Pool((answer(pooled, pretended(pooled, shift=0.6)),), {"notes": []}).by_family()
    last = found[found["family"] == "f2"].iloc[0]
    assert last["censored"]
    assert np.isinf(last["scale"])


def test_spread_of_families():
    found = pool_of().sigma_family.loc["flops"]
    assert found["share"] == pytest.approx(0.1, rel=0.05)
    assert found["sigma_family"] == pytest.approx(0.4, rel=0.05)
    assert found["sigma_task"] == pytest.approx(0.08, rel=0.05)
    assert found["unit"] == "decades"
    assert found["sigma_family_low"] < found["sigma_family"] < found["sigma_family_high"]


def test_differences_of_two_families():
    found = pool_of().difference("f2", "f0").loc["flops"]
    assert found["later"] == pytest.approx(1.2, abs=0.02)
    assert found["p_later"] == 1
    with pytest.raises(DataError, match="difference: expected a known family, but got 'f9'"):
        pool_of().difference("f9", "f0")


def test_axes_are_ranked_by_prediction():
    done = pool_of(("flops", "params"))
    found = done.axes
    assert found["elpd"].is_monotonic_decreasing
    assert found["difference"].iloc[0] == 0
    each = done.families.pivot(index="family", columns="axis", values="elpd")
    apart = each[found.index[1]] - each[found.index[0]]
    assert found["difference"].iloc[1] == pytest.approx(apart.sum())
    assert found["difference_se"].iloc[1] == pytest.approx(np.sqrt(3) * apart.std(ddof=1))


@pytest.mark.slow
def test_what_did_not_converge_is_flagged():
    assert pool_of().failed == []
    stuck = pool_of(stuck=True)
    assert stuck.failed == ["flops"]
    assert "not converged (R̂" in stuck.summary().loc["t0", "flags"]
    assert stuck.summary().loc["t1", "flags"] == ""
    assert pool_of(divergences=3).failed == ["flops"]
    assert "3 divergences" in pool_of(divergences=3).summary().loc["t1", "flags"]


# --- what is printed ------------------------------------------------------------------------------


def test_json_holds_everything_and_no_nan():
    document = json.loads(PoolAnswer(pool_of()).text("json", 0.9))
    assert {"curves", "by_family", "families", "axes", "sigma_family", "totals", "meta"} <= set(
        document
    )
    assert [row["curve"] for row in document["curves"]] == ["t0", "t1"]
    assert document["totals"]["families"] == 3


def test_csv_is_the_tasks_in_each_family():
    lines = PoolAnswer(pool_of()).text("csv", 0.9).splitlines()
    assert lines[0].startswith("task,family,axis,points,scale,")
    assert len(lines) == 1 + 2 * 3


def test_sheet_and_markdown_escape_names():
    done = pool_of()
    text = PoolAnswer(done).text("markdown", 0.9)
    assert "| f2 | 1 | 2 | +0.80 |" in text
    blocks = [block.title for block in sheet_of(done, 0.9).blocks]
    assert blocks[0] == "Spread of families"
    assert "training FLOPs: offset of each family, decades" in blocks


def test_command_line(monkeypatch, tmp_path):
    monkeypatch.setattr(upturn, "pool", lambda *a, **k: pool_of())
    path = tmp_path / "results.csv"
    table().to_csv(path, index=False)
    done = CliRunner().invoke(main, ["pool", str(path), "--over", "family", "-o",
                                     str(tmp_path / "out.json")])  # fmt: skip
    assert done.exit_code == 0, done.output
    assert "Spread of families" in done.stdout
    assert "note: a note" in done.stderr
    assert json.loads((tmp_path / "out.json").read_text())["totals"]["tasks"] == 2
    monkeypatch.setattr(upturn, "pool", lambda *a, **k: pool_of(stuck=True))
    done = CliRunner().invoke(main, ["pool", str(path)])
    assert done.exit_code == 1
    assert "Failed, 1 of 1: 'flops'" in done.stderr


# --- what is refused ------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"over": "colour"}, "over: expected a known label, but got 'colour'"),
        ({"axis": "tokens"}, "expected a known axis, but got 'tokens'"),
        (
            {"priors": {"sigma_family": "Normal(0, 1)"}},
            "expected a distribution of positive numbers",
        ),
        ({"priors": {"slope": "Normal(0, 1)"}}, "expected a known parameter, but got 'slope'"),
        ({"draws": 3}, "draws: expected 40 to"),
        ({"model": "hing"}, "expected a known model, but got 'hing'"),
    ],
)
def test_bad_arguments(arguments, message):
    with pytest.raises(DataError, match=message):
        upturn.pool(table(), **arguments)


def test_an_answer_that_did_not_converge_says_why_and_what_to_do():
    stuck = pool_of(stuck=True)
    (warning,) = stuck.warnings
    assert re.match(r"flops: not converged \(R̂ [\d.]+, not below 1.01.*\); use ", warning)
    assert "HalfNormal(0.05)" in warning
    (warning,) = pool_of(divergences=3).warnings
    assert "3 divergences" in warning
    assert pool_of().warnings == ()
    lines = PoolAnswer(stuck).sheet(0.9).heading
    assert lines[1] == f"warning: {stuck.warnings[0]}"


def test_one_family_cannot_be_pooled():
    with pytest.raises(DataError, match="expected at least 2 values of 'family' to pool, but got"):
        upturn.pool(table(family="only"))


def test_no_family_column():
    with pytest.raises(DataError, match="over: expected a known label"):
        upturn.pool(table().drop(columns="family"))


def test_other_labels_and_kinds(monkeypatch):
    """What reaches the model: the label as family, the commonest kind, rows with all axes."""
    seen = []

    def stop(settings, curves, progress):
        seen.append(curves)
        pooled = Pooled.of(settings.model, curves)
        return answer(pooled, pretended(pooled))

    monkeypatch.setattr(sys.modules["upturn.questions.pool.pool"], "_on_axis", stop)
    frame = table().rename(columns={"family": "run"})
    frame.loc[frame.model == "m0", "params"] = np.nan
    extra = frame[frame.task == "t0"].assign(metric="ppl", score=2.0, chance=np.nan)
    frame = pd.concat([frame.assign(metric="acc"), extra.drop(columns=["successes", "trials"])])
    done = upturn.pool(frame, over="run", axis=["flops", "params"])
    for curves in seen:
        assert set(curves.family[curves.mask]) == {"f0", "f1", "f2"}
        assert curves.kind.tolist() == ["counts", "counts"]
        assert curves.points.tolist() == [5, 5]
        assert np.ptp(curves.limits[:, 0], axis=1).tolist() == [0, 0]
    assert any("not of the kind counts" in note for note in done.notes)
    assert set(done.sigma_family.index) == {"flops", "params"}
    assert set(done.meta["arguments"]["priors"]) >= set(SPREADS)
    assert done.meta["arguments"]["where"] == []
    assert {"numpy", "pymc", "nutpie"} <= set(done.meta["versions"])


# --- truths found again ---------------------------------------------------------------------------


@pytest.mark.slow
@pytest.mark.needs("nutpie")
def test_offsets_of_simulated_families():
    """Eight families with known offsets, one of them with a single model."""
    rng = np.random.default_rng(4)
    sizes = np.array([5, 5, 4, 4, 3, 3, 2, 1])
    of, offset = np.repeat(np.arange(8), sizes), rng.normal(scale=0.5, size=8)
    flops = 10.0 ** rng.uniform(19, 25, len(of))
    rows = [
        {"task": f"t{t}", "model": f"m{i}", "family": f"f{f}", "flops": flops[i],
         "chance": 0.0, "trials": 500,
         "successes": rng.binomial(500, 0.9 / (1 + np.exp(-2 * (np.log10(flops[i]) - 21.5 - 0.4 * t
                                                                - offset[f]))))}
        for t in range(3)
        for i, f in enumerate(of)
    ]  # fmt: skip
    done = upturn.pool(pd.DataFrame(rows), model="logistic", draws=2000, seed=1)
    assert done.failed == []
    found = done.families
    error = (found["offset_high"] - found["offset_low"]) / (2 * 1.645)
    z = (found["offset"] - offset) / error
    # normal errors: one of eight beyond 4 less than once in 1,900; the seed is fixed besides
    assert (z.abs() < 4).all()
    assert np.corrcoef(found["offset"], offset)[0, 1] > 0.9
    assert done.sigma_family.loc["flops", "sigma_family"] == pytest.approx(offset.std(), rel=0.5)
