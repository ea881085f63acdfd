"""The hierarchical model: its coordinates change nothing, its density is the definition's."""

import numpy as np
import pandas as pd
import pytest
from scipy import stats

import upturn
from upturn.arrays.namespaces import NUMPY
from upturn.formulas.priors import Prior
from upturn.model import Model
from upturn.questions.pool import hierarchy as hi
from upturn.questions.pool.leave_family_out import density, leave_family_out
from upturn.questions.pool.pool import grouped
from upturn.sampling import batch

pn = pytest.importorskip("pytensor")


def frame(tasks=2, seed=0, families=(3, 2, 1)):
    rng = np.random.default_rng(seed)
    of = np.repeat(np.arange(len(families)), families)
    flops = 10.0 ** rng.uniform(20, 24, len(of))
    rows = []
    for t in range(tasks):
        for i, f in enumerate(of):
            rise = max(np.log10(flops[i]) - 21.5 - 0.3 * f, 0)
            rows.append(
                {"task": f"t{t}", "model": f"m{i}", "family": f"f{f}", "flops": flops[i],
                 "chance": 0.25, "trials": 50 + 10 * t,
                 "successes": rng.binomial(50 + 10 * t, min(0.25 + 0.2 * rise, 0.9))}
            )  # fmt: skip
    return pd.DataFrame(rows)


def pooled_of(model, table=None):
    curves = upturn.read(frame() if table is None else table).curves("flops", scatter="none")
    return hi.Pooled.of(Model.read(model), curves)


def coordinates_of(pooled, seed=0):
    sample = batch.sample(pooled.target.model, grouped(pooled), draws=400, seed=seed)
    count = len(pooled.curves)
    flat = {n: v.reshape(count, -1) for n, v in sample.parameters.items()}
    return hi.coordinates(pooled, flat)


def test_cells_are_families_in_tasks():
    table = frame()
    pooled = pooled_of("hinge", table[~((table.task == "t1") & (table.family == "f2"))])
    assert pooled.families.tolist() == ["f0", "f1", "f2"]
    assert pooled.cell_task.tolist() == [0, 0, 0, 1, 1]
    assert pooled.cell_family.tolist() == [0, 1, 2, 0, 1]
    names = pooled.curves.family[pooled.curves.mask]
    assert (pooled.families[pooled.family] == names).all()
    assert (pooled.cell_family[pooled.cell] == pooled.family).all()
    assert (pooled.cell_task[pooled.cell] == pooled.observations.curve).all()


def test_a_model_without_a_family_is_a_family_of_its_own():
    table = frame()
    table.loc[table.model == "m5", "family"] = ""
    assert pooled_of("hinge", table).families.tolist() == ["f0", "f1", "m5 (no family)"]


@pytest.mark.parametrize("name", ["hinge", "logistic", "takeoff"])
def test_whitening_undoes_the_priors(name):
    pooled = pooled_of(name)
    target = pooled.target
    z = np.random.default_rng(1).normal(size=(2, target.dimension, 50))
    p = target.parameters(np.arange(2), z)
    assert hi.whitened(target, p) == pytest.approx(z, abs=1e-6)


@pytest.mark.parametrize("name", ["hinge", "logistic", "gompertz"])
def test_slides_shift_the_curve(name):
    pooled = pooled_of(name)
    target, at = pooled.target, coordinates_of(pooled)
    rows, u = np.arange(2), target.u[:, :, None]

    def mean(z, shift=0.0):
        p = target.parameters(rows, z[:, :, None])
        own = {n: p[n][:, None, :] for n in target.model.parameters}
        return target.model.mean(NUMPY, own, u - shift, np.ones((2, 1, 1)))

    moved = mean(at.middle + 0.01 * at.slide)
    shifted, still = mean(at.middle, 0.01), mean(at.middle)
    assert np.abs(moved - shifted).max() < 0.1 * np.abs(shifted - still).max()


def test_coordinates_are_of_full_rank_and_weights_sum_to_one():
    at = coordinates_of(pooled_of("hinge"))
    assert (np.abs(np.linalg.det(at.spread)) > 1e-12).all()
    assert at.weight.sum(axis=1) == pytest.approx(1)
    assert (at.weight >= 0).all()


