"""compare_models: which shape explains the curves of a table?"""

import os
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any

import numpy as np

from upturn.arrays.types import Floats
from upturn.checks.arguments import check_names, check_numbers
from upturn.checks.errors import DataError, counted, listed
from upturn.model import Model
from upturn.questions.arguments import curves_of, models_of, table_of
from upturn.questions.compare.columns import failures, loo_columns, meta_of, one_axis
from upturn.questions.compare.differences import Clusters, clusters_of, difference_error, half_width
from upturn.questions.compare.leave_one_out import Effort, Scores, canonical_order, score
from upturn.sampling.batch import Progress
from upturn.tables.axis import Axis
from upturn.tables.curves import Curves
from upturn.tables.results import Results

if TYPE_CHECKING:
    import pandas as pd

DRAWS = 2000


def compare_models(
    results: "Results | Curves | pd.DataFrame | str | os.PathLike[str]",
    *,
    models: str | Model | Sequence[str | Model] = ("hinge", "logistic", "flat"),
    axis: str | Axis | Sequence[str | Axis] = "flops",
    by: str | None = None,
    metric: str | Sequence[str] | None = None,
    scatter: str = "auto",
    cluster: str = "auto",
    refit: bool = True,
    draws: int = DRAWS,
    seed: int = 0,
    threads: int | None = None,
    progress: Progress | None = None,
) -> "ModelsComparison":
    """Compare models by how well they explain and predict the curves of a table.

    A Bayes factor is the ratio of two evidences, and an evidence is an average over the prior: it
    means something for these priors only (`ModelsComparison.priors`). The ELPD hangs on them much
    less.

    Parameters
    ----------
    results : Results, Curves, DataFrame, path or name of a bundled data set
        As for `upturn.fit`.
    axis : str or Axis
        Axis of scale.
    by : str, optional
        A label to split curves by, such as "family".
    metric : str or several, optional
        Use only these metrics.
    scatter : str
        Which points share an offset: "auto", "none", "family" or "run".
    draws : int
        Posterior draws of each curve and model.
    seed : int
        Random seed.
    threads : int, optional
        Number of threads; all cores by default.
    progress : callable, optional
        Called with (fits done, fits in all).
    models : several of str or Model
        Two or more, or "all" for all built-ins.
    cluster : str
        As for `compare_axes`.
    refit : bool
        As for `compare_axes`.

    Returns
    -------
    ModelsComparison

    Raises
    ------
    DataError
        For anything wrong with the table or the arguments.

    Examples
    --------
    >>> import upturn
    >>> table = upturn.read("gpt3").where("setting=few-shot", "task=arithmetic_3da")
    >>> comparison = upturn.compare_models(
    ...     table, models=["flat", "hinge"], refit=False, draws=100
    ... )
    >>> sorted(comparison.summary().index)
    ['flat', 'hinge']
    """
    check_names(sampler="population", backend="numpy", scatter=scatter, by=by, cluster=cluster)
    check_numbers(draws=draws, seed=seed, delta=0.1, threads=threads)
    chosen = models_of(models)
    if len(chosen) < 2:
        raise DataError(
            f"models: expected two or more, but got {listed(m.name for m in chosen)}; "
            "for example hinge and logistic, or all"
        )
    table = table_of(results)
    curves = curves_of(table, axis, by, metric, scatter)
    one_axis(curves, "models")
    order = canonical_order(curves)
    clusters = clusters_of(curves, order, table if isinstance(table, Results) else None, cluster)
    scores, samples = score(
        chosen, curves, Effort(draws, seed, threads), progress=progress, refit=refit, alone=True
    )
    return ModelsComparison(
        models=tuple(chosen),
        data=curves,
        scores=tuple(s.sorted(order) for s in scores),
        clusters=clusters,
        failed=failures(curves, chosen, samples),
        notes=curves.notes,
        meta=meta_of(
            table, metric=metric, seed=seed, axis=curves.axes[0].name,
            models=[m.name for m in chosen], draws=int(draws), scatter=scatter, by=by,
            cluster=cluster, refit=refit,
        ),
    )  # fmt: skip


