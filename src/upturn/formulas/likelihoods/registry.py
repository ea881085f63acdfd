"""Likelihoods: how a measured score scatters around the expected one.

The logarithm of a density is split into the terms that depend on the expected score, which a
sampler evaluates millions of times, and the rest: `log_terms` (row, point, particle) and
`log_rest`. Their sum is normalised, binomial coefficients included.

Scores are on the scale of the curve models: [0, 1] for counts and proportions; for a continuous
metric, observed scores fill the middle half of it (see `scaling`).
"""

from collections.abc import Mapping
from types import MappingProxyType

from upturn.formulas.likelihoods.continuous import NORMAL, STUDENT_T
from upturn.formulas.likelihoods.counts import BETA_BINOMIAL, BINOMIAL
from upturn.formulas.likelihoods.counts_in_runs import BETA_BINOMIAL_AR
from upturn.formulas.likelihoods.likelihood import Likelihood
from upturn.formulas.likelihoods.proportions import BETA
from upturn.formulas.likelihoods.robust import robust

MAY_BE_ROBUST = (BETA_BINOMIAL, BINOMIAL, BETA)
LIKELIHOODS: Mapping[str, Likelihood] = MappingProxyType({
    likelihood.name: likelihood
    for likelihood in (
        BETA_BINOMIAL, BINOMIAL, BETA, NORMAL, STUDENT_T, *map(robust, MAY_BE_ROBUST),
        BETA_BINOMIAL_AR,
    )
})  # fmt: skip

OF_RUNS = "ar"
SERIAL = (OF_RUNS, BETA_BINOMIAL_AR.name)
DEFAULTS = {"counts": "beta-binomial", "proportion": "beta", "continuous": "normal"}
# The likelihoods that depend on the kind of a curve. That of runs is the plain one for other kinds.
BY_KIND: Mapping[str, Mapping[str, str]] = MappingProxyType(
    {
        "auto": DEFAULTS,
        "robust": {
            "counts": "beta-binomial-robust",
            "proportion": "beta-robust",
            "continuous": "student-t",
        },
        OF_RUNS: {**DEFAULTS, "counts": "beta-binomial-ar"},
    }
)