@pytest.mark.parametrize("few", [2, 5])
def test_density_is_the_definitions(monkeypatch, few):
    """Of three families, by their contrasts and as they are."""
    from pytensor.compile.mode import Mode

    monkeypatch.setattr(hi, "FEW", few)
    pooled = pooled_of("hinge")
    at = coordinates_of(pooled)
    target, one = pooled.target, pooled.observations
    spreads = {name: Prior.parse(text, name) for name, text in hi.SPREADS.items()}
    rng = np.random.default_rng(2)
    x = 0.5 * rng.normal(size=at.middle.shape)
    family, cell = rng.normal(size=3), rng.normal(size=len(pooled.cell_task))
    sigma, alone = 0.07, 0.03
    # of three families: two orthonormal contrasts
    contrast = np.array([[1, -1, 0] / np.sqrt(2), [1, 1, -2] / np.sqrt(6)]) @ family
    offset = sigma * family[pooled.cell_family] + alone * cell
    mean_offset = at.weight @ offset
    z = at.middle + np.einsum("cij,cj->ci", at.spread, x) - at.slide * mean_offset[:, None]
    p = {n: v[:, 0] for n, v in target.parameters(np.arange(2), z[:, :, None]).items()}
    exact = stats.norm.logpdf(np.concatenate([family, cell])).sum() - 0.5 * (z**2).sum()
    exact += stats.halfnorm(scale=0.1).logpdf([sigma, alone]).sum() + np.log(sigma * alone)
    own = {name: value[one.curve] for name, value in p.items()}
    beyond = np.maximum(one.u - offset[pooled.cell] - own["changepoint"], 0)
    share = own["height"] * (1 - np.exp(-own["rate"] * beyond))
    mean = own["floor"] + (1 - own["floor"]) * share
    size = 1 / own["overdispersion"] ** 2 - 1
    exact += stats.betabinom(one.trials, mean * size, (1 - mean) * size).logpmf(one.y).sum()
    by_contrasts = {
        "family_mean": family.sum() / np.sqrt(3),
        "family_contrast": contrast,
        "log_size": np.log(sigma * np.sqrt((contrast**2).mean())),
    }
    as_they_are = {"family_z": family, "sigma_family_log__": np.log(sigma)}
    own = by_contrasts if few == 2 else as_they_are
    with pn.config.change_flags(mode=Mode(linker="py", optimizer=None), cxx=""):
        made = hi.build(pooled, at, spreads)
        found = made.compile_logp()(
            {**own, "cell_z": cell, "sigma_task_log__": np.log(alone), "x": x}
        )
    assert float(found) == pytest.approx(exact, rel=1e-9)


# --- families left out ----------------------------------------------------------------------------


def draws_of(pooled, count, seed=3, spread=0.5):
    rng = np.random.default_rng(seed)
    z = spread * rng.normal(size=(len(pooled.curves), pooled.target.dimension, count))
    p = pooled.target.parameters(np.arange(len(pooled.curves)), z)
    spreads = {name: 0.05 + 0.1 * spread * rng.uniform(size=count) for name in hi.SPREADS}
    return {name: value.T for name, value in p.items()} | spreads


@pytest.mark.parametrize("name", ["hinge", "logistic"])
def test_density_of_a_family_is_the_double_integral(name):
    pooled = pooled_of(name)
    draws = draws_of(pooled, 3)
    found = density(pooled, draws)
    target, one = pooled.target, pooled.observations
    family, draw = 1, 2
    sigma, alone = draws["sigma_family"][draw], draws["sigma_task"][draw]

    offsets, inner = np.linspace(-5 * sigma, 5 * sigma, 161), np.linspace(-4.5, 4.5, 201)
    total = (offsets[:, None] + alone * inner).reshape(-1)
    given = stats.norm.pdf(offsets, scale=sigma)
    for cell in np.flatnonzero(pooled.cell_family == family):
        mine = pooled.cell == cell
        p = {n: draws[n][draw, pooled.cell_task[cell]] for n in target.names}
        shaped = {n: np.full((1, 1, 1), v) for n, v in p.items()}
        u = one.u[mine][None, :, None] - total
        mean = target.model.mean(NUMPY, shaped, u, np.ones((1, 1, 1)))[0]
        size = 1 / p["overdispersion"] ** 2 - 1
        counts = stats.betabinom(one.trials[mine, None], mean * size, (1 - mean) * size)
        density_of = np.exp(counts.logpmf(one.y[mine, None]).sum(axis=0)).reshape(161, 201)
        given *= density_of @ stats.norm.pdf(inner) / stats.norm.pdf(inner).sum()
    exact = np.trapezoid(given, offsets)
    assert found[family, draw] == pytest.approx(np.log(exact), abs=0.02)


def test_left_out_is_the_harmonic_mean_of_the_densities():
    pooled = pooled_of("logistic")
    draws = draws_of(pooled, 200, spread=0.05)
    elpd, khat = leave_family_out(pooled, draws)
    each = density(pooled, draws)
    # densities of draws so close together differ little, and smoothing changes next to nothing
    harmonic = -np.log(np.exp(-(each - each.max())).mean(axis=1)) + each.max()
    assert elpd == pytest.approx(harmonic, abs=0.02)
    assert (elpd <= each.max(axis=1)).all()
    assert (elpd >= each.min(axis=1)).all()
    assert khat.shape == (3,)
