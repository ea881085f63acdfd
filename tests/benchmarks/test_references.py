"""References: models, quadrature, lattices and stored references."""

import math
import sys
from itertools import pairwise
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest
from scipy import stats
from scipy.special import betaln, gammaln

ROOT = Path(__file__).parents[2]
if str(ROOT) not in sys.path:  # `python -m pytest` puts it there, `pytest` does not
    sys.path.insert(0, str(ROOT))
import upturn
from benchmarks.problems import simulate, workloads
from benchmarks.problems.pymc_models import PRIORS, Counts, build, log_rising, priors
from benchmarks.references import dense_net, lattice, posterior, quadrature, stored
from benchmarks.speed import draws_a_second
from tests.support.curves_of_counts import SEED, curve


def curves_of(counts):
    """The same as upturn's curves."""
    table = simulate.Table(
        x=19 + 6 * counts.u[None],
        successes=counts.successes[None],
        trials=counts.trials[None],
        mask=np.ones((1, len(counts.u)), bool),
        group=np.full((1, len(counts.u)), -1),
        chance=counts.chance,
        truth={},
    )
    return workloads.curves_of(table)


@pytest.mark.parametrize("name", PRIORS)
def test_the_references_have_the_priors_of_the_model_files(name):
    ours = upturn.Model.read(name).all_priors()
    ours.pop("scatter", None)
    assert priors(name) == ours


def test_log_rising_equals_the_sum_of_logarithms():
    for x in (1e-9, 0.3, 7.0, 123.4, 1e8):
        for k in (0, 1, 5, 9, 300, 10_000):
            exact = math.fsum(math.log(x + i) for i in range(k))
            assert log_rising(np, np.float64(x), float(k)) == pytest.approx(
                exact, rel=1e-11, abs=1e-9
            )
            assert posterior._log_rising(x, float(k)) == pytest.approx(exact, rel=1e-11, abs=1e-9)


@pytest.mark.slow
@pytest.mark.parametrize("name", PRIORS)
def test_three_routes_to_one_likelihood_agree(name):
    """PyMC's graph, the quadrature's own and the library's target, at points of the prior."""
    from upturn.sampling.density.target import Target

    counts = curve(chance=0.25)
    posterior = quadrature.Posterior(name, counts)
    z = np.random.default_rng(1).standard_normal((16, len(posterior.names)))
    theta = posterior.parameters(z)
    by_sums = posterior.log_likelihood(theta)

    model = upturn.Model.read(name)
    target = Target(model, curves_of(counts), model.likelihood_for("counts"))
    order = [posterior.names.index(n) for n in target.names]
    by_library = target.log_likelihood(np.array([0]), z.T[order][None])[0]
    np.testing.assert_allclose(by_library, by_sums, rtol=1e-6, atol=1e-6)

    graph = build(name, counts)
    values = [graph.rvs_to_values[rv] for rv in graph.free_RVs]
    plain = {graph.rvs_to_transforms[rv] for rv in graph.free_RVs}
    assert plain  # the parameters are transformed, so the likelihood is asked for by itself
    function = graph.compile_fn(graph["log_likelihood"], inputs=graph.free_RVs, point_fn=False)
    by_pymc = [function(*(theta[rv.name][[i]] for rv in graph.free_RVs)) for i in range(16)]
    np.testing.assert_allclose(by_pymc, by_sums, rtol=1e-8)
    assert len(values) == len(posterior.names)


def test_quadrature_of_a_conjugate_flat_curve_is_exact():
    counts = curve()
    k, n = counts.successes, counts.trials
    answer = quadrature.integrate("flat", counts, binomial=True)
    choose = (gammaln(n + 1) - gammaln(k + 1) - gammaln(n - k + 1)).sum()
    posterior = stats.beta(1 + k.sum(), 1 + (n - k).sum())
    exact = choose + betaln(1 + k.sum(), 1 + (n - k).sum())
    assert answer.log_evidence == pytest.approx(exact, abs=1e-6)
    assert answer.mean["level"] == pytest.approx(posterior.mean(), rel=1e-7)
    assert answer.sd["level"] == pytest.approx(posterior.std(), rel=1e-5)


