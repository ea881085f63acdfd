"""Fits at the ends of what data can be."""

from pathlib import Path

import numpy as np
import pandas as pd
import pytest

import upturn
from tests.support.fits import answer, tasks
from tests.support.tables import loss, scores, table


def proportions(score):
    frame = scores(score=lambda r, e: score(r) if callable(score) else score)
    return frame.assign(chance=0.25)


EXTREMES = {
    "1 point": (table().iloc[:1], ["1 point", "1 scale"]),
    "2 points": (table().iloc[:2], ["2 points", "2 scales"]),
    "3 points": (table().iloc[:3], ["3 points"]),
    "one scale": (table(flops=1e21), ["1 scale"]),
    "constant": (table(trials=100, successes=40), ["constant"]),
    "all zeros": (table(successes=0), ["constant", "all zeros"]),
    "all ones": (table(trials=100, successes=100), ["constant", "all ones"]),
    "a billion trials": (
        table(trials=10**9, successes=(np.linspace(0.25, 0.8, 12) * 1e9).astype(int)),
        [],
    ),
    "a billion, constant": (table(trials=10**9, successes=25 * 10**7), ["constant"]),
    "one trial": (table(trials=1, successes=np.arange(12) % 2), []),
    "no chance": (table().drop(columns="chance"), []),
    "proportions": (proportions(lambda r: np.round(0.25 + 0.5 * r, 3)), []),
    "constant proportions": (proportions(0.3), ["constant"]),
    "proportions of 0": (proportions(0.0), ["constant", "all zeros"]),
    "proportions of 1": (proportions(1.0), ["constant", "all ones"]),
    "constant loss": (loss().assign(score=3.0), ["constant"]),
    "loss of 0": (loss().assign(score=0.0), ["constant"]),
    "one loss": (loss().iloc[:1], ["1 point", "1 scale"]),
    "large numbers": (scores("elo", score=lambda r, e: 1e12 + 1e6 * (r + 0.1 * e)), []),
}


FEW = ("1 point", "2 points", "3 points", "one scale", "all zeros", "one trial", "one loss")


@pytest.mark.parametrize(("scatter", "names"), [("none", tuple(EXTREMES)), ("auto", FEW)])
def test_extremes_have_an_answer(scatter, names):
    """Each in one batch with all others: an answer, flags that say what it is worth, no warning."""
    frames = [EXTREMES[name][0].assign(task=name) for name in names]
    fit = upturn.fit(pd.concat(frames), draws=400, scatter=scatter)
    summary, text = fit.summary(), fit.texts()
    rows = summary.set_index("task")
    assert set(rows.index) == set(names)
    for name in names:
        flags = EXTREMES[name][1]
        assert set(flags) <= set(rows.loc[name, "flags"].split("; ")), name
    assert summary["p_change"].between(0, 1).all()
    assert np.isfinite(summary[["gain", "log_evidence", "ess", "rhat"]]).all(axis=None)
    doubtful = ~(summary["khat"] <= 0.7)
    assert set(summary.index[doubtful]) <= set(fit.failed)
    assert summary.loc[fit.failed, "flags"].str.contains("not converged").all()
    assert len(fit.failed) <= 2
    assert (summary["scale_low"] <= summary["scale_high"]).all()
    assert not summary[["scale", "scale_low", "scale_high"]].isna().any(axis=None)
    assert (text != "").all(axis=None)
    assert np.isfinite(fit.log_likelihood()).all()
    assert all(np.isfinite(band).all() for band in fit.expected(5))
    assert rows.loc["one scale", "scale"] in (0, np.inf)
    if "a billion trials" in names:
        assert rows.loc["a billion, constant", "p_change"] < 0.5
        assert rows.loc["a billion trials", "p_change"] > 0.9


@pytest.mark.parametrize("model", upturn.Model.names())
def test_every_model_answers(model):
    frame = tasks(table(8), table().iloc[:1], loss(8))
    fit = upturn.fit(frame, model=model, draws=400, scatter="none")
    assert fit.summary()["p_change"].between(0, 1).all()
    assert set(fit.model.parameters) <= set(fit.tree["posterior"].data_vars)
    assert all(np.isfinite(band).all() for band in fit.expected(5))


def test_the_flat_model_is_its_own_twin():
    """Even odds, to 4.5 of their own errors: once in 10^5 by chance."""
    fit, row, _ = answer(table().drop(columns="family"), model="flat")
    error = float(fit.tree["sample_stats"]["p_change_se"][0])
    assert abs(row["p_change"] - 0.5) < 4.5 * error


def test_a_curve_that_does_not_converge_is_named(monkeypatch):
    from dataclasses import replace

    from upturn.sampling import batch

    plain = batch.sampler.sample

    def doubtful(target, **options):
        found = plain(target, **options)
        return replace(found, converged=found.converged & (target.curves.name != "t1"))

    monkeypatch.setattr(batch.sampler, "sample", doubtful)
    fit = upturn.fit(tasks(table(6), table(7)), draws=400)
    assert fit.failed == ["t1"] == fit.totals()["failed"]
    assert "not converged" in fit.summary().loc["t1", "flags"]
    assert "not converged" not in fit.summary().loc["t0", "flags"]


def test_a_path_and_its_notes(tmp_path):
    path = tmp_path / "results.csv"
    frame = table().drop(columns="flops").assign(params=np.geomspace(1e6, 1e9, 12), tokens=1e9)
    frame.to_csv(path, index=False)
    fit = upturn.fit(Path(path), draws=40, scatter="none")
    assert any("FLOPs derived" in note for note in fit.notes)
    assert str(tmp_path) not in str(fit.meta)
