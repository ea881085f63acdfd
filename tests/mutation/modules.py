"""The modules in which a wrong number is a wrong answer, and the tests that would notice it.

Tests that fail first stand first. Slow ones are left out, and so are those that compile by JAX or
PyTensor.
"""

from collections.abc import Mapping
from pathlib import Path

ROOT = Path(__file__).parents[2]
PACKAGE = Path("src/upturn")

LIKELIHOODS = (
    "tests/formulas/likelihoods/test_likelihoods.py",
    "tests/formulas/likelihoods/test_robust.py",
    "tests/formulas/likelihoods/test_autocorrelation.py",
)
EMERGENCE = ("tests/posterior/test_emergence.py",)
CLASSIFY = "tests/questions/classify"

TESTS: Mapping[str, tuple[str, ...]] = {
    "questions/forecast/extrapolate.py": ("tests/questions/forecast/test_extrapolate.py",),
    "posterior/scoring.py": ("tests/posterior/test_scoring.py",),
    "posterior/criteria.py": ("tests/posterior/test_criteria.py", f"{CLASSIFY}/test_verdicts.py"),
    "questions/classify/verdicts.py": (f"{CLASSIFY}/test_verdicts.py",),
    "formulas/segments.py": ("tests/formulas/test_segments.py",),
    "sampling/particles/weights.py": ("tests/sampling/particles/test_weights.py",),
    "posterior/emergence.py": EMERGENCE,
    "questions/classify/floor_test.py": (f"{CLASSIFY}/test_floor_test.py",),
    "posterior/averaging.py": ("tests/posterior", f"{CLASSIFY}/test_classify.py"),
    "questions/fit/mix/weights.py": ("tests/questions/fit/mix",),
    "formulas/priors.py": ("tests/formulas/test_priors.py",),
    "formulas/distributions.py": ("tests/formulas/test_priors.py",),
    "formulas/quantiles.py": ("tests/formulas/test_priors.py",),
    "formulas/scaling.py": (*EMERGENCE, "tests/sampling/density/test_target.py"),
    "formulas/likelihoods/continuous.py": LIKELIHOODS,
    "formulas/likelihoods/counts.py": LIKELIHOODS,
    "formulas/likelihoods/counts_in_runs.py": LIKELIHOODS,
    "formulas/likelihoods/autocorrelation.py": LIKELIHOODS,
    "formulas/likelihoods/likelihood.py": LIKELIHOODS,
    "formulas/likelihoods/proportions.py": LIKELIHOODS,
    "formulas/likelihoods/robust.py": LIKELIHOODS,
}

# Tests that take seconds, and whose job faster ones of the same module do.
LEFT_OUT = (
    "test_flat_floors_are_seldom",
    "test_models_that_differ_in_more",
    "test_gpt3_addition",
    "test_along_curve_is_a_permutation",
    "test_fit_takes_it_for_runs",
    "test_a_saved_fit_says_the_same",
    "test_planted_scores_are_found",
    "test_it_is_near_a_latent_process",
    "test_the_command_line",
    "test_what_cannot_be_is_refused",
)
