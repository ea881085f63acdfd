"""The contest of samplers: liars are caught, missing peers are rows, pages are measured."""

import io
import json
import os
import shutil
import sys
from dataclasses import asdict, replace
from pathlib import Path
from time import sleep

import numpy as np
import pytest
from scipy import stats

ROOT = Path(__file__).parents[2]
if str(ROOT) not in sys.path:  # `python -m pytest` puts it there, `pytest` does not
    sys.path.insert(0, str(ROOT))

from benchmarks import samplers
from benchmarks.accuracy import least_squares
from benchmarks.output import report
from benchmarks.page import page
from benchmarks.problems import hard_curves, workloads
from benchmarks.problems.pymc_models import PRIORS, Counts
from benchmarks.references import measures, quadrature
from benchmarks.references import stored as references
from benchmarks.references.measures import Reduced, Truth
from benchmarks.samplers import Answer, Entry, jags, nuts
from benchmarks.speed import contest, growth, kernel, processes, worker

SEED = 20262
CURVES = 5


def answer(seed, *, centre=0.0, spread=1.0, apart=0.0, draws=1000, **more):
    """Four chains of N(centre, spread²) for each curve and two parameters, where N(0, 1) is right.

    `apart` moves the first chain.
    """
    rng = np.random.default_rng([SEED, seed])
    made = centre + spread * rng.standard_normal((2, CURVES, 4, draws))
    made[:, :, 0] += apart
    return Answer(0.5, {"changepoint": made[0], "floor": made[1]}, **more)


def truth():
    """Of N(0, 1), known exactly."""
    zero, one = np.zeros(CURVES), np.ones(CURVES)
    names = ("changepoint", "floor")
    return Truth(
        np.tile([0.0, *stats.norm.ppf(measures.LEVELS)], (CURVES, 1)),
        dict.fromkeys(names, zero), dict.fromkeys(names, one), dict.fromkeys(names, zero),
    )  # fmt: skip


def judged(seeds=4, **how):
    return measures.judged([Reduced.of(answer(seed, **how)) for seed in range(seeds)], truth())


# --- the error measure ----------------------------------------------------------------------------


def test_an_honest_sampler_is_right_and_counts_its_draws():
    """Wrong by chance once in 300: 50 errors, each beyond 4 with probability 6e-5."""
    found = judged(seeds=10, evaluations=np.full(CURVES, 8000.0))
    assert found["wrong"] == 0
    assert found["runs"] == 10 * CURVES
    assert np.abs(found["bias"]).max() < 0.1
    assert np.median(found["effective"][:, 0]) == pytest.approx(4000, rel=0.8)
    cost = found["per_evaluation"]
    assert cost["evaluations"] == [8000, 8000]
    np.testing.assert_allclose(cost["median"], np.median(found["effective"], axis=0) / 8000)
    np.testing.assert_allclose(cost["worst"], np.min(found["effective"], axis=0) / 8000)
    assert found["large_rhat"] == 0


def test_a_sampler_that_returns_the_prior_is_wrong_everywhere_and_knows_nothing_of_it():
    found = judged(centre=0.5, spread=3.0)
    assert found["wrong"] == found["wrong_unflagged"] == found["runs"]


def test_a_prior_centred_where_the_posterior_is_is_caught_by_its_quantiles():
    found = judged(spread=3.0)
    assert np.abs(found["bias"]).max() > 20 * measures.MOST_BIAS
    assert found["worst"].min() < 2


def test_a_mean_shifted_by_a_fifth_of_a_standard_deviation_is_wrong():
    found = judged(centre=0.2)
    assert found["wrong_unflagged"] == found["runs"]
    assert found["effective"][:, 0].max() < 40


