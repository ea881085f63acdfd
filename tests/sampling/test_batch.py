"""Blocks: how curves are cut up, keyed, and put together again."""

import numpy as np
import pandas as pd
import pytest

from tests.support.tables import table
from upturn.model import Model
from upturn.sampling import batch
from upturn.sampling.particles.chains import REPLICATES
from upturn.tables.results import read

HINGE = Model.read("hinge")


def loss(n_models=9, seed=0):
    frame = table(n_models, seed=seed).drop(columns=["successes", "trials", "chance"])
    return frame.assign(metric="loss", score=4 - np.log10(frame["flops"]) / 10)


def curves_of(*frames, scatter="none"):
    frame = pd.concat([f.assign(task=f"t{i}") for i, f in enumerate(frames)])
    return read(frame).curves("flops", scatter=scatter)


def test_blocks_hold_each_curve_once_and_one_kind_each():
    frames = [table(5 + i % 7, seed=i) for i in range(40)]
    frames += [loss(6 + i, seed=i) for i in range(5)]
    frames += [table(8).drop(columns="family") for _ in range(3)]
    curves = curves_of(*frames, scatter="family")
    found = list(batch._blocks(curves, 2))
    assert sorted(np.concatenate(found)) == list(range(48))
    for block in found:
        assert len(block) <= batch.CURVES_A_BLOCK
        assert len(set(curves.kind[block])) == 1
        assert len(set(curves.groups[block] > 0)) == 1
        assert (np.diff(curves.points[block]) <= 0).all()


def test_long_curves_come_in_small_blocks(monkeypatch):
    monkeypatch.setattr(batch, "CELLS_A_BLOCK", 50)
    monkeypatch.setattr(batch, "BLOCKS_A_THREAD", (1, 1))
    curves = curves_of(table(5), table(20), table(60), table(60, seed=1))
    assert [len(block) for block in batch._blocks(curves, 2)] == [1, 1, 2]


def test_a_few_curves_are_shared_among_cores():
    curves = curves_of(*[table(8, seed=i) for i in range(14)])
    assert len(list(batch._blocks(curves, 4))) >= 7


def test_keys_depend_on_labels_model_and_seed():
    curves = curves_of(table(5), table(6))
    keys = batch.label_keys(curves, HINGE, 0)
    assert len({tuple(np.atleast_1d(key)) for key in keys}) == 2 * REPLICATES
    other_model = batch.label_keys(curves, Model.read("ramp"), 0)
    other_seed = batch.label_keys(curves, HINGE, 1)
    assert (keys != other_model).all()
    assert (keys != other_seed).all()
    alone = batch.label_keys(curves.take([1]), HINGE, 0)
    assert (alone == keys[REPLICATES:]).all()


def test_labels_that_only_others_have_change_no_key():
    """A neighbour with a setting gives the whole table that label."""
    other = table(6).assign(setting="cot", shots=5)
    alone = batch.label_keys(curves_of(table(5)), HINGE, 0)
    together = batch.label_keys(curves_of(table(5), other), HINGE, 0)
    assert (alone == together[:REPLICATES]).all()


def test_parameters_that_a_curve_has_not_are_nan():
    curves = curves_of(loss(), table(8))
    found = batch.sample(HINGE, curves, draws=80, seed=0)
    own = {name: ~np.isnan(value).all(axis=(1, 2)) for name, value in found.parameters.items()}
    assert list(own) == [*HINGE.parameters, "overdispersion", "sigma"]
    assert own["floor"].all()
    assert own["overdispersion"].tolist() == [False, True]
    assert own["sigma"].tolist() == [True, False]
    assert found.population.z.size == 0


@pytest.mark.parametrize("first", [0, 1])
def test_the_order_of_parameters_hangs_on_no_block(first):
    frames = [loss(9), table(12)]
    curves = curves_of(*frames[first:], *frames[:first])
    found = batch.sample(HINGE, curves, draws=40, seed=0, threads=2)
    assert list(found.parameters)[-2:] == ["overdispersion", "sigma"]


def test_draws_are_on_the_model_s_scale():
    found = batch.sample(Model.read("takeoff"), curves_of(table()), draws=200, seed=0)
    p = found.parameters
    assert p["changepoint"].shape == (1, REPLICATES, 50)
    assert (p["changepoint"] < p["changepoint_2"]).all()
    assert ((p["changepoint"] >= 0) & (p["changepoint_2"] <= 1)).all()
    assert (p["slope"] > 0).all()


def test_models_together_have_the_draws_that_each_has_alone():
    curves = curves_of(*[table(5, seed=i) for i in range(3)])
    models = [(HINGE, 80), (HINGE.twin(), 40)]
    told = []
    found = batch.sample_each(
        models, curves, seed=3, threads=2, progress=lambda done, total: told.append((done, total))
    )
    assert told[-1] == (6, 6)
    assert [done for done, _ in told] == sorted(done for done, _ in told)
    for (model, draws), sample in zip(models, found, strict=True):
        alone = batch.sample(model, curves, draws=draws, seed=3, threads=1)
        assert list(sample.parameters) == list(alone.parameters)
        for name, value in alone.parameters.items():
            assert (sample.parameters[name] == value).all()
        assert (sample.population.log_evidence == alone.population.log_evidence).all()


def test_an_error_in_a_block_is_raised(monkeypatch):
    """Not swallowed by the pool; the blocks that are left do not begin."""
    begun = []

    def fail(target, **options):
        begun.append(len(target.curves))
        raise ZeroDivisionError("in a block")

    monkeypatch.setattr(batch.sampler, "sample", fail)
    monkeypatch.setattr(batch, "CURVES_A_BLOCK", 1)
    curves = curves_of(*[table(5, seed=i) for i in range(40)])
    with pytest.raises(ZeroDivisionError, match="in a block"):
        batch.sample(HINGE, curves, draws=40, seed=0, threads=1)
    assert len(begun) < 40
