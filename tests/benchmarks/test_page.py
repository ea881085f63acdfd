"""The benchmark suite itself: references against known truths, measures that catch liars."""

import json
import math
import subprocess
import sys
from dataclasses import replace
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
from benchmarks import __main__ as command
from benchmarks import samplers
from benchmarks.accuracy import coverage
from benchmarks.output import report
from benchmarks.page import page
from benchmarks.problems import simulate, workloads
from benchmarks.problems.pymc_models import PRIORS, Counts, build, log_rising, priors
from benchmarks.references import dense_net, lattice, measures, posterior, quadrature, stored
from benchmarks.references.measures import Moment, Tally
from benchmarks.samplers import Answer
from benchmarks.speed import accelerator, draws_a_second, kernel, precision

SEED = 20260


def curve(*, chance=0.0, points=8, trials=200, seed=3):
    """One curve of counts that rises in the middle."""
    rng = np.random.default_rng(seed)
    u = np.linspace(0, 1, points)
    mean = np.maximum(np.nan_to_num(chance) + 0.02, 0.8 * np.maximum(u - 0.4, 0) / 0.6)
    n = np.full(points, float(trials))
    return Counts(
        u,
        rng.binomial(trials, mean).astype(float),
        n,
        np.zeros(points, int),
        np.array([chance]),
        np.ones(1),
    )


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


# --- the models -----------------------------------------------------------------------------------


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


# --- quadrature -----------------------------------------------------------------------------------


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


# --- measures: honest samplers pass, liars are caught ---------------------------------------------

CURVES = 5


class Fake:
    """Independent draws of N(centre, spread²) for each curve, where N(0, 1) is right."""

    setup = 0.0

    def __init__(self, name, centre=0.0, spread=1.0, draws=4000):
        self.name, self._centre, self._spread, self._draws = name, centre, spread, draws

    def run(self, seed):
        rng = np.random.default_rng([SEED, seed])
        draws = rng.standard_normal((CURVES, self._draws))
        values = self._centre + self._spread * draws
        return Answer(1.0, {"changepoint": values[:, None]})


def judged(sampler):
    truth = np.tile([0.0, *stats.norm.ppf(measures.LEVELS)], (CURVES, 1))
    return draws_a_second.compare([sampler], {sampler.name: 40}, truth, np.ones(CURVES))[
        sampler.name
    ]


def test_independent_draws_count_as_their_number():
    found = judged(Fake("honest"))
    np.testing.assert_allclose(found["effective"][:, 0], 4000, rtol=5 * measures.relative_error(40))
    # a quantile's variance is q (1 - q) / (n f(q)²)
    one = 0.05 * 0.95 / stats.norm.pdf(stats.norm.ppf(0.05)) ** 2
    np.testing.assert_allclose(
        found["effective"][:, 1:], 4000 / one, rtol=5 * measures.relative_error(40)
    )


def test_a_shifted_mean_is_caught():
    """However many draws it makes, a bias of a tenth of an sd is worth a hundred draws."""
    for draws in (4000, 40_000):
        assert judged(Fake("shifted", centre=0.1, draws=draws))["worst"][0] < 120


def test_a_sampler_that_returns_the_prior_is_caught():
    """The prior is centred where the posterior is, and ten times as wide."""
    assert judged(Fake("prior", spread=10.0))["worst"].min() < 0.02


