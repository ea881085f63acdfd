"""The contest: who takes part, turns, budgets and cores."""

import io
import json
import os
import sys
from dataclasses import asdict
from pathlib import Path
from time import sleep

import numpy as np
import pytest

ROOT = Path(__file__).parents[2]
if str(ROOT) not in sys.path:  # `python -m pytest` puts it there, `pytest` does not
    sys.path.insert(0, str(ROOT))
from benchmarks import samplers
from benchmarks.output import report
from benchmarks.problems import workloads
from benchmarks.references.measures import Reduced
from benchmarks.samplers import Answer, Entry
from benchmarks.speed import contest, growth, processes, worker
from tests.support.answers_of_samplers import answer, contested


def test_what_is_missing_says_how_to_get_it():
    module = Entry("A peer", "x:Y", {}, modules=("no_such_module",))
    program = Entry("B peer", "x:Y", {}, program="no-such-program", remedy="apt-get install it")
    assert module.missing == "missing: pip install 'upturn[bench]'"
    assert program.missing == "missing: apt-get install it"
    assert not Entry("C peer", "x:Y", {}, modules=("json",)).missing


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


@pytest.mark.slow
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


@pytest.mark.slow
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
