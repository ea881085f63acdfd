"""A PyMC model is the population sampler's posterior, and that of models written by hand."""

import sys
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from scipy import stats

ROOT = Path(__file__).parents[3]
if str(ROOT) not in sys.path:  # `python -m pytest` puts it there, `pytest` does not
    sys.path.insert(0, str(ROOT))

import upturn
from benchmarks.problems.pymc_models import SHARES, Counts, build
from upturn.checks.errors import DataError
from upturn.model import Model
from upturn.sampling.nuts import to_pymc as tp
from upturn.tables.curves import Curves

pn = pytest.importorskip("pytensor")

# one model of each kind of segment, and what a table of quantiles is needed for
MODELS = ("chance", "step", "hinge", "delayed-logit", "logistic", "u-shaped", "takeoff")


@pytest.fixture(autouse=True)
def plain():
    """Graphs run as they are written: compiling one takes longer than all tests."""
    from pytensor.compile.mode import Mode

    with pn.config.change_flags(mode=Mode(linker="py", optimizer=None), cxx=""):
        yield


def curves(kind="counts", tasks=2, models=9, families=3, scatter="none", seed=0):
    rng = np.random.default_rng(seed)
    frame = pd.DataFrame(
        [
            {
                "task": f"t{t}",
                "model": f"m{i}",
                "family": f"f{i % families}",
                "flops": 10.0 ** (20 + 0.5 * i + 0.1 * t),
                "chance": (0.25, np.nan)[t % 2],
            }
            for t in range(tasks)
            for i in range(models)
        ]
    )
    rise = 0.25 + 0.05 * np.maximum(np.arange(len(frame)) % models - 3, 0)
    if kind == "counts":
        frame["successes"] = rng.binomial(200, rise)
        frame["trials"] = 200
    elif kind == "proportion":
        frame["score"] = np.round(rise + 0.02 * rng.uniform(size=len(frame)), 3)
    else:
        frame["score"] = 4 - 3 * rise + 0.1 * rng.normal(size=len(frame))
        frame["metric"] = "ppl"
        frame = frame.drop(columns="chance")
    return upturn.read(frame).curves("flops", scatter=scatter)


def at(target, z):
    """Parameters (curve,) at whitened coordinates z (curve, parameter), by name."""
    rows = np.arange(len(z))
    return {name: v[:, 0] for name, v in target.parameters(rows, z[:, :, None]).items()}


def density_at(model, values):
    """Log density of a PyMC model at values of its free variables, without their Jacobians."""
    point = {}
    for variable in model.free_RVs:
        value = np.asarray(values[variable.name], float)
        transform = model.rvs_to_transforms[variable]
        if transform is not None:
            value = transform.forward(value, *variable.owner.inputs).eval()
        point[model.rvs_to_values[variable].name] = value
    return float(model.compile_logp(jacobian=False)(point))


def prior_density(target, p, z):
    """Log prior density of the variables that the PyMC model has."""
    total = 0.0
    for i, name in enumerate(target.names):
        for curve, chance in enumerate(target.chance.tolist()):
            if tp.tabled(target, name):
                total += stats.norm.logpdf(z[curve, i])
            else:
                frozen = target.priors[name].choice(chance).frozen(chance)
                total += frozen.logpdf(p[name][curve])
    return total


def variables(target, p, z):
    """Values of the free variables."""
    return {
        f"{name}_z" if tp.tabled(target, name) else name: z[:, i]
        if tp.tabled(target, name)
        else p[name]
        for i, name in enumerate(target.names)
    }


@pytest.mark.parametrize("kind", ["counts", "proportion", "continuous"])
@pytest.mark.parametrize("name", MODELS)
def test_density_is_the_population_samplers(name, kind):
    data, model = curves(kind), Model.read(name)
    target = tp.target_of(model, data)
    made = model.to_pymc(data)
    z = np.random.default_rng(3).normal(size=(len(data), target.dimension))
    p = at(target, z)
    exact = prior_density(target, p, z) + target.log_jacobian.sum()
    exact += target.log_likelihood(np.arange(len(data)), z[:, :, None]).sum()
    assert density_at(made, variables(target, p, z)) == pytest.approx(exact, rel=1e-9)