def test_longer_runs_are_compared_where_asked_for(monkeypatch):
    """A row each, ours in two columns, and the evaluations that one of them counts."""
    made = []

    class Counting(Fake):
        def run(self, seed):
            return replace(super().run(seed), evaluations=np.full(CURVES, 200.0))

    def entry(key):
        kind, name = (Counting, f"upturn, {key}") if key.startswith("ours") else (Fake, key)

        def make(problem, threads):
            made.append(key)
            return kind(name, draws=1600 if "16000" in key else 400)

        return SimpleNamespace(make=make)

    keys = ("ours", "ours-16000", "nutpie-loop", "nutpie-loop-long")
    monkeypatch.setattr(samplers, "REGISTRY", {key: entry(key) for key in keys})
    truth = np.tile([0.0, *stats.norm.ppf(measures.LEVELS)], (CURVES, 1))
    monkeypatch.setattr(draws_a_second, "reference", lambda *_: (truth, np.ones(CURVES)))
    found = draws_a_second.run(seeds=40, peers=("loop",), long=True, datasets=["open-models"])
    assert made == list(keys)
    text = draws_a_second.table(found)
    assert "ours ×, worst curve | ours-16000 ×, worst curve" in " ".join(text.split())
    cost = found["datasets"]["open-models"]["samplers"]["upturn, ours"]["per_evaluation"]
    # 400 draws of 200 evaluations, known to √(2/40) = 22 % on each curve
    assert cost["median"][0] == pytest.approx(2, rel=0.6)
    assert found["datasets"]["open-models"]["samplers"]["nutpie-loop"]["per_evaluation"] is None
    assert text.count("| nutpie-loop ") == 1
    found = draws_a_second.run(seeds=1, peers=("loop",), datasets=["open-models"])
    assert made[len(keys) :] == ["ours", "nutpie-loop"]


def test_precision_names_the_worst_curve_and_its_bias(monkeypatch, tmp_path):
    """Of 40 seeds: an offset of .5 sd is known to .05 / √40, and leaves 4 effective draws."""

    class Off(Fake):
        def run(self, seed):
            answer = super().run(seed)
            answer.draws["changepoint"][3] += 0.5
            return replace(answer, evaluations=np.full(CURVES, 200.0))

    made = {"ours": SimpleNamespace(make=lambda *_: Off("upturn, 4,000 draws", draws=400))}
    monkeypatch.setattr(samplers, "REGISTRY", made)
    truth = np.tile([0.0, *stats.norm.ppf(measures.LEVELS)], (CURVES, 1))
    monkeypatch.setattr(draws_a_second, "reference", lambda *_: (truth, np.ones(CURVES)))
    found = precision.run(seeds=40, datasets=["open-models"], threads=1)
    header, _, line = (
        [cell.strip() for cell in line.split(" | ")] for line in precision.table(found).splitlines()
    )
    shown = dict(zip(header, line, strict=True))
    assert shown["worst curve, mean"] == found["datasets"]["open-models"]["curves"][3]
    assert float(shown["its bias, sd |"].removesuffix("|")) == pytest.approx(0.5, abs=0.04)
    assert float(shown["worst, mean"]) == pytest.approx(4 / 200, rel=0.2)
    assert float(shown["median, mean"]) == pytest.approx(2, rel=0.6)
    assert shown["known to, %"] == "22"
    path = tmp_path / "precision.json"
    path.write_text(
        json.dumps({"machine": report.machine(), "precision": found}, default=report.plain)
    )
    text = page.render([path], tmp_path / "docs")[0].read_text("utf-8")
    assert "## Draws an evaluation, from many seeds" in text
    assert precision.table(found) in text


def test_time_left_is_that_of_turns_to_come():
    assert (
        draws_a_second.left({"a": [1.0, 3.0], "b": [5.0], "c": []}, {"a": 5, "b": 1, "c": 2}) == 6
    )


def test_z_scores_of_agreeing_samplers_are_standard_normal():
    rng = np.random.default_rng(SEED)
    for replicates in (4, 32):
        ours = measures.by_replicates(rng.standard_normal((20_000, replicates, 30)))
        exact = (Moment(0.0, 0.0, np.inf), Moment(1.0, 0.0, np.inf))
        z = measures.z_score(ours[0], exact[0])
        assert abs(z.mean()) < 4 / np.sqrt(20_000)
        assert z.std() == pytest.approx(1, abs=0.03)
        tally = Tally.of(z)
        assert tally.beyond_3 == pytest.approx(tally.expected_3, abs=5 * np.sqrt(54))