def test_the_parameter_that_is_farthest_off_is_named():
    runs = [Reduced.of(answer(seed)) for seed in range(2)]
    off = runs[0].mean["floor"] + np.where(np.arange(CURVES) == 2, 1.0, 0.0)
    runs[0] = replace(runs[0], mean=runs[0].mean | {"floor": off})
    found = measures.judged(runs, truth())
    row = {"title": "liar", "problem": "", **found}
    assert found["wrong"] == 1
    assert found["z_by_parameter"]["changepoint"] < measures.WRONG
    one = {"functionals": measures.FUNCTIONALS, "samplers": {"liar": row}}
    assert f"{found['z'].max():.3g} (floor)" in contest.accuracy_table(one)
    lost = replace(runs[0], mean=runs[0].mean | {"floor": np.full(CURVES, np.nan)})
    assert measures.judged([lost, runs[1]], truth())["wrong"] == CURVES


def test_chains_apart_are_flagged_and_excuse_themselves_by_their_error():
    found = judged(apart=3.0)
    assert found["flagged"] == found["large_rhat"] == found["runs"]
    assert found["wrong_unflagged"] == 0


def test_what_a_sampler_objects_to_is_flagged():
    said = np.arange(CURVES) == 1
    assert Reduced.of(answer(0, objections=said)).flagged.tolist() == said.tolist()


def test_weights_are_taken_at_their_own_size():
    """Draws resampled from few weighted points are worth those, whatever ArviZ would say."""
    few = Reduced.of(answer(0, ess=np.full(CURVES, 25.0)))
    assert (few.error["changepoint"] >= 0.19).all()
    assert few.flagged.all()


def test_a_run_survives_its_way_through_json():
    run = Reduced.of(answer(1, evaluations=np.arange(5.0)))
    back = contest.reduced(json.loads(json.dumps(asdict(run), default=report.plain)))
    assert back.seconds == run.seconds
    np.testing.assert_array_equal(back.flagged, run.flagged)
    np.testing.assert_array_equal(back.mean["floor"], run.mean["floor"])
    np.testing.assert_array_equal(back.evaluations, run.evaluations)


# --- who takes part -------------------------------------------------------------------------------


def test_what_is_missing_says_how_to_get_it():
    module = Entry("A peer", "x:Y", {}, modules=("no_such_module",))
    program = Entry("B peer", "x:Y", {}, program="no-such-program", remedy="apt-get install it")
    assert module.missing == "missing: pip install 'upturn[bench]'"
    assert program.missing == "missing: apt-get install it"
    assert not Entry("C peer", "x:Y", {}, modules=("json",)).missing


def contested(monkeypatch, entries, **how):
    """A contest on the open models between made up entries."""
    monkeypatch.setattr(samplers, "REGISTRY", entries)
    return contest.run(names=("open-models",), keys=tuple(entries), **how)


def test_a_missing_peer_is_a_row(monkeypatch):
    entries = {"gone": Entry("A peer", "x:Y", {}, modules=("no_such_module",))}
    found = contested(monkeypatch, entries, seeds=1)
    for line in ("| A peer  | missing: pip install 'upturn[bench]' |", "## open-models"):
        assert line.replace("  ", " ") in contest.table(found).replace("  ", " ")
    row = found["workloads"]["open-models"]["samplers"]["gone"]
    assert row["problem"].startswith("missing")
    grown = growth.run(keys=("gone",), axes=("curves",), budget=1)
    assert "missing: pip install" in growth.table(grown)


class Idle:
    """A worker that answers at once, or is stopped from its second run on."""

    cold = 2.0
    ready = {"imports": 1.0, "setup": 0.5, "device": "cpu"}  # noqa: RUF012
    stops = False

    def __init__(self, order, limit, cores):
        assert order["problem"] == {"workload": "open-models"}

    def run(self, seed, cores):
        if self.stops and seed > 0:
            raise contest.StoppedError("stopped after 3 s")
        curves = workloads.counts("open-models")
        rng = np.random.default_rng(seed)
        names = workloads.problem("open-models").parameters
        draws = {name: rng.uniform(size=(len(curves), 4, 200)) for name in names}
        run = asdict(Reduced.of(Answer(1.5, draws)))
        return json.loads(
            json.dumps({"seconds": 1.5, "megabytes": 10.0, "run": run}, default=report.plain)
        )

    def close(self):
        pass


