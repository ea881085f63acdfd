"""Trees: ArviZ's schema, and files that hold everything."""

import os
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import xarray as xr
from scipy import stats

import upturn
from tests.support.tables import loss, table
from tests.support.targets import hinge_mean
from upturn.checks.errors import DataError
from upturn.posterior import files
from upturn.questions.fit import pointwise

ODD = [
    "commas, and; tabs\t",
    "quotes \" and ' and `",
    "a new\nline",
    "emoji 🎉 é 数",
    "<script>alert(1)</script>",
    " | ",
]


def tasks(*frames):
    return pd.concat([f.assign(task=f"t{i}") for i, f in enumerate(frames)])


# --- ArviZ's schema -------------------------------------------------------------------------------


def test_groups_and_dimensions(fit):
    groups = fit.tree.children
    assert set(groups) == {
        "posterior", "emergence", "sample_stats", "observed_data", "constant_data",
        "log_likelihood",
    }  # fmt: skip
    assert groups["posterior"]["changepoint"].dims == ("chain", "draw", "curve")
    assert groups["posterior"]["changepoint"].shape == (4, 100, 3)
    assert groups["log_likelihood"]["y"].dims == ("chain", "draw", "obs")
    assert groups["observed_data"].sizes == {"obs": 28}  # no padding
    for name in ("task", "axis"):
        assert groups["posterior"].coords[name].dims == ("curve",)
    wanted = {"log_evidence", "log_evidence_se", "khat", "ess", "rhat", "evaluations", "converged"}
    assert wanted <= set(groups["sample_stats"].data_vars)


def test_arviz_summary(fit):
    """Its R̂ of the worst parameter is ours, but for our seeing parameters whitened."""
    import arviz

    found = arviz.summary(fit.tree)
    assert "changepoint[t0]" in found.index
    mean = float(found.loc["changepoint[t1]", "mean"])
    assert mean == pytest.approx(
        float(fit.tree["posterior"]["changepoint"].sel(curve="t1").mean()), abs=0.02
    )
    rhat = arviz.rhat(fit.tree, method="identity")
    worst = np.nanmax([rhat[name].to_numpy() for name in rhat.data_vars], axis=0)
    np.testing.assert_allclose(worst, fit.summary()["rhat"], atol=0.02)


@pytest.mark.filterwarnings("ignore:Estimated shape parameter of Pareto")
def test_arviz_loo_in_total_and_by_curve(fit):
    import arviz

    found = arviz.loo(fit.tree, reff=1, pointwise=True)
    assert found.elpd_i.dims == ("obs",)
    by_curve = found.elpd_i.groupby("curve").sum()
    assert by_curve.sizes == {"curve": 3}
    assert float(by_curve.sum()) == pytest.approx(found.elpd)
    assert np.isfinite(found.elpd_i).all()
    alone = upturn.fit(table(12, seed=1).assign(task="t0"), draws=400, seed=5)
    assert arviz.loo(alone.tree, reff=1).elpd == pytest.approx(float(by_curve.sel(curve="t0")))


def test_arviz_plots_forest(fit):
    import arviz_plots
    import matplotlib as mpl

    with mpl.rc_context({"backend": "agg"}):
        assert arviz_plots.plot_forest(fit.tree, var_names=["changepoint"]) is not None


# --- the log likelihood ---------------------------------------------------------------------------


def test_log_likelihood_is_scipys_beta_binomial(fit):
    """Of the curve without groups, from the draws as the tree shows them."""
    p = {n: v.sel(curve="t1").to_numpy().reshape(-1) for n, v in fit.tree["posterior"].items()}
    curve = fit.curves.take([1])
    low, high = curve.limits[:, 0, 0]
    p["changepoint"] = (p["changepoint"] - low) / (high - low)
    rho = p["overdispersion"] ** 2
    got = fit.tree["log_likelihood"]["y"].to_numpy().reshape(400, -1)[:, 12:19]
    for i in range(7):
        mean = hinge_mean(p, curve.u[0, 0, i])
        expected = stats.betabinom.logpmf(
            curve.response[0, i],
            curve.trials[0, i],
            mean * (1 / rho - 1),
            (1 - mean) * (1 / rho - 1),
        )
        # SciPy's own error, of differences of log gammas at 1 / rho
        np.testing.assert_allclose(got[:, i], expected, rtol=1e-6, atol=1e-13 / rho.min())


def test_log_likelihood_of_a_loss_is_of_native_scores():
    found = upturn.fit(loss(), draws=80, scatter="none")
    p = {n: v.to_numpy().reshape(-1) for n, v in found.tree["posterior"].items()}
    curve = found.curves
    low, high = curve.limits[:, 0, 0]
    y = -curve.response[0]
    span = 2 * np.ptp(y)
    beyond = np.maximum(curve.x[0, 0][:, None] - p["changepoint"], 0) / (high - low)
    share = -p["height"] * np.expm1(-p["rate"] * beyond)
    # oriented and scaled, the way goes from the floor to 1, half the range below the best
    best = y.min() - 0.25 * span
    mean = p["floor"] + (best - p["floor"]) * share
    expected = stats.norm.logpdf(y[:, None], mean, p["sigma"]).T
    np.testing.assert_allclose(found.log_likelihood().reshape(80, -1), expected, rtol=1e-7)


