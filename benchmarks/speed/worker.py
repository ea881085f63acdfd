"""Worker: one sampler in a process of its own, which answers lines of JSON with lines of JSON.

So its peak memory is separate, compilation does not slow others down, and it can be stopped. The
first line says what to set up, each further one a seed. What libraries print goes to standard
error.
"""

import json
import os
import resource
import sys
from dataclasses import asdict
from time import perf_counter
from typing import Any, TextIO

START = perf_counter()

from benchmarks import samplers
from benchmarks.output import report
from benchmarks.problems import workloads
from benchmarks.references import measures
from benchmarks.speed import growth


def problem_of(spec: dict[str, Any]) -> workloads.Problem:
    """A workload by name, or simulated curves."""
    if "workload" in spec:
        return workloads.problem(spec["workload"], spec.get("tasks", ()))
    return growth.problem(**spec)


def megabytes() -> float:
    """Peak memory of this process, and of the largest of its children if it has any."""
    own, children = (
        resource.getrusage(who).ru_maxrss
        for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)
    )
    return (own + children) / 1024


def device() -> str:
    """Where JAX computes, if it is there."""
    if "jax" not in sys.modules:
        return "cpu"
    return str(sys.modules["jax"].devices()[0].platform)


def serve(lines: TextIO, out: TextIO) -> None:
    """Set up, then run a seed a line until there is none."""
    order = json.loads(lines.readline())
    problem = problem_of(order["problem"])
    entry = samplers.REGISTRY[order["sampler"]]
    start = perf_counter()
    sampler = entry.make(problem, order["threads"])
    spent = perf_counter() - start
    _say(out, {
        "name": sampler.name, "setup": sampler.setup, "device": device(),
        "imports": start - START + spent - sampler.setup,
    })  # fmt: skip
    for line in lines:
        answer = sampler.run(json.loads(line)["seed"])
        said: dict[str, Any] = {"seconds": answer.seconds, "megabytes": megabytes()}
        if order.get("judge", True):
            said["run"] = asdict(measures.Reduced.of(answer))
        _say(out, said)


def _say(out: TextIO, said: dict[str, Any]) -> None:
    out.write(json.dumps(said, default=report.plain) + "\n")
    out.flush()


def main() -> None:
    with os.fdopen(os.dup(1), "w") as out:
        os.dup2(2, 1)
        serve(sys.stdin, out)


if __name__ == "__main__":
    main()
