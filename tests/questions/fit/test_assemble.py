"""Draws in native units: scaling and orientation undone, scales and atoms in axis coordinates."""

import numpy as np
import pandas as pd
import pytest

import upturn
from tests.support.tables import loss, scores, table
from upturn.formulas.scaling import bounded_of, ceiling_of, scaling_of
from upturn.model import Model
from upturn.posterior.emergence import emergence
from upturn.questions.fit.assemble import to_tree
from upturn.sampling import batch
from upturn.tables.results import read


def both(frame, model="hinge", draws=400, delta=0.1, **options):
    """The sample on the model's scale and the tree in native units."""
    curves = read(frame).curves("flops", scatter="none")
    chosen = Model.read(model)
    sample = batch.sample(chosen, curves, draws=draws, seed=0, **options)
    twin = batch.sample(chosen.twin(), curves, draws=draws, seed=0)
    meta = {"notes": []}
    tree = to_tree(curves, chosen, sample=sample, twin=twin, delta=delta, meta=meta)
    return curves, sample, twin, tree


def draws_of(tree, name, group="posterior"):
    """A variable as (curve, chain, draw)."""
    return np.moveaxis(tree[group][name].to_numpy(), 2, 0)


def test_proportions_and_counts_stay_as_they_are():
    _, sample, _, tree = both(table())
    for name in ("height", "rate", "floor", "overdispersion"):
        np.testing.assert_array_equal(draws_of(tree, name), sample.parameters[name])


def test_changepoints_are_axis_coordinates():
    curves, sample, _, tree = both(table(), "takeoff")
    low, high = curves.limits[:, 0, 0]
    for name in ("changepoint", "changepoint_2"):
        expected = low + sample.parameters[name] * (high - low)
        np.testing.assert_allclose(draws_of(tree, name), expected, rtol=1e-12)


def test_floor_and_noise_of_a_loss_are_native():
    """Oriented and scaled on the way in: a floor of 4 and noise of 0.03 come out again."""
    curves, sample, _, tree = both(loss())
    scaling = scaling_of(Model.read("hinge"), curves)
    floor, sigma = draws_of(tree, "floor")[0], draws_of(tree, "sigma")[0]
    oriented = scaling.offset[0] + scaling.span[0] * sample.parameters["floor"][0]
    np.testing.assert_allclose(floor, -oriented)
    np.testing.assert_allclose(sigma, sample.parameters["sigma"][0] * scaling.span[0])
    assert np.median(floor) == pytest.approx(4, abs=0.05)
    assert 0.015 < np.median(sigma) < 0.06


def test_gain_is_positive_where_things_get_better():
    """A loss that falls by 1.5 has a gain of about +1.5, in its own units."""
    _, _, _, falls = both(loss())
    _, _, _, rises = both(scores("bleu", score=lambda r, e: 10 + 20 * r + e))
    assert np.median(draws_of(falls, "gain", "emergence")) == pytest.approx(1.5, rel=0.15)
    assert np.median(draws_of(rises, "gain", "emergence")) == pytest.approx(20, rel=0.15)


def test_delta_of_a_continuous_metric_is_a_share_of_its_range():
    """Threshold: where the loss has fallen by a tenth, or by half, of what was seen."""
    for delta in (0.1, 0.5):
        curves, sample, _, tree = both(loss(), delta=delta)
        flat = {n: v.reshape(1, -1) for n, v in sample.parameters.items()}
        found = emergence(
            Model.read("hinge"), flat, chance=np.array([np.nan]), ceiling=np.ones(1),
            delta=np.array([delta / 2]), end=np.ones(1),
        )  # fmt: skip
        got = draws_of(tree, "threshold_scale", "emergence").reshape(1, -1)
        low, high = curves.limits[:, 0, 0]
        np.testing.assert_allclose(got, low + found.threshold * (high - low))
        at = np.median(got)  # the truth falls by 0.75 a decade beyond 10^22
        span = np.ptp(curves.response[0])
        assert at == pytest.approx(22 + delta * span / 0.75, abs=0.35)


def test_log_evidence_is_of_native_scores():
    """Ten times the units: a tenth of the density, point by point, for model and twin alike."""
    _, _, _, small = both(loss())
    frame = loss()
    _, _, _, large = both(frame.assign(score=10 * frame["score"]))
    for name in ("log_evidence", "log_evidence_twin"):
        a, b = (float(t["sample_stats"][name][0]) for t in (small, large))
        assert a - b == pytest.approx(12 * np.log(10), abs=1e-6)
    pairs = [float(t["sample_stats"]["p_change"][0]) for t in (small, large)]
    assert pairs[0] == pytest.approx(pairs[1], abs=1e-9)


def test_p_change_is_that_of_both_evidences():
    _, sample, twin, tree = both(table())
    gap = sample.population.log_evidence - twin.population.log_evidence
    stats = tree["sample_stats"]
    np.testing.assert_allclose(stats["p_change"], 1 / (1 + np.exp(-gap)), rtol=1e-12)
    p = stats["p_change"].to_numpy()
    error = np.hypot(sample.population.log_evidence_se, twin.population.log_evidence_se)
    np.testing.assert_allclose(stats["p_change_se"], p * (1 - p) * error, rtol=1e-12)
    spent = sample.population.evaluations + twin.population.evaluations
    np.testing.assert_array_equal(stats["evaluations"], spent)


def test_kinds_in_one_batch_have_their_own_scaling_and_parameters():
    frame = pd.concat([table().assign(task="a", metric="acc"), loss().assign(task="b")])
    curves, _, _, tree = both(frame)
    model = Model.read("hinge")
    assert bounded_of(model, curves).tolist() == [True, False]
    assert ceiling_of(model, curves).tolist() == [1, 1]
    assert scaling_of(model, curves).span.tolist()[0] == 1
    names = list(tree["posterior"].data_vars)
    assert names[-2:] == ["overdispersion", "sigma"]
    assert np.isnan(draws_of(tree, "sigma")[0]).all()
    assert np.isnan(draws_of(tree, "overdispersion")[1]).all()
    assert np.isfinite(draws_of(tree, "floor")).all()


def test_a_ceiling_below_one():
    curves = read(table(ceiling=0.9)).curves("flops", scatter="none")
    assert ceiling_of(Model.read("hinge"), curves).tolist() == [0.9]


def test_one_scale_has_no_scale_beyond_it():
    """Every changepoint lies above the only scale, or below it."""
    _, _, _, tree = both(table(flops=1e21))
    for name in ("changepoint_scale", "threshold_scale"):
        assert np.isinf(draws_of(tree, name, "emergence")).all()


def test_a_fit_in_memory_answers_as_its_tree():
    frame = pd.concat([table(task="a"), loss()])
    fit = upturn.fit(frame, draws=100, seed=0)
    saved = upturn.Fit(fit.tree)
    assert fit.meta == saved.meta
    assert fit.failed == saved.failed
    assert fit.notes == saved.notes
    pd.testing.assert_frame_equal(fit.summary(), saved.summary(), check_exact=True)
    pd.testing.assert_frame_equal(fit.texts(), saved.texts())
    for ours, theirs in zip(fit.expected(), saved.expected(), strict=True):
        np.testing.assert_array_equal(ours, theirs)