@pytest.mark.parametrize(("centre", "spread"), [(0.1, 1.0), (0.0, 1.1), (0.0, 10.0)])
def test_z_scores_of_liars_are_large(centre, spread):
    rng = np.random.default_rng(SEED)
    ours = measures.by_replicates(centre + spread * rng.standard_normal((50, 32, 1000)))
    z = [
        measures.z_score(moment, Moment(value, 0.002, np.inf))
        for moment, value in zip(ours, (0.0, 1.0), strict=True)
    ]
    assert Tally.of(np.concatenate(z)).beyond_4 >= 45


def test_errors_of_chains_come_with_their_convergence():
    rng = np.random.default_rng(SEED)
    noise = rng.standard_normal((4, 4000))
    chains = np.zeros_like(noise)
    for i in range(1, 4000):
        chains[:, i] = 0.9 * chains[:, i - 1] + noise[:, i]
    mean, sd, rhat, ess = measures.by_chains(chains)
    assert ess == pytest.approx(16_000 * 0.1 / 1.9, rel=0.3)
    assert mean.error == pytest.approx(sd.value / np.sqrt(ess), rel=0.3)
    assert rhat < stored.LARGEST_RHAT
    chains[0] += 10
    assert measures.by_chains(chains)[2] > stored.LARGEST_RHAT


def test_coverage_of_the_truth_is_the_level_and_of_a_shift_is_not():
    rng = np.random.default_rng(SEED)
    centre = rng.standard_normal(2000)
    truth = centre + rng.standard_normal(2000)
    draws = centre[:, None] + rng.standard_normal((2000, 400))
    right = coverage.coverage(draws, truth)
    assert right["covered"] == pytest.approx(0.9, abs=4 * right["error"])
    assert right["mean_rank"] == pytest.approx(0.5, abs=0.03)
    assert coverage.coverage(draws + 1, truth)["covered"] < 0.8
    assert (
        coverage.coverage(centre[:, None] + 0.5 * (draws - centre[:, None]), truth)["covered"]
        < 0.65
    )


# --- workloads, references, reports ---------------------------------------------------------------


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


def test_a_table_reads_as_text():
    assert report.table(["name", "x"], [["a", 1.5], ["long", 12345.6]]).splitlines() == [
        "| name |      x |",
        "|------|-------:|",
        "| a    |    1.5 |",
        "| long | 12,346 |",
    ]


def test_figures_are_written_beside_the_machine_they_were_measured_on(tmp_path, monkeypatch):
    monkeypatch.setattr(report, "FOLDER", tmp_path)
    found = {"grid": np.eye(2), "share": np.float64(0.5), "count": np.int64(3), "names": ("a",)}
    path = report.save("made-up", found, text="a table")
    read = json.loads(path.read_text("utf-8"))
    assert read["grid"] == [[1, 0], [0, 1]]
    assert read["machine"]["versions"]["upturn"] == upturn.__version__
    assert path.with_suffix(".md").read_text("utf-8") == "a table"
    assert not list(tmp_path.glob("*.part"))


def test_the_command_explains_itself():
    done = subprocess.run(
        [sys.executable, "-m", "benchmarks", "--help"],
        cwd=ROOT, capture_output=True, text=True, check=True,
    )  # fmt: skip
    measures_named = ("contest", "growth", "speed", "precision", "agreement")
    for name in (*measures_named, "quadrature", "nuts", "render"):
        assert name in done.stdout


@pytest.mark.parametrize("seeds", ["0", "-1", "x"])
@pytest.mark.parametrize("measure", ["speed", "precision", "contest", "agreement"])
def test_there_is_a_seed_at_least(measure, seeds, monkeypatch, capsys):
    monkeypatch.setattr(sys, "argv", ["benchmarks", measure, f"--seeds={seeds}"])
    with pytest.raises(SystemExit) as stopped:
        command.main()
    assert stopped.value.code == 2
    assert f"expected a whole number from 1 up, but got '{seeds}'" in capsys.readouterr().err


# --- JAX ------------------------------------------------------------------------------------------


def test_a_measure_without_jax_says_so(monkeypatch):
    monkeypatch.setattr(accelerator, "find_spec", lambda name: None)
    found = accelerator.run(sizes=(10,), real=True)
    assert (found["rows"], found["real"]) == ([], [])
    assert accelerator.table(found).startswith("device: jax is not installed: pip install")