def test_samplers_run_by_turns_until_their_budget_is_spent(monkeypatch, capsys):
    monkeypatch.setattr(contest, "Worker", Idle)
    monkeypatch.setattr(processes, "_split", lambda threads: [()])
    entries = {name: Entry(name, "x:Y", {}) for name in ("first", "second")}
    found = contested(monkeypatch, entries, seeds=5, budget=4.0)
    rows = found["workloads"]["open-models"]["samplers"]
    assert [row["seeds"] for row in rows.values()] == [3, 3]
    assert rows["first"]["cold"] == 3.5
    said = [line for line in capsys.readouterr().err.splitlines() if "seed" in line]
    assert ["first" in line for line in said] == [True, False] * 3
    assert all("left" in line for line in said)
    # uniform draws are a prior: wrong wherever the data say anything
    assert rows["first"]["wrong"] == rows["first"]["runs"]
    assert "100 %" in contest.accuracy_table(found["workloads"]["open-models"])


def test_a_sampler_that_is_stopped_keeps_what_it_has_done(monkeypatch):
    monkeypatch.setattr(contest, "Worker", type("Late", (Idle,), {"stops": True}))
    found = contested(monkeypatch, {"late": Entry("Late", "x:Y", {})}, seeds=3)
    row = found["workloads"]["open-models"]["samplers"]["late"]
    assert row["seeds"] == 1
    assert "Late; then stopped after 3 s" in contest.table(found)


def test_a_lane_has_its_cores_to_itself(monkeypatch):
    """Three lanes, twenty jobs, each on cores that no other job has at that time."""
    monkeypatch.setattr(processes, "_split", lambda threads: [(0,), (1,), (2,)])
    busy, most = set(), []

    def job(item, cores):
        assert cores not in busy
        busy.add(cores)
        most.append(len(busy))
        sleep(0.01)
        busy.discard(cores)
        return 2 * item

    assert processes.Lanes(1).map(job, range(20)) == [2 * i for i in range(20)]
    assert max(most) == 3


def test_lanes_take_whole_sets_of_cores(monkeypatch):
    monkeypatch.setattr(processes.os, "sched_getaffinity", lambda pid: set(range(7)), raising=False)
    monkeypatch.setattr(processes.os, "sched_setaffinity", None, raising=False)
    monkeypatch.setattr(processes.shutil, "which", lambda name: None)
    assert len(processes.Lanes(2)) == 3
    assert len(processes.Lanes(3)) == 2
    assert len(processes.Lanes(8)) == 1
    monkeypatch.setattr(processes.shutil, "which", lambda name: f"/bin/{name}")
    assert len(processes.Lanes(2)) == 1  # a GPU is one


@pytest.mark.skipif(not hasattr(os, "sched_setaffinity"), reason="not on this system")
def test_a_worker_stays_on_its_cores():
    core = max(os.sched_getaffinity(0))
    order = {"sampler": "jags", "problem": {"curves": 1}, "threads": 1, "judge": False}
    one = processes.Worker(order, limit=300, cores=(core,))
    try:
        tasks = Path(f"/proc/{one._process.pid}/task").iterdir()
        assert {frozenset(os.sched_getaffinity(int(task.name))) for task in tasks} == {
            frozenset({core})
        }
    finally:
        processes.Worker.close_all()
    assert one._process.poll() is not None


def test_an_error_on_one_lane_ends_all(monkeypatch):
    monkeypatch.setattr(processes, "_split", lambda threads: [(), ()])
    begun = []

    def job(item, cores):
        begun.append(item)
        if item == 0:
            raise RuntimeError("no")
        sleep(0.05)

    with pytest.raises(RuntimeError, match="no"):
        processes.Lanes(1).map(job, range(50))
    assert len(begun) < 10