def test_beyond_the_limit_it_is_computed_when_asked_for(fit, saved, tmp_path, monkeypatch):
    monkeypatch.setattr(pointwise, "STORED_LOG_LIKELIHOOD", 28 * 400 * 8 - 1)
    small = upturn.fit(tasks(table(12, seed=1)), draws=400, seed=5)
    assert "log_likelihood" in small.tree.children
    frames = [table(12, seed=1), table(12, seed=2), table(12, seed=3)]
    large = upturn.fit(tasks(*frames), draws=400, seed=5)
    assert "log_likelihood" not in large.tree.children
    large.save(tmp_path / "large.nc")
    again = upturn.load(tmp_path / "large.nc")
    assert "log_likelihood" not in again.tree.children
    assert again.log_likelihood().shape == (4, 100, 36)
    np.testing.assert_array_equal(again.log_likelihood()[..., :12], small.log_likelihood())


# --- there and back -------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def odd():
    """Every kind of metric and label."""
    frames = [table(5 + i, seed=i).assign(task=name) for i, name in enumerate(ODD)]
    frames += [loss().assign(task="perplexing", setting="few, shot", shots=3)]
    return upturn.fit(pd.concat(frames), draws=40)


@pytest.mark.parametrize("ending", [".nc", ".zarr"])
def test_there_and_back(odd, tmp_path, ending):
    odd.save(tmp_path / f"fit{ending}")
    again = upturn.load(tmp_path / f"fit{ending}")
    pd.testing.assert_frame_equal(again.summary(), odd.summary())
    pd.testing.assert_frame_equal(again.texts(), odd.texts())
    assert again.meta == odd.meta
    assert again.notes == odd.notes
    assert again.flags == odd.flags
    assert again.totals() == odd.totals()
    assert again.model == odd.model
    for got, given in zip(again.expected(), odd.expected(), strict=True):
        np.testing.assert_array_equal(got, given)
    np.testing.assert_array_equal(again.log_likelihood(), odd.log_likelihood())
    assert set(again.tree.children) == set(odd.tree.children)
    assert {c for c in ODD if c.strip()} <= set(again.tree["posterior"].coords["curve"].values)
    for name in ("x", "response", "trials", "group", "run", "model", "family", "kind", "chance"):
        np.testing.assert_array_equal(getattr(again.curves, name), getattr(odd.curves, name))


def test_a_loaded_fit_saves_the_same_bytes(saved, tmp_path):
    upturn.load(saved).save(tmp_path / "again.nc")
    assert (tmp_path / "again.nc").read_bytes() == saved.read_bytes()


def test_same_seed_and_input_same_file(fit, saved, tmp_path):
    """No time, no place, no order of threads in it."""
    frames = [table(12, seed=1), table(7, seed=2).drop(columns="family"), table(9, seed=3)]
    frames[2]["family"] = "only one"
    again = upturn.fit(tasks(*frames), draws=400, seed=5, threads=1)
    (tmp_path / "other place").mkdir()
    again.save(tmp_path / "other place" / "another name.nc")
    assert (tmp_path / "other place" / "another name.nc").read_bytes() == saved.read_bytes()


@pytest.mark.parametrize("ending", [".nc", ".zarr"])
def test_what_was_there_is_replaced(fit, tmp_path, ending):
    path = tmp_path / f"fit{ending}"
    other = upturn.fit(table(6), draws=40)
    other.save(path)
    fit.save(path)
    assert len(upturn.load(path).curves) == 3
    assert os.listdir(tmp_path) == [path.name]


@pytest.mark.parametrize(("ending", "writer"), [(".nc", "to_netcdf"), (".zarr", "to_zarr")])
@pytest.mark.parametrize("error", [OSError(28, "No space left on device"), KeyboardInterrupt()])
def test_a_failed_write_leaves_what_was_there(fit, tmp_path, monkeypatch, ending, writer, error):
    path = tmp_path / f"fit{ending}"
    fit.save(path)

    def fail(self, draft, *args, **kwargs):
        Path(draft).write_text("half of it")
        raise error

    monkeypatch.setattr(xr.DataTree, writer, fail)
    monkeypatch.setattr(files, "HELD_BYTES", 0)  # what is larger is written to the disk at once
    with pytest.raises((DataError, KeyboardInterrupt)):
        fit.save(path)
    with pytest.raises((DataError, KeyboardInterrupt)):
        fit.save(tmp_path / f"new{ending}")
    assert os.listdir(tmp_path) == [path.name]
    assert len(upturn.load(path).curves) == 3


def test_a_folder_that_cannot_be_put_in_place_leaves_the_old_one(fit, tmp_path, monkeypatch):
    path = tmp_path / "fit.zarr"
    fit.save(path)
    rename = os.rename

    def fail(source, target):
        if Path(target) == path and Path(source).name == path.name:
            raise OSError(5, "Input/output error")
        rename(source, target)

    monkeypatch.setattr(os, "rename", fail)
    with pytest.raises(DataError, match="Input/output error"):
        fit.save(path)
    assert os.listdir(tmp_path) == [path.name]
    assert len(upturn.load(path).curves) == 3
