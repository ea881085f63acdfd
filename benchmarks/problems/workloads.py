"""Workloads: the curves that samplers are compared on, real and simulated.

In the style of posteriordb (Magnusson et al. 2024): each has its data, its model, and references
with the recipe they were made by, stored in references/.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np

from benchmarks.problems import hard_curves
from benchmarks.problems.pymc_models import PRIORS, Counts, parameters
from benchmarks.problems.simulate import Table

DATA = {
    "open-models": (), "gpt3": ("setting=few-shot",), "pythia": (), "hard": (),
}  # fmt: skip
PYTHIA_EVERY = 6  # of its 96 checkpoints and sizes
QUADRATURE = "quadrature, each with its own error (python -m benchmarks quadrature)"


@dataclass(frozen=True)
class Workload:
    """Curves, a model, and where the truth comes from.

    Attributes
    ----------
    title : str
        What it is, for a reader.
    dataset : str
        One of DATA.
    tasks : tuple of str
        Which of its curves; all if empty.
    model : str
        One of `benchmarks.problems.pymc_models.PRIORS`, under the beta-binomial, without groups.
    recipe : str
        How its references were made.
    """

    title: str
    dataset: str
    tasks: tuple[str, ...] = ()
    model: str = "hinge"
    recipe: str = QUADRATURE


WORKLOADS: Mapping[str, Workload] = {
    "open-models": Workload(
        "emergent tasks of the open models, 65 to 73 models each", "open-models"
    ),
    "gpt3": Workload(
        "few-shot tasks of GPT-3, eight sizes each, among them the thin and curved posteriors",
        "gpt3",
        ("arithmetic_2da", "arithmetic_2dm", "arithmetic_3da", "arithmetic_3ds", "arithmetic_4da",
         "anagrams1", "cb"),
    ),
    "pythia": Workload(
        f"checkpoints and sizes of Pythia, every {PYTHIA_EVERY}th", "pythia",
        ("arc_easy", "lambada_openai", "piqa"),
    ),
    "hard": Workload(
        "simulated: "
        + "; ".join(f"{name} ({case.why})" for name, case in hard_curves.CASES.items()),
        "hard",
    ),
}  # fmt: skip


@dataclass(frozen=True)
class Problem:
    """What a sampler is given.

    Attributes
    ----------
    name : str
    curves : upturn.Curves
    model : str or upturn.Model
    likelihood : str, optional
        By default the beta-binomial.
    """

    name: str
    curves: Any
    model: Any = "hinge"
    likelihood: str | None = None

    @cached_property
    def counts(self) -> Counts:
        """The same data for the peers, with u computed from the coordinates."""
        return Counts.of(self.curves)

    @property
    def known_model(self) -> str:
        """The model's name, for peers that have only those of `benchmarks.problems.pymc_models`."""
        if self.model not in PRIORS or self.likelihood is not None:
            raise ValueError(f"{self.name}: expected a model of benchmarks.problems.pymc_models")
        return str(self.model)

    @property
    def parsed_model(self) -> Any:
        """As the library has it."""
        from upturn import Model

        model = Model.read(self.model)
        return model if self.likelihood is None else model.with_likelihood(self.likelihood)

    @property
    def parameters(self) -> tuple[str, ...]:
        """Those of the model, noise included."""
        if isinstance(self.model, str) and self.model in PRIORS:
            return parameters(self.model, binomial=self.likelihood == "binomial")
        from upturn.sampling.nuts.to_pymc import target_of

        return target_of(self.parsed_model, self.curves).names


def problem(name: str, tasks: Sequence[str] = ()) -> Problem:
    """A workload's curves and model; of some of its tasks only, where they are given."""
    workload = WORKLOADS[name]
    curves = counts(workload.dataset)
    for wanted in (workload.tasks, tasks):
        if wanted:
            curves = curves.take(np.isin(curves.name, wanted))
    return Problem(name, curves, workload.model)


def needed(dataset: str) -> tuple[str, ...]:
    """The tasks of a data set that workloads need references of; all if empty."""
    return next((w.tasks for w in WORKLOADS.values() if w.dataset == dataset), ())


def counts(dataset: str) -> Any:
    """The curves of a data set that have trials, on FLOPs, without scatter groups."""
    import upturn
    from upturn.tables import datasets

    path = hard_curves.PATH if dataset == "hard" else datasets.path(dataset)
    results = upturn.read(path, facts="none")  # references are of the tables as they are
    conditions = DATA[dataset]
    if dataset == "pythia":
        frame = results.frame
        thinned = frame[frame.groupby("task").cumcount() % PYTHIA_EVERY == 0]
        results = upturn.read(thinned, facts="none")
    curves = (results.where(*conditions) if conditions else results).curves("flops", scatter="none")
    return curves.take(curves.kind == "counts")


def curves_of(table: Table) -> Any:
    """Simulated counts as `upturn.Curves`."""
    from upturn import Axis, Curves

    count, points = table.mask.shape
    names = np.array([f"curve {i}" for i in range(count)])
    x = np.where(table.mask, table.x, 0.0)
    low = np.where(table.mask, table.x, np.inf).min(axis=1)
    high = np.where(table.mask, table.x, -np.inf).max(axis=1)
    texts = np.full((count, points), "", dtype=object)
    return Curves(
        name=names,
        labels={"task": names},
        axes=(Axis.parse("flops"),) * count,
        x=x[None],
        limits=np.stack([low, high])[:, None],
        response=table.successes,
        trials=table.trials,
        mask=table.mask,
        group=table.group.astype(np.int32),
        run=np.full((count, points), -1, dtype=np.int32),
        model=texts,
        family=texts,
        chance=table.chance,
        ceiling=np.ones(count),
        kind=np.full(count, "counts"),
        orientation=np.ones(count),
        flags=((),) * count,
    )