def test_the_table_of_the_accelerator_names_the_device():
    row = {"curves": 1000, "default": 120.0, "jax": 2.0, "compiling": 30.0, "difference": 1e-3,
           "in_errors": 0.1, "failed": [1, 2]}  # fmt: skip
    found = {"device": "gpu (H200), jax 1", "threads": 2, "rows": [row], "real": []}
    text = accelerator.table(found)
    assert text.startswith("device: gpu (H200), jax 1; default engine on 2 threads")
    cells = [cell.strip() for cell in text.splitlines()[-1].strip("|").split("|")]
    assert cells == ["1,000", "120", "2", "60", "30", "0.001", "0.1", "1", "2"]


# --- kernels --------------------------------------------------------------------------------------


@pytest.mark.skipif(not kernel.compiler(), reason="there is no C compiler")
@pytest.mark.parametrize("flags", [(), ("-DPORTABLE",)])
def test_the_kernel_by_hand_is_right(flags):
    """Against SciPy's gamma functions, over the whole of the priors."""
    by_hand = kernel.by_hand(*flags)
    rng = np.random.default_rng(SEED)
    for chance, trials in ((math.nan, 30), (0.25, 2000)):
        counts = curve(chance=chance, points=12, trials=trials)
        exact = quadrature.Posterior("hinge", counts)
        p = exact.parameters(rng.standard_normal((64, len(exact.names))))
        found, right = by_hand(counts, p), exact.log_likelihood(p)
        np.testing.assert_allclose(found, right, rtol=1e-9, atol=1e-9)
        np.testing.assert_allclose(kernel.plain(counts, p), right, rtol=1e-9, atol=1e-9)
    with pytest.raises(ValueError, match="multiple"):
        by_hand(counts, {name: values[:9] for name, values in p.items()})


@pytest.mark.skipif(not kernel.compiler(), reason="there is no C compiler")
def test_arithmetic_stays_as_it_was_with_the_kernel_loaded():
    """Subnormal numbers would be zero in all of the process, were fast-math given to the linker."""
    kernel.by_hand()
    assert np.float64(1e-300) * np.float64(1e-20) > 0


def test_kernels_are_timed_on_every_curve(monkeypatch):
    def scipy(counts, p):
        return quadrature.Posterior("hinge", counts).log_likelihood(p)

    monkeypatch.setattr(kernel, "plain", scipy)
    monkeypatch.setattr(kernel, "compiler", lambda: "")
    found = kernel.run(particles=64, repeats=1)
    assert len(found["ns"][kernel.OURS]) == len(found["curves"])
    assert (found["ns"][kernel.OURS] > 0).all()
    assert "| C, tuned by hand" in kernel.table(found)
    assert "missing: a C compiler" in kernel.table(found)


def test_a_kernel_that_is_wrong_is_not_timed(monkeypatch):
    monkeypatch.setattr(kernel, "compiler", lambda: "")
    monkeypatch.setattr(kernel, "plain", lambda counts, p: np.zeros(len(p["rate"])))
    with pytest.raises(RuntimeError, match="numba differs from ours"):
        kernel.run(particles=64, repeats=1)


def test_a_ratio_of_kernels_is_that_of_their_times():
    found = {
        "dataset": "made up", "particles": 8, "repeats": 1, "curves": ["a", "b"], "problem": "",
        "points": [5, 6], "compiler": "cc 1", "flags": kernel.FLAGS,
        "ns": {kernel.OURS: [4.0, 9.0], kernel.QUANTILES: [1.0, 1.0], kernel.BY_HAND: [2.0, 3.0]},
        "difference": {kernel.OURS: 0.0, kernel.QUANTILES: 0.0, kernel.BY_HAND: 1e-12},
    }  # fmt: skip
    line = next(line for line in kernel.table(found).splitlines() if "tuned by hand" in line)
    assert [cell.strip() for cell in line.split("|")[2:-1]] == ["2.5", "3", "2.5", "3", "1e-12"]