def test_a_worker_that_fails_says_why():
    with pytest.raises(contest.StoppedError, match="KeyError: 'nobody'"):
        contest.Worker({"sampler": "nobody", "problem": {"curves": 1}}, limit=300)


def test_a_worker_answers_lines_with_lines(monkeypatch):
    class Made:
        name, setup = "made", 0.25

        def run(self, seed):
            return answer(seed)

    entry = type("One", (), {"make": staticmethod(lambda problem, threads: Made())})
    monkeypatch.setattr(samplers, "REGISTRY", {"made": entry})
    order = {"sampler": "made", "problem": {"workload": "open-models"}, "threads": 1}
    out = io.StringIO()
    worker.serve(io.StringIO(f'{json.dumps(order)}\n{{"seed": 3}}\n'), out)
    ready, said = map(json.loads, out.getvalue().splitlines())
    assert ready["name"] == "made"
    assert ready["setup"] == 0.25
    assert said["megabytes"] > 10
    assert said["run"]["mean"]["floor"] == pytest.approx(
        answer(3).draws["floor"].mean(axis=(1, 2)).tolist()
    )


# --- workloads ------------------------------------------------------------------------------------


def test_the_stored_hard_curves_are_what_their_recipe_makes():
    stored = hard_curves.PATH.read_text("utf-8")
    assert stored == hard_curves.table().to_csv(index=False)
    curves = workloads.counts("hard")
    assert curves.name.tolist() == list(hard_curves.CASES)


def test_the_curve_of_two_modes_has_two_modes():
    """By a sum over a net of the prior at each changepoint, by the code that makes references.

    Weights of the net have an effective size of a hundred at the least, so that a density is known
    to a tenth; the valley is a fifth of the lower mode.
    """
    curves = workloads.counts("hard")
    here = list(hard_curves.CASES).index("two modes")
    exact = quadrature.Posterior("hinge", Counts.of(curves).one(here))
    z = stats.norm.ppf(stats.qmc.Sobol(len(exact.names), rng=SEED).random(2**14))
    assert exact.names[0] == "changepoint"

    def density(changepoint):
        p = exact.parameters(z) | {"changepoint": np.full(len(z), changepoint)}
        return exact.log_likelihood(p)

    places = np.array([0.15, 0.19, 0.3, 0.33, 0.36, 0.61, 0.63])
    logs = np.array([density(place) for place in places])
    found = np.exp(logs - logs.max()).mean(axis=1)
    first, valley, second = found[:2].max(), found[2:5].min(), found[5:].max()
    assert valley < 0.3 * min(first, second)
    assert min(first, second) > 0.3 * max(first, second)


def test_padded_counts_hold_every_point_once():
    curves = workloads.counts("hard")
    counts = Counts.of(curves)
    padded = counts.padded()
    assert padded["k"].sum() == counts.successes.sum()
    assert ((padded["k"] + padded["rest"] > 0).sum(axis=1) == curves.points).all()
    five = list(hard_curves.CASES).index("five points")
    np.testing.assert_array_equal(padded["u"][five, :5], counts.one(five).u)


def test_workloads_have_tasks_that_are_there():
    for name, workload in workloads.WORKLOADS.items():
        problem = workloads.problem(name)
        assert len(problem.curves) == (len(workload.tasks) or len(problem.curves))
        assert problem.known_model in PRIORS


@pytest.mark.parametrize("parameters", growth.MODELS)
def test_models_grow_by_their_parameters(parameters):
    problem = growth.problem(curves=2, points=5, parameters=parameters)
    assert len(problem.parameters) == parameters
    assert problem.curves.points.tolist() == [5, 5]