@pytest.mark.parametrize(
    "likelihood", ["binomial", "student-t", "beta-binomial-robust", "binomial-robust"]
)
def test_other_likelihoods(likelihood):
    data = curves()
    model = Model.read("ramp").with_likelihood(likelihood)
    target = tp.target_of(model, data)
    z = np.random.default_rng(4).normal(size=(len(data), target.dimension))
    p = at(target, z)
    exact = prior_density(target, p, z) + target.log_jacobian.sum()
    exact += target.log_likelihood(np.arange(len(data)), z[:, :, None]).sum()
    assert density_at(model.to_pymc(data), variables(target, p, z)) == pytest.approx(exact)


def test_groups_have_latent_offsets():
    data, model = curves(scatter="family"), Model.read("hinge")
    target = tp.target_of(model, data)
    rng = np.random.default_rng(5)
    z = rng.normal(size=(len(data), target.dimension))
    offset = rng.normal(size=int(data.groups.sum()))
    p = at(target, z)
    values = variables(target, p, z) | {"offset": offset}
    made = model.to_pymc(data)
    assert made.named_vars_to_dims["offset"] == ("group",)
    exact = prior_density(target, p, z) + stats.norm.logpdf(offset).sum()
    first = np.cumsum([0, *data.groups])
    for i in range(len(data)):
        mask = data.mask[i]
        u = data.u[0, i, mask] + p["scatter"][i] * offset[first[i] + data.group[i, mask]]
        beyond = np.maximum(u - p["changepoint"][i], 0)
        share = p["height"][i] * (1 - np.exp(-p["rate"][i] * beyond))
        mean = p["floor"][i] + (1 - p["floor"][i]) * share
        size = 1 / p["overdispersion"][i] ** 2 - 1
        counts = stats.betabinom(data.trials[i, mask], mean * size, (1 - mean) * size)
        exact += counts.logpmf(data.response[i, mask]).sum()
    assert density_at(made, values) == pytest.approx(exact, rel=1e-9)


@pytest.mark.parametrize("name", sorted(SHARES))
def test_density_is_that_of_models_written_by_hand(name):
    data, model = curves(), Model.read(name)
    mine, other = model.to_pymc(data), build(name, Counts.of(data))
    rng = np.random.default_rng(6)
    start = mine.initial_point()
    point = {key: value + 0.3 * rng.normal(size=value.shape) for key, value in start.items()}
    assert set(point) == set(other.initial_point())
    expected = float(other.compile_logp()(point))
    assert float(mine.compile_logp()(point)) == pytest.approx(expected, rel=1e-9)


def test_names_dimensions_and_data():
    data = curves(tasks=3)
    made = Model.read("hinge").to_pymc(data)
    assert list(made.coords["curve"]) == data.name.tolist()
    assert {"changepoint", "height", "rate", "floor", "overdispersion", "y"} <= set(made.named_vars)
    assert made.named_vars_to_dims["changepoint"] == ("curve",)
    assert made.named_vars_to_dims["y"] == ("obs",)
    assert len(made.observed_RVs) == 1
    assert made["response"].get_value().tolist() == data.response[data.mask].tolist()


def test_a_users_priors_and_model_file(tmp_path):
    text = Model.read("hinge").to_toml().replace("LogNormal(1, 1.2)", "Gamma(2, 0.5)")
    (tmp_path / "mine.toml").write_text(text)
    model = Model.read(tmp_path / "mine.toml").with_priors(
        {"floor": "BetaMode(chance, 30) | Uniform(0, 0.4)", "height": "Beta(2, 2)"}
    )
    data = curves()
    target = tp.target_of(model, data)
    assert tp.tabled(target, "floor")
    z = np.random.default_rng(7).normal(size=(len(data), target.dimension))
    p = at(target, z)
    exact = prior_density(target, p, z)
    exact += target.log_likelihood(np.arange(len(data)), z[:, :, None]).sum()
    assert density_at(model.to_pymc(data), variables(target, p, z)) == pytest.approx(exact)


def test_curves_of_two_kinds_are_refused():
    both = Curves.concatenate([curves(), curves("continuous")])
    with pytest.raises(DataError, match="expected curves of one kind, but got 'counts', 'contin"):
        Model.read("hinge").to_pymc(both)


def test_a_likelihood_that_does_not_fit_is_refused():
    with pytest.raises(DataError, match="likelihood 'binomial'"):
        Model.read("hinge").with_likelihood("binomial").to_pymc(curves("proportion"))
