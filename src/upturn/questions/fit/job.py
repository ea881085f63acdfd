"""Job: the computation for every curve of a fit, in any process and with any batch size.

A job is made from the description in a saved fit, so that another process, or a later run, gives
the same result to the bit.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Self

from upturn.formulas.likelihoods.registry import OF_RUNS
from upturn.model import Model
from upturn.questions.arguments import Origin, origin_of
from upturn.questions.fit.assemble import to_tree
from upturn.questions.fit.mix import learn
from upturn.questions.fit.verdicts import Alternatives, alternatives
from upturn.sampling import batch
from upturn.sampling.batch import Progress, Sample
from upturn.tables.axis import Axis
from upturn.tables.curves import Curves

if TYPE_CHECKING:
    import xarray as xr

TWIN_DRAWS = learn.FEWEST_DRAWS  # of the no-change twin, of which only the evidence is wanted


def model_of(meta: Mapping[str, Any]) -> Model:
    """The model of a fit, with every prior that was in force."""
    model = Model.from_toml(meta["model"], "saved model")
    given = meta["arguments"]["priors"]
    return Model(
        model.name, model.shape, model.summary, model.segments, model.range, model.likelihood,
        given,
    )  # fmt: skip


@dataclass(frozen=True)
class Job:
    """Sampling a model and its no-change twin by the population sampler.

    Attributes
    ----------
    model : Model
    meta : mapping
        How the fit is made, as its tree says: draws, seed, delta and more.
    """

    model: Model
    meta: Mapping[str, Any]

    @classmethod
    def of(cls, meta: Mapping[str, Any]) -> Self:
        """The job of a saved fit."""
        return cls(model_of(meta), meta)

    @property
    def draws(self) -> int:
        """Posterior draws of each curve."""
        return int(self.meta["arguments"]["draws"])

    @property
    def backend(self) -> str:
        """What computes: "numpy" or "jax"."""
        return str(self.meta["arguments"]["backend"])

    @property
    def delta(self) -> float:
        """How far above chance a score is an ability."""
        return float(self.meta["arguments"]["delta"])

    def samples(
        self, curves: Curves, *, threads: int | None = None, progress: Progress | None = None
    ) -> tuple[Sample, Sample]:
        """The draws of some curves, and their twins'.

        `progress` counts each curve twice, for the model and for its twin.
        """
        sample, twin = batch.sample_each(
            [(self.model, self.draws), (self.model.twin(), TWIN_DRAWS)], curves,
            seed=self.meta["seed"], threads=threads, backend=self.backend, progress=progress,
        )  # fmt: skip
        return sample, twin

    def alternatives(self, curves: Curves, *, threads: int | None = None) -> Alternatives:
        """What may explain curves instead of the model and its twin."""
        return alternatives(
            self.model, curves, seed=self.meta["seed"], threads=threads, backend=self.backend
        )

    def tree(
        self, curves: Curves, *, threads: int | None = None, progress: Progress | None = None
    ) -> "xr.DataTree":
        """The fit of some curves; it does not depend on the others."""
        sample, twin = self.samples(curves, threads=threads, progress=progress)
        return to_tree(
            curves, self.model, sample=sample, twin=twin, delta=self.delta, meta=self.meta,
            alternatives=self.alternatives(curves, threads=threads),
        )  # fmt: skip


def of_runs(job: Job) -> Job:
    """The job for a table with runs: by default their noise is correlated.

    Not for NUTS, whose models have independent scores, nor on a mix of axes, where scores have no
    order.
    """
    asked = job.meta["arguments"]
    if job.model.likelihood != "auto" or asked["scatter"] not in {"auto", "run"}:
        return job
    if asked["sampler"] != "population":
        return job
    chosen = job.model.with_likelihood(OF_RUNS)
    arguments = {**asked, "likelihood": chosen.likelihood}
    return Job(chosen, {**job.meta, "arguments": arguments, "model": chosen.to_toml()})


def asked_of(
    data: Origin | Curves, metric: str | Sequence[str] | None, axes: Sequence[Axis]
) -> dict[str, Any]:
    """The table, metrics and axes of a fit, as its saved arguments."""
    return {**origin_of(data, metric), "axis": list(dict.fromkeys(axis.name for axis in axes))}
