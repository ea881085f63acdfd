"""Flags: what a reader should know of each curve's data and sampling."""

import numpy as np

from upturn.arrays.types import Floats
from upturn.checks.arguments import interval_levels
from upturn.checks.errors import also
from upturn.questions.fit.contents import Contents, interval_text
from upturn.questions.fit.verdicts import falling_flag
from upturn.sampling.particles.weights import LARGEST_K
from upturn.sampling.population.sampler import METHODS

LARGEST_DIFFERENCE = 4.0  # of two samplers' posterior means, in Monte Carlo standard errors
LIKELY = 0.5  # a probability above it: more probable than not
MOST_NAMED = 3  # broken scores that the flag of a curve names


def flags(fit: Contents, p_broken: Floats | None) -> list[list[str]]:
    """The flags of each curve.

    Parameters
    ----------
    fit : Contents
    p_broken : array (curve, point), optional
        The probability that each score is broken, under a robust likelihood.
    """
    khat, rhat, falls = (fit.stat(name) for name in ("khat", "rhat", "p_falls"))
    method, converged = fit.stat("method"), fit.stat("converged")
    out = []
    for i, of_data in enumerate(fit.curves.flags):
        texts = [*of_data, *_broken(fit, i, p_broken)]
        if falls[i] > LIKELY:
            texts.append(falling_flag(float(falls[i]), fit.curves.axes[i]))
        if method[i] == len(METHODS) - 1:
            texts.append("tempered SMC")
        if khat[i] > LARGEST_K:
            texts.append(f"k̂ {khat[i]:.2f}")
        if fit.is_nuts:
            texts += _of_nuts(fit, i)
        elif not converged[i]:
            texts.append(f"not converged (R̂ {rhat[i]:.2f})")
        out.append(texts)
    return out


def _broken(fit: Contents, curve: int, p_broken: Floats | None) -> list[str]:
    """The scores of a curve that are more probably broken than not."""
    if p_broken is None:
        return []
    p = p_broken[curve]
    order = np.argsort(-p, kind="stable")
    names = [f"{fit.curves.model[curve, i]} {p[i]:.2f}" for i in order if p[i] > LIKELY]
    more = also(max(len(names) - MOST_NAMED, 0), "score")
    return [f"broken? {', '.join(names[:MOST_NAMED])}{more}"] if names else []


def _of_nuts(fit: Contents, curve: int) -> list[str]:
    """Problems of NUTS's draws of a curve; if any, the population sampler's answer too."""
    rhat, ess, converged, divergences, difference = (
        fit.stat(name)[curve] for name in ("rhat", "ess", "converged", "divergences", "difference")
    )
    texts = []
    if not converged:
        texts.append(f"NUTS not converged (R̂ {rhat:.3f}, ESS {ess:.0f}, {divergences} divergences)")
    if difference > LARGEST_DIFFERENCE:
        texts.append(f"samplers {difference:.1f} standard errors apart")
    if texts:
        q = fit.quantiles("threshold_scale", interval_levels(0.9), "population")[:, curve]
        low, median, high = (fit.scale_text(curve, x) for x in q)
        texts.append(f"population sampler: {median} ({interval_text(low, high)})")
    return texts
