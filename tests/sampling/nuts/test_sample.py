"""NUTS: which samplers there are, diagnostics, and fits that come out of it."""

import numpy as np
import pandas as pd
import pytest

import upturn
from upturn.checks.errors import DataError
from upturn.sampling import batch
from upturn.sampling.nuts import sample as nuts


def table(tasks=2, models=10, seed=0):
    rng = np.random.default_rng(seed)
    rows = [
        {"task": f"t{t}", "model": f"m{i}", "flops": 10.0 ** (20 + 0.4 * i), "trials": 300,
         "successes": rng.binomial(300, 0.25 + 0.06 * max(i - 3 - t, 0)), "chance": 0.25}
        for t in range(tasks)
        for i in range(models)
    ]  # fmt: skip
    return pd.DataFrame(rows)


# --- which samplers there are ---------------------------------------------------------------------


def test_a_missing_sampler_is_named_with_the_line_that_brings_it(monkeypatch):
    monkeypatch.setattr(nuts, "find_spec", lambda name: None)
    with pytest.raises(DataError, match=r"package numpyro .* pip install 'upturn\[nuts\]'"):
        upturn.fit(table(), sampler="nuts", nuts="numpyro")


@pytest.mark.parametrize(("have", "works"), [("1.2.5", True), ("1.5", True), ("1.6.2", False)])
def test_a_blackjax_that_pymc_cannot_call_is_refused(monkeypatch, have, works):
    monkeypatch.setattr(nuts, "find_spec", lambda name: True)
    monkeypatch.setattr(nuts, "version", lambda name: have)
    if works:
        nuts.check_available("blackjax")
        return
    with pytest.raises(
        DataError, match=r"got 1\.6\.2; install it with: pip install 'blackjax<1\.6'"
    ):
        nuts.check_available("blackjax")


def test_an_unknown_sampler_is_refused():
    with pytest.raises(DataError, match="nuts: expected a known NUTS sampler, but got 'stan'"):
        upturn.fit(table(), sampler="nuts", nuts="stan")


# --- diagnostics ----------------------------------------------------------------------------------


def test_diagnostics_of_independent_draws():
    draws = np.random.default_rng(0).normal(size=(4, 500, 3))
    rhat, ess = nuts.diagnose(draws)
    # R̂ of 2,000 independent draws exceeds 1.01 and their size falls below 1,000 far less than
    # once in 10^6; the seed is fixed besides
    assert (rhat < 1.01).all()
    assert (ess > 1000).all()


def test_diagnostics_see_a_chain_elsewhere_and_a_chain_that_creeps():
    rng = np.random.default_rng(1)
    draws = rng.normal(size=(4, 500, 2))
    draws[0, :, 0] += 3
    draws[:, :, 1] = np.cumsum(rng.normal(size=(4, 500)), axis=1)
    rhat, ess = nuts.diagnose(draws)
    assert (rhat > 1.1).all()
    assert (ess < nuts.LEAST_ESS).all()


def test_a_constant_has_nothing_to_converge():
    rhat, ess = nuts.diagnose(np.ones((4, 100, 1)))
    assert rhat.tolist() == [1.0]
    assert ess.tolist() == [400.0]


@pytest.mark.parametrize(
    ("rhat", "ess", "divergences", "converged"),
    [(1.005, 500, 0, True), (1.02, 500, 0, False), (1.0, 300, 0, False), (1.0, 500, 1, False)],
)
def test_convergence_needs_all_three(rhat, ess, divergences, converged):
    found = nuts.Chains({}, np.array([rhat]), np.array([ess]), np.array([divergences]))
    assert found.converged.tolist() == [converged]


# --- fits -----------------------------------------------------------------------------------------


def pretended(model, curves, *, draws, seed, shift=(0.0, 0.0), rhat=(1.0, 1.0), **_):
    """NUTS as it would be if it drew what the population sampler draws, or something else."""
    sample = batch.sample(model, curves, draws=draws, seed=seed + 1)
    moved = {n: v + np.array(shift)[:, None, None] for n, v in sample.parameters.items()}
    count = len(curves)
    return nuts.Chains(moved, np.array(rhat), np.full(count, 900.0), np.zeros(count, int))


@pytest.fixture
def patched(monkeypatch):
    import sys

    def patch(**how):
        module = sys.modules["upturn.questions.fit.fit"]
        monkeypatch.setattr(module, "sample_nuts", lambda *a, **k: pretended(*a, **k, **how))
        monkeypatch.setattr(module, "check_available", lambda name: None)
        return upturn.fit(table(), model="hinge", sampler="nuts", draws=400)

    return patch


def test_the_same_fit_comes_out(patched, tmp_path):
    found, usual = patched(), upturn.fit(table(), model="hinge", draws=400)
    assert list(found.summary().columns) == list(usual.summary().columns)
    assert found.meta["arguments"]["nuts"] == "nutpie"
    assert any("NUTS, which gives no evidence" in note for note in found.notes)
    same = ["p_change", "log_evidence", "khat"]
    pd.testing.assert_frame_equal(found.summary()[same], usual.summary()[same])
    assert found.summary()["ess"].tolist() == [900.0, 900.0]
    assert found.failed == []
    assert found.flags == usual.flags
    found.save(tmp_path / "fit.nc")
    again = upturn.load(tmp_path / "fit.nc")
    pd.testing.assert_frame_equal(again.summary(), found.summary())
    assert set(again.tree.children) >= {"population", "posterior", "log_likelihood"}


def test_curves_that_did_not_converge_are_flagged_with_the_other_answer(patched):
    found = patched(rhat=(1.0, 1.2))
    assert found.failed == ["t1"]
    assert found.flags[0] == []
    told = "; ".join(found.flags[1])
    assert "NUTS not converged (R̂ 1.200, ESS 900, 0 divergences)" in told
    usual = upturn.fit(table(), model="hinge", draws=400).texts()["scale"]["t1"]
    assert f"population sampler: {usual} (" in told


def test_samplers_that_differ_are_flagged(patched):
    found = patched(shift=(0.1, 0.0))
    assert "standard errors apart" in "; ".join(found.flags[0])
    assert "population sampler:" in "; ".join(found.flags[0])
    assert found.flags[1] == []
    assert found.failed == []


@pytest.mark.slow
@pytest.mark.needs("nutpie")
def test_nutpie_agrees_with_the_population_sampler():
    frame = table()
    found = upturn.fit(frame, model="logit-line", sampler="nuts", draws=8000, seed=2)
    other = upturn.fit(frame, model="logit-line", draws=8000, seed=2)
    assert found.failed == []
    stats = found.tree["sample_stats"].to_dataset()
    # four parameters of two curves, within 4 Monte Carlo standard errors: beyond once in 2,000
    assert (stats["difference"].to_numpy() < 4).all()
    mine, theirs = (f.tree["posterior"].to_dataset() for f in (found, other))
    for name in ("intercept", "slope", "floor", "overdispersion"):
        spread = theirs[name].std(("chain", "draw")).to_numpy()
        assert mine[name].std(("chain", "draw")).to_numpy() == pytest.approx(spread, rel=0.15)
