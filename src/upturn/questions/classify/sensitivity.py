"""Prior sensitivity: which verdicts flip under priors half and twice as wide?"""

from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from upturn.checks.arguments import known
from upturn.formulas.curve import parameter_groups, plain_name
from upturn.formulas.likelihoods.likelihood import Likelihood
from upturn.formulas.priors import Choice, Prior
from upturn.model import Model
from upturn.questions.arguments import part_of
from upturn.questions.classify.model_fit import ModelFit, model_fits
from upturn.questions.classify.result import Classification
from upturn.questions.classify.verdicts import Change, Verdicts
from upturn.sampling.batch import Progress
from upturn.tables.curves import Curves

FACTORS = (0.5, 2.0)

GROUPS = parameter_groups()
ALL = "all"


def prior_sensitivity(
    classification: Classification,
    *,
    priors: Sequence[str] = (*GROUPS, ALL),
    factors: Sequence[float] = FACTORS,
    ci: float = 0.9,
    threads: int | None = None,
    progress: Progress | None = None,
) -> Verdicts:
    """Refit under wider and narrower priors, and say which verdicts flip.

    A prior is widened by a factor f as follows, its centre staying: Normal, HalfNormal,
    Exponential, and LogNormal in its logarithm: sd or mean times f; Gamma: rate over f; Beta and
    BetaMode: concentration over f, and Uniform(0, 1) of a share, which is Beta(1, 1), likewise;
    any other Uniform: length times f, as far as the parameter has a meaning. Models that have none
    of the parameters keep their draws. Random numbers are those of the first fits, so that what
    differs is due to the priors.

    Parameters
    ----------
    classification : Classification
        The answer of `upturn.classify`.
    priors : sequence of str
        "floor", "overdispersion" (of continuous metrics: sigma), "scatter", "changepoint",
        "height" (levels too), "rate" (slopes and widths too), "place" (midpoints and intercepts),
        each by itself; "all" at once.
    factors : sequence of float
        How many times as wide each prior is made.
    ci : float
        Probability of the intervals of the emergence scale.
    threads : int, optional
        Number of threads; all cores by default.
    progress : callable, optional
        Called with (fits done, fits in all).

    Returns
    -------
    Verdicts

    Raises
    ------
    DataError
        For a name that is none of these.

    Examples
    --------
    >>> import upturn
    >>> table = upturn.read("gpt3").where("setting=few-shot", "task=arithmetic_3da")
    >>> classification = upturn.classify(table, models=["flat", "hinge"], draws=100)
    >>> upturn.prior_sensitivity(classification, priors=["height"]).summary().index.tolist()
    ['arithmetic_3da']
    """
    for name in priors:
        known(name, [*GROUPS, ALL], kind="group of priors", where="priors")
    jobs = [
        (name, factor, index, models)
        for name in priors
        for factor in factors
        for index, models in _affected(classification, name, factor)
    ]
    total = sum(len(index) * len(models) for _, _, index, models in jobs)
    done = 0
    refitted: dict[tuple[str, float], Classification] = {}
    touched: dict[tuple[str, float], list[np.ndarray]] = {}
    for name, factor, index, models in jobs:
        part = part_of(progress, done, total)
        fits = _refit(classification, classification.curves.take(index), models, threads, part)
        key = name, factor
        refitted[key] = refitted.get(key, classification).put(index, fits)
        touched.setdefault(key, []).append(index)
        done += len(index) * len(models)
    changes = [
        Change.of(
            "prior", f"{name} × {factor:g}", refitted[name, factor],
            np.sort(np.concatenate(touched[name, factor])), ci,
        )
        for name, factor in refitted
    ]  # fmt: skip
    return Verdicts(classification, changes, ci)


def _refit(
    classification: Classification,
    curves: Curves,
    models: Sequence[Model],
    threads: int | None,
    progress: Progress | None,
) -> tuple[ModelFit, ...]:
    return model_fits(
        curves, models, classification.criteria, draws=classification.draws,
        seed=classification.seed, threads=threads,
        progress=progress, ends=False,
    )  # fmt: skip


def _affected(
    classification: Classification, name: str, factor: float
) -> list[tuple[np.ndarray, list[Model]]]:
    """Curves and the models whose priors change for them; kinds of curves have their own priors."""
    curves, out = classification.curves, []
    for kind in dict.fromkeys(curves.kind.tolist()):
        for grouped in (False, True):
            here = (curves.kind == kind) & ((curves.groups > 0) == grouped)
            changed = [
                other
                for model in classification.models
                if (other := widened(model, name, factor, str(kind), scatter=grouped)) is not None
            ]
            if here.any() and changed:
                out.append((np.flatnonzero(here), changed))
    return out


def widened(model: Model, name: str, factor: float, kind: str, *, scatter: bool) -> Model | None:
    """A model with a group of priors widened, or None where it has none of them.

    Parameters
    ----------
    model : Model
    name : str
        Of the group, or "all".
    factor : float
    kind : str
        Of the curves, which decides on the likelihood.
    scatter : bool
        Whether the curves have groups with offsets.

    Examples
    --------
    >>> widened(Model.read("hinge"), "rate", 2, "counts", scatter=False).given
    {'rate': 'LogNormal(1, 2.4)'}
    """
    likelihood: Likelihood = model.likelihood_for(kind)
    texts = model.default_priors(likelihood, scatter=scatter and model.moves)
    texts |= {n: text for n, text in model.given.items() if n in texts}
    wanted = [n for group in (GROUPS if name == ALL else [name]) for n in GROUPS[group]]
    given = {}
    for parameter, text in texts.items():
        plain = plain_name(parameter)
        if plain in wanted:
            low, high = model.domain(parameter)
            prior = Prior.parse(text, f"model {model.name!r}, prior {parameter!r}")
            choices = tuple(_wider(choice, factor, low, high) for choice in prior.choices)
            if choices != prior.choices:
                given[parameter] = str(Prior(choices))
    return model.with_priors(given) if given else None


def _wider(choice: Choice, factor: float, low: float, high: float) -> Choice:
    """A distribution a factor wider about the same centre, within [low, high]."""
    name, arguments = choice.distribution, choice.arguments
    if factor == 1:
        return choice
    if name == "Uniform":
        start, end = (float(a) for a in arguments)
        if (start, end) == (low, high):
            return Choice("Beta", (1 / factor, 1 / factor))
        middle, half = (start + end) / 2, factor * (end - start) / 2
        ends = max(low, middle - half), min(high, middle + half)
        return Choice(name, tuple(round(end, 12) for end in ends))
    if name in {"Beta", "BetaMode"}:
        return _concentrated(choice, 1 / factor)
    *first, last = arguments
    if isinstance(last, str):  # chance as a scale: left as it is
        return choice
    return Choice(name, (*first, last / factor if name == "Gamma" else last * factor))


def _concentrated(choice: Choice, factor: float) -> Choice:
    """A Beta of so many times the concentration."""
    *first, last = choice.arguments
    if choice.distribution == "BetaMode":
        last = last if isinstance(last, str) else max(2.0, last * factor)
        return replace(choice, arguments=(*first, last))
    scaled = tuple(a if isinstance(a, str) else a * factor for a in choice.arguments)
    return replace(choice, arguments=scaled)