@pytest.mark.slow
def test_quadrature_of_a_step_equals_a_sum_over_intervals():
    """Between two data points the likelihood of a step does not depend on the changepoint."""
    counts = curve(points=6, chance=math.nan)
    u, k, n = counts.u, counts.successes, counts.trials
    choose = (gammaln(n + 1) - gammaln(k + 1) - gammaln(n - k + 1)).sum()
    floors = np.linspace(0, 1, 4001)[1:-1]
    levels = floors
    total = 0.0
    for low, high in pairwise(u):
        after = u > (low + high) / 2
        before = stats.beta(1, 4).logpdf(floors) + stats.binom.logpmf(
            k[~after, None], n[~after, None], floors
        ).sum(axis=0)
        mean = floors[:, None] + (1 - floors[:, None]) * levels
        k1, rest = k[after].sum(), (n - k)[after].sum()
        later = k1 * np.log(mean) + rest * np.log1p(-mean)
        scale = later.max()
        inner = np.exp(later - scale).mean(axis=1) * (len(levels) / (len(levels) + 1))
        const = choose - (gammaln(n + 1) - gammaln(k + 1) - gammaln(n - k + 1))[~after].sum()
        logs = before + np.log(np.maximum(inner, 1e-300)) + scale + const
        top = logs.max()
        total += (high - low) * np.exp(top) * np.exp(logs - top).sum() / 4000
    answer = quadrature.integrate("step", counts, binomial=True)
    assert answer.log_evidence == pytest.approx(math.log(total), abs=2e-3)
    assert 0 < answer.quantile(0.05) < answer.quantile(0.95) < 1


def banana(bend, sd):
    """N(0, 1) in x and N(bend x², sd²) in y, whose integral is 1."""

    def density(z):
        x, y = z.T
        return stats.norm.logpdf(x) + stats.norm.logpdf(y, bend * x * x, sd)

    return density


@pytest.mark.parametrize(("bend", "sd"), [(0.0, 1.0), (0.5, 0.5), (1.0, 0.5)])
def test_a_lattice_integrates_a_bent_density(bend, sd):
    start = np.array([[1.0, 2.0]])
    found = lattice.lattice(banana(bend, sd), lambda z: z, start, lattice.FINE)
    assert found.log == pytest.approx(0, abs=1e-5)
    np.testing.assert_allclose(found.moments, [0, bend], atol=1e-4)


def test_a_coarser_lattice_shows_the_error():
    """A ridge that bends within one step: the flood loses its ends, and more of them if coarser."""
    rule, start = lattice.Rule(), np.array([[1.0, 2.0]])
    for bend, sd in ((1.0, 0.3), (1.0, 0.5), (0.5, 0.3)):
        found = lattice.lattice(banana(bend, sd), lambda z: z, start, rule)
        coarse = lattice.lattice(banana(bend, sd), lambda z: z, start, rule.coarser)
        assert abs(found.log) < 5 * abs(found.log - coarse.log)


@pytest.mark.parametrize(
    ("name", "binomial"), [("chance", False), ("flat", True), ("logit-line", True)]
)
def test_our_evidence_equals_quadrature(name, binomial):
    counts = curve(chance=0.25)
    answer, error, _ = quadrature.check(name, counts, binomial=binomial)
    assert error < 1e-3
    likelihood = "binomial" if binomial else None
    fit = upturn.fit(
        curves_of(counts), model=name, likelihood=likelihood, seed=SEED, scatter="none"
    )
    assert fit.summary()["log_evidence"].iloc[0] == pytest.approx(answer.log_evidence, abs=0.05)


