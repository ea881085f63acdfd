"""Evidence and leave-one-out scores: against the exact answers of a binomial with a flat prior."""

import numpy as np
import pandas as pd
import pytest
from scipy.special import betaln, gammaln

from upturn.model import Model
from upturn.posterior.averaging import log_priors
from upturn.questions.compare import leave_one_out as module
from upturn.questions.compare.leave_one_out import Effort, averaged, canonical_order, score
from upturn.tables.results import read

EFFORT = Effort(draws=2000, seed=0, threads=1)
FLAT = Model.read("flat").with_likelihood("binomial")
COUNTS = np.array([12, 20, 16, 9, 15])
TRIALS = np.array([40, 50, 40, 30, 45])


def curves(count=1):
    names = [chr(ord("a") + i) for i in range(5)]
    frame = pd.DataFrame(
        {
            "model": names,
            "family": ["f", "f", "g", "g", "h"],
            "score": COUNTS / TRIALS,
            "trials": TRIALS,
            "flops": [1e20, 1e21, 1e22, 1e23, 1e24],
            "params": [1e9, 1e10, 1e8, 1e7, 1e11],
        }
    )
    return read(pd.concat([frame.assign(task=f"t{i}") for i in range(count)]))


def exact(drop=()):
    """Log evidence of counts under one probability with a uniform prior."""
    keep = np.setdiff1d(np.arange(5), list(drop))
    k, n = COUNTS[keep], TRIALS[keep]
    choose = gammaln(n + 1) - gammaln(k + 1) - gammaln(n - k + 1)
    return choose.sum() + betaln(1 + k.sum(), 1 + (n - k).sum())


LOO = np.array([exact() - exact([i]) for i in range(5)])


@pytest.fixture(scope="module")
def flat():
    found, _ = score([FLAT], curves().curves("flops", scatter="none"), EFFORT, families=["f", "h"])
    return found[0]


def test_evidence_and_points_left_out_are_exact(flat):
    np.testing.assert_allclose(flat.log_evidence, exact(), atol=0.03)
    np.testing.assert_allclose(flat.elpd[0], LOO, atol=0.05)
    assert not flat.refitted.any()


def test_families_left_out_are_exact(flat):
    expected = [exact() - exact([0, 1]), exact() - exact([4])]
    np.testing.assert_allclose(flat.families[:, 0], expected, atol=0.06)


def test_points_fitted_again_are_exact(monkeypatch):
    monkeypatch.setattr(module, "largest_k", lambda draws: -np.inf)
    found, _ = score([FLAT], curves().curves("flops", scatter="none"), EFFORT)
    assert found[0].refitted.all()
    np.testing.assert_allclose(found[0].elpd[0], LOO, atol=0.06)


def test_nothing_is_fitted_again_unless_asked(monkeypatch):
    monkeypatch.setattr(module, "largest_k", lambda draws: -np.inf)
    found, _ = score([FLAT], curves().curves("flops", scatter="none"), EFFORT, refit=False)
    assert not found[0].refitted.any()


def test_points_stand_in_one_order_on_every_axis():
    table = curves(2)
    batch = table.curves(["flops", "params"])
    names = np.take_along_axis(batch.model, canonical_order(batch), axis=1)
    assert names.tolist() == [list("abcde")] * 4
    assert batch.model[2].tolist() != list("abcde")


def test_a_point_fitted_again_on_one_axis_is_on_all():
    batch = curves(2).curves(["flops", "params"], scatter="none")
    chosen = np.zeros((4, 5), dtype=bool)
    chosen[0, 3] = True  # model d on flops
    shared = module._on_all_axes(batch, chosen)
    assert batch.model[shared].tolist() == ["d", "d"]
    assert shared.any(axis=1).tolist() == [True, False, True, False]


def test_averages_are_those_of_one_model_with_a_mixed_prior():
    """1 / p(y_i | the others) averages over models: against evidences that are computed exactly."""
    evidence = np.array([[-3.0], [-4.5]])
    without = np.array([[[-1.0, -2.0, -2.5]], [[-3.0, -1.5, -4.0]]])
    empty = np.zeros((0, 1))
    given = [
        module.Scores(
            evidence[m], np.full(1, 0.1), evidence[m][:, None] - without[m],
            np.full(1, 0.2), np.full((1, 3), 0.2 + m), np.full((1, 3), m == 1), empty,
        )
        for m in range(2)
    ]  # fmt: skip
    models = [Model.read("hinge"), Model.read("logistic")]
    found = averaged(models, given)
    mixed = np.log(np.exp(evidence).mean(axis=0))
    np.testing.assert_allclose(found.log_evidence, mixed)
    np.testing.assert_allclose(found.elpd, mixed[:, None] - np.log(np.exp(without).mean(axis=0)))
    assert found.khat.max() == 1.2
    assert found.refitted.all()
    assert 0.05 < found.log_evidence_se[0] < 0.1
    assert 0.1 < found.elpd_error[0] < 0.2


def test_classes_have_equal_prior_probability():
    names = Model.names()
    models = [Model.read(name) for name in names]
    prior = np.exp(log_priors(models))
    assert prior.sum() == pytest.approx(1)
    shapes = {m.shape for m in models}
    for shape in shapes:
        mine = [p for p, m in zip(prior, models, strict=True) if m.shape == shape]
        assert sum(mine) == pytest.approx(1 / len(shapes))
        assert len(set(mine)) == 1


def test_points_of_a_continuous_metric_are_never_fitted_again():
    """Its scale hangs on the range observed; scores are densities in native units all the same."""
    table = curves()
    frame = table.frame.assign(score=[1.0, 1.2, 0.9, 1.4, 1.1], metric="elo")
    frame = frame.drop(columns=["trials", "successes"])
    found, thousand = (
        score(
            [Model.read("flat")],
            read(frame.assign(score=unit * frame["score"])).curves("flops", scatter="none"),
            EFFORT,
            families=["f"],
        )[0][0]
        for unit in (1, 1000)
    )
    assert np.isnan(found.families).all()
    assert not found.refitted.any()
    np.testing.assert_allclose(found.elpd - thousand.elpd, np.log(1000), atol=1e-6)
    np.testing.assert_allclose(found.log_evidence - thousand.log_evidence, 5 * np.log(1000))