@dataclass(frozen=True)
class ModelsComparison:
    """Models on the same curves.

    Attributes
    ----------
    models : tuple of Model
    data : Curves
    scores : tuple of Scores
        Of each model.
    clusters : Clusters
        What the errors of differences in ELPD are clustered by.
    failed : list of str
    notes : tuple of str
    meta : dict
    """

    models: tuple[Model, ...]
    data: Curves
    scores: tuple[Scores, ...]
    clusters: Clusters
    failed: list[str]
    notes: tuple[str, ...]
    meta: dict[str, Any]

    def __repr__(self) -> str:
        return f"ModelsComparison({', '.join(self.names)}; {counted(len(self.data), 'curve')})"

    @property
    def names(self) -> tuple[str, ...]:
        """Of the models."""
        return tuple(model.name for model in self.models)

    @property
    def priors(self) -> dict[str, dict[str, str]]:
        """The priors on which each model's evidence rests, by parameter."""
        return {model.name: model.all_priors() for model in self.models}

    @cached_property
    def elpd(self) -> Floats:
        """Leave-one-out log density of every point under every model: (model, obs)."""
        return np.stack([s.elpd[self.data.mask] for s in self.scores])

    @cached_property
    def log_evidence(self) -> Floats:
        """Of every curve under every model: (model, curve)."""
        return np.stack([s.log_evidence for s in self.scores])

    @cached_property
    def best(self) -> int:
        """The model with the highest evidence of all curves together."""
        return int(self.log_evidence.sum(axis=1).argmax())

    def summary(self) -> "pd.DataFrame":
        """One row a model, over all curves, each of which is taken to follow that model.

        Returns
        -------
        DataFrame
            `shape`; `log_evidence` with its Monte Carlo error; `log_evidence_diff`, the log Bayes
            factor against the model with the highest evidence, with its error; `elpd` and
            `elpd_diff` with clustered errors; `weight` (stacking); `high_k`, the share of points
            whose k̂ is above 0.7; `best_on`, the number of curves on which its evidence is highest.
        """
        import pandas as pd

        columns = loo_columns(
            self.scores,
            self.elpd,
            code=self.clusters.code,
            best=self.best,
            mask=self.data.mask,
        )
        wins = np.bincount(self.log_evidence.argmax(axis=0), minlength=len(self.models))
        return pd.DataFrame(
            {"shape": [model.shape for model in self.models], **columns, "best_on": wins},
            index=pd.Index(self.names, name="model"),
        )

    @property
    def curves(self) -> "pd.DataFrame":
        """One row a curve and model.

        `log_evidence_diff` is the log Bayes factor against the best model of that curve,
        `probability` the posterior probability with equal prior odds, `elpd_diff` and `weight`
        are within the curve.
        """
        import pandas as pd

        labels = self.data.labels
        tables = []
        obs = np.nonzero(self.data.mask)[0]
        for i, name in enumerate(self.data.name.tolist()):
            here = obs == i
            evidence = self.log_evidence[:, i]
            columns = loo_columns(
                [s.take(np.array([i])) for s in self.scores],
                self.elpd[:, here],
                code=self.clusters.code[here],
                best=int(evidence.argmax()),
                mask=self.data.mask[[i]],
            )
            weight = np.exp(evidence - evidence.max())
            frame = {label: values[i] for label, values in labels.items()}
            frame |= {"model": list(self.names), "points": int(self.data.points[i])}
            frame |= columns | {"probability": weight / weight.sum()}
            tables.append(pd.DataFrame(frame, index=pd.Index([name] * len(weight), name="curve")))
        return pd.concat(tables)

    @property
    def verdict(self) -> str:
        """Which model predicts points left out best, and what the evidence adds, in one sentence.

        The error of a difference in ELPD knows that tasks share models. That of a log evidence is
        of the sampler alone, so that it is no error of the answer.
        """
        rank = np.argsort(-self.elpd.sum(axis=1))
        best, second = int(rank[0]), int(rank[1])
        gap = self.elpd[best] - self.elpd[second]
        by_chance = np.append(self.scores[best].elpd_error, self.scores[second].elpd_error)
        error = difference_error(gap, self.clusters.code, by_chance)
        lead = f"{gap.sum():.1f} ± {error:.1f} nats of ELPD over {counted(len(self.data), 'curve')}"
        leader, two = self.names[best], self.names[second]
        if gap.sum() > half_width(self.clusters.count) * error:
            start = f"{leader} beats {two} by {lead}"
        else:
            start = f"{leader} and {two} are a tie, {lead} being within the error"
        return f"{start}; {self._evidence(best, second)}"

    def _evidence(self, best: int, second: int) -> str:
        """What the evidence says of the two that predict best."""
        total = self.log_evidence.sum(axis=1)
        error = np.array([np.sqrt((s.log_evidence_se**2).sum()) for s in self.scores])
        gap, spread = total[best] - total[second], float(np.hypot(error[best], error[second]))
        if abs(gap) <= half_width(1000) * spread:
            return f"their evidence differs by less than its Monte Carlo error ({spread:.1f} nats)"
        ahead = self.names[best if gap > 0 else second]
        with_priors = any(model.given for model in (self.models[best], self.models[second]))
        priors = "their priors" if with_priors else "the default priors"
        return f"the evidence of {ahead} is {abs(gap):.1f} nats higher, given {priors}"