@pytest.mark.slow
def test_our_hinge_equals_quadrature():
    counts = curve()
    answer, error, off = quadrature.check("hinge", counts)
    assert error < 0.01
    assert off < 0.02
    curves = curves_of(counts)
    fit = upturn.fit(curves, model="hinge", seed=SEED)
    assert fit.summary()["log_evidence"].iloc[0] == pytest.approx(answer.log_evidence, abs=0.05)
    low, high = curves.limits[:, 0, 0]
    tau = (fit.tree["posterior"]["changepoint"].values.reshape(-1) - low) / (high - low)
    sd = answer.sd["changepoint"]
    assert abs(tau.mean() - answer.mean["changepoint"]) < 0.1 * sd
    assert abs(np.quantile(tau, 0.95) - answer.quantile(0.95)) < 0.2 * sd


@pytest.mark.slow
def test_simulated_hinges_are_what_they_say():
    drawn = simulate.hinges(400, seed=1, groups=8, sigma=0.1)
    curves = drawn.curves
    points = curves.mask.sum(axis=1)
    assert points.min() >= 12
    assert points.max() <= 40
    assert (curves.response <= curves.trials).all()
    assert curves.trials[curves.mask].min() >= 100
    assert curves.trials.max() <= 2000
    assert (curves.groups == 8).all()
    assert (drawn.parameters["scatter"] == 0.1).all()
    assert stats.kstest(drawn.parameters["changepoint"], "uniform").pvalue > 1e-3
    again = simulate.hinges(400, seed=1, groups=8, sigma=0.1)
    np.testing.assert_array_equal(curves.response, again.curves.response)


def test_a_reference_is_refused_once_its_data_change(tmp_path, monkeypatch):
    monkeypatch.setattr(stored, "FOLDER", tmp_path)
    counts = curve()
    name = stored.key("made up", "a curve", "flat", "binomial")
    stored.store("quadrature", {name: stored.by_quadrature(counts, "flat", binomial=True)})
    entries = stored.load("quadrature")
    assert stored.lookup(entries, name, counts)["mean"]["level"] > 0
    counts.successes[0] += 1
    assert stored.lookup(entries, name, counts) is None
    assert stored.lookup(entries, "made up / another / flat / binomial", counts) is None


@pytest.mark.slow
@pytest.mark.parametrize("model", ["flat", "hinge"])
def test_sums_over_a_net_equal_those_over_a_lattice(monkeypatch, model):
    """Within 5 standard errors of 8 replicates and what the lattice claims; the seed is fixed.

    By chance a t with 7 degrees of freedom is beyond 5 once in 600, and the errors of most moments
    are below the largest, which is taken for all of them.
    """
    monkeypatch.setattr(dense_net, "PARTICLES", 2**13)
    monkeypatch.setattr(dense_net, "POINTS", 2**14)
    problem = workloads.problem("gpt3")
    counts, task = problem.counts.one(0), str(problem.curves.name[0])
    exact = stored.load("quadrature")[stored.key("gpt3", task, model)]
    assert "nodes" in exact  # of a lattice
    found = dense_net.integrate(model, counts)
    assert found.log_evidence_error < 5e-3
    assert found.moment_error < 0.1
    room = 5 * found.log_evidence_error + exact["log_evidence_error"]
    assert abs(found.log_evidence - exact["log_evidence"]) < room
    room = 5 * found.moment_error + exact["moment_error"]
    for name, sd in exact["sd"].items():
        assert abs(found.mean[name] - exact["mean"][name]) < room * sd
        assert abs(found.sd[name] - sd) < room * sd
    if found.quantiles:
        error = np.array(found.quantiles) - exact["changepoint_quantiles"]
        assert np.abs(error).max() < 0.05 * exact["sd"]["changepoint"]