def test_times_are_foretold_by_their_growth():
    rows = [{"size": 10, "seconds": 1.0}, {"size": 100, "seconds": 4.0}]
    assert growth.expected(rows[:1], 100) == pytest.approx(10)
    assert growth.expected(rows, 1000) == pytest.approx(16)


# --- peers ----------------------------------------------------------------------------------------


def one_curve():
    """A problem of one small curve."""
    curves = workloads.counts("hard")
    five = list(hard_curves.CASES).index("five points")
    return workloads.Problem("one", curves.take(np.array([five])), "flat")


@pytest.mark.slow
def test_a_loop_takes_models_that_make_no_use_of_scale():
    """By quadrature; four means beyond 5 standard errors: once in 400,000 by chance."""
    problem = growth.problem(curves=2, points=5, parameters=2)
    draws = nuts.NutpieLoop(problem, 2).run(SEED).draws
    assert set(draws) == set(problem.parameters)
    exact = [quadrature.integrate(problem.known_model, counts) for counts in problem.counts.each()]
    for name, values in draws.items():
        mean = measures.by_chains(values)[0]
        truth = np.array([answer.mean[name] for answer in exact])
        assert (np.abs(mean.value - truth) < 5 * mean.error).all()


def test_jags_is_told_everything():
    problem = replace(one_curve(), model="hinge")
    text = jags.program("hinge")
    assert text.count("{") == text.count("}")
    for name in problem.parameters:
        assert f"{name}[j] ~ " in text
    assert set(jags.SHARES) == set(PRIORS)
    assert '"k" <- c(5, 5, 48, 126, 153)' in jags.data_of(problem)


def test_the_chains_of_jags_are_read(tmp_path):
    (tmp_path / "CODAindex.txt").write_text("a[1] 1 2\na[2] 3 4\nb[1] 5 6\nb[2] 7 8\n")
    lines = [f"{1 + i % 2}  {float(i)}" for i in range(8)]
    (tmp_path / "CODAchain1.txt").write_text("\n".join(lines))
    found = jags.parsed_coda(tmp_path, ("b", "a"), 2)
    assert found["a"].tolist() == [[0, 1], [2, 3]]
    assert found["b"].tolist() == [[4, 5], [6, 7]]


@pytest.mark.skipif(shutil.which("jags") is None, reason="jags is not installed")
def test_jags_has_the_same_posterior():
    """Wrong by chance once in 8,000: two means, each beyond 4 standard errors with 6e-5."""
    problem = one_curve()
    exact = quadrature.integrate("flat", problem.counts)
    run = jags.Jags(problem, 2, draws=2000, tune=500).run(SEED)
    assert run.draws["level"].shape == (1, 4, 2000)
    found = measures.by_chains(run.draws["level"][0])
    assert abs(found[0].value - exact.mean["level"]) < 4 * found[0].error
    assert found[1].value == pytest.approx(exact.sd["level"], rel=0.1)


@pytest.mark.needs("jax")
@pytest.mark.parametrize("model", PRIORS)
def test_the_density_in_jax_is_that_of_quadrature(model):
    from benchmarks.samplers import density

    problem = replace(one_curve(), model=model)
    exact = quadrature.Posterior(model, problem.counts)
    rng = np.random.default_rng(SEED)
    z = rng.standard_normal((4, len(exact.names)))
    p = exact.parameters(z)
    data = {name: value[0] for name, value in problem.counts.padded().items()}
    found = [
        float(density.log_likelihood(model, {n: v[i] for n, v in p.items()}, data))
        for i in range(4)
    ]
    np.testing.assert_allclose(found, exact.log_likelihood(p), rtol=1e-8)
    # log prior in x less that in z is the derivative of z by x
    for i in range(4):
        x, log_prior = unconstrained(density, model, {n: v[i] for n, v in p.items()}, data)
        step = 1e-5
        slope = 0.0
        for j, name in enumerate(exact.names):
            ends = []
            for sign in (-1, 1):
                moved = density.constrained(model, x | {name: x[name] + sign * step})[0]
                ends.append(z_of(exact, name, float(moved[name]), z[i, j]))
            slope += np.log((ends[1] - ends[0]) / (2 * step))
        assert log_prior == pytest.approx(stats.norm.logpdf(z[i]).sum() + slope, abs=1e-3)


def unconstrained(density, model, p, data):
    """Where parameters lie in unconstrained coordinates, and the prior's density there."""
    from benchmarks.problems.pymc_models import parsed, priors

    x = {}
    for name, text in priors(model).items():
        kind = "Beta" if name == "floor" else parsed(text)[0]
        if kind == "Normal":
            x[name] = p[name]
        elif kind in ("LogNormal", "HalfNormal"):
            x[name] = np.log(p[name])
        else:
            x[name] = np.log(p[name]) - np.log1p(-p[name])
    return x, float(density.log_prior(model, x, data))


def z_of(exact, name, theta, near):
    """The whitened coordinate of a parameter, by bisection of its quantile function."""
    low, high = near - 0.5, near + 0.5
    for _ in range(60):
        middle = 0.5 * (low + high)
        below = float(exact._priors[name](np.array([middle]))[0]) < theta
        low, high = (middle, high) if below else (low, middle)
    return 0.5 * (low + high)


# --- least squares, the page ----------------------------------------------------------------------


def test_intervals_are_scored():
    answers = np.array([[0.5, 0.4, 0.6], [0.2, 0.1, 0.3], [np.nan] * 3])
    found = least_squares._scored(answers, np.array([0.55, 0.5, 0.5]), 3.0)
    assert found["answered"] == pytest.approx(2 / 3)
    assert found["covered"] == 0.5
    assert found["median_error"] == pytest.approx(0.175)
    assert found["ms_a_curve"] == 1000


def test_least_squares_that_are_not_there_are_a_row(monkeypatch):
    monkeypatch.setattr(least_squares, "find_spec", lambda name: None)
    found = {"truths": {"ramp": {"piecewise-regression": least_squares._peer(None, None)}}}
    assert least_squares.MISSING in least_squares.table(found)


def results():
    """Made up results of a contest with a missing peer, and of growth."""
    one = measures.judged([Reduced.of(answer(seed)) for seed in range(2)], truth())
    row = {"title": "upturn", "problem": "", "imports": 1.0, "setup": 0.1, "device": "cpu",
           "megabytes": 300.0, "cold": 2.0, **one}  # fmt: skip
    gone = {"title": "A peer", "problem": "missing: pip install 'upturn[bench]'"}
    work = {
        "title": "made up", "functionals": measures.FUNCTIONALS, "curves": ["a"],
        "samplers": {"ours": row, "gone": gone},
    }  # fmt: skip
    rows = [
        {"axis": "curves", "size": size, "title": "upturn", "seconds": size / 10, "megabytes": 9.0}
        for size in (1, 10)
    ]
    return {
        "machine": report.machine(),
        "contest": {"threads": 2, "workloads": {"made-up": work}},
        "growth": {"threads": 2, "rows": rows},
        "kernel": {
            "dataset": "made-up", "threads": 1, "particles": 8, "repeats": 1, "problem": "",
            "curves": ["a"], "points": [5], "compiler": "cc 1", "flags": kernel.FLAGS,
            "ns": {kernel.OURS: [4.0], kernel.BY_HAND: [2.0]},
            "difference": {kernel.OURS: 0.0, kernel.BY_HAND: 1e-12},
        },
    }  # fmt: skip