def test_a_replicate_is_not_spoilt_by_what_weighs_nothing():
    """Points far out, of which one has an endless parameter and no weight; by hand."""
    z = np.array([[0.0], [1.0], [40.0]])
    posterior = SimpleNamespace(
        names=("slope",), parameters=lambda z: {"slope": np.array([1.0, 3.0, np.inf])}
    )
    found = dense_net.part_of(posterior, z, np.log([0.5, 1.0, 1e-300]) - [0, 0, np.inf])
    assert found.top == 0
    assert found.sums.tolist() == pytest.approx(
        [1.5 / 3, 3.5 / 3, 9.5 / 3, np.log(3) / 3, np.log(3) ** 2 / 3]
    )
    assert found.square == pytest.approx(1.25 / 3)


@pytest.mark.parametrize(
    ("divergences", "target_accept", "rhat", "fit"),
    [(20, 0.95, 1.0, True), (21, 0.95, 1.0, False), (21, 0.999, 1.0, True), (0, 0.95, 1.02, False)],
)
def test_runs_of_nuts_that_diverge_are_no_references(divergences, target_accept, rhat, fit):
    entry = {"rhat": rhat, "ess": 4000.0, "target_accept": target_accept}
    assert stored.converged(entry | {"divergences": divergences}) is fit


def test_a_run_that_diverged_is_made_anew_with_care_at_once(monkeypatch):
    counts = Counts.of(workloads.counts("gpt3"))
    names = workloads.counts("gpt3").name.tolist()
    entry = {"target_accept": 0.95, "divergences": 0}
    there = {
        stored.key("gpt3", name, "flat"): entry | {"digest": stored.digest(one, "flat")}
        for name, one in ((name, counts.one(i)) for i, name in enumerate(names))
    }
    there[stored.key("gpt3", names[0], "flat")]["divergences"] = 21
    del there[stored.key("gpt3", names[1], "flat")]
    made = []

    def run(compiled, counts, model, *, seed, careful):
        made.append((seed, careful))
        return {"seconds": 0.0, "rhat": 1.0, "ess": 1.0, "divergences": 0}

    monkeypatch.setattr(stored, "load", lambda kind: there)
    monkeypatch.setattr(stored, "store", lambda kind, entries: None)
    monkeypatch.setattr(stored, "Compiled", lambda *_: None)
    monkeypatch.setattr(stored, "by_nuts", run)
    stored.make_nuts("gpt3", ["flat"])
    assert made == [(1, True), (2, False)]


@pytest.mark.slow
def test_what_a_lattice_is_too_coarse_for_is_summed_over_a_net(monkeypatch):
    counts = curve()
    monkeypatch.setattr(dense_net, "PARTICLES", 2**12)
    monkeypatch.setattr(dense_net, "POINTS", 2**12)
    lattice = stored.by_quadrature(counts, "flat", binomial=True)
    assert "nodes" in lattice
    monkeypatch.setattr(stored, "COARSE_ERROR", 0.0)
    check = quadrature.check

    def coarse(*arguments, **options):
        answer, evidence_error, _ = check(*arguments, **options)
        return answer, evidence_error, 1.0

    monkeypatch.setattr(quadrature, "check", coarse)
    assert stored.by_quadrature(counts, "flat", binomial=True)["points"] == 8 * 2**12


@pytest.mark.parametrize(
    ("workload", "error"),
    [("open-models", 3e-3), ("gpt3", 0.012), ("pythia", 3e-3), ("hard", 4e-3)],
)
def test_stored_references_belong_to_the_bundled_data(workload, error):
    """All there, and precise enough to be called the truth: errors in posterior sds."""
    problem = workloads.problem(workload)
    curves = problem.curves
    truth, variance = draws_a_second.reference(curves, problem.counts, workload, "hinge")
    assert truth.shape == (len(curves), 3)
    assert (variance > 0).all()
    entries = stored.load("quadrature")
    for name in curves.name.tolist():
        assert entries[stored.key(workload, name, "hinge")]["moment_error"] < error