def test_the_page_is_what_was_measured(tmp_path):
    path = tmp_path / "full.json"
    path.write_text(json.dumps(results(), default=report.plain))
    written = page.render([path], tmp_path / "docs")
    assert [p.name for p in written] == [
        "benchmarks.md", "benchmarks-speed.svg", "benchmarks-growth.svg", "benchmarks.json",
    ]  # fmt: skip
    text = written[0].read_text("utf-8")
    assert "missing: pip install 'upturn[bench]'" in text
    assert "## Growth" in text
    assert "## One evaluation of the likelihood" in text
    assert "| C, tuned by hand" in text
    assert "least squares" not in text  # it was not measured
    assert "![" in text
    again = page.render([path], tmp_path / "again")
    for first, second in zip(written, again, strict=True):
        assert first.read_text("utf-8") == second.read_text("utf-8")
    assert "upturn" in written[1].read_text("utf-8")


def test_workloads_of_several_contests_are_one(tmp_path):
    one, other = results(), results()
    other["contest"]["workloads"] = {"another": other["contest"]["workloads"]["made-up"]}
    paths = [tmp_path / "one.json", tmp_path / "other.json"]
    for path, found in zip(paths, (one, other), strict=True):
        path.write_text(json.dumps(found, default=report.plain))
    text = page.render(paths, tmp_path / "docs")[0].read_text("utf-8")
    assert "### made-up" in text
    assert "### another" in text


def test_a_part_is_measured_again_by_itself(tmp_path):
    """The others stay, each with the machine that it was measured on."""
    whole, again = results(), results()
    again["contest"]["workloads"] = {"another": again["contest"]["workloads"]["made-up"]}
    again = {name: again[name] for name in ("contest", "machine")}
    again["machine"] = again["machine"] | {"processor": "another processor"}
    again["contest"] |= {"threads": 1, "lanes": 2}
    texts = []
    for name, found in (("full", whole), ("contest", again)):
        path = tmp_path / f"{name}.json"
        path.write_text(json.dumps(found, default=report.plain))
        texts.append(page.render([path], tmp_path / "docs")[0].read_text("utf-8"))
    before, after = texts
    assert "another" not in before
    assert "## Growth" in after
    where = f"{whole['machine']['date']}; {whole['machine']['processor']}, "
    assert f"*made-up: {where}" in after
    assert f"*another: {whole['machine']['date']}; another processor, " in after
    assert f"\n*{where}" in after  # growth's
    lines = {line.split(":")[0]: line for line in after.splitlines() if line.startswith("*")}
    assert "; 2 threads; Python" in lines["*made-up"]
    assert "; 1 thread each, 2 at a time on cores of their own; Python" in lines["*another"]


def test_a_page_of_nothing_is_refused(tmp_path):
    path = tmp_path / "other.json"
    path.write_text('{"machine": {}}')
    with pytest.raises(SystemExit, match="expected results"):
        page.render([path], tmp_path)


def test_references_of_a_curve_that_has_none_are_asked_for(monkeypatch):
    monkeypatch.setattr(references, "load", lambda kind: {})
    found = contest.run(names=("hard",), keys=("ours",), seeds=1)
    assert "not measured: expected a stored quadrature of far step, two" in contest.table(found)
    assert "--datasets hard --models hinge --needed" in contest.table(found)
    assert not page.speeds_of({"contest": found})


def test_a_curve_without_a_reference_is_left_out_and_named(monkeypatch):
    stored = references.load("quadrature")
    some = {key: one for key, one in stored.items() if "arithmetic_2dm" not in key}
    monkeypatch.setattr(references, "load", lambda kind: some)
    orders = []

    def gone(order, limit, cores):
        orders.append(order["problem"])
        raise contest.StoppedError("gone")

    monkeypatch.setattr(contest, "Worker", gone)
    found = contested(monkeypatch, {"first": Entry("first", "x:Y", {})}, seeds=1)
    one = found["workloads"]["open-models"]
    assert one["unreferenced"] == ["arithmetic_2dm"]
    assert "no reference yet: arithmetic_2dm." in contest.table(found)
    assert orders[0]["tasks"] == one["curves"]
    assert len(one["curves"]) == len(workloads.counts("open-models")) - 1
    assert worker.problem_of(orders[0]).curves.name.tolist() == one["curves"]
